//! The stored conversation of a request, and what every answer reads out of it.

use serde_json::value::RawValue;
use widget_api::{
    Scope,
    conversations::{Channel, Conversation},
};
use widget_core::id::ConversationId;

use crate::{
    state::AppState,
    storage::{ConversationRecord, StoreError, StoredConversation, Tombstone},
    web::{auth::Caller, problem::Problem},
};

/// The caller's conversation with its content, which one that was erased has not.
pub(super) async fn require_conversation(
    state: &AppState,
    caller: &Caller,
    id: ConversationId,
) -> Result<ConversationRecord, Problem> {
    Ok(find_conversation(state, caller, id).await?.require_kept()?)
}

/// The caller's conversation; one of another organization counts as missing.
pub(super) async fn find_conversation(
    state: &AppState,
    caller: &Caller,
    id: ConversationId,
) -> Result<StoredConversation, Problem> {
    let found = state
        .storage
        .find_organization_conversation(&caller.organization_id, id)
        .await?;
    found.ok_or_else(|| Problem::not_found("conversation"))
}

/// The stored text, written into an answer as it is.
pub(super) fn custom_metadata(
    conversation: &ConversationRecord,
) -> Result<Box<RawValue>, StoreError> {
    RawValue::from_string(conversation.custom_metadata.clone()).map_err(|error| {
        StoreError::corrupt("conversations", &conversation.id, "custom_metadata", &error)
    })
}

/// What the caller may see of a conversation, or what remains of one that was erased.
pub(super) fn build_stored(
    state: &AppState,
    stored: &StoredConversation,
    caller: &Caller,
) -> Result<Conversation, StoreError> {
    match stored {
        StoredConversation::Kept(conversation) => build_conversation(state, conversation, caller),
        StoredConversation::Erased(tombstone) => Ok(build_tombstone(tombstone)),
    }
}

fn build_tombstone(tombstone: &Tombstone) -> Conversation {
    let activity = tombstone.lifecycle.activity();
    Conversation {
        id: tombstone.id,
        status: tombstone.lifecycle.status(),
        is_open: false,
        web_widget_id: tombstone.web_widget_id,
        agent_id: tombstone.agent_id,
        agent_version_id: tombstone.agent_version_id,
        channel: Channel::Webrtc.into(),
        mode: tombstone.mode,
        created_at: tombstone.created_at.into(),
        joined_at: activity.map(|at| at.joined_at.into()),
        active_at: activity.map(|at| at.active_at.into()),
        ended_at: tombstone.lifecycle.ended_at().map(Into::into),
        end_reason: tombstone.lifecycle.end_reason(),
        preview: tombstone.preview_id.is_some(),
        custom_metadata: None,
        first_words: None,
        erased_at: Some(tombstone.erasure.at.into()),
        erased_by: Some(tombstone.erasure.by.to_string()),
    }
}

/// What the caller may see of a conversation. The limits are applied first, so that the answer is
/// right even before the sweep has stored the end.
pub(super) fn build_conversation(
    state: &AppState,
    conversation: &ConversationRecord,
    caller: &Caller,
) -> Result<Conversation, StoreError> {
    let custom_metadata = caller
        .may(Scope::ConversationsReadSensitive)
        .then(|| custom_metadata(conversation))
        .transpose()?;
    let lifecycle = conversation
        .lifecycle
        .expire(state.now(), &state.lifecycle_limits);
    let activity = lifecycle.activity();
    Ok(Conversation {
        id: conversation.id,
        status: lifecycle.status(),
        is_open: lifecycle.is_open(),
        web_widget_id: conversation.web_widget_id,
        agent_id: conversation.agent_id,
        agent_version_id: conversation.agent_version_id,
        channel: Channel::Webrtc.into(),
        mode: conversation.mode,
        created_at: conversation.created_at.into(),
        joined_at: activity.map(|at| at.joined_at.into()),
        active_at: activity.map(|at| at.active_at.into()),
        ended_at: lifecycle.ended_at().map(Into::into),
        end_reason: lifecycle.end_reason(),
        preview: conversation.preview_id.is_some(),
        custom_metadata,
        first_words: None,
        erased_at: None,
        erased_by: None,
    })
}
