//! What this service asks of LiveKit: tokens for visitors, removal of rooms, and the proof that a
//! webhook is its own.
//!
//! A visitor's token is the only thing needed to begin: joining with it creates the room and
//! dispatches the agent, so that starting a conversation never waits for LiveKit.

use std::time::Duration as StdDuration;

use base64::{Engine, engine::general_purpose};
use livekit_api::{
    access_token::{Claims, VideoGrants},
    services::{ServerError, ServerErrorCode, ServiceError, room::RoomClient},
};
use livekit_protocol::{RoomAgentDispatch, RoomConfiguration};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use time::{Duration, OffsetDateTime};
use widget_core::serve::Dispatch;

use crate::{
    settings::LiveKitSettings,
    system::{RandomError, RandomSource},
    web::{
        jwt::{self, Envelope, Untrusted},
        problem::Problem,
    },
};

/// How long a visitor may take to join: a page that has just asked needs seconds.
pub const PARTICIPANT_TOKEN_LIFETIME: Duration = Duration::seconds(120);

/// The visitor and the agent.
const MAX_PARTICIPANTS: u32 = 2;

/// How long LiveKit keeps a room that nobody is in, in seconds.
const EMPTY_TIMEOUT: u32 = 60;

/// How far LiveKit's clock may be from ours where a webhook's token is concerned.
const CLOCK_DIFFERENCE: Duration = Duration::seconds(60);

/// How long one call to LiveKit may take before it counts as failed; it is tried again later.
const CALL_TIMEOUT: StdDuration = StdDuration::from_secs(5);

/// LiveKit's name of a room: 128 random bits, so that nobody can guess one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomName(String);

impl RoomName {
    /// A name that was never given out.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn fresh(random: &dyn RandomSource) -> Result<Self, RandomError> {
        Ok(Self(format!("room_{}", random_text(random)?)))
    }

    /// The name as LiveKit gets it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the worker is sent into the room with; the worker asks the API for the rest.
#[derive(Serialize)]
struct DispatchMetadata<'a> {
    conversation_id: String,
    agent_version_id: String,
    mode: &'a str,
    resumed: bool,
}

/// A LiveKit deployment, with the key that it shares with this service.
#[derive(Debug)]
pub struct LiveKit {
    tokens: ParticipantTokens,
    rooms: RoomClient,
    public_url: String,
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
            rooms: rooms.with_request_timeout(CALL_TIMEOUT),
            public_url: settings
                .public_url
                .as_str()
                .trim_end_matches('/')
                .to_owned(),
        }
    }

    /// Where browsers reach it.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Writes the tokens of visitors.
    #[must_use]
    pub fn tokens(&self) -> &ParticipantTokens {
        &self.tokens
    }

    /// Removes a room and everybody in it; a room that LiveKit does not know is as good as removed.
    ///
    /// # Errors
    /// When LiveKit does not answer or refuses; then it is to be tried again.
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

    /// Verifies that a webhook with this `Authorization` field and body comes from LiveKit.
    ///
    /// # Errors
    /// [`Untrusted`] when it does not, or when its body was changed.
    pub(crate) fn verify_webhook(
        &self,
        token: &str,
        body: &[u8],
        now: OffsetDateTime,
    ) -> Result<(), Untrusted> {
        let ParticipantTokens {
            api_key,
            api_secret,
        } = &self.tokens;
        let claims: WebhookClaims =
            jwt::verify(token, None, None, api_secret.expose_secret().as_bytes())?;
        if claims.iss != *api_key {
            return Err(Untrusted::because("it was signed with another key"));
        }
        let seconds = |value| {
            OffsetDateTime::from_unix_timestamp(value).unwrap_or(OffsetDateTime::UNIX_EPOCH)
        };
        if now - CLOCK_DIFFERENCE >= seconds(claims.exp)
            || now + CLOCK_DIFFERENCE < seconds(claims.nbf)
        {
            return Err(Untrusted::because("it is not valid at this time"));
        }
        let told = general_purpose::STANDARD
            .decode(claims.sha256)
            .map_err(|_| Untrusted::because("it has no hash of the body"))?;
        let is_same: bool = Sha256::digest(body).as_slice().ct_eq(&told).into();
        if is_same {
            Ok(())
        } else {
            Err(Untrusted::because("it was made for another body"))
        }
    }
}

#[derive(Deserialize)]
struct WebhookClaims {
    iss: String,
    exp: i64,
    #[serde(default)]
    nbf: i64,
    sha256: String,
}

