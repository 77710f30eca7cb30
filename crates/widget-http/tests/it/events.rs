//! Conversations that are followed while they happen.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::Stdio,
    time::Duration,
};

use axum::body::{Body, BodyDataStream};
use futures_util::StreamExt as _;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use widget_api::Scope;

use super::{
    erasure::with_forms,
    process::{Server, command, key},
    visitor::support::{SHOP, Started, Visitor, with_livekit},
};
use crate::{
    database::Database,
    support::{Answer, Service},
};

/// A service that does not answer fails the test instead of blocking it.
const TIMEOUT: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    id: String,
    data: Value,
}

impl Seen {
    /// What happened, in short.
    fn name(&self) -> String {
        let kind = self.data["type"].as_str().expect("a type");
        let (message, form) = (&self.data["message"]["text"], &self.data["form_id"]);
        match message.as_str().or(form.as_str()) {
            Some(what) => format!("{kind} {what}"),
            None => kind.to_owned(),
        }
    }
}

/// The events of a stream.
pub(crate) struct Events {
    body: BodyDataStream,
    text: String,
}

impl Events {
    async fn next(&mut self) -> Option<Seen> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let seen = parse(block);
                self.text = rest.into();
                if seen.is_some() {
                    return seen;
                }
            }
            let read = tokio::time::timeout(TIMEOUT, self.body.next()).await;
            let bytes = read.expect("something happens")?.expect("it continues");
            self.text += std::str::from_utf8(&bytes).expect("it is text");
        }
    }

    pub(crate) async fn names(&mut self, count: usize) -> Vec<String> {
        let mut names = Vec::new();
        for _ in 0..count {
            names.push(self.next().await.expect("it continues").name());
        }
        names
    }

    pub(crate) async fn rest(mut self) -> Vec<Seen> {
        let mut all = Vec::new();
        while let Some(seen) = self.next().await {
            all.push(seen);
        }
        all
    }
}

/// An event; nothing of a comment.
fn parse(block: &str) -> Option<Seen> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
    let data: Value = serde_json::from_str(field("data: ")?).expect("it is JSON");
    assert_eq!(field("event: "), data["type"].as_str());
    let id = field("id: ").expect("each has an id").to_owned();
    Some(Seen { id, data })
}

async fn ask(
    service: &Service,
    key: &str,
    id: &str,
    last: Option<&str>,
) -> axum::response::Response {
    let mut request = Request::get(format!("/core/conversations/{id}/events"))
        .header("authorization", format!("Bearer {key}"));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let request = request.body(Body::empty()).expect("a request");
    let Ok(response) = service.router.clone().oneshot(request).await;
    response
}

async fn follow_with(service: &Service, key: &str, id: &str, last: Option<&str>) -> Events {
    let response = ask(service, key, id, last).await;
    let headers = response.headers();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(headers["x-accel-buffering"], "no");
    assert_eq!(headers["cache-control"], "no-store");
    Events {
        body: response.into_body().into_data_stream(),
        text: String::new(),
    }
}

pub(crate) async fn follow(service: &Service, id: &str, last: Option<&str>) -> Events {
    follow_with(service, service.key(), id, last).await
}

async fn say(service: &Service, started: &Started, id: &str, text: &str) {
    let body = json!({"id": id, "role": "agent", "text": text});
    let path = format!("/core/conversations/{}/messages", started.id);
    service.post(&path, &body).await.json(200);
}

