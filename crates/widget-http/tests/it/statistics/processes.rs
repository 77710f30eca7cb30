//! Numbers that survive processes: two of them on one database, one that is stopped, and one that
//! is killed.

use serde_json::{Value, json};

use super::super::process::{Server, command, key};
use crate::database::Database;

/// Headers of a page on a site that is listed and on one that is not, after a credential.
const LISTED: &str = "\r\norigin: https://shop.example";
const OTHER: &str = "\r\norigin: https://evil.example";

fn start(database: &Database) -> Server {
    let mut command = command(database);
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    Server::start_as(command.args(["--limit-configs", "1000000"]))
}

#[track_caller]
fn call(server: &Server, method: &str, path: &str, key: &str, body: &Value) -> Value {
    let body = body.to_string();
    let (status, text) = server
        .request(method, path, key, &body)
        .expect("it answers");
    assert!((200..300).contains(&status), "{status}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

#[track_caller]
fn visit(server: &Server, widget: &str, headers: &str, expected: u16) {
    let path = format!("/core/public/web-widgets/{widget}");
    let (status, text) = server
        .request("GET", &path, headers, "")
        .expect("it answers");
    assert_eq!(status, expected, "{text}");
}

/// Launchers that were shown, and refusals.
fn counted(server: &Server, widget: &str, key: &str) -> (u64, u64) {
    let path = format!("/core/web-widgets/{widget}");
    let read = |kind| call(server, "GET", &format!("{path}/{kind}"), key, &json!({}));
    let shown = read("statistics")["total"]["launchers_shown"].clone();
    let refused = read("refusals")["total"].clone();
    let number = |value: Value| value.as_u64().expect("a number");
    (number(shown), number(refused))
}

fn text(body: &Value) -> &str {
    body["id"].as_str().expect("an id")
}

#[test]
fn a_stop_loses_nothing_and_a_kill_only_what_was_not_written_yet() {
    let database = Database::create();
    let (mut one, mut two) = (start(&database), start(&database));
    let key = key(&database, &["agents:manage", "web_widgets:manage"]);
    let agent = call(&one, "POST", "/core/agents", &key, &json!({"name": "a"}));
    let versions = format!("/core/agents/{}/versions", text(&agent));
    let version = json!({"livekit_agent_name": "a"});
    let version = call(&one, "POST", &versions, &key, &version);
    let publish = format!("{versions}/{}/publish", text(&version));
    call(&one, "POST", &publish, &key, &json!({}));
    let widget = call(
        &one,
        "POST",
        "/core/web-widgets",
        &key,
        &json!({
            "agent_id": agent["id"], "agent_version_id": version["id"],
            "domains": ["https://shop.example"], "published": true,
        }),
    );
    let widget = text(&widget);
    for (server, shown, refused) in [(&one, 30, 7), (&two, 20, 5)] {
        for _ in 0..shown {
            visit(server, widget, LISTED, 200);
        }
        for _ in 0..refused {
            visit(server, widget, OTHER, 403);
        }
    }
    one.signal("-TERM");
    assert!(one.wait().success());
    // A request that does not end, and somebody who does not wait for it.
    let _open = two.begin_request(&key);
    two.signal("-TERM");
    two.wait_until_closed();
    two.signal("-TERM");
    assert!(two.wait().success());
    let three = start(&database);
    assert_eq!(counted(&three, widget, &key), (50, 12));

    // It writes by itself; what comes after that is lost with a kill, or is not.
    visit(&three, widget, LISTED, 200);
    visit(&three, widget, OTHER, 403);
    while counted(&three, widget, &key) != (51, 13) {
        std::thread::yield_now();
    }
    for _ in 0..10 {
        visit(&three, widget, LISTED, 200);
    }
    three.signal("-KILL");
    drop(three);
    let four = start(&database);
    let (shown, refused) = counted(&four, widget, &key);
    assert!((51..=61).contains(&shown), "{shown}");
    assert_eq!(refused, 13);
}
