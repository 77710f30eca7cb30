//! SQL of what happens to a conversation after it started, and of its end by the limits.

use time::OffsetDateTime;
use uuid::Uuid;
use widget_core::{
    conversation::{LifecycleLimits, Presence, Status},
    id::ConversationId,
};

use super::{
    Backend, Row,
    conversation_row::{lock_conversation, write_transition},
    row::Columns,
};
use crate::storage::{
    conversations::ConversationRecord,
    driver::micros,
    error::StoreError,
    lifecycle::{LifecycleStore, Transition},
    sweep::{SweepBatch, SweepPosition},
    table::table,
    unreadable::ListPosition,
};

table! {
    due_columns, read_due from "conversations" by "id";
    due_at: get(),
    id: id(ConversationId::from_uuid),
    => |row| -> (ConversationId, (i64, ConversationId)) {
        Ok((id, (due_at, id)))
    }
}

#[async_trait::async_trait]
impl LifecycleStore for Backend {
    async fn transition_conversation(
        &self,
        id: ConversationId,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
        transition: Transition<'_>,
    ) -> Result<Option<ConversationRecord>, StoreError> {
        let mut transaction = self.begin().await?;
        let Some(current) = lock_conversation(&mut transaction, id).await? else {
            return Ok(None);
        };
        let next = transition(current.lifecycle);
        if next == current.lifecycle {
            return Ok(Some(current));
        }
        let changed = write_transition(&mut transaction, self, id, next, now, limits).await?;
        transaction.commit().await?;
        Ok(Some(changed))
    }

    async fn find_due_conversations(
        &self,
        now: OffsetDateTime,
        position: &SweepPosition<ListPosition<ConversationId>>,
        limit: u32,
    ) -> Result<SweepBatch<ConversationId, ListPosition<ConversationId>>, StoreError> {
        let (after_time, after_id) = position
            .after
            .map_or((i64::MIN, Uuid::nil()), |(due_at, id)| {
                (due_at, id.as_uuid())
            });
        let rows = sqlx::query(concat!(
            "SELECT ",
            due_columns!(),
            " FROM conversations
             WHERE ended_at IS NULL AND due_at <= $1 AND (due_at, id) > ($2, $3)
             ORDER BY due_at, id LIMIT $4 OFFSET $5"
        ))
        .bind(micros(now))
        .bind(after_time)
        .bind(after_id)
        .bind(i64::from(limit))
        .bind(position.unreadable)
        .fetch_all(self.reader())
        .await?;
        let rows = rows.iter().map(read_due);
        self.unreadable().batch(rows, position, limit)
    }

    async fn count_open_conversations(&self) -> Result<Vec<(Status, i64)>, StoreError> {
        let rows = sqlx::query_as::<_, (String, i64)>(
            "SELECT status, COUNT(*) FROM conversations
             WHERE ended_at IS NULL AND preview_id IS NULL GROUP BY status",
        )
        .fetch_all(self.reader())
        .await?;
        // A status of a newer release is nothing that this one can name.
        let known = rows.into_iter();
        Ok(known
            .filter_map(|(status, count)| Some((status.parse().ok()?, count)))
            .collect())
    }

    async fn settle_conversation(
        &self,
        id: ConversationId,
        presence: Presence,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<Option<ConversationRecord>, StoreError> {
        let mut transaction = self.begin().await?;
        let Some(current) = lock_conversation(&mut transaction, id).await? else {
            return Ok(None);
        };
        if current.lifecycle.status().is_terminal() {
            return Ok(Some(current));
        }
        let next = current.lifecycle.settle(presence, now, limits);
        if next == current.lifecycle && next.depends_on_presence(now, limits) {
            // Nobody knows; it stays due.
            return Ok(Some(current));
        }
        let written = write_transition(&mut transaction, self, id, next, now, limits).await?;
        transaction.commit().await?;
        Ok(Some(written))
    }
}
