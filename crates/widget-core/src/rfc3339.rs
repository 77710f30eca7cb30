//! Times as text: RFC 3339 in UTC, for `#[serde(with = "widget_core::rfc3339")]`.
//!
//! ```
//! use time::{OffsetDateTime, macros::datetime};
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Seen {
//!     #[serde(with = "widget_core::rfc3339")]
//!     at: OffsetDateTime,
//! }
//!
//! let seen: Seen = serde_json::from_str(r#"{"at": "2026-01-31T10:30:00+01:00"}"#)?;
//! assert_eq!(seen.at, datetime!(2026-01-31 09:30 UTC));
//! assert_eq!(serde_json::to_string(&seen)?, r#"{"at":"2026-01-31T09:30:00Z"}"#);
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::{fmt, str::FromStr};

use serde::{Deserializer, Serialize, Serializer, ser};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use crate::text::{deserialize_text, shortened};

/// Writes the time in UTC.
///
/// # Errors
///
/// When the year in UTC is not one of 0 to 9999, the only ones that RFC 3339 has.
pub fn serialize<S: Serializer>(time: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    Timestamp(*time).serialize(serializer)
}

/// Reads a time with any offset.
///
/// # Errors
///
/// When the text is not RFC 3339, or the year in UTC is not one of 0 to 9999.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OffsetDateTime, D::Error> {
    deserialize_text(deserializer).map(|Timestamp(time)| time)
}

/// The same for a time that may be missing: `#[serde(with = "widget_core::rfc3339::option")]`.
pub mod option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use time::OffsetDateTime;

    use super::Timestamp;

    /// Writes the time in UTC, or `null`.
    ///
    /// # Errors
    ///
    /// As [`rfc3339::serialize`](super::serialize).
    pub fn serialize<S: Serializer>(
        time: &Option<OffsetDateTime>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(Timestamp).serialize(serializer)
    }

    /// Reads a time, or `null`.
    ///
    /// # Errors
    ///
    /// As [`rfc3339::deserialize`](super::deserialize).
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<OffsetDateTime>, D::Error> {
        Ok(Option::<Timestamp>::deserialize(deserializer)?.map(|Timestamp(time)| time))
    }
}

struct Timestamp(OffsetDateTime);

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        OffsetDateTime::parse(text, &Rfc3339)
            .ok()
            .and_then(|time| time.checked_to_offset(UtcOffset::UTC))
            // The text has a year of the calendar, but an offset can move it to another one.
            .filter(|time| (0..=9999).contains(&time.year()))
            .map(Self)
            .ok_or_else(|| TimestampError(shortened(text).into_owned()))
    }
}

struct TimestampError(String);

impl fmt::Display for TimestampError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "`{}` is not a time such as `2026-01-31T09:30:00Z` (RFC 3339)",
            self.0
        )
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = self.0.checked_to_offset(UtcOffset::UTC);
        let text = time.and_then(|time| time.format(&Rfc3339).ok());
        let text = text.ok_or_else(|| ser::Error::custom("the year is not one of 0 to 9999"))?;
        serializer.serialize_str(&text)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_text(deserializer)
    }
}
