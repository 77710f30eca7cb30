//! SQL that erases conversations.

use sqlx::QueryBuilder;
use widget_core::{
    conversation::{
        ERASED_METADATA, ERASED_ORIGIN, EndReason, Erasure, Lifecycle, LifecycleLimits,
        selection::Selection,
    },
    id::{ConversationId, OrganizationId, WidgetId},
};

use super::{
    Backend, Database, LOCK_MESSAGES, Row, Transaction,
    budget_row::{self, BudgetedConversation, budget_columns, read_budget},
    conversation_row::{conversation_columns, read_conversation},
    counted, rooms,
    row::Columns,
};
use crate::storage::{
    conversations::StoredConversation,
    driver::micros,
    erasures::{Erasable, ErasureStore},
    error::StoreError,
    meters::{Change, ErasureCause},
    sweep::{SweepBatch, SweepPosition},
    table::table,
    unreadable::ListPosition,
};

table! {
    erasable_columns, read_erasable from "conversations" by "id";
    created_at: get(),
    id: get(),
    custom_metadata: get(),
    => |row| -> (Erasable, ListPosition) {
        let position = (created_at, id);
        Ok((Erasable { position, custom_metadata }, position))
    }
}

#[async_trait::async_trait]
impl ErasureStore for Backend {
    async fn erase_conversation(
        &self,
        organization: Option<&OrganizationId>,
        id: ConversationId,
        erasure: &Erasure,
        limits: &LifecycleLimits,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let Some(row) = lock_for_erasure(&mut transaction, organization, id).await? else {
            return Ok(false);
        };
        if is_erased(&row) {
            return Ok(true);
        }
        erase(&mut transaction, self, id, &row, erasure, limits).await?;
        transaction.note(Change::Erased(ErasureCause::of(&erasure.by)));
        transaction.commit().await?;
        self.note_erased();
        Ok(true)
    }

    async fn empty_log(&self) -> Result<bool, StoreError> {
        Self::empty_log(self).await
    }

    async fn list_erasable(
        &self,
        organization: &OrganizationId,
        selection: &Selection,
        position: &SweepPosition<ListPosition>,
        limit: u32,
    ) -> Result<SweepBatch<Erasable, ListPosition>, StoreError> {
        let mut query = QueryBuilder::<Database>::new(concat!(
            "SELECT ",
            erasable_columns!(),
            " FROM conversations WHERE erased_at IS NULL AND organization_id = "
        ));
        query.push_bind(organization.as_str());
        let criteria = selection.criteria();
        if let Some(widget) = criteria.web_widget_id {
            query
                .push(" AND web_widget_id = ")
                .push_bind(widget.as_uuid());
        }
        if let Some(time) = criteria.created_after {
            query.push(" AND created_at > ").push_bind(micros(time));
        }
        if let Some(time) = criteria.created_before {
            query.push(" AND created_at < ").push_bind(micros(time));
        }
        if let Some((time, id)) = position.after {
            query
                .push(" AND (created_at, id) > (")
                .push_bind(time)
                .push(", ")
                .push_bind(id)
                .push(")");
        }
        query
            .push(" ORDER BY created_at, id LIMIT ")
            .push_bind(i64::from(limit))
            .push(" OFFSET ")
            .push_bind(position.unreadable);
        let rows = query.build().fetch_all(self.reader()).await?;
        let rows = rows.iter().map(read_erasable);
        self.unreadable().batch(rows, position, limit)
    }
}

/// Reads the row of a conversation, erased or not, and keeps everybody from changing it and from
/// adding messages until the transaction ends.
pub(super) async fn lock_for_erasure(
    transaction: &mut Transaction,
    organization: Option<&OrganizationId>,
    id: ConversationId,
) -> Result<Option<Row>, StoreError> {
    if let Some(statement) = LOCK_MESSAGES {
        sqlx::query(statement)
            .bind(id.as_uuid())
            .execute(&mut *transaction)
            .await?;
    }
    let row = sqlx::query(concat!(
        "UPDATE conversations SET generation = generation
         WHERE id = $1 AND organization_id = COALESCE($2, organization_id) RETURNING ",
        conversation_columns!(),
        ", ",
        budget_columns!()
    ))
    .bind(id.as_uuid())
    .bind(organization.map(OrganizationId::as_str))
    .fetch_optional(&mut *transaction)
    .await?;
    Ok(row)
}

