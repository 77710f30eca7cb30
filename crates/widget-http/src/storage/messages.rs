//! Messages of conversations, as workers and windows report them.

use time::OffsetDateTime;
use widget_core::{
    conversation::{LifecycleLimits, Reporter, transcript::Message},
    id::ConversationId,
};

use super::error::StoreError;

/// Messages of conversations.
#[async_trait::async_trait]
pub trait MessageStore {
    /// Appends the messages that this reporter has not reported yet (by id) in their order; returns
    /// how many were new.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn append_messages(
        &self,
        id: ConversationId,
        messages: &[Message],
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<u64, StoreError>;

    /// How many messages the reporter has reported, and how many characters of text.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn measure_messages(
        &self,
        id: ConversationId,
        reporter: Reporter,
    ) -> Result<(i64, i64), StoreError>;

    /// All messages of a conversation, in the order in which they were reported.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list_messages(&self, id: ConversationId) -> Result<Vec<Message>, StoreError>;
}
