//! Erases conversations: those that jobs select, and those whose time to be kept is over.
//!
//! Several nodes may do the same work at once: a conversation is erased once, by whoever locks it
//! first, and what a job has counted is written together with it.

use std::time::Duration as StdDuration;

use time::Duration;
use widget_api::erasures::ConversationSelection;
use widget_core::{
    conversation::{ErasedBy, Erasure, selection::Selection},
    id::ConversationId,
};

use crate::{
    causes::with_causes,
    state::AppState,
    storage::{
        Erasable, ListPosition, RunningJob, StoreError, StoredRetention, SweepBatch, SweepPosition,
    },
};

/// How often there is something to do: at most [`MAX_ERASED`] each time.
const INTERVAL: StdDuration = StdDuration::from_secs(1);

/// How many rounds pass between two searches for conversations whose time is over, unless the one
/// before found as many as it may.
const ROUNDS_BETWEEN_SEARCHES: u32 = 60;

/// How many conversations are erased in one round, so that visitors do not wait for it.
const MAX_ERASED: usize = 200;

/// How many conversations of a job are looked at together: with metadata of 128 KiB these are 6
/// MiB.
const BATCH: u32 = 50;

/// How many settings of organizations are read together.
const RETENTIONS: u32 = 100;

/// How long a node that was killed keeps others from continuing its job.
const LEASE: Duration = Duration::seconds(30);

/// How long at most nobody tries a job that this release cannot read: a newer one may be able to.
const LONGEST_WAIT: Duration = Duration::HOUR;

