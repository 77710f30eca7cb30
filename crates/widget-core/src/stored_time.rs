//! Which times a service stores.
//!
//! ```
//! use time::macros::datetime;
//! use widget_core::stored_time::can_be_stored;
//!
//! assert!(can_be_stored(datetime!(2026-01-31 09:30 UTC)));
//! // What programs send that never set their time.
//! assert!(!can_be_stored(datetime!(0001-01-01 00:00 UTC)));
//! ```

use time::{OffsetDateTime, UtcOffset};

/// The first year of which a service stores times.
pub const FIRST_YEAR: i32 = 1970;

/// The last year of which a service stores times, so that limits can be added to each of them.
pub const LAST_YEAR: i32 = 9998;

/// Whether the year of a time, in UTC, is one of [`FIRST_YEAR`] to [`LAST_YEAR`].
#[must_use]
pub fn can_be_stored(time: OffsetDateTime) -> bool {
    time.checked_to_offset(UtcOffset::UTC)
        .is_some_and(|time| (FIRST_YEAR..=LAST_YEAR).contains(&time.year()))
}
