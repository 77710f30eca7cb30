//! What LiveKit tells: visitors join and leave, and rooms come back that should be gone.
//!
//! Events come in any order, late, twice, or not at all. Only the newest room of a conversation
//! counts; every other room that shows signs of life is removed.

use axum::{
    body::Bytes,
    extract::{Request, State},
};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use crate::{
    state::AppState,
    storage::{ConversationRecord, Room},
    visitors::refusals,
    web::{
        api::{self, ApiRouter, Credential},
        extract::read_body,
        problem::Problem,
    },
};
use widget_api::ProblemCode;
use widget_core::conversation::{
    Lifecycle,
    room::{self, RoomAction, RoomEvent, RoomState},
};

/// Bytes of an event at most; one with every field has a few KiB.
const BODY_LIMIT: usize = 256 * 1024;

/// Start of every visitor's identity; agents and recorders have others.
const VISITOR_PREFIX: &str = "guest_";

pub(crate) fn router() -> ApiRouter<AppState> {
    ApiRouter::new().route(
        api::post(
            "/core/livekit/webhook",
            "receiveLivekitEvent",
            "Takes an event of LiveKit",
        )
        .credential(Credential::LiveKitSignature)
        .body::<serde_json::Map<String, serde_json::Value>>()
        .answer_empty(200, "It was taken, or it is of no concern."),
        receive,
    )
}

/// The few fields that matter; LiveKit adds others, and values of enumerations that are not known
/// here.
#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    id: String,
    #[serde(rename = "event")]
    kind: String,
    #[serde(default)]
    room: Option<Named>,
    #[serde(default)]
    participant: Option<Participant>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Participant {
    #[serde(default)]
    identity: String,
}

impl Event {
    /// What it means for a room; `None` when it means nothing.
    fn of_room(&self) -> Option<RoomEvent> {
        match (self.kind.as_str(), self.is_of_visitor()) {
            ("room_started", _) => Some(RoomEvent::Started),
            ("room_finished", _) => Some(RoomEvent::Finished),
            ("participant_joined", true) => Some(RoomEvent::VisitorJoined),
            ("participant_joined", false) => Some(RoomEvent::OtherJoined),
            ("participant_left", true) => Some(RoomEvent::VisitorLeft),
            _ => None,
        }
    }

    fn is_of_visitor(&self) -> bool {
        self.participant
            .as_ref()
            .is_some_and(|participant| participant.identity.starts_with(VISITOR_PREFIX))
    }
}

/// Never logs the body: LiveKit puts credentials of its relay into it.
async fn receive(State(state): State<AppState>, request: Request) -> Result<StatusCode, Problem> {
    let (parts, body) = request.into_parts();
    let body = read_body(body, BODY_LIMIT).await?;
    verify(&state, &parts.headers, &body)?;
    let event: Event = serde_json::from_slice(&body).map_err(|error| {
        let line = error.line();
        Problem::new(
            ProblemCode::JsonInvalid,
            format!("the event cannot be read at line {line}"),
        )
    })?;
    let id = event_id(&event, &body);
    if !state.storage.knows_webhook_event(&id).await? {
        // What an event changes is the same when it is done again, so that one of which the note is
        // lost does no harm.
        apply(&state, &event).await?;
        state.storage.record_webhook_event(&id, state.now()).await?;
    }
    Ok(StatusCode::OK)
}

fn verify(state: &AppState, headers: &HeaderMap, body: &Bytes) -> Result<(), Problem> {
    let livekit = state
        .livekit
        .as_ref()
        .ok_or_else(refusals::livekit_not_configured)?;
    let field = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let token = field.strip_prefix("Bearer ").unwrap_or(field);
    livekit
        .verify_webhook(token, body, state.now())
        .map_err(|error| {
            refusals::unauthorized(
                ProblemCode::WebhookSignatureInvalid,
                "the event is not signed by this service's LiveKit",
            )
            .with_cause(error)
        })
}

/// LiveKit names its events; without a name, the same bytes are the same event.
fn event_id(event: &Event, body: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    if (1..=128).contains(&event.id.len()) {
        return event.id.clone();
    }
    format!("{:x}", Sha256::digest(body))
}

async fn apply(state: &AppState, event: &Event) -> Result<(), Problem> {
    let (Some(happened), Some(named)) = (event.of_room(), &event.room) else {
        return Ok(());
    };
    let Some(room) = state.storage.find_room(&named.name).await? else {
        return Ok(());
    };
    let Some(conversation) = state
        .storage
        .find_conversation(room.conversation_id)
        .await?
    else {
        return Ok(());
    };
    let now = state.now();
    let (lifecycle, newest) = (&conversation.lifecycle, conversation.newest());
    let room_state = RoomState {
        is_newest: room::is_newest(lifecycle, newest, room.generation),
        is_removed: room.removal_due_at.is_some() || room.removed_at.is_some(),
    };
    match room::decide(happened, room_state) {
        RoomAction::Ignore => Ok(()),
        RoomAction::Remove => remove(state, &room, "an old room came back").await,
        RoomAction::JoinIfServed if is_served(state, &conversation).await? => {
            change(state, &conversation, &|lifecycle| lifecycle.joined(now)).await
        }
        RoomAction::JoinIfServed => {
            remove(
                state,
                &room,
                "the visitor joined after the widget was closed",
            )
            .await
        }
        RoomAction::Leave => change(state, &conversation, &|lifecycle| lifecycle.left(now)).await,
    }
}

async fn remove(state: &AppState, room: &Room, reason: &str) -> Result<(), Problem> {
    tracing::info!(conversation.id = %room.conversation_id, reason, "removing a room");
    state
        .storage
        .mark_room_for_removal(&room.name, state.now())
        .await?;
    state.room_cleaner.wake();
    Ok(())
}

async fn change(
    state: &AppState,
    conversation: &ConversationRecord,
    transition: &(dyn Fn(Lifecycle) -> Lifecycle + Send + Sync),
) -> Result<(), Problem> {
    let (now, limits) = (state.now(), &state.lifecycle_limits);
    state
        .storage
        .transition_conversation(conversation.id, now, limits, transition)
        .await?;
    Ok(())
}

/// Whether the widget still serves the page. It may have been closed on another node since this one
/// looked, or while the conversation was written; whoever closed it found no room to close.
async fn is_served(state: &AppState, conversation: &ConversationRecord) -> Result<bool, Problem> {
    let widget = state
        .storage
        .find_public_widget(conversation.web_widget_id)
        .await?;
    Ok(widget.is_some_and(|stored| stored.serves(&conversation.origin)))
}
