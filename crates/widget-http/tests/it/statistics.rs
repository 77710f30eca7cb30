//! Numbers about widgets: what is counted, when, over several nodes, and within which bounds.

use std::pin::pin;

use futures_util::{FutureExt as _, StreamExt as _, stream};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _};
use time::Duration;
use uuid::Uuid;
use widget_api::{Scope, doctor::PROBE_HEADER};
use widget_http::{
    background::{forget_expired, write_statistics},
    settings::Settings,
};

use super::{
    erasure::path as path_of,
    visitor::{
        limits::join,
        support::{SHOP, Started, Visitor, with_livekit},
        webhook::{deliver, event},
    },
};
use crate::{
    database,
    support::{Answer, Service, id},
};

mod processes;

const EVIL: &str = "https://evil.example";

/// A service whose visitors cannot ask too often.
fn without_rates(settings: &mut Settings) {
    with_livekit(settings);
    settings.limits.configs_per_minute = 1_000_000;
    settings.limits.documents_per_minute = 1_000_000;
}

fn numbers_of(widget: &Value, kind: &str) -> String {
    format!("/core/web-widgets/{}/{kind}", id(widget))
}

async fn total(service: &Service, widget: &Value) -> Value {
    let path = numbers_of(widget, "statistics");
    service.get(&path).await.json(200)["total"].clone()
}

async fn refusals(service: &Service, widget: &Value) -> Value {
    service.get(&numbers_of(widget, "refusals")).await.json(200)
}

async fn show(service: &Service, widget: &str, headers: &[(&str, &str)]) -> Answer {
    let path = format!("/core/public/web-widgets/{widget}");
    service.call_with(None, "GET", &path, None, headers).await
}

async fn open(service: &Service, widget: &Value, declared: &str) -> Answer {
    let path = format!("/public/widget/{}?o={declared}", id(widget));
    service.call_with(None, "GET", &path, None, &[]).await
}

async fn write(service: &Service) {
    write_statistics(&service.state)
        .await
        .expect("storage works");
}

/// The number of rows of a table.
async fn count_rows(service: &Service, table: &str) -> i64 {
    let connection = database::Connection::connect(service.database().url()).await;
    let mut connection = connection.expect("it can be opened");
    let query = sqlx::query_scalar(AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}")));
    let count = query.fetch_one(&mut connection).await.expect("it is there");
    connection.close().await.expect("it can be closed");
    count
}

#[tokio::test]
async fn probes_are_answered_and_not_counted() {
    let service = Service::start_with(without_rates).await;
    let widget = service.widget(json!({})).await;
    let name = id(&widget);
    let probe = (PROBE_HEADER, "?1");
    show(&service, &name, &[("origin", SHOP), probe])
        .await
        .expect(200);
    let window = format!("/public/widget/{name}?o=");
    for (origin, status) in [(SHOP, 200), (EVIL, 403), ("null", 403)] {
        let path = format!("{window}{origin}");
        let answer = service.call_with(None, "GET", &path, None, &[probe]).await;
        answer.expect(status);
    }
    for origin in [EVIL, "null"] {
        show(&service, &name, &[("origin", origin), probe])
            .await
            .expect(403);
    }
    write(&service).await;
    let all = total(&service, &widget).await;
    assert_eq!(
        (
            &all["launchers_shown"],
            &all["windows_opened"],
            &all["refusals"]
        ),
        (&json!(0), &json!(0), &json!([]))
    );
    // Any other value is that of a visitor.
    show(&service, &name, &[("origin", SHOP), (PROBE_HEADER, "?0")])
        .await
        .expect(200);
    write(&service).await;
    assert_eq!(total(&service, &widget).await["launchers_shown"], 1);
}

