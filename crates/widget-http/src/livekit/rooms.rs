//! The rooms of one LiveKit deployment: their names, and their removal.

use std::time::Duration;

use base64::{Engine, engine::general_purpose};
use livekit_api::services::{ServerError, ServerErrorCode, ServiceError};
use tokio::sync::Notify;

use super::LiveKit;
use crate::system::{RandomError, RandomSource};

/// How long one call to LiveKit may take before it counts as failed; it is retried later.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// LiveKit's name of a room: 128 random bits, so that nobody can guess one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomName(String);

impl RoomName {
    /// A name that no other room has.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn random(random: &dyn RandomSource) -> Result<Self, RandomError> {
        Ok(Self(format!("room_{}", random_text(random)?)))
    }

    /// The name as LiveKit writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

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

/// 128 random bits as text of 22 characters that is safe in URLs.
pub(super) fn random_text(random: &dyn RandomSource) -> Result<String, RandomError> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes)?;
    Ok(general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}
