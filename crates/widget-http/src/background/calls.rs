//! Looks at calls whose minutes are limited: extends them while LiveKit hears the visitor, settles
//! them when it does not, and removes the room of one whose minutes are used up.
//!
//! Only LiveKit is believed: a browser could say anything.

use std::time::Duration as StdDuration;

use tokio::task::JoinSet;
use widget_core::conversation::budget::Audio;

use crate::{
    causes::with_causes,
    livekit::LiveKit,
    state::AppState,
    storage::{CallOutcome, DueCall, StoreError, SweepPosition},
};

/// How often calls are looked for; far below the time for which a call is extended ahead.
const SWEEP_INTERVAL: StdDuration = StdDuration::from_secs(5);

/// Calls in one batch, so that no batch runs long.
const BATCH: u32 = 50;

pub(super) async fn watch_calls(state: &AppState) {
    loop {
        if let Err(error) = check_due_calls(state).await {
            tracing::warn!(error = with_causes(&error), "calls cannot be looked at");
        }
        if let Err(error) = settle_ended_conversations(state).await {
            tracing::warn!(
                error = with_causes(&error),
                "what conversations have reserved cannot be settled"
            );
        }
        tokio::time::sleep(SWEEP_INTERVAL).await;
    }
}

/// Settles what conversations have reserved that were joined or ended on a node of the release
/// before. One that cannot be read is logged and keeps no other from being settled.
///
/// # Errors
/// When storage fails.
pub async fn settle_ended_conversations(state: &AppState) -> Result<(), StoreError> {
    let mut next = Some(SweepPosition::default());
    while let Some(position) = next {
        let batch = state.storage.find_unsettled(&position, BATCH).await?;
        for id in batch.iter() {
            state.storage.settle_ended(*id).await?;
        }
        next = batch.next;
    }
    Ok(())
}

/// Looks once at each call that is due. One that cannot be read is logged and does not keep others
/// from being looked at.
///
/// # Errors
/// When those that are due cannot be read.
pub async fn check_due_calls(state: &AppState) -> Result<(), StoreError> {
    let now = state.now();
    let (mut is_answered, mut is_removed) = (true, false);
    let mut next = Some(SweepPosition::default());
    while let Some(position) = next {
        let due = state.storage.find_due_calls(now, &position, BATCH).await?;
        let mut checks = JoinSet::new();
        for call in due.items {
            checks.spawn(check_one(state.clone(), call, is_answered));
        }
        let checked = checks.join_all().await;
        // An outage of LiveKit costs a sweep one timeout, and not one for each batch.
        if !checked.is_empty() {
            is_answered &= checked.iter().any(|(audio, _)| *audio != Audio::Unknown);
        }
        is_removed |= checked
            .iter()
            .any(|(_, outcome)| *outcome == CallOutcome::Removed);
        next = due.next;
    }
    if is_removed {
        state.room_cleaner.wake();
    }
    Ok(())
}

async fn check_one(state: AppState, call: DueCall, ask: bool) -> (Audio, CallOutcome) {
    match check(&state, &call, ask).await {
        Ok(checked) => {
            if checked.1 == CallOutcome::Removed {
                tracing::info!(conversation.id = %call.id, "the minutes of voice are used up; removing the room");
            }
            checked
        }
        // Storage has logged it once.
        Err(StoreError::Corrupt { .. }) => (Audio::Unknown, CallOutcome::Continues),
        Err(error) => {
            tracing::warn!(conversation.id = %call.id, error = with_causes(&error), "a call cannot be looked at");
            (Audio::Unknown, CallOutcome::Continues)
        }
    }
}

async fn check(
    state: &AppState,
    call: &DueCall,
    ask: bool,
) -> Result<(Audio, CallOutcome), StoreError> {
    let audio = match state.livekit.as_ref().filter(|_| ask) {
        Some(livekit) => find_audio(state, livekit, call).await?,
        None => Audio::Unknown,
    };
    let limits = state
        .find_visitor_limits(&call.organization_id, call.web_widget_id)
        .await?;
    let (storage, now) = (&state.storage, state.now());
    let outcome = storage
        .check_call(call.id, audio, &limits.budgets, now)
        .await?;
    Ok((audio, outcome))
}

/// Asks LiveKit whether the visitor's voice is in the newest room.
async fn find_audio(
    state: &AppState,
    livekit: &LiveKit,
    call: &DueCall,
) -> Result<Audio, StoreError> {
    let room = state.storage.find_newest_room(call.id).await?;
    let Some(room) = room.filter(|room| !room.is_removed()) else {
        return Ok(Audio::Absent);
    };
    Ok(livekit
        .find_audio(&room.name)
        .await
        .unwrap_or_else(|error| {
            tracing::debug!(conversation.id = %call.id, error = with_causes(&error), "LiveKit does not say whether the visitor speaks");
            Audio::Unknown
        }))
}
