//! SQLite: one writer, several readers, a write-ahead log.

use sqlx::Connection as _;
use time::OffsetDateTime;

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

pub use backend::SqliteStorage;

impl SqliteStorage {
    /// Names of the migrations that the file lacks, which may be missing itself.
    pub(super) async fn pending_migrations_of(url: &str) -> Result<Vec<String>, MigrationError> {
        let applied = match Self::read_only(url).await? {
            Some(mut connection) => probe::applied_migrations(&mut connection).await?,
            None => Vec::new(),
        };
        Ok(migrations::SQLITE.missing_in(&applied))
    }
}

impl migrations::Migratable for sqlx::SqliteConnection {}

#[async_trait::async_trait]
impl Storage for SqliteStorage {
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
        // The driver does not lock here; the transaction does.
        let mut connection = self.connect().await?;
        let mut transaction = connection
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(StoreError::from)?;
        let count = migrations::apply(migrations::SQLITE, &mut *transaction).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        connection.close().await.map_err(StoreError::from)?;
        Ok(count)
    }

    async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        probe::pending_migrations(self, migrations::SQLITE).await
    }

    async fn require_compatible(&self) -> Result<(), StoreError> {
        probe::require_compatible(self, migrations::SQLITE).await
    }

    fn meters(&self) -> &StorageMeters {
        self.writer().storage_meters()
    }

    fn pools(&self) -> Vec<PoolState<'_>> {
        vec![
            self.writer().state(PoolName::Writer),
            self.reader().state(PoolName::Reader),
        ]
    }

    async fn close(&self) {
        self.close_all().await;
    }
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use widget_core::origin::SuffixList;

    use super::*;
    use crate::storage::{
        deadline::share_time,
        keys::{KeyStore, SigningKey},
    };

    const NOW: time::OffsetDateTime = datetime!(2026-01-31 09:30:00 UTC);

    /// Adds a key of two pages in a transaction.
    async fn write(storage: &SqliteStorage, number: u32) -> Result<(), StoreError> {
        let key = SigningKey {
            id: number.to_string(),
            secret: vec![0; 8192].into(),
            created_at: NOW,
            retired_at: None,
        };
        storage.rotate_signing_key(&key, NOW - Duration::DAY).await
    }

    fn url(directory: &tempfile::TempDir) -> String {
        format!("sqlite:{}", directory.path().join("widgets.db").display())
    }

    async fn open(directory: &tempfile::TempDir) -> SqliteStorage {
        let suffixes = SuffixList::builtin().clone();
        let storage = SqliteStorage::open(&url(directory), suffixes).await;
        let storage = storage.expect("it opens");
        storage.migrate().await.expect("it is empty");
        storage
    }

    /// The time is one of the test's own, so that it passes when nobody has anything to do.
    #[tokio::test]
    async fn a_write_waits_for_its_turn_as_long_as_its_request_has_time() {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let storage = open(&directory).await;
        let holder = storage.begin().await.expect("nobody else writes");
        tokio::time::pause();
        let begun = tokio::time::Instant::now();
        let late = share_time(write(&storage, 1)).await;
        let waited = begun.elapsed();
        tokio::time::resume();
        let late = late.expect_err("the other one is not done");
        assert!(matches!(late, StoreError::Busy(_)), "{late}");
        assert_eq!(waited.as_secs(), 2, "{waited:?}");
        holder.commit().await.expect("nothing is in the way");
        write(&storage, 1).await.expect("it is its turn");
        storage.close().await;
    }

    #[tokio::test]
    async fn a_full_disk_is_named_and_harms_nothing_once_there_is_space() {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let roomy = open(&directory).await;
        let pages: i64 = sqlx::query_scalar("PRAGMA page_count")
            .fetch_one(roomy.reader())
            .await
            .expect("it can be asked");
        let options = SqliteStorage::options(&url(&directory))
            .expect("a URL")
            .pragma("max_page_count", (pages + 8).to_string());
        let storage = SqliteStorage::open_with(options, SuffixList::builtin().clone())
            .await
            .expect("it opens");
        storage.ping().await.expect("there is space");

        let mut written = 0;
        let error = loop {
            match write(&storage, written).await {
                Ok(()) => written += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, StoreError::Full(_)), "{error}");
        for _ in 0..3 {
            let error = write(&storage, written).await.expect_err("it is full");
            assert!(matches!(error, StoreError::Full(_)), "{error}");
            let error = storage.ping().await.expect_err("it is full");
            assert!(matches!(error, StoreError::Full(_)), "{error}");
            let keys = storage.list_signing_keys().await.expect("reading works");
            assert_eq!(keys.len(), usize::try_from(written).expect("few"));
        }

        sqlx::query("DELETE FROM signing_keys")
            .execute(roomy.writer())
            .await
            .expect("nothing limits this one");
        storage.ping().await.expect("there is space again");
        write(&storage, written)
            .await
            .expect("there is space again");
        roomy.close().await;
        storage.close().await;
    }
}
