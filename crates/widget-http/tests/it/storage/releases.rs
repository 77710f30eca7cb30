//! The last release and this one on the same database. `fixtures/schema/` holds for each database
//! what the last release had: its migrations, rows that its contract left, and the statements that
//! it executed. A release writes it again: `UPDATE_SCHEMA=1 cargo test -p widget-http releases`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex},
};

use serde::{Deserialize, Serialize};
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};
use tracing::{Event, Level, Subscriber, field::Visit};
use tracing_subscriber::{Layer, filter::LevelFilter, layer::Context, prelude::*};
use uuid::Uuid;
use widget_core::{
    id::{ConversationId, WidgetId},
    origin::SuffixList,
};
use widget_http::storage::{self, Storage, StoreError};

use super::super::process::run;
use super::{contract, migrated, upgrades};
use crate::database::{self, Database};

/// What a release had on one database.
#[derive(Serialize, Deserialize)]
struct Release {
    version: String,
    /// The names of the migrations, and the SHA-384 of each.
    migrations: BTreeMap<String, String>,
    statements: BTreeSet<String>,
    rows: Vec<String>,
}

fn file() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/schema");
    root.join(format!("{}.json", database::NAME))
}

impl Release {
    /// The last one.
    fn last() -> Self {
        let text = std::fs::read_to_string(file()).expect("it is committed");
        serde_json::from_str(&text).expect("it was written by this test")
    }

    /// The one that this code would be.
    async fn present() -> Self {
        let database = Database::create();
        let storage = migrated(&database).await;
        let ((), statements) = record(Box::pin(contract(Arc::clone(&storage)))).await;
        storage.close().await;
        let mut connection = connect(&database).await;
        let mut rows = Vec::new();
        for table in upgrades::TABLES {
            rows.extend(self::rows(&mut connection, table).await);
        }
        let migrations = migrations();
        let named = migrations.iter();
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            migrations: named
                .map(|(name, one)| (name.clone(), checksum(one)))
                .collect(),
            statements,
            rows,
        }
    }

    fn write(&self) {
        let text = serde_json::to_string_pretty(self).expect("it is JSON");
        std::fs::write(file(), text + "\n").expect("it can be written");
    }

    /// A database as this release left it.
    async fn leave(&self, database: &Database) {
        let migrations = migrations();
        let own = migrations.into_iter();
        let own = own.filter(|(name, _)| self.migrations.contains_key(name));
        let own: Vec<Migration> = own.map(|(_, migration)| migration).collect();
        // Creates the file of SQLite.
        let storage = storage::open(database.url(), SuffixList::builtin().clone()).await;
        storage.expect("it can be opened").close().await;
        let mut connection = connect(database).await;
        let migrator = Migrator::with_migrations(own);
        migrator.run(&mut connection).await.expect("it is empty");
        for row in &self.rows {
            let inserted = sqlx::raw_sql(AssertSqlSafe(row.clone()))
                .execute(&mut connection)
                .await;
            inserted.unwrap_or_else(|error| panic!("{error}: {row}"));
        }
    }
}

pub(super) async fn connect(database: &Database) -> database::Connection {
    let connection = database::Connection::connect(database.url()).await;
    connection.expect("it can be opened")
}

/// The migrations of this code, by their names.
pub(super) fn migrations() -> BTreeMap<String, Migration> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let folder = folder.join(database::MIGRATIONS);
    let files = std::fs::read_dir(folder).expect("it is there");
    let read = |path: PathBuf| {
        let name = path.file_stem()?.to_str()?.to_owned();
        let (version, description) = name.split_once('_')?;
        let sql = std::fs::read_to_string(&path).expect("it is text");
        let no_transaction = sql.starts_with("-- no-transaction");
        let sql = AssertSqlSafe(sql).into_sql_str();
        let version = version.parse().expect("build.rs has checked it");
        let description = description.to_owned().into();
        let kind = MigrationType::Simple;
        Some((
            name.clone(),
            Migration::new(version, description, kind, sql, no_transaction),
        ))
    };
    let paths = files.map(|file| file.expect("it can be read").path());
    paths.filter_map(read).collect()
}

