//! Conversations for their owner and for the agent's worker.

use axum::{Json, extract::State};
use widget_api::{ProblemCode, Scope, conversations::Conversation};
use widget_core::{conversation::EndReason, id::ConversationId};

use crate::{
    state::AppState,
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::PathId,
        problem::Problem,
    },
};

mod erasure;
mod events;
mod export;
mod list;
mod messages;
mod record;

use record::{build_conversation, build_stored, find_conversation, require_conversation};

/// `/core/conversations` and what is below.
pub(crate) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
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
        .merge(list::router())
        .merge(messages::router())
        .merge(erasure::router())
        .merge(events::router())
        .merge(export::router())
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
