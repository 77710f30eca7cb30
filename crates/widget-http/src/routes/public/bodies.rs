//! Answers of several public routes, and how a room is prepared for a visitor.

use time::OffsetDateTime;
use widget_api::visitors::{Joining, VisitorConversation, VisitorMessage};
use widget_core::{
    conversation::transcript::{self, Message},
    serve::{Dispatch, DispatchTarget},
};

use crate::{
    livekit::{LiveKit, RoomName},
    state::AppState,
    storage::ConversationRecord,
    visitors::refusals,
    web::problem::Problem,
};

/// The body for the visitor. The limits are applied to the state, so that it is right even before
/// the end has been stored.
pub(super) fn build_visitor_conversation(
    state: &AppState,
    conversation: &ConversationRecord,
    messages: Vec<Message>,
) -> VisitorConversation {
    let judged = conversation
        .lifecycle
        .expire(state.now(), &state.lifecycle_limits);
    VisitorConversation {
        id: conversation.id,
        status: judged.status(),
        is_open: judged.is_open(),
        mode: conversation.mode,
        created_at: conversation.created_at.into(),
        messages: transcript::merge(messages)
            .into_iter()
            .map(VisitorMessage::from)
            .collect(),
    }
}

/// A room's name and the tokens for it, made before anything is written, so that a failure leaves
/// nothing behind.
pub(super) struct PreparedRoom {
    pub(super) room: RoomName,
    participant_token: String,
    conversation_token: String,
    expires_at: OffsetDateTime,
}

impl PreparedRoom {
    /// Prepares the generation of the conversation that is about to be written.
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
        let signed = state
            .signer
            .sign_conversation_token(dispatch, generation)
            .await;
        let (conversation_token, expires_at) = signed.map_err(refusals::token_refused)?;
        Ok(Self {
            room,
            participant_token,
            conversation_token,
            expires_at,
        })
    }

    /// The answer to the window.
    pub(super) fn into_body(self, livekit: &LiveKit, conversation: VisitorConversation) -> Joining {
        Joining {
            conversation,
            conversation_token: self.conversation_token,
            server_url: livekit.public_url().address().to_owned(),
            participant_token: self.participant_token,
            room_name: self.room.as_str().to_owned(),
            expires_at: self.expires_at.into(),
        }
    }
}

/// The conversation as an agent joins it.
pub(super) fn build_target(conversation: &ConversationRecord) -> DispatchTarget<'_> {
    DispatchTarget {
        conversation_id: conversation.id,
        widget_id: conversation.web_widget_id,
        preview_id: conversation.preview_id,
        origin: &conversation.origin,
        agent_version_id: conversation.agent_version_id,
        agent_name: &conversation.livekit_agent_name,
        mode: conversation.mode,
    }
}

/// The LiveKit where conversations take place.
pub(super) fn require_livekit(state: &AppState) -> Result<&LiveKit, Problem> {
    state
        .livekit
        .as_ref()
        .ok_or_else(refusals::livekit_not_configured)
}
