//! Nodes of two releases on one database, and what a migration finds there.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Connection};
use widget_core::{
    conversation::{LifecycleLimits, Presence},
    id::ConversationId,
};
use widget_http::storage::{Storage, Transition};

use super::{
    contract,
    conversations::{due, new_conversation, place},
    migrated, number, organization,
    releases::connect,
};
use crate::{
    database::{self, Database},
    support::{LogLines, START},
};

/// Runs statements beside the service.
async fn execute(url: &str, statements: String) {
    let mut connection = database::Connection::connect(url)
        .await
        .expect("it can be opened");
    sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(&mut connection)
        .await
        .expect("it can be executed");
    connection.close().await.expect("it can be closed");
}

/// A conversation that is older than the time at which it is due, or that an older node wrote, is
/// due at once; then it has its time.
pub(crate) async fn without_due_time(storage: Arc<dyn Storage>, url: &str) {
    let storage = storage.as_ref();
    let limits = LifecycleLimits::default();
    let new = new_conversation(&organization("older"), 0x610, 0x61F, "https://a.example");
    let created_at = new.conversation.created_at;
    storage.create_conversation(&new).await.expect("new");
    assert_eq!(due(storage, created_at).await, [0; 0]);
    let columns = "id, organization_id, web_widget_id, agent_id, agent_version_id, livekit_agent_name, origin,
        status, mode, custom_metadata, generation, repeat_used, created_at, token_at";
    execute(
        url,
        format!(
            "CREATE TABLE older AS SELECT {columns} FROM conversations WHERE organization_id = 'older';
             DELETE FROM conversations WHERE organization_id = 'older';
             INSERT INTO conversations ({columns}) SELECT {columns} FROM older;
             DROP TABLE older;"
        ),
    )
    .await;
    assert_eq!(due(storage, created_at).await, [0x610]);
    storage
        .settle_conversation(
            new.conversation.id,
            Presence::AsReported,
            created_at,
            &limits,
        )
        .await
        .expect("works");
    assert_eq!(due(storage, created_at).await, [0; 0]);
    let later = created_at + limits.join_within;
    assert_eq!(due(storage, later).await, [0x610]);
    storage
        .settle_conversation(new.conversation.id, Presence::AsReported, later, &limits)
        .await
        .expect("works");
}

/// Where a conversation was started is forgotten with its joining or its end, also when an older
/// node has written that.
pub(crate) async fn places_of_older_nodes(storage: Arc<dyn Storage>, url: &str) {
    let storage = storage.as_ref();
    let limits = LifecycleLimits::default();
    let ours = organization("older-places");
    for number in 0xC00..0xC04 {
        let mut new = new_conversation(&ours, number, 0xCFF, "https://a.example");
        new.place = Some(place(&format!("address-{number}"), Some("network")));
        storage.create_conversation(&new).await.expect("new");
    }
    let kept = async || -> (i64, i64) {
        let mut connection = database::Connection::connect(url).await.expect("it opens");
        let kept = sqlx::query_as(
            "SELECT COUNT(start_address), COUNT(start_network) FROM conversations
             WHERE organization_id = 'older-places'",
        );
        let kept = kept.fetch_one(&mut connection).await;
        connection.close().await.expect("it can be closed");
        kept.expect("it can be asked")
    };
    assert_eq!(kept().await, (4, 4));
    let steps: [(u128, Transition<'_>); 2] = [
        (0xC00, &|lifecycle| lifecycle.joined(START)),
        (0xC01, &|lifecycle| {
            lifecycle.settle(
                Presence::AsReported,
                START + limits.join_within + limits.max_length,
                &limits,
            )
        }),
    ];
    for (id, step) in steps {
        let id = ConversationId::from_uuid(number(id));
        let stepped = storage
            .transition_conversation(id, START, &limits, step)
            .await;
        assert!(stepped.expect("works").is_some());
    }
    assert_eq!(kept().await, (2, 2));
    execute(
        url,
        "UPDATE conversations SET status = 'in_progress', joined_at = 1, active_at = 1
         WHERE start_address = 'address-3074';"
            .to_owned(),
    )
    .await;
    assert_eq!(kept().await, (2, 2));
    storage.forget_expired(START, START).await.expect("works");
    assert_eq!(kept().await, (1, 1));
    execute(
        url,
        "DELETE FROM conversations WHERE organization_id = 'older-places'".to_owned(),
    )
    .await;
}

/// Every table of the service; those that others point at first.
pub(super) const TABLES: [&str; 21] = [
    "agent_workers",
    "api_keys",
    "signing_keys",
    "agents",
    "agent_versions",
    "web_widgets",
    "web_widget_revisions",
    "deleted_web_widgets",
    "deleted_web_widget_revisions",
    "previews",
    "conversations",
    "rooms",
    "messages",
    "used_tickets",
    "webhook_events",
    "idempotency_keys",
    "embed_builds",
    "retentions",
    "erasure_jobs",
    "web_widget_statistics",
    "web_widget_refusals",
];

/// A newer release adds a column to every table while this one runs: every statement, prepared
/// before by warm connections, works as before.
pub(crate) async fn with_a_newer_schema(storage: Arc<dyn Storage>, url: &str) {
    empty(url).await;
    Box::pin(contract(Arc::clone(&storage))).await;
    execute(
        url,
        each("ALTER TABLE ? ADD COLUMN of_a_newer_release TEXT;"),
    )
    .await;
    empty(url).await;
    Box::pin(contract(storage)).await;
}

/// Deletes every row.
pub(super) async fn empty(url: &str) {
    execute(url, each("DELETE FROM ?;")).await;
}

/// The statement for each table; those that point at others come first.
fn each(statement: &str) -> String {
    let tables = TABLES.iter().rev();
    let statements: Vec<_> = tables.map(|table| statement.replace('?', table)).collect();
    statements.concat()
}

/// The type of a column changes while this release runs, where the database can change it: what was
/// prepared before is prepared again, on its own and as the first statement of a transaction.
pub(crate) async fn with_another_type(storage: Arc<dyn Storage>, url: &str) {
    let storage = storage.as_ref();
    let limits = LifecycleLimits::default();
    let new = new_conversation(&organization("types"), 0x620, 0x62F, "https://a.example");
    storage.create_conversation(&new).await.expect("new");
    let (id, now) = (new.conversation.id, new.conversation.created_at);
    for statements in [None, database::CHANGE_TYPE] {
        if let Some(statements) = statements {
            execute(url, statements.to_owned()).await;
        }
        // More than there are connections.
        for _ in 0..20 {
            let found = storage.find_conversation(id).await.expect("it is readable");
            assert_eq!(found.map(|found| found.id), Some(id));
        }
        for _ in 0..20 {
            let found = storage
                .settle_conversation(id, Presence::AsReported, now, &limits)
                .await;
            assert!(found.expect("it is readable").is_some());
        }
    }
}

/// A migration builds the tables of widgets anew: what is in them stays, and so do the rules about
/// agents.
/// One may take long on a large database, so the log says which one it is.
#[tokio::test]
async fn a_migration_is_logged_when_it_begins_and_when_it_is_done() {
    let log = LogLines::capture();
    let database = Database::create();
    let storage = migrated(&database).await;
    let begun = || log.with("migrating the database");
    assert_eq!(begun(), [""; 0], "an empty one has nothing that takes long");
    // The newest one changes nothing when it is applied once more.
    let newest: (i64, String) =
        sqlx::query_as("SELECT version, description FROM _sqlx_migrations ORDER BY version DESC")
            .fetch_one(&mut connect(&database).await)
            .await
            .expect("it can be asked");
    let forget = format!("DELETE FROM _sqlx_migrations WHERE version = {}", newest.0);
    execute(database.url(), forget).await;
    assert_eq!(storage.migrate().await.expect("it can be applied"), 1);
    assert_eq!(storage.migrate().await.expect("there is none"), 0);
    let name = format!("migration=\"{}_{}\"", newest.0, newest.1.replace(' ', "_"));
    for lines in [begun(), log.with("this migration is done")] {
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(&name), "{lines:?}, not {name}");
    }
    storage.close().await;
}

