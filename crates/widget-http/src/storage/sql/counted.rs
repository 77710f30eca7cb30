//! What is counted of conversations, and how numbers are added up: rows of them are locked last in
//! a transaction, in the order of their key.

use std::collections::BTreeMap;

use sqlx::QueryBuilder;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;
use widget_core::{
    conversation::{EndReason, Role},
    id::{ConversationId, WidgetId},
    statistics::{ConversationFacts, Counter, Interval, StatisticsRange},
};

use super::{Backend, Database, Row, Transaction, row::Columns};
use crate::storage::{
    conversations::ConversationRecord, driver::micros, error::StoreError, table::table,
};

/// Rows of one statement; the smaller database binds 32,766 values.
const ROWS: usize = 500;

/// What is counted of one conversation.
#[derive(Debug)]
pub(super) struct CountedFacts {
    web_widget_id: WidgetId,
    created_at: OffsetDateTime,
    facts: ConversationFacts,
    /// Since when the visitor's voice is there.
    voice_since: Option<i64>,
    voice_micros: i64,
}

table! {
    facts_columns, read_facts from "conversations" by "id";
    id = "c.id": id(ConversationId::from_uuid),
    web_widget_id = "c.web_widget_id": id(WidgetId::from_uuid),
    created_at = "c.created_at": nearest_time(),
    mode = "COALESCE(c.start_mode, c.mode)": parsed(str::parse),
    joined_at = "c.joined_at": optional_nearest_time(),
    end_reason = "c.end_reason": optional_parsed(str::parse),
    voice_micros = "c.voice_micros": get(),
    voice_since = "c.voice_since": get(),
    visitor_messages = "(SELECT COUNT(*) FROM messages m
        WHERE m.conversation_id = c.id AND m.role = 'visitor')": get(),
    agent_messages = "(SELECT COUNT(*) FROM messages m
        WHERE m.conversation_id = c.id AND m.role = 'agent')": get(),
    answered_at = "(SELECT MIN(m.created_at) FROM messages m
        WHERE m.conversation_id = c.id AND m.role = 'agent')": optional_nearest_time(),
    => |row| -> CountedFacts {
        let _: ConversationId = id;
        let (visitor_messages, agent_messages): (i64, i64) = (visitor_messages, agent_messages);
        Ok(CountedFacts {
            web_widget_id,
            created_at,
            facts: ConversationFacts {
                mode,
                joined_at,
                answered_at,
                visitor_messages: visitor_messages.unsigned_abs(),
                agent_messages: agent_messages.unsigned_abs(),
                voice: Duration::ZERO,
                end_reason,
            },
            voice_since,
            voice_micros,
        })
    }
}

/// Conversations whose facts count: not those of previews. The end of a conversation and the
/// reading of open ones go through it.
macro_rules! select_facts {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            facts_columns!(),
            " FROM conversations c WHERE c.preview_id IS NULL AND (",
            $condition,
            ")"
        )
    };
}

impl CountedFacts {
    /// The same with what ended it.
    pub(super) const fn with_end(mut self, reason: Option<EndReason>) -> Self {
        self.facts.end_reason = reason;
        self
    }

    /// What it adds to each counter, when `until` is its end or now.
    fn counts(&self, until: OffsetDateTime) -> Vec<(Counter, u64)> {
        let since = self.voice_since.unwrap_or(i64::MAX);
        let running = micros(until).saturating_sub(since).max(0);
        let voice = self.voice_micros.max(0).saturating_add(running);
        let facts = ConversationFacts {
            voice: Duration::microseconds(voice),
            ..self.facts
        };
        facts.counts()
    }
}

