//! One LiveKit deployment: its addresses, its key and its client.

use std::time::Duration;

use livekit_api::services::room::RoomClient;
use secrecy::ExposeSecret;
use widget_core::embed::LiveKitServer;

use super::{health::Health, meters::LiveKitMeters, tokens::ParticipantTokens};
use crate::settings::LiveKitSettings;

/// How long one call to LiveKit may take before it counts as failed; it is retried later.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// A LiveKit deployment, with the key that it shares with this service.
#[derive(Debug)]
pub struct LiveKit {
    pub(super) tokens: ParticipantTokens,
    pub(super) rooms: RoomClient,
    public_url: String,
    policy_source: Option<LiveKitServer>,
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
            public_url: settings
                .public_url
                .as_str()
                .trim_end_matches('/')
                .to_owned(),
            policy_source: LiveKitServer::parse(settings.public_url.as_str()).ok(),
        }
    }

    /// How it has answered.
    #[must_use]
    pub(crate) fn meters(&self) -> &LiveKitMeters {
        &self.meters
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
