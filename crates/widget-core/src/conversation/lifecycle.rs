//! The state machine. Terminal states never change.

use time::{Duration, OffsetDateTime};

use super::{
    limits::LifecycleLimits,
    names::{EndReason, Role, Status},
};

/// How long a conversation waits for an answer about its visitor; then the limits end it without.
pub(super) const ANSWER_WITHIN: Duration = Duration::minutes(5);

/// A conversation's state and its times; each event consumes it and returns the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifecycle {
    pub(super) token_at: OffsetDateTime,
    pub(super) state: State,
    pub(super) feedback_at: Option<OffsetDateTime>,
}

/// Where a conversation stands, with what that state needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waiting for the visitor to join.
    TokenCreated,
    /// Joined at least once.
    InProgress {
        /// Since the first join.
        activity: Activity,
        /// Since when the visitor is away; `None` while they are there.
        away_since: Option<OffsetDateTime>,
    },
    /// Over, as [`Status::Completed`] or [`Status::Failed`].
    Ended {
        /// What was there before the end; `None` when nobody joined.
        activity: Option<Activity>,
        /// When it ended.
        at: OffsetDateTime,
        /// Why it ended.
        reason: EndReason,
    },
}

/// When a conversation that was joined was first and last active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activity {
    /// When the visitor first joined.
    pub joined_at: OffsetDateTime,
    /// When somebody last said something, joined or resumed.
    pub active_at: OffsetDateTime,
}

impl Activity {
    /// Activity at `now`; late reports never move it back.
    fn at(self, now: OffsetDateTime) -> Self {
        Self {
            active_at: self.active_at.max(now),
            ..self
        }
    }
}

/// The conversation is over, so it cannot be resumed or added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the conversation has ended; start a new one")]
pub struct ConversationEnded;

/// Reading.
impl Lifecycle {
    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// The state as it is stored and shown.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self.state {
            State::TokenCreated => Status::TokenCreated,
            State::InProgress { .. } => Status::InProgress,
            State::Ended { reason, .. } => reason.status(),
        }
    }

    /// Whether it has not ended. What is over before that is stored is seen after [`Self::expire`].
    #[must_use]
    pub const fn is_open(&self) -> bool {
        !self.status().is_terminal()
    }

    /// Whether nobody has joined it, and somebody may: where it was started counts for as long.
    #[must_use]
    pub const fn is_unjoined(&self) -> bool {
        matches!(self.state, State::TokenCreated)
    }

    /// When the newest token was made: at the start or at the last resume.
    #[must_use]
    pub const fn token_at(&self) -> OffsetDateTime {
        self.token_at
    }

    /// When it was first and last active; `None` when nobody has joined.
    #[must_use]
    pub const fn activity(&self) -> Option<Activity> {
        match self.state {
            State::TokenCreated => None,
            State::InProgress { activity, .. } => Some(activity),
            State::Ended { activity, .. } => activity,
        }
    }

    /// Since when the visitor is away; `None` while they are there, and before and after.
    #[must_use]
    pub const fn away_since(&self) -> Option<OffsetDateTime> {
        match self.state {
            State::InProgress { away_since, .. } => away_since,
            State::TokenCreated | State::Ended { .. } => None,
        }
    }

    /// When it ended.
    #[must_use]
    pub const fn ended_at(&self) -> Option<OffsetDateTime> {
        match self.state {
            State::Ended { at, .. } => Some(at),
            State::TokenCreated | State::InProgress { .. } => None,
        }
    }

    /// Why it ended.
    #[must_use]
    pub const fn end_reason(&self) -> Option<EndReason> {
        match self.state {
            State::Ended { reason, .. } => Some(reason),
            State::TokenCreated | State::InProgress { .. } => None,
        }
    }

    /// When feedback was given.
    #[must_use]
    pub const fn feedback_at(&self) -> Option<OffsetDateTime> {
        self.feedback_at
    }
}

/// Events.
impl Lifecycle {
    /// A new conversation, whose first token was made now.
    #[must_use]
    pub const fn created(now: OffsetDateTime) -> Self {
        Self {
            token_at: now,
            state: State::TokenCreated,
            feedback_at: None,
        }
    }

    /// The visitor joined the newest room, or came back to it.
    #[must_use]
    pub fn joined(self, now: OffsetDateTime) -> Self {
        let state = match self.state {
            State::TokenCreated => State::InProgress {
                activity: Activity {
                    joined_at: now,
                    active_at: now,
                },
                away_since: None,
            },
            State::InProgress { activity, .. } => State::InProgress {
                activity: activity.at(now),
                away_since: None,
            },
            ended @ State::Ended { .. } => ended,
        };
        Self { state, ..self }
    }

    /// The budget of the day was used up when the visitor joined just now: it is over, as if they
    /// had not.
    #[must_use]
    pub fn refuse_join(self) -> Self {
        match self.state {
            State::InProgress { activity, .. } => Self {
                state: State::Ended {
                    activity: None,
                    at: activity.joined_at,
                    reason: EndReason::BudgetUsedUp,
                },
                ..self
            },
            State::TokenCreated | State::Ended { .. } => self,
        }
    }

