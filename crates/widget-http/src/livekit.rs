//! What this service asks of LiveKit: participant tokens, removal of rooms, and the proof that a
//! webhook is LiveKit's own.

use livekit_api::services::room::RoomClient;
use secrecy::ExposeSecret;
use widget_core::embed::LiveKitServer;

pub use self::{
    rooms::{RoomCleaner, RoomName},
    tokens::{MintError, PARTICIPANT_TOKEN_LIFETIME, ParticipantTokens},
};
use crate::settings::LiveKitSettings;

mod rooms;
mod tokens;
mod webhooks;

/// A LiveKit deployment, with the key that it shares with this service.
#[derive(Debug)]
pub struct LiveKit {
    tokens: ParticipantTokens,
    rooms: RoomClient,
    public_url: String,
    policy_source: Option<LiveKitServer>,
}

impl LiveKit {
    /// Prepares the clients; connects to nothing.
    #[must_use]
    pub fn new(settings: &LiveKitSettings) -> Self {
        let rooms = RoomClient::with_api_key(
            settings.url.as_str(),
            &settings.api_key,
            settings.api_secret.expose_secret(),
        );
        Self {
            tokens: ParticipantTokens {
                api_key: settings.api_key.clone(),
                api_secret: settings.api_secret.clone(),
            },
            rooms: rooms.with_request_timeout(rooms::CALL_TIMEOUT),
            public_url: settings
                .public_url
                .as_str()
                .trim_end_matches('/')
                .to_owned(),
            policy_source: LiveKitServer::parse(settings.public_url.as_str()).ok(),
        }
    }

    /// Where browsers reach it.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// The same as a source of the window's security policy.
    #[must_use]
    pub fn policy_source(&self) -> Option<&LiveKitServer> {
        self.policy_source.as_ref()
    }

    /// Writes the tokens of visitors.
    #[must_use]
    pub fn tokens(&self) -> &ParticipantTokens {
        &self.tokens
    }
}
