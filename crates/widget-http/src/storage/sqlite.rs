//! SQLite: one writer, several readers, a write-ahead log.
//!
//! Writers queue for the one connection of the write pool; the busy timeout waits for writers in
//! other processes. Both waits together stay under two seconds; then the answer is 503.

use std::{
    str::FromStr,
    time::{Duration, Instant},
};

use sqlx::{
    SqlitePool,
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
pub(super) type Pool = SqlitePool;
pub(super) type Transaction = sqlx::Transaction<'static, Database>;

#[path = "sql/agents.rs"]
mod agents;
#[path = "sql/conversations.rs"]
mod conversations;
#[path = "sql/keys.rs"]
mod keys;
#[path = "sql/rooms.rs"]
mod rooms;
#[path = "sql/row.rs"]
mod row;
#[path = "sql/widgets.rs"]
mod widgets;

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
    writer: Pool,
    readers: Pool,
    suffixes: SuffixList,
}

impl SqliteStorage {
    /// Opens `url` (`sqlite:PATH`), and creates the file when it is missing; applies no migration.
    ///
    /// # Errors
    /// When the URL or the file cannot be used.
    pub async fn open(url: &str, suffixes: SuffixList) -> Result<Self, StoreError> {
        let started = Instant::now();
        let options = SqliteConnectOptions::from_str(url)
            .map_err(StoreError::from)?
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An answered write survives the loss of power, too.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(WAIT_TIMEOUT)
            .optimize_on_close(true, 400);
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
            .connect_lazy_with(options.pragma("query_only", "ON"));
        Ok(Self {
            writer,
            readers,
            suffixes,
        })
    }

    fn reader(&self) -> &Pool {
        &self.readers
    }

    fn writer(&self) -> &Pool {
        &self.writer
    }

    /// A transaction that has the write lock from its beginning, so that it never fails halfway
    /// because of another writer.
    async fn begin(&self) -> Result<Transaction, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// Whether another process has locked the file (`SQLITE_BUSY`, with whatever extension).
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.and_then(|code| code.parse::<i32>().ok())
        .is_some_and(|code| code & 0xff == 5)
}

use SqliteStorage as Backend;

#[async_trait::async_trait]
impl Storage for SqliteStorage {
    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1 FROM api_keys LIMIT 1")
            .fetch_optional(&self.readers)
            .await?;
        Ok(())
    }

    async fn migrate(&self) -> Result<usize, MigrationError> {
        // The driver does not lock here; the transaction does.
        let mut transaction = self.begin().await?;
        let count = migrations::apply(migrations::SQLITE, &mut *transaction).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(count)
    }

    async fn pending_migrations(&self) -> Result<Vec<String>, MigrationError> {
        let mut transaction = self.begin().await?;
        migrations::pending(migrations::SQLITE, &mut *transaction).await
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}