/// What happens on one node is seen on the other, in its order, and whoever goes away behind any
/// event and comes back to another node gets the rest: nothing twice, and nothing is missing.
#[tokio::test]
async fn a_conversation_is_followed_across_nodes_and_gaps() {
    let here = Service::start_with(with_livekit).await;
    let there = here.another_node().await;
    let visitor = Visitor::of(&here, with_forms()).await;
    let started = visitor
        .try_start(json!({"form": {"email": "a"}}))
        .await
        .json(201);
    let started = Started::from(started);
    let elsewhere = visitor.on(&there);
    let below = format!("/conversations/{}", started.id);
    let window = async |tail: &str, body: Value| {
        let tail = format!("{below}{tail}");
        elsewhere.window(&tail, &started.token, body).await
    };
    let mut events = follow(&here, &started.id, None).await;
    let mut seen = vec![events.next().await.expect("it is there")];
    assert_eq!(seen[0].name(), "created");
    assert_eq!(seen[0].data["mode"], "text");

    let turns =
        |id: &str, text: &str| json!({"messages": [{"id": id, "role": "visitor", "text": text}]});
    window("/messages", turns("1", "Hello")).await.json(200);
    seen.push(events.next().await.expect("it joins by speaking"));
    seen.push(events.next().await.expect("it spoke"));
    say(&there, &started, "2", "Hi").await;
    seen.push(events.next().await.expect("it answered"));
    // The worker reports what the window has reported: one turn.
    let path = format!("/core{below}/messages");
    let same = json!({"id": "x", "role": "visitor", "text": "Hello"});
    there.post(&path, &same).await.json(200);
    let form = |value: &str| json!({"data": {"email": value}});
    window("/forms/order", form("b")).await.json(200);
    seen.push(events.next().await.expect("it sent a form"));
    there.clock.advance(time::Duration::seconds(1));
    window("/forms/order", form("c")).await.json(200);
    seen.push(events.next().await.expect("it sent it again"));
    assert_eq!(seen[5].data["values"], json!({"email": "c"}));
    say(&here, &started, "3", "Bye").await;
    seen.push(events.next().await.expect("it said so"));
    elsewhere.end(&started).await.json(200);
    seen.extend(events.rest().await);
    let names: Vec<String> = seen.iter().map(Seen::name).collect();
    let expected = [
        "created",
        "joined",
        "turn Hello",
        "turn Hi",
        "form order",
        "form order",
        "turn Bye",
        "ended",
    ];
    assert_eq!(names, expected);
    assert_eq!(seen[7].data["end_reason"], "visitor");

    for (at, after) in seen.iter().enumerate().take(seen.len() - 1) {
        let rest = follow(&there, &started.id, Some(&after.id))
            .await
            .rest()
            .await;
        let found: Vec<String> = rest.iter().map(Seen::name).collect();
        let mut expected = expected[at + 1..].to_vec();
        // Of a form that was sent twice only the last values are stored, and not between which
        // turns: it is behind all of them.
        expected.retain(|name| *name != "form order");
        if at < 5 {
            expected.insert(expected.len() - 1, "form order");
        }
        assert_eq!(found, expected, "behind {at}");
    }
    // Who has seen it all need not come back.
    let last = &seen[7].id;
    let done = async |last: &str| {
        ask(&there, there.key(), &started.id, Some(last))
            .await
            .status()
    };
    assert_eq!(done(last).await, StatusCode::NO_CONTENT);
    let feedback = json!({"data": {"rating": 5}});
    window("/feedback", feedback).await.json(201);
    let rest = follow(&here, &started.id, Some(last)).await.rest().await;
    assert_eq!(
        rest.iter().map(Seen::name).collect::<Vec<_>>(),
        ["feedback"]
    );
    assert_eq!(done(&rest[0].id).await, StatusCode::NO_CONTENT);
    here.delete(&format!("/core{below}")).await.expect(204);
    let rest = follow(&there, &started.id, Some(&rest[0].id))
        .await
        .rest()
        .await;
    assert_eq!(rest.iter().map(Seen::name).collect::<Vec<_>>(), ["erased"]);
    // Nothing of what was said is left.
    let all = follow(&there, &started.id, None).await.rest().await;
    let names: Vec<String> = all.iter().map(Seen::name).collect();
    assert_eq!(names, ["created", "joined", "ended", "erased"]);
}

/// A change to voice is seen, and the limits end what nobody ends.
#[tokio::test]
async fn voice_and_the_limits_are_events() {
    let service = Service::start_with(with_livekit).await;
    let config = json!({"v1": {"modes": {"voice": true}}});
    let visitor = Visitor::of(&service, config).await;
    let started = visitor.start().await;
    let mut events = follow(&service, &started.id, None).await;
    assert_eq!(events.names(1).await, ["created"]);
    let ticket = visitor.ticket().await;
    let tail = format!("/conversations/{}/resume", started.id);
    let resume = json!({"ticket": ticket, "mode": "voice"});
    visitor
        .window(&tail, &started.token, resume)
        .await
        .json(200);
    let mode = events.next().await.expect("it continues");
    assert_eq!(
        (mode.name().as_str(), &mode.data["mode"]),
        ("mode", &json!("voice"))
    );
    let message = json!({"id": "1", "role": "visitor", "text": "Hello"});
    let path = format!("/core/conversations/{}/messages", started.id);
    service.post(&path, &message).await.json(200);
    assert_eq!(events.names(2).await, ["joined", "turn Hello"]);
    service.clock.advance(time::Duration::hours(2));
    let rest = events.rest().await;
    assert_eq!(rest.iter().map(Seen::name).collect::<Vec<_>>(), ["ended"]);
    assert_eq!(rest[0].data["end_reason"], "silence");
}

