//! Connections to a PostgreSQL server, its own or those of a pooler such as PgBouncer.
//!
//! A pooler may give each transaction another connection to the server. What one transaction leaves
//! there, a prepared statement or a setting, the next one does not find, or finds of another
//! client. So each connection says by itself whether it is one to the server: it is opened with a
//! setting that only the server can report afterwards.

use std::{
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection, Executor, PgConnection, Row as _,
    SqlSafeStr as _, SqlStr,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;
use widget_core::origin::SuffixList;

use super::guarded_pool::{GuardedPool, Transaction};
use crate::storage::{
    conversations::{PlaceHash, StartPlace},
    deadline::bounded,
    error::StoreError,
    location::Location,
    unreadable::UnreadableLog,
};

/// How long a request waits for a connection, a new one included; below the two seconds after which
/// it is answered with 503.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(1_500);

/// What each connection sets: how long a statement may take, waiting for locks included, and after
/// how long the server frees what a client that fell silent has locked.
/// Then it says whether it is one to the server itself.
const SESSION: &str = "SET statement_timeout = '1500ms';
    SET idle_in_transaction_session_timeout = '10s';
    SET tcp_user_timeout = '10s';
    SET tcp_keepalives_idle = 30;
    SET tcp_keepalives_interval = 5;
    SET tcp_keepalives_count = 3;
    SELECT current_setting('widget.direct', true)";

/// The setting that a connection is opened with.
const MARK: (&str, &str) = ("widget.direct", "on");

/// What begins a transaction where a pooler is: the settings above for the time of it. The pooler
/// has its own for the ways to the server and to its clients.
const BEGIN_POOLED: &str = "BEGIN;
    SET LOCAL statement_timeout = '1500ms';
    SET LOCAL idle_in_transaction_session_timeout = '10s'";

/// Connections of one service; a server accepts 100 by default.
const MAX_CONNECTIONS: u32 = 16;

/// A connection that was idle for longer is tested before it is used: the server may have been
/// restarted since.
const MAX_UNTESTED_IDLE: Duration = Duration::from_secs(1);

/// How long such a test may take, so that one request can test several connections.
const TEST_TIMEOUT: Duration = Duration::from_millis(500);

/// Keeps others from locking the same name until the transaction ends.
pub(super) const LOCK_NAME: Option<&str> =
    Some("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))");

/// The same for the name of a place, in the text: a message with several statements has no
/// arguments.
fn lock_of(name: &PlaceHash) -> SqlStr {
    let name = name.as_str();
    let lock = format!("SELECT pg_advisory_xact_lock(hashtextextended('{name}', 0))");
    AssertSqlSafe(lock).into_sql_str()
}

/// An insert of one row under a new key; two inserts that are done if that was not there before;
/// and what is selected then, as it was before all three, or no row. In one message: no part of a
/// statement sees what another part writes.
macro_rules! insert_once {
    ($key:expr, $first:expr, $second:expr, $select:expr) => {
        concat!(
            "WITH added AS (",
            $key,
            " RETURNING 1), first AS (",
            $first,
            " FROM added), second AS (",
            $second,
            " FROM added) ",
            $select,
            ", added"
        )
    };
}

pub(super) use insert_once;

/// Waits for messages of the conversation that are being added, and keeps others from being added
/// until the transaction ends: an update alone lets them.
pub(super) const LOCK_MESSAGES: Option<&str> =
    Some("SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE");

/// The name that the SQL uses for either database.
pub(super) type Backend = PostgresStorage;

/// A server that several services share.
#[derive(Debug, Clone)]
pub struct PostgresStorage {
    pool: GuardedPool,
    begin: &'static str,
    migration_options: PgConnectOptions,
    suffixes: SuffixList,
    unreadable: UnreadableLog,
    /// Whether the log may have what was erased.
    has_erased: Arc<AtomicBool>,
}

impl PostgresStorage {
    /// Connects to a server (`postgres://…`), directly or through a pooler; applies no migration.
    ///
    /// # Errors
    /// When a URL cannot be used or the server does not answer.
    pub async fn open(location: Location<'_>, suffixes: SuffixList) -> Result<Self, StoreError> {
        let options = options(location.url)?;
        let migration_options = match location.migration_url {
            Some(url) => self::options(url)?,
            None => options.clone(),
        };
        let is_direct = match connect_directly(&options).await? {
            Some(connection) => {
                bounded(connection.close()).await?;
                true
            }
            None => false,
        };
        let pool = PgPoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(|connection, rest| {
                Box::pin(async move {
                    if rest.idle_for > MAX_UNTESTED_IDLE {
                        timeout(TEST_TIMEOUT, connection.ping())
                            .await
                            .map_err(|elapsed| sqlx::Error::Io(elapsed.into()))??;
                    }
                    Ok(true)
                })
            });
        let meters = Arc::default();
        let (pool, begin) = if is_direct {
            let pool = pool.after_connect(|connection, _| {
                Box::pin(async move {
                    let message = "a pooler stands before the server since this process started; \
                        restart it";
                    let is_direct = prepare_session(connection).await?;
                    is_direct
                        .then_some(())
                        .ok_or_else(|| sqlx::Error::Protocol(message.to_owned()))
                })
            });
            let pool = pool.connect_with(options.options([MARK])).await?;
            (GuardedPool::new(pool, &meters, None, None), "BEGIN")
        } else {
            tracing::info!("a pooler stands before the database; each statement is a transaction");
            let pool = pool.connect_with(options).await?;
            let pool = GuardedPool::new(pool, &meters, None, Some(BEGIN_POOLED));
            (pool, BEGIN_POOLED)
        };
        Ok(Self {
            pool,
            begin,
            migration_options,
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
        &self.pool
    }

    pub(super) fn writer(&self) -> &GuardedPool {
        &self.pool
    }

    pub(super) async fn begin(&self) -> Result<Transaction, StoreError> {
        self.pool.begin(self.begin, None).await
    }

    /// A transaction that keeps others from being written at a place until it ends.
    ///
    /// The lock is a statement of its own, because each has a view of the database of its own: what
    /// counts at the place must see what the one before wrote there.
    pub(super) async fn begin_at(
        &self,
        place: Option<&StartPlace>,
    ) -> Result<Transaction, StoreError> {
        let lock = place.map(|place| lock_of(place.lock_name()));
        self.pool.begin(self.begin, lock).await
    }

    /// The server's files and its log of writes are its operator's.
    #[expect(clippy::unused_async, reason = "SQLite has something to wait for")]
    pub(super) async fn empty_log(&self) -> Result<bool, StoreError> {
        self.has_erased.store(false, Ordering::Relaxed);
        Ok(true)
    }

    /// A connection of its own, for migrations, if it can be one to the server itself: a migration
    /// has no time limit, and locks out others for longer than a transaction.
    pub(super) async fn connect_for_migrations(&self) -> Result<Option<PgConnection>, StoreError> {
        connect_directly(&self.migration_options).await
    }
}

fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    Ok(PgConnectOptions::from_str(url)?
        .application_name("widget-http")
        .extra_float_digits(None)
        .disable_statement_logging())
}

/// A connection to the server itself; nothing when a pooler answers.
async fn connect_directly(options: &PgConnectOptions) -> Result<Option<PgConnection>, StoreError> {
    let marked = options.clone().options([MARK]);
    let connection = bounded(async {
        match PgConnection::connect_with(&marked).await {
            Ok(mut connection) => {
                let mark = "SELECT current_setting('widget.direct', true)";
                let is_direct = is_marked(&mut connection, mark).await?;
                Ok(is_direct.then_some(connection))
            }
            // PgBouncer rejects settings that it does not know, unless it is set to ignore them.
            Err(sqlx::Error::Database(error)) if !is_passing(error.code().as_deref()) => {
                PgConnection::connect_with(options).await?.close().await?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    });
    Ok(connection.await?)
}

/// Whether a server refuses a connection for a while: it has too many, or it starts or stops
/// (SQLSTATE classes 53 and 57).
fn is_passing(code: Option<&str>) -> bool {
    code.is_some_and(|code| code.starts_with("53") || code.starts_with("57"))
}

/// Sets up a connection for requests; whether it is one to the server itself.
async fn prepare_session(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    is_marked(connection, SESSION).await
}

/// Runs statements whose only row is the mark.
async fn is_marked(
    connection: &mut PgConnection,
    statements: &'static str,
) -> Result<bool, sqlx::Error> {
    let row = connection.fetch_one(sqlx::raw_sql(statements)).await?;
    Ok(row.try_get::<Option<&str>, _>(0)? == Some(MARK.1))
}

#[cfg(test)]
mod tests {
    use super::is_passing;

    #[test]
    fn a_server_that_starts_or_is_full_is_no_pooler() {
        // `cannot_connect_now`, `too_many_connections` and `admin_shutdown`.
        for code in ["57P03", "53300", "57P01"] {
            assert!(is_passing(Some(code)), "{code}");
        }
        // What PgBouncer answers to an option that it does not know, and a wrong password.
        for code in [Some("08P01"), Some("28P01"), None] {
            assert!(!is_passing(code), "{code:?}");
        }
    }
}