fn checksum(migration: &Migration) -> String {
    let bytes = migration.checksum.iter();
    bytes.fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Each row of a table as the statement that inserts it.
pub(super) async fn rows(connection: &mut database::Connection, table: &str) -> Vec<String> {
    let ask = database::ASK_FOR_ROWS.replace('?', table);
    let question: String = sqlx::query_scalar(AssertSqlSafe(ask))
        .fetch_one(&mut *connection)
        .await
        .expect("it can be asked");
    sqlx::query_scalar(AssertSqlSafe(question))
        .fetch_all(connection)
        .await
        .expect("it can be asked")
}

/// Collects the statements that storage executes on this thread.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<BTreeSet<String>>>);

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if *event.metadata().level() == Level::TRACE {
            event.record(&mut self.clone());
        }
    }
}

impl Visit for Recorder {
    fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn std::fmt::Debug) {}

    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        if field.name() == "statement" {
            let mut statements = self.0.lock().expect("nobody panics with it");
            statements.insert(value.to_owned());
        }
    }
}

/// What a future that stays on this thread returns, and the statements that it executes.
pub(crate) async fn record<T>(work: impl Future<Output = T>) -> (T, BTreeSet<String>) {
    let recorder = Recorder::default();
    let filter = recorder.clone().with_filter(LevelFilter::TRACE);
    let recording = tracing_subscriber::registry().with(filter).set_default();
    let outcome = work.await;
    drop(recording);
    let statements = recorder.0.lock().expect("nobody panics with it").clone();
    (outcome, statements)
}

#[tokio::test]
async fn the_last_release_and_this_one_work_on_one_database() {
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        Box::pin(Release::present()).await.write();
    }
    let last = Release::last();
    let present = migrations();
    for (name, sum) in &last.migrations {
        let found = present.get(name).map(checksum);
        assert_eq!(
            found.as_ref(),
            Some(sum),
            "{name} was released and must stay as it was"
        );
    }
    let database = Database::create();
    last.leave(&database).await;
    let mut connection = connect(&database).await;
    let before = required_columns(&mut connection).await;
    let storage = migrated(&database).await;

    // The code before this release still works.
    assert!(last.statements.len() > 50, "{:?}", last.statements);
    for statement in &last.statements {
        let sql = AssertSqlSafe(statement.clone()).into_sql_str();
        let prepared = (&mut connection).prepare(sql).await;
        assert!(prepared.is_ok(), "{:?}: {statement}", prepared.err());
    }
    let after = required_columns(&mut connection).await;
    for (table, columns) in &before {
        let added: Vec<_> = after[table].difference(columns).collect();
        assert!(
            added.is_empty(),
            "older code inserts into {table} without {added:?}"
        );
    }

    // This code reads what the other left.
    assert!(last.rows.len() > 50, "{:?}", last.rows);
    Box::pin(read_everything(storage.as_ref(), &mut connection)).await;
    connection.close().await.expect("it can be closed");
    upgrades::empty(database.url()).await;
    Box::pin(contract(Arc::clone(&storage))).await;
    storage.close().await;
}

/// For each table the columns that a new row must name.
async fn required_columns(
    connection: &mut database::Connection,
) -> BTreeMap<String, BTreeSet<String>> {
    let tables: Vec<String> = sqlx::query_scalar(database::FIND_TABLES)
        .fetch_all(&mut *connection)
        .await
        .expect("it can be asked");
    let mut all = BTreeMap::new();
    for table in tables {
        let ask = database::FIND_REQUIRED_COLUMNS.replace('?', &table);
        let columns: Vec<String> = sqlx::query_scalar(AssertSqlSafe(ask))
            .fetch_all(&mut *connection)
            .await
            .expect("it can be asked");
        all.insert(table, columns.into_iter().collect());
    }
    all
}