    /// Somebody said something at `at`, which is reported at `now`.
    ///
    /// Words of the visitor show that they are there, in case the event of their joining was lost.
    /// Words from before they left do not: those may be reported late.
    #[must_use]
    pub fn said(self, role: Role, at: OffsetDateTime, now: OffsetDateTime) -> Self {
        match (self.state, role) {
            (State::TokenCreated, Role::Visitor) => self.joined(now),
            (
                State::InProgress {
                    activity,
                    away_since,
                },
                _,
            ) => Self {
                state: State::InProgress {
                    activity: activity.at(now),
                    away_since: away_since
                        .filter(|since| role == Role::Agent || at.min(now) <= *since),
                },
                ..self
            },
            (State::TokenCreated | State::Ended { .. }, _) => self,
        }
    }

    /// The visitor left the newest room; of several reports the first counts.
    #[must_use]
    pub fn left(self, now: OffsetDateTime) -> Self {
        match self.state {
            State::InProgress {
                activity,
                away_since: None,
            } => Self {
                state: State::InProgress {
                    activity,
                    away_since: Some(now),
                },
                ..self
            },
            _ => self,
        }
    }

    /// The visitor asks to continue in a new room.
    ///
    /// It is refused as in [`Self::require_open`], also before somebody has stored the end. Until
    /// the visitor joins the new room they count as away, from now on. One that nobody has joined
    /// can be joined as long from now on as after its start.
    ///
    /// # Errors
    ///
    /// [`ConversationEnded`], see [`Self::require_open`].
    pub fn resume(
        self,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<Self, ConversationEnded> {
        self.require_open(now, limits)?;
        let state = match self.state {
            State::Ended { .. } => return Err(ConversationEnded),
            State::TokenCreated => State::TokenCreated,
            State::InProgress { activity, .. } => State::InProgress {
                activity: activity.at(now),
                away_since: Some(now),
            },
        };
        Ok(Self {
            token_at: now,
            state,
            ..self
        })
    }

    /// Ends it now for the given reason.
    ///
    /// One that is over already, see [`Self::expire`], has ended as it did.
    #[must_use]
    pub fn end(self, now: OffsetDateTime, reason: EndReason, limits: &LifecycleLimits) -> Self {
        self.expire(now, limits).ended(now, reason)
    }

    /// Ended at `at`, unless it has ended already.
    fn ended(self, at: OffsetDateTime, reason: EndReason) -> Self {
        match self.state {
            State::Ended { .. } => self,
            State::TokenCreated | State::InProgress { .. } => Self {
                state: State::Ended {
                    activity: self.activity(),
                    at,
                    reason,
                },
                ..self
            },
        }
    }
}

/// What ends it by itself.
impl Lifecycle {
    /// When the limits end it if nothing else happens, and why; `None` once it has ended.
    #[must_use]
    pub fn ends_at(&self, limits: &LifecycleLimits) -> Option<(OffsetDateTime, EndReason)> {
        match self.state {
            State::Ended { .. } => None,
            State::TokenCreated => {
                Some((self.token_at + limits.join_within, EndReason::NeverJoined))
            }
            State::InProgress {
                activity,
                away_since,
            } => {
                let longest = (activity.joined_at + limits.max_length, EndReason::MaxLength);
                let quiet = match away_since {
                    Some(since) => (since + limits.resume_within, EndReason::Idle),
                    None => (activity.active_at + limits.max_silence, EndReason::Silence),
                };
                Some(if quiet.0 < longest.0 { quiet } else { longest })
            }
        }
    }

    /// When somebody has to look at it again: the time of [`Self::ends_at`], to be stored with the
    /// state, so that what is due is found by that time alone.
    #[must_use]
    pub fn due_at(&self, limits: &LifecycleLimits) -> Option<OffsetDateTime> {
        self.ends_at(limits).map(|(at, _)| at)
    }

    /// Ends it if it is over wherever the visitor is: for an answer, before the end is stored.
    ///
    /// Only the maximum length is that sure. What another limit seems to have ended may continue,
    /// because the event of joining or leaving was lost: [`Self::settle`] ends it, with the answer
    /// to where the visitor is. It ends at the time of the limit, not at `now`.
    #[must_use]
    pub fn expire(self, now: OffsetDateTime, limits: &LifecycleLimits) -> Self {
        if self.is_at_max_length(now, limits) {
            self.end_by_limits(now, limits)
        } else {
            self
        }
    }

    /// Whether it has lasted as long as it may.
    pub(super) fn is_at_max_length(&self, now: OffsetDateTime, limits: &LifecycleLimits) -> bool {
        match self.state {
            State::InProgress { activity, .. } => activity.joined_at + limits.max_length <= now,
            State::TokenCreated | State::Ended { .. } => false,
        }
    }

    /// Ends it if a limit was reached by now and the events say all that happened.
    pub(super) fn end_by_limits(self, now: OffsetDateTime, limits: &LifecycleLimits) -> Self {
        match self.ends_at(limits) {
            Some((at, reason)) if at <= now => self.ended(at, reason),
            _ => self,
        }
    }

    /// Whether something can still be said or submitted: as long as the conversation may continue.
    ///
    /// # Errors
    ///
    /// [`ConversationEnded`] when it is over, or would be if nobody knew where the visitor is, see
    /// [`Self::settle`].
    pub fn require_open(
        &self,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<(), ConversationEnded> {
        if self.may_continue(now, limits) {
            Ok(())
        } else {
            Err(ConversationEnded)
        }
    }

    /// Whether it continues as long as nobody knows where the visitor is.
    pub(super) fn may_continue(&self, now: OffsetDateTime, limits: &LifecycleLimits) -> bool {
        match self.ends_at(limits).filter(|(at, _)| *at <= now) {
            None => self.is_open(),
            Some((at, _)) => !self.is_at_max_length(now, limits) && now < at + ANSWER_WITHIN,
        }
    }
}
