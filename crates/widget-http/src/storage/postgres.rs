//! PostgreSQL: for several services on several machines.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, migrate::Migrate as _};
use time::OffsetDateTime;

use self::sql::{expired, probe};
use super::{
    error::StoreError,
    interface::{ForgetBefore, Storage},
    meters::{PoolName, PoolState, StorageMeters},
    migrations::{self, ConcurrentIndex, Migratable, MigrationError, Mode},
};

mod backend;
mod types;

// The same text for both databases, compiled once for each driver.
#[path = "guarded_pool.rs"]
mod guarded_pool;
#[path = "sql.rs"]
mod sql;

pub use backend::PostgresStorage;

#[async_trait::async_trait]
impl Storage for PostgresStorage {
    async fn ping(&self) -> Result<(), StoreError> {
        probe::ping(self).await
    }

    async fn forget_expired(
        &self,
        now: OffsetDateTime,
        events_before: OffsetDateTime,
    ) -> Result<(), StoreError> {
        expired::forget(self, now, events_before).await
    }

    async fn forget_finished(&self, before: ForgetBefore) -> Result<(), StoreError> {
        expired::forget_finished(self, before).await
    }

    async fn migrate(&self) -> Result<usize, MigrationError> {
        let Some(mut connection) = self.connect_for_migrations().await? else {
            return match self.pending_migrations().await?.as_slice() {
                [] => Ok(0),
                _ => Err(MigrationError::Pooled),
            };
        };
        lock(&mut connection).await?;
        let count = match self::apply(&mut connection).await {
            // A role that only reads and writes rows needs nothing more once all are applied.
            Err(error) if error.is_forbidden() => match self.pending_migrations().await?.as_slice()
            {
                [] => 0,
                _ => return Err(MigrationError::Forbidden(error.to_string())),
            },
            outcome => outcome?,
        };
        connection.unlock().await?;
        connection.close().await.map_err(StoreError::from)?;
        Ok(count)
    }

    async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        probe::pending_migrations(self, migrations::POSTGRES).await
    }

    async fn require_compatible(&self) -> Result<(), StoreError> {
        probe::require_compatible(self, migrations::POSTGRES).await
    }

    fn meters(&self) -> &StorageMeters {
        self.writer().storage_meters()
    }

    fn pools(&self) -> Vec<PoolState<'_>> {
        vec![self.writer().state(PoolName::Writer)]
    }

    async fn close(&self) {
        self.writer().close().await;
    }
}

/// How long a migration waits for a table that others use; meanwhile all who come later wait, too.
const LIMIT_WAIT: &str = "SET lock_timeout = '1s'";

/// Who builds an index while its table is in use waits for transactions that began earlier, and
/// keeps nobody waiting.
const WAIT_FOR_OTHERS: &str = "SET lock_timeout = 0";

/// Nobody needs to know that the table of migrations exists, which the driver makes each time.
const HIDE_NOTICES: &str = "SET client_min_messages = 'warning'";

/// How long one attempt to lock out others waits. An index is built only once all statements that
/// began earlier have ended, so one that waits for whoever builds it must end by itself.
const LOCK_ATTEMPT: &str = "SET lock_timeout = '200ms'";

/// The pause before a migration tries again, in which those that waited have their turn.
const LOCK_PAUSE: Duration = Duration::from_secs(1);

/// How often it tries.
const MAX_ATTEMPTS: u32 = 30;

/// After how long, and then how often, the log says that others migrate.
const REPORT_INTERVAL: Duration = Duration::from_secs(2);

/// Locks out others who would migrate, after those who do.
async fn lock(connection: &mut PgConnection) -> Result<(), MigrationError> {
    execute(connection, LOCK_ATTEMPT).await?;
    let mut reported = Instant::now();
    loop {
        match connection.lock().await.map_err(MigrationError::from) {
            Err(error) if error.is_locked() => {}
            outcome => return outcome,
        }
        if reported.elapsed() >= REPORT_INTERVAL {
            tracing::info!("another process migrates the database; waiting for it");
            reported = Instant::now();
        }
    }
}

async fn execute(connection: &mut PgConnection, setting: &'static str) -> Result<(), StoreError> {
    connection.execute(setting).await?;
    Ok(())
}

/// Applies what is missing; the connection has locked out others who would.
async fn apply(connection: &mut PgConnection) -> Result<usize, MigrationError> {
    execute(connection, HIDE_NOTICES).await?;
    let mut attempts = 1;
    loop {
        execute(connection, LIMIT_WAIT).await?;
        match migrations::apply(migrations::POSTGRES, connection).await {
            Err(error) if error.is_locked() && attempts < MAX_ATTEMPTS => {
                tracing::warn!(attempts, "a migration waits for a table that others use");
                // Also a process of an earlier release, which waits for this one as this one waits
                // for it, has its turn.
                connection.unlock().await?;
                tokio::time::sleep(LOCK_PAUSE).await;
                lock(connection).await?;
                attempts += 1;
            }
            outcome => return outcome,
        }
    }
}

#[async_trait::async_trait]
impl Migratable for PgConnection {
    async fn prepare(&mut self, index: Option<&ConcurrentIndex>) -> Result<Mode, MigrationError> {
        let index = match index {
            Some(index) if !is_partitioned(self, index.table).await? => index,
            // The server builds none on all partitions while they are in use.
            _ => {
                execute(self, LIMIT_WAIT).await?;
                return Ok(Mode::Transaction);
            }
        };
        execute(self, WAIT_FOR_OTHERS).await?;
        drop_half_built(self, index.name).await?;
        Ok(Mode::Concurrently)
    }
}

async fn is_partitioned(
    connection: &mut PgConnection,
    table: &'static str,
) -> Result<bool, StoreError> {
    let found: Option<i32> =
        sqlx::query_scalar("SELECT 1 FROM pg_partitioned_table WHERE partrelid = to_regclass($1)")
            .bind(table)
            .fetch_optional(connection)
            .await?;
    Ok(found.is_some())
}

/// Drops what is left of an index whose build was interrupted: nobody finds rows by it, every write
/// costs as much as with it, and its name is taken.
async fn drop_half_built(
    connection: &mut PgConnection,
    name: &'static str,
) -> Result<(), StoreError> {
    let found: Option<i32> = sqlx::query_scalar(
        "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid",
    )
    .bind(name)
    .fetch_optional(&mut *connection)
    .await?;
    if found.is_some() {
        tracing::info!(
            index = name,
            "dropping what is left of an interrupted build"
        );
        let drop = AssertSqlSafe(format!("DROP INDEX CONCURRENTLY {name}"));
        connection.execute(drop).await?;
    }
    Ok(())
}
