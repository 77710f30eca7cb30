//! The one way to a connection: every statement of storage goes through here.
//!
//! A connection goes back to its pool only when its state is known. One whose statement was
//! canceled, took too long, or failed in a way that says nothing about the transaction, is closed
//! instead.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{
    StreamExt as _, TryStreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use sqlx::{
    AssertSqlSafe, Connection as _, Either, Execute, Executor, SqlSafeStr as _, SqlStr,
    error::BoxDynError, pool::PoolConnection,
};
use tokio::runtime::Handle;
use widget_core::{conversation::Lifecycle, id::ConversationId};

use super::types::{Database, Pool};
use crate::{
    storage::{
        database_file::DatabaseFile,
        deadline::{bounded, bounded_or, no_answer, released},
        driver::Failure,
        error::StoreError,
        meters::{Change, PoolMeters, PoolName, PoolState, StorageMeters},
    },
    telemetry::{
        self,
        trace::{self, Callee},
    },
};

type Arguments = <Database as sqlx::Database>::Arguments;
type Row = <Database as sqlx::Database>::Row;
type Done = <Database as sqlx::Database>::QueryResult;
type Prepared = <Database as sqlx::Database>::Statement;
type TypeInfo = <Database as sqlx::Database>::TypeInfo;

/// How long a statement may take without a line in the log. The driver's own line would have the
/// whole text.
const SLOW_STATEMENT: Duration = Duration::from_secs(1);

/// A pool whose connections are closed when their state is unknown.
///
/// As an executor it runs one statement on its own.
#[derive(Debug, Clone)]
pub(super) struct GuardedPool {
    pool: Pool,
    /// Where the database is a file, that file.
    file: Option<DatabaseFile>,
    begin_each: Option<&'static str>,
    refuses_writes: Arc<AtomicBool>,
    meters: Arc<PoolMeters>,
    storage_meters: Arc<StorageMeters>,
}

impl GuardedPool {
    /// Where connections change their server between transactions, `begin_each` begins a
    /// transaction for each single statement, and no statement is kept prepared.
    pub(super) fn new(
        pool: Pool,
        storage_meters: &Arc<StorageMeters>,
        file: Option<DatabaseFile>,
        begin_each: Option<&'static str>,
    ) -> Self {
        Self {
            pool,
            file,
            begin_each,
            refuses_writes: Arc::default(),
            meters: Arc::default(),
            storage_meters: Arc::clone(storage_meters),
        }
    }

