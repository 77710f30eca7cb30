//! Ends conversations by their limits, after asking LiveKit where the visitor is: an event of their
//! joining or leaving may have been lost.

use std::time::Duration as StdDuration;

use time::OffsetDateTime;
use tokio::task::JoinSet;
use widget_core::{
    conversation::{Lifecycle, Presence},
    id::ConversationId,
};

use crate::{
    livekit::LiveKit,
    state::AppState,
    storage::{ConversationRecord, StoreError},
};

/// How often conversations are ended; far below one minute, the shortest limit that can be set.
const SWEEP_INTERVAL: StdDuration = StdDuration::from_secs(5);

/// Conversations in one batch, so that no batch runs long.
const BATCH: u32 = 50;

pub(super) async fn end_conversations(state: &AppState) {
    loop {
        if let Err(error) = end_due_conversations(state).await {
            tracing::warn!(error = %error, "conversations that are due cannot be read");
        }
        tokio::time::sleep(SWEEP_INTERVAL).await;
    }
}

/// Ends, of the conversations that are due, those that nobody joined, that went silent, or
/// that lasted too long; returns how many have ended.
///
/// Those that end or not by where the visitor is wait for LiveKit's answer, see
/// [`Lifecycle::settle`]. One that cannot be read is logged and does not prevent the end of the
/// others.
///
/// # Errors
/// When those that are due cannot be read.
pub async fn end_due_conversations(state: &AppState) -> Result<usize, StoreError> {
    let now = state.now();
    let mut ended = 0;
    let mut last = None;
    let mut is_answered = true;
    loop {
        let due = state
            .storage
            .find_due_conversations(now, last, BATCH)
            .await?;
        let mut settling = JoinSet::new();
        for conversation in &due {
            settling.spawn(settle_one(state.clone(), conversation.id, now, is_answered));
        }
        let settled = settling.join_all().await;
        ended += settled.iter().filter(|one| one.has_ended).count();
        // An outage of LiveKit costs a sweep one timeout, and not one for each batch.
        let mut answers = settled.iter().filter_map(|one| one.presence).peekable();
        if answers.peek().is_some() {
            is_answered &= answers.any(|presence| presence != Presence::Unknown);
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

/// What became of a conversation that was due.
#[derive(Debug, Default)]
struct Settled {
    has_ended: bool,
    /// Where the visitor is, if that mattered.
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
        // Storage has logged it once.
        Err(StoreError::Corrupt { .. }) => Settled::default(),
        Err(error) => {
            tracing::error!(conversation.id = %id, error = %error, "a conversation that is due cannot be ended");
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
    let livekit = state.livekit.as_ref();
    let livekit = livekit.filter(|_| before.lifecycle.depends_on_presence(now, limits));
    let Some(livekit) = livekit else {
        let after = state.storage.expire_conversation(id, now, limits).await?;
        let has_ended = after.is_some_and(|after| has_ended(&after));
        return Ok(Settled {
            has_ended,
            presence: None,
        });
    };
    let presence = if ask {
        find_presence(state, livekit, id).await?
    } else {
        Presence::Unknown
    };
    let settle = |lifecycle: Lifecycle| lifecycle.settle(presence, now, limits);
    let after = state
        .storage
        .transition_conversation(id, now, limits, &settle)
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
        presence: Some(presence),
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
            tracing::debug!(conversation.id = %id, error = %error, "LiveKit does not say where the visitor is");
            Presence::Unknown
        }))
}
