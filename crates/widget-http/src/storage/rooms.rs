//! Rooms of conversations, and their removal from LiveKit.

use time::OffsetDateTime;
use widget_core::id::ConversationId;

use super::{
    error::StoreError,
    sweep::{SweepBatch, SweepPosition},
    unreadable::ListPosition,
};

/// A room of a conversation. A damaged time of it is the nearest one that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// LiveKit's name of it.
    pub name: String,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// Which one of the conversation's rooms it is; the conversation's own generation is the
    /// newest.
    pub generation: i64,
    /// It was needed only because the visitor went to another page of the site.
    pub page_changed: bool,
    /// When it was made, a message of the visitor waited for the agent.
    pub message_waiting: bool,
    /// When its name was issued.
    pub created_at: OffsetDateTime,
    /// It is to be removed from LiveKit, next attempt not before this.
    pub removal_due_at: Option<OffsetDateTime>,
    /// Removals that failed.
    pub attempts: i64,
    /// When LiveKit last confirmed that it is gone.
    pub removed_at: Option<OffsetDateTime>,
}

impl Room {
    /// Whether it is removed, or is to be.
    #[must_use]
    pub const fn is_removed(&self) -> bool {
        self.removal_due_at.is_some() || self.removed_at.is_some()
    }
}

/// Name of a room to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRoom {
    /// LiveKit's name of it, which nobody can guess.
    pub name: String,
    /// It is needed only because the visitor went to another page of the site.
    pub page_changed: bool,
    /// A message of the visitor waits for the agent.
    pub message_waiting: bool,
}

/// Rooms that are known to the service.
#[async_trait::async_trait]
pub trait RoomStore {
    /// The newest room of a conversation.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_newest_room(&self, id: ConversationId) -> Result<Option<Room>, StoreError>;

    /// Rooms whose removal is due, most overdue first, from a position on.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_rooms_to_remove(
        &self,
        now: OffsetDateTime,
        position: &SweepPosition<ListPosition<String>>,
        limit: u32,
    ) -> Result<SweepBatch<Room, ListPosition<String>>, StoreError>;

    /// How many rooms are to be removed, due or not.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn count_rooms_to_remove(&self) -> Result<i64, StoreError>;

    /// Notes that LiveKit has removed a room, or does not know it.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn record_room_removal(&self, name: &str, now: OffsetDateTime) -> Result<(), StoreError>;

    /// Notes that a removal failed and when to try again.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn record_failed_room_removal(
        &self,
        name: &str,
        next_attempt_at: OffsetDateTime,
    ) -> Result<(), StoreError>;
}
