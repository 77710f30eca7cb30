//! PostgreSQL: for several services on several machines.

use std::{str::FromStr, time::Duration};

use sqlx::{
    Connection, Executor, PgPool,
    migrate::Migrate,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use widget_core::origin::SuffixList;

use super::{
    Storage, StoreError,
    migrations::{self, MigrationError},
};

pub(super) type Database = sqlx::Postgres;
pub(super) type Row = sqlx::postgres::PgRow;
pub(super) type Pool = PgPool;
pub(super) type Transaction = sqlx::Transaction<'static, Database>;

// The SQL is the same text for both databases, compiled once for each driver.
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

/// How long a request waits for a connection, a new one included; below the two seconds after which
/// it is answered with 503.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(1_500);

/// How long one statement may take, waiting for locks included.
const STATEMENT_TIMEOUT: &str = "1500ms";

/// Connections of one service; a server accepts 100 by default.
const MAX_CONNECTIONS: u32 = 16;

/// A connection that was idle for longer is tested before it is used: the server may have been
/// restarted since.
const MAX_UNTESTED_IDLE: Duration = Duration::from_secs(1);

/// A server that several services share.
#[derive(Debug, Clone)]
pub struct PostgresStorage {
    pool: Pool,
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
            .options([("statement_timeout", STATEMENT_TIMEOUT)]);
        let pool = PgPoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(|connection, rest| {
                Box::pin(async move {
                    if rest.idle_for > MAX_UNTESTED_IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(options)
            .await?;
        Ok(Self { pool, suffixes })
    }

    fn reader(&self) -> &Pool {
        &self.pool
    }

    fn writer(&self) -> &Pool {
        &self.pool
    }

    async fn begin(&self) -> Result<Transaction, StoreError> {
        Ok(self.pool.begin().await?)
    }
}

use PostgresStorage as Backend;

#[async_trait::async_trait]
impl Storage for PostgresStorage {
    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1 FROM api_keys LIMIT 1")
            .fetch_optional(&self.pool)
            .await?;
        Ok(())
    }

    async fn migrate(&self) -> Result<usize, MigrationError> {
        // A connection of its own, which is closed afterwards: a migration has no time limit.
        let mut connection = self
            .pool
            .acquire()
            .await
            .map_err(StoreError::from)?
            .detach();
        connection
            .execute("SET statement_timeout = 0")
            .await
            .map_err(StoreError::from)?;
        connection.lock().await?;
        let count = migrations::apply(migrations::POSTGRES, &mut connection).await?;
        connection.unlock().await?;
        connection.close().await.map_err(StoreError::from)?;
        Ok(count)
    }

    async fn pending_migrations(&self) -> Result<Vec<String>, MigrationError> {
        let mut connection = self.pool.acquire().await.map_err(StoreError::from)?;
        migrations::pending(migrations::POSTGRES, &mut *connection).await
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}
