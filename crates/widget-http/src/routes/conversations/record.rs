//! The stored conversation of a request, and what every answer reads out of it.

use serde_json::value::RawValue;
use widget_core::id::ConversationId;

use crate::{
    state::AppState,
    storage::{ConversationRecord, StoreError},
    web::{auth::Caller, problem::Problem},
};

/// The caller's conversation; one of another organization counts as missing.
pub(super) async fn require_conversation(
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

/// The stored text, written into an answer as it is.
pub(super) fn custom_metadata(
    conversation: &ConversationRecord,
) -> Result<Box<RawValue>, StoreError> {
    RawValue::from_string(conversation.custom_metadata.clone()).map_err(|error| {
        StoreError::corrupt("conversations", &conversation.id, "custom_metadata", &error)
    })
}
