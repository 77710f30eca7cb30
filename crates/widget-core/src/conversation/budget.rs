//! How many conversations there may be: open at the same time on a widget, on one day in an
//! organization, and started from one place without being joined.
//!
//! A script can start conversations without joining them. Those are not open on the widget, so that
//! they keep no visitor out; they count where they were started, until they are joined or fail.
//!
//! The caller counts, before it writes. What is open or of one day may exceed its budget by as many
//! as are written or joined at the same time; starts from one place are counted and written while
//! nobody else writes one from there, so they never do.
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
    /// Those on a widget that were joined and have not ended.
    pub open_on_widget: u32,
    /// Those that were started from one [`StartRange::Address`] and wait to be joined.
    pub unjoined_per_address: u32,
    /// Those that were started from one [`StartRange::Network`] and wait to be joined.
    pub unjoined_per_network: u32,
    /// Those that an organization starts on one day in UTC; `None` for any number.
    pub per_day: Option<u32>,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            open_on_widget: 500,
            unjoined_per_address: 20,
            unjoined_per_network: 60,
            per_day: None,
        }
    }
}

/// How much of the addresses of the Internet counts as one place where conversations are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartRange {
    /// An IPv4 address, or the IPv6 /64 that one subscriber usually has.
    Address,
    /// An IPv6 /48, the largest network that one subscriber usually gets; IPv4 has none.
    Network,
}

/// The conversations that were started from one place and wait to be joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unjoined {
    /// How many there are.
    pub count: i64,
    /// When the first of them fails if nobody joins it; `None` when there are none.
    pub first_fails_at: Option<OffsetDateTime>,
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
    /// As many as may be were started from here and wait to be joined.
    #[error(
        "{max} conversations that were started from {} wait to be joined; join one of them, or try \
         again a little later",
        .range.as_words()
    )]
    TooManyUnjoined {
        /// What counts as here.
        range: StartRange,
        /// How many may wait.
        max: u32,
        /// How long it takes until the first of them fails.
        resets_in: Duration,
    },
}

impl StartRange {
    const fn as_words(self) -> &'static str {
        match self {
            Self::Address => "this address",
            Self::Network => "this network",
        }
    }
}

impl Budgets {
    /// Whether the widget, which has `open` conversations that were joined, may have another one.
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

    /// Whether another conversation may start, or wait on, at a place where `unjoined` others were
    /// started.
    ///
    /// # Errors
    ///
    /// [`BudgetError::TooManyUnjoined`] when as many wait there as may.
    pub fn require_unjoined(
        &self,
        range: StartRange,
        unjoined: Unjoined,
        now: OffsetDateTime,
    ) -> Result<(), BudgetError> {
        let max = match range {
            StartRange::Address => self.unjoined_per_address,
            StartRange::Network => self.unjoined_per_network,
        };
        if unjoined.count >= i64::from(max) {
            let first = unjoined.first_fails_at.unwrap_or(now);
            return Err(BudgetError::TooManyUnjoined {
                range,
                max,
                resets_in: (first - now).max(Duration::ZERO),
            });
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
            ..Budgets::default()
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

    #[test]
    fn what_waits_to_be_joined_is_bounded_where_it_was_started() {
        use StartRange::{Address, Network};
        let now = datetime!(2026-01-01 12:00 UTC);
        let in_seconds = |seconds| Some(now + Duration::seconds(seconds));
        for (range, count, first_fails_at, expected) in [
            (Address, 0, None, None),
            (Address, 19, in_seconds(170), None),
            (Address, 20, in_seconds(170), Some((20, 170))),
            (Address, 21, in_seconds(0), Some((20, 0))),
            (Address, 20, in_seconds(-5), Some((20, 0))),
            (Network, 20, in_seconds(170), None),
            (Network, 59, in_seconds(170), None),
            (Network, 60, in_seconds(1), Some((60, 1))),
        ] {
            let unjoined = Unjoined {
                count,
                first_fails_at,
            };
            let expected = expected.map(|(max, seconds)| BudgetError::TooManyUnjoined {
                range,
                max,
                resets_in: Duration::seconds(seconds),
            });
            assert_eq!(
                Budgets::default()
                    .require_unjoined(range, unjoined, now)
                    .err(),
                expected,
                "{range:?}, {count}"
            );
        }
        // Nothing may wait: nobody can start.
        let none = Budgets {
            unjoined_per_address: 0,
            ..Budgets::default()
        };
        let unjoined = Unjoined {
            count: 0,
            first_fails_at: None,
        };
        let error = none
            .require_unjoined(Address, unjoined, now)
            .expect_err("none may");
        assert_eq!(
            error.to_string(),
            "0 conversations that were started from this address wait to be joined; join one of them, \
             or try again a little later"
        );
    }
}