#[tokio::test]
async fn widgets_of_an_earlier_release_are_kept() {
    const NEW_TABLES: &str = "_deleted_web_widgets.sql";
    let database = database::Database::create();
    let is_sqlite = database.url().starts_with("sqlite:");
    let folder = if is_sqlite { "sqlite" } else { "postgres" };
    let folder = format!("{}/migrations/{folder}", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    let at = files
        .iter()
        .position(|file| file.to_string_lossy().ends_with(NEW_TABLES))
        .expect("one of them");
    // Several statements at once are one transaction.
    let read = |file| {
        let sql = std::fs::read_to_string(file).expect("SQL");
        sql.replace(" CONCURRENTLY", "")
    };
    let id = |number: u8| {
        let hex = format!("{number:032x}");
        if is_sqlite {
            format!("X'{hex}'")
        } else {
            format!("'{hex}'")
        }
    };
    let (agent, version, widget) = (id(1), id(2), id(3));
    let mut statements: Vec<String> = files[..at].iter().map(read).collect();
    statements.push(format!(
        "INSERT INTO agents VALUES ({agent}, 'o', 'a', 1);
         INSERT INTO agent_versions VALUES ({version}, 'o', {agent}, 1, 'n', NULL, 1, 1);
         INSERT INTO web_widgets VALUES ({widget}, 'o', {agent}, {version}, '[]', TRUE, '{{}}', 1, 2, 2);
         INSERT INTO web_widget_revisions VALUES
             ({widget}, 1, 'k', NULL, 1, {agent}, {version}, '[]', TRUE, '{{}}'),
             ({widget}, 2, 'k', 1, 2, {agent}, {version}, '[]', TRUE, '{{}}');"
    ));
    // A file that SQLite opens does not exist before; whoever executes makes it.
    let url = if is_sqlite {
        format!("{}?mode=rwc", database.url())
    } else {
        database.url().to_owned()
    };
    execute(&url, statements.concat()).await;
    execute(&url, files[at..].iter().map(read).collect()).await;

    let mut connection = database::Connection::connect(&url).await.expect("it opens");
    let kept: (i64, i64) = sqlx::query_as(
        "SELECT w.revision, COUNT(*) FROM web_widgets w
         JOIN web_widget_revisions r ON r.web_widget_id = w.id GROUP BY w.revision",
    )
    .fetch_one(&mut connection)
    .await
    .expect("they are there");
    assert_eq!(kept, (2, 2));
    // The statements of the earlier release: an agent in use stays, and deleting takes the history.
    let delete_agents = sqlx::query("DELETE FROM agents");
    assert!(delete_agents.execute(&mut connection).await.is_err());
    for statement in ["DELETE FROM web_widgets", "DELETE FROM agents"] {
        let done = sqlx::query(statement).execute(&mut connection).await;
        done.expect("nothing points there");
    }
    let revisions: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM web_widget_revisions")
        .fetch_one(&mut connection)
        .await
        .expect("it can be asked");
    assert_eq!(revisions, 0);
    connection.close().await.expect("it can be closed");
}
