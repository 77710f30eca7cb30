//! The life of a conversation: which states there are, what leads from one to the next, and what
//! ends it by itself.
//!
//! The caller brings the time and stores the outcome; nothing here waits or remembers.
//! Terminal states never change.

use std::{fmt, str::FromStr};

use time::{Duration, OffsetDateTime};

pub use crate::mode::Mode;

use crate::config::v1::ConfigV1;

/// The four states as stored and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// The visitor has a token; nobody has joined yet.
    TokenCreated,
    /// The visitor has joined; it stays so while they are away and may come back.
    InProgress,
    /// Ended.
    Completed,
    /// Nobody ever joined.
    Failed,
}

/// A text is not a status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a status of a conversation; it is `token_created`, `in_progress`, `completed` or `failed`"
)]
pub struct StatusError(String);

impl Status {
    /// All states, in the order of life.
    pub const ALL: [Self; 4] = [
        Self::TokenCreated,
        Self::InProgress,
        Self::Completed,
        Self::Failed,
    ];

    /// The state in snake case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TokenCreated => "token_created",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing can follow.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Status {
    type Err = StatusError;

    fn from_str(text: &str) -> Result<Self, StatusError> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| StatusError(text.to_owned()))
    }
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The person in front of the page.
    Visitor,
    /// The agent.
    Agent,
}

/// A text is not a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a role; it is `visitor` or `agent`")]
pub struct RoleError(String);

impl Role {
    /// Both roles.
    pub const ALL: [Self; 2] = [Self::Visitor, Self::Agent];

    /// The role in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Agent => "agent",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| RoleError(text.to_owned()))
    }
}

/// The widget does not offer this mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this widget does not offer `{0}`; leave `mode` out or use the other one")]
pub struct ModeDisabled(pub Mode);

impl ModeDisabled {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        "mode_disabled"
    }
}

/// The mode in which a conversation begins: the one asked for, or the widget's own.
///
/// # Errors
///
/// [`ModeDisabled`] when the one asked for is not offered.
pub fn choose_mode(config: &ConfigV1, requested: Option<Mode>) -> Result<Mode, ModeDisabled> {
    match requested {
        Some(mode) if config.is_enabled(mode) => Ok(mode),
        Some(mode) => Err(ModeDisabled(mode)),
        None => Ok(config.default_mode),
    }
}

/// The mode in which a conversation goes on: the one asked for, or the one before while it is
/// still offered.
///
/// # Errors
///
/// [`ModeDisabled`] when the one asked for is not offered.
pub fn choose_mode_again(
    config: &ConfigV1,
    requested: Option<Mode>,
    before: Mode,
) -> Result<Mode, ModeDisabled> {
    choose_mode(
        config,
        requested.or(Some(before).filter(|mode| config.is_enabled(*mode))),
    )
}

/// How long a conversation may last, wait and stay silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a visitor may take to join after a token was made; then it has failed.
    pub join_within: Duration,
    /// How long a visitor may be away and still come back.
    pub resume_within: Duration,
    /// How long a conversation may last, counted from the first join.
    pub max_length: Duration,
    /// How long nobody may say anything while the visitor is there.
    pub max_silence: Duration,
    /// How long after the end feedback is taken.
    pub feedback_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            join_within: Duration::minutes(10),
            resume_within: Duration::minutes(30),
            max_length: Duration::minutes(60),
            max_silence: Duration::minutes(10),
            feedback_within: Duration::hours(24),
        }
    }
}

/// What ended a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The visitor ended it.
    Visitor,
    /// The agent, or somebody with the right to, ended it.
    Agent,
    /// The visitor stayed away past the resume window.
    Idle,
    /// Nobody said anything for too long.
    Silence,
    /// It reached the maximum length.
    MaxLength,
    /// Nobody joined in time: the only one that leads to [`Status::Failed`].
    NeverJoined,
}

/// A text is not the reason of an end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a reason for the end of a conversation")]
pub struct EndReasonError(String);

impl EndReason {
    /// All reasons.
    pub const ALL: [Self; 6] = [
        Self::Visitor,
        Self::Agent,
        Self::Idle,
        Self::Silence,
        Self::MaxLength,
        Self::NeverJoined,
    ];

    /// The reason in snake case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Agent => "agent",
            Self::Idle => "idle",
            Self::Silence => "silence",
            Self::MaxLength => "max_length",
            Self::NeverJoined => "never_joined",
        }
    }

    /// The state to which it leads.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::NeverJoined => Status::Failed,
            _ => Status::Completed,
        }
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for EndReason {
    type Err = EndReasonError;

    fn from_str(text: &str) -> Result<Self, EndReasonError> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.as_str() == text)
            .ok_or_else(|| EndReasonError(text.to_owned()))
    }
}