#[tokio::test]
async fn who_may_not_read_sees_that_something_was_said() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    say(&service, &started, "1", "secret").await;
    visitor.end(&started).await.json(200);
    let reads = service.new_key("acme", &[Scope::ConversationsRead]).await;
    let seen = follow_with(&service, &reads, &started.id, None)
        .await
        .rest()
        .await;
    let names: Vec<String> = seen.iter().map(Seen::name).collect();
    assert_eq!(names, ["created", "turn", "ended"]);
    let other = service.new_key("other", &[Scope::ConversationsRead]).await;
    let manages = service.new_key("acme", &[Scope::WebWidgetsManage]).await;
    for (key, last, status, code) in [
        (&other, None, 404, "not_found"),
        (&manages, None, 403, "insufficient_scope"),
        (&reads, Some("7"), 422, "event_id_invalid"),
        (&reads, Some("1.text.zz"), 422, "event_id_invalid"),
    ] {
        let response = ask(&service, key, &started.id, last).await;
        Answer::of(response).await.problem(status, code);
    }
    // An empty header is none.
    let seen = follow_with(&service, &reads, &started.id, Some("")).await;
    assert_eq!(seen.rest().await.len(), 3);
}

#[tokio::test]
async fn a_stream_ends_with_its_key_and_with_the_process() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let scopes = [Scope::ConversationsRead];
    let revoked = service.new_key("acme", &scopes).await;
    let until = service.state.now() + time::Duration::minutes(1);
    let expiring = service.new_key_until("acme", &scopes, Some(until)).await;
    let mut of_revoked = follow_with(&service, &revoked, &started.id, None).await;
    let mut of_expiring = follow_with(&service, &expiring, &started.id, None).await;
    let mut other = follow(&service, &started.id, None).await;
    for events in [&mut of_revoked, &mut of_expiring, &mut other] {
        assert_eq!(events.names(1).await, ["created"]);
    }
    let id = revoked
        .strip_prefix("ak_")
        .and_then(|key| key.split_once('.'));
    let path = format!("/core/api-keys/{}", id.expect("a key").0);
    service.delete(&path).await.expect(204);
    assert_eq!(of_revoked.next().await, None);
    service.clock.advance(time::Duration::minutes(1));
    assert_eq!(of_expiring.next().await, None);
    say(&service, &started, "1", "Hello").await;
    assert_eq!(other.names(1).await, ["turn Hello"]);
    service.state.drain.begin();
    assert_eq!(other.next().await, None);
}

/// A slow client has many events waiting for it when its key is revoked, or their content erased.
#[tokio::test]
async fn what_waits_for_a_slow_client_is_checked_again() {
    const TURNS: usize = 120;
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let messages: Vec<Value> = (0..TURNS)
        .map(|at| json!({"id": at.to_string(), "role": "agent", "text": at.to_string()}))
        .collect();
    let path = format!("/core/conversations/{}/messages", started.id);
    for messages in messages.chunks(20) {
        let body = json!({"messages": messages});
        service.post(&path, &body).await.json(200);
    }
    visitor.end(&started).await.json(200);
    let scopes = [Scope::ConversationsRead, Scope::ConversationsReadSensitive];
    let revoked = service.new_key("acme", &scopes).await;
    let mut of_revoked = follow_with(&service, &revoked, &started.id, None).await;
    let mut of_erased = follow(&service, &started.id, None).await;
    for events in [&mut of_revoked, &mut of_erased] {
        assert_eq!(events.names(1).await, ["created"]);
    }
    let id = revoked
        .strip_prefix("ak_")
        .and_then(|key| key.split_once('.'));
    let path = format!("/core/api-keys/{}", id.expect("a key").0);
    service.delete(&path).await.expect(204);
    let seen = of_revoked.rest().await.len();
    assert!(seen < TURNS / 2, "{seen} more events");

    let path = format!("/core/conversations/{}", started.id);
    service.delete(&path).await.expect(204);
    let mut names: Vec<String> = of_erased.rest().await.iter().map(Seen::name).collect();
    let turns = names.iter().filter(|name| name.starts_with("turn")).count();
    assert!(turns < TURNS / 2, "{turns} more turns");
    names.retain(|name| !name.starts_with("turn"));
    assert_eq!(names, ["ended", "erased"]);
}

#[tokio::test]
async fn a_key_has_a_few_streams() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let mut open = Vec::new();
    for _ in 0..20 {
        open.push(follow(&service, &started.id, None).await);
    }
    let refused = Answer::of(ask(&service, service.key(), &started.id, None).await).await;
    refused.problem(429, "event_streams_full");
    assert_eq!(refused.header("retry-after"), "5");
    open.pop();
    let mut again = follow(&service, &started.id, None).await;
    assert_eq!(again.names(1).await, ["created"]);
}

/// Sends a request; `headers` end with a line break.
fn send(server: &Server, method: &str, path: &str, headers: &str, body: &str) -> TcpStream {
    let mut stream = server.connect();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{headers}\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("it can be sent");
    stream
}

