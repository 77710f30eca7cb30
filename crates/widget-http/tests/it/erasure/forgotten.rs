//! What was erased is nowhere: in no file, in no table, in no answer and in no line of the log.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _};
use time::Duration;
use widget_http::background;

use super::{
    super::process::{Server, command, key},
    path as path_of, run_jobs, say_everywhere, with_forms,
};
use crate::{
    database,
    support::{LogLines, Service, id},
    visitor::support::{LIVEKIT_KEY, LIVEKIT_SECRET, OWN, Started, Visitor, with_livekit},
};

/// Whether the marker is anywhere in what the database keeps.
pub(crate) async fn is_kept(service: &Service, marker: &str) -> bool {
    let bytes = database::read_all(service.database()).await;
    bytes
        .windows(marker.len())
        .any(|window| window == marker.as_bytes())
}

#[tokio::test]
async fn erased_content_is_nowhere() {
    let log = LogLines::capture_all();
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, with_forms()).await;
    let markers = [
        "marker-of-one-7f3a",
        "marker-by-filter-91bc",
        "marker-by-age-52de",
    ];
    let mut all = Vec::new();
    for marker in markers {
        all.push(say_everywhere(&visitor, marker).await);
    }
    for marker in markers {
        assert!(is_kept(&service, marker).await, "{marker} is not stored");
    }

    service.delete(&path_of(&all[0])).await.expect(204);
    assert!(!is_kept(&service, markers[0]).await);

    let body = json!({"filter": {"visitor": markers[1]}});
    let key = [("idempotency-key", "once")];
    let body = body.to_string();
    let asked = service.call("POST", "/core/conversations/erase", Some(&body), &key);
    let job = asked.await.json(202);
    run_jobs(&service).await;
    assert!(service.storage.empty_log().await.expect("storage works"));
    assert!(!is_kept(&service, markers[1]).await);
    let job = service
        .get(&format!("/core/erasure-jobs/{}", id(&job)))
        .await;
    assert_eq!(job.json(200)["erased"], 1);

    let node = service
        .another_node_with(|settings| settings.transcript_retention = Some(Duration::DAY))
        .await;
    service.clock.advance(Duration::days(2));
    let erased = background::erase_expired(&node.state).await;
    assert_eq!(erased.expect("storage works"), 1);
    assert!(node.storage.empty_log().await.expect("storage works"));
    assert!(!is_kept(&service, markers[2]).await);

    for path in ["/core/conversations".to_owned()]
        .into_iter()
        .chain(all.iter().map(path_of))
    {
        let answer = service.get(&path).await;
        answer.expect(200);
        assert!(!answer.text.contains("marker-"), "{}", answer.text);
    }
    for started in &all {
        let answer = visitor.read(started).await;
        assert!(!answer.text.contains("marker-"), "{}", answer.text);
    }
    assert_eq!(log.with("marker-"), [""; 0]);
    assert_ne!(log.with("statement"), [""; 0], "the log has nothing");
}

/// A request of the window or of a page, which a running service answers with this status.
#[track_caller]
fn visit(
    server: &Server,
    path: &str,
    token: &str,
    origin: &str,
    body: &Value,
    status: u16,
) -> Value {
    let headers = format!("{token}\r\norigin: {origin}");
    let answer = server.request("POST", path, &headers, &body.to_string());
    let (found, text) = answer.expect("it answers");
    assert_eq!(found, status, "{path}: {text}");
    serde_json::from_str(&text).expect("JSON")
}

/// The same for the service by itself, whose log has everything that it can have.
#[tokio::test]
async fn a_running_service_leaves_nothing_of_what_it_erased() {
    const MARKER: &str = "marker-of-a-process-44ad";
    let service = Service::start_with(with_livekit).await;
    let database = service.database();
    let widget = service.widget(json!({"config": with_forms(), "domains": ["*"]}));
    let widget = id(&widget.await);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let log = std::fs::File::create(&path).expect("it can be made");
    let mut process = command(database);
    process
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args([
            "--public-url",
            OWN,
            "--log",
            "trace",
            "--log-format",
            "json",
        ])
        .env("LIVEKIT_URL", "ws://127.0.0.1:9")
        .env("LIVEKIT_API_KEY", LIVEKIT_KEY)
        .env("LIVEKIT_API_SECRET", LIVEKIT_SECRET);
    let mut server = Server::start_with_log(&mut process, log);
    let key = key(database, &["conversations:manage"]);
    let work = |method: &str, path: &str, body: &str, status: u16| {
        let answer = server.request(method, path, &key, body);
        let (found, text) = answer.expect("it answers");
        assert_eq!(found, status, "{path}: {text}");
        text
    };
    let public = format!("/core/public/web-widgets/{widget}");
    let page = format!("https://{MARKER}.example");
    let mut all = Vec::new();
    for number in 0..2 {
        let text = format!("{MARKER} {number}");
        let tickets = format!("{public}/embed-tickets");
        let ticket = visit(&server, &tickets, "", &page, &json!({}), 201);
        let ticket = ticket["ticket"].as_str().expect("a string");
        let start = json!({"form": {"email": text}, "custom_metadata": {"title": text}});
        let start = visit(
            &server,
            &format!("{public}/conversations"),
            ticket,
            OWN,
            &start,
            201,
        );
        let started = Started::from(start);
        let below = format!("{public}/conversations/{}", started.id);
        let said = json!({"messages": [{"id": "1", "role": "visitor", "text": text}]});
        let form = json!({"data": {"email": text}});
        for (tail, body) in [("/messages", said), ("/forms/order", form)] {
            visit(
                &server,
                &format!("{below}{tail}"),
                &started.token,
                OWN,
                &body,
                200,
            );
        }
        let answered = json!({"id": text, "role": "agent", "text": text}).to_string();
        work(
            "POST",
            &format!("{}/messages", path_of(&started)),
            &answered,
            200,
        );
        all.push(started);
    }
    // What looks for the content names it.
    for query in [format!("text={MARKER}"), format!("visitor={MARKER}%200")] {
        work("GET", &format!("/core/conversations?{query}"), "", 200);
    }
    assert!(is_kept(&service, MARKER).await, "it is not stored");

    work("DELETE", &path_of(&all[0]), "", 204);
    let filter = json!({"filter": {"visitor": format!("{MARKER} 1")}}).to_string();
    let job: Value = serde_json::from_str(&work("POST", "/core/conversations/erase", &filter, 202))
        .expect("JSON");
    let job = format!("/core/erasure-jobs/{}", id(&job));
    let begin = std::time::Instant::now();
    let limit = std::time::Duration::from_mins(1);
    while !work("GET", &job, "", 200).contains("completed") || is_kept(&service, MARKER).await {
        assert!(begin.elapsed() < limit, "it is still there");
        tokio::task::yield_now().await;
    }
    work("GET", &format!("{}/messages", path_of(&all[0])), "", 410);
    server.signal("-TERM");
    server.wait();
    assert!(!is_kept(&service, MARKER).await);
    let log = std::fs::read_to_string(&path).expect("text");
    assert!(log.contains("executing"), "the log has nothing");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(MARKER)).collect();
    assert_eq!(lines, [""; 0]);
}

