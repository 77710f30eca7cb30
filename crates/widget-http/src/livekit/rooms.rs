//! The removal of rooms from one LiveKit deployment.

use livekit_api::services::{ServerError, ServerErrorCode, ServiceError};
use tokio::sync::Notify;

use super::client::LiveKit;

impl LiveKit {
    /// Removes a room and everybody in it; a room that LiveKit does not know counts as removed.
    ///
    /// # Errors
    /// When LiveKit does not answer or reports an error; the caller retries later.
    pub async fn remove_room(&self, name: &str) -> Result<(), ServiceError> {
        match self.rooms.delete_room(name).await {
            Err(ServiceError::Twirp(ServerError::Twirp(error)))
                if error.code == ServerErrorCode::NOT_FOUND =>
            {
                Ok(())
            }
            answer => answer,
        }
    }
}

/// Wakes the background task that removes rooms, so that it need not wait for its next turn.
#[derive(Debug, Default)]
pub struct RoomCleaner(Notify);

impl RoomCleaner {
    /// Reports that storage has a room to remove.
    pub fn wake(&self) {
        self.0.notify_one();
    }

    /// Waits until [`RoomCleaner::wake`] is called, or returns at once if it was called before.
    pub async fn woken(&self) {
        self.0.notified().await;
    }
}
