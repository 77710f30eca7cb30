//! How values of the domain look in JSON, both ways; the domain types themselves know nothing of
//! it.

use std::fmt::Display;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::storage::StoreError;

/// A value as the text that it displays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<T>(pub T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A time as RFC 3339, told in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp(pub OffsetDateTime);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self
            .0
            .to_offset(time::UtcOffset::UTC)
            .format(&Rfc3339)
            .map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        OffsetDateTime::parse(&text, &Rfc3339)
            .ok()
            .and_then(|time| time.checked_to_offset(time::UtcOffset::UTC))
            // RFC 3339 knows no other years, but an offset can lead out of them.
            .filter(|time| (0..=9999).contains(&time.year()))
            .map(Self)
            .ok_or_else(|| {
                serde::de::Error::custom(format!(
                    "`{text}` is not a time such as `2026-01-31T09:30:00Z` (RFC 3339)"
                ))
            })
    }
}

/// A member that may be absent but, when present, is not `null`: absent keeps, `null` would be a
/// guess.
///
/// # Errors
/// As those of `T`.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// JSON text of our own, put into an answer as it is.
///
/// # Errors
/// [`StoreError::Corrupt`] when what is stored at `table` and `row` is no JSON.
pub fn raw(
    table: &'static str,
    row: &dyn Display,
    text: String,
) -> Result<Box<RawValue>, StoreError> {
    RawValue::from_string(text).map_err(|error| StoreError::corrupt(table, row, &error))
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let read: Result<Timestamp, _> = serde_json::from_value(text.into());
        let told = read.map(|time| serde_json::to_value(time).expect("what is read can be told"));
        if let Some(expected) = expected {
            assert_eq!(told.expect(text), expected);
        } else {
            let error = told.expect_err(text).to_string();
            assert!(
                error.contains("RFC 3339") && error.contains(text),
                "{error}"
            );
        }
    }

    #[test]
    fn times_are_told_in_utc() {
        check("2026-01-31T09:30:00Z", Some("2026-01-31T09:30:00Z"));
        check("2026-01-31T10:30:00+01:00", Some("2026-01-31T09:30:00Z"));
        check("9999-12-31T23:59:59Z", Some("9999-12-31T23:59:59Z"));
        check("0000-01-01T00:00:00Z", Some("0000-01-01T00:00:00Z"));
    }

    #[test]
    fn what_leads_out_of_the_calendar_is_refused() {
        for text in [
            "9999-12-31T23:59:59-01:00",
            "0000-01-01T00:00:00+01:00",
            "2026-01-31",
            "2026-02-30T00:00:00Z",
            "2026-01-31T09:30:00",
            "now",
            "",
        ] {
            check(text, None);
        }
    }
}
