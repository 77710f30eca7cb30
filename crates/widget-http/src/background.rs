//! What runs without a request: removing old rooms, ending conversations by their limits, looking
//! at calls whose minutes are limited, checking LiveKit, keeping builds of the embed, writing the
//! last use of keys, deleting expired records.
//!
//! Several services on one database do the same work at the same time; each step is harmless when
//! done twice.

use std::time::Duration as StdDuration;

use time::Duration;
use tokio::{sync::watch, task::JoinSet};

pub use self::{
    builds::keep_embed_builds, calls::check_due_calls, conversations::end_due_conversations,
    keys::write_key_uses, livekit::check_livekit, rooms::remove_due_rooms,
};
use crate::{causes::with_causes, state::AppState};

mod builds;
mod calls;
mod conversations;
mod keys;
mod livekit;
mod rooms;

/// How often expired records are deleted.
const FORGET_INTERVAL: StdDuration = StdDuration::from_mins(1);

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
                rooms::remove_rooms(&state),
                conversations::end_conversations(&state),
                calls::watch_calls(&state),
                livekit::watch(&state),
                builds::keep_builds(&state),
                keys::write_uses(&state),
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

async fn forget(state: &AppState) {
    loop {
        let now = state.now();
        if let Err(error) = state
            .storage
            .forget_expired(now - TICKET_MEMORY, now - EVENT_MEMORY)
            .await
        {
            tracing::warn!(
                error = with_causes(&error),
                "expired records cannot be deleted"
            );
        }
        state.rate_limits.forget_idle();
        tokio::time::sleep(FORGET_INTERVAL).await;
    }
}