#[tokio::test]
async fn visits_are_counted_on_every_node_and_added_up() {
    let service = Service::start_with(without_rates).await;
    let other = service.another_node().await;
    let widget = service.widget(json!({})).await;
    let name = id(&widget);
    for node in [&service, &service, &other] {
        let shown = show(node, &name, &[("origin", SHOP)]).await;
        shown.expect(200);
        let etag = shown.header("etag").to_owned();
        let known = [("origin", SHOP), ("if-none-match", etag.as_str())];
        show(node, &name, &known).await.expect(304);
        open(node, &widget, SHOP).await.expect(200);
        let refused = show(node, &name, &[("origin", EVIL)]).await;
        refused.problem(403, "widget_unavailable");
    }
    open(&other, &widget, EVIL).await.expect(403);
    // What is not a valid origin has no name of its own.
    for (origin, status, code) in [
        ("null", 403, "origin_opaque"),
        ("https://EVIL.example", 400, "origin_malformed"),
        ("https://evil.example/path", 400, "origin_malformed"),
    ] {
        let refused = show(&other, &name, &[("origin", origin)]).await;
        refused.problem(status, code);
    }
    open(&other, &widget, "null").await.expect(403);
    assert_eq!(
        total(&service, &widget).await["launchers_shown"],
        0,
        "nothing is written yet"
    );

    service.clock.advance(Duration::minutes(7));
    show(&other, &name, &[("origin", EVIL)]).await.expect(403);
    write(&service).await;
    assert_eq!(total(&service, &widget).await["launchers_shown"], 4);
    write(&other).await;
    let all = total(&service, &widget).await;
    assert_eq!(
        (&all["launchers_shown"], &all["windows_opened"]),
        (&json!(6), &json!(3))
    );
    let expected = json!([
        {"code": "origin_not_listed", "count": 5},
        {"code": "origin_malformed", "count": 3},
        {"code": "origin_opaque", "count": 1},
    ]);
    assert_eq!(all["refusals"], expected);

    let refused = refusals(&service, &widget).await;
    let (first, last) = ("2026-01-31T09:30:00Z", "2026-01-31T09:37:00Z");
    let line = |code: &str, count: u64, last: &str| json!({"code": code, "count": count, "uncertain": 0, "first_at": first, "last_at": last});
    let mut evil = line("origin_not_listed", 5, last);
    evil["origin"] = json!(EVIL);
    let expected = json!({
        "since": "2026-01-25T00:00:00Z",
        "total": 9,
        "refusals": [evil, line("origin_malformed", 3, first), line("origin_opaque", 1, first)],
        "others": 0,
    });
    assert_eq!(refused, expected);

    // A repetition adds nothing.
    write(&service).await;
    assert_eq!(total(&other, &widget).await, all);
    // Other widgets have other numbers.
    let neighbor = service.widget(json!({})).await;
    assert_eq!(total(&service, &neighbor).await["launchers_shown"], 0);
    // A closed widget refuses for another reason.
    let unpublish = json!({"published": false});
    let path = format!("/core/web-widgets/{name}");
    service.put(&path, &unpublish).await.json(200);
    show(&service, &name, &[("origin", SHOP)]).await.expect(403);
    write(&service).await;
    let refused = refusals(&service, &widget).await["refusals"].clone();
    let closed = refused
        .as_array()
        .expect("a list")
        .iter()
        .find(|line| line["origin"] == SHOP);
    assert_eq!(closed.expect("it was refused")["code"], "not_published");
}

#[tokio::test]
async fn what_is_not_written_is_kept_for_the_next_time() {
    let service = Service::start_with(without_rates).await;
    let widget = service.widget(json!({})).await;
    show(&service, &id(&widget), &[("origin", SHOP)])
        .await
        .expect(200);
    show(&service, &id(&widget), &[("origin", EVIL)])
        .await
        .expect(403);
    let holding = database::Connection::connect(service.database().url()).await;
    let mut holding = holding.expect("it can be opened");
    let held = sqlx::raw_sql(database::HOLD_STATISTICS).execute(&mut holding);
    held.await.expect("it is held");
    {
        let mut canceled = pin!(write_statistics(&service.state));
        assert!(
            canceled.as_mut().now_or_never().is_none(),
            "it waits for storage"
        );
        // Counted while others are written.
        show(&service, &id(&widget), &[("origin", EVIL)])
            .await
            .expect(403);
    }
    let released = sqlx::raw_sql("ROLLBACK").execute(&mut holding);
    released.await.expect("it is released");
    assert_eq!(service.state.visits.listed_pages(), 1);
    write(&service).await;
    assert_eq!(service.state.visits.listed_pages(), 0);
    assert_eq!(total(&service, &widget).await["launchers_shown"], 1);
    assert_eq!(refusals(&service, &widget).await["refusals"][0]["count"], 2);
}

