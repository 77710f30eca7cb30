//! A call whose minutes are limited: they are reserved before they are used, a few at a time.
//!
//! Only what LiveKit says and the clock of the service move a call: a browser asks to begin one and
//! is not believed about anything else.

use time::{Duration, OffsetDateTime};

use crate::{
    choice::choices,
    conversation::lifecycle::{Lifecycle, State},
};

/// Minutes that a call reserves at once.
pub const RESERVED_MINUTES: u32 = 5;

pub(super) const SECONDS_PER_MINUTE: i64 = 60;

/// Seconds that a call reserves at once.
pub const RESERVED_SECONDS: i64 = RESERVED_MINUTES as i64 * SECONDS_PER_MINUTE;

/// How long before the end of what is reserved the call is looked at, to reserve more.
const LOOK_AHEAD: Duration = Duration::MINUTE;

/// How long a call may be without the visitor's voice before it is over: they change the
/// microphone, or the page.
const QUIET_FOR: Duration = Duration::MINUTE;

/// Whether the visitor's voice is in the newest room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audio {
    /// It is, muted or not.
    Published,
    /// It is not.
    Absent,
    /// Nobody answers.
    Unknown,
}

/// A call whose minutes are limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// The visitor has not joined the conversation yet: nothing is reserved.
    Waiting,
    /// It runs.
    Running {
        /// The end of what is reserved.
        until: OffsetDateTime,
        /// Since when the visitor's voice is gone, as far as events say so.
        quiet_since: Option<OffsetDateTime>,
    },
}

