//! Who is in a room: asked where an event of joining or leaving may have been lost.

use livekit_api::services::{ServerError, ServerErrorCode, ServiceError};
use livekit_protocol::{ParticipantInfo, TrackType, participant_info::State};
use widget_core::conversation::{Presence, budget::Audio};

use super::{client::LiveKit, meters::Call, tokens::is_visitor};

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
        let is_there = !self.list_visitors(room).await?.is_empty();
        Ok(if is_there {
            Presence::Present
        } else {
            Presence::Absent
        })
    }

    /// Whether the visitor's voice is in the room.
    ///
    /// # Errors
    /// When LiveKit does not answer or reports an error.
    pub(crate) async fn find_audio(&self, room: &str) -> Result<Audio, AskError> {
        let visitors = self.list_visitors(room).await?;
        let mut tracks = visitors.iter().flat_map(|visitor| &visitor.tracks);
        Ok(
            if tracks.any(|track| track.r#type == TrackType::Audio as i32) {
                Audio::Published
            } else {
                Audio::Absent
            },
        )
    }

    /// The visitors who are in the room.
    async fn list_visitors(&self, room: &str) -> Result<Vec<ParticipantInfo>, AskError> {
        let answer = self.rooms.list_participants(room);
        let mut people = match self.meters.measure(Call::ListParticipants, answer).await {
            Err(ServiceError::Twirp(ServerError::Twirp(error)))
                if error.code == ServerErrorCode::NOT_FOUND =>
            {
                Vec::new()
            }
            answer => answer?,
        };
        people.retain(|person| {
            is_visitor(&person.identity) && person.state != State::Disconnected as i32
        });
        Ok(people)
    }
}
