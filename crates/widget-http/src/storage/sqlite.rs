//! SQLite: one writer, several readers, a write-ahead log.
//!
//! Writers queue for the one connection of the write pool; the busy timeout waits for writers in
//! other processes. Both waits together stay under two seconds; then the answer is 503.

use std::{
    str::FromStr,
    time::{Duration, Instant},
};

use sqlx::{
    Connection, SqliteConnection, SqlitePool,
    error::DatabaseError,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use widget_core::origin::SuffixList;

use super::{
    Storage, StoreError,
    migrations::{self, MigrationError},
};

pub(super) type Database = sqlx::Sqlite;
pub(super) type Row = sqlx::sqlite::SqliteRow;
type Pool = SqlitePool;

#[path = "sql/agents.rs"]
mod agents;
#[path = "sql/conversations.rs"]
mod conversations;
#[path = "sql/guarded_pool.rs"]
mod guarded_pool;
#[path = "sql/keys.rs"]
mod keys;
#[path = "sql/probe.rs"]
mod probe;
#[path = "sql/rooms.rs"]
mod rooms;
#[path = "sql/row.rs"]
mod row;
#[path = "sql/widgets.rs"]
mod widgets;

use guarded_pool::{GuardedPool, Transaction};

/// How long a statement waits for a writer of another process, and how long a writer waits for the
/// connection.
const WAIT_TIMEOUT: Duration = Duration::from_millis(900);

/// How long a start waits for others that start on the same new file.
const START_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause between two attempts to start.
const START_PAUSE: Duration = Duration::from_millis(20);

/// Readers at once; more would only wait for the same disk.
const MAX_READERS: u32 = 8;

/// The database in one file.
#[derive(Debug, Clone)]
pub struct SqliteStorage {
    options: SqliteConnectOptions,
    writer: GuardedPool,
    readers: GuardedPool,
    suffixes: SuffixList,
}

impl SqliteStorage {
    /// Opens `url` (`sqlite:PATH`), and creates the file when it is missing; applies no migration.
    ///
    /// # Errors
    /// When the URL or the file cannot be used.
    pub async fn open(url: &str, suffixes: SuffixList) -> Result<Self, StoreError> {
        Self::open_with(Self::options(url)?, suffixes).await
    }

    fn options(url: &str) -> Result<SqliteConnectOptions, StoreError> {
        Ok(SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An answered write survives the loss of power, too.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(WAIT_TIMEOUT)
            .optimize_on_close(true, 400))
    }

    async fn open_with(
        options: SqliteConnectOptions,
        suffixes: SuffixList,
    ) -> Result<Self, StoreError> {
        let started = Instant::now();
        let pool = || {
            SqlitePoolOptions::new()
                .acquire_timeout(WAIT_TIMEOUT)
                .test_before_acquire(false)
        };
        let writer = loop {
            let writer = pool()
                .max_connections(1)
                .connect_with(options.clone())
                .await;
            match writer {
                // Turning on the write-ahead log needs exclusive use of the file and does not wait
                // for it: of several services that start on a new file at once, some have to retry.
                Err(error) if is_busy(&error) && started.elapsed() < START_TIMEOUT => {
                    tokio::time::sleep(START_PAUSE).await;
                }
                writer => break writer?,
            }
        };
        let readers = pool()
            .max_connections(MAX_READERS)
            .connect_lazy_with(options.clone().pragma("query_only", "ON"));
        Ok(Self {
            options,
            writer: GuardedPool::new(writer),
            readers: GuardedPool::new(readers),
            suffixes,
        })
    }

    fn reader(&self) -> &GuardedPool {
        &self.readers
    }

    fn writer(&self) -> &GuardedPool {
        &self.writer
    }

    /// A transaction that has the write lock from its beginning, so that it never fails halfway
    /// because of another writer.
    async fn begin(&self) -> Result<Transaction, StoreError> {
        self.writer.begin("BEGIN IMMEDIATE").await
    }

    /// A connection of its own, for migrations.
    async fn connect(&self) -> Result<SqliteConnection, StoreError> {
        Ok(SqliteConnection::connect_with(&self.options).await?)
    }
}

/// Whether another process has locked the file (`SQLITE_BUSY`, with any extension).
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.and_then(|code| code.parse::<i32>().ok())
        .is_some_and(|code| code & 0xff == 5)
}

use SqliteStorage as Backend;

#[async_trait::async_trait]
impl Storage for SqliteStorage {
    async fn ping(&self) -> Result<(), StoreError> {
        probe::ping(self).await
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

    async fn pending_migrations(&self) -> Result<Vec<String>, MigrationError> {
        let mut connection = self.connect().await?;
        let mut transaction = connection
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(StoreError::from)?;
        let pending = migrations::pending(migrations::SQLITE, &mut *transaction).await?;
        transaction.rollback().await.map_err(StoreError::from)?;
        connection.close().await.map_err(StoreError::from)?;
        Ok(pending)
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use super::*;
    use crate::storage::{KeyStore, SigningKey};

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

    #[tokio::test]
    async fn a_full_disk_is_named_and_harms_nothing_once_there_is_space() {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let url = format!("sqlite:{}", directory.path().join("widgets.db").display());
        let suffixes = SuffixList::builtin();
        let roomy = SqliteStorage::open(&url, suffixes.clone())
            .await
            .expect("it opens");
        roomy.migrate().await.expect("it is empty");
        let pages: i64 = sqlx::query_scalar("PRAGMA page_count")
            .fetch_one(roomy.reader())
            .await
            .expect("it can be asked");
        let options = SqliteStorage::options(&url)
            .expect("a URL")
            .pragma("max_page_count", (pages + 8).to_string());
        let storage = SqliteStorage::open_with(options, suffixes.clone())
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
