//! SQL of rooms: which one is the newest, and which are to be removed from LiveKit, with retries.

use sqlx::Executor;
use time::OffsetDateTime;
use widget_core::id::{ConversationId, PreviewId, WidgetId};

use super::{Backend, Database, Row, Transaction, row::Columns};
use crate::storage::{
    driver::micros,
    error::StoreError,
    rooms::{NewRoom, Room, RoomStore},
    sweep::{SweepBatch, SweepPosition},
    table::table,
    unreadable::ListPosition,
    widgets::StoredWidget,
};

table! {
    room_columns, read_room from "rooms" by "name";
    name: get(),
    conversation_id: id(ConversationId::from_uuid),
    generation: get(),
    page_changed: get(),
    message_waiting: get(),
    created_at: nearest_time(),
    removal_due_at: optional_nearest_time(),
    attempts: get(),
    removed_at: optional_nearest_time(),
    => |row| -> Room {
        Ok(Room {
            name,
            conversation_id,
            generation,
            page_changed,
            message_waiting,
            created_at,
            removal_due_at,
            attempts,
            removed_at,
        })
    }
}

#[async_trait::async_trait]
impl RoomStore for Backend {
    async fn find_newest_room(
        &self,
        conversation: ConversationId,
    ) -> Result<Option<Room>, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT ",
            room_columns!(),
            " FROM rooms WHERE conversation_id = $1 ORDER BY generation DESC LIMIT 1"
        ))
        .bind(conversation.as_uuid())
        .fetch_optional(self.reader())
        .await?;
        row.as_ref().map(read_room).transpose()
    }

    async fn find_rooms_to_remove(
        &self,
        now: OffsetDateTime,
        position: &SweepPosition<ListPosition<String>>,
        limit: u32,
    ) -> Result<SweepBatch<Room, ListPosition<String>>, StoreError> {
        let after = position.after.as_ref();
        let (after_time, after_name) =
            after.map_or((i64::MIN, ""), |(due_at, name)| (*due_at, name.as_str()));
        let rows = sqlx::query(concat!(
            "SELECT ",
            room_columns!(),
            " FROM rooms WHERE removal_due_at <= $1 AND (removal_due_at, name) > ($2, $3)
             ORDER BY removal_due_at, name LIMIT $4 OFFSET $5"
        ))
        .bind(micros(now))
        .bind(after_time)
        .bind(after_name)
        .bind(i64::from(limit))
        .bind(position.unreadable)
        .fetch_all(self.reader())
        .await?;
        let rows = rows.iter().map(|row| {
            read_room(row).and_then(|room| {
                let due_at = Columns::new(row, "rooms", "name").get("removal_due_at")?;
                let after = (due_at, room.name.clone());
                Ok((room, after))
            })
        });
        self.unreadable().batch(rows, position, limit)
    }

    async fn count_rooms_to_remove(&self) -> Result<i64, StoreError> {
        let count =
            sqlx::query_scalar("SELECT COUNT(*) FROM rooms WHERE removal_due_at IS NOT NULL")
                .fetch_one(self.reader())
                .await?;
        Ok(count)
    }

    async fn record_room_removal(&self, name: &str, now: OffsetDateTime) -> Result<(), StoreError> {
        sqlx::query("UPDATE rooms SET removed_at = $2, removal_due_at = NULL WHERE name = $1")
            .bind(name)
            .bind(micros(now))
            .execute(self.writer())
            .await?;
        Ok(())
    }

    async fn record_failed_room_removal(
        &self,
        name: &str,
        next_attempt_at: OffsetDateTime,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE rooms SET attempts = attempts + 1, removal_due_at = $2 WHERE name = $1 AND removal_due_at IS NOT NULL",
        )
        .bind(name)
        .bind(micros(next_attempt_at))
        .execute(self.writer())
        .await?;
        Ok(())
    }
}

/// Inserts a room whose values are the arguments with these numbers.
macro_rules! insert_room {
    ($name:literal, $conversation:literal, $generation:literal, $created_at:literal,
        $page_changed:literal, $message_waiting:literal) => {
        concat!(
            "INSERT INTO rooms (name, conversation_id, generation, created_at, attempts,
                 page_changed, message_waiting)
             SELECT ",
            $name,
            ", ",
            $conversation,
            ", ",
            $generation,
            ", ",
            $created_at,
            ", 0, ",
            $page_changed,
            ", ",
            $message_waiting
        )
    };
}

