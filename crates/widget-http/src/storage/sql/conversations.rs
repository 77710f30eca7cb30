//! SQL of conversations, their messages and used tickets.
//!
//! A state changes by compare-and-set in one statement, so that it does not matter which service or webhook comes first.

use serde_json::{Map, Value};
use sqlx::QueryBuilder;
use time::OffsetDateTime;
use widget_core::{
    conversation::Status,
    id::{AgentId, AgentVersionId, ConversationId, OrganizationId, WidgetId},
};

use super::{super::driver::micros, Backend, Database, Row, Transaction, rooms, row::Columns};
use crate::storage::{
    Conversation, ConversationFilter, ConversationStore, CreateConversationError, DueBefore,
    FeedbackError, Message, NewConversation, Page, Reporter, ResumeConversation, ResumeError, Room,
    StoreError, UsedTicket,
};

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
                 last_activity_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(conversation.id.as_uuid())
        .bind(conversation.organization_id.as_str())
        .bind(conversation.web_widget_id.as_uuid())
        .bind(conversation.agent_id.as_uuid())
        .bind(conversation.agent_version_id.as_uuid())
        .bind(&conversation.livekit_agent_name)
        .bind(&conversation.origin)
        .bind(conversation.status.as_str())
        .bind(&conversation.mode)
        .bind(&conversation.custom_metadata)
        .bind(conversation.generation)
        .bind(conversation.repeat_used)
        .bind(micros(conversation.created_at))
        .bind(micros(conversation.last_activity_at))
        .execute(&mut *transaction)
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
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(())
    }

    async fn conversation(&self, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
        let row = sqlx::query("SELECT * FROM conversations WHERE id = $1")
            .bind(id.as_uuid())
            .fetch_optional(self.reader())
            .await?;
        row.as_ref().map(conversation).transpose()
    }

    async fn organization_conversation(
        &self,
        organization: &OrganizationId,
        id: ConversationId,
    ) -> Result<Option<Conversation>, StoreError> {
        let row = sqlx::query("SELECT * FROM conversations WHERE organization_id = $1 AND id = $2")
            .bind(organization.as_str())
            .bind(id.as_uuid())
            .fetch_optional(self.reader())
            .await?;
        row.as_ref().map(conversation).transpose()
    }

    async fn conversations(
        &self,
        organization: &OrganizationId,
        filter: &ConversationFilter,
        page: Page,
    ) -> Result<Vec<Conversation>, StoreError> {
        let mut query =
            QueryBuilder::<Database>::new("SELECT * FROM conversations WHERE organization_id = ");
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
        rows.iter().map(conversation).collect()
    }

    async fn open_conversations(&self, widget: WidgetId) -> Result<i64, StoreError> {
        let count = sqlx::query_scalar(
            "SELECT COUNT(*) FROM conversations WHERE web_widget_id = $1 AND ended_at IS NULL",
        )
        .bind(widget.as_uuid())
        .fetch_one(self.reader())
        .await?;
        Ok(count)
    }

    async fn resume_conversation(
        &self,
        resume: &ResumeConversation,
    ) -> Result<Conversation, ResumeError> {
        let mut transaction = self.begin().await?;
        if !use_ticket(&mut transaction, &resume.ticket).await? {
            return Err(ResumeError::TicketReplayed);
        }
        let row = sqlx::query(
            "UPDATE conversations
             SET generation = generation + 1, mode = $3, resumed_at = $4, last_activity_at = $4, repeat_used = $5
             WHERE id = $1 AND generation = $2 AND ended_at IS NULL
             RETURNING *",
        )
        .bind(resume.id.as_uuid())
        .bind(resume.generation)
        .bind(&resume.mode)
        .bind(micros(resume.now))
        .bind(resume.repeat)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
        let Some(row) = row else {
            return Err(ResumeError::Stale);
        };
        let resumed = conversation(&row)?;
        rooms::mark_all_for_removal(&mut transaction, resume.id, resume.now).await?;
        rooms::insert(
            &mut transaction,
            &resume.room,
            resume.id,
            resumed.generation,
            resume.now,
        )
        .await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(resumed)
    }

    async fn end_conversation(
        &self,
        id: ConversationId,
        status: Status,
        reason: &str,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query(
            "UPDATE conversations SET status = $2, end_reason = $3, ended_at = $4 WHERE id = $1 AND ended_at IS NULL",
        )
        .bind(id.as_uuid())
        .bind(status.as_str())
        .bind(reason)
        .bind(micros(now))
        .execute(&mut *transaction)
        .await?;
        let ended = done.rows_affected() > 0;
        if ended {
            rooms::mark_all_for_removal(&mut transaction, id, now).await?;
        }
        transaction.commit().await?;
        Ok(ended)
    }

    async fn conversation_joined(
        &self,
        id: ConversationId,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE conversations
             SET status = $3, joined_at = COALESCE(joined_at, $2), last_activity_at = $2
             WHERE id = $1 AND ended_at IS NULL",
        )
        .bind(id.as_uuid())
        .bind(micros(now))
        .bind(Status::InProgress.as_str())
        .execute(self.writer())
        .await?;
        Ok(())
    }

    async fn touch_conversation(
        &self,
        id: ConversationId,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE conversations SET last_activity_at = $2 WHERE id = $1 AND ended_at IS NULL",
        )
        .bind(id.as_uuid())
        .bind(micros(now))
        .execute(self.writer())
        .await?;
        Ok(())
    }

    async fn due_conversations(
        &self,
        due: DueBefore,
        limit: u32,
    ) -> Result<Vec<Conversation>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM conversations
             WHERE ended_at IS NULL
               AND ((joined_at IS NULL AND created_at < $1) OR (joined_at IS NOT NULL AND last_activity_at < $2)
                    OR created_at < $3)
             ORDER BY last_activity_at LIMIT $4",
        )
        .bind(micros(due.never_joined))
        .bind(micros(due.silent))
        .bind(micros(due.created))
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        rows.iter().map(conversation).collect()
    }

    async fn append_messages(
        &self,
        id: ConversationId,
        messages: &[Message],
        now: OffsetDateTime,
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
            .bind(&message.id)
            .bind(&message.role)
            .bind(&message.text)
            .bind(micros(message.created_at))
            .execute(&mut *transaction)
            .await?;
            added += done.rows_affected();
        }
        sqlx::query(
            "UPDATE conversations SET last_activity_at = $2 WHERE id = $1 AND ended_at IS NULL",
        )
        .bind(id.as_uuid())
        .bind(micros(now))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(added)
    }

    async fn messages_size(
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

    async fn messages(&self, id: ConversationId) -> Result<Vec<Message>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM messages WHERE conversation_id = $1 ORDER BY sequence")
                .bind(id.as_uuid())
                .fetch_all(self.reader())
                .await?;
        rows.iter().map(message).collect()
    }

    async fn save_form(
        &self,
        id: ConversationId,
        form_id: &str,
        values: &Value,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let Some(current) = lock(&mut transaction, id).await? else {
            return Ok(false);
        };
        if current.ended_at.is_some() {
            return Ok(false);
        }
        let mut metadata = metadata(&current)?;
        let forms = metadata
            .entry("forms")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Some(forms) = forms.as_object_mut() {
            forms.insert(form_id.to_owned(), values.clone());
        }
        sqlx::query(
            "UPDATE conversations SET custom_metadata = $2, last_activity_at = $3 WHERE id = $1",
        )
        .bind(id.as_uuid())
        .bind(Value::Object(metadata).to_string())
        .bind(micros(now))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn save_feedback(
        &self,
        id: ConversationId,
        values: &Value,
        now: OffsetDateTime,
    ) -> Result<(), FeedbackError> {
        let mut transaction = self.begin().await?;
        let Some(current) = lock(&mut transaction, id).await? else {
            return Err(FeedbackError::Missing);
        };
        let mut metadata = metadata(&current)?;
        metadata.insert("feedback_form".to_owned(), values.clone());
        let done = sqlx::query(
            "UPDATE conversations SET custom_metadata = $2, feedback_at = $3 WHERE id = $1 AND feedback_at IS NULL",
        )
        .bind(id.as_uuid())
        .bind(Value::Object(metadata).to_string())
        .bind(micros(now))
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
        if done.rows_affected() == 0 {
            return Err(FeedbackError::AlreadySubmitted);
        }
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(())
    }

    async fn room(&self, name: &str) -> Result<Option<Room>, StoreError> {
        rooms::by_name(self, name).await
    }

    async fn newest_room(&self, id: ConversationId) -> Result<Option<Room>, StoreError> {
        rooms::newest(self, id).await
    }

    async fn mark_room_for_removal(
        &self,
        name: &str,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        rooms::mark_for_removal(self, name, now).await
    }

    async fn open_origins(&self, widget: WidgetId) -> Result<Vec<String>, StoreError> {
        let origins = sqlx::query_scalar(
            "SELECT DISTINCT origin FROM conversations WHERE web_widget_id = $1 AND ended_at IS NULL ORDER BY origin",
        )
        .bind(widget.as_uuid())
        .fetch_all(self.reader())
        .await?;
        Ok(origins)
    }

    async fn mark_widget_rooms_for_removal(
        &self,
        widget: WidgetId,
        origin: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<u64, StoreError> {
        rooms::mark_widget_for_removal(self, widget, origin, now).await
    }

    async fn rooms_to_remove(
        &self,
        now: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<Room>, StoreError> {
        rooms::to_remove(self, now, limit).await
    }

    async fn room_removed(&self, name: &str, now: OffsetDateTime) -> Result<(), StoreError> {
        rooms::removed(self, name, now).await
    }

    async fn room_removal_failed(
        &self,
        name: &str,
        next_attempt_at: OffsetDateTime,
    ) -> Result<(), StoreError> {
        rooms::removal_failed(self, name, next_attempt_at).await
    }

    async fn record_webhook_event(
        &self,
        id: &str,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO webhook_events (id, received_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(micros(now))
        .execute(self.writer())
        .await?;
        Ok(done.rows_affected() > 0)
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
    .execute(&mut **transaction)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Reads a conversation for a change: the write that changes nothing keeps others out until the transaction ends.
async fn lock(
    transaction: &mut Transaction,
    id: ConversationId,
) -> Result<Option<Conversation>, StoreError> {
    let row =
        sqlx::query("UPDATE conversations SET generation = generation WHERE id = $1 RETURNING *")
            .bind(id.as_uuid())
            .fetch_optional(&mut **transaction)
            .await?;
    row.as_ref().map(conversation).transpose()
}

fn metadata(conversation: &Conversation) -> Result<Map<String, Value>, StoreError> {
    serde_json::from_str(&conversation.custom_metadata)
        .map_err(|error| StoreError::corrupt("conversations", conversation.id, error))
}

fn conversation(row: &Row) -> Result<Conversation, StoreError> {
    let columns = Columns::new(row, "conversations", "id");
    Ok(Conversation {
        id: columns.id("id", ConversationId::from_uuid)?,
        organization_id: columns.parsed("organization_id", str::parse)?,
        web_widget_id: columns.id("web_widget_id", WidgetId::from_uuid)?,
        agent_id: columns.id("agent_id", AgentId::from_uuid)?,
        agent_version_id: columns.id("agent_version_id", AgentVersionId::from_uuid)?,
        livekit_agent_name: columns.get("livekit_agent_name")?,
        origin: columns.get("origin")?,
        status: columns.parsed("status", str::parse)?,
        mode: columns.get("mode")?,
        custom_metadata: columns.get("custom_metadata")?,
        generation: columns.get("generation")?,
        resumed_at: columns.optional_time("resumed_at")?,
        repeat_used: columns.get("repeat_used")?,
        created_at: columns.time("created_at")?,
        joined_at: columns.optional_time("joined_at")?,
        last_activity_at: columns.time("last_activity_at")?,
        ended_at: columns.optional_time("ended_at")?,
        end_reason: columns.get("end_reason")?,
        feedback_at: columns.optional_time("feedback_at")?,
    })
}

fn message(row: &Row) -> Result<Message, StoreError> {
    let columns = Columns::new(row, "messages", "id");
    Ok(Message {
        id: columns.get("id")?,
        role: columns.get("role")?,
        text: columns.get("text")?,
        created_at: columns.time("created_at")?,
        reported_by: columns.parsed("reported_by", |text| match text {
            "agent" => Ok(Reporter::Agent),
            "visitor" => Ok(Reporter::Visitor),
            other => Err(format!("`{other}` reports no messages")),
        })?,
    })
}
