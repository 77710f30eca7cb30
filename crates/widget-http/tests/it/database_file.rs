//! What happens when the file of a SQLite database is removed, replaced or damaged while the
//! service runs.

use std::fs;

use serde_json::json;
use sqlx::Connection as _;

use crate::{
    database,
    support::{LogLines, Service},
};

#[tokio::test]
async fn a_file_that_is_removed_or_replaced_is_noticed_and_nothing_is_written() {
    let service = Service::start().await;
    let agent = json!({"name": "Concierge"});
    service.post("/core/agents", &agent).await.expect(201);
    let path = service.database().directory().join("widgets.db");
    let kept = service.database().directory().join("kept.db");
    let other = Service::start().await;
    let foreign = other.database().directory().join("widgets.db");
    let log = LogLines::capture();
    for replace in [false, true] {
        fs::rename(&path, &kept).expect("it is there");
        if replace {
            fs::copy(&foreign, &path).expect("it is readable");
        }
        let before = fs::read(&path).ok();
        for _ in 0..2 {
            let report = service.get("/readyz").await.json(503);
            assert_eq!(report["parts"]["database"], "storage_unavailable");
            service
                .post("/core/agents", &agent)
                .await
                .problem(503, "storage_unavailable");
        }
        assert_eq!(
            fs::read(&path).ok(),
            before,
            "nothing was written or created"
        );
        fs::rename(&kept, &path).expect("it is there");
        service.get("/readyz").await.expect(200);
        service.post("/core/agents", &agent).await.expect(201);
    }
    assert_eq!(log.with("was removed or replaced, so nothing").len(), 2);
    let agents = service.get("/core/agents").await.json(200);
    assert_eq!(agents.as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn a_log_that_is_removed_or_replaced_is_noticed_and_nothing_is_written() {
    let service = Service::start().await;
    let agent = json!({"name": "Concierge"});
    service.post("/core/agents", &agent).await.expect(201);
    let kept = service.database().directory().join("kept");
    let log = LogLines::capture();
    for name in ["widgets.db-wal", "widgets.db-shm"] {
        let path = service.database().directory().join(name);
        for replace in [false, true] {
            fs::rename(&path, &kept).expect("it is there");
            if replace {
                fs::copy(&kept, &path).expect("it is readable");
            }
            let before = fs::read(&path).ok();
            service
                .post("/core/agents", &agent)
                .await
                .problem(503, "storage_unavailable");
            assert_eq!(fs::read(&path).ok(), before, "nothing was written");
            fs::rename(&kept, &path).expect("it is there");
            service.get("/readyz").await.expect(200);
            service.post("/core/agents", &agent).await.expect(201);
        }
    }
    assert_eq!(log.with("was removed or replaced, so nothing").len(), 4);
    let agents = service.get("/core/agents").await.json(200);
    assert_eq!(agents.as_array().map(Vec::len), Some(5));
}

#[tokio::test]
async fn a_damaged_file_is_a_503_that_its_operator_reads_of() {
    let service = Service::start().await;
    let agent = json!({"name": "Concierge"});
    service.post("/core/agents", &agent).await.expect(201);
    let path = service.database().directory().join("widgets.db");
    let connection = database::Connection::connect(service.database().url()).await;
    let mut connection = connection.expect("it can be opened");
    sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut connection)
        .await
        .expect("nobody reads");
    let bytes = fs::read(&path).expect("it is there").len();
    fs::write(&path, vec![0xff; bytes]).expect("it is writable");
    let log = LogLines::capture();
    service
        .get("/core/agents")
        .await
        .problem(503, "storage_unavailable");
    let report = service.get("/readyz").await.json(503);
    assert_eq!(report["parts"]["database"], "storage_unavailable");
    assert!(!log.with("the database is damaged; stop").is_empty());
}