    /// Its connections as they are now.
    pub(super) fn state(&self, name: PoolName) -> PoolState<'_> {
        PoolState {
            name,
            idle: self.pool.num_idle(),
            size: self.pool.size(),
            max: self.pool.options().get_max_connections(),
            meters: &self.meters,
        }
    }

    /// What the whole storage counts.
    pub(super) fn storage_meters(&self) -> &StorageMeters {
        &self.storage_meters
    }

    async fn lease(&self) -> Result<Lease, sqlx::Error> {
        if let Some(file) = &self.file {
            file.check()?;
        }
        // Large, and otherwise part of every future that uses storage.
        let acquired = Box::pin(self.pool.acquire());
        let connection = match self.meters.wait(acquired).await {
            Err(sqlx::Error::PoolTimedOut) if self.file.is_some() => return Err(self.too_late()),
            connection => connection?,
        };
        Ok(Lease {
            connection: Some(connection),
            keeps_statements: self.begin_each.is_none(),
            is_known: true,
            refuses_writes: Arc::clone(&self.refuses_writes),
            meters: Arc::clone(&self.meters),
        })
    }

    /// What a call fails with whose time is over before it has done anything.
    fn too_late(&self) -> sqlx::Error {
        if self.file.is_none() {
            return no_answer();
        }
        // The connections to a file are there; others use them, or hold the file.
        let message = "every connection to the file is in use";
        sqlx::Error::Io(io::Error::new(io::ErrorKind::ResourceBusy, message))
    }

    /// Begins a transaction with `statement` and takes a lock in it, in one message.
    pub(super) async fn begin(
        &self,
        statement: &'static str,
        lock: Option<SqlStr>,
    ) -> Result<Transaction, StoreError> {
        let begin = async {
            let mut lease = self.lease().await?;
            let is_locked = lock.is_some();
            let begin = Statement::begin(statement, lock);
            let mut transaction = Transaction {
                lease: None,
                begun_by: Some(begin.clone()),
                locked: None,
                changes: Vec::new(),
                meters: Arc::clone(&self.storage_meters),
            };
            let outcome = lease.run(begin).await;
            // A lock fails in a transaction that has begun, and that is rolled back below.
            if outcome.is_ok() || is_locked {
                transaction.lease = Some(lease);
            }
            outcome.map(|_| transaction)
        };
        // Large, and otherwise part of every future that begins a transaction.
        let outcome = bounded_or(Box::pin(begin), || self.too_late()).await;
        self.storage_meters.note(&outcome);
        Ok(outcome?)
    }

    /// Whether a write failed for lack of disk space or of permission since [`Self::note_write`].
    pub(super) fn refuses_writes(&self) -> bool {
        self.refuses_writes.load(Ordering::Relaxed)
    }

    /// Notes that writes work again.
    pub(super) fn note_write(&self) {
        self.refuses_writes.store(false, Ordering::Relaxed);
    }

    /// Waits a moment for running statements to end and closes all connections.
    pub(super) async fn close(&self) {
        if released(self.pool.close()).await.is_none() {
            tracing::warn!("some connections to the database did not close in time");
        }
    }
}

/// A statement with its arguments, which can be executed more than once.
#[derive(Debug, Clone)]
struct Statement {
    sql: SqlStr,
    arguments: Option<Arguments>,
    /// What the log has of it, where that is not all.
    logged: Option<&'static str>,
}

impl Statement {
    fn new(sql: &'static str) -> Self {
        Self {
            sql: SqlStr::from_static(sql),
            arguments: None,
            logged: None,
        }
    }

    /// What begins a transaction; the log does not have the name of the lock.
    fn begin(statement: &'static str, lock: Option<SqlStr>) -> Self {
        let begin = Self::new(statement);
        let Some(lock) = lock else { return begin };
        let both = format!("{statement}; {}", lock.as_str());
        Self {
            sql: AssertSqlSafe(both).into_sql_str(),
            logged: Some(statement),
            ..begin
        }
    }

    fn of<'q>(mut query: impl Execute<'q, Database>) -> Result<Self, sqlx::Error> {
        let arguments = query
            .take_arguments()
            .map_err(|error: BoxDynError| sqlx::Error::Encode(error))?;
        Ok(Self {
            sql: query.sql(),
            arguments,
            logged: None,
        })
    }
}

/// The first word of a statement.
fn kind_of(sql: &str) -> &'static str {
    let words = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "BEGIN", "COMMIT", "ROLLBACK",
    ];
    let known = words.into_iter().find(|word| sql.starts_with(word));
    known.unwrap_or("other")
}

type Steps = Vec<Either<Done, Row>>;

/// Whether a statement has to be prepared again.
fn is_outdated(outcome: &Result<Steps, sqlx::Error>) -> bool {
    outcome
        .as_ref()
        .is_err_and(|error| Failure::of(error) == Failure::Outdated)
}

/// A connection outside its pool.
#[derive(Debug)]
struct Lease {
    connection: Option<PoolConnection<Database>>,
    /// Whether what was prepared is there the next time.
    keeps_statements: bool,
    /// Whether the connection is in a state that the next user may find it in.
    is_known: bool,
    refuses_writes: Arc<AtomicBool>,
    meters: Arc<PoolMeters>,
}

