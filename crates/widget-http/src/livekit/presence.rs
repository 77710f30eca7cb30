//! Who is in a room: asked where an event of joining or leaving may have been lost.

use livekit_api::services::{ServerError, ServerErrorCode, ServiceError};
use livekit_protocol::participant_info::State;
use widget_core::conversation::Presence;

use super::{client::LiveKit, tokens::is_visitor};

/// LiveKit could not be asked.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct AskError(#[from] ServiceError);

impl LiveKit {
    /// Whether a visitor is in the room; nobody is in a room that LiveKit does not know.
    ///
    /// # Errors
    /// When LiveKit does not answer or reports an error.
    pub(crate) async fn find_visitor(&self, room: &str) -> Result<Presence, AskError> {
        let people = match self.rooms.list_participants(room).await {
            Err(ServiceError::Twirp(ServerError::Twirp(error)))
                if error.code == ServerErrorCode::NOT_FOUND =>
            {
                Vec::new()
            }
            answer => answer?,
        };
        let is_there = people.iter().any(|person| {
            is_visitor(&person.identity) && person.state != State::Disconnected as i32
        });
        Ok(if is_there {
            Presence::Present
        } else {
            Presence::Absent
        })
    }
}
