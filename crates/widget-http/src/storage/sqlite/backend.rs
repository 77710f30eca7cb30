//! Connections to a SQLite file.
//!
//! Writers queue for the one connection of the write pool for as long as their request has time, so
//! that a commit that waits for the disk fails nobody behind it; the busy timeout waits for writers
//! in other processes. Then the answer is 503.

use std::{
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions as _, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Mutex;
use widget_core::origin::SuffixList;

use super::guarded_pool::{GuardedPool, Transaction};
use crate::storage::{
    conversations::StartPlace,
    database_file::{DatabaseFile, refuse_network},
    deadline::{CALL_TIMEOUT, bounded},
    driver::Failure,
    error::StoreError,
    unreadable::UnreadableLog,
};

/// How long a statement waits for a writer of another process: less than the time of a request, so
/// that the answer is known before that is over.
const BUSY_TIMEOUT: Duration = Duration::from_millis(900);

/// How long a start waits for others that start on the same new file.
const START_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause between two attempts to start.
const START_PAUSE: Duration = Duration::from_millis(20);

/// Readers at once; more would only wait for the same disk.
const MAX_READERS: u32 = 8;

/// A transaction that writes is the only one, see [`SqliteStorage::begin`].
pub(super) const LOCK_NAME: Option<&str> = None;

/// An insert of one row under a new key; what is selected if that was not there before, or no row;
/// and two inserts that are done then. In one way to the thread of the connection and back: each
/// but the first looks at how many rows the insert before it has added.
macro_rules! insert_once {
    ($key:expr, $first:expr, $second:expr, $select:expr) => {
        concat!(
            $key,
            "; ",
            $select,
            " WHERE changes() > 0; ",
            $first,
            " WHERE changes() > 0; ",
            $second,
            " WHERE changes() > 0"
        )
    };
}

pub(super) use insert_once;

/// A transaction that writes is the only one, so that no row has to be locked.
pub(super) const LOCK_MESSAGES: Option<&str> = None;

/// How long emptying the log waits for readers; meanwhile nobody else writes.
const EMPTY_TIMEOUT: Duration = Duration::from_millis(100);

/// The name that the SQL uses for either database.
pub(super) type Backend = SqliteStorage;

/// The database in one file.
#[derive(Debug, Clone)]
pub struct SqliteStorage {
    options: SqliteConnectOptions,
    writer: GuardedPool,
    readers: GuardedPool,
    /// Open all the time, so that nobody removes the files beside the database by closing the last
    /// connection.
    holder: Arc<Mutex<Option<SqliteConnection>>>,
    suffixes: SuffixList,
    unreadable: UnreadableLog,
    /// Whether the log may have what was erased.
    has_erased: Arc<AtomicBool>,
}

impl SqliteStorage {
    /// Opens `url` (`sqlite:PATH`), and creates the file when it is missing; applies no migration.
    ///
    /// # Errors
    /// When the URL or the file cannot be used.
    pub async fn open(url: &str, suffixes: SuffixList) -> Result<Self, StoreError> {
        Self::open_with(Self::options(url)?, suffixes).await
    }

    pub(super) fn options(url: &str) -> Result<SqliteConnectOptions, StoreError> {
        Ok(SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An answered write survives the loss of power, too.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .optimize_on_close(true, 400)
            .disable_statement_logging())
    }

    pub(super) async fn open_with(
        options: SqliteConnectOptions,
        suffixes: SuffixList,
    ) -> Result<Self, StoreError> {
        refuse_network(options.get_filename())?;
        // Here, so that no connection is without it: what is deleted is overwritten with zeros.
        let options = options.pragma("secure_delete", "ON");
        let started = Instant::now();
        let existing = options.clone().create_if_missing(false);
        let pool = || {
            SqlitePoolOptions::new()
                // Each call has a deadline of its own.
                .acquire_timeout(CALL_TIMEOUT)
                .test_before_acquire(false)
        };
        let (writer, holder) = loop {
            // Only the start creates a file: a pool that connects again later must not, when
            // somebody has removed it.
            let writer = async {
                SqliteConnection::connect_with(&options)
                    .await?
                    .close()
                    .await?;
                let mut holder = SqliteConnection::connect_with(
                    &existing.clone().optimize_on_close(false, None),
                )
                .await?;
                // Only what reads has all files.
                sqlx::query("SELECT count(*) FROM sqlite_schema")
                    .execute(&mut holder)
                    .await?;
                let writer = pool().max_connections(1);
                Ok::<_, sqlx::Error>((writer.connect_with(existing.clone()).await?, holder))
            };
            match writer.await {
                // Turning on the write-ahead log needs exclusive use of the file and does not wait
                // for it: of several services that start on a new file at once, some have to retry.
                Err(error)
                    if Failure::of(&error) == Failure::Locked
                        && started.elapsed() < START_TIMEOUT =>
                {
                    tokio::time::sleep(START_PAUSE).await;
                }
                writer => break writer?,
            }
        };
        let readers = pool()
            .max_connections(MAX_READERS)
            .connect_lazy_with(existing.clone().pragma("query_only", "ON"));
        let file = DatabaseFile::of(existing.get_filename());
        let meters = Arc::default();
        Ok(Self {
            options: existing,
            writer: GuardedPool::new(writer, &meters, file.clone(), None),
            readers: GuardedPool::new(readers, &meters, file, None),
            holder: Arc::new(Mutex::new(Some(holder))),
            suffixes,
            unreadable: UnreadableLog::default(),
            // Of the process before, perhaps.
            has_erased: Arc::new(AtomicBool::new(true)),
        })
    }

    /// Notes that something was erased.
    pub(super) fn note_erased(&self) {
        self.has_erased.store(true, Ordering::Relaxed);
    }

    /// The list with which records are read.
    pub(super) fn suffixes(&self) -> &SuffixList {
        &self.suffixes
    }

    /// Where rows that cannot be read are reported.
    pub(super) fn unreadable(&self) -> &UnreadableLog {
        &self.unreadable
    }

    pub(super) fn reader(&self) -> &GuardedPool {
        &self.readers
    }

    pub(super) fn writer(&self) -> &GuardedPool {
        &self.writer
    }

    /// A transaction that has the write lock from its beginning, so that it never fails halfway
    /// because of another writer.
    pub(super) async fn begin(&self) -> Result<Transaction, StoreError> {
        self.writer.begin("BEGIN IMMEDIATE", None).await
    }

    /// The same where a place is written: nobody else writes anywhere.
    pub(super) async fn begin_at(&self, _: Option<&StartPlace>) -> Result<Transaction, StoreError> {
        self.begin().await
    }

    /// A connection that writes nothing; nothing when the file is missing.
    pub(super) async fn read_only(url: &str) -> Result<Option<SqliteConnection>, StoreError> {
        let options = SqliteConnectOptions::from_str(url)?.read_only(true);
        if options.get_filename().exists() {
            Ok(Some(SqliteConnection::connect_with(&options).await?))
        } else {
            Ok(None)
        }
    }

    /// Waits a moment for running statements to end and closes all connections.
    pub(super) async fn close_all(&self) {
        // The last one to close writes the log into the database, which takes its time.
        drop(self.holder.lock().await.take());
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Writes what was committed into the database and empties the log, which has what was erased;
    /// `false` when somebody reads an earlier state for a long time, such as a backup.
    pub(super) async fn empty_log(&self) -> Result<bool, StoreError> {
        if !self.has_erased.swap(false, Ordering::Relaxed) {
            return Ok(true);
        }
        let options = self.options.clone().busy_timeout(EMPTY_TIMEOUT);
        let emptied = bounded(async {
            let options = options.optimize_on_close(false, None);
            let mut connection = SqliteConnection::connect_with(&options).await?;
            let busy = sqlx::query_scalar::<_, i64>("PRAGMA wal_checkpoint(TRUNCATE)")
                .fetch_one(&mut connection)
                .await?;
            connection.close().await?;
            Ok(busy == 0)
        });
        let emptied = emptied.await;
        if !matches!(emptied, Ok(true)) {
            self.note_erased();
        }
        match emptied {
            Err(error) if Failure::of(&error) == Failure::Locked => Ok(false),
            emptied => Ok(emptied?),
        }
    }

    /// A connection of its own, for migrations.
    pub(super) async fn connect(&self) -> Result<SqliteConnection, StoreError> {
        Ok(SqliteConnection::connect_with(&self.options).await?)
    }
}
