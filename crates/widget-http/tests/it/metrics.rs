//! What `/metrics` says of a node, and that the files for operators use the same names.

use std::{collections::BTreeSet, path::Path};

use serde_json::json;
use time::Duration;
use widget_api::ProblemCode;
use widget_core::{conversation::Presence, id::ConversationId};
use widget_http::metrics::{Kind, Metric, Scrape};

use super::storage::{
    conversations::{new_conversation, place},
    organization,
};
use crate::{
    support::Service,
    visitor::support::{OWN, SHOP, Started, Visitor, with_livekit},
};

mod listener;
mod parts;

/// All metrics of a node.
pub(crate) async fn scrape(service: &Service) -> String {
    let scrape = Scrape::new(service.state.clone());
    scrape.text().await.expect("it is text")
}

/// The value of a time series, which is zero when it is missing.
#[track_caller]
pub(crate) fn value(text: &str, series: &str) -> f64 {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.map_or(0.0, |value| value.parse().expect("a number"))
}

/// Checks the values of several time series.
#[track_caller]
fn check(text: &str, expected: &[(&str, u32)]) {
    for (series, expected) in expected {
        let found = value(text, series);
        assert!(
            (found - f64::from(*expected)).abs() < 1e-9,
            "{series} is {found} and not {expected} in\n{text}"
        );
    }
}

pub(crate) async fn transition(
    service: &Service,
    started: &Started,
    change: impl Fn(widget_core::conversation::Lifecycle) -> widget_core::conversation::Lifecycle
    + Send
    + Sync,
) {
    let id: ConversationId = started.id.parse().expect("an id");
    let (now, limits) = (service.state.now(), &service.state.lifecycle_limits);
    let changed = service
        .storage
        .transition_conversation(id, now, limits, &change);
    changed.await.expect("it is written").expect("it is there");
}

