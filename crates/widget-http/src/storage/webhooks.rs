//! Events of LiveKit about rooms.

use time::OffsetDateTime;
use widget_core::conversation::{LifecycleLimits, room::RoomEvent};

use super::error::StoreError;

/// An event of LiveKit about a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookEvent<'a> {
    /// LiveKit's id of the event.
    pub id: &'a str,
    /// The name of the room.
    pub room: &'a str,
    /// What happened.
    pub happened: RoomEvent,
    /// LiveKit's id of the life of the room in which it happened.
    pub room_life: Option<&'a str>,
    /// LiveKit's id of the stay of the participant.
    pub stay: Option<&'a str>,
}

impl WebhookEvent<'_> {
    /// What ended by the event.
    pub(super) fn ended(&self) -> Option<&str> {
        match self.happened {
            RoomEvent::VisitorLeft => self.stay,
            RoomEvent::Finished => self.room_life,
            RoomEvent::Started | RoomEvent::VisitorJoined | RoomEvent::OtherJoined => None,
        }
    }
}

/// Events of LiveKit.
#[async_trait::async_trait]
pub trait WebhookStore {
    /// Applies an event of LiveKit once, whenever and how often it comes: the note that it came and
    /// its effect are written together, or nothing is. Returns whether the room was marked for
    /// removal; for a room of another service, and for a conversation that cannot be read, nothing
    /// is written.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn apply_webhook_event(
        &self,
        event: &WebhookEvent<'_>,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<bool, StoreError>;
}
