//! PostgreSQL: for several services on several machines.

use sqlx::{Connection as _, migrate::Migrate as _};
use time::OffsetDateTime;

use self::sql::{expired, probe};
use super::{
    error::StoreError,
    interface::Storage,
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

    async fn migrate(&self) -> Result<usize, MigrationError> {
        let mut connection = self.connect().await?;
        connection.lock().await?;
        let count = migrations::apply(migrations::POSTGRES, &mut connection).await?;
        connection.unlock().await?;
        connection.close().await.map_err(StoreError::from)?;
        Ok(count)
    }

    async fn pending_migrations(&self) -> Result<Vec<String>, MigrationError> {
        let mut connection = self.connect().await?;
        let pending = migrations::pending(migrations::POSTGRES, &mut connection).await?;
        connection.close().await.map_err(StoreError::from)?;
        Ok(pending)
    }

    async fn is_migrated(&self) -> Result<bool, StoreError> {
        probe::is_migrated(self, migrations::POSTGRES).await
    }

    async fn close(&self) {
        self.writer().close().await;
    }
}
