//! Conversations for their owner and for the agent's worker.

use axum::{
    Json,
    extract::{RawQuery, State},
    response::IntoResponse,
};
use http::header;
use widget_api::{
    ProblemCode, Scope,
    conversations::{Conversation, ConversationsQuery},
    unreadable::Listed,
};
use widget_core::{conversation::EndReason, id::ConversationId};

use super::listed::build_listed;
use crate::{
    state::AppState,
    storage::ConversationFilter,
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::{PathId, StrictQuery},
        paging::{self, JsonList},
        problem::Problem,
    },
};

mod erasure;
mod export;
mod messages;
mod record;

use record::{build_conversation, build_stored, find_conversation, require_conversation};

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
            .query::<ConversationsQuery>()
            .answer::<Vec<Listed<Conversation>>>(
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
            .answer::<Conversation>(200, "The conversation.")
            .problems([ProblemCode::NotFound]),
            read,
        )
        .route(
            api::post(
                "/core/conversations/{id}/end",
                "endConversation",
                "Ends a conversation for the agent; a repetition changes nothing",
            )
            .scope(Scope::ConversationsWrite)
            .answer::<Conversation>(200, "The conversation.")
            .problems([ProblemCode::NotFound, ProblemCode::ConversationErased]),
            end,
        )
        .merge(messages::router())
        .merge(erasure::router())
        .merge(export::router())
}

async fn list(
    State(state): State<AppState>,
    caller: Caller,
    RawQuery(raw): RawQuery,
    StrictQuery(query): StrictQuery<ConversationsQuery>,
) -> Result<impl IntoResponse, Problem> {
    let page = paging::parse_page(query.limit, query.cursor.as_deref())?;
    let filter = ConversationFilter {
        web_widget_id: query.web_widget_id,
        agent_id: query.agent_id,
        agent_version_id: query.agent_version_id,
        status: query.status,
        created_after: query.created_after.map(Into::into),
        created_before: query.created_before.map(Into::into),
    };
    let organization = &caller.organization_id;
    let found = state
        .storage
        .list_conversations(organization, &filter, page)
        .await?;
    let url = &state.settings.public_url;
    let headers = paging::link_next(&found, url, "/core/conversations", raw.as_deref());
    let mut bodies = JsonList::new();
    for row in found {
        let body = build_listed(row.item, |conversation| {
            build_stored(&state, &conversation, &caller)
        });
        bodies.push(&body?)?;
    }
    Ok((headers, bodies))
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<ConversationId>,
) -> Result<Json<Conversation>, Problem> {
    let conversation = find_conversation(&state, &caller, id).await?;
    Ok(Json(build_stored(&state, &conversation, &caller)?))
}

/// The agent ends the conversation; ending what has ended changes nothing.
async fn end(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<ConversationId>,
) -> Result<Json<Conversation>, Problem> {
    require_conversation(&state, &caller, id).await?;
    let (now, limits) = (state.now(), &state.lifecycle_limits);
    let ended = state
        .storage
        .transition_conversation(id, now, limits, &|lifecycle| {
            lifecycle.end(now, EndReason::Agent, limits)
        })
        .await?;
    let conversation = ended.ok_or_else(|| Problem::not_found("conversation"))?;
    state.room_cleaner.wake();
    Ok(Json(build_conversation(&state, &conversation, &caller)?))
}