#[tokio::test]
async fn unknown_callers_cannot_grow_the_numbers_without_bound() {
    let service = Service::start_with(without_rates).await;
    let widget = service.widget(json!({})).await;
    let name = id(&widget);
    let refuse = async |origin: String| {
        show(&service, &name, &[("origin", &origin)])
            .await
            .expect(403);
    };
    let wave = |wave: usize| (0..5_000).map(move |number| (wave, number));
    for number in 0..2 {
        let wave = stream::iter(wave(number));
        wave.for_each_concurrent(8, async |(wave, number)| {
            refuse(format!("https://{wave}-{number}.example")).await;
            if number % 25 == 0 {
                refuse(EVIL.to_owned()).await;
            }
        })
        .await;
        assert_eq!(service.state.visits.listed_pages(), 100);
        write(&service).await;
    }
    assert_eq!(count_rows(&service, "web_widget_refusals").await, 101);
    let found = refusals(&service, &widget).await;
    assert_eq!(found["total"], 10_400);
    let listed = found["refusals"].as_array().expect("a list");
    assert_eq!(listed.len(), 100);
    assert_eq!(listed[0]["origin"], EVIL);
    let number = |of: &Value, name: &str| of[name].as_u64().expect("a number");
    let (count, uncertain) = (number(&listed[0], "count"), number(&listed[0], "uncertain"));
    assert!(count <= 400 && 400 <= count + uncertain, "{}", listed[0]);
    assert!(uncertain <= 104, "{uncertain}");
    let sum: u64 = listed.iter().map(|line| number(line, "count")).sum();
    assert_eq!(sum + number(&found, "others"), 10_400);
    // By code they are exact.
    let expected = json!([{"code": "origin_not_listed", "count": 10_400}]);
    assert_eq!(total(&service, &widget).await["refusals"], expected);

    // Widgets that are not there count nothing.
    let rows = count_rows(&service, "web_widget_statistics").await;
    for number in 0..200 {
        let unknown = Uuid::from_u128(number).to_string();
        show(&service, &unknown, &[("origin", EVIL)])
            .await
            .expect(403);
        show(&service, &unknown, &[]).await.expect(403);
    }
    assert_eq!(
        write_statistics(&service.state).await.expect("it works"),
        (0, 0)
    );
    assert_eq!(count_rows(&service, "web_widget_statistics").await, rows);
}

fn audio(event_id: &str, kind: &str, started: &Started) -> Value {
    let mut event = event(event_id, kind, &started.room);
    event["track"] = json!({"sid": "TR_1", "source": "MICROPHONE"});
    event
}

async fn say(visitor: &Visitor<'_>, started: &Started, role: &str, message: &str) {
    let path = format!("/core/conversations/{}/messages", started.id);
    let now = visitor.service.state.now();
    let now = now.format(&time::format_description::well_known::Rfc3339);
    let body = json!({
        "id": message, "role": role, "text": "Hello", "created_at": now.expect("a time"),
    });
    visitor.service.post(&path, &body).await.json(200);
}

