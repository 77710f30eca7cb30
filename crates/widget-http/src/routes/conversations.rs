//! Conversations for their owner and for the agent's worker.

use axum::{
    Json,
    extract::{RawQuery, State},
    response::IntoResponse,
};
use http::header;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use widget_api::{ProblemCode, Scope};
use widget_core::{
    conversation::{EndReason, Mode, Status},
    id::{AgentId, AgentVersionId, ConversationId, WidgetId},
};

use crate::{
    state::AppState,
    storage::{ConversationFilter, ConversationRecord, StoreError},
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::{Parsed, PathId, StrictQuery},
        paging,
        problem::Problem,
        wire::{self, Text, Timestamp},
    },
};

mod messages;

/// The channel of every conversation.
const CHANNEL: &str = "webrtc";

/// `/core/conversations` and what is below.
pub(crate) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::get(
                "/core/conversations",
                "listConversations",
                "Lists conversations, the newest first",
            )
            .scope(Scope::ConversationsRead)
            .query::<ListQuery>()
            .answer::<Vec<ConversationBody>>(
                200,
                "A page of conversations; the header `Link` names the next.",
            )
            .with(header::LINK),
            list,
        )
        .route(
            api::get(
                "/core/conversations/{id}",
                "getConversation",
                "Reads a conversation",
            )
            .scope(Scope::ConversationsRead)
            .answer::<ConversationBody>(200, "The conversation.")
            .problems([ProblemCode::NotFound]),
            read,
        )
        .route(
            api::post(
                "/core/conversations/{id}/end",
                "endConversation",
                "Ends a conversation for the agent; again changes nothing",
            )
            .scope(Scope::ConversationsWrite)
            .answer::<ConversationBody>(200, "The conversation.")
            .problems([ProblemCode::NotFound]),
            end,
        )
        .merge(messages::router())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[derive(schemars::JsonSchema)]
struct ListQuery {
    /// Conversations in an answer: 1 to 200, 50 when not told.
    #[schemars(range(min = 1, max = paging::MAXIMUM_LIMIT))]
    limit: Option<u32>,
    /// Where to go on, as the `Link` of the answer before says.
    cursor: Option<String>,
    /// Only those of this widget.
    web_widget_id: Option<Parsed<WidgetId>>,
    /// Only those with this agent.
    agent_id: Option<Parsed<AgentId>>,
    /// Only those with this version of an agent.
    agent_version_id: Option<Parsed<AgentVersionId>>,
    /// Only those in this state.
    status: Option<Parsed<Status>>,
    /// Only those that began after this time.
    created_after: Option<Timestamp>,
    /// Only those that began before this time.
    created_before: Option<Timestamp>,
}

/// A conversation of a visitor with an agent.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Conversation")]
struct ConversationBody {
    /// Names the conversation.
    id: Text<ConversationId>,
    /// Where it stands.
    status: Text<Status>,
    /// The widget that the visitor opened.
    web_widget_id: Text<WidgetId>,
    /// The agent.
    agent_id: Text<AgentId>,
    /// The version of the agent that was pinned at the start.
    agent_version_id: Text<AgentVersionId>,
    /// `webrtc`.
    channel: &'static str,
    /// Whether the visitor types or speaks.
    mode: Text<Mode>,
    /// When it was created.
    created_at: Timestamp,
    /// When the visitor first joined.
    joined_at: Option<Timestamp>,
    /// When something was last said.
    active_at: Option<Timestamp>,
    /// When it ended.
    ended_at: Option<Timestamp>,
    /// What ended it.
    end_reason: Option<Text<EndReason>>,
    /// What the visitor and the page told: only for those who may read what was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    custom_metadata: Option<Box<RawValue>>,
}

impl ConversationBody {
    fn new(conversation: ConversationRecord, caller: &Caller) -> Result<Self, StoreError> {
        let custom_metadata = caller
            .may(Scope::ConversationsReadSensitive)
            .then(|| {
                wire::raw(
                    "conversations",
                    &conversation.id,
                    conversation.custom_metadata,
                )
            })
            .transpose()?;
        let lifecycle = conversation.lifecycle;
        Ok(Self {
            id: Text(conversation.id),
            status: Text(lifecycle.status()),
            web_widget_id: Text(conversation.web_widget_id),
            agent_id: Text(conversation.agent_id),
            agent_version_id: Text(conversation.agent_version_id),
            channel: CHANNEL,
            mode: Text(conversation.mode),
            created_at: Timestamp(conversation.created_at),
            joined_at: lifecycle.activity().map(|at| Timestamp(at.joined_at)),
            active_at: lifecycle.activity().map(|at| Timestamp(at.active_at)),
            ended_at: lifecycle.ended_at().map(Timestamp),
            end_reason: lifecycle.end_reason().map(Text),
            custom_metadata,
        })
    }
}

async fn list(
    State(state): State<AppState>,
    caller: Caller,
    RawQuery(raw): RawQuery,
    StrictQuery(query): StrictQuery<ListQuery>,
) -> Result<impl IntoResponse, Problem> {
    let page = paging::page(query.limit, query.cursor.as_deref())?;
    let filter = ConversationFilter {
        web_widget_id: query.web_widget_id.map(|id| id.0),
        agent_id: query.agent_id.map(|id| id.0),
        agent_version_id: query.agent_version_id.map(|id| id.0),
        status: query.status.map(|status| status.0),
        created_after: query.created_after.map(|time| time.0),
        created_before: query.created_before.map(|time| time.0),
    };
    let organization = &caller.organization_id;
    let mut found = state
        .storage
        .list_conversations(organization, &filter, paging::with_lookahead(page))
        .await?;
    let url = &state.settings.public_url;
    let key =
        |conversation: &ConversationRecord| (conversation.created_at, conversation.id.as_uuid());
    let headers = paging::link_next(
        &mut found,
        page,
        url,
        "/core/conversations",
        raw.as_deref(),
        key,
    );
    let bodies: Result<Vec<_>, _> = found
        .into_iter()
        .map(|conversation| ConversationBody::new(conversation, &caller))
        .collect();
    Ok((headers, Json(bodies?)))
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<ConversationId>,
) -> Result<Json<ConversationBody>, Problem> {
    let conversation = find(&state, &caller, id).await?;
    Ok(Json(ConversationBody::new(conversation, &caller)?))
}

/// The agent ends the conversation; ending what has ended changes nothing.
async fn end(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<ConversationId>,
) -> Result<Json<ConversationBody>, Problem> {
    find(&state, &caller, id).await?;
    let now = state.now();
    let ended = state
        .storage
        .transition_conversation(id, now, &state.lifecycle_limits, &|lifecycle| {
            lifecycle.end(now, EndReason::Agent)
        })
        .await?;
    let conversation = ended.ok_or_else(|| Problem::not_found("conversation"))?;
    state.room_cleaner.wake();
    Ok(Json(ConversationBody::new(conversation, &caller)?))
}

async fn find(
    state: &AppState,
    caller: &Caller,
    id: ConversationId,
) -> Result<ConversationRecord, Problem> {
    let found = state
        .storage
        .find_organization_conversation(&caller.organization_id, id)
        .await?;
    found.ok_or_else(|| Problem::not_found("conversation"))
}
