//! Removes rooms from LiveKit, with retries that survive a restart.

use std::time::Duration as StdDuration;

use livekit_api::services::ServiceError;
use time::Duration;
use tokio::task::JoinSet;

use crate::{
    causes::with_causes,
    state::AppState,
    storage::{Room, StoreError, SweepPosition},
};

/// How often rooms to remove are looked for without a notification; this finds retries and the
/// rooms of other nodes.
const REMOVAL_INTERVAL: StdDuration = StdDuration::from_secs(1);

/// Rooms in one batch, so that no batch runs long.
const BATCH: u32 = 50;

/// The longest pause between two attempts to remove a room.
const MAX_BACKOFF: Duration = Duration::minutes(10);

/// Attempts to remove a room, about a day; LiveKit has closed an empty room long before.
const MAX_REMOVAL_ATTEMPTS: i64 = 150;

pub(super) async fn remove_rooms(state: &AppState) {
    loop {
        match remove_due_rooms(state).await {
            Ok(count) if count == BATCH as usize => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(
                error = with_causes(&error),
                "rooms to remove cannot be read"
            ),
        }
        tokio::select! {
            () = state.room_cleaner.woken() => {}
            () = tokio::time::sleep(REMOVAL_INTERVAL) => {}
        }
    }
}

/// Tries once to remove each room that is due; returns how many there were.
///
/// After LiveKit removed none of them, it is asked for a single room after a pause, so that any
/// number of rooms costs an outage next to nothing. Rows that cannot be read are stepped over.
///
/// # Errors
/// When storage fails; a failure of LiveKit is stored, and the removal is retried later.
pub async fn remove_due_rooms(state: &AppState) -> Result<usize, StoreError> {
    let (cleaner, now) = (&state.room_cleaner, state.now());
    let limit = match &state.livekit {
        Some(_) => cleaner.batch(now, BATCH as usize),
        None => None,
    };
    let Some(limit) = limit else {
        return Ok(0);
    };
    let mut rooms = Vec::new();
    let mut next = Some(SweepPosition::default());
    while let Some(position) = next.filter(|_| rooms.len() < limit) {
        let storage = &state.storage;
        let batch = storage.find_rooms_to_remove(now, &position, BATCH).await?;
        rooms.extend(batch.items);
        next = batch.next;
    }
    rooms.truncate(limit);
    let count = rooms.len();
    let mut attempts = JoinSet::new();
    for room in rooms {
        attempts.spawn(remove_room(state.clone(), room));
    }
    let mut failures = Vec::new();
    for outcome in attempts.join_all().await {
        failures.extend(outcome?);
    }
    if failures.len() < count {
        cleaner.note_success();
    } else if let Some(error) = failures.pop()
        && cleaner.note_failure(now)
    {
        let waiting = state.storage.count_rooms_to_remove().await?;
        tracing::warn!(
            rooms = waiting,
            error = with_causes(&error),
            "LiveKit removes no rooms; they stay until it does"
        );
    }
    Ok(count)
}

/// Tries once; returns the error of LiveKit, which is stored with the time of the next attempt.
async fn remove_room(state: AppState, room: Room) -> Result<Option<ServiceError>, StoreError> {
    let Some(livekit) = &state.livekit else {
        return Ok(None);
    };
    let outcome = livekit.remove_room(&room.name).await;
    let (storage, now) = (&state.storage, state.now());
    match &outcome {
        Ok(()) => {
            tracing::info!(conversation.id = %room.conversation_id, "a room was removed");
            storage.record_room_removal(&room.name, now).await?;
        }
        Err(error) if room.attempts >= MAX_REMOVAL_ATTEMPTS => {
            tracing::error!(conversation.id = %room.conversation_id, error = with_causes(&error), "a room cannot be removed; giving up");
            storage.record_room_removal(&room.name, now).await?;
        }
        Err(error) => {
            tracing::debug!(conversation.id = %room.conversation_id, error = with_causes(&error), "a room cannot be removed yet");
            let next = now + backoff(room.attempts);
            storage.record_failed_room_removal(&room.name, next).await?;
        }
    }
    Ok(outcome.err())
}

/// One second, doubled with each failure.
fn backoff(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(0, 10)).unwrap_or(10);
    (Duration::SECOND * 2_i32.pow(doublings)).min(MAX_BACKOFF)
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