pub(super) async fn erase(state: &AppState) {
    let mut rounds_left = 0;
    loop {
        report(run_erasure_jobs(state).await.err());
        if rounds_left == 0 {
            rounds_left = ROUNDS_BETWEEN_SEARCHES;
            match erase_expired(state).await {
                Ok(count) if count >= MAX_ERASED => rounds_left = 1,
                outcome => report(outcome.err()),
            }
        }
        rounds_left -= 1;
        match state.storage.empty_log().await {
            Ok(true) => {}
            Ok(false) => tracing::debug!(
                "somebody reads the log of the database; erased content stays in it for now"
            ),
            Err(error) => report(Some(error)),
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

fn report(error: Option<StoreError>) {
    if let Some(error) = error {
        tracing::warn!(
            error = with_causes(&error),
            "conversations cannot be erased"
        );
    }
}

/// Continues jobs until they are done, or until a round has erased as many as it may; returns
/// how many it erased.
///
/// # Errors
/// [`StoreError`]; what was erased before is counted.
pub async fn run_erasure_jobs(state: &AppState) -> Result<usize, StoreError> {
    let mut erased = 0;
    while erased < MAX_ERASED {
        let now = state.now();
        let Some(job) = state.storage.lease_erasure_job(now, now + LEASE).await? else {
            break;
        };
        let filter: Result<ConversationSelection, _> = serde_json::from_str(&job.selection);
        // The error could quote what it says.
        let selection = filter
            .ok()
            .and_then(|filter| Selection::try_from(filter).ok());
        let Some(selection) = selection else {
            // Each wait is as long as all before it.
            let wait = (now - job.created_at).clamp(LEASE, LONGEST_WAIT);
            tracing::error!(
                erasure_job.id = %job.id,
                wait.seconds = wait.whole_seconds(),
                "a job to erase conversations cannot be read, as if a newer release wrote it; it waits"
            );
            state.storage.postpone_erasure_job(&job, now + wait).await?;
            continue;
        };
        erased += continue_job(state, &job, &selection).await?;
    }
    if erased > 0 {
        state.room_cleaner.wake();
    }
    Ok(erased)
}

/// Looks at the next conversations of a job.
async fn continue_job(
    state: &AppState,
    job: &RunningJob,
    selection: &Selection,
) -> Result<usize, StoreError> {
    let storage = &state.storage;
    let found = list_next(state, job, selection).await?;
    let fitting = found.iter().filter(|one| one.fits(selection));
    let (mut erased, mut counted) = (0, 0);
    for one in fitting {
        if job.dry_run {
            counted += 1;
            continue;
        }
        let erasure = Erasure {
            at: state.now(),
            by: ErasedBy::ApiKey(job.api_key_id.clone()),
        };
        let limits = &state.lifecycle_limits;
        if storage
            .erase_for_job(job, selection, one.id(), &erasure, limits)
            .await?
        {
            erased += 1;
        }
    }
    let to = found.next.as_ref().and_then(SweepPosition::after).copied();
    storage
        .advance_erasure_job(job, to, counted, state.now())
        .await?;
    if found.next.is_none() {
        tracing::info!(erasure_job.id = %job.id, "a job to erase conversations is done");
    }
    Ok(erased)
}

/// The next conversations of a job, of which one at least can be read unless they are the last:
/// only such a one can be the position of a job.
async fn list_next(
    state: &AppState,
    job: &RunningJob,
    selection: &Selection,
) -> Result<SweepBatch<Erasable, ListPosition>, StoreError> {
    let (organization, mut position) = (&job.organization_id, SweepPosition::behind(job.position));
    loop {
        let found = state
            .storage
            .list_erasable(organization, selection, &position, BATCH)
            .await?;
        match found.next {
            Some(next) if found.items.is_empty() => position = next,
            next => {
                return Ok(SweepBatch {
                    items: found.items,
                    next,
                });
            }
        }
    }
}

/// Erases conversations that ended longer ago than the service, their organization or their widget
/// keeps them, some of them; returns how many it found, and 0 when it could erase none of these.
/// One that cannot be erased keeps no other one.
///
/// # Errors
/// [`StoreError`]; what was erased before stays so.
pub async fn erase_expired(state: &AppState) -> Result<usize, StoreError> {
    let mut round = Round::default();
    if let Some(kept) = state.settings.transcript_retention {
        erase_of(state, None, kept, &mut round).await?;
    }
    let mut next = Some(SweepPosition::default());
    while let Some(position) = next.filter(|_| round.found < MAX_ERASED) {
        let set = state.storage.list_retentions(&position, RETENTIONS).await?;
        for retention in set.iter() {
            let kept = Duration::days(i64::from(retention.days));
            erase_of(state, Some(retention), kept, &mut round).await?;
        }
        next = set.next;
    }
    if round.erased == 0 {
        return Ok(0);
    }
    tracing::info!(
        conversations = round.erased,
        "erased conversations whose time to be kept was over"
    );
    Ok(round.found)
}

/// What was done in one search for conversations whose time is over.
#[derive(Default)]
struct Round {
    /// Those that were found, at most [`MAX_ERASED`].
    found: usize,
    erased: usize,
}

async fn erase_of(
    state: &AppState,
    of: Option<&StoredRetention>,
    kept: Duration,
    round: &mut Round,
) -> Result<(), StoreError> {
    let left = MAX_ERASED.saturating_sub(round.found);
    // Nothing ended before there were conversations.
    let Some(ended_before) = state.now().checked_sub(kept).filter(|_| left > 0) else {
        return Ok(());
    };
    let limit = u32::try_from(left).unwrap_or(u32::MAX);
    let found = state
        .storage
        .find_expired_conversations(of, ended_before, limit)
        .await?;
    round.found += found.len();
    for id in found {
        match erase_one(state, id).await {
            Ok(()) => round.erased += 1,
            Err(error) if is_passing(&error) => return Err(error),
            // Others do not wait for it.
            Err(error) => tracing::warn!(
                conversation.id = %id,
                error = with_causes(&error),
                "a conversation whose time to be kept is over cannot be erased now"
            ),
        }
    }
    Ok(())
}

/// Whether nothing can be erased at present, whichever conversation it is.
const fn is_passing(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Unavailable(_) | StoreError::Full(_) | StoreError::ReadOnly(_)
    )
}

async fn erase_one(state: &AppState, id: ConversationId) -> Result<(), StoreError> {
    let erasure = Erasure {
        at: state.now(),
        by: ErasedBy::Retention,
    };
    let limits = &state.lifecycle_limits;
    state
        .storage
        .erase_conversation(None, id, &erasure, limits)
        .await?;
    tracing::debug!(conversation.id = %id, "erased: its time to be kept was over");
    Ok(())
}
