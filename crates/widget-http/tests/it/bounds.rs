//! What one request can cost: answers and lists have bounds, and so has what is kept.

use serde_json::{Value, json};
use sqlx::Connection as _;
use widget_core::id::AgentId;
use widget_http::storage::{Agent, MAX_PAGE_BYTES};

use super::conversations;
use crate::{
    database::{self, Connection},
    support::{START, Service, id},
};

/// A config of some 60 KiB of small values that nothing reads.
fn unknown_values() -> Value {
    let keys = (0..6_000).map(|key| (format!("k{key}"), json!(key % 10)));
    json!({"v1": keys.collect::<serde_json::Map<_, _>>()})
}

/// The items of every page of a list, and how many pages there are.
async fn pages(service: &Service, path: &str) -> (Vec<Value>, usize) {
    let (mut items, mut count, mut next) = (Vec::new(), 0, Some(path.to_owned()));
    while let Some(path) = next {
        let answer = service.get(&path).await;
        let Value::Array(page) = answer.json(200) else {
            panic!("{path} is not a list")
        };
        assert!(!page.is_empty(), "{path} is empty");
        items.extend(page);
        count += 1;
        next = answer.headers.get("link").map(|link| {
            let link = link.to_str().expect("ASCII");
            let url = link.strip_prefix('<').and_then(|link| link.split_once('>'));
            let (url, rel) = url.expect("a link");
            assert_eq!(rel, "; rel=\"next\"");
            url.strip_prefix("https://widgets.example")
                .expect("of this service")
                .to_owned()
        });
    }
    (items, count)
}

#[tokio::test]
async fn an_answer_reports_a_hundred_faults_at_most_and_counts_all() {
    let service = Service::start().await;
    let (agent, version) = service.agent(true).await;
    let create = async |more: Value| {
        let mut body = json!({"agent_id": agent, "agent_version_id": version});
        let body_keys = body.as_object_mut().expect("made as one");
        body_keys.extend(more.as_object().cloned().expect("an object"));
        service.post("/core/web-widgets", &body).await
    };
    let answer = create(json!({"domains": vec!["_"; 60_000]})).await;
    answer.problem_at(422, "domains_invalid", "/domains", "too_many");
    assert!(answer.text.len() < 1024, "{} bytes", answer.text.len());

    let faults = json!({"v1": {"forms": [{"id": "a", "fields": (0..40).map(|_| json!({
        "id": 1, "type": "text", "label": 2, "help": 3, "placeholder": 4
    })).collect::<Vec<_>>()}]}});
    let answer = create(json!({"domains": ["_", "!"], "config": faults})).await;
    let body = answer.problem(422, "config_invalid");
    assert_eq!(body["errors"].as_array().map(Vec::len), Some(100));
    let total = body["errors_total"].as_u64().expect("a number");
    assert!(total > 100, "{total}");

    let widget = create(json!({"config": unknown_values()})).await.json(201);
    let report = service
        .get(&format!("/core/web-widgets/{}/go-live", id(&widget)))
        .await
        .json(200);
    assert_eq!(report["warnings"].as_array().map(Vec::len), Some(100));
    assert_eq!(report["warnings_total"], 6_001);
}

#[tokio::test]
async fn lists_of_large_documents_end_by_bytes() {
    let service = Service::start().await;
    let (agent, version) = service.agent(true).await;
    let body = json!({"agent_id": agent, "agent_version_id": version, "config": unknown_values()});
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(id(&service
            .post("/core/web-widgets", &body)
            .await
            .json(201)));
    }
    ids.sort_unstable();
    let largest = usize::try_from(MAX_PAGE_BYTES).expect("a number") + 64 * 1024;

    let listed = async |path: &str| {
        let first = service.get(path).await;
        assert!(first.text.len() < largest, "{} bytes", first.text.len());
        let (items, count) = pages(&service, path).await;
        assert!(count > 1, "{count} pages");
        let mut found: Vec<_> = items.iter().map(id).collect();
        found.sort_unstable();
        found
    };
    assert_eq!(listed("/core/web-widgets?limit=200").await, ids);
    for id in &ids {
        service
            .delete(&format!("/core/web-widgets/{id}"))
            .await
            .expect(204);
    }
    assert_eq!(
        listed("/core/web-widgets?limit=200&deleted=true").await,
        ids
    );
}

