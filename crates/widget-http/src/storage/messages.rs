//! Messages of conversations, as workers and windows report them.

use std::collections::HashMap;

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

/// What differs when something has happened in a conversation. It is compared and not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationMarks {
    pub(super) texts: [String; 2],
    pub(super) numbers: [i64; 7],
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

    /// At most `limit` messages of a conversation behind the one with the number `after`, in the
    /// order in which they were reported; in place of one that cannot be read stands nothing.
    ///
    /// Those of one conversation get their numbers one after the other, so that none appears later
    /// below one that was seen.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list_messages_after(
        &self,
        id: ConversationId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, Option<Message>)>, StoreError>;

    /// How the first message of the visitor begins, in at most so many characters: in each of these
    /// conversations that has one.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_first_words(
        &self,
        ids: &[ConversationId],
        characters: usize,
    ) -> Result<HashMap<ConversationId, String>, StoreError>;

    /// What shows that something has happened in a conversation, as cheap as one read.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_conversation_marks(
        &self,
        id: ConversationId,
    ) -> Result<Option<ConversationMarks>, StoreError>;
}
