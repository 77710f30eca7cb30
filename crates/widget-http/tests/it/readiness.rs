//! What `/readyz` reports of a node.

use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::{
    database,
    support::{LogLines, Service},
    visitor::support::with_livekit,
};

/// The body of `/readyz`, if it has that status.
async fn readiness(service: &Service, status: u16) -> Value {
    service
        .call_with(None, "GET", "/readyz", None, &[])
        .await
        .json(status)
}

async fn execute(service: &Service, statement: &'static str) {
    let mut connection = database::Connection::connect(service.database().url())
        .await
        .expect("it can be opened");
    sqlx::raw_sql(statement)
        .execute(&mut connection)
        .await
        .expect("it can be executed");
    connection.close().await.expect("it can be closed");
}

#[tokio::test]
async fn every_part_is_reported() {
    let service = Service::start().await;
    let without_livekit = json!({
        "database": "ok", "migrations": "ok", "disk": "ok", "livekit": "livekit_not_configured",
    });
    let degraded = json!({"status": "degraded", "parts": without_livekit});
    assert_eq!(readiness(&service, 200).await, degraded);
    let service = Service::start_with(with_livekit).await;
    let unchecked = json!({
        "database": "ok", "migrations": "ok", "disk": "ok", "livekit": "unknown",
    });
    let ready = json!({"status": "ready", "parts": unchecked});
    assert_eq!(readiness(&service, 200).await, ready);
}

#[tokio::test]
async fn a_node_without_all_migrations_is_not_ready() {
    let service = Service::start_with(with_livekit).await;
    execute(
        &service,
        "CREATE TABLE kept AS SELECT * FROM _sqlx_migrations;
         DELETE FROM _sqlx_migrations WHERE version = (SELECT MAX(version) FROM kept)",
    )
    .await;
    let report = readiness(&service, 503).await;
    assert_eq!(report["status"], "unavailable");
    assert_eq!(report["parts"]["migrations"], "migrations_pending");
    assert_eq!(report["parts"]["database"], "ok");
    execute(
        &service,
        "DELETE FROM _sqlx_migrations; INSERT INTO _sqlx_migrations SELECT * FROM kept; DROP TABLE kept",
    )
    .await;
    assert_eq!(readiness(&service, 200).await["status"], "ready");
}

#[tokio::test]
async fn a_node_that_is_about_to_stop_is_not_ready() {
    let service = Service::start_with(with_livekit).await;
    service.state.drain.begin();
    assert_eq!(readiness(&service, 503).await["status"], "stopping");
    service.get("/healthz").await.expect(200);
    service.get("/core/agents").await.expect(200);
}

#[tokio::test]
async fn probes_are_not_logged() {
    let service = Service::start().await;
    let log = LogLines::capture();
    readiness(&service, 200).await;
    service.get("/healthz").await.expect(200);
    assert_eq!(log.with("answered"), [""; 0]);
    service.get("/core/agents").await.expect(200);
    assert_eq!(log.with("answered").len(), 1);
}

#[tokio::test]
async fn a_database_that_can_only_be_read_is_noticed_until_it_can_be_written() {
    database::obey_permissions();
    let service = Service::start_with(with_livekit).await;
    let agent = json!({"name": "Concierge"});
    for way in 0..database::WAYS_TO_FORBID_WRITES {
        service.database().forbid_writes(way);
        let node = service.another_node().await;
        // Also before anybody has tried to write, and as long as it lasts.
        for _ in 0..2 {
            let report = readiness(&node, 503).await;
            assert_eq!(report["status"], "unavailable");
            assert_eq!(report["parts"]["database"], "storage_read_only");
            assert_eq!(report["parts"]["migrations"], "ok");
            let refused = node.post("/core/agents", &agent).await;
            refused.problem(503, "storage_read_only");
            node.get("/core/agents").await.expect(200);
        }
        service.database().allow_writes(way);
        // Each answer closes a connection that may not write, and there are some.
        let mut created = node.post("/core/agents", &agent).await;
        for _ in 0..16 {
            if created.status == 201 {
                break;
            }
            created = node.post("/core/agents", &agent).await;
        }
        created.expect(201);
        let mut report = node.get("/readyz").await;
        for _ in 0..16 {
            if report.status == 200 {
                break;
            }
            report = node.get("/readyz").await;
        }
        assert_eq!(report.json(200)["status"], "ready");
        node.storage.close().await;
    }
}
