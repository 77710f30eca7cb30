//! Connections to a PostgreSQL server.

use std::{str::FromStr, time::Duration};

use sqlx::{
    Connection, Executor, PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;
use widget_core::origin::SuffixList;

use super::guarded_pool::{GuardedPool, Transaction};
use crate::storage::{deadline::bounded, error::StoreError};

/// How long a request waits for a connection, a new one included; below the two seconds after which
/// it is answered with 503.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(1_500);

/// What each connection sets: how long a statement may take, waiting for locks included, and after
/// how long the server frees what a client that fell silent has locked.
///
/// As statements and not as startup options, which proxies such as pgbouncer reject.
const SESSION: &str = "SET statement_timeout = '1500ms';
    SET idle_in_transaction_session_timeout = '10s';
    SET tcp_user_timeout = '10s';
    SET tcp_keepalives_idle = 30;
    SET tcp_keepalives_interval = 5;
    SET tcp_keepalives_count = 3";

/// Connections of one service; a server accepts 100 by default.
const MAX_CONNECTIONS: u32 = 16;

/// A connection that was idle for longer is tested before it is used: the server may have been
/// restarted since.
const MAX_UNTESTED_IDLE: Duration = Duration::from_secs(1);

/// How long such a test may take, so that one request can test several connections.
const TEST_TIMEOUT: Duration = Duration::from_millis(500);

/// The name that the SQL uses for either database.
pub(super) type Backend = PostgresStorage;

/// A server that several services share.
#[derive(Debug, Clone)]
pub struct PostgresStorage {
    options: PgConnectOptions,
    pool: GuardedPool,
    suffixes: SuffixList,
}

impl PostgresStorage {
    /// Connects to `url` (`postgres://…`); applies no migration.
    ///
    /// # Errors
    /// When the URL cannot be used or the server does not answer.
    pub async fn open(url: &str, suffixes: SuffixList) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("widget-http")
            .extra_float_digits(None);
        let pool = PgPoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .after_connect(|connection, _| {
                Box::pin(async move { connection.execute(SESSION).await.map(drop) })
            })
            .before_acquire(|connection, rest| {
                Box::pin(async move {
                    if rest.idle_for > MAX_UNTESTED_IDLE {
                        timeout(TEST_TIMEOUT, connection.ping())
                            .await
                            .map_err(|elapsed| sqlx::Error::Io(elapsed.into()))??;
                    }
                    Ok(true)
                })
            })
            .connect_with(options.clone())
            .await?;
        Ok(Self {
            options,
            pool: GuardedPool::new(pool, None),
            suffixes,
        })
    }

    /// The list with which records are read.
    pub(super) fn suffixes(&self) -> &SuffixList {
        &self.suffixes
    }

    pub(super) fn reader(&self) -> &GuardedPool {
        &self.pool
    }

    pub(super) fn writer(&self) -> &GuardedPool {
        &self.pool
    }

    pub(super) async fn begin(&self) -> Result<Transaction, StoreError> {
        self.pool.begin("BEGIN").await
    }

    /// A connection of its own, for migrations: a migration has no time limit.
    pub(super) async fn connect(&self) -> Result<PgConnection, StoreError> {
        Ok(bounded(PgConnection::connect_with(&self.options)).await?)
    }
}
