//! Migrations that build an index of a large table while nodes use it.

use std::{sync::Arc, time::Duration};

use sqlx::{AssertSqlSafe, Connection as _, migrate::Migrate as _};
use tokio::sync::Mutex;
use widget_core::origin::SuffixList;
use widget_http::storage::{self, Storage, migrations::MigrationError};

use crate::{
    database::{self, Connection, Database},
    postgresql::storage::migrated,
    support::LogLines,
};

const INDEX: &str = "conversations_kept_in_order";

/// Builds in one database wait for each other, whichever test they are of.
static ONE_BUILD: Mutex<()> = Mutex::const_new(());

async fn connect(database: &Database) -> Connection {
    let connection = Connection::connect(database.url()).await;
    connection.expect("the server answers")
}

async fn execute(connection: &mut Connection, statements: &str) {
    let statements = AssertSqlSafe(statements.to_owned());
    let done = sqlx::raw_sql(statements).execute(connection).await;
    done.expect("it can be executed");
}

/// A database whose migration that builds the index is missing.
async fn without_index(database: &Database) -> Arc<dyn Storage> {
    let storage = migrated(database).await;
    let statements = format!(
        "DROP INDEX {INDEX};
         DELETE FROM _sqlx_migrations WHERE description = 'kept_conversations_in_order'"
    );
    execute(&mut connect(database).await, &statements).await;
    storage
}

/// Whether the index is valid, and whether it is unique, which it must not be.
async fn find_index(connection: &mut Connection) -> Option<(bool, bool)> {
    sqlx::query_as(
        "SELECT indisvalid, indisunique FROM pg_index WHERE indexrelid = to_regclass($1)",
    )
    .bind(INDEX)
    .fetch_optional(connection)
    .await
    .expect("it can be asked")
}

/// Asks until it is so, which takes moments; a minute says that it will not be.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    let done = tokio::time::timeout(Duration::from_mins(1), asking).await;
    done.expect("it happens");
}

/// The number that the question is about.
async fn count(connection: &mut Connection, question: &str) -> i64 {
    let counted = sqlx::query_scalar(AssertSqlSafe(question.to_owned()));
    let counted = counted.fetch_one(connection).await;
    counted.expect("it can be asked")
}

type Migrating = tokio::task::JoinHandle<Result<usize, MigrationError>>;

/// Migrates until it waits for what the connection has begun.
async fn begin(storage: &Arc<dyn Storage>, holder: &mut Connection) -> Migrating {
    execute(holder, "BEGIN; UPDATE conversations SET generation = 1").await;
    let storage = Arc::clone(storage);
    let migrating = tokio::spawn(async move { storage.migrate().await });
    let question = database::COUNT_WAITING.expect("PostgreSQL can say so");
    until(async || migrating.is_finished() || count(holder, question).await > 0).await;
    assert!(!migrating.is_finished(), "{:?}", migrating.await);
    migrating
}

#[tokio::test]
async fn an_index_is_built_while_nodes_write_and_others_wait_to_migrate() {
    let _guard = ONE_BUILD.lock().await;
    let log = LogLines::capture();
    let database = Database::create();
    let storage = without_index(&database).await;
    let other = storage::open(database.url(), SuffixList::builtin().clone()).await;
    let other = other.expect("the server answers");
    let (mut holder, mut writer) = (connect(&database).await, connect(&database).await);
    let migrating = begin(&storage, &mut holder).await;
    execute(&mut writer, "SET lock_timeout = '10s'").await;
    execute(&mut writer, "UPDATE conversations SET generation = 1").await;
    let waiting = tokio::spawn(async move { other.migrate().await });
    until(async || waiting.is_finished() || !log.with("another process migrates").is_empty()).await;
    assert!(!waiting.is_finished(), "{:?}", waiting.await);
    execute(&mut holder, "COMMIT").await;
    let done = async |one: Migrating| one.await.expect("no panic").expect("it is migrated");
    assert_eq!((done(migrating).await, done(waiting).await), (1, 0));
    assert_eq!(find_index(&mut writer).await, Some((true, false)));
    assert!(
        log.with("waits for a table").is_empty(),
        "they wait for each other"
    );
    storage.close().await;
}

/// It waits in one statement, and the server builds no index before that has ended: it gives up one
/// of the two, and either tries again, that process by being started again.
#[tokio::test]
async fn a_process_of_an_earlier_release_that_waits_to_migrate_has_its_turn() {
    let _guard = ONE_BUILD.lock().await;
    let database = Database::create();
    let storage = without_index(&database).await;
    let (mut holder, mut older) = (connect(&database).await, connect(&database).await);
    let migrating = begin(&storage, &mut holder).await;
    let waiting = tokio::spawn(async move {
        while let Err(error) = older.lock().await {
            assert!(error.to_string().contains("deadlock"), "{error}");
        }
        older.unlock().await.expect("it was locked");
    });
    let mut watcher = connect(&database).await;
    let question = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
        AND pid IN (SELECT pid FROM pg_stat_activity WHERE usename = current_user)";
    until(async || count(&mut watcher, question).await > 0).await;
    execute(&mut holder, "COMMIT").await;
    waiting.await.expect("it does not panic");
    let migrated = migrating.await.expect("it does not panic");
    assert_eq!(migrated.expect("it is built"), 1);
    assert_eq!(find_index(&mut watcher).await, Some((true, false)));
    storage.close().await;
}

#[tokio::test]
async fn an_index_whose_build_was_interrupted_is_built_again() {
    let _guard = ONE_BUILD.lock().await;
    let database = Database::create();
    let storage = without_index(&database).await;
    let mut connection = connect(&database).await;
    // A build that fails leaves the same as one that is interrupted.
    execute(
        &mut connection,
        "INSERT INTO conversations (id, organization_id, web_widget_id, agent_id, agent_version_id,
             livekit_agent_name, origin, status, mode, custom_metadata, generation, repeat_used,
             created_at, token_at)
         SELECT lpad(to_hex(n), 32, '0')::uuid, 'o', lpad('1', 32, '0')::uuid,
             lpad('1', 32, '0')::uuid, lpad('1', 32, '0')::uuid, 'a', 'https://a.example',
             'token_created', 'text', '{}', 1, FALSE, 1, 1
         FROM generate_series(1, 2) n",
    )
    .await;
    let build = format!("CREATE UNIQUE INDEX CONCURRENTLY {INDEX} ON conversations (created_at)");
    let failed = sqlx::raw_sql(AssertSqlSafe(build))
        .execute(&mut connection)
        .await;
    failed.expect_err("two have one time");
    assert_eq!(find_index(&mut connection).await, Some((false, true)));
    assert_eq!(storage.migrate().await.expect("it can be built"), 1);
    assert_eq!(find_index(&mut connection).await, Some((true, false)));
    storage.close().await;
}
