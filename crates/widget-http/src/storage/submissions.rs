//! Forms and feedback that visitors send during or after a conversation.

use time::OffsetDateTime;
use widget_core::{
    conversation::{FeedbackError, LifecycleLimits, metadata::MetadataFull},
    id::ConversationId,
};

use super::error::StoreError;

/// Why feedback was not stored.
#[derive(Debug, thiserror::Error)]
pub enum SaveFeedbackError {
    /// The rules reject it.
    #[error(transparent)]
    Refused(#[from] FeedbackError),
    /// There is no such conversation.
    #[error("there is no such conversation")]
    Missing,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the values of a form were not stored.
#[derive(Debug, thiserror::Error)]
pub enum SaveFormError {
    /// The forms of the conversation are more than what is kept.
    #[error(transparent)]
    Full(#[from] MetadataFull),
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Values of forms in the custom metadata of conversations.
#[async_trait::async_trait]
pub trait SubmissionStore {
    /// Stores the values of a form at `forms.<form_id>` of the custom metadata, replacing those of
    /// an earlier submission; `false` when there is no such conversation or it is over, by the
    /// limits too.
    ///
    /// # Errors
    /// [`SaveFormError`]
    async fn save_form(
        &self,
        id: ConversationId,
        form_id: &str,
        values: &serde_json::Value,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<bool, SaveFormError>;

    /// Stores feedback at `feedback_form` of the custom metadata, if the rules allow it; `enabled`
    /// says whether the widget asks for any, and `rating` is the one among the values, which
    /// counts.
    ///
    /// # Errors
    /// [`SaveFeedbackError`]
    async fn save_feedback(
        &self,
        id: ConversationId,
        values: &serde_json::Value,
        enabled: bool,
        rating: Option<u8>,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<(), SaveFeedbackError>;
}
