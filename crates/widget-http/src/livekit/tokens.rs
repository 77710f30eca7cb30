//! Participant tokens: what LiveKit accepts from a visitor. Joining with one creates the room and
//! dispatches the agent, so that starting a conversation never waits for LiveKit.

use livekit_api::access_token::{Claims, VideoGrants};
use livekit_protocol::{RoomAgentDispatch, RoomConfiguration};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use time::{Duration, OffsetDateTime};
use widget_core::serve::Dispatch;

use super::names::{RoomName, random_text};
use crate::{
    system::{RandomError, RandomSource},
    web::{
        jwt::{self, Envelope, Untrusted},
        problem::Problem,
    },
};

/// How long a visitor may take to join: the window joins right away, so this is network time only.
pub const PARTICIPANT_TOKEN_LIFETIME: Duration = Duration::seconds(120);

/// The start of every visitor's identity in a room; agents and recorders have others.
const VISITOR_PREFIX: &str = "guest_";

/// Whether a participant with this identity joined with a token of a visitor.
pub(crate) fn is_visitor(identity: &str) -> bool {
    identity.starts_with(VISITOR_PREFIX)
}

/// The visitor and the agent.
const MAX_PARTICIPANTS: u32 = 2;

/// How long LiveKit keeps an empty room, in seconds.
const EMPTY_TIMEOUT: u32 = 60;

/// What the worker gets with its job; it asks the API for the rest.
#[derive(Serialize)]
struct DispatchMetadata<'a> {
    conversation_id: String,
    agent_version_id: String,
    mode: &'a str,
    resumed: bool,
}

/// Writes the tokens with which visitors join LiveKit.
///
/// Every grant is set: by default LiveKit's own builder grants everything, for six hours.
pub struct ParticipantTokens {
    pub(super) api_key: String,
    pub(super) api_secret: SecretString,
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
        let identity = format!("{VISITOR_PREFIX}{}", random_text(random)?);
        let claims = Claims {
            room_config: Some(room_configuration(dispatch)?),
            ..self.claims(room, identity, now)
        };
        self.sign(&claims)
    }

    /// A token that LiveKit can validate, and with which nobody is meant to join.
    pub(super) fn mint_for_check(
        &self,
        room: &RoomName,
        now: OffsetDateTime,
    ) -> Result<String, MintError> {
        self.sign(&self.claims(room, "readiness-check".to_owned(), now))
    }

    fn sign(&self, claims: &Claims) -> Result<String, MintError> {
        let envelope = Envelope {
            key_id: None,
            token_type: "JWT",
        };
        let secret = self.api_secret.expose_secret().as_bytes();
        Ok(jwt::sign(envelope, secret, claims)?)
    }

    fn claims(&self, room: &RoomName, identity: String, now: OffsetDateTime) -> Claims {
        let seconds = |time: OffsetDateTime| usize::try_from(time.unix_timestamp()).unwrap_or(0);
        Claims {
            iss: self.api_key.clone(),
            sub: identity,
            nbf: seconds(now),
            exp: seconds(now + PARTICIPANT_TOKEN_LIFETIME),
            video: grants(room),
            ..Claims::default()
        }
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
    /// The metadata cannot be written as JSON.
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
