//! Messages of conversations, as workers and windows report them.

use time::OffsetDateTime;
use widget_core::{
    conversation::{LifecycleLimits, transcript::Message, turns::TranscriptFull},
    id::ConversationId,
};

use super::error::StoreError;

/// Why messages were not appended; none of them was.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// With them, the reporter's would be more than what is kept of one conversation.
    #[error(transparent)]
    Full(#[from] TranscriptFull),
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Messages of conversations.
#[async_trait::async_trait]
pub trait MessageStore {
    /// Appends the messages that their reporter has not reported yet (by id) in their order;
    /// returns how many were new. When the reporter's are too many with them, none is kept.
    ///
    /// # Errors
    /// [`AppendError`]
    async fn append_messages(
        &self,
        id: ConversationId,
        messages: &[Message],
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<u64, AppendError>;

    /// All messages of a conversation that can be read, in the order in which they were reported.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list_messages(&self, id: ConversationId) -> Result<Vec<Message>, StoreError>;
}
