//! What runs without a request: removing old rooms, ending conversations by their limits, looking
//! at calls whose minutes are limited, checking LiveKit, keeping builds of the embed, writing the
//! last use of keys, erasing conversations, writing what was counted, deleting expired records.
//!
//! Several services on one database do the same work at the same time; each step is harmless when
//! done twice.

use std::time::Duration as StdDuration;

use time::Duration;
use tokio::{sync::watch, task::JoinSet};

pub use self::{
    builds::keep_embed_builds,
    calls::{check_due_calls, settle_ended_conversations},
    conversations::end_due_conversations,
    erasures::{erase_expired, run_erasure_jobs},
    keys::write_key_uses,
    livekit::check_livekit,
    rooms::remove_due_rooms,
    statistics::{forget_statistics, write_statistics},
};
use crate::{
    causes::with_causes,
    metrics::Metrics,
    state::AppState,
    storage::{ForgetBefore, StoreError},
    telemetry,
};

mod builds;
mod calls;
mod conversations;
mod erasures;
mod keys;
mod livekit;
mod rooms;
mod statistics;

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
const JOB_MEMORY: Duration = Duration::days(widget_api::erasures::JOB_DAYS);

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
                statistics::write(&state),
                forget(&state),
                report_requests(&state.metrics)
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
async fn report_requests(metrics: &Metrics) {
    loop {
        tokio::time::sleep(REPORT_INTERVAL).await;
        telemetry::report_requests(metrics);
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
    let (now, storage) = (state.now(), &state.storage);
    let finished = ForgetBefore {
        requests: now - REQUEST_MEMORY,
        rooms: now - ROOM_MEMORY,
        jobs: now - JOB_MEMORY,
    };
    let statistics = async {
        while forget_statistics(state, now).await? {}
        Ok(())
    };
    // What keeps one part from being forgotten keeps no other.
    let outcomes = [
        storage
            .forget_expired(now - TICKET_MEMORY, now - EVENT_MEMORY)
            .await,
        storage.forget_finished(finished).await,
        statistics.await,
    ];
    outcomes.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use http::StatusCode;
    use widget_api::ProblemCode;

    use super::*;
    use crate::{
        metrics::{MethodLabel, Outcome},
        telemetry::capture::Lines,
    };

    #[tokio::test(start_paused = true)]
    async fn requests_are_reported_once_a_minute() {
        let (lines, metrics) = (Lines::capture(), Metrics::default());
        let count = |template, outcome, milliseconds| {
            let route = metrics.requests.route(Some(template));
            let took = StdDuration::from_millis(milliseconds);
            route.method(MethodLabel::Get).count(outcome, took);
        };
        let answered = Outcome::Answered(StatusCode::OK);
        count("/core/agents", answered, 3);
        count("/core/agents", Outcome::Refused(ProblemCode::NotFound), 4);
        count("/core/whoami", answered, 50);
        let mut reports = pin!(report_requests(&metrics));
        let mut after = async |seconds| {
            let time = StdDuration::from_secs(seconds);
            let ended = tokio::time::timeout(time, reports.as_mut()).await;
            assert!(ended.is_err(), "it continues");
            lines.take()
        };
        assert_eq!(after(59).await, "");
        let line = after(2).await;
        for part in [
            "requests of the last minute",
            "requests=3 problems=1",
            "\"GET /core/agents 2 (1 problems), GET /core/whoami 1\"",
            "slowest.route=\"GET /core/whoami\" slowest.milliseconds=50",
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
        assert_eq!(after(60).await, "", "there was none");
        count("/core/agents", answered, 7);
        let line = after(60).await;
        assert!(line.contains("requests=1 problems=0"), "{line}");
        assert!(line.contains("slowest.milliseconds=7"), "{line}");
    }
}
