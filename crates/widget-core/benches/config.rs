//! What reading a config costs beside what a bare JSON parser does with the same text.
//!
//! `cargo xtask bench` prints it; nothing here is asserted, because machines differ.

use divan::{AllocProfiler, Bencher, black_box, counter::BytesCount};
use serde_json::{Value, json};
use widget_core::config::{Config, diff};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Documents by name: a usual one, one that fills the limit with forms, one that fills it with
/// keys that nobody knows, and one that is put under `v1` on the way.
const DOCUMENTS: [&str; 4] = ["small", "forms 64 KiB", "unknown 64 KiB", "unversioned"];

fn document(name: &str) -> String {
    let v1 = json!({
        "theme": "dark",
        "trigger": {"size": 64, "label": "Ask us"},
        "chat": {"title": "Ask the shop", "light_mode": {
            "background_color": {"user_message": "#1d4ed8"},
            "text_color": {"user_message": "#fff"}}},
        "suggested_questions": ["What are your opening hours?"],
    });
    match name {
        "small" => json!({"v1": v1}).to_string(),
        "unversioned" => v1.to_string(),
        "unknown 64 KiB" => {
            let unknown: Vec<Value> = (0..1_000)
                .map(|number| json!({"number": number, "ratio": 0.25, "text": "some words"}))
                .collect();
            json!({"v1": {"theme": "dark", "unknown": unknown}}).to_string()
        }
        _ => {
            let forms: Vec<Value> = (0..20).map(|number| form(number, 30)).collect();
            json!({"v1": {"forms": forms}}).to_string()
        }
    }
}

fn form(number: usize, fields: usize) -> Value {
    let fields: Vec<Value> = (0..fields)
        .map(|field| {
            let mut field = json!({"id": format!("field_{field}"), "label": "A question",
                "type": "text", "required": true, "max_length": 80});
            field["help"] = json!("words");
            field
        })
        .collect();
    json!({"id": format!("form_{number}"), "name": "Form", "fields": fields})
}

#[divan::bench(args = DOCUMENTS)]
fn parse(bencher: Bencher<'_, '_>, name: &str) {
    let text = document(name);
    assert!(Config::parse(&text).is_ok(), "{} bytes", text.len());
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| Config::parse(black_box(&text)));
}

/// The same text through `serde_json` alone, which checks and keeps less.
#[divan::bench(args = DOCUMENTS)]
fn bare_serde_json(bencher: Bencher<'_, '_>, name: &str) {
    let text = document(name);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| serde_json::from_str::<Value>(black_box(&text)));
}

#[divan::bench(args = DOCUMENTS)]
fn migrate(bencher: Bencher<'_, '_>, name: &str) {
    let config = Config::parse(&document(name)).expect("a valid document");
    bencher.bench(|| black_box(&config).migrated());
}

#[divan::bench(args = DOCUMENTS)]
fn set_one_value(bencher: Bencher<'_, '_>, name: &str) {
    let config = Config::parse(&document(name)).expect("a valid document");
    bencher.bench(|| black_box(&config).set("/config/v1/chat/title", json!("Ask")));
}

#[divan::bench(args = DOCUMENTS)]
fn difference(bencher: Bencher<'_, '_>, name: &str) {
    let config = Config::parse(&document(name)).expect("a valid document");
    let other = config
        .set("/config/v1/chat/title", json!("Other"))
        .expect("a valid document");
    bencher.bench(|| diff(black_box(&config), black_box(&other)));
}

/// As many faults as a document can have.
#[divan::bench]
fn refuse_everything(bencher: Bencher<'_, '_>) {
    let text =
        json!({"v1": {"forms": vec![json!({"id": 1, "fields": vec![json!({"id": 1}); 30]}); 20]}})
            .to_string();
    assert!(Config::parse(&text).is_err());
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| Config::parse(black_box(&text)));
}
