//! SQL of the values of forms and of feedback.

use serde_json::{Map, Value};
use time::OffsetDateTime;
use widget_core::{
    conversation::{LifecycleLimits, Role, metadata},
    id::ConversationId,
};

use super::{
    Backend, Transaction,
    conversation_row::{lock_conversation, write_state, write_transition},
    counted,
};
use crate::storage::{
    conversations::ConversationRecord,
    error::StoreError,
    submissions::{SaveFeedbackError, SaveFormError, SubmissionStore},
};

#[async_trait::async_trait]
impl SubmissionStore for Backend {
    async fn save_form(
        &self,
        id: ConversationId,
        form_id: &str,
        values: &Value,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<bool, SaveFormError> {
        let mut transaction = self.begin().await?;
        let Some(current) = lock_conversation(&mut transaction, id).await? else {
            return Ok(false);
        };
        if current.lifecycle.require_open(now, limits).is_err() {
            return Ok(false);
        }
        let metadata = read_metadata(&current)?;
        let metadata = metadata::insert_form(metadata, form_id, values.clone())?;
        write_metadata(&mut transaction, id, metadata).await?;
        let next = current.lifecycle.said(Role::Visitor, now, now);
        write_state(&mut transaction, id, next, limits).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn save_feedback(
        &self,
        id: ConversationId,
        values: &Value,
        enabled: bool,
        rating: Option<u8>,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<(), SaveFeedbackError> {
        let mut transaction = self.begin().await?;
        let Some(current) = lock_conversation(&mut transaction, id).await? else {
            return Err(SaveFeedbackError::Missing);
        };
        let next = current.lifecycle.submit_feedback(enabled, now, limits)?;
        let mut metadata = read_metadata(&current)?;
        metadata::insert_feedback(&mut metadata, values.clone());
        write_metadata(&mut transaction, id, metadata).await?;
        // Feedback may come after a limit was reached and before anybody else has written the end.
        write_transition(&mut transaction, self, id, next, now, limits).await?;
        counted::add_feedback(&mut transaction, &current, rating).await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn read_metadata(conversation: &ConversationRecord) -> Result<Map<String, Value>, StoreError> {
    serde_json::from_str(&conversation.custom_metadata).map_err(|error| {
        StoreError::corrupt("conversations", &conversation.id, "custom_metadata", &error)
    })
}

async fn write_metadata(
    transaction: &mut Transaction,
    id: ConversationId,
    metadata: Map<String, Value>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE conversations SET custom_metadata = $2 WHERE id = $1")
        .bind(id.as_uuid())
        .bind(Value::Object(metadata).to_string())
        .execute(&mut *transaction)
        .await?;
    Ok(())
}