impl Lease {
    async fn run(&mut self, statement: Statement) -> Result<Steps, sqlx::Error> {
        let Some(connection) = &mut self.connection else {
            return Err(sqlx::Error::PoolClosed);
        };
        // Stays so when this is canceled.
        self.is_known = false;
        let Statement {
            sql,
            arguments,
            logged,
        } = statement;
        let logged = logged.map_or_else(|| sql.clone(), SqlStr::from_static);
        tracing::trace!(statement = logged.as_str(), "executing");
        let started = Instant::now();
        let kind = kind_of(sql.as_str());
        let connection = &mut **connection;
        let steps = match arguments {
            None => connection.fetch_many((sql, None)),
            Some(arguments) => {
                let query = sqlx::query_with(sql, arguments);
                connection.fetch_many(query.persistent(self.keeps_statements))
            }
        };
        let outcome: Result<Steps, sqlx::Error> = steps.try_collect().await;
        if trace::is_on() {
            telemetry::note_call(Callee::Storage(kind), started, outcome.is_ok());
        }
        let elapsed = started.elapsed();
        self.meters.statements.observe(elapsed);
        if elapsed >= SLOW_STATEMENT {
            tracing::warn!(
                statement = logged.as_str(),
                duration.milliseconds = elapsed.as_millis(),
                "a statement was slow"
            );
        }
        self.is_known = match &outcome {
            Ok(_) => true,
            Err(error) => {
                let failure = Failure::of(error);
                if matches!(failure, Failure::Full | Failure::ReadOnly) {
                    self.refuses_writes.store(true, Ordering::Relaxed);
                }
                failure.leaves_the_state_known()
            }
        };
        outcome
    }

    /// Runs a statement in a transaction of its own.
    async fn run_alone(
        &mut self,
        begin: &'static str,
        statement: Statement,
    ) -> Result<Steps, sqlx::Error> {
        self.run(Statement::new(begin)).await?;
        let outcome = self.run(statement).await;
        if self.is_known {
            let end = if outcome.is_ok() {
                "COMMIT"
            } else {
                "ROLLBACK"
            };
            let ended = self.run(Statement::new(end)).await;
            self.is_known = ended.is_ok();
            if outcome.is_ok() {
                ended?;
            }
        }
        outcome
    }

    /// Has every statement prepared again.
    async fn forget_statements(&mut self) -> Result<(), sqlx::Error> {
        match &mut self.connection {
            Some(connection) => connection.clear_cached_statements().await,
            None => Err(sqlx::Error::PoolClosed),
        }
    }

    /// Ends a transaction. When that fails, nothing is known of it.
    async fn end(mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        let outcome = self.run(Statement::new(statement)).await;
        self.is_known = outcome.is_ok();
        outcome.map(drop)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        if self.is_known {
            if let Ok(runtime) = Handle::try_current() {
                // Tests whether the server is still there; the answer may never come.
                runtime.spawn(released(connection.return_to_pool()));
            }
        } else {
            // Closes it at once and gives its place in the pool to a new one.
            drop(connection.detach());
        }
    }
}

/// A transaction; rolled back unless it is committed.
#[derive(Debug)]
pub(super) struct Transaction {
    lease: Option<Lease>,
    /// How it was begun, until a statement has been executed in it.
    begun_by: Option<Statement>,
    /// The conversation that is locked, as it was read.
    locked: Option<(ConversationId, Lifecycle)>,
    /// What is counted when it is committed.
    changes: Vec<Change>,
    meters: Arc<StorageMeters>,
}

