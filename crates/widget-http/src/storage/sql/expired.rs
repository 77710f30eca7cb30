//! SQL that forgets what has expired.

use time::OffsetDateTime;
use widget_core::conversation::{Status, budget::Day};

use super::{Backend, previews};
use crate::storage::{driver::micros, error::StoreError, interface::ForgetBefore};

/// How many days the use of a day is kept: longer than any conversation may last.
const DAYS_KEPT: i64 = 400;

pub(in crate::storage) async fn forget(
    backend: &Backend,
    now: OffsetDateTime,
    events_before: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM used_tickets WHERE expires_at < $1")
        .bind(micros(now))
        .execute(backend.writer())
        .await?;
    previews::forget_ended(backend, now).await?;
    sqlx::query("DELETE FROM webhook_events WHERE received_at < $1")
        .bind(micros(events_before))
        .execute(backend.writer())
        .await?;
    // Nodes of the release before this column leave it when somebody joins, or at the end.
    sqlx::query(
        "UPDATE conversations SET start_address = NULL, start_network = NULL
         WHERE start_address IS NOT NULL AND status <> $1",
    )
    .bind(Status::TokenCreated.as_str())
    .execute(backend.writer())
    .await?;
    sqlx::query("DELETE FROM budget_days WHERE day < $1")
        .bind(Day::of(now).before(DAYS_KEPT).number())
        .execute(backend.writer())
        .await?;
    Ok(())
}

/// How many rows of a table go at once, so that no statement runs long.
const BATCH: i64 = 1_000;

pub(in crate::storage) async fn forget_finished(
    backend: &Backend,
    before: ForgetBefore,
) -> Result<(), StoreError> {
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
        sqlx::query(statement)
            .bind(micros(time))
            .bind(BATCH)
            .execute(backend.writer())
            .await?;
    }
    Ok(())
}