async fn read_everything(storage: &dyn Storage, connection: &mut database::Connection) {
    let mut ids = async |table: &str| -> Vec<Uuid> {
        let question = format!("SELECT id FROM {table}");
        let ids = sqlx::query_scalar(AssertSqlSafe(question)).fetch_all(&mut *connection);
        let ids: Vec<Uuid> = ids.await.expect("it can be asked");
        assert!(!ids.is_empty(), "there is nothing in {table}");
        ids
    };
    for id in ids("web_widgets").await {
        let found = storage.find_public_widget(WidgetId::from_uuid(id)).await;
        let found = found.expect("it is readable").expect("it is there");
        let found = found.readable().expect("every field is readable").widget;
        let (organization, id) = (&found.organization_id, found.id);
        let revisions = storage
            .list_widget_revisions(organization, id, i64::MAX, 9)
            .await;
        assert!(!revisions.expect("they are readable").is_empty());
        let agent = storage.find_agent(organization, found.agent_id).await;
        assert!(agent.expect("it is readable").is_some());
        let versions = storage
            .list_agent_versions(organization, found.agent_id, i64::MAX, 9)
            .await;
        assert!(!versions.expect("they are readable").items.is_empty());
    }
    for id in ids("conversations").await {
        let id = ConversationId::from_uuid(id);
        match storage.find_conversation(id).await {
            Ok(found) => assert!(found.is_some()),
            Err(StoreError::Erased(_)) => {}
            Err(error) => panic!("{error}"),
        }
        storage.list_messages(id).await.expect("they are readable");
        let room = storage.find_newest_room(id).await.expect("it is readable");
        assert!(room.is_some());
    }
    let keys = storage
        .list_api_keys(None)
        .await
        .expect("they are readable");
    assert!(!keys.is_empty());
    let keys = storage.list_signing_keys().await;
    assert!(!keys.expect("they are readable").is_empty());
}

#[tokio::test]
async fn a_program_that_is_too_old_is_refused() {
    let database = Database::create();
    migrated(&database).await.close().await;
    let open = || storage::open(database.url(), SuffixList::builtin().clone());
    for (migration, is_refused) in [(20_261_124_000_000_i64, false), (29_990_101_000_000, true)] {
        let mut connection = connect(&database).await;
        let raise = format!(
            "UPDATE schema_compatibility
             SET oldest_migration = {migration}, oldest_release = '9.1.0'"
        );
        let raised = sqlx::raw_sql(AssertSqlSafe(raise)).execute(&mut connection);
        raised.await.expect("it has one row");
        match open().await {
            Ok(storage) => {
                assert!(!is_refused);
                storage.close().await;
            }
            Err(error @ StoreError::Incompatible { .. }) => {
                assert!(is_refused);
                let (own, text) = (env!("CARGO_PKG_VERSION"), error.to_string());
                assert!(text.contains(own) && text.contains("9.1.0"), "{text}");
            }
            Err(error) => panic!("{error}"),
        }
    }
    let refused = run(&database, &["serve", "--listen", "127.0.0.1:0"]);
    let complaint = String::from_utf8(refused.stderr).expect("text");
    assert_eq!(refused.status.code(), Some(1), "{complaint}");
    let last = complaint.lines().last().expect("a line");
    let expected = format!(
        "error: this is widget-http {}, and the database needs 9.1.0 or newer; install that release",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(last, expected);
}

#[tokio::test]
async fn a_program_that_cannot_ask_whether_it_is_too_old_is_refused() {
    let database = Database::create();
    migrated(&database).await.close().await;
    let mut connection = connect(&database).await;
    // Only a missing table says that nothing is required.
    let rename = "ALTER TABLE schema_compatibility RENAME COLUMN oldest_release TO oldest";
    let renamed = sqlx::raw_sql(rename).execute(&mut connection).await;
    renamed.expect("it has the column");
    let opened = storage::open(database.url(), SuffixList::builtin().clone()).await;
    assert!(matches!(opened.err(), Some(StoreError::Query(_))));
    connection.close().await.expect("it can be closed");
}
