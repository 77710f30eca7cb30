//! PostgreSQL: for several services on several machines.

use std::time::Duration;

use sqlx::{Connection as _, Executor as _, PgConnection, migrate::Migrate as _};
use time::OffsetDateTime;
use tokio::time::{Instant, interval_at};

use self::sql::{expired, probe};
use super::{
    error::StoreError,
    interface::{ForgetBefore, Storage},
    meters::{PoolName, PoolState, StorageMeters},
    migrations::{self, MigrationError},
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
/// And nobody needs to know that the table of migrations exists, which the driver makes each time.
const MIGRATION_SETTINGS: &str = "SET lock_timeout = '1s'; SET client_min_messages = 'warning'";

/// The pause before a migration tries again, in which those that waited have their turn.
const LOCK_PAUSE: Duration = Duration::from_secs(1);

/// How often it tries.
const MAX_ATTEMPTS: u32 = 30;

/// After how long, and then how often, the log says that others migrate.
const REPORT_INTERVAL: Duration = Duration::from_secs(2);

/// Locks out others who would migrate, after those who do.
async fn lock(connection: &mut PgConnection) -> Result<(), MigrationError> {
    let mut locking = connection.lock();
    let mut reports = interval_at(Instant::now() + REPORT_INTERVAL, REPORT_INTERVAL);
    loop {
        tokio::select! {
            biased;
            locked = &mut locking => return Ok(locked?),
            _ = reports.tick() => {
                tracing::info!("another process migrates the database; waiting for it");
            }
        }
    }
}

/// Applies what is missing; the connection has locked out others who would.
async fn apply(connection: &mut PgConnection) -> Result<usize, MigrationError> {
    let run = connection.execute(MIGRATION_SETTINGS).await;
    run.map_err(StoreError::from)?;
    let mut attempts = 1;
    loop {
        match migrations::apply(migrations::POSTGRES, connection).await {
            Err(error) if error.is_locked() && attempts < MAX_ATTEMPTS => {
                tracing::warn!(attempts, "a migration waits for a table that others use");
                tokio::time::sleep(LOCK_PAUSE).await;
                attempts += 1;
            }
            outcome => return outcome,
        }
    }
}
