//! What happens to a conversation after it started: it is joined and left, and it ends.

use time::OffsetDateTime;
use widget_core::{
    conversation::{Lifecycle, LifecycleLimits},
    id::ConversationId,
};

use super::{conversations::ConversationRecord, error::StoreError};

/// A transition of core, applied to a conversation while nobody else can change it.
pub type Transition<'a> = &'a (dyn Fn(Lifecycle) -> Lifecycle + Send + Sync);

/// An open conversation with the time at which it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueConversation {
    /// When it ends by the limits that were set when it was last written, in microseconds since
    /// 1970.
    pub due_at: i64,
    /// Which one.
    pub id: ConversationId,
}

/// Changes of the state of conversations.
#[async_trait::async_trait]
pub trait LifecycleStore {
    /// Applies a transition of core and stores its outcome; returns the conversation as it is now,
    /// nothing when there is none. When it ends by this, its rooms are marked for removal with it.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn transition_conversation(
        &self,
        id: ConversationId,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
        transition: Transition<'_>,
    ) -> Result<Option<ConversationRecord>, StoreError>;

    /// Lists open conversations that are due at `now`, the earliest first; with `after`, those that
    /// follow it in this order.
    ///
    /// The time is stored with each change, computed with the limits of that moment. Call
    /// [`Self::expire_conversation`] for each: it decides with the present limits. A conversation
    /// that was last changed under shorter limits is listed too early, one that was last changed
    /// under longer limits too late.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_due_conversations(
        &self,
        now: OffsetDateTime,
        after: Option<DueConversation>,
        limit: u32,
    ) -> Result<Vec<DueConversation>, StoreError>;

    /// Ends a conversation if the limits say so, else stores the time at which they will; returns
    /// the conversation as it is now, nothing when there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn expire_conversation(
        &self,
        id: ConversationId,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<Option<ConversationRecord>, StoreError>;
}
