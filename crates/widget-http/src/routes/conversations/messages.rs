//! The transcript: the agent's worker reads what was said before and appends turns.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use widget_api::{FieldError, ProblemCode, Scope};
use widget_core::finding::Code;
use widget_core::{
    conversation::{
        Reporter, Role, Status,
        transcript::{self, Message},
    },
    id::ConversationId,
};

use super::find;
use crate::{
    state::AppState,
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::{Parsed, PathId, StrictJson},
        problem::Problem,
        wire::{self, Text, Timestamp, present},
    },
};

/// Messages in one request at most.
const MAXIMUM_BATCH: usize = 200;
/// Bytes of a message's text at most.
const MAXIMUM_TEXT: usize = 32 * 1024;
/// Characters of a message's id at most.
const MAXIMUM_ID: usize = 128;

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
    #[schemars(with = "Vec<MessageRequest>", length(max = MAXIMUM_BATCH))]
    messages: Option<Vec<MessageRequest>>,
    /// Names the message within its conversation.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "String", length(min = 1, max = MAXIMUM_ID))]
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
    #[schemars(length(min = 1, max = MAXIMUM_ID))]
    id: String,
    /// Who said it.
    role: Parsed<Role>,
    /// What was said.
    text: String,
    /// When it was said; now, when not told.
    created_at: Option<Timestamp>,
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
    find(&state, &caller, id).await?;
    let now = state.now();
    let messages: Vec<Message> = requests(body)?
        .into_iter()
        .map(|message| Message {
            id: message.id,
            role: message.role.0,
            text: message.text,
            created_at: message.created_at.map_or(now, |time| time.0),
            reported_by: Reporter::Agent,
        })
        .collect();
    let added = state
        .storage
        .append_messages(id, &messages, now, &state.visitor.conversation_limits)
        .await?;
    Ok(Json(Appended { added }))
}

/// The messages of a body, each within its bounds; every fault told at once.
fn requests(body: AppendRequest) -> Result<Vec<MessageRequest>, Problem> {
    let refused = || {
        Problem::new(
            ProblemCode::BodyInvalid,
            "the messages were not taken; see `errors`",
        )
    };
    let (messages, base) = match body {
        AppendRequest {
            messages: Some(messages),
            id: None,
            role: None,
            text: None,
            created_at: None,
        } => (messages, "/messages/"),
        AppendRequest {
            messages: None,
            id: Some(id),
            role: Some(role),
            text: Some(text),
            created_at,
        } => (
            vec![MessageRequest {
                id,
                role,
                text,
                created_at,
            }],
            "",
        ),
        AppendRequest { .. } => {
            let detail = "send either `messages` or one message with `id`, `role` and `text`";
            return Err(refused().with_error(FieldError::new("", Code::ValueInvalid, detail)));
        }
    };
    let mut faults = Vec::new();
    if messages.len() > MAXIMUM_BATCH {
        let detail = format!(
            "there are {} messages; send at most {MAXIMUM_BATCH} at once",
            messages.len()
        );
        faults.push(FieldError::new("/messages", Code::ValueInvalid, detail));
    }
    for (index, message) in messages.iter().enumerate() {
        let place = if base.is_empty() {
            String::new()
        } else {
            format!("{base}{index}")
        };
        let characters = message.id.chars().count();
        if !(1..=MAXIMUM_ID).contains(&characters) {
            let detail =
                format!("an id has 1 to {MAXIMUM_ID} characters; this one has {characters}");
            faults.push(FieldError::new(
                format!("{place}/id"),
                Code::ValueInvalid,
                detail,
            ));
        }
        if message.text.len() > MAXIMUM_TEXT {
            let detail = format!(
                "a text has at most {MAXIMUM_TEXT} bytes; this one has {}",
                message.text.len()
            );
            faults.push(FieldError::new(
                format!("{place}/text"),
                Code::ValueInvalid,
                detail,
            ));
        }
    }
    if faults.is_empty() {
        Ok(messages)
    } else {
        Err(faults.into_iter().fold(refused(), Problem::with_error))
    }
}