/// Whether a conversation is a tombstone, also where the rest of it cannot be read: a newer release
/// may have erased it, in its own words.
pub(super) fn is_erased(row: &Row) -> bool {
    let erased_at = Columns::new(row, "conversations", "id").get::<Option<i64>>("erased_at");
    matches!(erased_at, Ok(Some(_)))
}

/// Erases a conversation that is locked and was not erased.
///
/// The one place that clears content: every column of a conversation, and every table that belongs
/// to one, is either cleared here or listed as kept in the test that reads the schema.
pub(super) async fn erase(
    transaction: &mut Transaction,
    backend: &Backend,
    id: ConversationId,
    row: &Row,
    erasure: &Erasure,
    limits: &LifecycleLimits,
) -> Result<(), StoreError> {
    let found = backend.unreadable().skip(read_conversation(row))?;
    let (next, settled_by) = match found {
        Some(StoredConversation::Kept(conversation)) => {
            let before = conversation.lifecycle;
            let next = before.end(erasure.at, EndReason::Agent, limits);
            if conversation.preview_id.is_none() {
                transaction.note_locked(id, before);
                transaction.note_written(id, &next);
            }
            (next, next)
        }
        // Nothing is known about one that cannot be read, and it is erased all the same.
        Some(StoredConversation::Erased(_)) | None => {
            let joined = Lifecycle::created(erasure.at).joined(erasure.at);
            let end = |lifecycle: Lifecycle| lifecycle.end(erasure.at, EndReason::Agent, limits);
            let was_joined =
                Columns::new(row, "conversations", "id").get::<Option<i64>>("joined_at");
            let settled_by = match was_joined {
                Ok(Some(_)) => joined,
                _ => Lifecycle::created(erasure.at),
            };
            (end(joined), end(settled_by))
        }
    };
    // Before the messages are gone; it is added last.
    let counted = counted::find_facts(transaction, backend, id).await?;
    let columns = next.to_row();
    sqlx::query(
        "UPDATE conversations
         SET status = $2, joined_at = $3, active_at = $4, away_since = NULL, ended_at = $5,
             end_reason = $6, due_at = NULL, start_address = NULL, start_network = NULL,
             origin = $7, custom_metadata = $8, erased_at = $9, erased_by = $10
         WHERE id = $1 AND erased_at IS NULL",
    )
    .bind(id.as_uuid())
    .bind(columns.status.as_str())
    .bind(columns.joined_at.map(micros))
    .bind(columns.active_at.map(micros))
    .bind(columns.ended_at.map(micros))
    .bind(columns.end_reason.map(EndReason::as_str))
    .bind(ERASED_ORIGIN)
    .bind(ERASED_METADATA)
    .bind(micros(erasure.at))
    .bind(erasure.by.as_str())
    .execute(&mut *transaction)
    .await?;
    sqlx::query("DELETE FROM messages WHERE conversation_id = $1")
        .bind(id.as_uuid())
        .execute(&mut *transaction)
        .await?;
    rooms::mark_all_for_removal(transaction, id, erasure.at).await?;
    settle(transaction, backend, row, &settled_by).await?;
    if counted::mark_counted(transaction, id).await? {
        let counted = counted.map(|counted| counted.with_end(next.end_reason()));
        counted::add(transaction, counted, next.ended_at().unwrap_or(erasure.at)).await?;
    }
    Ok(())
}

/// Settles what it has reserved, as with any other end; a damaged row keeps nobody from erasing it.
async fn settle(
    transaction: &mut Transaction,
    backend: &Backend,
    row: &Row,
    lifecycle: &Lifecycle,
) -> Result<(), StoreError> {
    let columns = Columns::new(row, "conversations", "id");
    let read = read_budget(row).and_then(|budget| {
        let organization: OrganizationId = columns.parsed("organization_id", str::parse)?;
        let id = columns.id("id", ConversationId::from_uuid)?;
        let widget = columns.id("web_widget_id", WidgetId::from_uuid)?;
        Ok((budget, organization, id, widget))
    });
    let Some((budget, organization, id, widget)) = backend.unreadable().skip(read)? else {
        return Ok(());
    };
    let counted = BudgetedConversation {
        id,
        organization_id: &organization,
        web_widget_id: widget,
    };
    budget_row::follow(transaction, counted, lifecycle, budget).await
}
