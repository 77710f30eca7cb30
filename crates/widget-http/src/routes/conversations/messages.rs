//! The transcript: the agent's worker reads what was said before and appends turns.

use axum::{Json, extract::State};
use widget_api::{
    ProblemCode, Scope,
    conversations::{self as api_bodies, Appended, NewMessage, NewMessages, Transcript},
};
use widget_core::{
    conversation::{
        Reporter,
        transcript::{self, Message},
        turns::{self, ReportLimits, Turn},
    },
    finding::{Code, Finding},
    id::ConversationId,
};

use super::record::{custom_metadata, require_conversation};
use crate::{
    state::AppState,
    visitors::refusals,
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::{PathId, StrictJson},
        problem::Problem,
    },
};

/// What a worker may report at once.
const LIMITS: ReportLimits = ReportLimits::WORKER;

/// `/core/conversations/{id}/messages`.
pub(crate) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::get(
                "/core/conversations/{id}/messages",
                "getTranscript",
                "Reads what was said and what the visitor and the page sent",
            )
            .scope(Scope::ConversationsReadSensitive)
            .answer::<Transcript>(200, "The transcript.")
            .problems([ProblemCode::NotFound, ProblemCode::ConversationErased]),
            read,
        )
        .route(
            api::post(
                "/core/conversations/{id}/messages",
                "appendMessages",
                "Appends turns; one that is known by its id is not added again",
            )
            .scope(Scope::ConversationsWrite)
            .body::<NewMessages>()
            .answer::<Appended>(200, "How many were new.")
            .problems([
                ProblemCode::NotFound,
                ProblemCode::ConversationErased,
                ProblemCode::TranscriptFull,
            ]),
            append,
        )
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<ConversationId>,
) -> Result<Json<Transcript>, Problem> {
    let conversation = require_conversation(&state, &caller, id).await?;
    let room = state.storage.find_newest_room(id).await?;
    let messages = state.storage.list_messages(id).await?;
    let lifecycle = conversation
        .lifecycle
        .expire(state.now(), &state.lifecycle_limits);
    Ok(Json(Transcript {
        page_changed: room.as_ref().is_some_and(|room| room.page_changed),
        message_waiting: room.as_ref().is_some_and(|room| room.message_waiting),
        room_name: room.map(|room| room.name),
        status: lifecycle.status(),
        is_open: lifecycle.is_open(),
        custom_metadata: custom_metadata(&conversation)?,
        messages: transcript::merge_for_worker(messages)
            .into_iter()
            .map(api_bodies::Message::from)
            .collect(),
    }))
}

async fn append(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<ConversationId>,
    StrictJson(body): StrictJson<NewMessages>,
) -> Result<Json<Appended>, Problem> {
    let conversation = require_conversation(&state, &caller, id).await?;
    let now = state.now();
    let messages: Vec<Message> = requests(body)?
        .into_iter()
        .map(|message| Message {
            id: message.id,
            role: message.role,
            text: message.text,
            created_at: turns::said_at(
                Reporter::Agent,
                message.created_at.map(Into::into),
                conversation.created_at,
                now,
            ),
            reported_by: Reporter::Agent,
        })
        .collect();
    let added = state
        .storage
        .append_messages(id, &messages, now, &state.lifecycle_limits)
        .await?;
    Ok(Json(Appended { added }))
}

fn build_turn(message: &NewMessage) -> Turn<'_> {
    Turn {
        id: &message.id,
        text: &message.text,
        said_at: message.created_at.map(Into::into),
    }
}

/// The messages of a body, each within its bounds; all faults are reported at once.
fn requests(body: NewMessages) -> Result<Vec<NewMessage>, Problem> {
    match body {
        NewMessages {
            messages: Some(messages),
            id: None,
            role: None,
            text: None,
            created_at: None,
        } => {
            let turns: Vec<Turn<'_>> = messages.iter().map(build_turn).collect();
            LIMITS
                .check(&turns, "/messages")
                .map_err(refusals::turns_invalid)?;
            Ok(messages)
        }
        NewMessages {
            messages: None,
            id: Some(id),
            role: Some(role),
            text: Some(text),
            created_at,
        } => {
            let message = NewMessage {
                id,
                role,
                text,
                created_at,
            };
            LIMITS
                .check_turn(build_turn(&message), "")
                .map_err(refusals::turns_invalid)?;
            Ok(vec![message])
        }
        NewMessages { .. } => {
            let detail = "send either `messages` or one message with `id`, `role` and `text`";
            let fault = Finding::new(Code::ValueInvalid, detail);
            Err(refusals::turns_invalid(fault.into()))
        }
    }
}
