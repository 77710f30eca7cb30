//! How many conversations there may be: open at the same time on a widget, and on one day in an
//! organization.
//!
//! The caller counts, before it writes; a burst may exceed a budget by as many as are written at
//! the same time.
//!
//! ```
//! use time::macros::datetime;
//! use widget_core::conversation::budget::{BudgetError, Budgets};
//!
//! let mut budgets = Budgets::default();
//! (budgets.open_on_widget, budgets.per_day) = (50, Some(1000));
//! let now = datetime!(2026-01-01 23:59 UTC);
//! assert_eq!(budgets.require_open(49), Ok(()));
//! let error = budgets.require_day(1000, now).expect_err("as many as are allowed");
//! assert_eq!(error, BudgetError::DayUsedUp { max: 1000, resets_in: time::Duration::MINUTE });
//! ```

use time::{Duration, OffsetDateTime, Time, UtcOffset};

/// How many conversations there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Budgets {
    /// Open ones on a widget.
    pub open_on_widget: u32,
    /// Those that an organization starts on one day in UTC; `None` for any number.
    pub per_day: Option<u32>,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            open_on_widget: 500,
            per_day: None,
        }
    }
}

/// No other conversation may start now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    /// The widget has as many open conversations as it may.
    #[error("too many conversations are open on this widget; try again a little later")]
    WidgetBusy {
        /// How many may be open.
        max: u32,
    },
    /// The organization has started as many as it may on this day.
    #[error("the number of conversations allowed per day is used up; try again tomorrow")]
    DayUsedUp {
        /// How many may be started on one day.
        max: u32,
        /// How long this day lasts from now.
        resets_in: Duration,
    },
}

impl Budgets {
    /// Whether the widget, which has `open` conversations, may have another one.
    ///
    /// # Errors
    ///
    /// [`BudgetError::WidgetBusy`] when it has as many as it may.
    pub fn require_open(&self, open: i64) -> Result<(), BudgetError> {
        let max = self.open_on_widget;
        if open >= i64::from(max) {
            return Err(BudgetError::WidgetBusy { max });
        }
        Ok(())
    }

    /// From when on the conversations of the organization count; `None` when they do not.
    #[must_use]
    pub fn counted_since(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        self.per_day.map(|_| start_of_day(now))
    }

    /// Whether the organization, which has started `today` conversations on this day, may start
    /// another one.
    ///
    /// # Errors
    ///
    /// [`BudgetError::DayUsedUp`] when it has started as many as it may.
    pub fn require_day(&self, today: i64, now: OffsetDateTime) -> Result<(), BudgetError> {
        match self.per_day {
            Some(max) if today >= i64::from(max) => Err(BudgetError::DayUsedUp {
                max,
                resets_in: Duration::DAY - (now - start_of_day(now)),
            }),
            _ => Ok(()),
        }
    }
}

fn start_of_day(now: OffsetDateTime) -> OffsetDateTime {
    now.to_offset(UtcOffset::UTC).replace_time(Time::MIDNIGHT)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_budget_is_used_up_by_its_last_conversation() {
        let budgets = |open_on_widget, per_day| Budgets {
            open_on_widget,
            per_day,
        };
        for (max, open, fits) in [(2, 0, true), (2, 1, true), (2, 2, false), (2, 3, false)] {
            let expected = if fits {
                Ok(())
            } else {
                Err(BudgetError::WidgetBusy { max })
            };
            assert_eq!(
                budgets(max, None).require_open(open),
                expected,
                "{max}, {open}"
            );
        }
        // It is 20 minutes past midnight in UTC.
        let now = datetime!(2026-01-01 02:20 +2);
        let (max, resets_in) = (5, Duration::minutes(23 * 60 + 40));
        for (per_day, today, expected) in [
            (Some(max), 4, Ok(())),
            (Some(max), 5, Err(BudgetError::DayUsedUp { max, resets_in })),
            (Some(max), 6, Err(BudgetError::DayUsedUp { max, resets_in })),
            (None, i64::MAX, Ok(())),
        ] {
            let budgets = budgets(1, per_day);
            assert_eq!(
                budgets.require_day(today, now),
                expected,
                "{per_day:?}, {today}"
            );
            let midnight = per_day.map(|_| datetime!(2026-01-01 00:00 UTC));
            assert_eq!(budgets.counted_since(now), midnight);
        }
    }
}
