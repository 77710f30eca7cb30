//! Feedback: once, after the end, and not too late.

use time::OffsetDateTime;

use super::{lifecycle::Lifecycle, limits::LifecycleLimits};

/// Why feedback is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FeedbackError {
    /// The widget does not ask for feedback.
    #[error("this widget does not ask for feedback")]
    Disabled,
    /// The conversation has not ended.
    #[error("the conversation has not ended yet; end it first")]
    Active,
    /// There is feedback already.
    #[error("feedback was already given; it is accepted once")]
    AlreadySubmitted,
    /// Too late.
    #[error("the conversation ended too long ago for feedback")]
    Closed,
}

impl Lifecycle {
    /// Accepts the visitor's feedback; `enabled` says whether the widget asks for it.
    ///
    /// The conversation may be over before anybody has stored that, see [`Self::expire`].
    ///
    /// # Errors
    ///
    /// [`FeedbackError`] when the widget does not ask for it, while the conversation is open, when
    /// there is feedback already, or when it comes too late.
    pub fn submit_feedback(
        self,
        enabled: bool,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<Self, FeedbackError> {
        if !enabled {
            return Err(FeedbackError::Disabled);
        }
        let judged = self.expire(now, limits);
        let Some(ended_at) = judged.ended_at() else {
            return Err(FeedbackError::Active);
        };
        if judged.feedback_at.is_some() {
            return Err(FeedbackError::AlreadySubmitted);
        }
        if now > ended_at + limits.feedback_within {
            return Err(FeedbackError::Closed);
        }
        Ok(Self {
            feedback_at: Some(now),
            ..judged
        })
    }
}
