//! `docs/partitions.sql` on the schema of this release: nothing that the tables have is lost.

use std::collections::BTreeSet;

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _};

use crate::{
    database::{self, Connection},
    postgresql::erasure::{forgotten::is_kept, path, say_everywhere, with_forms},
    support::Service,
    visitor::support::{Visitor, with_livekit},
};

const PARTITIONS: &str = include_str!("../../../../docs/partitions.sql");

/// Triggers, indexes that do not only say what is unique, and columns that are not sampled.
const ASK_FOR_PARTS: &str = "
    SELECT tgrelid::regclass || ' ' || tgname FROM pg_trigger
    WHERE NOT tgisinternal AND tgrelid::regclass::TEXT IN ('conversations', 'rooms', 'messages')
    UNION ALL
    SELECT tablename || substring(indexdef FROM ' USING .*') FROM pg_indexes
    WHERE schemaname = current_schema() AND indexdef NOT LIKE '% UNIQUE %'
        AND tablename IN ('conversations', 'rooms', 'messages')
    UNION ALL
    SELECT attrelid::regclass || '.' || attname FROM pg_attribute
    WHERE attnum > 0 AND attstattarget = 0
        AND attrelid::regclass::TEXT IN ('conversations', 'rooms', 'messages')";

async fn ask(connection: &mut Connection) -> BTreeSet<String> {
    let parts: Vec<String> = sqlx::query_scalar(ASK_FOR_PARTS)
        .fetch_all(connection)
        .await
        .expect("it can be asked");
    parts.into_iter().collect()
}

#[tokio::test]
async fn partitions_have_what_the_tables_had_and_keep_nothing_that_was_erased() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, with_forms()).await;
    let before = say_everywhere(&visitor, "marker-before-3c2e").await;
    let mut connection = Connection::connect(service.database().url())
        .await
        .expect("it can be opened");
    let tables = ask(&mut connection).await;
    assert!(tables.len() > 15, "{tables:?}");
    let statements = format!("BEGIN; {PARTITIONS} SELECT create_month('2026-01-31'); COMMIT");
    sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(&mut connection)
        .await
        .expect("it fits the schema");
    let partitions = ask(&mut connection).await;
    let lost: Vec<_> = tables.difference(&partitions).collect();
    assert!(lost.is_empty(), "{lost:?}");

    // A later release builds an index, which the server cannot do on partitions in use.
    let forget = "DELETE FROM _sqlx_migrations WHERE description = 'kept_conversations_in_order'";
    let forgotten = sqlx::raw_sql(forget).execute(&mut connection).await;
    forgotten.expect("it can be executed");
    assert_eq!(service.storage.migrate().await.expect("it is built"), 1);

    let after = say_everywhere(&visitor, "marker-after-3c2e").await;
    for (started, marker) in [(before, "marker-before-3c2e"), (after, "marker-after-3c2e")] {
        assert!(is_kept(&service, marker).await, "{marker} is not stored");
        service.delete(&path(&started)).await.expect(204);
        assert!(!is_kept(&service, marker).await, "{marker}");
        let literal = database::uuid_literal(started.id.parse().expect("an id"));
        let message = format!(
            "INSERT INTO messages (conversation_id, reported_by, id, role, text, created_at)
             VALUES ({literal}, 'agent', 'old', 'agent', 'Hello', 1)"
        );
        let added = sqlx::raw_sql(AssertSqlSafe(message)).execute(&mut connection);
        added.await.expect_err("it was erased");
        let body = json!({"id": "late", "role": "agent", "text": "Hello"});
        let messages = format!("{}/messages", path(&started));
        let late = service.post(&messages, &body).await;
        late.problem(410, "conversation_erased");
    }
}
