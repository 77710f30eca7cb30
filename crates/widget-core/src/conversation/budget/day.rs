//! What an owner may use on one day, and what of it is used and reserved.

use time::{Duration, OffsetDateTime};

use super::voice::SECONDS_PER_MINUTE;
use crate::{
    choice::choices,
    conversation::lifecycle::{Lifecycle, State},
};

const SECONDS_PER_DAY: i64 = 86_400;

/// A day in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

impl Day {
    /// The day of a time.
    #[must_use]
    pub const fn of(time: OffsetDateTime) -> Self {
        Self(time.unix_timestamp().div_euclid(SECONDS_PER_DAY))
    }

    /// The day with this [number](Self::number).
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// Whole days since 1970, the form in which it is stored.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The day that is `days` before this one.
    #[must_use]
    pub const fn before(self, days: i64) -> Self {
        Self(self.0.saturating_sub(days))
    }

    /// Its first moment; 1970 for a day that is not a time.
    #[must_use]
    pub fn starts_at(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.0.saturating_mul(SECONDS_PER_DAY))
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// The first moment after it, when every budget of a day begins anew.
    #[must_use]
    pub fn ends_at(self) -> OffsetDateTime {
        Self(self.0.saturating_add(1)).starts_at()
    }
}

/// What an owner may use on one day; `None` for any amount.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DayBudget {
    /// Conversations.
    pub conversations: Option<u32>,
    /// Minutes of voice.
    pub voice_minutes: Option<u32>,
}

/// What of a budget is used up, and what is set aside for what is running.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DayUse {
    /// Settled.
    pub used: i64,
    /// Not settled yet: conversations that wait to be joined, seconds of running calls.
    pub reserved: i64,
}

/// Conversations.
impl DayUse {
    /// Whether another conversation may start: what waits to be joined keeps it from nothing.
    #[must_use]
    pub const fn may_start(self, max: i64) -> bool {
        self.used < max
    }

    /// A conversation that waits is joined; `None` when others have used up the budget.
    #[must_use]
    pub const fn join(self, max: i64) -> Option<Self> {
        if self.may_start(max) {
            Some(self.settle(1, 1))
        } else {
            None
        }
    }
}

impl DayUse {
    /// Sets `amount` aside; `None` when that is more than `max` leaves.
    #[must_use]
    pub const fn reserve(self, amount: i64, max: i64) -> Option<Self> {
        if self.used + self.reserved + amount > max {
            return None;
        }
        Some(Self {
            reserved: self.reserved + amount,
            ..self
        })
    }

    /// Of what was set aside, `used` was needed, and the rest is given back.
    #[must_use]
    pub const fn settle(self, reserved: i64, used: i64) -> Self {
        Self {
            used: self.used + used,
            reserved: self.reserved - reserved,
        }
    }
}

/// What of a day's budgets is needed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amounts {
    /// Conversations.
    pub conversations: i64,
    /// Seconds of voice.
    pub voice_seconds: i64,
}

impl Amounts {
    /// Those of them that a budget limits; the others are not counted.
    #[must_use]
    pub const fn limited_by(self, budget: DayBudget) -> Self {
        Self {
            conversations: if budget.conversations.is_some() {
                self.conversations
            } else {
                0
            },
            voice_seconds: if budget.voice_minutes.is_some() {
                self.voice_seconds
            } else {
                0
            },
        }
    }

    /// Whether nothing is needed.
    #[must_use]
    pub const fn is_nothing(self) -> bool {
        self.conversations == 0 && self.voice_seconds == 0
    }
}

impl DayBudget {
    /// The largest amounts that may be used and reserved together.
    #[must_use]
    pub fn max(self) -> Amounts {
        let any = |limit: Option<u32>| limit.map_or(i64::MAX, i64::from);
        Amounts {
            conversations: any(self.conversations),
            voice_seconds: any(self.voice_minutes).saturating_mul(SECONDS_PER_MINUTE),
        }
    }
}

choices! {
    /// What became of a conversation that counts on a day.
    pub enum Reservation {
        /// It waits for the visitor to join.
        Reserved = "reserved",
        /// The visitor joined: it counts for the day on which it began.
        Used = "used",
        /// It ended without anybody, or its visitor joined when the budget was used up: it does not
        /// count.
        Returned = "returned",
    }
}

impl Reservation {
    /// What becomes of it by the state of its conversation; it is settled once.
    #[must_use]
    pub const fn follow(self, lifecycle: &Lifecycle) -> Self {
        match (self, lifecycle.state()) {
            (Self::Reserved, State::InProgress { .. }) => Self::Used,
            (Self::Reserved, State::Ended { activity, .. }) => match activity {
                Some(_) => Self::Used,
                None => Self::Returned,
            },
            (other, _) => other,
        }
    }

    /// How many conversations of the budget it has used up.
    #[must_use]
    pub const fn used(self) -> i64 {
        match self {
            Self::Used => 1,
            Self::Reserved | Self::Returned => 0,
        }
    }
}

/// How long the day of `now` lasts.
pub(super) fn rest_of_day(now: OffsetDateTime) -> Duration {
    Day::of(now).ends_at() - now
}