#[tokio::test]
async fn the_history_of_a_large_document_ends_by_bytes() {
    let service = Service::start().await;
    let widget = service.widget(json!({"config": unknown_values()})).await;
    let path = format!("/core/web-widgets/{}", id(&widget));
    for number in 0..20 {
        let mut config = unknown_values();
        config["v1"]["k0"] = json!(format!("revision {number}"));
        service
            .put(&path, &json!({"config": config}))
            .await
            .json(200);
    }
    let (revisions, count) = pages(&service, &format!("{path}/revisions?limit=200")).await;
    assert!(count > 1, "{count} pages");
    let numbers: Vec<_> = revisions
        .iter()
        .map(|revision| revision["number"].as_i64().expect("a number"))
        .collect();
    assert_eq!(numbers, (1..=21).rev().collect::<Vec<_>>());
    for revision in &revisions[..20] {
        assert_eq!(revision["changes"].as_array().map(Vec::len), Some(1));
    }
    assert_eq!(revisions[20]["changes"], json!([]));

    // Every value differs, so the changes are longer than both documents.
    let keys = (0..6_000).map(|key| (format!("k{key}"), json!((key + 1) % 10)));
    let other = json!({"v1": keys.collect::<serde_json::Map<_, _>>()});
    for number in 0..6 {
        let config = if number % 2 == 0 {
            other.clone()
        } else {
            unknown_values()
        };
        service
            .put(&path, &json!({"config": config}))
            .await
            .json(200);
    }
    let answer = service.get(&format!("{path}/revisions?limit=7")).await;
    let most = 2 * usize::try_from(MAX_PAGE_BYTES).expect("a number");
    assert!(answer.text.len() < most, "{} bytes", answer.text.len());
    let (revisions, _) = pages(&service, &format!("{path}/revisions?limit=7")).await;
    assert_eq!(revisions.len(), 27);
}

#[tokio::test]
async fn agents_and_versions_are_listed_page_by_page() {
    let service = Service::start().await;
    let mut agents = Vec::new();
    for number in 0..7 {
        let body = json!({"name": format!("agent {number}")});
        agents.push(id(&service.post("/core/agents", &body).await.json(201)));
    }
    agents.reverse();
    let (found, count) = pages(&service, "/core/agents?limit=3").await;
    assert_eq!(found.iter().map(id).collect::<Vec<_>>(), agents);
    assert_eq!(count, 3);
    for (query, pointer) in [
        ("limit=0", "/limit"),
        ("limit=201", "/limit"),
        ("cursor=x", "/cursor"),
    ] {
        let answer = service.get(&format!("/core/agents?{query}")).await;
        answer.problem_at(422, "query_invalid", pointer, "value_invalid");
    }

    let versions = format!("/core/agents/{}/versions", agents[0]);
    for _ in 0..7 {
        let body = json!({"livekit_agent_name": "a"});
        service.post(&versions, &body).await.json(201);
    }
    let (found, count) = pages(&service, &format!("{versions}?limit=3")).await;
    let numbers: Vec<_> = found.iter().map(|found| found["number"].as_i64()).collect();
    assert_eq!(numbers, (1..=7).rev().map(Some).collect::<Vec<_>>());
    assert_eq!(count, 3);
    let answer = service.get(&format!("{versions}?limit=201")).await;
    answer.problem_at(422, "query_invalid", "/limit", "value_invalid");
}

