//! SQL of the events of LiveKit.

use time::OffsetDateTime;
use widget_core::conversation::{
    LifecycleLimits,
    room::{self, RoomAction, RoomOutcome, RoomState},
};

use super::{
    Backend, Transaction,
    conversation_row::{lock_conversation, write_transition},
    previews, rooms, widget_row,
};
use crate::storage::{
    conversations::ConversationRecord,
    driver::micros,
    error::StoreError,
    rooms::Room,
    webhooks::{WebhookEvent, WebhookStore},
    widgets::StoredWidget,
};

/// The room of a conversation that was erased.
const OF_ERASED: RoomState = RoomState {
    is_newest: false,
    is_removed: true,
    visitor_has_left: false,
};

#[async_trait::async_trait]
impl WebhookStore for Backend {
    async fn apply_webhook_event(
        &self,
        event: &WebhookEvent<'_>,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<bool, StoreError> {
        match apply(self, event, now, limits).await {
            // It is over, and its visitor may have held a token when it was erased.
            Err(StoreError::Erased(_)) => {
                let is_removed = room::decide(event.happened, OF_ERASED) == RoomAction::Remove;
                if is_removed {
                    rooms::mark_for_removal(self.writer(), event.room, now).await?;
                }
                Ok(is_removed)
            }
            applied => Ok(self.unreadable().skip(applied)?.unwrap_or(false)),
        }
    }
}

/// Applies an event, all or nothing.
async fn apply(
    backend: &Backend,
    event: &WebhookEvent<'_>,
    now: OffsetDateTime,
    limits: &LifecycleLimits,
) -> Result<bool, StoreError> {
    // Rooms of other services on the same LiveKit cost one read.
    if rooms::by_name(backend.reader(), event.room)
        .await?
        .is_none()
    {
        return Ok(false);
    }
    let mut transaction = backend.begin().await?;
    if !note_event(&mut transaction, event, now).await? {
        return Ok(false);
    }
    let Some((room, conversation)) = lock_room(&mut transaction, event.room).await? else {
        return Ok(false);
    };
    let state = state_of(&mut transaction, event, &room, &conversation).await?;
    let action = room::decide(event.happened, state);
    // The widget may have been closed while the conversation was written; whoever closed it
    // found no room to close.
    let is_served =
        action.needs_served() && is_served(&mut transaction, &conversation, backend, now).await?;
    let outcome = action.apply(conversation.lifecycle, is_served, now);
    let is_removed = match outcome {
        RoomOutcome::Remove => {
            rooms::mark_for_removal(&mut transaction, &room.name, now).await?;
            true
        }
        RoomOutcome::Keep(next) if next != conversation.lifecycle => {
            write_transition(
                &mut transaction,
                backend,
                conversation.id,
                next,
                now,
                limits,
            )
            .await?;
            // It may have been joined when a budget was used up.
            let room = rooms::by_name(&mut transaction, &room.name).await?;
            room.is_some_and(|room| room.is_removed())
        }
        RoomOutcome::Keep(_) => false,
    };
    transaction.commit().await?;
    Ok(is_removed)
}

/// Reads a room and its conversation, and locks the conversation.
async fn lock_room(
    transaction: &mut Transaction,
    name: &str,
) -> Result<Option<(Room, ConversationRecord)>, StoreError> {
    let Some(room) = rooms::by_name(&mut *transaction, name).await? else {
        return Ok(None);
    };
    let conversation = lock_conversation(transaction, room.conversation_id).await?;
    Ok(conversation.map(|conversation| (room, conversation)))
}

/// What the rules ask about a room.
async fn state_of(
    transaction: &mut Transaction,
    event: &WebhookEvent<'_>,
    room: &Room,
    conversation: &ConversationRecord,
) -> Result<RoomState, StoreError> {
    let (lifecycle, newest) = (&conversation.lifecycle, conversation.newest());
    Ok(RoomState {
        is_newest: room::is_newest(lifecycle, newest, room.generation),
        is_removed: room.is_removed(),
        visitor_has_left: event.happened.needs_whether_left()
            && has_ended(
                transaction,
                [event.stay.map(end_of), event.room_life.map(end_of)],
            )
            .await?,
    })
}

/// Notes an event, and what ended by it; `false` when the event was noted before.
async fn note_event(
    transaction: &mut Transaction,
    event: &WebhookEvent<'_>,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    if !note(transaction, event.id, now).await? {
        return Ok(false);
    }
    if let Some(ended) = event.ended() {
        note(transaction, &end_of(ended), now).await?;
    }
    Ok(true)
}

/// Notes an id; `false` when it was noted before.
pub(super) async fn note(
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

/// Whether an earlier event said that one of these has ended.
pub(super) async fn has_ended(
    transaction: &mut Transaction,
    [first, second]: [Option<String>; 2],
) -> Result<bool, StoreError> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM webhook_events WHERE id IN ($1, $2)")
        .bind(first)
        .bind(second)
        .fetch_one(&mut *transaction)
        .await?;
    Ok(count > 0)
}

/// Whether the widget serves the page of the conversation at present, or its preview is open.
async fn is_served(
    transaction: &mut Transaction,
    conversation: &ConversationRecord,
    backend: &Backend,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    if let Some(preview) = conversation.preview_id {
        return previews::is_open(transaction, preview, now).await;
    }
    let widget =
        widget_row::find_any_widget(transaction, conversation.web_widget_id, backend).await?;
    let page = &conversation.origin;
    Ok(match widget.map(StoredWidget::readable) {
        None => false,
        Some(Ok(stored)) => stored.serves(page),
        // Another build can read it and has admitted the page.
        Some(Err(stored)) => stored.widget.may_serve(page),
    })
}

/// The id under which the end of a room's life, of a stay or of a track is noted, beside those of
/// the events.
pub(super) fn end_of(life_or_stay: &str) -> String {
    format!("end of {life_or_stay}")
}
