//! The transcript: the agent's worker reads what was said before and appends turns.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use widget_api::{ProblemCode, Scope};
use widget_core::{
    conversation::{
        Reporter, Role, Status,
        transcript::{self, Message},
        turns::{self, MAX_ID_CHARACTERS, ReportLimits, Turn},
    },
    finding::{Code, Finding},
    id::ConversationId,
};

use super::find;
use crate::{
    state::AppState,
    visitors::refusals,
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::{Parsed, PathId, StrictJson},
        problem::Problem,
        wire::{self, Text, Timestamp, present},
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
                "Reads what was said and what the visitor and the page told",
            )
            .scope(Scope::ConversationsReadSensitive)
            .answer::<Transcript>(200, "The transcript.")
            .problems([ProblemCode::NotFound]),
            read,
        )
        .route(
            api::post(
                "/core/conversations/{id}/messages",
                "appendMessages",
                "Appends turns; one that is known by its id is not added again",
            )
            .scope(Scope::ConversationsWrite)
            .body::<AppendRequest>()
            .answer::<Appended>(200, "How many were new.")
            .problems([ProblemCode::NotFound]),
            append,
        )
}

/// Either `messages`, or the members of one message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "NewMessages")]
struct AppendRequest {
    /// Several messages.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Vec<MessageRequest>", length(max = LIMITS.max_turns))]
    messages: Option<Vec<MessageRequest>>,
    /// Names the message within its conversation.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String", length(min = 1, max = MAX_ID_CHARACTERS))]
    id: Option<String>,
    /// Who said it.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Parsed<Role>")]
    role: Option<Parsed<Role>>,
    /// What was said.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String")]
    text: Option<String>,
    /// When it was said; now, when not told.
    created_at: Option<Timestamp>,
}

/// A turn to append.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "NewMessage")]
struct MessageRequest {
    /// Names the message within its conversation.
    #[schemars(length(min = 1, max = MAX_ID_CHARACTERS))]
    id: String,
    /// Who said it.
    role: Parsed<Role>,
    /// What was said.
    text: String,
    /// When it was said; now, when not told.
    created_at: Option<Timestamp>,
}

impl MessageRequest {
    fn turn(&self) -> Turn<'_> {
        Turn {
            id: &self.id,
            text: &self.text,
        }
    }
}

/// What was said so far.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Transcript")]
struct Transcript {
    /// Where the conversation stands.
    status: Text<Status>,
    /// What the visitor and the page told.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    custom_metadata: Box<RawValue>,
    /// The room where the conversation goes on; in any other an agent has nothing to do.
    room_name: Option<String>,
    /// The turns, the oldest first, each once: those of workers, and of the window those of the
    /// visitor that the workers left out.
    messages: Vec<MessageBody>,
}

/// One turn.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Message")]
struct MessageBody {
    /// Names the message within its conversation.
    id: String,
    /// Who said it.
    role: Text<Role>,
    /// What was said.
    text: String,
    /// When it was said.
    created_at: Timestamp,
    /// Who tells that it was said: a visitor may tell anything.
    reported_by: Text<Reporter>,
}

impl From<Message> for MessageBody {
    fn from(message: Message) -> Self {
        Self {
            id: message.id,
            role: Text(message.role),
            text: message.text,
            created_at: Timestamp(message.created_at),
            reported_by: Text(message.reported_by),
        }
    }
}

/// What appending changed.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Appended")]
struct Appended {
    /// How many messages were new.
    added: u64,
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<ConversationId>,
) -> Result<Json<Transcript>, Problem> {
    let conversation = find(&state, &caller, id).await?;
    let room = state.storage.find_newest_room(id).await?;
    let messages = state.storage.list_messages(id).await?;
    Ok(Json(Transcript {
        room_name: room.map(|room| room.name),
        status: Text(conversation.lifecycle.status()),
        custom_metadata: wire::raw("conversations", &id, conversation.custom_metadata)?,
        messages: transcript::merge_for_worker(messages)
            .into_iter()
            .map(MessageBody::from)
            .collect(),
    }))
}

async fn append(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<ConversationId>,
    StrictJson(body): StrictJson<AppendRequest>,
) -> Result<Json<Appended>, Problem> {
    let conversation = find(&state, &caller, id).await?;
    let now = state.now();
    let messages: Vec<Message> = requests(body)?
        .into_iter()
        .map(|message| Message {
            id: message.id,
            role: message.role.0,
            text: message.text,
            created_at: turns::said_at(
                Reporter::Agent,
                message.created_at.map(|time| time.0),
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

/// The messages of a body, each within its bounds; all faults are reported at once.
fn requests(body: AppendRequest) -> Result<Vec<MessageRequest>, Problem> {
    match body {
        AppendRequest {
            messages: Some(messages),
            id: None,
            role: None,
            text: None,
            created_at: None,
        } => {
            let turns: Vec<Turn<'_>> = messages.iter().map(MessageRequest::turn).collect();
            LIMITS
                .check(&turns, "/messages")
                .map_err(refusals::turns_invalid)?;
            Ok(messages)
        }
        AppendRequest {
            messages: None,
            id: Some(id),
            role: Some(role),
            text: Some(text),
            created_at,
        } => {
            let message = MessageRequest {
                id,
                role,
                text,
                created_at,
            };
            LIMITS
                .check_turn(message.turn(), "")
                .map_err(refusals::turns_invalid)?;
            Ok(vec![message])
        }
        AppendRequest { .. } => {
            let detail = "send either `messages` or one message with `id`, `role` and `text`";
            let fault = Finding::new(Code::ValueInvalid, detail);
            Err(refusals::turns_invalid(fault.into()))
        }
    }
}
