//! What runs without a request: removing old rooms, ending conversations by their limits, deleting
//! expired records.
//!
//! Several services on one database do the same work at the same time; each step is harmless when
//! done twice.

use std::time::Duration as StdDuration;

use time::{Duration, OffsetDateTime};
use tokio::{sync::watch, task::JoinSet};
use widget_core::id::ConversationId;

use crate::{
    state::AppState,
    storage::{Room, StoreError},
};

/// How often rooms to remove are looked for without a notification; this finds retries and the
/// rooms of other nodes.
const REMOVAL_INTERVAL: StdDuration = StdDuration::from_secs(1);

/// How often conversations are ended; far below one minute, the shortest limit that can be set.
const SWEEP_INTERVAL: StdDuration = StdDuration::from_secs(5);

/// How often expired records are deleted.
const FORGET_INTERVAL: StdDuration = StdDuration::from_mins(1);

/// Rooms and conversations in one batch, so that no batch runs long.
const BATCH: u32 = 50;

/// The longest pause between two attempts to remove a room.
const MAX_BACKOFF: Duration = Duration::minutes(10);

/// Attempts to remove a room, about a day; LiveKit has closed an empty room long before.
const MAX_REMOVAL_ATTEMPTS: i64 = 150;

/// How long a used ticket is remembered after its end: another node's clock may be behind by as
/// much.
const TICKET_MEMORY: Duration = Duration::minutes(5);

/// How long webhook events are remembered; LiveKit retries for minutes.
const EVENT_MEMORY: Duration = Duration::hours(24);

/// Starts every background task of the service; they end when it stops.
#[must_use]
pub fn start(state: &AppState, stopped: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let (state, mut stopped) = (state.clone(), stopped.clone());
    tasks.spawn(async move {
        let work = async {
            tokio::join!(
                remove_rooms(&state),
                end_conversations(&state),
                forget(&state)
            )
        };
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => {}
            _ = work => {}
        }
    });
    tasks
}

async fn remove_rooms(state: &AppState) {
    loop {
        match remove_due_rooms(state).await {
            Ok(count) if count == BATCH as usize => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(error = %error, "rooms to remove cannot be read"),
        }
        tokio::select! {
            () = state.room_cleaner.woken() => {}
            () = tokio::time::sleep(REMOVAL_INTERVAL) => {}
        }
    }
}

async fn end_conversations(state: &AppState) {
    loop {
        if let Err(error) = end_due_conversations(state).await {
            tracing::warn!(error = %error, "conversations that are due cannot be read");
        }
        tokio::time::sleep(SWEEP_INTERVAL).await;
    }
}

async fn forget(state: &AppState) {
    loop {
        let now = state.now();
        if let Err(error) = state
            .storage
            .forget_expired(now - TICKET_MEMORY, now - EVENT_MEMORY)
            .await
        {
            tracing::warn!(error = %error, "expired records cannot be deleted");
        }
        state.rate_limits.forget_idle();
        tokio::time::sleep(FORGET_INTERVAL).await;
    }
}

/// Tries once to remove each room that is due; returns how many there were.
///
/// # Errors
/// When storage fails; a failure of LiveKit is stored, and the removal is retried later.
pub async fn remove_due_rooms(state: &AppState) -> Result<usize, StoreError> {
    if state.livekit.is_none() {
        return Ok(0);
    }
    let rooms = state
        .storage
        .find_rooms_to_remove(state.now(), BATCH)
        .await?;
    let count = rooms.len();
    let mut attempts = JoinSet::new();
    for room in rooms {
        attempts.spawn(remove_room(state.clone(), room));
    }
    for outcome in attempts.join_all().await {
        outcome?;
    }
    Ok(count)
}

async fn remove_room(state: AppState, room: Room) -> Result<(), StoreError> {
    let Some(livekit) = &state.livekit else {
        return Ok(());
    };
    let outcome = livekit.remove_room(&room.name).await;
    let now = state.now();
    match outcome {
        Ok(()) => {
            tracing::info!(conversation.id = %room.conversation_id, "a room was removed");
            state.storage.record_room_removal(&room.name, now).await
        }
        Err(error) if room.attempts >= MAX_REMOVAL_ATTEMPTS => {
            tracing::error!(conversation.id = %room.conversation_id, error = %error, "a room cannot be removed; giving up");
            state.storage.record_room_removal(&room.name, now).await
        }
        Err(error) => {
            tracing::warn!(conversation.id = %room.conversation_id, error = %error, "a room cannot be removed yet");
            state
                .storage
                .record_failed_room_removal(&room.name, now + backoff(room.attempts))
                .await
        }
    }
}

/// One second, doubled with each failure.
fn backoff(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(0, 10)).unwrap_or(10);
    (Duration::SECOND * 2_i32.pow(doublings)).min(MAX_BACKOFF)
}

/// Looks at every conversation that is due and ends those that nobody joined, that went silent, or
/// that lasted too long; returns how many have ended.
///
/// One that cannot be read is logged and does not prevent the end of the others.
///
/// # Errors
/// When those that are due cannot be read.
pub async fn end_due_conversations(state: &AppState) -> Result<usize, StoreError> {
    let now = state.now();
    let mut ended = 0;
    let mut last = None;
    loop {
        let due = state
            .storage
            .find_due_conversations(now, last, BATCH)
            .await?;
        for conversation in &due {
            ended += usize::from(expire(state, conversation.id, now).await);
        }
        last = due.last().copied();
        if due.len() < BATCH as usize {
            break;
        }
    }
    if ended > 0 {
        state.room_cleaner.wake();
    }
    Ok(ended)
}

/// Ends the conversation if a limit was reached; returns whether it has ended.
async fn expire(state: &AppState, id: ConversationId, now: OffsetDateTime) -> bool {
    let limits = &state.lifecycle_limits;
    match state.storage.expire_conversation(id, now, limits).await {
        Ok(Some(conversation)) => {
            let status = conversation.lifecycle.status();
            if status.is_terminal() {
                tracing::info!(conversation.id = %id, conversation.status = status.as_str(), "ended by its limits");
            }
            status.is_terminal()
        }
        Ok(None) => false,
        Err(error) => {
            tracing::error!(conversation.id = %id, error = %error, "a conversation that is due cannot be ended");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_after_each_failure() {
        let waits: Vec<_> = [0, 1, 2, 9, 10, 149, i64::MAX, -1]
            .map(backoff)
            .into_iter()
            .map(Duration::whole_seconds)
            .collect();
        assert_eq!(waits, [1, 2, 4, 512, 600, 600, 600, 1]);
    }
}