/// Rows to add to, in the order in which all of them are locked.
#[derive(Debug, Default)]
pub(super) struct Additions(BTreeMap<(Uuid, &'static str, i64, String), i64>);

impl Additions {
    /// Adds to the hour and to the day of a time.
    pub(super) fn add(
        &mut self,
        widget: WidgetId,
        at: OffsetDateTime,
        counts: Vec<(Counter, u64)>,
    ) {
        for (counter, amount) in counts {
            let amount = i64::try_from(amount).unwrap_or(i64::MAX);
            for interval in Interval::ALL {
                let point = interval.point_of(at);
                let key = (
                    widget.as_uuid(),
                    interval.as_str(),
                    point,
                    counter.to_string(),
                );
                let sum = self.0.entry(key).or_default();
                *sum = sum.saturating_add(amount);
            }
        }
    }

    /// Writes all of it.
    pub(super) async fn write(self, transaction: &mut Transaction) -> Result<(), StoreError> {
        let mut rows = self.0.into_iter().peekable();
        while rows.peek().is_some() {
            let mut insert = QueryBuilder::<Database>::new(
                "INSERT INTO web_widget_statistics (web_widget_id, period, point, counter, amount) ",
            );
            let chunk = rows.by_ref().take(ROWS);
            insert.push_values(
                chunk,
                |mut row, ((widget, period, point, counter), amount)| {
                    row.push_bind(widget)
                        .push_bind(period)
                        .push_bind(point)
                        .push_bind(counter)
                        .push_bind(amount);
                },
            );
            insert.push(
                " ON CONFLICT (web_widget_id, period, point, counter)
                 DO UPDATE SET amount = web_widget_statistics.amount + excluded.amount",
            );
            insert.build().execute(&mut *transaction).await?;
        }
        Ok(())
    }
}

/// Counts a conversation that is locked and has ended, once; nothing happens to one that is open.
///
/// Call it after everything else that its transaction locks.
pub(super) async fn count_if_ended(
    transaction: &mut Transaction,
    backend: &Backend,
    id: ConversationId,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    if mark_counted(transaction, id).await? {
        let counted = find_facts(transaction, backend, id).await?;
        add(transaction, counted, now).await?;
    }
    Ok(())
}

/// Marks a conversation that has ended as counted; `false` when it was or when it is open.
pub(super) async fn mark_counted(
    transaction: &mut Transaction,
    id: ConversationId,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE conversations SET counted = TRUE
         WHERE id = $1 AND ended_at IS NOT NULL AND NOT counted",
    )
    .bind(id.as_uuid())
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// What is counted of a conversation as it is now; nothing of one that cannot be read.
pub(super) async fn find_facts(
    transaction: &mut Transaction,
    backend: &Backend,
    id: ConversationId,
) -> Result<Option<CountedFacts>, StoreError> {
    let row = sqlx::query(select_facts!("c.id = $1"))
        .bind(id.as_uuid())
        .fetch_optional(&mut *transaction)
        .await?;
    let Some(row) = row else { return Ok(None) };
    backend.unreadable().skip(read_facts(&row))
}

/// What is counted of the open conversations of a widget that began in a range, each with when it
/// began.
pub(super) async fn find_open(
    backend: &Backend,
    widget: WidgetId,
    range: &StatisticsRange,
    now: OffsetDateTime,
) -> Result<Vec<(OffsetDateTime, Vec<(Counter, u64)>)>, StoreError> {
    let rows = sqlx::query(select_facts!(
        "c.web_widget_id = $1 AND c.ended_at IS NULL AND c.created_at >= $2 AND c.created_at < $3"
    ))
    .bind(widget.as_uuid())
    .bind(micros(range.from()))
    .bind(micros(range.to()))
    .fetch_all(backend.reader())
    .await?;
    let facts = backend.unreadable().skip_all(rows.iter().map(read_facts))?;
    let counts = |counted: CountedFacts| (counted.created_at, counted.counts(now));
    Ok(facts.into_iter().map(counts).collect())
}

/// Adds a conversation to the numbers.
pub(super) async fn add(
    transaction: &mut Transaction,
    counted: Option<CountedFacts>,
    ended_at: OffsetDateTime,
) -> Result<(), StoreError> {
    let Some(counted) = counted else {
        return Ok(());
    };
    let mut additions = Additions::default();
    let counts = counted.counts(ended_at);
    additions.add(counted.web_widget_id, counted.created_at, counts);
    additions.write(transaction).await
}

/// Messages that are added at once.
#[derive(Debug, Default)]
pub(super) struct LateMessages {
    of_visitor: u64,
    of_agent: u64,
    /// How long after the joining the agent said its first words, if it does by these.
    pub(super) answered_after: Option<Duration>,
}

impl LateMessages {
    /// Notes how many were added.
    pub(super) const fn count(&mut self, role: Role, added: u64) {
        match role {
            Role::Visitor => self.of_visitor += added,
            Role::Agent => self.of_agent += added,
        }
    }
}

/// Counts messages that are reported after their conversation was counted.
pub(super) async fn add_late_messages(
    transaction: &mut Transaction,
    conversation: &ConversationRecord,
    late: LateMessages,
) -> Result<(), StoreError> {
    let is_counted: Option<bool> =
        sqlx::query_scalar("SELECT counted FROM conversations WHERE id = $1")
            .bind(conversation.id.as_uuid())
            .fetch_optional(&mut *transaction)
            .await?;
    if is_counted != Some(true) {
        return Ok(());
    }
    let mut counts = vec![
        (Counter::VisitorMessages, late.of_visitor),
        (Counter::AgentMessages, late.of_agent),
    ];
    if let Some(after) = late.answered_after {
        counts.extend([(Counter::Answered, 1), (Counter::first_answer(after), 1)]);
    }
    counts.retain(|(_, amount)| *amount > 0);
    add_counts(transaction, conversation, counts).await
}

/// Counts the feedback after a conversation, which its end does not.
pub(super) async fn add_feedback(
    transaction: &mut Transaction,
    conversation: &ConversationRecord,
    rating: Option<u8>,
) -> Result<(), StoreError> {
    let rating = rating.map(|stars| (Counter::Rating(stars), 1));
    let counts = [(Counter::Feedback, 1)].into_iter().chain(rating).collect();
    add_counts(transaction, conversation, counts).await
}

/// Adds to the numbers of the time at which a conversation began; nothing of a preview.
async fn add_counts(
    transaction: &mut Transaction,
    conversation: &ConversationRecord,
    counts: Vec<(Counter, u64)>,
) -> Result<(), StoreError> {
    if conversation.preview_id.is_some() {
        return Ok(());
    }
    let mut additions = Additions::default();
    additions.add(conversation.web_widget_id, conversation.created_at, counts);
    additions.write(transaction).await
}

/// How long the visitor's voice has been there until a time; nothing when that is not sensible.
macro_rules! running_voice {
    ($until:literal) => {
        concat!(
            "CASE WHEN voice_since BETWEEN ",
            $until,
            " - 31536000000000 AND ",
            $until,
            " THEN ",
            $until,
            " - voice_since ELSE 0 END"
        )
    };
}

pub(super) use running_voice;

/// Notes that the visitor's voice came into the newest room of a conversation or went, also where
/// nothing limits it. A repetition changes nothing.
///
/// The room is looked up by itself, and not for each open conversation.
pub(super) async fn note_voice(
    backend: &Backend,
    room: &str,
    is_there: bool,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let statement = if is_there {
        "UPDATE conversations SET voice_since = $2
         WHERE voice_since IS NULL AND ended_at IS NULL
             AND id = (SELECT conversation_id FROM rooms WHERE name = $1 AND removed_at IS NULL)
             AND generation = (SELECT generation FROM rooms WHERE name = $1)"
    } else {
        concat!(
            "UPDATE conversations SET voice_micros = voice_micros + ",
            running_voice!("$2"),
            ", voice_since = NULL
             WHERE voice_since IS NOT NULL AND ended_at IS NULL
                 AND id = (SELECT conversation_id FROM rooms WHERE name = $1)
                 AND generation = (SELECT generation FROM rooms WHERE name = $1)"
        )
    };
    sqlx::query(statement)
        .bind(room)
        .bind(micros(now))
        .execute(backend.writer())
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn values_in_statements_are_those_of_core() {
        for role in Role::ALL {
            let value = format!("m.role = '{role}'");
            assert!(select_facts!("TRUE").contains(&value), "{value}");
        }
    }
}