#[tokio::test]
async fn a_conversation_counts_the_same_while_it_is_open_when_it_ended_and_when_it_is_erased() {
    let service = Service::start_with(with_livekit).await;
    let config = json!({"v1": {"post_conversation_feedback": {"enabled": true}}});
    let visitor = Visitor::of(&service, config).await;
    let widget = &visitor.widget;
    let nothing = total(&service, widget).await;
    let started: Started = visitor
        .try_start(json!({"mode": "voice"}))
        .await
        .json(201)
        .into();
    join(&service, &started).await;
    deliver(&service, &audio("1", "track_published", &started)).await;
    deliver(&service, &audio("1", "track_published", &started)).await;
    service.clock.advance(Duration::seconds(4));
    say(&visitor, &started, "agent", "1").await;
    say(&visitor, &started, "agent", "1").await;
    say(&visitor, &started, "visitor", "2").await;
    service.clock.advance(Duration::minutes(1));
    say(&visitor, &started, "agent", "3").await;
    let mut expected = nothing.clone();
    expected["conversations_started"]["voice"] = json!(1);
    expected["conversations_answered"] = json!(1);
    expected["messages"] = json!({"visitor": 1, "agent": 2});
    expected["voice_seconds"] = json!(64);
    expected["first_answers"] = json!({
        "p50_seconds": 5, "p90_seconds": 5, "counts": [{"within_seconds": 5, "count": 1}],
    });
    assert_eq!(total(&service, widget).await, expected, "it continues");

    deliver(&service, &audio("2", "track_unpublished", &started)).await;
    service.clock.advance(Duration::minutes(1));
    // A conversation that began as voice stays one.
    let resumed = visitor.resume(&started).await;
    assert_eq!(total(&service, widget).await, expected, "it was resumed");
    visitor.end(&resumed).await.json(200);
    expected["conversations_ended"]["visitor"] = json!(1);
    assert_eq!(total(&service, widget).await, expected, "it has ended");
    assert_eq!(service.storage.count_ended(10).await.expect("it works"), 0);

    // What comes later counts, too, where it began.
    service.clock.advance(Duration::hours(1));
    say(&visitor, &started, "agent", "late").await;
    say(&visitor, &started, "agent", "late").await;
    let tail = format!("/conversations/{}/feedback", started.id);
    let feedback = json!({"data": {"rating": 4, "comment": "good"}});
    visitor
        .window(&tail, &resumed.token, feedback)
        .await
        .json(201);
    expected["messages"]["agent"] = json!(3);
    expected["feedback"] = json!({"submitted": 1, "ratings": [{"rating": 4, "count": 1}]});
    assert_eq!(total(&service, widget).await, expected, "feedback");
    service.delete(&path_of(&started)).await.expect(204);
    assert_eq!(total(&service, widget).await, expected, "it is erased");

    // Points are those of the beginning.
    let path = format!("{}?interval=hour", numbers_of(widget, "statistics"));
    let hours = service.get(&path).await.json(200);
    assert_eq!(
        (&hours["interval"], &hours["total"]),
        (&json!("hour"), &expected)
    );
    let points = hours["points"].as_array().expect("a list");
    assert_eq!(points.len(), 24);
    for point in points {
        let is_first = point["starts_at"] == "2026-01-31T09:00:00Z";
        let numbers = if is_first { &expected } else { &nothing };
        assert_eq!(&point["numbers"], numbers, "{}", point["starts_at"]);
    }

    // One that is erased while it is open, and one that nobody joins.
    let open = visitor.start().await;
    join(&service, &open).await;
    say(&visitor, &open, "visitor", "1").await;
    service.delete(&path_of(&open)).await.expect(204);
    visitor.start().await;
    service.clock.advance(Duration::hours(1));
    widget_http::background::end_due_conversations(&service.state)
        .await
        .expect("it works");
    expected["conversations_started"]["text"] = json!(2);
    expected["conversations_ended"]["agent"] = json!(1);
    expected["conversations_ended"]["never_joined"] = json!(1);
    expected["messages"]["visitor"] = json!(2);
    assert_eq!(total(&service, widget).await, expected);
}

/// Conversations that a node of the release before has ended, or an erasure of it.
#[tokio::test]
async fn what_an_older_node_ends_is_counted_once_by_a_newer_one() {
    let service = Service::start_with(with_livekit).await;
    let other = service.another_node().await;
    let visitor = Visitor::of(&service, json!({})).await;
    for _ in 0..3 {
        let started = visitor.start().await;
        join(&service, &started).await;
        say(&visitor, &started, "agent", "1").await;
    }
    let before = total(&service, &visitor.widget).await;
    let connection = database::Connection::connect(service.database().url()).await;
    let mut connection = connection.expect("it can be opened");
    sqlx::raw_sql(
        "UPDATE conversations SET status = 'completed', ended_at = created_at + 5,
             end_reason = 'idle', due_at = NULL, start_mode = NULL",
    )
    .execute(&mut connection)
    .await
    .expect("it is valid");
    connection.close().await.expect("it can be closed");
    let counted = tokio::join!(
        write_statistics(&service.state),
        write_statistics(&other.state)
    );
    counted.0.expect("storage works");
    counted.1.expect("storage works");
    let mut expected = before;
    expected["conversations_ended"]["idle"] = json!(3);
    assert_eq!(total(&service, &visitor.widget).await, expected);
    write(&service).await;
    assert_eq!(total(&other, &visitor.widget).await, expected);
}

