//! Which time may be asked for at once.

use time::{Duration, OffsetDateTime};

use crate::{choice::choices, conversation::budget::Day, finding::Code};

choices! {
    /// How much time one point of statistics covers, in UTC.
    pub enum Interval {
        /// An hour.
        Hour = "hour",
        /// A day.
        Day = "day",
    }
}

const SECONDS_PER_HOUR: i64 = 3_600;

/// The maximum number of days over which refusals are shown.
pub const MAX_REFUSAL_DAYS: i64 = 400;

/// Days over which refusals are shown when nothing is asked for.
const DEFAULT_REFUSAL_DAYS: i64 = 7;

impl Interval {
    /// How long it is.
    #[must_use]
    pub const fn duration(self) -> Duration {
        match self {
            Self::Hour => Duration::HOUR,
            Self::Day => Duration::DAY,
        }
    }

    /// How many days the time of an answer has at most: 31 by the hour, 400 by the day. An answer
    /// has one point more when the time does not begin with one.
    #[must_use]
    pub const fn max_days(self) -> i64 {
        match self {
            Self::Hour => 31,
            Self::Day => 400,
        }
    }

    /// How many points there are when no time is asked for: a day of hours, a week of days.
    const fn default_points(self) -> i64 {
        match self {
            Self::Hour => 24,
            Self::Day => 7,
        }
    }

    const fn seconds(self) -> i64 {
        match self {
            Self::Hour => SECONDS_PER_HOUR,
            Self::Day => 24 * SECONDS_PER_HOUR,
        }
    }

    /// The number of the point that a time is in, since 1970.
    #[must_use]
    pub const fn point_of(self, time: OffsetDateTime) -> i64 {
        time.unix_timestamp().div_euclid(self.seconds())
    }

    /// The number of the first point that begins at a time or after it.
    const fn point_from(self, time: OffsetDateTime) -> i64 {
        let begun = self.point_of(time);
        let is_start = time.unix_timestamp() == begun * self.seconds() && time.nanosecond() == 0;
        if is_start { begun } else { begun + 1 }
    }

    /// When a point begins; 1970 for one that is not a time.
    #[must_use]
    pub fn start_of(self, point: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(point.saturating_mul(self.seconds()))
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

/// The time of an answer: whole points, from the one that has the beginning to the one that has
/// the end, and none of the future.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatisticsRange {
    interval: Interval,
    first: i64,
    behind: i64,
}

/// Why a time cannot be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeFault {
    /// The beginning is not before the end.
    Reversed,
    /// The time is longer than an answer may cover, in days.
    TooLong(i64),
    /// The beginning is in the future.
    Future,
}

/// A time cannot be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.detail())]
pub struct RangeError {
    /// The parameter that says the beginning.
    pub name: &'static str,
    /// What is wrong with it.
    pub fault: RangeFault,
}

impl RangeError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self.fault {
            RangeFault::Reversed => Code::RangeInvalid,
            RangeFault::TooLong(_) | RangeFault::Future => Code::ValueOutOfRange,
        }
    }

    fn detail(&self) -> String {
        let name = self.name;
        match self.fault {
            RangeFault::Reversed => format!("`{name}` is not before `to`; it must be earlier"),
            RangeFault::TooLong(days) => format!(
                "`{name}` is more than {days} days before the end, the maximum here; ask for less"
            ),
            RangeFault::Future => {
                format!("`{name}` is in the future; nothing was counted there yet")
            }
        }
    }
}

impl StatisticsRange {
    /// The range between two times; without the first one a week of days or a day of hours, and
    /// without the second one up to `now`.
    ///
    /// ```
    /// use time::macros::datetime;
    /// use widget_core::statistics::{Interval, StatisticsRange};
    ///
    /// let (from, now) = (datetime!(2026-01-30 22:40 UTC), datetime!(2026-01-31 09:30 UTC));
    /// let range = StatisticsRange::new(Some(from), None, Interval::Day, now).expect("two days");
    /// assert_eq!(range.from(), datetime!(2026-01-30 0:00 UTC));
    /// assert_eq!(range.to(), datetime!(2026-02-01 0:00 UTC));
    /// ```
    ///
    /// # Errors
    ///
    /// [`RangeError`] when the first is not before the second, is in the future, or is longer ago
    /// than [`Interval::max_days`].
    pub fn new(
        from: Option<OffsetDateTime>,
        to: Option<OffsetDateTime>,
        interval: Interval,
        now: OffsetDateTime,
    ) -> Result<Self, RangeError> {
        let fault = |fault| RangeError {
            name: "from",
            fault,
        };
        if from.is_some_and(|from| from > now) {
            return Err(fault(RangeFault::Future));
        }
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Err(fault(RangeFault::Reversed));
        }
        let days = interval.max_days();
        let end = to.map_or(now, |to| to.min(now));
        if from.is_some_and(|from| end - from > Duration::days(days)) {
            return Err(fault(RangeFault::TooLong(days)));
        }
        let present = interval.point_of(now) + 1;
        // Nothing was counted before 1970, and times before the year 0 cannot be written.
        let behind = to.map_or(present, |to| interval.point_from(to).clamp(1, present));
        let first = from.map_or(behind - interval.default_points(), |from| {
            interval.point_of(from)
        });
        let first = first.clamp(0, behind - 1);
        Ok(Self {
            interval,
            first,
            behind,
        })
    }

    /// How much time one of its points covers.
    #[must_use]
    pub const fn interval(&self) -> Interval {
        self.interval
    }

    /// When its first point begins.
    #[must_use]
    pub fn from(&self) -> OffsetDateTime {
        self.interval.start_of(self.first)
    }

    /// When its last point ends.
    #[must_use]
    pub fn to(&self) -> OffsetDateTime {
        self.interval.start_of(self.behind)
    }

    /// The numbers of its points, in their order.
    #[must_use]
    pub const fn points(&self) -> std::ops::Range<i64> {
        self.first..self.behind
    }
}

/// The first day of which refusals are shown: the one of `since`, or a week ago without it.
///
/// # Errors
///
/// [`RangeError`] when it is in the future or more than [`MAX_REFUSAL_DAYS`] days ago.
pub fn refusals_since(
    since: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Result<Day, RangeError> {
    let today = Day::of(now);
    let Some(since) = since else {
        return Ok(today.before(DEFAULT_REFUSAL_DAYS - 1));
    };
    let fault = if since > now {
        RangeFault::Future
    } else if now - since > Duration::days(MAX_REFUSAL_DAYS) {
        RangeFault::TooLong(MAX_REFUSAL_DAYS)
    } else {
        return Ok(Day::of(since));
    };
    Err(RangeError {
        name: "since",
        fault,
    })
}