choices! {
    /// What a [`Call`] is, as it is stored.
    pub enum CallState {
        /// See [`Call::Waiting`].
        Waiting = "waiting",
        /// See [`Call::Running`].
        Running = "running",
    }
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallStep {
    /// It continues like this.
    Keep(Call),
    /// It begins to run at this time and needs its first minutes; without them the visitor's room
    /// is removed.
    Begin(OffsetDateTime),
    /// It needs the next minutes; [`Call::refused`] says what follows when there are none.
    Extend,
    /// It is over. Until this time it has used what was reserved, and nothing of it when it never
    /// ran.
    Settle(Option<OffsetDateTime>),
    /// Its minutes are used up: it is over, and the visitor's room is removed.
    Remove(OffsetDateTime),
}

impl Call {
    /// What it is, without its times.
    #[must_use]
    pub const fn state(self) -> CallState {
        match self {
            Self::Waiting => CallState::Waiting,
            Self::Running { .. } => CallState::Running,
        }
    }

    /// What is reserved from `now` on.
    #[must_use]
    pub fn running_from(now: OffsetDateTime) -> Self {
        Self::Running {
            until: now + Duration::seconds(RESERVED_SECONDS),
            quiet_since: None,
        }
    }

    /// A call of a conversation that begins now.
    #[must_use]
    pub fn reserved(lifecycle: &Lifecycle, now: OffsetDateTime) -> Self {
        if lifecycle.is_unjoined() {
            Self::Waiting
        } else {
            Self::running_from(now)
        }
    }

    /// What becomes of it by the state of its conversation.
    ///
    /// A call of a conversation that has ended is over since then, or since the visitor's voice was
    /// gone. A visitor who is away is not heard.
    #[must_use]
    pub fn follow(self, lifecycle: &Lifecycle) -> CallStep {
        match (self, lifecycle.state()) {
            (_, State::Ended { at, .. }) => CallStep::Settle(self.stopped_at(at)),
            (Self::Waiting, State::InProgress { activity, .. }) => {
                CallStep::Begin(activity.joined_at)
            }
            (Self::Running { until, quiet_since }, State::InProgress { away_since, .. }) => {
                CallStep::Keep(Self::Running {
                    until,
                    quiet_since: quiet_since.or(away_since),
                })
            }
            (_, State::TokenCreated) => CallStep::Keep(self),
        }
    }

    /// The call is given up now, as by a visitor who continues in writing.
    #[must_use]
    pub fn stop(self, now: OffsetDateTime) -> CallStep {
        CallStep::Settle(self.stopped_at(now))
    }

    /// The visitor's voice came or went, as LiveKit says.
    #[must_use]
    pub fn heard(self, is_published: bool, now: OffsetDateTime) -> Self {
        match self {
            Self::Waiting => self,
            Self::Running { until, quiet_since } => Self::Running {
                until,
                quiet_since: match quiet_since {
                    _ if is_published => None,
                    Some(since) => Some(since),
                    None => Some(now),
                },
            },
        }
    }

    /// What becomes of it when somebody looks at it. `is_limited`: whether its minutes still count.
    ///
    /// While LiveKit does not answer, a call whose voice is gone by the events is over, and any
    /// other one continues.
    #[must_use]
    pub fn check(self, audio: Audio, is_limited: bool, now: OffsetDateTime) -> CallStep {
        let Self::Running { until, quiet_since } = self else {
            return CallStep::Keep(self);
        };
        let quiet_since = match audio {
            Audio::Published => None,
            Audio::Absent => Some(quiet_since.unwrap_or(now)),
            Audio::Unknown => quiet_since,
        };
        let call = Self::Running { until, quiet_since };
        match quiet_since {
            Some(since) if now >= since + QUIET_FOR || now >= until => {
                CallStep::Settle(call.stopped_at(now))
            }
            Some(_) => CallStep::Keep(call),
            None if now < until - LOOK_AHEAD => CallStep::Keep(call),
            None if is_limited => CallStep::Extend,
            None if now < until => CallStep::Keep(call),
            None => CallStep::Settle(Some(until)),
        }
    }

    /// The call with the next minutes.
    #[must_use]
    pub fn extended(self) -> Self {
        match self {
            Self::Waiting => self,
            // Whoever looks at it found the visitor's voice, or nobody knows better.
            Self::Running { until, .. } => Self::running_from(until),
        }
    }

    /// What becomes of a call for which no more minutes are left: what is reserved remains.
    #[must_use]
    pub fn refused(self, now: OffsetDateTime) -> CallStep {
        match self {
            Self::Running { until, .. } if now >= until => CallStep::Remove(until),
            call => CallStep::Keep(call),
        }
    }

    /// When somebody has to look at it again; nothing before the visitor joins.
    #[must_use]
    pub fn check_at(self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let Self::Running { until, quiet_since } = self else {
            return None;
        };
        let ahead = until - LOOK_AHEAD;
        Some(match quiet_since {
            Some(since) => (since + QUIET_FOR).min(until),
            None if now < ahead => ahead,
            None => until,
        })
    }

    /// When it stopped, if that was at `at` or before.
    fn stopped_at(self, at: OffsetDateTime) -> Option<OffsetDateTime> {
        match self {
            Self::Waiting => None,
            Self::Running { quiet_since, .. } => {
                Some(quiet_since.map_or(at, |since| since.min(at)))
            }
        }
    }
}

/// How much of a reservation a call has used that stopped at `stopped_at`, in seconds, rounded up;
/// `starts_at` is `None` for one that never ran.
///
/// ```
/// use time::{Duration, macros::datetime};
/// use widget_core::conversation::budget::used_seconds;
///
/// let start = datetime!(2026-01-01 12:00 UTC);
/// let stop = |milliseconds| start + Duration::milliseconds(milliseconds);
/// let used = |milliseconds| used_seconds(Some(start), Some(stop(milliseconds)));
/// assert_eq!([used(-1), used(0), used(1), used(59_001), used(900_000)], [0, 0, 1, 60, 300]);
/// ```
#[must_use]
pub fn used_seconds(starts_at: Option<OffsetDateTime>, stopped_at: Option<OffsetDateTime>) -> i64 {
    let (Some(starts_at), Some(stopped_at)) = (starts_at, stopped_at) else {
        return 0;
    };
    let length = stopped_at - starts_at;
    let seconds = length.whole_seconds() + i64::from(length.subsec_nanoseconds() > 0);
    seconds.clamp(0, RESERVED_SECONDS)
}
