//! Times as people write them on a command line: `7d` ago, a day, or a time.

use serde::{
    Deserialize,
    de::{IntoDeserializer, value::StrDeserializer},
};
use time::{Date, OffsetDateTime, Time, macros::format_description};
use widget_api::Timestamp;

/// What is accepted.
const HINT: &str = "write how long ago, such as `7d` or `12h`, a day in UTC, such as \
                               `2026-01-31`, or a time, such as `2026-01-31T09:30:00Z`";

/// Reads a time, or how long ago it was. For clap, which shows the error.
pub(crate) fn parse(text: &str) -> Result<Timestamp, String> {
    parse_at(text, OffsetDateTime::now_utc())
        .map(Timestamp)
        .ok_or_else(|| HINT.to_owned())
}

fn parse_at(text: &str, now: OffsetDateTime) -> Option<OffsetDateTime> {
    if let Ok(ago) = humantime::parse_duration(text) {
        return now.checked_sub(ago.try_into().ok()?);
    }
    if let Ok(day) = Date::parse(text, format_description!("[year]-[month]-[day]")) {
        return Some(day.with_time(Time::MIDNIGHT).assume_utc());
    }
    let text: StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
    Timestamp::deserialize(text).ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now = datetime!(2026-03-08 12:00 UTC);
        for (text, expected) in [
            ("7d", datetime!(2026-03-01 12:00 UTC)),
            ("90m", datetime!(2026-03-08 10:30 UTC)),
            ("2026-01-31", datetime!(2026-01-31 0:00 UTC)),
            ("2026-01-31T10:30:00+01:00", datetime!(2026-01-31 9:30 UTC)),
        ] {
            assert_eq!(parse_at(text, now), Some(expected), "{text}");
        }
        for text in ["", "7", "yesterday", "2026-02-31", "999999999y"] {
            assert_eq!(parse_at(text, now), None, "{text}");
        }
    }
}
