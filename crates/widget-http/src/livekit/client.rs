//! One LiveKit deployment: its addresses, its key and its client.

use std::time::Duration;

use livekit_api::services::room::RoomClient;
use secrecy::ExposeSecret;

use super::{health::Health, meters::LiveKitMeters, tokens::ParticipantTokens};
use crate::settings::{LiveKitPublicUrl, LiveKitSettings};

/// How long one call to LiveKit may take before it counts as failed; it is retried later.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// A LiveKit deployment, with the key that it shares with this service.
#[derive(Debug)]
pub struct LiveKit {
    pub(super) tokens: ParticipantTokens,
    pub(super) rooms: RoomClient,
    public_url: LiveKitPublicUrl,
    pub(super) health: Health,
    pub(super) meters: LiveKitMeters,
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
            health: Health::new(&settings.url, CALL_TIMEOUT),
            meters: LiveKitMeters::default(),
            rooms: rooms.with_request_timeout(CALL_TIMEOUT),
            public_url: settings.public_url.clone(),
        }
    }

    /// How it has answered.
    #[must_use]
    pub(crate) fn meters(&self) -> &LiveKitMeters {
        &self.meters
    }

    /// Where browsers reach it.
    #[must_use]
    pub const fn public_url(&self) -> &LiveKitPublicUrl {
        &self.public_url
    }

    /// Writes the tokens of visitors.
    #[must_use]
    pub fn tokens(&self) -> &ParticipantTokens {
        &self.tokens
    }
}