#[track_caller]
fn call(server: &Server, method: &str, path: &str, headers: &str, body: &Value) -> Value {
    let mut answer = String::new();
    let mut stream = send(server, method, path, headers, &body.to_string());
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
    assert!(head.starts_with("HTTP/1.1 20"), "{answer}");
    serde_json::from_str(body).unwrap_or_default()
}

/// Follows over a connection of its own.
struct Lines(BufReader<TcpStream>);

impl Lines {
    fn follow(server: &Server, id: &str, key: &str, last: Option<&str>) -> Self {
        let last = last.map_or(String::new(), |last| format!("last-event-id: {last}\r\n"));
        let headers = format!("authorization: Bearer {key}\r\n{last}");
        let path = format!("/core/conversations/{id}/events");
        Self(BufReader::new(send(server, "GET", &path, &headers, "")))
    }

    /// The id and the data of the next event; nothing when the answer has come to its end.
    fn next(&mut self) -> Option<Seen> {
        let mut id = String::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).expect("it is open") == 0 {
                return None;
            }
            if let Some(found) = line.trim_end().strip_prefix("id: ") {
                found.clone_into(&mut id);
            } else if let Some(data) = line.trim_end().strip_prefix("data: ") {
                let data = serde_json::from_str(data).expect("it is JSON");
                return Some(Seen { id, data });
            }
        }
    }
}

/// Two processes on one database: one stops while it is followed, and another one continues.
#[test]
fn a_follower_continues_after_a_restart() {
    let database = Database::create();
    let start = || {
        let mut command = command(&database);
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("LIVEKIT_URL", "ws://127.0.0.1:9")
            .env("LIVEKIT_API_KEY", "devkey")
            .env(
                "LIVEKIT_API_SECRET",
                "secret-secret-secret-secret-secret-32",
            );
        Server::start_with_log(&mut command, Stdio::piped())
    };
    let (mut first, mut second) = (start(), start());
    let log = first.log();
    // Nobody else reads it.
    drop(std::thread::spawn({
        let log = second.log();
        move || log.lines().count()
    }));
    let scopes = [
        "agents:manage",
        "web_widgets:manage",
        "conversations:manage",
    ];
    let key = key(&database, &scopes);
    let own = format!("authorization: Bearer {key}\r\n");
    let post = |server: &Server, path: &str, body: &Value| call(server, "POST", path, &own, body);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let agent = text(&post(&first, "/core/agents", &json!({"name": "Concierge"}))["id"]);
    let versions = format!("/core/agents/{agent}/versions");
    let body = json!({"livekit_agent_name": "concierge"});
    let version = text(&post(&first, &versions, &body)["id"]);
    post(&first, &format!("{versions}/{version}/publish"), &json!({}));
    let body = json!({
        "agent_id": agent, "agent_version_id": version, "published": true, "domains": [SHOP],
    });
    let widget = text(&post(&first, "/core/web-widgets", &body)["id"]);
    let public = format!("/core/public/web-widgets/{widget}");
    let origin = format!("origin: {SHOP}\r\n");
    let path = format!("{public}/embed-tickets");
    let ticket = text(&call(&first, "POST", &path, &origin, &json!({}))["ticket"]);
    let address = first.address();
    let headers = format!("origin: http://{address}\r\nauthorization: Bearer {ticket}\r\n");
    let path = format!("{public}/conversations");
    let started = call(&first, "POST", &path, &headers, &json!({}));
    let id = text(&started["conversation"]["id"]);
    let messages = format!("/core/conversations/{id}/messages");
    let say = |server: &Server, id: &str| {
        let body = json!({"id": id, "role": "agent", "text": id});
        post(server, &messages, &body);
    };

    let mut followed = Lines::follow(&first, &id, &key, None);
    let mut next = || followed.next().map(|seen| (seen.name(), seen.id));
    assert_eq!(next().expect("it began").0, "created");
    say(&second, "a");
    let (name, last) = next().expect("it was said");
    assert_eq!(name, "turn a");
    first.signal("-TERM");
    assert_eq!(next(), None);
    assert!(first.wait().success());
    let lines: Vec<String> = log.lines().map(|line| line.expect("it is text")).collect();
    let waited = lines
        .iter()
        .any(|line| line.contains("did not end in time"));
    assert!(!waited, "{lines:?}");
    say(&second, "b");
    say(&second, "c");
    let again = start();
    let mut followed = Lines::follow(&again, &id, &key, Some(&last));
    let mut next = || followed.next().map(|seen| seen.name());
    assert_eq!(
        [next(), next()],
        ["turn b", "turn c"].map(|name| Some(name.to_owned()))
    );
    say(&second, "d");
    post(
        &second,
        &format!("/core/conversations/{id}/end"),
        &json!({}),
    );
    assert_eq!(
        [next(), next()],
        ["turn d", "ended"].map(|name| Some(name.to_owned()))
    );
    assert_eq!(next(), None);
}
