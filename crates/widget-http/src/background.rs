//! What runs without a request: removing old rooms, ending conversations by their limits, looking
//! at calls whose minutes are limited, checking LiveKit, keeping builds of the embed, writing the
//! last use of keys, erasing conversations, deleting expired records.
//!
//! Several services on one database do the same work at the same time; each step is harmless when
//! done twice.

use std::time::Duration as StdDuration;

use time::Duration;
use tokio::{sync::watch, task::JoinSet};

pub use self::{
    builds::keep_embed_builds,
    calls::check_due_calls,
    conversations::end_due_conversations,
    erasures::{erase_expired, run_erasure_jobs},
    keys::write_key_uses,
    livekit::check_livekit,
    rooms::remove_due_rooms,
};
use crate::{
    causes::with_causes,
    state::AppState,
    storage::{ForgetBefore, StoreError},
    web::telemetry,
};

mod builds;
mod calls;
mod conversations;
mod erasures;
mod keys;
mod livekit;
mod rooms;

/// How often expired records are deleted.
const FORGET_INTERVAL: StdDuration = StdDuration::from_mins(1);

/// How often requests that were answered are reported.
const REPORT_INTERVAL: StdDuration = StdDuration::from_mins(1);

/// How long a used ticket is remembered after its end: another node's clock may be behind by as
/// much.
const TICKET_MEMORY: Duration = Duration::minutes(5);

/// How long webhook events are remembered; LiveKit retries for minutes.
const EVENT_MEMORY: Duration = Duration::hours(24);

/// How long a request can be repeated by its `Idempotency-Key`.
pub(crate) const REQUEST_MEMORY: Duration = Duration::hours(24);

/// How long the rooms of a conversation that is over are known after their removal: somebody who
/// was in one could return to it for some minutes.
const ROOM_MEMORY: Duration = Duration::days(7);

/// How long the outcome of a job can be read.
const JOB_MEMORY: Duration = Duration::days(30);

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
                erasures::erase(&state),
                forget(&state),
                report_requests(&state)
            )
        };
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => {}
            _ = work => {}
        }
    });
    tasks
}

/// Says once a minute how many requests there were.
async fn report_requests(state: &AppState) {
    loop {
        tokio::time::sleep(REPORT_INTERVAL).await;
        telemetry::report_requests(&state.metrics);
    }
}

async fn forget(state: &AppState) {
    loop {
        if let Err(error) = forget_expired(state).await {
            tracing::warn!(
                error = with_causes(&error),
                "expired records cannot be deleted"
            );
        }
        state.rate_limits.forget_idle();
        tokio::time::sleep(FORGET_INTERVAL).await;
    }
}

/// Deletes records whose time is over.
///
/// # Errors
/// [`StoreError`]
pub async fn forget_expired(state: &AppState) -> Result<(), StoreError> {
    let now = state.now();
    state
        .storage
        .forget_expired(now - TICKET_MEMORY, now - EVENT_MEMORY)
        .await?;
    state
        .storage
        .forget_finished(ForgetBefore {
            requests: now - REQUEST_MEMORY,
            rooms: now - ROOM_MEMORY,
            jobs: now - JOB_MEMORY,
        })
        .await
}
