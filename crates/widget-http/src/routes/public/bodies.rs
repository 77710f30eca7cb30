//! Answers that several public routes give, and how a room is made ready for a visitor.

use serde::Serialize;
use time::OffsetDateTime;
use widget_core::{
    conversation::{
        Mode, Role, Status,
        transcript::{self, Message},
    },
    id::ConversationId,
    serve::{Dispatch, DispatchTarget},
};

use crate::{
    livekit::{LiveKit, RoomName},
    state::AppState,
    storage::ConversationRecord,
    visitors::{refusals, signing::ConversationToken},
    web::{
        problem::Problem,
        wire::{Text, Timestamp},
    },
};

/// A conversation as its own visitor sees it.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "VisitorConversation")]
pub(super) struct ConversationBody {
    /// Names the conversation.
    id: Text<ConversationId>,
    /// Where it stands.
    status: Text<Status>,
    /// Whether the visitor types or speaks.
    mode: Text<Mode>,
    /// When it was created.
    created_at: Timestamp,
    /// What was said so far, the oldest first.
    messages: Vec<MessageBody>,
}

/// A turn as the visitor sees it.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "VisitorMessage")]
pub(super) struct MessageBody {
    /// Names the message within its conversation.
    id: String,
    /// Who said it.
    role: Text<Role>,
    /// What was said.
    text: String,
    /// When it was said.
    created_at: Timestamp,
}

impl From<Message> for MessageBody {
    fn from(message: Message) -> Self {
        Self {
            id: message.id,
            role: Text(message.role),
            text: message.text,
            created_at: Timestamp(message.created_at),
        }
    }
}

impl ConversationBody {
    /// The state is judged by the limits, so that it is right even before somebody has stored the
    /// end.
    pub(super) fn new(
        state: &AppState,
        conversation: &ConversationRecord,
        messages: Vec<Message>,
    ) -> Self {
        let judged = conversation
            .lifecycle
            .expire(state.now(), &state.lifecycle_limits);
        Self {
            id: Text(conversation.id),
            status: Text(judged.status()),
            mode: Text(conversation.mode),
            created_at: Timestamp(conversation.created_at),
            messages: transcript::merge(messages)
                .into_iter()
                .map(MessageBody::from)
                .collect(),
        }
    }
}

/// Everything that a window needs to join: named as LiveKit's clients expect it of a token server.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "Joining")]
pub(super) struct JoinBody {
    /// The conversation with what was said so far.
    conversation: ConversationBody,
    /// Lets the window go on with this conversation; a resume replaces it.
    conversation_token: String,
    /// Where LiveKit is.
    server_url: String,
    /// Lets the visitor join the room.
    participant_token: String,
    /// The room; each resume has another one.
    room_name: String,
    /// The end of the conversation token's life.
    expires_at: Timestamp,
}

/// A room's name and the tokens for it, made before anything is written: what fails leaves nothing
/// behind.
pub(super) struct Invitation {
    pub(super) room: RoomName,
    participant_token: String,
    conversation_token: String,
    expires_at: OffsetDateTime,
}

impl Invitation {
    /// Makes ready for the generation of the conversation that is about to be written.
    pub(super) async fn new(
        state: &AppState,
        livekit: &LiveKit,
        dispatch: &Dispatch,
        generation: i64,
    ) -> Result<Self, Problem> {
        let random = state.random.as_ref();
        let room = RoomName::random(random)?;
        let participant_token = livekit
            .tokens()
            .mint(&room, dispatch, random, state.now())?;
        let claims = ConversationToken {
            conversation_id: dispatch.conversation_id(),
            generation,
        };
        let signed = state.signer.sign_conversation_token(claims).await;
        let (conversation_token, expires_at) = signed.map_err(refusals::token_refused)?;
        Ok(Self {
            room,
            participant_token,
            conversation_token,
            expires_at,
        })
    }

    /// The answer to the window.
    pub(super) fn into_body(self, livekit: &LiveKit, conversation: ConversationBody) -> JoinBody {
        JoinBody {
            conversation,
            conversation_token: self.conversation_token,
            server_url: livekit.public_url().to_owned(),
            participant_token: self.participant_token,
            room_name: self.room.as_str().to_owned(),
            expires_at: Timestamp(self.expires_at),
        }
    }
}

/// The conversation as an agent goes into it.
pub(super) fn target(conversation: &ConversationRecord) -> DispatchTarget<'_> {
    DispatchTarget {
        conversation_id: conversation.id,
        widget_id: conversation.web_widget_id,
        origin: &conversation.origin,
        agent_version_id: conversation.agent_version_id,
        agent_name: &conversation.livekit_agent_name,
        mode: conversation.mode,
    }
}

/// The LiveKit where conversations take place.
pub(super) fn livekit(state: &AppState) -> Result<&LiveKit, Problem> {
    state
        .livekit
        .as_ref()
        .ok_or_else(refusals::livekit_not_configured)
}