/// Writes the tokens with which visitors join LiveKit.
///
/// Every grant is named: the defaults of LiveKit's own builder are everything, for six hours.
pub struct ParticipantTokens {
    api_key: String,
    api_secret: SecretString,
}

impl std::fmt::Debug for ParticipantTokens {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ParticipantTokens")
            .field("api_key", &self.api_key)
            .finish_non_exhaustive()
    }
}

impl ParticipantTokens {
    /// A token for one visitor and one room, which does not exist yet.
    ///
    /// The dispatch proves that the widget serves the visitor's page at this moment:
    ///
    /// ```compile_fail,E0308
    /// # use widget_http::{livekit::{ParticipantTokens, RoomName}, system::RandomSource};
    /// # use widget_core::serve::Admission;
    /// # fn token(
    /// #     tokens: &ParticipantTokens,
    /// #     admission: &Admission<'_>,
    /// #     room: &RoomName,
    /// #     random: &dyn RandomSource,
    /// #     now: time::OffsetDateTime,
    /// # ) {
    /// // An admission names no conversation, so it lets nobody into a room.
    /// let token = tokens.mint(room, admission, random, now);
    /// # }
    /// ```
    ///
    /// # Errors
    /// When there is no randomness, or the token cannot be signed.
    pub fn mint(
        &self,
        room: &RoomName,
        dispatch: &Dispatch,
        random: &dyn RandomSource,
        now: OffsetDateTime,
    ) -> Result<String, MintError> {
        let claims = self.claims(room, dispatch, &random_text(random)?, now)?;
        let envelope = Envelope {
            key_id: None,
            token_type: "JWT",
        };
        Ok(jwt::sign(
            envelope,
            self.api_secret.expose_secret().as_bytes(),
            &claims,
        )?)
    }

    fn claims(
        &self,
        room: &RoomName,
        dispatch: &Dispatch,
        visitor: &str,
        now: OffsetDateTime,
    ) -> Result<Claims, MintError> {
        let seconds = |time: OffsetDateTime| usize::try_from(time.unix_timestamp()).unwrap_or(0);
        Ok(Claims {
            iss: self.api_key.clone(),
            sub: format!("guest_{visitor}"),
            nbf: seconds(now),
            exp: seconds(now + PARTICIPANT_TOKEN_LIFETIME),
            video: grants(room),
            room_config: Some(room_configuration(dispatch)?),
            ..Claims::default()
        })
    }
}

/// Exactly what a visitor may do: join this room, speak, write and listen.
fn grants(room: &RoomName) -> VideoGrants {
    VideoGrants {
        room_join: true,
        room: room.as_str().to_owned(),
        can_publish: Some(true),
        can_publish_sources: vec!["microphone".to_owned()],
        can_publish_data: Some(true),
        can_subscribe: Some(true),
        can_update_own_metadata: None,
        room_create: false,
        room_list: false,
        room_record: false,
        room_admin: false,
        destination_room: String::new(),
        ingress_admin: false,
        hidden: false,
        recorder: false,
        agent: false,
    }
}

/// How LiveKit sets up the room when the visitor's joining creates it.
fn room_configuration(dispatch: &Dispatch) -> Result<RoomConfiguration, MintError> {
    let metadata = DispatchMetadata {
        conversation_id: dispatch.conversation_id().to_string(),
        agent_version_id: dispatch.agent_version_id().to_string(),
        mode: dispatch.mode().as_str(),
        resumed: dispatch.resumed(),
    };
    Ok(RoomConfiguration {
        empty_timeout: EMPTY_TIMEOUT,
        max_participants: MAX_PARTICIPANTS,
        agents: vec![RoomAgentDispatch {
            agent_name: dispatch.agent_name().to_owned(),
            metadata: serde_json::to_string(&metadata)?,
            ..RoomAgentDispatch::default()
        }],
        ..RoomConfiguration::default()
    })
}

/// Why no token was written.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// There is no randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The metadata is no JSON.
    #[error("the metadata of the dispatch cannot be written: {0}")]
    Metadata(#[from] serde_json::Error),
    /// The signature failed.
    #[error("the participant token cannot be signed: {0}")]
    Signature(String),
}

impl From<Untrusted> for MintError {
    fn from(error: Untrusted) -> Self {
        Self::Signature(error.to_string())
    }
}

impl From<MintError> for Problem {
    fn from(error: MintError) -> Self {
        Self::internal(error)
    }
}

/// 128 random bits as text of 22 characters that is safe in addresses.
fn random_text(random: &dyn RandomSource) -> Result<String, RandomError> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes)?;
    Ok(general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}
