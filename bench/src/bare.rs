//! The baseline of everything that is written: the database alone, with the same rows and the same
//! safety, and copies of rows for what is measured on many.

use std::{
    str::FromStr as _,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime},
};

use anyhow::Result;
use futures_util::future::try_join_all;
use sqlx::{
    PgPool, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use uuid::Uuid;

use crate::database::Kind;

/// Connections to PostgreSQL, as many as the service has.
const CONNECTIONS: u32 = 16;

const USE_TICKET: &str =
    "INSERT INTO used_tickets (id, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const START: &str = "INSERT INTO conversations (id, organization_id, web_widget_id, agent_id,
        agent_version_id, livekit_agent_name, origin, status, mode, custom_metadata, generation,
        repeat_used, created_at, token_at, due_at, start_address, start_network)
    VALUES ($1, 'bench', $2, $2, $2, 'bench', 'https://shop.example', 'token_created', 'text', '{}',
        1, FALSE, $3, $3, $4, $5, NULL)";
const OPEN_ROOM: &str =
    "INSERT INTO rooms (name, conversation_id, generation, created_at, attempts)
    VALUES ($1, $2, 1, $3, 0)";

/// All conversations are of one widget, as those of the service.
const WIDGET: Uuid = Uuid::from_u128(7);

/// Copies of a widget, each with an id of its own.
const COPIES_SQLITE: &str =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
    INSERT INTO web_widgets (id, organization_id, agent_id, agent_version_id, domains, published,
        config, created_at, updated_at, revision)
    SELECT randomblob(16), organization_id, agent_id, agent_version_id, domains, published, config,
        created_at + n.i, updated_at, revision FROM n, web_widgets w WHERE w.id = $2";
const COPIES_POSTGRES: &str =
    "INSERT INTO web_widgets (id, organization_id, agent_id, agent_version_id, domains, published,
        config, created_at, updated_at, revision)
    SELECT gen_random_uuid(), organization_id, agent_id, agent_version_id, domains, published,
        config, created_at + n, updated_at, revision
    FROM generate_series(1, $1) n, web_widgets w WHERE w.id = $2";

const SAMPLE: &str = "SELECT id FROM web_widgets ORDER BY RANDOM() LIMIT $1";

/// Connections to one database, without the service.
pub enum Bare {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Runs the same code on a pool of either kind.
macro_rules! on_pool {
    ($bare:expr, $pool:ident => $code:expr) => {
        match $bare {
            Bare::Sqlite($pool) => $code,
            Bare::Postgres($pool) => $code,
        }
    };
}

/// Writes the rows of one start in one transaction.
macro_rules! start_conversation {
    ($pool:expr, $begin:expr) => {{
        let (id, other, now) = (Uuid::now_v7(), Uuid::new_v4(), now());
        let address = format!("{}{}", other.simple(), id.simple());
        let mut transaction = $pool.begin_with($begin).await?;
        sqlx::query(USE_TICKET)
            .bind(id.to_string())
            .bind(now)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(START)
            .bind(id)
            .bind(WIDGET)
            .bind(now)
            .bind(now + 60_000_000)
            .bind(address)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(OPEN_ROOM)
            .bind(format!("room_{}", &other.simple().to_string()[..22]))
            .bind(id)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
    }};
}

impl Bare {
    pub async fn open(kind: Kind, url: &str) -> Result<Self> {
        Ok(match kind {
            // As the service writes: one at a time, each safe on the disk before it is answered.
            Kind::Sqlite => {
                let options = SqliteConnectOptions::from_str(url)?
                    .foreign_keys(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .busy_timeout(Duration::from_mins(1));
                let pool = SqlitePoolOptions::new()
                    .max_connections(1)
                    .test_before_acquire(false);
                Self::Sqlite(pool.connect_with(options).await?)
            }
            Kind::Postgres => {
                let pool = PgPoolOptions::new()
                    .max_connections(CONNECTIONS)
                    .test_before_acquire(false);
                Self::Postgres(pool.connect(url).await?)
            }
        })
    }

    /// Writes the rows of so many conversations, by so many tasks.
    pub async fn start_conversations(&self, count: usize, tasks: usize) -> Result<()> {
        let left = AtomicUsize::new(count);
        let left = &left;
        let is_left = || {
            let taken =
                left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
            taken.is_ok()
        };
        let run = async || {
            while is_left() {
                match self {
                    Self::Sqlite(pool) => start_conversation!(pool, "BEGIN IMMEDIATE"),
                    Self::Postgres(pool) => start_conversation!(pool, "BEGIN"),
                }
            }
            Ok::<_, anyhow::Error>(())
        };
        try_join_all((0..tasks).map(|_| run())).await.map(drop)
    }

    /// Copies a widget so many times.
    pub async fn copy_widget(&self, widget: &str, count: usize) -> Result<()> {
        let (id, count) = (widget.parse::<Uuid>()?, i64::try_from(count)?);
        match self {
            Self::Sqlite(pool) => {
                let query = sqlx::query(COPIES_SQLITE).bind(count).bind(id);
                query.execute(pool).await?;
                sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
                    .execute(pool)
                    .await?;
            }
            Self::Postgres(pool) => {
                let query = sqlx::query(COPIES_POSTGRES).bind(count).bind(id);
                query.execute(pool).await?;
                sqlx::query("VACUUM ANALYZE web_widgets")
                    .execute(pool)
                    .await?;
            }
        }
        Ok(())
    }

    /// The ids of so many widgets, in no order.
    pub async fn sample_widgets(&self, count: usize) -> Result<Vec<String>> {
        let count = i64::try_from(count)?;
        let ids: Vec<Uuid> = on_pool!(self, pool => {
            sqlx::query_scalar(SAMPLE).bind(count).fetch_all(pool).await?
        });
        Ok(ids.iter().map(Uuid::to_string).collect())
    }

    pub async fn close(self) {
        on_pool!(self, pool => pool.close().await);
    }
}

/// The present time in microseconds, as the database keeps times.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(now.unwrap_or_default().as_micros()).unwrap_or(i64::MAX)
}
