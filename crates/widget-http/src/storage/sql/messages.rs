//! SQL of messages.

use std::collections::HashMap;

use sqlx::{QueryBuilder, Row as _};
use time::{Duration, OffsetDateTime};
use widget_core::{
    conversation::{Lifecycle, LifecycleLimits, Reporter, Role, transcript::Message, turns},
    id::ConversationId,
};

use super::{
    Backend, Database, Row, Transaction,
    conversation_row::{lock_conversation, write_state},
    counted::{self, LateMessages},
    row::Columns,
};
use crate::storage::{
    driver::micros,
    error::StoreError,
    messages::{AppendError, ConversationMarks, MessageStore},
    meters::Change,
    table::table,
};

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
impl MessageStore for Backend {
    async fn append_messages(
        &self,
        id: ConversationId,
        messages: &[Message],
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<u64, AppendError> {
        let mut transaction = self.begin().await?;
        // First, so that an erasure is either over or waits and finds them.
        let current = lock_conversation(&mut transaction, id).await?;
        let mut added = 0;
        let mut late = LateMessages::default();
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
            .await
            .map_err(StoreError::from)?;
            added += done.rows_affected();
            late.count(message.role, done.rows_affected());
        }
        if added > 0
            && let Some(current) = current
        {
            let next = messages
                .iter()
                .fold(current.lifecycle, |lifecycle, message| {
                    lifecycle.said(message.role, message.created_at, now)
                });
            let next = write_state(&mut transaction, id, next, limits).await?;
            if current.preview_id.is_none() {
                late.answered_after =
                    note_first_answer(&mut transaction, id, messages, &next.lifecycle).await?;
            }
            // Others who report wait for this conversation, so none of theirs is missing here.
            let reporters = messages.iter().map(|message| message.reported_by);
            for reporter in Reporter::ALL.iter().copied() {
                if reporters.clone().any(|other| other == reporter) {
                    let (turns, characters) = measure(&mut transaction, id, reporter).await?;
                    turns::require_space(reporter, turns, characters)?;
                }
            }
            if next.lifecycle.ended_at().is_some() {
                counted::add_late_messages(&mut transaction, &current, late).await?;
            }
        }
        transaction.commit().await?;
        Ok(added)
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
        self.unreadable().skip_all(rows.iter().map(read_message))
    }

    async fn list_messages_after(
        &self,
        id: ConversationId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, Option<Message>)>, StoreError> {
        let rows = sqlx::query(concat!(
            "SELECT sequence, ",
            message_columns!(),
            " FROM messages WHERE conversation_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3"
        ))
        .bind(id.as_uuid())
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        let read = |row: &Row| {
            let message = self.unreadable().skip(read_message(row))?;
            Ok((row.try_get("sequence")?, message))
        };
        rows.iter().map(read).collect()
    }

    async fn find_first_words(
        &self,
        ids: &[ConversationId],
        characters: usize,
    ) -> Result<HashMap<ConversationId, String>, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        // Of each conversation only the messages up to the first of its visitor are read.
        let mut query = QueryBuilder::<Database>::new(format!(
            "SELECT id, (SELECT substr(text, 1, {characters}) FROM messages
                 WHERE conversation_id = c.id AND role = "
        ));
        query.push_bind(Role::Visitor.as_str());
        query.push(" ORDER BY sequence LIMIT 1) AS first_words FROM conversations c WHERE id IN (");
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(id.as_uuid());
        }
        query.push(")");
        let rows = query.build().fetch_all(self.reader()).await?;
        // What cannot be read is reported by who reads the transcript.
        let read = |row: &Row| {
            let words = row.try_get::<Option<String>, _>("first_words").ok()??;
            let id = row.try_get("id").ok()?;
            Some((ConversationId::from_uuid(id), words))
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    async fn find_conversation_marks(
        &self,
        id: ConversationId,
    ) -> Result<Option<ConversationMarks>, StoreError> {
        let row = sqlx::query(
            "SELECT status, mode, generation, active_at, ended_at, feedback_at, erased_at,
                 CAST(OCTET_LENGTH(custom_metadata) AS BIGINT) AS metadata_bytes,
                 (SELECT MAX(sequence) FROM messages WHERE conversation_id = c.id) AS newest
             FROM conversations c WHERE id = $1",
        )
        .bind(id.as_uuid())
        .fetch_optional(self.reader())
        .await?;
        // What cannot be read differs from nothing, and is reported by who reads it.
        Ok(row.map(|row| {
            let text = |column| row.try_get::<String, _>(column).unwrap_or_default();
            let number = |column| row.try_get::<i64, _>(column).unwrap_or_default();
            let numbers = [
                "generation",
                "active_at",
                "ended_at",
                "feedback_at",
                "erased_at",
                // A form that was sent: `active_at` may stay, where another node's clock is ahead.
                "metadata_bytes",
                "newest",
            ];
            ConversationMarks {
                texts: ["status", "mode"].map(text),
                numbers: numbers.map(number),
            }
        }))
    }
}

/// Counts how long the visitor waited for the agent's first words, if these messages have them;
/// returns how long that was.
///
/// Others who report wait for this conversation, so that one of them is the first.
async fn note_first_answer(
    transaction: &mut Transaction,
    id: ConversationId,
    messages: &[Message],
    lifecycle: &Lifecycle,
) -> Result<Option<Duration>, StoreError> {
    let answers = || {
        messages
            .iter()
            .filter(|message| message.role == Role::Agent)
    };
    let Some(first) = answers().min_by_key(|message| message.created_at) else {
        return Ok(None);
    };
    // One more than there are: none of an earlier report is among them.
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM (SELECT 1 FROM messages
         WHERE conversation_id = $1 AND role = $2 LIMIT $3) AS answers",
    )
    .bind(id.as_uuid())
    .bind(Role::Agent.as_str())
    .bind(
        i64::try_from(answers().count())
            .unwrap_or(i64::MAX)
            .saturating_add(1),
    )
    .fetch_one(&mut *transaction)
    .await?;
    if usize::try_from(count).is_ok_and(|count| count <= answers().count())
        && let Some(change) = Change::first_answer(lifecycle, first.created_at)
    {
        transaction.note(change);
        let joined_at = lifecycle.activity().map(|activity| activity.joined_at);
        return Ok(joined_at.map(|joined_at| first.created_at - joined_at));
    }
    Ok(None)
}

/// How many messages the reporter has reported, and how many characters of text.
async fn measure(
    transaction: &mut Transaction,
    id: ConversationId,
    reporter: Reporter,
) -> Result<(i64, i64), StoreError> {
    let size = sqlx::query_as(
        "SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(text)), 0) AS BIGINT) FROM messages
         WHERE conversation_id = $1 AND reported_by = $2",
    )
    .bind(id.as_uuid())
    .bind(reporter.as_str())
    .fetch_one(&mut *transaction)
    .await?;
    Ok(size)
}

/// A NUL is a character that a visitor can send and PostgreSQL cannot store.
fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}
