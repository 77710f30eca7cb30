//! LiveKit's events: visitors join and leave, and removed rooms are created again.
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
    livekit::is_visitor,
    state::AppState,
    storage::{AudioEvent, WebhookEvent},
    visitors::refusals,
    web::{
        api::{self, ApiRouter, Credential},
        extract::read_body,
        problem::Problem,
    },
};
use widget_api::ProblemCode;
use widget_core::conversation::room::RoomEvent;

/// Bytes of an event at most; one with every field has a few KiB.
const BODY_LIMIT: usize = 256 * 1024;

pub(crate) fn router() -> ApiRouter<AppState> {
    ApiRouter::new().route(
        api::post(
            "/core/livekit/webhook",
            "receiveLivekitEvent",
            "Accepts an event of LiveKit",
        )
        .credential(Credential::LiveKitSignature)
        .body::<serde_json::Map<String, serde_json::Value>>()
        .answer_empty(200, "The event was accepted or ignored."),
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
    #[serde(default)]
    track: Option<Track>,
}

#[derive(Deserialize)]
struct Track {
    /// LiveKit's id of it; a microphone that comes back has another.
    #[serde(default)]
    sid: String,
    /// Missing when it is the first of the enumeration: `AUDIO`.
    #[serde(default, rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
    /// LiveKit's id of this life of the room; a room of the same name that comes later has another.
    #[serde(default)]
    sid: String,
}

#[derive(Deserialize)]
struct Participant {
    #[serde(default)]
    identity: String,
    /// `AGENT` for a worker; a person has none.
    #[serde(default)]
    kind: serde_json::Value,
    /// LiveKit's id of this stay; a visitor who joins again has another.
    #[serde(default)]
    sid: String,
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

    /// Whether the visitor's voice came or went; `None` when it did neither.
    fn of_audio(&self) -> Option<bool> {
        let track = self.track.as_ref()?;
        let is_audio = track.kind.is_empty() || track.kind == "AUDIO";
        if !is_audio || !self.is_of_visitor() {
            return None;
        }
        match self.kind.as_str() {
            "track_published" => Some(true),
            "track_unpublished" => Some(false),
            _ => None,
        }
    }

    /// Whether a worker has joined.
    fn is_of_worker(&self) -> bool {
        let participant = self.participant.as_ref();
        self.kind == "participant_joined"
            && participant.is_some_and(|participant| participant.kind == "AGENT")
    }

    fn is_of_visitor(&self) -> bool {
        self.participant
            .as_ref()
            .is_some_and(|participant| is_visitor(&participant.identity))
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
    apply(&state, &event, &event_id(&event, &body)).await?;
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
    if !event.id.is_empty() && is_generated(&event.id) {
        return event.id.clone();
    }
    format!("{:x}", Sha256::digest(body))
}

/// Whether LiveKit or this service may have made the name: both write printable ASCII, and a
/// database need not accept anything else.
fn is_generated(name: &str) -> bool {
    name.len() <= 128 && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The visitor's voice may be in a room only while minutes are reserved for it, where they are
/// limited.
async fn apply_audio(
    state: &AppState,
    event: &Event,
    is_published: bool,
    id: &str,
) -> Result<(), Problem> {
    let room = event.room.as_ref().map_or("", |room| room.name.as_str());
    let track = event.track.as_ref().map_or("", |track| track.sid.as_str());
    if ![room, track].into_iter().all(is_generated) {
        return Ok(());
    }
    let event = AudioEvent {
        id,
        room,
        track: Some(track).filter(|sid| !sid.is_empty()),
        is_published,
    };
    let operator = &state.settings.limits.budgets;
    if state
        .storage
        .apply_audio_event(&event, operator, state.now())
        .await?
    {
        tracing::info!(
            event.id = id,
            "a visitor speaks without reserved minutes; removing the room"
        );
        state.room_cleaner.wake();
    }
    Ok(())
}

async fn apply(state: &AppState, event: &Event, id: &str) -> Result<(), Problem> {
    if let Some(is_published) = event.of_audio() {
        return apply_audio(state, event, is_published, id).await;
    }
    let (Some(happened), Some(named)) = (event.of_room(), &event.room) else {
        return Ok(());
    };
    let stay = event.participant.as_ref();
    let stay = stay.map_or("", |participant| participant.sid.as_str());
    if ![named.name.as_str(), named.sid.as_str(), stay]
        .into_iter()
        .all(is_generated)
    {
        // Of a room that is not this service's.
        return Ok(());
    }
    let is_of_worker = event.is_of_worker();
    let event = WebhookEvent {
        id,
        room: &named.name,
        happened,
        room_life: Some(named.sid.as_str()).filter(|sid| !sid.is_empty()),
        stay: Some(stay).filter(|sid| !sid.is_empty()),
    };
    let (now, limits) = (state.now(), &state.lifecycle_limits);
    let storage = &state.storage;
    if is_of_worker {
        storage.note_worker(event.room, now).await?;
    }
    if storage.apply_webhook_event(&event, now, limits).await? {
        tracing::info!(
            event.id = id,
            "somebody is in a room that is not live; removing it"
        );
        state.room_cleaner.wake();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What LiveKit 1.13.5 sent about a call between Chromium and the example's agent, without the
    /// password of its relay and the list of codecs.
    const RECORDED: &str = include_str!("../../../../fixtures/livekit/events.jsonl");

    #[test]
    fn what_livekit_sends_is_understood() {
        use RoomEvent::{Finished, OtherJoined, Started, VisitorJoined, VisitorLeft};
        let read = RECORDED.lines().map(|line| {
            let event: Event = serde_json::from_str(line).expect("an event");
            assert!(is_generated(&event.id), "{line}");
            (event.of_room(), event.of_audio(), event.is_of_worker())
        });
        assert_eq!(
            read.collect::<Vec<_>>(),
            [
                (Some(Started), None, false),
                (Some(VisitorJoined), None, false),
                (Some(OtherJoined), None, true),
                // The agent's voice, and then the visitor's.
                (None, None, false),
                (None, Some(true), false),
                (None, Some(false), false),
                (Some(VisitorLeft), None, false),
                (None, None, false),
                (None, None, false),
                (Some(Finished), None, false),
            ]
        );
    }
}