impl Transaction {
    /// Counts something if the transaction is committed.
    pub(super) fn note(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Notes how a conversation was before it is written.
    pub(super) fn note_locked(&mut self, id: ConversationId, lifecycle: Lifecycle) {
        self.locked = Some((id, lifecycle));
    }

    /// Counts what has happened to a conversation that is locked.
    pub(super) fn note_written(&mut self, id: ConversationId, next: &Lifecycle) {
        if let Some((locked, before)) = &self.locked
            && *locked == id
        {
            let happened = Change::between(before, next);
            self.changes.extend(happened.into_iter().flatten());
            self.locked = Some((id, *next));
        }
    }

    async fn run(&mut self, statement: Statement) -> Result<Steps, sqlx::Error> {
        let Some(lease) = &mut self.lease else {
            return Err(sqlx::Error::PoolClosed);
        };
        let begun_by = self.begun_by.take();
        let outcome = bounded(async {
            let outcome = lease.run(statement.clone()).await;
            // Later on, what was read before may have decided what is written.
            let (true, Some(begin)) = (is_outdated(&outcome), begun_by) else {
                return outcome;
            };
            lease.run(Statement::new("ROLLBACK")).await?;
            lease.forget_statements().await?;
            lease.run(begin).await?;
            lease.run(statement).await
        })
        .await;
        self.meters.note(&outcome);
        outcome
    }

    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        let Some(lease) = self.lease.take() else {
            return Ok(());
        };
        let outcome = bounded(lease.end("COMMIT")).await;
        self.meters.note(&outcome);
        outcome?;
        for change in self.changes.drain(..) {
            self.meters.count(change);
        }
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(mut lease) = self.lease.take() else {
            return;
        };
        // Without a rollback the state is not one that the next user may find.
        let is_known = std::mem::replace(&mut lease.is_known, false);
        if is_known && let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                if !matches!(released(lease.end("ROLLBACK")).await, Some(Ok(()))) {
                    tracing::debug!("a transaction was not rolled back; its connection is closed");
                }
            });
        }
    }
}

/// Implements what an executor of sqlx needs, by running a statement to its end.
macro_rules! executor {
    ($executor:ty) => {
        impl<'c> Executor<'c> for $executor {
            type Database = Database;

            fn fetch_many<'e, 'q: 'e, E>(
                self,
                query: E,
            ) -> BoxStream<'e, Result<Either<Done, Row>, sqlx::Error>>
            where
                'c: 'e,
                E: 'q + Execute<'q, Database>,
            {
                let statement = Statement::of(query);
                let steps = async move { self.run(statement?).await };
                stream::once(steps)
                    .map_ok(|steps| stream::iter(steps).map(Ok))
                    .try_flatten()
                    .boxed()
            }

            fn fetch_optional<'e, 'q: 'e, E>(
                self,
                query: E,
            ) -> BoxFuture<'e, Result<Option<Row>, sqlx::Error>>
            where
                'c: 'e,
                E: 'q + Execute<'q, Database>,
            {
                let statement = Statement::of(query);
                Box::pin(async move {
                    let steps = self.run(statement?).await?;
                    Ok(steps.into_iter().find_map(Either::right))
                })
            }

            fn prepare_with<'e>(
                self,
                _: SqlStr,
                _: &'e [TypeInfo],
            ) -> BoxFuture<'e, Result<Prepared, sqlx::Error>>
            where
                'c: 'e,
            {
                // A prepared statement belongs to one connection, which is not handed out here.
                let message = "statements are prepared when they run";
                Box::pin(async move { Err(sqlx::Error::Protocol(message.to_owned())) })
            }
        }
    };
}

executor!(&'c GuardedPool);
executor!(&'c mut Transaction);

impl GuardedPool {
    async fn run(&self, statement: Statement) -> Result<Steps, sqlx::Error> {
        let outcome = async {
            let mut lease = bounded_or(self.lease(), || self.too_late()).await?;
            bounded(async {
                if let Some(begin) = self.begin_each {
                    return lease.run_alone(begin, statement).await;
                }
                let outcome = lease.run(statement.clone()).await;
                if !is_outdated(&outcome) {
                    return outcome;
                }
                lease.forget_statements().await?;
                lease.run(statement).await
            })
            .await
        };
        let outcome = outcome.await;
        self.storage_meters.note(&outcome);
        outcome
    }
}
