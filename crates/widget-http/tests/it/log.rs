//! What a running service writes to its log.

use std::fs::File;

use serde_json::{Value, json};

use super::process::{Server, command, key};
use crate::{database::Database, support::id};

/// Values that must not be found in the log.
const SECRETS: [&str; 5] = [
    "secret-in-the-query",
    "secret-name",
    "secret-of-a-key",
    "secret-in-a-header",
    "secret-text",
];

#[track_caller]
fn call(server: &Server, method: &str, path: &str, key: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let (status, answer) = server
        .request(method, path, key, &body)
        .expect("it answers");
    (status, serde_json::from_str(&answer).unwrap_or(Value::Null))
}

#[test]
fn lines_say_what_an_operator_needs_and_nothing_of_visitors() {
    let database = Database::create();
    let path = database.directory().join("log");
    let log = File::create(&path).expect("it can be made");
    let mut server = Server::start_with_log(
        command(&database)
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"])
            .env("WIDGET_LIMIT_CONFIGS", "3"),
        log,
    );
    let key = key(&database, &["agents:manage", "web_widgets:manage"]);
    let (_, agent) = call(
        &server,
        "POST",
        "/core/agents",
        &key,
        &json!({"name": "secret-name"}),
    );
    let versions = format!("/core/agents/{}/versions", id(&agent));
    let version = json!({"livekit_agent_name": "concierge"});
    let (_, version) = call(&server, "POST", &versions, &key, &version);
    let publish = format!("{versions}/{}/publish", id(&version));
    call(&server, "POST", &publish, &key, &json!({}));
    let widget = json!({
        "agent_id": id(&agent), "agent_version_id": id(&version), "published": true,
        "domains": ["https://shop.example"], "config": {"v1": {"chat": {"title": "secret-text"}}},
    });
    let (status, widget) = call(&server, "POST", "/core/web-widgets", &key, &widget);
    assert_eq!(status, 201, "{widget}");
    let widget = id(&widget);
    let launcher = format!("/core/public/web-widgets/{widget}?token=secret-in-the-query");
    let headers = "x\r\norigin: https://shop.example\r\nx-marker: secret-in-a-header";
    for expected in [200, 200, 200, 429, 429, 429] {
        let (status, body) = call(&server, "GET", &launcher, headers, &Value::Null);
        assert_eq!(status, expected, "{body}");
    }
    let (status, _) = call(
        &server,
        "GET",
        "/core/agents",
        "ak_x.secret-of-a-key",
        &Value::Null,
    );
    assert_eq!(status, 401);
    call(&server, "GET", "/healthz", "", &Value::Null);
    server.signal("-TERM");
    server.wait();

    let text = std::fs::read_to_string(&path).expect("text");
    for secret in SECRETS.iter().copied().chain([key.as_str()]) {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(
        !text.contains("127.0.0.1\"") && !text.contains("healthz"),
        "{text}"
    );
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let with = |message: &str, route: &str| -> Vec<&Value> {
        let lines = lines.iter();
        lines
            .filter(|line| line["message"] == message && line["http.route"] == route)
            .collect()
    };
    let route = "/core/public/web-widgets/{id}";
    assert_eq!(
        with("answered", route),
        [&Value::Null; 0],
        "visitors have no line each"
    );
    let refused = with("request refused", route);
    assert_eq!(refused.len(), 1, "one of three: {text}");
    for (field, expected) in [
        ("level", json!("INFO")),
        ("problem.code", json!("rate_limited")),
        ("limit", json!("launcher-configs")),
        ("http.status", json!(429)),
        ("http.method", json!("GET")),
        ("caller.prefix", json!("127.0.0.0/24")),
    ] {
        assert_eq!(refused[0][field], expected, "{field} in {}", refused[0]);
    }
    assert!(
        refused[0]["request.id"]
            .as_str()
            .is_some_and(|id| id.len() == 32)
    );
    let created = with("answered", "/core/web-widgets");
    assert_eq!(created.len(), 1, "{text}");
    assert_eq!(created[0]["organization.id"], "acme");
    assert_eq!(created[0]["http.status"], 201);
    let unknown = with("request refused", "/core/agents");
    assert_eq!(unknown[0]["reason"], "unknown key", "{text}");
}

#[test]
fn a_refused_page_is_logged_with_its_widget() {
    let database = Database::create();
    let path = database.directory().join("log");
    let log = File::create(&path).expect("it can be made");
    let mut server = Server::start_with_log(
        command(&database).args(["serve", "--listen", "127.0.0.1:0", "--log-format", "text"]),
        log,
    );
    let key = key(&database, &["agents:manage", "web_widgets:manage"]);
    let (_, agent) = call(
        &server,
        "POST",
        "/core/agents",
        &key,
        &json!({"name": "Concierge"}),
    );
    let versions = format!("/core/agents/{}/versions", id(&agent));
    let version = json!({"livekit_agent_name": "concierge"});
    let (_, version) = call(&server, "POST", &versions, &key, &version);
    let widget = json!({"agent_id": id(&agent), "agent_version_id": id(&version)});
    let (_, widget) = call(&server, "POST", "/core/web-widgets", &key, &widget);
    let widget = id(&widget);
    let launcher = format!("/core/public/web-widgets/{widget}");
    let origin = "x\r\norigin: https://shop.example";
    call(&server, "GET", &launcher, origin, &Value::Null);
    let expected = [
        format!("widget.id={widget}"),
        "organization.id=acme".to_owned(),
        "http.route=/core/public/web-widgets/{id}".to_owned(),
        "caller.prefix=127.0.0.0/24".to_owned(),
    ];
    // What was logged in the background is written then.
    server.signal("-TERM");
    server.wait();
    let text = std::fs::read_to_string(&path).expect("text");
    let line = text.lines().find(|line| line.contains("request refused"));
    let line = line.expect(&text);
    for part in expected {
        assert!(line.contains(&part), "{part} in {line}");
    }
}