#[tokio::test]
async fn a_visit_is_counted() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let launcher = visitor.path("");
    for origin in [SHOP, SHOP, "https://elsewhere.example"] {
        let headers = [("origin", origin)];
        let call = service.call_with(None, "GET", &launcher, None, &headers);
        call.await;
    }
    let started = visitor.start().await;
    let now = service.state.now();
    transition(&service, &started, |lifecycle| lifecycle.joined(now)).await;
    service.clock.advance(Duration::seconds(3));
    let path = format!("/core/conversations/{}/messages", started.id);
    let at = "2026-01-31T09:30:02Z";
    for id in ["one", "two"] {
        let message = json!({"id": id, "role": "agent", "text": "hello", "created_at": at});
        service.post(&path, &json!({"messages": [message]})).await;
    }
    visitor.end(&started).await.json(200);
    visitor.end(&started).await.json(200);
    let waiting = visitor.start().await;
    let text = scrape(&service).await;
    let route = r#"route="/core/public/web-widgets/{id}",method="GET""#;
    check(
        &text,
        &[
            (
                &format!(r#"widget_requests_total{{{route},status="200",code=""}}"#),
                2,
            ),
            (
                &format!(
                    r#"widget_requests_total{{{route},status="403",code="widget_unavailable"}}"#
                ),
                1,
            ),
            (
                &format!("widget_request_duration_seconds_count{{{route}}}"),
                3,
            ),
            (r#"widget_decisions_total{code="origin_not_listed"}"#, 1),
            ("widget_conversations_started_total", 2),
            ("widget_conversations_joined_total", 1),
            (
                r#"widget_conversations_ended_total{status="completed",reason="visitor"}"#,
                1,
            ),
            ("widget_first_answer_seconds_count", 1),
            ("widget_first_answer_seconds_sum", 2),
            ("widget_rooms_to_remove", 1),
            ("widget_oldest_due_conversation_seconds", 0),
            (r#"widget_readiness{part="node",state="ready"}"#, 1),
            (r#"widget_readiness{part="node",state="stopping"}"#, 0),
            (r#"widget_readiness{part="livekit",state="unknown"}"#, 1),
        ],
    );
    assert!(
        value(&text, r#"widget_decisions_total{code="served"}"#) >= 4.0,
        "{text}"
    );
    let hits = value(&text, r#"widget_cache_hits_total{cache="widgets"}"#);
    assert!(hits >= 3.0, "{text}");
    assert!(value(&text, r#"widget_database_connections_max{pool="writer"}"#) >= 1.0);
    assert!(
        value(
            &text,
            r#"widget_database_wait_seconds_count{pool="writer"}"#
        ) >= 4.0
    );

    // Nobody ends the other one, and the node is about to stop.
    service.clock.advance(Duration::minutes(5));
    service.state.drain.begin();
    let text = scrape(&service).await;
    check(
        &text,
        &[
            ("widget_oldest_due_conversation_seconds", 120),
            (r#"widget_readiness{part="node",state="ready"}"#, 0),
            (r#"widget_readiness{part="node",state="stopping"}"#, 1),
        ],
    );
    let now = service.state.now();
    let limits = service.state.lifecycle_limits;
    transition(&service, &waiting, |lifecycle| {
        lifecycle.settle(Presence::Absent, now, &limits)
    })
    .await;
    let failed = r#"widget_conversations_ended_total{status="failed",reason="never_joined"}"#;
    let text = scrape(&service).await;
    check(
        &text,
        &[(failed, 1), ("widget_oldest_due_conversation_seconds", 0)],
    );
}

/// Each message to the database, which is a way there and back, is counted as a statement.
#[tokio::test]
async fn a_start_needs_three_messages_to_the_database() {
    let service = Service::start().await;
    let count = async || {
        let series = r#"widget_database_statement_duration_seconds_count{pool="writer"}"#;
        value(&scrape(&service).await, series)
    };
    // What a scrape asks the database.
    let (first, second) = (count().await, count().await);
    let mut before = second;
    let places = [
        (place("one", None), 3.0),
        (place("one", None), 3.0),
        // The others of the network are counted, too.
        (place("other", Some("wide")), 4.0),
    ];
    for (id, (place, expected)) in (0xF00..).zip(places) {
        let ours = organization("messages");
        let mut new = new_conversation(&ours, id, 0xFFF, "https://a.example");
        new.place = Some(place);
        let created = service.storage.create_conversation(&new).await;
        created.expect("it is new");
        let after = count().await;
        let found = after - before - (second - first);
        assert!((found - expected).abs() < 1e-9, "{found} for {new:?}");
        before = after;
    }
}

#[tokio::test]
async fn open_conversations_are_counted_by_status() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = [visitor.start().await, visitor.start().await];
    let now = service.state.now();
    transition(&service, &started[0], |lifecycle| lifecycle.joined(now)).await;
    let check_open = async |waiting, joined| {
        let open = |status: &str| format!(r#"widget_conversations_open{{status="{status}"}}"#);
        let (created, in_progress) = (open("token_created"), open("in_progress"));
        let expected = [(created.as_str(), waiting), (&in_progress, joined)];
        check(&scrape(&service).await, &expected);
    };
    check_open(1, 1).await;
    visitor.end(&started[0]).await.json(200);
    check_open(1, 0).await;
}

#[tokio::test]
async fn a_check_of_livekit_is_counted_and_its_state_shown() {
    let service = Service::start_with(with_livekit).await;
    let checked = widget_http::background::check_livekit(&service.state).await;
    checked.expect("a token can be written");
    check(
        &scrape(&service).await,
        &[
            (
                r#"widget_livekit_calls_total{call="validate_token",outcome="unavailable"}"#,
                1,
            ),
            (
                r#"widget_livekit_call_duration_seconds_count{call="validate_token"}"#,
                1,
            ),
            (
                r#"widget_readiness{part="livekit",state="livekit_unavailable"}"#,
                1,
            ),
            (r#"widget_readiness{part="node",state="degraded"}"#, 1),
        ],
    );
}

#[tokio::test]
async fn each_node_counts_what_it_has_answered() {
    let service = Service::start_with(with_livekit).await;
    let other = service.another_node().await;
    let visitor = Visitor::of(&service, json!({})).await;
    visitor.on(&other).start().await;
    let started = |count| [("widget_conversations_started_total", count)];
    check(&scrape(&service).await, &started(0));
    check(&scrape(&other).await, &started(1));
    // What is in the database is the same for both.
    service.clock.advance(Duration::minutes(4));
    for node in [&service, &other] {
        let text = scrape(node).await;
        check(&text, &[("widget_oldest_due_conversation_seconds", 60)]);
    }
}

#[tokio::test]
async fn nothing_that_a_request_brings_becomes_a_label() {
    let service = Service::start_with(|settings| {
        with_livekit(settings);
        settings.limits.configs_per_minute = 1;
    })
    .await;
    let ask = async |round: u32| {
        let marker = format!("marker{round}");
        for path in [
            format!("/{marker}"),
            format!("/core/public/web-widgets/{marker}"),
            format!(
                "/core/public/web-widgets/{}?{marker}",
                uuid::Uuid::from_u128(round.into())
            ),
            format!("/public/embed/{marker}/{marker}.js"),
            format!("/core/web-widgets/{marker}?{marker}={marker}"),
        ] {
            let origin = format!("https://{marker}.example");
            let own = [
                ("origin", origin.as_str()),
                ("x-request-id", marker.as_str()),
            ];
            for method in ["GET", "POST", "OPTIONS", marker.as_str()] {
                let headers = [("origin", OWN)];
                service.call(method, &path, None, &headers).await;
                service.call_with(None, method, &path, None, &own).await;
            }
        }
    };
    ask(0).await;
    let before = scrape(&service).await;
    for round in 1..30 {
        ask(round).await;
    }
    let after = scrape(&service).await;
    assert!(!after.contains("marker"), "{after}");
    let series = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let series = lines.filter_map(|line| line.rsplit_once(' '));
        series
            .map(|(series, _)| series.to_owned())
            .collect::<BTreeSet<_>>()
    };
    let (before, after) = (series(&before), series(&after));
    let new: Vec<_> = after.difference(&before).collect();
    assert!(new.is_empty(), "{new:?}");
    let refused = r#"widget_limit_refusals_total{limit="launcher-configs"}"#;
    assert!(after.contains(refused), "{after:?}");
    let other = r#"route="unmatched",method="other",status="404",code="path_unknown""#;
    assert!(
        after.contains(&format!("widget_requests_total{{{other}}}")),
        "{after:?}"
    );
}

/// Every word of the text that has the form of one of the service's metrics.
fn names_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|char: char| !(char.is_ascii_alphanumeric() || char == '_'));
    words
        .filter(|word| word.starts_with("widget_") || word.starts_with("process_"))
        .filter(|word| !["widget_http", "widget_core"].contains(word))
        .filter(|word| ProblemCode::ALL.iter().all(|code| code.as_str() != *word))
        .collect()
}

#[test]
fn operators_are_given_the_names_that_there_are() {
    let known: BTreeSet<String> = Metric::ALL
        .iter()
        .flat_map(|metric| {
            let name = metric.name();
            let suffixes: &[&str] = match metric.kind() {
                Kind::Histogram => &["", "_bucket", "_sum", "_count"],
                Kind::Counter | Kind::Gauge => &[""],
            };
            suffixes.iter().map(move |suffix| format!("{name}{suffix}"))
        })
        .collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| {
        std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let docs = read("docs/operations.md");
    let start = docs
        .find("## Metrics, traces and logs")
        .expect("the section");
    let section = &docs[start..];
    let dashboard = read("deploy/grafana/dashboard.json");
    serde_json::from_str::<serde_json::Value>(&dashboard).expect("JSON");
    let alerts = read("deploy/prometheus/alerts.yaml");
    for (name, text) in [
        ("docs", section),
        ("dashboard", &dashboard),
        ("alerts", &alerts),
    ] {
        let unknown: Vec<_> = names_in(text)
            .into_iter()
            .filter(|word| !known.contains(*word))
            .collect();
        assert!(unknown.is_empty(), "{name}: {unknown:?}");
    }
    for metric in Metric::ALL {
        let labels: Vec<_> = metric
            .labels()
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let kind = format!("{:?}", metric.kind()).to_lowercase();
        let (name, labels, help) = (metric.name(), labels.join(", "), metric.help());
        let row = format!("| `{name}` | {kind} | {labels} | {help} |");
        assert!(section.contains(&row), "the docs lack {row}");
        assert!(dashboard.contains(name), "the dashboard lacks {name}");
    }
}

#[test]
fn prometheus_accepts_the_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let checked = std::process::Command::new("promtool")
        .args(["check", "rules", "deploy/prometheus/alerts.yaml"])
        .current_dir(root)
        .output()
        .expect(
            "`promtool` is missing: it checks the rules.\n  \
             install it with: sudo apt-get install -y prometheus",
        );
    let errors = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{errors}");
}
