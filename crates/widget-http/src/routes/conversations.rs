//! Conversations for their owner and for the agent's worker.

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    response::IntoResponse,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use widget_core::{
    conversation::{EndReason, Status},
    id::{AgentId, AgentVersionId, ConversationId, WidgetId},
};

use crate::{
    auth::{Caller, Scope},
    extract::{Parsed, PathId, StrictQuery},
    paging,
    problem::Problem,
    state::AppState,
    storage::{Conversation, ConversationFilter, StoreError},
    wire::{self, Text, Timestamp},
};

mod messages;

/// The channel of every conversation.
const CHANNEL: &str = "webrtc";

/// `/core/conversations` and what is below.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route("/core/conversations", get(list))
        .route("/core/conversations/{id}", get(read))
        .route("/core/conversations/{id}/end", post(end))
        .merge(messages::router())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    limit: Option<u32>,
    cursor: Option<String>,
    web_widget_id: Option<Parsed<WidgetId>>,
    agent_id: Option<Parsed<AgentId>>,
    agent_version_id: Option<Parsed<AgentVersionId>>,
    status: Option<Parsed<Status>>,
    created_after: Option<Timestamp>,
    created_before: Option<Timestamp>,
}

#[derive(Serialize)]
struct ConversationBody {
    id: Text<ConversationId>,
    status: &'static str,
    web_widget_id: Text<WidgetId>,
    agent_id: Text<AgentId>,
    agent_version_id: Text<AgentVersionId>,
    channel: &'static str,
    mode: &'static str,
    created_at: Timestamp,
    joined_at: Option<Timestamp>,
    active_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    end_reason: Option<&'static str>,
    /// What the visitor and the page told: only for those who may read what was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_metadata: Option<Box<RawValue>>,
}

impl ConversationBody {
    fn new(conversation: Conversation, caller: &Caller) -> Result<Self, StoreError> {
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
        Ok(Self {
            id: Text(conversation.id),
            status: conversation.state.status().as_str(),
            web_widget_id: Text(conversation.web_widget_id),
            agent_id: Text(conversation.agent_id),
            agent_version_id: Text(conversation.agent_version_id),
            channel: CHANNEL,
            mode: conversation.mode.as_str(),
            created_at: Timestamp(conversation.created_at),
            joined_at: conversation.joined_at.map(Timestamp),
            active_at: conversation.active_at.map(Timestamp),
            ended_at: conversation.ended_at.map(Timestamp),
            end_reason: conversation.end_reason.map(EndReason::as_str),
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
    caller.require(Scope::ConversationsRead)?;
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
        .conversations(organization, &filter, paging::with_lookahead(page))
        .await?;
    let url = &state.settings.public_url;
    let key = |conversation: &Conversation| (conversation.created_at, conversation.id.as_uuid());
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
    caller.require(Scope::ConversationsRead)?;
    let conversation = find(&state, &caller, id).await?;
    Ok(Json(ConversationBody::new(conversation, &caller)?))
}

/// The agent ends the conversation; ending what has ended changes nothing.
async fn end(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<ConversationId>,
) -> Result<Json<ConversationBody>, Problem> {
    caller.require(Scope::ConversationsWrite)?;
    find(&state, &caller, id).await?;
    let now = state.now();
    let ended = state
        .storage
        .transition_conversation(id, now, &|state| state.end(now, EndReason::Agent))
        .await?;
    let conversation = ended.ok_or_else(|| Problem::not_found("conversation"))?;
    state.visitor.rooms_to_remove.notify_one();
    Ok(Json(ConversationBody::new(conversation, &caller)?))
}

async fn find(
    state: &AppState,
    caller: &Caller,
    id: ConversationId,
) -> Result<Conversation, Problem> {
    let found = state
        .storage
        .organization_conversation(&caller.organization_id, id)
        .await?;
    found.ok_or_else(|| Problem::not_found("conversation"))
}
