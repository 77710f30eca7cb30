//! Writes what was counted, and forgets numbers that are old.

use std::time::Duration as StdDuration;

use time::{Duration, OffsetDateTime};

use crate::{
    causes::with_causes,
    state::AppState,
    storage::{ForgetStatistics, StoreError},
};

/// How often they are written: what a process loses of them at most when it is killed.
const INTERVAL: StdDuration = StdDuration::from_secs(5);

/// How long others may write before the next of many conversations are counted.
const SHORT_INTERVAL: StdDuration = StdDuration::from_millis(100);

/// Conversations that are looked at in one go, of those that an older node has ended.
const BATCH: u32 = 200;

/// How long the numbers of hours are kept: what may be asked for at once, and some days.
const HOURS_KEPT: Duration = Duration::days(40);

pub(super) async fn write(state: &AppState) {
    loop {
        let written = write_statistics(state).await;
        if let Err(error) = &written {
            tracing::warn!(
                error = with_causes(error),
                "what was counted cannot be written; it is kept and tried again"
            );
        }
        let has_more = matches!(written, Ok((_, ended)) if ended >= BATCH as usize);
        tokio::time::sleep(if has_more { SHORT_INTERVAL } else { INTERVAL }).await;
    }
}

/// Adds what this process has counted to the numbers of widgets, and conversations that ended on
/// nodes which do not count; returns how many hours of widgets and how many conversations were
/// added.
///
/// # Errors
/// [`StoreError`]; what is not written is written the next time.
pub async fn write_statistics(state: &AppState) -> Result<(usize, usize), StoreError> {
    let storage = state.storage.as_ref();
    let written = state.visits.write(storage).await?;
    Ok((written, storage.count_ended(BATCH).await?))
}

/// Forgets a batch of numbers that are older than they are kept; `true` when there may be more.
///
/// # Errors
/// [`StoreError`]
pub async fn forget_statistics(state: &AppState, now: OffsetDateTime) -> Result<bool, StoreError> {
    let kept = state.settings.statistics_retention;
    let before = |kept| now.checked_sub(kept).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let before = ForgetStatistics {
        hours_before: before(kept.min(HOURS_KEPT)),
        days_before: before(kept),
    };
    state.storage.forget_statistics(before).await
}