#[tokio::test]
async fn a_time_that_cannot_be_asked_for_is_a_fault_of_the_query() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let ask = async |kind: &str, query: &str| {
        let path = format!("{}?{query}", numbers_of(&widget, kind));
        service.get(&path).await
    };
    for (kind, query, pointer, code) in [
        (
            "statistics",
            "from=2024-01-01T00:00:00Z",
            "/from",
            "value_out_of_range",
        ),
        (
            "statistics",
            "interval=hour&from=2025-12-31T09:00:00Z",
            "/from",
            "value_out_of_range",
        ),
        (
            "statistics",
            "from=2027-01-01T00:00:00Z",
            "/from",
            "value_out_of_range",
        ),
        (
            "statistics",
            "from=2026-01-31T00:00:00Z&to=2026-01-31T00:00:00Z",
            "/from",
            "range_invalid",
        ),
        (
            "refusals",
            "since=2024-01-01T00:00:00Z",
            "/since",
            "value_out_of_range",
        ),
        (
            "refusals",
            "since=2027-01-01T00:00:00Z",
            "/since",
            "value_out_of_range",
        ),
        (
            "refusals",
            "until=2026-01-01T00:00:00Z",
            "/until",
            "key_unknown",
        ),
    ] {
        let answer = ask(kind, query).await;
        answer.problem_at(422, "query_invalid", pointer, code);
    }
    let year = ask("statistics", "from=2024-12-28T00:00:00Z")
        .await
        .json(200);
    assert_eq!(year["points"].as_array().map(Vec::len), Some(400));
    let month = "interval=hour&from=2025-12-31T10:00:00Z";
    let month = ask("statistics", month).await.json(200);
    assert_eq!(month["points"].as_array().map(Vec::len), Some(31 * 24));
    // Nothing was counted before 1970.
    let past = ask("statistics", "to=0000-01-01T00:00:00Z").await.json(200);
    assert_eq!(past["points"].as_array().map(Vec::len), Some(1));
    ask("refusals", "since=2024-12-28T00:00:00Z")
        .await
        .json(200);

    for kind in ["statistics", "refusals"] {
        let unknown = format!("/core/web-widgets/{}/{kind}", Uuid::from_u128(7));
        service.get(&unknown).await.problem(404, "not_found");
        let path = numbers_of(&widget, kind);
        let theirs = service.new_key("others", Scope::ALL).await;
        let foreign = service.call_with(Some(&theirs), "GET", &path, None, &[]);
        foreign.await.problem(404, "not_found");
        let key = service.new_key("acme", &[Scope::ConversationsRead]).await;
        let refused = service.call_with(Some(&key), "GET", &path, None, &[]);
        refused.await.problem(403, "insufficient_scope");
    }
}

#[tokio::test]
async fn numbers_are_kept_as_long_as_is_set_and_stay_with_a_widget_that_comes_back() {
    let service = Service::start_with(|settings| {
        without_rates(settings);
        settings.statistics_retention = Duration::days(60);
    })
    .await;
    let widget = service.widget(json!({})).await;
    let path = format!("/core/web-widgets/{}", id(&widget));
    let visit = async || {
        show(&service, &id(&widget), &[("origin", SHOP)])
            .await
            .expect(200);
        show(&service, &id(&widget), &[("origin", EVIL)])
            .await
            .expect(403);
        write(&service).await;
    };
    let counted = async |query: &str| {
        let path = format!("{}?{query}", numbers_of(&widget, "statistics"));
        service.get(&path).await.json(200)["total"]["launchers_shown"].clone()
    };
    let (day, hour) = (
        "from=2026-01-30T00:00:00Z",
        "from=2026-01-30T00:00:00Z&to=2026-02-05T00:00:00Z&interval=hour",
    );
    visit().await;
    for (days, expected) in [
        (0, (1, 1)),
        (40, (1, 1)),
        (1, (1, 0)),
        (19, (1, 0)),
        (1, (0, 0)),
    ] {
        service.clock.advance(Duration::days(days));
        forget_expired(&service.state).await.expect("it works");
        let found = (counted(day).await, counted(hour).await);
        assert_eq!(found, (json!(expected.0), json!(expected.1)), "{days}");
        let query = "since=2026-01-30T00:00:00Z";
        let refused = format!("{}?{query}", numbers_of(&widget, "refusals"));
        let refused = service.get(&refused).await.json(200);
        assert_eq!(refused["total"], expected.0, "{days}");
    }
    assert_eq!(count_rows(&service, "web_widget_statistics").await, 0);
    assert_eq!(count_rows(&service, "web_widget_refusals").await, 0);

    visit().await;
    let before = total(&service, &widget).await;
    service.delete(&path).await.expect(204);
    let statistics = numbers_of(&widget, "statistics");
    service.get(&statistics).await.problem(404, "not_found");
    let restore = format!("{path}/restore");
    let restored = service.call("POST", &restore, None, &[]).await;
    restored.json(200);
    assert_eq!(total(&service, &widget).await, before);
}
