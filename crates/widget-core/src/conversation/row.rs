//! The columns in which a [`Lifecycle`] is stored.

use time::OffsetDateTime;

use super::{
    lifecycle::{Activity, Lifecycle, State},
    names::{EndReason, Status},
};

/// A lifecycle as columns of a stored row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifecycleRow {
    /// The state.
    pub status: Status,
    /// When the newest token was made: at the start or at the last resume.
    pub token_at: OffsetDateTime,
    /// When the visitor first joined.
    pub joined_at: Option<OffsetDateTime>,
    /// When somebody last said something, joined or resumed.
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
pub struct LifecycleRowError {
    /// The state of the row.
    pub status: Status,
    /// The column that is empty.
    pub missing: &'static str,
}

impl Lifecycle {
    /// Reads the columns; those that the state does not need are ignored.
    ///
    /// # Errors
    ///
    /// [`LifecycleRowError`] when a column that the state needs is empty.
    pub fn from_row(row: LifecycleRow) -> Result<Self, LifecycleRowError> {
        let missing = |missing| LifecycleRowError {
            status: row.status,
            missing,
        };
        let activity = row.joined_at.map(|joined_at| Activity {
            joined_at,
            active_at: row.active_at.unwrap_or(joined_at),
        });
        let state = match row.status {
            Status::TokenCreated => State::TokenCreated,
            Status::InProgress => State::InProgress {
                activity: activity.ok_or(missing("joined_at"))?,
                away_since: row.away_since,
            },
            Status::Completed | Status::Failed => State::Ended {
                activity,
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
            token_at: row.token_at,
            state,
            feedback_at: row.feedback_at,
        })
    }

    /// The columns to store.
    #[must_use]
    pub fn to_row(&self) -> LifecycleRow {
        let activity = self.activity();
        LifecycleRow {
            status: self.status(),
            token_at: self.token_at,
            joined_at: activity.map(|activity| activity.joined_at),
            active_at: activity.map(|activity| activity.active_at),
            away_since: self.away_since(),
            ended_at: self.ended_at(),
            end_reason: self.end_reason(),
            feedback_at: self.feedback_at,
        }
    }
}
