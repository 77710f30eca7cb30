//! Whether the database answers, whether it has disk space, and whether it is migrated.

use super::Backend;
use crate::storage::{error::StoreError, migrations::Migrations};

/// The owner of the row that is written to find out whether there is space; no organization has the
/// empty name.
const PROBE_OWNER: &str = "";

/// More than a page, so that it does not fit into what is left of one.
const PROBE_BYTES: usize = 16 * 1024;

pub(in crate::storage) async fn ping(backend: &Backend) -> Result<(), StoreError> {
    sqlx::query("SELECT 1 FROM api_keys LIMIT 1")
        .fetch_optional(backend.reader())
        .await?;
    // Only a write shows whether there is space.
    if backend.writer().is_full() {
        write(backend).await?;
        backend.writer().note_space();
    }
    Ok(())
}

pub(in crate::storage) async fn is_migrated(
    backend: &Backend,
    migrations: Migrations,
) -> Result<bool, StoreError> {
    let applied: Result<Vec<i64>, sqlx::Error> =
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
            .fetch_all(backend.reader())
            .await;
    match applied.map_err(StoreError::from) {
        Ok(applied) => Ok(migrations.are_all_in(&applied)),
        // A database without the table has no migration.
        Err(StoreError::Query(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn write(backend: &Backend) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO idempotency_keys (organization_id, key, request_hash, answer, created_at)
         VALUES ($1, $2, $3, $4, 0) ON CONFLICT (organization_id, key) DO UPDATE SET answer = $4",
    )
    .bind(PROBE_OWNER)
    .bind("probe")
    .bind([0_u8; 32].as_slice())
    .bind(" ".repeat(PROBE_BYTES))
    .execute(backend.writer())
    .await?;
    sqlx::query("DELETE FROM idempotency_keys WHERE organization_id = $1")
        .bind(PROBE_OWNER)
        .execute(backend.writer())
        .await?;
    Ok(())
}