/// Where a conversation stands, with what that state needs to know.
///
/// A storage row holds the same as four nullable columns: see [`Conversation::from_row`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waiting for the visitor to join.
    TokenCreated {
        /// When the newest token was made: at the start or at a resume.
        token_at: OffsetDateTime,
    },
    /// Joined at least once.
    InProgress {
        /// When the visitor first joined.
        joined_at: OffsetDateTime,
        /// When somebody last said something, joined or came back.
        active_at: OffsetDateTime,
        /// Since when the visitor is away; `None` while they are there.
        away_since: Option<OffsetDateTime>,
    },
    /// Over, as [`Status::Completed`] or [`Status::Failed`].
    Ended {
        /// When.
        at: OffsetDateTime,
        /// Why.
        reason: EndReason,
    },
}

/// A conversation's state; transitions consume it and give the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversation {
    state: State,
    feedback_at: Option<OffsetDateTime>,
}

/// It is over: there is nothing to come back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the conversation has ended; start a new one")]
pub struct ConversationEnded;

impl ConversationEnded {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        "conversation_ended"
    }
}

/// Why feedback is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FeedbackError {
    /// The widget asks for none.
    #[error("this widget takes no feedback")]
    Disabled,
    /// The conversation goes on.
    #[error("the conversation has not ended yet; end it first")]
    Active,
    /// There is one already.
    #[error("feedback was already given; it is taken once")]
    AlreadySubmitted,
    /// Too late.
    #[error("the conversation ended too long ago for feedback")]
    Closed,
}

impl FeedbackError {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Disabled => "feedback_disabled",
            Self::Active => "conversation_active",
            Self::AlreadySubmitted => "feedback_already_submitted",
            Self::Closed => "feedback_closed",
        }
    }
}

/// The columns of a stored conversation that decide its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversationRow {
    /// The state.
    pub status: Status,
    /// When the newest token was made: at the start or at a resume.
    pub token_at: OffsetDateTime,
    /// When the visitor first joined.
    pub joined_at: Option<OffsetDateTime>,
    /// When somebody last said something, joined or came back.
    pub active_at: Option<OffsetDateTime>,
    /// Since when the visitor is away.
    pub away_since: Option<OffsetDateTime>,
    /// When it ended.
    pub ended_at: Option<OffsetDateTime>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// When feedback was given.
    pub feedback_at: Option<OffsetDateTime>,
}

/// A stored row contradicts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a conversation that is `{status}` must have `{missing}`")]
pub struct RowError {
    /// The state of the row.
    pub status: Status,
    /// The column that is empty.
    pub missing: &'static str,
}

impl Conversation {
    /// A new conversation, whose first token was made now.
    #[must_use]
    pub const fn created(now: OffsetDateTime) -> Self {
        Self {
            state: State::TokenCreated { token_at: now },
            feedback_at: None,
        }
    }

