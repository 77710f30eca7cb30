//! Ends conversations by their limits, after asking LiveKit where the visitor is: an event of their
//! joining or leaving may have been lost.

use std::time::Duration as StdDuration;

use time::OffsetDateTime;
use tokio::task::JoinSet;
use widget_core::{conversation::Presence, id::ConversationId};

use crate::{
    causes::with_causes,
    livekit::LiveKit,
    state::AppState,
    storage::{ConversationRecord, StoreError, SweepPosition},
};

/// How often conversations are ended; far below one minute, the shortest limit that can be set.
const SWEEP_INTERVAL: StdDuration = StdDuration::from_secs(5);

/// Conversations in one batch, so that no batch runs long.
const BATCH: u32 = 50;

pub(super) async fn end_conversations(state: &AppState) {
    loop {
        if let Err(error) = end_due_conversations(state).await {
            tracing::warn!(
                error = with_causes(&error),
                "conversations that are due cannot be read"
            );
        }
        tokio::time::sleep(SWEEP_INTERVAL).await;
    }
}

/// Ends, of the conversations that are due, those that nobody joined, that went silent, or
/// that lasted too long; returns how many have ended.
///
/// Those that end or not by where the visitor is wait for LiveKit's answer, see
/// [`settle`](widget_core::conversation::Lifecycle::settle). One that cannot be read is logged and
/// does not prevent the end of the others.
///
/// # Errors
/// When those that are due cannot be read.
pub async fn end_due_conversations(state: &AppState) -> Result<usize, StoreError> {
    let now = state.now();
    let mut ended = 0;
    let mut is_answered = true;
    let mut next = Some(SweepPosition::default());
    while let Some(position) = next {
        let storage = &state.storage;
        let batch = storage
            .find_due_conversations(now, &position, BATCH)
            .await?;
        let mut settling = JoinSet::new();
        for id in batch.items {
            settling.spawn(settle_one(state.clone(), id, now, is_answered));
        }
        let settled = settling.join_all().await;
        ended += settled.iter().filter(|one| one.has_ended).count();
        // An outage of LiveKit costs a sweep one timeout, and not one for each batch.
        let mut answers = settled.iter().filter_map(|one| one.presence).peekable();
        if answers.peek().is_some() {
            is_answered &= answers.any(|presence| presence != Presence::Unknown);
        }
        next = batch.next;
    }
    if ended > 0 {
        state.room_cleaner.wake();
    }
    Ok(ended)
}

/// What became of a conversation that was due.
#[derive(Debug, Default)]
struct Settled {
    has_ended: bool,
    /// Where the visitor is, if LiveKit was asked.
    presence: Option<Presence>,
}

async fn settle_one(
    state: AppState,
    id: ConversationId,
    now: OffsetDateTime,
    ask: bool,
) -> Settled {
    match settle(&state, id, now, ask).await {
        Ok(settled) => settled,
        // Storage has logged it once, or it was erased meanwhile.
        Err(StoreError::Corrupt { .. } | StoreError::Erased(_)) => Settled::default(),
        Err(error) => {
            tracing::error!(conversation.id = %id, error = with_causes(&error), "a conversation that is due cannot be ended");
            Settled::default()
        }
    }
}

/// Ends the conversation if a limit was reached and the visitor is where the events say.
async fn settle(
    state: &AppState,
    id: ConversationId,
    now: OffsetDateTime,
    ask: bool,
) -> Result<Settled, StoreError> {
    let limits = &state.lifecycle_limits;
    let Some(before) = state.storage.find_conversation(id).await? else {
        return Ok(Settled::default());
    };
    let is_asked = ask && before.lifecycle.depends_on_presence(now, limits);
    let presence = match &state.livekit {
        Some(livekit) if is_asked => find_presence(state, livekit, id).await?,
        Some(_) => Presence::Unknown,
        None => Presence::AsReported,
    };
    let after = state
        .storage
        .settle_conversation(id, presence, now, limits)
        .await?;
    let has_ended = after.is_some_and(|after| {
        let has_ended = has_ended(&after);
        if !has_ended && after.lifecycle != before.lifecycle {
            tracing::info!(conversation.id = %id, "LiveKit says where the visitor is; the event of it was lost");
        }
        has_ended
    });
    Ok(Settled {
        has_ended,
        presence: (is_asked && state.livekit.is_some()).then_some(presence),
    })
}

fn has_ended(conversation: &ConversationRecord) -> bool {
    let status = conversation.lifecycle.status();
    if status.is_terminal() {
        tracing::info!(conversation.id = %conversation.id, conversation.status = status.as_str(), "ended by its limits");
    }
    status.is_terminal()
}

/// Asks LiveKit whether the visitor is in the newest room.
async fn find_presence(
    state: &AppState,
    livekit: &LiveKit,
    id: ConversationId,
) -> Result<Presence, StoreError> {
    let room = state.storage.find_newest_room(id).await?;
    // Nobody may be in a room that is to be removed.
    let room = room.filter(|room| !room.is_removed());
    let Some(room) = room else {
        return Ok(Presence::Absent);
    };
    Ok(livekit
        .find_visitor(&room.name)
        .await
        .unwrap_or_else(|error| {
            tracing::debug!(conversation.id = %id, error = with_causes(&error), "LiveKit does not say where the visitor is");
            Presence::Unknown
        }))
}