#[tokio::test]
async fn the_registry_is_bounded() {
    let service = Service::start().await;
    let (agent, _) = service.agent(true).await;
    let versions = format!("/core/agents/{agent}/versions");
    let mut connection = Connection::connect(service.database().url())
        .await
        .expect("the database can be reached");
    sqlx::query("UPDATE agent_versions SET number = 9999")
        .execute(&mut connection)
        .await
        .expect("the version is renumbered");
    let body = json!({"livekit_agent_name": "a"});
    assert_eq!(
        service.post(&versions, &body).await.json(201)["number"],
        10_000
    );
    service
        .post(&versions, &body)
        .await
        .problem(409, "registry_full");
    let (listed, _) = pages(&service, &versions).await;
    assert_eq!(listed.len(), 2);

    for number in 1..1000_u128 {
        let agent = Agent {
            id: AgentId::from_uuid(uuid::Uuid::from_u128(number)),
            organization_id: "acme".parse().expect("an organization"),
            name: "a".to_owned(),
            created_at: START,
        };
        service
            .storage
            .insert_agent(&agent)
            .await
            .expect("there is room");
    }
    let body = json!({"name": "one more"});
    service
        .post("/core/agents", &body)
        .await
        .problem(409, "registry_full");
    service
        .delete(&format!("/core/agents/{agent}"))
        .await
        .expect(204);
    service.post("/core/agents", &body).await.json(201);
}

#[tokio::test]
async fn a_worker_fills_its_part_of_a_transcript() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let report = async |conversation: &str, first: usize, count: usize, text: &str| {
        let messages: Vec<_> = (first..first + count)
            .map(|number| json!({"id": format!("m{number}"), "role": "agent", "text": text}))
            .collect();
        let path = format!("/core/conversations/{conversation}/messages");
        service.post(&path, &json!({"messages": messages})).await
    };
    let by_count = conversations::start(&service, &widget, 1, "https://shop.example").await;
    let by_count = by_count.to_string();
    for part in 0..25 {
        let answer = report(&by_count, part * 200, 200, "x").await;
        assert_eq!(answer.json(200)["added"], 200);
    }
    // Nothing of what is too much is kept, and what is known can be repeated.
    let full = report(&by_count, 4_999, 2, "x").await;
    full.problem(409, "transcript_full");
    assert_eq!(
        report(&by_count, 4_800, 200, "x").await.json(200)["added"],
        0
    );
    let path = format!("/core/conversations/{by_count}/messages");
    let transcript = service.get(&path).await.json(200);
    assert_eq!(transcript["messages"].as_array().map(Vec::len), Some(5_000));

    let by_size = conversations::start(&service, &widget, 2, "https://shop.example").await;
    let by_size = by_size.to_string();
    let long = "x".repeat(32 * 1024);
    for part in 0..4 {
        report(&by_size, part * 16, 16, &long).await.json(200);
    }
    let full = report(&by_size, 64, 1, "x").await;
    full.problem(409, "transcript_full");
}

#[tokio::test]
async fn an_organization_has_a_maximum_of_widgets_and_a_deleted_one_makes_room() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let path = format!("/core/web-widgets/{}", id(&widget));
    let mut connection = Connection::connect(service.database().url())
        .await
        .expect("the database can be reached");
    let columns: Vec<(String, String)> = sqlx::query_as(database::COLUMNS)
        .bind("web_widgets")
        .fetch_all(&mut connection)
        .await
        .expect("it can be asked");
    let columns: Vec<String> = columns.into_iter().map(|(column, _)| column).collect();
    let copies = columns.iter().map(|column| match column.as_str() {
        "id" => database::UUID_OF_NUMBER,
        column => column,
    });
    let copies = format!(
        "WITH RECURSIVE numbers (number) AS
             (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 9999)
         INSERT INTO web_widgets ({}) SELECT {} FROM web_widgets, numbers",
        columns.join(", "),
        copies.collect::<Vec<_>>().join(", ")
    );
    let done = sqlx::query(sqlx::AssertSqlSafe(copies))
        .execute(&mut connection)
        .await
        .expect("it can be copied");
    assert_eq!(done.rows_affected(), 9_999);
    let new =
        json!({"agent_id": widget["agent_id"], "agent_version_id": widget["agent_version_id"]});
    let refused = service.post("/core/web-widgets", &new).await;
    refused.problem(409, "registry_full");

    service.delete(&path).await.expect(204);
    service.post("/core/web-widgets", &new).await.json(201);
    let restore = service.post(&format!("{path}/restore"), &json!({})).await;
    restore.problem(409, "registry_full");
}