pub(super) use insert_room;

pub(super) async fn insert(
    transaction: &mut Transaction,
    room: &NewRoom,
    conversation: ConversationId,
    generation: i64,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query(insert_room!("$1", "$2", "$3", "$4", "$5", "$6"))
        .bind(&room.name)
        .bind(conversation.as_uuid())
        .bind(generation)
        .bind(micros(now))
        .bind(room.page_changed)
        .bind(room.message_waiting)
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

pub(super) async fn mark_all_for_removal(
    transaction: &mut Transaction,
    conversation: ConversationId,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE rooms SET removal_due_at = $2, attempts = 0
         WHERE conversation_id = $1 AND removal_due_at IS NULL AND removed_at IS NULL",
    )
    .bind(conversation.as_uuid())
    .bind(micros(now))
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

pub(super) async fn by_name<'c>(
    database: impl Executor<'c, Database = Database>,
    name: &str,
) -> Result<Option<Room>, StoreError> {
    let row = sqlx::query(concat!(
        "SELECT ",
        room_columns!(),
        " FROM rooms WHERE name = $1"
    ))
    .bind(name)
    .fetch_optional(database)
    .await?;
    row.as_ref().map(read_room).transpose()
}

pub(super) async fn mark_for_removal<'c>(
    database: impl Executor<'c, Database = Database>,
    name: &str,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE rooms SET removal_due_at = $2, attempts = 0, removed_at = NULL
         WHERE name = $1 AND removal_due_at IS NULL",
    )
    .bind(name)
    .bind(micros(now))
    .execute(database)
    .await?;
    Ok(())
}

/// What a change of a widget did to its open conversations.
pub(super) struct Unserved {
    /// How many rooms were marked for removal: one of each conversation that it ends.
    pub(super) rooms: u64,
    /// How many conversations were open.
    pub(super) open: i64,
}

/// Marks the rooms of open conversations whose page the widget does not serve.
pub(super) async fn mark_unserved_for_removal(
    transaction: &mut Transaction,
    stored: &StoredWidget,
    now: OffsetDateTime,
) -> Result<Unserved, StoreError> {
    let widget = stored.widget.id;
    let mut unserved = Unserved { rooms: 0, open: 0 };
    for (page, count) in count_open_by_page(&mut *transaction, widget).await? {
        unserved.open += count;
        if !stored.serves_page(&page) {
            unserved.rooms +=
                mark_widget_for_removal(transaction, widget, Some(&page), now).await?;
        }
    }
    Ok(unserved)
}

/// The pages of the open conversations of a widget, and how many there are of each. Those of
/// previews are not served by the widget.
pub(super) async fn count_open_by_page<'c>(
    database: impl Executor<'c, Database = Database>,
    widget: WidgetId,
) -> Result<Vec<(String, i64)>, StoreError> {
    let pages = sqlx::query_as(
        "SELECT origin, COUNT(*) FROM conversations
         WHERE web_widget_id = $1 AND ended_at IS NULL AND preview_id IS NULL GROUP BY origin",
    )
    .bind(widget.as_uuid())
    .fetch_all(database)
    .await?;
    Ok(pages)
}

/// Marks the rooms of the widget's open conversations: all, or those of one page. Those of previews
/// go only with all: a change of the widget does not change its previews.
pub(super) async fn mark_widget_for_removal(
    transaction: &mut Transaction,
    widget: WidgetId,
    page: Option<&str>,
    now: OffsetDateTime,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE rooms SET removal_due_at = $3, attempts = 0
         WHERE removal_due_at IS NULL AND removed_at IS NULL AND conversation_id IN (
             SELECT id FROM conversations
             WHERE web_widget_id = $1 AND ended_at IS NULL AND origin = COALESCE($2, origin)
                 AND ($2 IS NULL OR preview_id IS NULL))",
    )
    .bind(widget.as_uuid())
    .bind(page)
    .bind(micros(now))
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected())
}

/// Marks the rooms of the open conversations of a preview.
pub(super) async fn mark_preview_for_removal(
    transaction: &mut Transaction,
    preview: PreviewId,
    now: OffsetDateTime,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE rooms SET removal_due_at = $2, attempts = 0
         WHERE removal_due_at IS NULL AND removed_at IS NULL AND conversation_id IN (
             SELECT id FROM conversations WHERE preview_id = $1 AND ended_at IS NULL)",
    )
    .bind(preview.as_uuid())
    .bind(micros(now))
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected())
}
