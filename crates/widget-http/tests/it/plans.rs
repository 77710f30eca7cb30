//! How the database finds rows where there are many: by which index.

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _};
use widget_core::id::WidgetId;
use widget_http::background::run_erasure_jobs;

use super::storage::releases::record;
use crate::{
    database::{self, Connection},
    support::{Service, id},
    visitor::support::{Visitor, with_livekit},
};

/// Copies a conversation many times, each older than the one before, so that plans are those of a
/// large table.
async fn insert_older(connection: &mut Connection, like: &str, erased: usize, kept: usize) {
    let like = database::uuid_literal(like.parse().expect("an id"));
    let columns = "organization_id, web_widget_id, agent_id, agent_version_id,
        livekit_agent_name, mode, generation, repeat_used, token_at";
    let statements = format!(
        "INSERT INTO conversations (id, {columns}, origin, status, custom_metadata, created_at,
             joined_at, ended_at, end_reason, due_at, erased_at, erased_by)
         WITH RECURSIVE numbers(number) AS (
             SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {})
         SELECT {}, {columns}, 'https://erased.invalid', 'completed', '{{}}',
             created_at - 86400000000 * (1 + number % 300), created_at, created_at,
             'visitor', NULL,
             CASE WHEN number > {kept} THEN 1 END, CASE WHEN number > {kept} THEN 'retention' END
         FROM conversations, numbers WHERE id = {like};
         ANALYZE",
        erased + kept,
        database::UUID_OF_NUMBER
    );
    sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(connection)
        .await
        .expect("it is valid");
}

/// However few there are of all that the organization has.
#[tokio::test]
async fn open_conversations_are_found_by_their_status() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let first = visitor.start().await;
    let connection = Connection::connect(service.database().url()).await;
    let mut connection = connection.expect("it can be opened");
    insert_older(&mut connection, &first.id, 2_000, 1_000).await;
    let list = async |query: &str| {
        let path = format!("/core/conversations?{query}");
        let (answer, statements) = record(service.get(&path)).await;
        let found = answer.json(200).as_array().expect("a list").len();
        let reads = |one: &String| one.contains("ORDER BY created_at");
        (
            found,
            statements.into_iter().filter(reads).collect::<Vec<_>>(),
        )
    };
    for (status, expected) in [("token_created", 1), ("in_progress", 0)] {
        let (found, statements) = list(&format!("status={status}")).await;
        assert_eq!(found, expected, "{status}");
        assert!(!statements.is_empty());
        for statement in statements {
            let plan = database::explain(&mut connection, &statement).await;
            assert!(
                plan.contains("conversations_open_of_organization"),
                "{statement}: {plan}"
            );
        }
    }
    // What no index finds is looked for in parts of the list.
    let nobody = uuid::Uuid::nil();
    for query in [
        "status=failed".to_owned(),
        format!("agent_id={nobody}"),
        format!("agent_version_id={nobody}"),
    ] {
        let (found, statements) = list(&query).await;
        assert_eq!(found, 0, "{query}");
        for statement in statements {
            assert!(
                !statement.contains("status =") && !statement.contains("agent_id ="),
                "{statement}"
            );
            assert!(!statement.contains("agent_version_id ="), "{statement}");
        }
    }
    let (found, _) = list("status=completed&limit=100").await;
    assert_eq!(found, 100);
    connection.close().await.expect("it can be closed");
}

/// However many were erased before, which are the oldest.
#[tokio::test]
async fn what_looks_at_content_finds_the_conversations_that_were_not_erased() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let first = visitor.start().await;
    let connection = Connection::connect(service.database().url()).await;
    let mut connection = connection.expect("it can be opened");
    insert_older(&mut connection, &first.id, 3_000, 100).await;
    let filter = json!({"filter": {"visitor": "nobody"}});
    let (exported, mut statements) =
        record(service.post("/core/conversations/export", &filter)).await;
    exported.expect(200);
    let (job, _) = record(service.post("/core/conversations/erase", &filter)).await;
    job.expect(202);
    let (erased, more) = record(run_erasure_jobs(&service.state)).await;
    assert_eq!(erased.expect("storage works"), 0);
    statements.extend(more);
    let (found, more) = record(service.get("/core/conversations?text=nothing")).await;
    assert_eq!(found.json(200), json!([]));
    statements.extend(more);
    let reads = |statement: &&String| {
        statement.contains("erased_at IS NULL") && statement.contains("ORDER BY created_at")
    };
    let reading: Vec<_> = statements.iter().filter(reads).collect();
    assert_eq!(reading.len(), 6, "{reading:?}");
    for statement in reading {
        let plan = database::explain(&mut connection, statement).await;
        assert!(
            plan.contains("conversations_kept_in_order"),
            "{statement}: {plan}"
        );
        // PostgreSQL and SQLite.
        for sorts in ["Sort", "TEMP B-TREE"] {
            assert!(!plan.contains(sorts), "{statement}: {plan}");
        }
    }
    connection.close().await.expect("it can be closed");
}

/// What a day has used is counted once, and of the conversations of that day alone.
#[tokio::test]
async fn a_budget_counts_the_conversations_of_its_day_and_only_once() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let first = visitor.start().await;
    let connection = Connection::connect(service.database().url()).await;
    let mut connection = connection.expect("it can be opened");
    insert_older(&mut connection, &first.id, 3_000, 3_000).await;
    let widget: WidgetId = id(&visitor.widget).parse().expect("an id");
    let counts = |statement: &str| {
        statement.contains("COUNT(") && statement.contains("joined_at IS NOT NULL")
    };

    let limits = json!({"conversations_per_day": 0});
    for path in [
        "/core/organization/limits".to_owned(),
        format!("/core/web-widgets/{widget}/limits"),
    ] {
        let (answer, statements) = record(service.put(&path, &limits)).await;
        answer.json(200);
        let counting: Vec<_> = statements.iter().filter(|one| counts(one)).collect();
        assert_eq!(counting.len(), 2, "{counting:?}");
        for statement in counting {
            let plan = database::explain(&mut connection, statement).await;
            assert!(plan.contains("conversations_newest"), "{plan}");
            assert!(!plan.contains("conversations_widget"), "{plan}");
        }
        let (refused, statements) = record(visitor.try_start(json!({}))).await;
        refused.problem(429, "budget_used_up");
        let counting: Vec<_> = statements.iter().filter(|one| counts(one)).collect();
        assert!(counting.is_empty(), "{counting:?}");
        service.put(&path, &json!({})).await.json(200);
    }
    connection.close().await.expect("it can be closed");
}
