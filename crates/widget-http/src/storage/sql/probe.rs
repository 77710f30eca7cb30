//! Whether the database answers, whether it has disk space, whether it is migrated, and whether
//! this program may use it.

use sqlx::Executor;

use super::{Backend, Database};
use crate::storage::{driver::Failure, error::StoreError, migrations::Migrations};

/// The owner of the row that is written to find out whether there is space; no organization has the
/// empty name.
const PROBE_OWNER: &str = "";

/// More than a page, so that it does not fit into what is left of one.
const PROBE_BYTES: usize = 16 * 1024;

pub(in crate::storage) async fn ping(backend: &Backend) -> Result<(), StoreError> {
    sqlx::query("SELECT 1 FROM api_keys LIMIT 1")
        .fetch_optional(backend.reader())
        .await?;
    // Only a write shows whether there is space, and whether a file system lets it through.
    if backend.writer().refuses_writes() {
        write(backend).await?;
        backend.writer().note_write();
    } else {
        require_writable(backend).await?;
    }
    Ok(())
}

pub(in crate::storage) async fn pending_migrations(
    backend: &Backend,
    migrations: Migrations,
) -> Result<Vec<String>, StoreError> {
    let applied = applied_migrations(backend.reader()).await?;
    Ok(migrations.missing_in(&applied))
}

pub(in crate::storage) async fn applied_migrations<'c>(
    database: impl Executor<'c, Database = Database>,
) -> Result<Vec<i64>, StoreError> {
    let applied = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
        .fetch_all(database)
        .await;
    unless_missing(applied)
}

/// Refuses a database that needs a newer program.
pub(in crate::storage) async fn require_compatible(
    backend: &Backend,
    migrations: Migrations,
) -> Result<(), StoreError> {
    let needed =
        sqlx::query_as("SELECT oldest_migration, oldest_release FROM schema_compatibility")
            .fetch_all(backend.reader())
            .await;
    for (migration, release) in unless_missing::<(i64, String)>(needed)? {
        if !migrations.reach(migration) {
            return Err(StoreError::Incompatible { needed: release });
        }
    }
    Ok(())
}

/// A database without the table has none of its rows.
fn unless_missing<T>(rows: Result<Vec<T>, sqlx::Error>) -> Result<Vec<T>, StoreError> {
    match rows {
        Err(error) if Failure::of(&error) == Failure::NoTable => Ok(Vec::new()),
        rows => Ok(rows?),
    }
}

/// Fails where the database rejects every write, by a statement that writes nothing.
async fn require_writable(backend: &Backend) -> Result<(), StoreError> {
    let tried =
        sqlx::query("INSERT INTO conversations (id) SELECT id FROM conversations WHERE 1 = 0")
            .execute(backend.writer())
            .await;
    match tried.map_err(StoreError::from) {
        // Others write at this moment.
        Ok(_) | Err(StoreError::Busy(_)) => Ok(()),
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
