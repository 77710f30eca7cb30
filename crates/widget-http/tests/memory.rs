//! How much memory the service holds and takes. The databases differ in nothing of this, so SQLite
//! is enough.
//!
//! A binary of its own: counting replaces the allocator. Only the present thread is counted, which
//! runs everything but SQLite itself.

#[path = "it/database/sqlite.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod database;
#[path = "it/support.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod support;

use allocation_counter::{AllocationInfo, measure};
use axum::body::Body;
use futures_util::future::join_all;
use http::{Request, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use sqlx::Connection as _;
use support::{Service, id};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;
use widget_api::Scope;

/// Some 60 KiB of small values that nothing reads: in memory they can take twenty times as much.
fn unknown_values() -> Value {
    let keys = (0..6_000).map(|key| (format!("k{key}"), json!(key % 10)));
    json!({"v1": keys.collect::<serde_json::Map<_, _>>()})
}

fn runtime() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}

/// A service with so many widgets of that config, and their ids.
async fn service_with(count: usize, config: &Value) -> (Service, Vec<String>) {
    let service = Service::start().await;
    let (agent, version) = service.agent(true).await;
    let body = json!({
        "agent_id": agent,
        "agent_version_id": version,
        "domains": ["https://shop.example", "https://*.customer.example"],
        "published": true,
        "config": config,
    });
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(id(&service
            .post("/core/web-widgets", &body)
            .await
            .json(201)));
    }
    (service, ids)
}

fn bytes(info: AllocationInfo) -> i64 {
    info.bytes_current
}

/// Bytes held by the cache for each widget, and what the cache says of it.
fn cached(config: &Value) -> (i64, i64) {
    const COUNT: usize = 20;
    let runtime = runtime();
    let (service, ids) = runtime.block_on(service_with(COUNT, config));
    let cache = &service.state.public_widgets;
    let page = [("origin", "https://shop.example")];
    runtime.block_on(async {
        for id in &ids {
            let path = format!("/core/public/web-widgets/{id}");
            let answer = service.call_with(None, "GET", &path, None, &page).await;
            answer.expect(200);
            let path = format!("/public/widget/{id}?o=https%3A%2F%2Fshop.example");
            service.get(&path).await.expect(200);
        }
    });
    let said = i64::try_from(cache.weight()).expect("a number");
    let count = i64::try_from(COUNT).expect("a number");
    let held = -bytes(measure(|| cache.forget_all()));
    assert!(held > 0, "the cache held nothing");
    (held / count, said / count)
}

#[test]
fn the_cache_holds_no_more_than_it_weighs() {
    let typical = json!({"v1": {
        "theme": "dark",
        "chat": {"title": "Ask the shop", "greeting": "How can we help?",
            "avatar_url": "https://shop.example/avatar.png"},
        "suggested_questions": ["Where is my order?", "Do you ship to Norway?"],
    }});
    let escaped = json!({"v1": {"chat": {"greeting": "<&>".repeat(100)}}});
    // What 96 MiB hold of typical widgets, and of those that are full of what nothing reads.
    for (name, config, most) in [
        ("defaults", json!({"v1": {}}), 9),
        ("typical", typical, 9),
        ("unknown values", unknown_values(), 9),
        ("escaped", escaped, 11),
    ] {
        let (held, said) = cached(&config);
        println!("{name}: {held} bytes held, {said} said");
        assert!(held <= said, "{name}: {held} bytes held, {said} said");
        assert!(said <= most * 1024, "{name}: {said} bytes said");
    }
}

#[test]
fn lists_of_large_documents_take_little_memory() {
    const MEGABYTE: u64 = 1024 * 1024;
    // No more: all of them share one thread, and the two seconds of storage.
    const LISTS: u64 = 2;
    let runtime = runtime();
    let (service, _) = runtime.block_on(service_with(100, &unknown_values()));
    let lists = || async {
        let list = || service.get("/core/web-widgets?limit=200");
        for answer in join_all((0..LISTS).map(|_| list())).await {
            answer.expect(200);
        }
    };
    let taken = measure(|| runtime.block_on(lists())).bytes_max;
    println!("{} MiB", taken / MEGABYTE);
    assert!(taken <= 3 * LISTS * MEGABYTE, "{taken} bytes");
}

/// Adds conversations that have ended, with metadata of a kilobyte.
async fn insert_conversations(service: &Service, count: usize) {
    let connection = database::Connection::connect(service.database().url()).await;
    let mut connection = connection.expect("it can be opened");
    let insert = "
        WITH RECURSIVE numbers (number) AS (
            SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < $1
        )
        INSERT INTO conversations (id, organization_id, web_widget_id, agent_id, agent_version_id,
            livekit_agent_name, origin, status, mode, custom_metadata, generation, repeat_used,
            created_at, token_at, ended_at, end_reason)
        SELECT randomblob(16), 'acme', randomblob(16), randomblob(16), randomblob(16), 'concierge',
            'https://shop.example', 'failed', 'text', $2, 1, FALSE,
            1769851800000000 + number, 1769851800000000, 1769851900000000, 'never_joined'
        FROM numbers";
    let metadata = json!({"page": {"note": "x".repeat(1000)}}).to_string();
    let done = sqlx::query(insert)
        .bind(i64::try_from(count).expect("a number"))
        .bind(metadata)
        .execute(&mut connection);
    let done = done.await.expect("they are valid");
    assert_eq!(done.rows_affected(), count as u64);
}

/// Reads an export as a client does that keeps nothing; returns its lines and bytes.
async fn export(service: &Service, key: &str) -> (usize, usize) {
    let request = Request::post("/core/conversations/export")
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(
            r#"{"filter": {"created_after": "2020-01-01T00:00:00Z"}}"#,
        ))
        .expect("a valid request");
    let Ok(response) = service.router.clone().oneshot(request).await;
    assert_eq!(response.status(), 200);
    let (mut body, mut lines, mut bytes) = (response.into_body(), 0, 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.expect("the export continues").into_data();
        let data = frame.expect("an export has no trailers");
        lines += data.split(|byte| *byte == b'\n').count() - 1;
        bytes += data.len();
    }
    (lines, bytes)
}

#[test]
fn an_export_takes_as_much_memory_however_long_it_is() {
    const FEW: usize = 300;
    const MANY: usize = 3_000;
    let runtime = runtime();
    let mut taken = [FEW, MANY].map(|count| {
        let (service, key) = runtime.block_on(async {
            let service = Service::start().await;
            insert_conversations(&service, count).await;
            let key = service.new_key("acme", Scope::ALL).await;
            (service, key)
        });
        let mut read = (0, 0);
        let info = measure(|| read = runtime.block_on(export(&service, &key)));
        assert_eq!(read.0, count);
        println!("{count}: {} bytes sent, {} at once", read.1, info.bytes_max);
        info.bytes_max
    });
    taken.sort_unstable();
    let [least, most] = taken;
    // A tenth of what the longer one sends would be ten times as much.
    assert!(
        most < least + 128 * 1024,
        "{least} and {most} bytes at once"
    );
}
