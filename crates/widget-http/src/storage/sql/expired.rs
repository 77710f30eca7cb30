//! SQL that forgets what has expired.

use sqlx::query::Query;
use time::OffsetDateTime;
use widget_core::conversation::{Status, budget::Day};

use super::{Backend, Database, previews};
use crate::storage::{driver::micros, error::StoreError, interface::ForgetBefore};

type Statement = Query<'static, Database, <Database as sqlx::Database>::Arguments>;

/// How many days the use of a day is kept: longer than any conversation may last.
const DAYS_KEPT: i64 = 400;

/// How many rows of a table go at once, so that no statement runs long.
const BATCH: i64 = 1_000;

/// How many batches of a table go in one round. After a time in which nothing could be forgotten
/// there are many; those that are left have the next round.
const MAX_BATCHES: usize = 100;

/// Each part by itself: what keeps one from being forgotten keeps no other.
pub(in crate::storage) async fn forget(
    backend: &Backend,
    now: OffsetDateTime,
    events_before: OffsetDateTime,
) -> Result<(), StoreError> {
    let outcomes = [
        delete_before(
            backend,
            "DELETE FROM used_tickets WHERE id IN (
                 SELECT id FROM used_tickets
                 WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            micros(now),
        )
        .await,
        previews::forget_ended(backend, now).await,
        delete_before(
            backend,
            "DELETE FROM webhook_events WHERE id IN (
                 SELECT id FROM webhook_events
                 WHERE received_at < $1 ORDER BY received_at LIMIT $2)",
            micros(events_before),
        )
        .await,
        // Nodes of the release before this column leave it when somebody joins, or at the end.
        in_batches(backend, || {
            sqlx::query(
                "UPDATE conversations SET start_address = NULL, start_network = NULL
                 WHERE id IN (
                     SELECT id FROM conversations
                     WHERE start_address IS NOT NULL AND status <> $1 LIMIT $2)",
            )
            .bind(Status::TokenCreated.as_str())
        })
        .await,
        delete_before(
            backend,
            "DELETE FROM budget_days WHERE (owner, day) IN (
                 SELECT owner, day FROM budget_days WHERE day < $1 ORDER BY day LIMIT $2)",
            Day::of(now).before(DAYS_KEPT).number(),
        )
        .await,
    ];
    outcomes.into_iter().collect()
}

pub(in crate::storage) async fn forget_finished(
    backend: &Backend,
    before: ForgetBefore,
) -> Result<(), StoreError> {
    let mut outcome = Ok(());
    for (statement, time) in [
        (
            "DELETE FROM idempotency_keys WHERE (organization_id, key) IN (
                 SELECT organization_id, key FROM idempotency_keys
                 WHERE created_at < $1 ORDER BY created_at LIMIT $2)",
            before.requests,
        ),
        (
            "DELETE FROM rooms WHERE name IN (
                 SELECT name FROM rooms
                 WHERE removed_at < $1 AND removal_due_at IS NULL AND conversation_id IN (
                     SELECT id FROM conversations WHERE ended_at IS NOT NULL)
                 ORDER BY removed_at LIMIT $2)",
            before.rooms,
        ),
        (
            "DELETE FROM erasure_jobs WHERE id IN (
                 SELECT id FROM erasure_jobs
                 WHERE finished_at < $1 ORDER BY finished_at LIMIT $2)",
            before.jobs,
        ),
    ] {
        let deleted = delete_before(backend, statement, micros(time)).await;
        outcome = outcome.and(deleted);
    }
    outcome
}

/// Executes a statement whose first argument is a time or a day.
async fn delete_before(
    backend: &Backend,
    statement: &'static str,
    before: i64,
) -> Result<(), StoreError> {
    in_batches(backend, || sqlx::query(statement).bind(before)).await
}

/// Executes a statement, whose last argument is how many rows it may change, until there are no
/// more of them or the round is over.
async fn in_batches(
    backend: &Backend,
    statement: impl Fn() -> Statement + Send,
) -> Result<(), StoreError> {
    let full = u64::try_from(BATCH).unwrap_or(u64::MAX);
    for _ in 0..MAX_BATCHES {
        let statement = statement().bind(BATCH);
        let done = statement.execute(backend.writer()).await?;
        if done.rows_affected() < full {
            break;
        }
    }
    Ok(())
}
