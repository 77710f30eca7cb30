//! SQL of conversations, their messages and used tickets.
//!
//! A state is locked, changed by core and written in one transaction, so that it does not matter
//! which service or webhook comes first.

use serde_json::{Map, Value};
use sqlx::QueryBuilder;
use time::OffsetDateTime;
use uuid::Uuid;
use widget_core::{
    conversation::{
        EndReason, Lifecycle, LifecycleLimits, LifecycleRow, Reporter, Role, metadata,
        room::{self, RoomOutcome, RoomState},
        transcript::Message,
    },
    id::{AgentId, AgentVersionId, ConversationId, OrganizationId, WidgetId},
    origin::SuffixList,
};

use super::{
    super::driver::micros, Backend, Database, Row, Transaction, rooms, row::Columns, widgets,
};
use crate::storage::{
    ConversationFilter, ConversationRecord, ConversationStore, CreateConversationError,
    DueConversation, ListPage, NewConversation, ResumeConversation, ResumeError, Room,
    SaveFeedbackError, StoreError, Transition, UsedTicket, WebhookEvent, table::table,
};

table! {
    conversation_columns, read_conversation from "conversations" by "id";
    id: id(ConversationId::from_uuid),
    organization_id: parsed(str::parse),
    web_widget_id: id(WidgetId::from_uuid),
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
    => |row| -> ConversationRecord {
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
        Ok(ConversationRecord {
            id,
            organization_id,
            web_widget_id,
            agent_id,
            agent_version_id,
            livekit_agent_name,
            origin,
            lifecycle: Lifecycle::from_row(lifecycle).map_err(|error| row.corrupt(&error))?,
            mode,
            custom_metadata,
            generation,
            repeat_used,
            created_at,
        })
    }
}

table! {
    due_columns, read_due from "conversations" by "id";
    due_at: time(),
    id: id(ConversationId::from_uuid),
    => |row| -> DueConversation {
        Ok(DueConversation { due_at, id })
    }
}

table! {
    message_columns, read_message from "messages" by "id";
    id: get(),
    role: parsed(str::parse),
    text: get(),
    created_at: time(),
    reported_by: parsed(str::parse),
    => |row| -> Message {
        Ok(Message { id, role, text, created_at, reported_by })
    }
}

