//! The row of a conversation: it is locked, changed by core and written in one transaction, so that
//! it does not matter which service or webhook comes first.

use time::OffsetDateTime;
use widget_core::{
    conversation::{EndReason, Erasure, Lifecycle, LifecycleLimits, LifecycleRow, State},
    id::{AgentId, AgentVersionId, ConversationId, PreviewId, WidgetId},
};

use super::{
    Backend, Row, Transaction,
    budget_row::{BudgetRow, budget_columns, follow, join, read_budget},
    counted, rooms,
    row::Columns,
};
use crate::storage::{
    conversations::{ConversationRecord, StoredConversation, Tombstone},
    driver::micros,
    error::StoreError,
    table::table,
};

table! {
    conversation_columns, read_conversation from "conversations" by "id";
    id: id(ConversationId::from_uuid),
    organization_id: parsed(str::parse),
    web_widget_id: id(WidgetId::from_uuid),
    preview_id: optional_id(PreviewId::from_uuid),
    agent_id: id(AgentId::from_uuid),
    agent_version_id: id(AgentVersionId::from_uuid),
    livekit_agent_name: get(),
    origin: parsed(str::parse),
    status: parsed(str::parse),
    mode: parsed(str::parse),
    custom_metadata: get(),
    generation: get(),
    repeat_used: get(),
    created_at: time(),
    token_at: time(),
    joined_at: optional_time(),
    active_at: optional_time(),
    away_since: optional_time(),
    ended_at: optional_time(),
    end_reason: optional_parsed(str::parse),
    feedback_at: optional_time(),
    erased_at: optional_time(),
    erased_by: optional_parsed(str::parse),
    => |row| -> StoredConversation {
        let lifecycle = LifecycleRow {
            status,
            token_at,
            joined_at,
            active_at,
            away_since,
            ended_at,
            end_reason,
            feedback_at,
        };
        let lifecycle =
            Lifecycle::from_row(lifecycle).map_err(|error| row.corrupt("status", &error))?;
        Ok(match erased_at {
            None => StoredConversation::Kept(Box::new(ConversationRecord {
                id,
                organization_id,
                web_widget_id,
                agent_id,
                agent_version_id,
                livekit_agent_name,
                preview_id,
                origin,
                lifecycle,
                mode,
                custom_metadata,
                generation,
                repeat_used,
                created_at,
            })),
            Some(at) => StoredConversation::Erased(Box::new(Tombstone {
                id,
                web_widget_id,
                preview_id,
                agent_id,
                agent_version_id,
                lifecycle,
                mode,
                created_at,
                erasure: Erasure {
                    at,
                    by: erased_by.ok_or_else(|| row.corrupt("erased_by", &"it is missing"))?,
                },
            })),
        })
    }
}

pub(super) use conversation_columns;

/// Reads a conversation that has its content.
///
/// Everything that changes a conversation or shows its content to its visitor reads it by this, and
/// an erased one is an error here: so none of them can forget it.
pub(super) fn read_kept(row: &Row) -> Result<ConversationRecord, StoreError> {
    read_conversation(row)?.require_kept()
}

/// Reads a conversation and keeps others from changing it until the transaction ends.
///
/// The update changes nothing: it is the way to lock a row that both databases have. An erased
/// conversation is [`StoreError::Erased`].
pub(super) async fn lock_conversation(
    transaction: &mut Transaction,
    id: ConversationId,
) -> Result<Option<ConversationRecord>, StoreError> {
    let row = sqlx::query(concat!(
        "UPDATE conversations SET generation = generation WHERE id = $1 RETURNING ",
        conversation_columns!()
    ))
    .bind(id.as_uuid())
    .fetch_optional(&mut *transaction)
    .await?;
    let locked = row.as_ref().map(read_kept).transpose()?;
    // A preview counts to no number.
    if let Some(locked) = locked.as_ref().filter(|locked| locked.preview_id.is_none()) {
        transaction.note_locked(id, locked.lifecycle);
    }
    Ok(locked)
}

/// Writes what core decided; with the end of a conversation its rooms are marked for removal, and
/// it is counted.
pub(super) async fn write_transition(
    transaction: &mut Transaction,
    backend: &Backend,
    id: ConversationId,
    next: Lifecycle,
    now: OffsetDateTime,
    limits: &LifecycleLimits,
) -> Result<ConversationRecord, StoreError> {
    let written = write_state(transaction, id, next, limits).await?;
    if let Some(ended_at) = written.lifecycle.ended_at() {
        rooms::mark_all_for_removal(transaction, id, now).await?;
        counted::count_if_ended(transaction, backend, id, ended_at).await?;
    }
    Ok(written)
}

/// Writes a state with the time at which the limits end it, and nothing else. Where it was started
/// is kept only while it waits to be joined. What the conversation counts for is settled with it:
/// every change of a state, also its end, goes through here.
///
/// One that is joined when the budget of its day is used up has ended instead, as the record says
/// that this returns; its rooms are marked for removal.
pub(super) async fn write_state(
    transaction: &mut Transaction,
    id: ConversationId,
    next: Lifecycle,
    limits: &LifecycleLimits,
) -> Result<ConversationRecord, StoreError> {
    let (mut written, budget) = write_columns(transaction, id, &next, limits).await?;
    if let State::InProgress { activity, .. } = next.state()
        && !join(transaction, (&written).into(), budget).await?
    {
        (written, _) = write_columns(transaction, id, &next.refuse_join(), limits).await?;
        rooms::mark_all_for_removal(transaction, id, activity.joined_at).await?;
    }
    transaction.note_written(id, &written.lifecycle);
    follow(transaction, (&written).into(), &written.lifecycle, budget).await?;
    Ok(written)
}

async fn write_columns(
    transaction: &mut Transaction,
    id: ConversationId,
    next: &Lifecycle,
    limits: &LifecycleLimits,
) -> Result<(ConversationRecord, BudgetRow), StoreError> {
    let columns = next.to_row();
    let row = sqlx::query(
        concat!("UPDATE conversations
         SET status = $2, token_at = $3, joined_at = $4, active_at = $5, away_since = $6, ended_at = $7,
             end_reason = $8, feedback_at = $9, due_at = $10,
             start_address = CASE WHEN $11 THEN start_address END,
             start_network = CASE WHEN $11 THEN start_network END
         WHERE id = $1
         RETURNING ", conversation_columns!(), ", ", budget_columns!()),
    )
    .bind(id.as_uuid())
    .bind(columns.status.as_str())
    .bind(micros(columns.token_at))
    .bind(columns.joined_at.map(micros))
    .bind(columns.active_at.map(micros))
    .bind(columns.away_since.map(micros))
    .bind(columns.ended_at.map(micros))
    .bind(columns.end_reason.map(EndReason::as_str))
    .bind(columns.feedback_at.map(micros))
    .bind(next.due_at(limits).map(micros))
    .bind(next.is_unjoined())
    .fetch_one(&mut *transaction)
    .await?;
    Ok((read_kept(&row)?, read_budget(&row)?))
}
