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
use futures_util::future::join_all;
use serde_json::{Value, json};
use support::{Service, id};
use tokio::runtime::{Builder, Runtime};

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