    /// Reads the state from its columns; a column that the state does not need is ignored.
    ///
    /// # Errors
    ///
    /// [`RowError`] when a needed one is empty.
    pub fn from_row(row: ConversationRow) -> Result<Self, RowError> {
        let missing = |missing| RowError {
            status: row.status,
            missing,
        };
        let state = match row.status {
            Status::TokenCreated => State::TokenCreated {
                token_at: row.token_at,
            },
            Status::InProgress => {
                let joined_at = row.joined_at.ok_or(missing("joined_at"))?;
                State::InProgress {
                    joined_at,
                    active_at: row.active_at.unwrap_or(joined_at),
                    away_since: row.away_since,
                }
            }
            Status::Completed | Status::Failed => State::Ended {
                at: row.ended_at.ok_or(missing("ended_at"))?,
                reason: row
                    .end_reason
                    .filter(|reason| reason.status() == row.status)
                    .unwrap_or(match row.status {
                        Status::Failed => EndReason::NeverJoined,
                        _ => EndReason::Idle,
                    }),
            },
        };
        Ok(Self {
            state,
            feedback_at: row.feedback_at,
        })
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// The state as stored and shown.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self.state {
            State::TokenCreated { .. } => Status::TokenCreated,
            State::InProgress { .. } => Status::InProgress,
            State::Ended { reason, .. } => reason.status(),
        }
    }

    /// When feedback was given.
    #[must_use]
    pub const fn feedback_at(&self) -> Option<OffsetDateTime> {
        self.feedback_at
    }

    /// The visitor joined the newest room, or came back to it.
    #[must_use]
    pub fn joined(self, now: OffsetDateTime) -> Self {
        let state = match self.state {
            State::TokenCreated { .. } => State::InProgress {
                joined_at: now,
                active_at: now,
                away_since: None,
            },
            State::InProgress {
                joined_at,
                active_at,
                ..
            } => State::InProgress {
                joined_at,
                active_at: active_at.max(now),
                away_since: None,
            },
            ended @ State::Ended { .. } => ended,
        };
        Self { state, ..self }
    }

    /// Somebody said something at `at`, which is told at `now`.
    ///
    /// Words of the visitor show that they are there, should the event that tells of their joining
    /// have been lost. What was said before they left shows nothing: it may be told late.
    #[must_use]
    pub fn said(self, role: Role, at: OffsetDateTime, now: OffsetDateTime) -> Self {
        match (self.state, role) {
            (State::TokenCreated { .. }, Role::Visitor) => self.joined(now),
            (
                State::InProgress {
                    joined_at,
                    active_at,
                    away_since,
                },
                _,
            ) => Self {
                state: State::InProgress {
                    joined_at,
                    active_at: active_at.max(now),
                    away_since: away_since
                        .filter(|since| role == Role::Agent || at.min(now) <= *since),
                },
                ..self
            },
            (State::TokenCreated { .. } | State::Ended { .. }, _) => self,
        }
    }

    /// The visitor left the newest room; told again, the first time counts.
    #[must_use]
    pub fn left(self, now: OffsetDateTime) -> Self {
        match self.state {
            State::InProgress {
                joined_at,
                active_at,
                away_since: None,
            } => Self {
                state: State::InProgress {
                    joined_at,
                    active_at,
                    away_since: Some(now),
                },
                ..self
            },
            _ => self,
        }
    }

    /// The visitor asks to go on in a fresh room.
    ///
    /// The state is judged by the limits first, so that the answer is right even before somebody
    /// has stored the end. Until the visitor joins the fresh room they count as away from now on.
    ///
    /// # Errors
    ///
    /// [`ConversationEnded`] when it is over, or should be.
    pub fn resume(self, now: OffsetDateTime, limits: &Limits) -> Result<Self, ConversationEnded> {
        let state = match self.expire(now, limits).state {
            State::Ended { .. } => return Err(ConversationEnded),
            State::TokenCreated { .. } => State::TokenCreated { token_at: now },
            State::InProgress {
                joined_at,
                active_at,
                ..
            } => State::InProgress {
                joined_at,
                active_at: active_at.max(now),
                away_since: Some(now),
            },
        };
        Ok(Self { state, ..self })
    }

    /// Ends it, for the given reason; what has ended stays as it ended.
    #[must_use]
    pub fn end(self, now: OffsetDateTime, reason: EndReason) -> Self {
        match self.state {
            State::Ended { .. } => self,
            _ => Self {
                state: State::Ended { at: now, reason },
                ..self
            },
        }
    }

    /// When the limits end it if nothing else happens, and why; `None` once it has ended.
    #[must_use]
    pub fn ends_at(&self, limits: &Limits) -> Option<(OffsetDateTime, EndReason)> {
        match self.state {
            State::Ended { .. } => None,
            State::TokenCreated { token_at } => {
                Some((token_at + limits.join_within, EndReason::NeverJoined))
            }
            State::InProgress {
                joined_at,
                active_at,
                away_since,
            } => {
                let longest = (joined_at + limits.max_length, EndReason::MaxLength);
                let quiet = match away_since {
                    Some(since) => (since + limits.resume_within, EndReason::Idle),
                    None => (active_at + limits.max_silence, EndReason::Silence),
                };
                Some(if quiet.0 < longest.0 { quiet } else { longest })
            }
        }
    }

    /// Ends it if a limit was reached by now; the end is dated to the limit, not to the look.
    #[must_use]
    pub fn expire(self, now: OffsetDateTime, limits: &Limits) -> Self {
        match self.ends_at(limits) {
            Some((at, reason)) if at <= now => self.end(at, reason),
            _ => self,
        }
    }

    /// Whether something can still be said or handed in.
    ///
    /// # Errors
    ///
    /// [`ConversationEnded`] when it is over, or should be by the limits.
    pub fn require_open(
        &self,
        now: OffsetDateTime,
        limits: &Limits,
    ) -> Result<(), ConversationEnded> {
        match self.expire(now, limits).state {
            State::Ended { .. } => Err(ConversationEnded),
            State::TokenCreated { .. } | State::InProgress { .. } => Ok(()),
        }
    }

    /// Takes the visitor's feedback.
    ///
    /// # Errors
    ///
    /// [`FeedbackError`] when the widget asks for none (`enabled`), while the conversation goes
    /// on, when there is one already, or when it comes too late.
    pub fn submit_feedback(
        self,
        enabled: bool,
        now: OffsetDateTime,
        limits: &Limits,
    ) -> Result<Self, FeedbackError> {
        if !enabled {
            return Err(FeedbackError::Disabled);
        }
        let judged = self.expire(now, limits);
        let State::Ended { at, .. } = judged.state else {
            return Err(FeedbackError::Active);
        };
        if judged.feedback_at.is_some() {
            return Err(FeedbackError::AlreadySubmitted);
        }
        if now > at + limits.feedback_within {
            return Err(FeedbackError::Closed);
        }
        Ok(Self {
            feedback_at: Some(now),
            ..judged
        })
    }
}