#[async_trait::async_trait]
impl ConversationStore for Backend {
    async fn create_conversation(
        &self,
        new: &NewConversation,
    ) -> Result<(), CreateConversationError> {
        let mut transaction = self.begin().await?;
        if !use_ticket(&mut transaction, &new.ticket).await? {
            return Err(CreateConversationError::TicketReplayed);
        }
        let conversation = &new.conversation;
        sqlx::query(
            "INSERT INTO conversations (id, organization_id, web_widget_id, agent_id, agent_version_id,
                 livekit_agent_name, origin, status, mode, custom_metadata, generation, repeat_used, created_at,
                 token_at, due_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        )
        .bind(conversation.id.as_uuid())
        .bind(conversation.organization_id.as_str())
        .bind(conversation.web_widget_id.as_uuid())
        .bind(conversation.agent_id.as_uuid())
        .bind(conversation.agent_version_id.as_uuid())
        .bind(&conversation.livekit_agent_name)
        .bind(conversation.origin.as_str())
        .bind(conversation.lifecycle.status().as_str())
        .bind(conversation.mode.as_str())
        .bind(&conversation.custom_metadata)
        .bind(conversation.generation)
        .bind(conversation.repeat_used)
        .bind(micros(conversation.created_at))
        .bind(micros(conversation.lifecycle.token_at()))
        .bind(conversation.lifecycle.due_at(&new.limits).map(micros))
        .execute(&mut transaction)
        .await
        .map_err(StoreError::from)?;
        let (id, generation) = (conversation.id, conversation.generation);
        rooms::insert(
            &mut transaction,
            &new.room,
            id,
            generation,
            conversation.created_at,
        )
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn find_conversation(
        &self,
        id: ConversationId,
    ) -> Result<Option<ConversationRecord>, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT ",
            conversation_columns!(),
            " FROM conversations WHERE id = $1"
        ))
        .bind(id.as_uuid())
        .fetch_optional(self.reader())
        .await?;
        row.as_ref().map(read_conversation).transpose()
    }

    async fn find_organization_conversation(
        &self,
        organization: &OrganizationId,
        id: ConversationId,
    ) -> Result<Option<ConversationRecord>, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT ",
            conversation_columns!(),
            " FROM conversations WHERE organization_id = $1 AND id = $2"
        ))
        .bind(organization.as_str())
        .bind(id.as_uuid())
        .fetch_optional(self.reader())
        .await?;
        row.as_ref().map(read_conversation).transpose()
    }

    async fn list_conversations(
        &self,
        organization: &OrganizationId,
        filter: &ConversationFilter,
        page: ListPage,
    ) -> Result<Vec<ConversationRecord>, StoreError> {
        let mut query = QueryBuilder::<Database>::new(concat!(
            "SELECT ",
            conversation_columns!(),
            " FROM conversations WHERE organization_id = "
        ));
        query.push_bind(organization.as_str());
        if let Some(widget) = filter.web_widget_id {
            query
                .push(" AND web_widget_id = ")
                .push_bind(widget.as_uuid());
        }
        if let Some(agent) = filter.agent_id {
            query.push(" AND agent_id = ").push_bind(agent.as_uuid());
        }
        if let Some(version) = filter.agent_version_id {
            query
                .push(" AND agent_version_id = ")
                .push_bind(version.as_uuid());
        }
        if let Some(status) = filter.status {
            query.push(" AND status = ").push_bind(status.as_str());
        }
        if let Some(after) = filter.created_after {
            query.push(" AND created_at > ").push_bind(micros(after));
        }
        if let Some(before) = filter.created_before {
            query.push(" AND created_at < ").push_bind(micros(before));
        }
        if let Some((created_at, id)) = page.before {
            query
                .push(" AND (created_at, id) < (")
                .push_bind(micros(created_at));
            query.push(", ").push_bind(id).push(")");
        }
        query
            .push(" ORDER BY created_at DESC, id DESC LIMIT ")
            .push_bind(i64::from(page.limit));
        let rows = query.build().fetch_all(self.reader()).await?;
        rows.iter().map(read_conversation).collect()
    }

    async fn count_open_conversations(&self, widget: WidgetId) -> Result<i64, StoreError> {
        let count = sqlx::query_scalar(
            "SELECT COUNT(*) FROM conversations WHERE web_widget_id = $1 AND ended_at IS NULL",
        )
        .bind(widget.as_uuid())
        .fetch_one(self.reader())
        .await?;
        Ok(count)
    }

    async fn count_conversations_since(
        &self,
        organization: &OrganizationId,
        since: OffsetDateTime,
    ) -> Result<i64, StoreError> {
        let count = sqlx::query_scalar(
            "SELECT COUNT(*) FROM conversations WHERE organization_id = $1 AND created_at >= $2",
        )
        .bind(organization.as_str())
        .bind(micros(since))
        .fetch_one(self.reader())
        .await?;
        Ok(count)
    }

    async fn resume_conversation(
        &self,
        resume: &ResumeConversation,
    ) -> Result<ConversationRecord, ResumeError> {
        let mut transaction = self.begin().await?;
        if !use_ticket(&mut transaction, &resume.ticket).await? {
            return Err(ResumeError::TicketReplayed);
        }
        let Some(current) = lock(&mut transaction, resume.id).await? else {
            return Err(ResumeError::Stale);
        };
        if current.generation != resume.generation {
            return Err(ResumeError::Stale);
        }
        write_state(
            &mut transaction,
            resume.id,
            current.lifecycle.resume(resume.now, &resume.limits)?,
            &resume.limits,
        )
        .await?;
        let row = sqlx::query(concat!(
            "UPDATE conversations SET generation = generation + 1, mode = $2, repeat_used = $3
             WHERE id = $1
             RETURNING ",
            conversation_columns!()
        ))
        .bind(resume.id.as_uuid())
        .bind(resume.mode.as_str())
        .bind(resume.repeat)
        .fetch_one(&mut transaction)
        .await
        .map_err(StoreError::from)?;
        let resumed = read_conversation(&row)?;
        rooms::mark_all_for_removal(&mut transaction, resume.id, resume.now).await?;
        rooms::insert(
            &mut transaction,
            &resume.room,
            resume.id,
            resumed.generation,
            resume.now,
        )
        .await?;
        transaction.commit().await?;
        Ok(resumed)
    }

    async fn transition_conversation(
        &self,
        id: ConversationId,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
        transition: Transition<'_>,
    ) -> Result<Option<ConversationRecord>, StoreError> {
        let mut transaction = self.begin().await?;
        let Some(current) = lock(&mut transaction, id).await? else {
            return Ok(None);
        };
        let next = transition(current.lifecycle);
        if next == current.lifecycle {
            return Ok(Some(current));
        }
        let changed = write_transition(&mut transaction, id, next, now, limits).await?;
        transaction.commit().await?;
        Ok(Some(changed))
    }

    async fn find_due_conversations(
        &self,
        now: OffsetDateTime,
        after: Option<DueConversation>,
        limit: u32,
    ) -> Result<Vec<DueConversation>, StoreError> {
        let (after_time, after_id) = after.map_or((i64::MIN, Uuid::nil()), |after| {
            (micros(after.due_at), after.id.as_uuid())
        });
        let rows = sqlx::query(concat!(
            "SELECT ",
            due_columns!(),
            " FROM conversations
             WHERE ended_at IS NULL AND due_at <= $1 AND (due_at, id) > ($2, $3)
             ORDER BY due_at, id LIMIT $4"
        ))
        .bind(micros(now))
        .bind(after_time)
        .bind(after_id)
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        rows.iter().map(read_due).collect()
    }

    async fn expire_conversation(
        &self,
        id: ConversationId,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<Option<ConversationRecord>, StoreError> {
        let mut transaction = self.begin().await?;
        let Some(current) = lock(&mut transaction, id).await? else {
            return Ok(None);
        };
        if current.lifecycle.status().is_terminal() {
            return Ok(Some(current));
        }
        let next = current.lifecycle.expire(now, limits);
        let written = write_transition(&mut transaction, id, next, now, limits).await?;
        transaction.commit().await?;
        Ok(Some(written))
    }

    async fn append_messages(
        &self,
        id: ConversationId,
        messages: &[Message],
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let mut added = 0;
        for message in messages {
            let done = sqlx::query(
                "INSERT INTO messages (conversation_id, reported_by, id, role, text, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (conversation_id, reported_by, id) DO NOTHING",
            )
            .bind(id.as_uuid())
            .bind(message.reported_by.as_str())
            .bind(without_nul(&message.id))
            .bind(message.role.as_str())
            .bind(without_nul(&message.text))
            .bind(micros(message.created_at))
            .execute(&mut transaction)
            .await?;
            added += done.rows_affected();
        }
        if added > 0
            && let Some(current) = lock(&mut transaction, id).await?
        {
            let next = messages
                .iter()
                .fold(current.lifecycle, |lifecycle, message| {
                    lifecycle.said(message.role, message.created_at, now)
                });
            write_state(&mut transaction, id, next, limits).await?;
        }
        transaction.commit().await?;
        Ok(added)
    }

    async fn measure_messages(
        &self,
        id: ConversationId,
        reporter: Reporter,
    ) -> Result<(i64, i64), StoreError> {
        let size = sqlx::query_as(
            "SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(text)), 0) AS BIGINT) FROM messages
             WHERE conversation_id = $1 AND reported_by = $2",
        )
        .bind(id.as_uuid())
        .bind(reporter.as_str())
        .fetch_one(self.reader())
        .await?;
        Ok(size)
    }

    async fn list_messages(&self, id: ConversationId) -> Result<Vec<Message>, StoreError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            message_columns!(),
            " FROM messages WHERE conversation_id = $1 ORDER BY sequence"
        ))
        .bind(id.as_uuid())
        .fetch_all(self.reader())
        .await?;
        rows.iter().map(read_message).collect()
    }

    async fn save_form(
        &self,
        id: ConversationId,
        form_id: &str,
        values: &Value,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let Some(current) = lock(&mut transaction, id).await? else {
            return Ok(false);
        };
        if current.lifecycle.require_open(now, limits).is_err() {
            return Ok(false);
        }
        let mut metadata = read_metadata(&current)?;
        metadata::insert_form(&mut metadata, form_id, values.clone());
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
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<(), SaveFeedbackError> {
        let mut transaction = self.begin().await?;
        let Some(current) = lock(&mut transaction, id).await? else {
            return Err(SaveFeedbackError::Missing);
        };
        let next = current.lifecycle.submit_feedback(enabled, now, limits)?;
        let mut metadata = read_metadata(&current)?;
        metadata::insert_feedback(&mut metadata, values.clone());
        write_metadata(&mut transaction, id, metadata).await?;
        // Feedback may come after a limit was reached and before anybody else has written the end.
        write_transition(&mut transaction, id, next, now, limits).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn find_room(&self, name: &str) -> Result<Option<Room>, StoreError> {
        rooms::by_name(self.reader(), name).await
    }

    async fn find_newest_room(&self, id: ConversationId) -> Result<Option<Room>, StoreError> {
        rooms::newest(self, id).await
    }

    async fn mark_room_for_removal(
        &self,
        name: &str,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        rooms::mark_for_removal(self.writer(), name, now).await
    }

    async fn find_rooms_to_remove(
        &self,
        now: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<Room>, StoreError> {
        rooms::to_remove(self, now, limit).await
    }

    async fn record_room_removal(&self, name: &str, now: OffsetDateTime) -> Result<(), StoreError> {
        rooms::removed(self, name, now).await
    }

    async fn record_failed_room_removal(
        &self,
        name: &str,
        next_attempt_at: OffsetDateTime,
    ) -> Result<(), StoreError> {
        rooms::removal_failed(self, name, next_attempt_at).await
    }

    async fn apply_webhook_event(
        &self,
        event: &WebhookEvent<'_>,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<bool, StoreError> {
        // Rooms of other services on the same LiveKit cost one read.
        if rooms::by_name(self.reader(), event.room).await?.is_none() {
            return Ok(false);
        }
        let mut transaction = self.begin().await?;
        if !note_event(&mut transaction, event.id, now).await? {
            return Ok(false);
        }
        if let Some(ended) = event.ended() {
            note_event(&mut transaction, &end_of(ended), now).await?;
        }
        let Some(room) = rooms::by_name(&mut transaction, event.room).await? else {
            return Ok(false);
        };
        let Some(conversation) = lock(&mut transaction, room.conversation_id).await? else {
            return Ok(false);
        };
        let (lifecycle, newest) = (conversation.lifecycle, conversation.newest());
        let state = RoomState {
            is_newest: room::is_newest(&lifecycle, newest, room.generation),
            is_removed: room.removal_due_at.is_some() || room.removed_at.is_some(),
            visitor_has_left: has_ended(&mut transaction, event).await?,
        };
        let action = room::decide(event.happened, state);
        // The widget may have been closed while the conversation was written; whoever closed it
        // found no room to close.
        let is_served = action.needs_served()
            && is_served(&mut transaction, &conversation, &self.suffixes).await?;
        let outcome = action.apply(lifecycle, is_served, now);
        match outcome {
            RoomOutcome::Remove => {
                rooms::mark_for_removal(&mut transaction, &room.name, now).await?;
            }
            RoomOutcome::Keep(next) if next != lifecycle => {
                write_transition(&mut transaction, conversation.id, next, now, limits).await?;
            }
            RoomOutcome::Keep(_) => {}
        }
        transaction.commit().await?;
        Ok(outcome == RoomOutcome::Remove)
    }

    async fn forget_expired(
        &self,
        now: OffsetDateTime,
        events_before: OffsetDateTime,
    ) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM used_tickets WHERE expires_at < $1")
            .bind(micros(now))
            .execute(self.writer())
            .await?;
        sqlx::query("DELETE FROM webhook_events WHERE received_at < $1")
            .bind(micros(events_before))
            .execute(self.writer())
            .await?;
        Ok(())
    }
}

/// Uses up a ticket; `false` when it was used before.
async fn use_ticket(
    transaction: &mut Transaction,
    ticket: &UsedTicket,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO used_tickets (id, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    )
    .bind(&ticket.id)
    .bind(micros(ticket.expires_at))
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Notes an event of LiveKit; `false` when it was noted before.
async fn note_event(
    transaction: &mut Transaction,
    id: &str,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO webhook_events (id, received_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(micros(now))
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Whether an earlier event said that the stay, or the life of the room, has ended.
async fn has_ended(
    transaction: &mut Transaction,
    event: &WebhookEvent<'_>,
) -> Result<bool, StoreError> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM webhook_events WHERE id IN ($1, $2)")
        .bind(event.stay.map(end_of))
        .bind(event.room_life.map(end_of))
        .fetch_one(&mut *transaction)
        .await?;
    Ok(count > 0)
}

/// Whether the widget serves the page of the conversation at present.
async fn is_served(
    transaction: &mut Transaction,
    conversation: &ConversationRecord,
    suffixes: &SuffixList,
) -> Result<bool, StoreError> {
    let widget =
        widgets::find_any_widget(transaction, conversation.web_widget_id, suffixes).await?;
    Ok(widget.is_some_and(|stored| stored.serves(&conversation.origin)))
}

/// Under what the end of a room or of a stay is noted, beside the events.
fn end_of(span: &str) -> String {
    format!("end of {span}")
}

/// Reads a conversation in order to change it: the write that changes nothing locks others out
/// until the transaction ends.
async fn lock(
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
    row.as_ref().map(read_conversation).transpose()
}

/// Writes what core decided; with the end of a conversation its rooms are marked for removal.
async fn write_transition(
    transaction: &mut Transaction,
    id: ConversationId,
    next: Lifecycle,
    now: OffsetDateTime,
    limits: &LifecycleLimits,
) -> Result<ConversationRecord, StoreError> {
    let written = write_state(transaction, id, next, limits).await?;
    if next.status().is_terminal() {
        rooms::mark_all_for_removal(transaction, id, now).await?;
    }
    Ok(written)
}

/// Writes a state with the time at which the limits end it, and nothing else.
async fn write_state(
    transaction: &mut Transaction,
    id: ConversationId,
    next: Lifecycle,
    limits: &LifecycleLimits,
) -> Result<ConversationRecord, StoreError> {
    let columns = next.to_row();
    let row = sqlx::query(
        concat!("UPDATE conversations
         SET status = $2, token_at = $3, joined_at = $4, active_at = $5, away_since = $6, ended_at = $7,
             end_reason = $8, feedback_at = $9, due_at = $10
         WHERE id = $1
         RETURNING ", conversation_columns!()),
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
    .fetch_one(&mut *transaction)
    .await?;
    read_conversation(&row)
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

fn read_metadata(conversation: &ConversationRecord) -> Result<Map<String, Value>, StoreError> {
    serde_json::from_str(&conversation.custom_metadata)
        .map_err(|error| StoreError::corrupt("conversations", &conversation.id, &error))
}

/// A NUL is a character that a visitor can send and PostgreSQL cannot store.
fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}