/// A release that knows no erased conversations, and everything else that writes beside the
/// service.
#[tokio::test]
async fn the_database_refuses_content_of_an_erased_conversation() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, with_forms()).await;
    let (kept, erased) = (visitor.start().await, visitor.start().await);
    service.delete(&path_of(&erased)).await.expect(204);
    let connection = database::Connection::connect(service.database().url()).await;
    let mut connection = connection.expect("it can be opened");
    for (started, is_refused) in [(&kept, false), (&erased, true)] {
        let literal = database::uuid_literal(started.id.parse().expect("an id"));
        for statement in [
            format!(
                "INSERT INTO messages (conversation_id, reported_by, id, role, text, created_at)
                 VALUES ({literal}, 'agent', 'old', 'agent', 'Hello', 1)"
            ),
            format!(
                "UPDATE conversations SET custom_metadata = '{{\"a\":1}}' WHERE id = {literal}"
            ),
            format!("UPDATE conversations SET origin = 'https://a.example' WHERE id = {literal}"),
            format!("UPDATE conversations SET start_address = 'x' WHERE id = {literal}"),
        ] {
            let done = sqlx::query(AssertSqlSafe(statement.clone()))
                .execute(&mut connection)
                .await;
            assert_eq!(done.is_err(), is_refused, "{statement}");
        }
    }
}

/// What is done with is deleted when its time is over, and not before.
#[tokio::test]
async fn what_is_done_with_is_forgotten() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let (ended, open) = (visitor.start().await, visitor.start().await);
    visitor.end(&ended).await.json(200);
    let now = service.state.now();
    let key = [("idempotency-key", "once")];
    let body = json!({"filter": {"visitor": "nobody"}}).to_string();
    let asked = service.call("POST", "/core/conversations/erase", Some(&body), &key);
    asked.await.json(202);
    run_jobs(&service).await;
    let event = widget_http::storage::WebhookEvent {
        id: "EV_1",
        room: &open.room,
        happened: widget_core::conversation::room::RoomEvent::VisitorJoined,
        room_life: None,
        stay: None,
    };
    let limits = &service.state.lifecycle_limits;
    let applied = service.storage.apply_webhook_event(&event, now, limits);
    applied.await.expect("storage works");
    for room in [&ended.room, &open.room] {
        let removed = service.storage.record_room_removal(room, now);
        removed.await.expect("storage works");
    }

    let connection = database::Connection::connect(service.database().url()).await;
    let mut connection = connection.expect("it can be opened");
    let mut count = async || {
        let forgotten = background::forget_expired(&service.state).await;
        forgotten.expect("storage works");
        let mut counts = Vec::new();
        for table in [
            "used_tickets",
            "webhook_events",
            "idempotency_keys",
            "rooms",
            "erasure_jobs",
        ] {
            let question = format!("SELECT COUNT(*) FROM {table}");
            let count: i64 = sqlx::query_scalar(AssertSqlSafe(question))
                .fetch_one(&mut connection)
                .await
                .expect("it can be asked");
            counts.push(count);
        }
        counts
    };
    assert_eq!(count().await, [2, 1, 1, 2, 1]);
    service.clock.advance(Duration::hours(1));
    assert_eq!(count().await, [0, 1, 1, 2, 1]);
    service.clock.advance(Duration::hours(24));
    assert_eq!(count().await, [0, 0, 0, 2, 1]);
    service.clock.advance(Duration::days(7));
    // The other conversation has not ended.
    assert_eq!(count().await, [0, 0, 0, 1, 1]);
    service.clock.advance(Duration::days(30));
    assert_eq!(count().await, [0, 0, 0, 1, 0]);
}
