//! What happens to a conversation after it started: it is joined and left, and it ends.

use time::OffsetDateTime;
use widget_core::{
    conversation::{Lifecycle, LifecycleLimits, Presence, Status},
    id::ConversationId,
};

use super::{
    conversations::ConversationRecord,
    error::StoreError,
    sweep::{SweepBatch, SweepPosition},
    unreadable::ListPosition,
};

/// A transition of core, applied to a conversation while nobody else can change it.
pub type Transition<'a> = &'a (dyn Fn(Lifecycle) -> Lifecycle + Send + Sync);

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

    /// Lists open conversations that are due at `now`, the earliest first, from a position on.
    ///
    /// The time is stored with each change, computed with the limits of that moment. Call
    /// [`Self::settle_conversation`] for each: it decides with the present limits. A conversation
    /// that was last changed under shorter limits is listed too early, one that was last changed
    /// under longer limits too late.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_due_conversations(
        &self,
        now: OffsetDateTime,
        position: &SweepPosition<ListPosition<ConversationId>>,
        limit: u32,
    ) -> Result<SweepBatch<ConversationId, ListPosition<ConversationId>>, StoreError>;

    /// How many open conversations have each status, without those of previews; one that none has
    /// may be missing.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn count_open_conversations(&self) -> Result<Vec<(Status, i64)>, StoreError>;

    /// Ends a conversation if the limits and the place of its visitor say so, else stores what is
    /// known now and the time at which the limits will end it; returns the conversation as it is
    /// now, nothing when there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn settle_conversation(
        &self,
        id: ConversationId,
        presence: Presence,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<Option<ConversationRecord>, StoreError>;
}
