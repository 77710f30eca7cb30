//! How long the content of a conversation is kept after its end.
//!
//! ```
//! use time::Duration;
//! use widget_core::conversation::retention::Retention;
//!
//! let retention = Retention {
//!     service: Some(Duration::days(90)),
//!     organization: Some(Duration::days(30)),
//!     web_widget: Some(Duration::days(60)),
//! };
//! assert_eq!(retention.effective(), Some(Duration::days(30)));
//! ```

use time::Duration;

/// How many days an organization or a widget can set at most: a hundred years.
pub const MAX_DAYS: u32 = 36_500;

/// What is set about one conversation; the shortest time counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// By the operator, for everything.
    pub service: Option<Duration>,
    /// For its organization.
    pub organization: Option<Duration>,
    /// For its widget.
    pub web_widget: Option<Duration>,
}

impl Retention {
    /// How long it is kept; nothing when it is kept until somebody erases it.
    #[must_use]
    pub fn effective(&self) -> Option<Duration> {
        let set = [self.service, self.organization, self.web_widget];
        set.into_iter().flatten().min()
    }
}

/// Why a time was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RetentionError {
    /// Not from 1 to [`MAX_DAYS`].
    #[error("`{0}` is not a number of days from 1 to {MAX_DAYS}")]
    OutOfRange(u32),
    /// The operator allows less.
    #[error("`{days}` days are longer than the {seconds} seconds that the service keeps content")]
    TooLong {
        /// What was asked for.
        days: u32,
        /// What the operator allows.
        seconds: i64,
    },
}

/// The time that an organization sets for itself or for a widget: it can only be shorter than what
/// the operator allows.
///
/// # Errors
///
/// [`RetentionError`]
pub fn accept_days(days: u32, service: Option<Duration>) -> Result<Duration, RetentionError> {
    if !(1..=MAX_DAYS).contains(&days) {
        return Err(RetentionError::OutOfRange(days));
    }
    let asked = Duration::days(i64::from(days));
    match service {
        Some(allowed) if asked > allowed => Err(RetentionError::TooLong {
            days,
            seconds: allowed.whole_seconds(),
        }),
        _ => Ok(asked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operator_sets_a_ceiling() {
        let days = |days| Duration::days(days);
        for (asked, allowed, expected) in [
            (30, None, Ok(days(30))),
            (90, Some(days(90)), Ok(days(90))),
            (
                91,
                Some(days(90)),
                Err(RetentionError::TooLong {
                    days: 91,
                    seconds: 90 * 86_400,
                }),
            ),
            (0, None, Err(RetentionError::OutOfRange(0))),
            (MAX_DAYS, None, Ok(days(i64::from(MAX_DAYS)))),
            (
                MAX_DAYS + 1,
                None,
                Err(RetentionError::OutOfRange(MAX_DAYS + 1)),
            ),
        ] {
            assert_eq!(accept_days(asked, allowed), expected, "{asked}");
        }
    }

    #[test]
    fn the_shortest_time_counts() {
        let day = |days| Some(Duration::days(days));
        for (service, organization, web_widget, expected) in [
            (None, None, None, None),
            (day(9), None, None, day(9)),
            (None, day(9), None, day(9)),
            (None, None, day(9), day(9)),
            (day(5), day(9), day(7), day(5)),
            (day(9), day(5), day(7), day(5)),
            (day(9), day(7), day(5), day(5)),
        ] {
            let retention = Retention {
                service,
                organization,
                web_widget,
            };
            assert_eq!(retention.effective(), expected, "{retention:?}");
        }
    }
}
