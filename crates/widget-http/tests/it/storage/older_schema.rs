//! Commands of this release on a database that only an older one has migrated: its services may
//! still be running, so that no command may migrate it.

use std::collections::BTreeSet;

use sqlx::migrate::{Migration, Migrator};
use widget_core::origin::SuffixList;
use widget_http::storage;

use super::{
    super::process::run,
    releases::{connect, migrations},
};
use crate::database::Database;

/// The migration that keeps which key created another.
const CREATED_KEYS: i64 = 20_261_128_080_000;

/// The file of SQLite, with nothing in it.
async fn create_empty(database: &Database) {
    let storage = storage::open(database.url(), SuffixList::builtin().clone()).await;
    storage.expect("it can be opened").close().await;
}

async fn applied(database: &Database) -> BTreeSet<i64> {
    let applied = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
        .fetch_all(&mut connect(database).await)
        .await;
    let applied: Vec<i64> = applied.expect("it can be asked");
    applied.into_iter().collect()
}

#[tokio::test]
async fn commands_for_keys_work_without_migrating() {
    let database = Database::create();
    let run = |arguments: &str| {
        let output = run(&database, &arguments.split(' ').collect::<Vec<_>>());
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let older = migrations().into_values();
    let older: Vec<Migration> = older.filter(|one| one.version < CREATED_KEYS).collect();
    let versions: BTreeSet<i64> = older.iter().map(|one| one.version).collect();
    create_empty(&database).await;
    let migrator = Migrator::with_migrations(older);
    let mut connection = connect(&database).await;
    migrator.run(&mut connection).await.expect("it is empty");

    let create = "key create --organization acme --name worker --scope agents:read";
    let (code, key, log) = run(create);
    assert_eq!(code, Some(0), "{log}");
    let id = key.strip_prefix("ak_").and_then(|key| key.split_once('.'));
    let (id, _) = id.expect("a key");
    let listed = |state: &str| {
        let (code, list, log) = run("key list");
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("the database lacks migrations"), "{log}");
        let fields: Vec<&str> = list.trim_end().split('\t').collect();
        assert_eq!(
            (fields[0], &fields[1..3], fields[5..].to_vec()),
            (
                id,
                &["acme", "worker"][..],
                vec!["agents:read", "never", "command line"]
            )
        );
        assert!(fields[4].starts_with(state), "{list}");
    };
    listed("valid");
    let (code, _, log) = run(&format!("key revoke {id}"));
    assert_eq!(code, Some(0), "{log}");
    listed("revoked");
    let (code, _, log) = run("key rotate-signing");
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(applied(&database).await, versions);

    assert_eq!(run("migrate").0, Some(0));
    assert!(applied(&database).await.contains(&CREATED_KEYS));
    let (code, _, log) = run("key list");
    assert_eq!((code, log.contains("lacks migrations")), (Some(0), false));
}

#[tokio::test]
async fn commands_for_keys_do_not_make_tables() {
    let database = Database::create();
    create_empty(&database).await;
    sqlx::raw_sql("CREATE TABLE others (id BIGINT)")
        .execute(&mut connect(&database).await)
        .await
        .expect("it is empty");
    for arguments in [
        &["key", "list"][..],
        &[
            "key",
            "create",
            "--organization",
            "acme",
            "--scope",
            "agents:read",
        ],
        &["key", "revoke", "x"],
        &["key", "rotate-signing"],
    ] {
        let output = run(&database, arguments);
        let log = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {log}");
        assert!(log.contains("has no tables of this service"), "{log}");
    }
    let tables: Vec<String> = sqlx::query_scalar(crate::database::TABLES)
        .fetch_all(&mut connect(&database).await)
        .await
        .expect("it can be asked");
    assert_eq!(tables, ["others"]);
}
