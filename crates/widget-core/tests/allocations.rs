//! A decision allocates nothing, independent of the number of entries, and a widget that is served
//! holds no more memory than it says.
//!
//! A binary of its own: counting replaces the allocator.
#![expect(
    clippy::disallowed_methods,
    reason = "the tests read fixtures; the crate itself reads nothing"
)]

use std::{fs, path::Path};

use serde_json::json;
use widget_core::{
    config::Config,
    origin::{AllowedOrigins, Origin, SuffixList},
    widget::{NewWidget, Widget},
};

#[test]
fn a_decision_allocates_nothing() {
    for count in [1, 10, 100] {
        let entries: Vec<_> = (0..count)
            .map(|number| match number % 2 {
                0 => format!("https://shop{number}.example"),
                _ => format!("https://*.customer{number}.example"),
            })
            .collect();
        let list = AllowedOrigins::parse(&entries, SuffixList::builtin()).expect("good entries");
        for page in [
            "https://shop0.example",
            "https://a.b.customer1.example",
            "https://unlisted.example",
            "http://[::1]:3000",
        ] {
            let page: Origin = page.parse().expect("canonical text");
            let counted = allocation_counter::measure(|| {
                let _ = list.admit(&page);
            });
            assert_eq!(counted.count_total, 0, "{count} entries, {page}");
        }
    }
}

/// How many bytes are freed with a value.
fn held<T>(value: T) -> usize {
    let freed = allocation_counter::measure(|| drop(value)).bytes_current;
    usize::try_from(-freed).expect("dropping frees")
}

fn widget(domains: &[String], config: &str) -> Widget {
    let id = "0197a8b2-6c1e-7d3f-8a4b-000000000001";
    let organization = "a".repeat(64).parse().expect("an organization");
    let (agent, version) = (id.parse().expect("an id"), id.parse().expect("an id"));
    NewWidget {
        domains: AllowedOrigins::parse(domains, SuffixList::builtin()).expect("good entries"),
        config: Config::parse(config).expect("a valid config"),
        ..NewWidget::new(organization, agent, version)
    }
    .into_widget(id.parse().expect("an id"), time::OffsetDateTime::UNIX_EPOCH)
}

/// A config of some 62 KiB of small values that nothing reads.
fn unknown_values() -> String {
    let keys: Vec<_> = (0..6_000)
        .map(|key| format!("\"k{key}\":{}", key % 10))
        .collect();
    format!("{{\"v1\":{{{}}}}}", keys.join(","))
}

/// A config of some 60 KiB of options, each a few letters.
fn many_options() -> String {
    let options: Vec<_> = (0..50)
        .map(|option| json!({"value": format!("v{option}"), "label": "l"}))
        .collect();
    let fields: Vec<_> = (0..5)
        .map(|field| {
            json!({"id": format!("f{field}"), "type": "select", "label": "l", "options": options})
        })
        .collect();
    let forms: Vec<_> = (0..8)
        .map(|form| json!({"id": format!("form{form}"), "fields": fields}))
        .collect();
    json!({"v1": {"forms": forms}}).to_string()
}

#[test]
fn a_served_widget_holds_no_more_than_it_says() {
    let entries = |count: usize, pattern: &str| -> Vec<String> {
        let entry = |number: usize| format!("{pattern}{number}.example");
        (0..count).map(entry).collect()
    };
    let exact = entries(100, "https://shop");
    let patterns = entries(100, "https://*.customer");
    let typical = json!({"v1": {
        "theme": "dark",
        "chat": {"title": "Ask the shop", "greeting": "How can we help?",
            "avatar_url": "https://shop.example/avatar.png"},
        "suggested_questions": ["Where is my order?", "Do you ship to Norway?"],
    }})
    .to_string();
    let mut cases = vec![
        ("empty", Vec::new(), "{}".to_owned()),
        ("typical", entries(2, "https://shop"), typical),
        ("exact entries", exact, "{}".to_owned()),
        ("patterns", patterns, "{}".to_owned()),
        ("unknown values", Vec::new(), unknown_values()),
        ("many options", Vec::new(), many_options()),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/config/valid");
    for file in fs::read_dir(folder).expect("the folder") {
        let text = fs::read_to_string(file.expect("an entry").path()).expect("a text");
        cases.push(("a fixture", Vec::new(), text));
    }
    for (name, domains, config) in cases {
        let served = widget(&domains, &config).into_served();
        let said = served.heap_bytes();
        let real = held(served);
        assert!(real <= said, "{name}: {real} bytes, said to be {said}");
    }
}

/// What a list with all its faults takes is near to what was sent.
#[test]
fn the_faults_of_a_list_take_little_memory() {
    for entry in [
        "-.".repeat(1024),
        format!("{}.", "a".repeat(64)).repeat(31),
        "_.".repeat(1024),
        ".".repeat(2048),
    ] {
        let entries = vec![entry; 100];
        let sent: usize = entries.iter().map(String::len).sum();
        let taken = allocation_counter::measure(|| {
            let faults = AllowedOrigins::parse(&entries, SuffixList::builtin());
            assert!(faults.is_err());
        });
        let most = taken.bytes_max;
        assert!(most < 16 * sent as u64, "{most} bytes for {sent}");
    }
}

#[test]
fn what_nothing_reads_is_not_served_and_a_stored_config_is_hardly_more_than_its_text() {
    let config = unknown_values();
    let widget = widget(&[], &config);
    let served = held(widget.clone().into_served());
    assert!(
        served <= 1024,
        "{served} bytes of settings that are all defaults"
    );
    let stored = held(widget);
    assert!(
        stored <= config.len() + 1024,
        "{stored} bytes of a text of {}",
        config.len()
    );
}
