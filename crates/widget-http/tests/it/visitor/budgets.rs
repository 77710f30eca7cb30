//! Budgets of a day: set by keys, exact on every node, and given back when nobody needs them.

use futures_util::{StreamExt, future::join_all, stream};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, macros::datetime};
use widget_api::Scope;
use widget_core::{
    conversation::budget::{Day, DayUse},
    id::WidgetId,
};
use widget_http::{
    background::{check_due_calls, end_due_conversations},
    storage::BudgetOwner,
};

use super::{
    limits::{assert_limited, behind_a_proxy, join},
    support::{Started, Visitor, with_livekit},
    webhook::{deliver, event, is_to_be_removed},
};
use crate::support::{Answer, START, Service, id};

const ORGANIZATION: &str = "/core/organization/limits";

fn limits_of(visitor: &Visitor<'_>) -> String {
    format!("/core/web-widgets/{}/limits", id(&visitor.widget))
}

async fn limit(visitor: &Visitor<'_>, limits: Value) {
    let path = limits_of(visitor);
    visitor.service.put(&path, &limits).await.json(200);
}

/// What of the widget is used and reserved today, as the API shows it.
async fn today(visitor: &Visitor<'_>, what: &str) -> (i64, i64) {
    let body = visitor.service.get(&limits_of(visitor)).await.json(200);
    let number = |key: &str| body["today"][what][key].as_i64().expect("a number");
    (number("used"), number("reserved"))
}

async fn start_call(visitor: &Visitor<'_>) -> Started {
    visitor
        .try_start(json!({"mode": "voice"}))
        .await
        .json(201)
        .into()
}

async fn ask_for_voice(visitor: &Visitor<'_>, started: &Started) -> Answer {
    let tail = format!("/conversations/{}/voice", started.id);
    visitor.window(&tail, &started.token, json!({})).await
}

fn audio(id: &str, kind: &str, started: &Started, track: &str) -> Value {
    let mut event = event(id, kind, &started.room);
    // LiveKit leaves out the first of an enumeration.
    event["track"] = json!({"sid": track, "source": "MICROPHONE"});
    event
}

#[tokio::test]
async fn a_key_sets_limits_below_the_ceilings_of_the_operator() {
    let service = Service::start_with(|settings| {
        settings.limits.budgets.organization_day.conversations = Some(300);
        settings.limits.budgets.open_on_widget = 50;
    })
    .await;
    let visitor = Visitor::of(&service, json!({})).await;
    let of_widget = limits_of(&visitor);
    let nothing = json!({
        "conversations": {"used": 0, "reserved": 0},
        "voice_seconds": {"used": 0, "reserved": 0},
        "resets_at": "2026-02-01T00:00:00Z",
    });
    let found = service.get(&of_widget).await.json(200);
    let ceilings = json!({"open_conversations": 50, "new_per_minute": 600});
    assert_eq!(
        found,
        json!({"limits": {}, "ceilings": ceilings, "today": nothing})
    );

    let limits =
        json!({"conversations_per_day": 20, "open_conversations": 50, "voice_minutes_per_day": 0});
    let written = service.put(&of_widget, &limits).await.json(200);
    assert_eq!(written["limits"], limits);
    assert_eq!(service.get(&of_widget).await.json(200), written);
    // A write replaces all of them.
    let limits = json!({"new_per_minute": 5, "conversations_per_day": null});
    let written = service.put(&of_widget, &limits).await.json(200);
    assert_eq!(written["limits"], json!({"new_per_minute": 5}));

    let limits = json!({"conversations_per_day": 301});
    let refused = service.put(ORGANIZATION, &limits).await;
    let body = refused.problem_at(
        422,
        "body_invalid",
        "/conversations_per_day",
        "value_out_of_range",
    );
    let detail = body["errors"][0]["detail"].as_str().expect("a text");
    assert!(
        detail.contains("`301`") && detail.contains("`300`"),
        "{detail}"
    );
    let limits = json!({"conversations_per_day": 300});
    let written = service.put(ORGANIZATION, &limits).await.json(200);
    assert_eq!(written["ceilings"], limits);
    for (body, pointer, code) in [
        (
            json!({"voice_minutes_per_day": 4}),
            "/voice_minutes_per_day",
            "value_out_of_range",
        ),
        (
            json!({"new_per_minute": 0}),
            "/new_per_minute",
            "value_out_of_range",
        ),
        (
            json!({"new_per_minute": 601}),
            "/new_per_minute",
            "value_out_of_range",
        ),
        (
            json!({"open_conversations": 51}),
            "/open_conversations",
            "value_out_of_range",
        ),
        (json!({"open": 1}), "/open", "key_unknown"),
    ] {
        let refused = service.put(&of_widget, &body).await;
        refused.problem_at(422, "body_invalid", pointer, code);
    }
    for number in [json!(-1), json!(1.5), json!("1"), json!(u64::MAX)] {
        let body = json!({"conversations_per_day": number});
        service
            .put(&of_widget, &body)
            .await
            .problem(422, "body_invalid");
    }
}

#[tokio::test]
async fn limits_belong_to_one_organization_and_need_their_scope() {
    let service = Service::start().await;
    let visitor = Visitor::of(&service, json!({})).await;
    let of_widget = limits_of(&visitor);
    let call = async |key: &str, method: &str, path: &str| {
        let body = (method == "PUT").then_some("{}");
        service.call_with(Some(key), method, path, body, &[]).await
    };
    let reader = service.new_key("acme", &[Scope::WebWidgetsManage]).await;
    let manager = service.new_key("acme", &[Scope::LimitsManage]).await;
    let unknown = service.new_key("others", Scope::ALL).await;
    for path in [of_widget.as_str(), ORGANIZATION] {
        call(&reader, "GET", path).await.json(200);
        call(&reader, "PUT", path)
            .await
            .problem(403, "insufficient_scope");
        call(&manager, "PUT", path).await.json(200);
        call(&manager, "GET", path)
            .await
            .problem(403, "insufficient_scope");
    }
    for method in ["GET", "PUT"] {
        call(&unknown, method, &of_widget)
            .await
            .problem(404, "not_found");
    }
}

/// How many requests are made at a time: so few that none waits for the others until its time is
/// over, however slow the machine is.
const AT_ONCE: usize = 4;

/// Starts that come at the same time on two nodes, each to one of them.
async fn start_all_at_once(visitors: &[Visitor<'_>; 2], count: usize) -> Vec<Started> {
    let starts = (0..count).map(async |number| {
        let answer = visitors[number % 2].try_start_from("10.1.2.3").await;
        answer.json(201).into()
    });
    stream::iter(starts)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}

/// Joins that come at the same time on two nodes, each to one of them.
async fn join_all_at_once(nodes: [&Service; 2], started: &[Started]) {
    let joins = started.iter().enumerate();
    let joins = joins.map(|(number, started)| join(nodes[number % 2], started));
    stream::iter(joins)
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<()>>()
        .await;
}

#[tokio::test]
async fn of_starts_and_joins_at_once_on_two_nodes_exactly_those_of_the_budget_stay() {
    let service = Service::start_with(behind_a_proxy).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let other = service.another_node().await;
    limit(&visitor, json!({"conversations_per_day": 37})).await;
    service
        .put(ORGANIZATION, &json!({"conversations_per_day": 60}))
        .await
        .json(200);
    let visitors = [visitor.on(&service), visitor.on(&other)];
    let started = start_all_at_once(&visitors, 200).await;
    assert_eq!(today(&visitor, "conversations").await, (0, 200));

    // Nobody joins the last ones, which keeps none of the others out.
    let (joined, unjoined) = started.split_at(150);
    join_all_at_once([&service, &other], joined).await;
    assert_eq!(today(&visitor, "conversations").await, (37, 50));
    let mut found = [0, 0];
    for started in joined {
        let body = visitor.read(started).await.json(200);
        match body["status"].as_str() {
            Some("in_progress") => found[0] += 1,
            Some("failed") => found[1] += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(found, [37, 113]);
    let removed = service.storage.count_rooms_to_remove().await;
    assert_eq!(removed.expect("storage works"), 113);
    let of_organization = service.get(ORGANIZATION).await.json(200);
    assert_eq!(
        of_organization["today"]["conversations"],
        json!({"used": 37, "reserved": 50})
    );
    let refused = visitor.try_start_from("10.1.2.3").await;
    assert_limited(&refused, "budget_used_up", r#""widget-day";q=37;w=86400"#);

    // Both nodes find out at once that nobody joined them.
    service.clock.advance(Duration::minutes(8));
    let sweeps = tokio::join!(
        end_due_conversations(&service.state),
        end_due_conversations(&other.state)
    );
    sweeps.0.expect("storage works");
    sweeps.1.expect("storage works");
    let body = visitor.read(&unjoined[0]).await.json(200);
    assert_eq!(body["status"], "failed");
    assert_eq!(today(&visitor, "conversations").await, (37, 0));
    let kept = join_all(joined.iter().map(|started| visitor.end(started))).await;
    assert_eq!(kept.len(), 150);
    assert_eq!(today(&visitor, "conversations").await, (37, 0));
}

#[tokio::test]
async fn starts_that_nobody_joins_close_no_widget() {
    let service = Service::start_with(behind_a_proxy).await;
    let visitor = Visitor::of(&service, json!({})).await;
    limit(
        &visitor,
        json!({"conversations_per_day": 2, "voice_minutes_per_day": 10}),
    )
    .await;
    // Somebody changes the address with every start.
    for number in 0..30 {
        let address = format!("2001:db8:{number:x}::1");
        visitor.try_start_from(&address).await.json(201);
    }
    let mut calls = Vec::new();
    for _ in 0..3 {
        calls.push(start_call(&visitor).await);
    }
    assert_eq!(today(&visitor, "conversations").await, (0, 33));
    assert_eq!(today(&visitor, "voice_seconds").await, (0, 0));
    for call in &calls[..2] {
        join(&service, call).await;
        let body = visitor.read(call).await.json(200);
        assert_eq!(body["status"], "in_progress");
    }
    assert_eq!(today(&visitor, "conversations").await, (2, 31));
    assert_eq!(today(&visitor, "voice_seconds").await, (0, 600));

    // The next one joins too late, and is answered what one is who starts.
    join(&service, &calls[2]).await;
    let body = visitor.read(&calls[2]).await.json(200);
    assert_eq!(body["status"], "failed");
    assert!(is_to_be_removed(&service, &calls[2].room).await);
    assert_eq!(today(&visitor, "conversations").await, (2, 30));
    let tail = format!("/conversations/{}/resume", calls[2].id);
    let refused = visitor.window(&tail, &calls[2].token, json!({})).await;
    assert_limited(&refused, "budget_used_up", r#""widget-day";q=2;w=86400"#);
    // Tomorrow a new one may start.
    service.clock.advance(Duration::hours(15));
    let ended = visitor.window(&tail, &calls[2].token, json!({})).await;
    ended.problem(409, "conversation_ended");
    let conversation = service
        .get(&format!("/core/conversations/{}", calls[2].id))
        .await
        .json(200);
    assert_eq!(conversation["end_reason"], "budget_used_up");
}

/// A widget that has a limit and room below it is not the one whose budget is used up.
#[tokio::test]
async fn who_joins_too_late_gets_the_budget_that_is_used_up() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    limit(&visitor, json!({"conversations_per_day": 5})).await;
    let budget = json!({"conversations_per_day": 1});
    service.put(ORGANIZATION, &budget).await.json(200);
    let [first, second] = [visitor.start().await, visitor.start().await];
    join(&service, &first).await;
    join(&service, &second).await;
    let tail = format!("/conversations/{}/resume", second.id);
    let refused = visitor.window(&tail, &second.token, json!({})).await;
    let policy = r#""organization-day";q=1;w=86400"#;
    assert_limited(&refused, "budget_used_up", policy);
    assert_limited(
        &visitor.try_start(json!({})).await,
        "budget_used_up",
        policy,
    );
}

#[tokio::test]
async fn a_call_that_is_joined_without_minutes_left_continues_in_writing() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    limit(&visitor, json!({"voice_minutes_per_day": 5})).await;
    let [first, second] = [start_call(&visitor).await, start_call(&visitor).await];
    join(&service, &first).await;
    assert_eq!(today(&visitor, "voice_seconds").await, (0, 300));
    join(&service, &second).await;
    assert_eq!(today(&visitor, "voice_seconds").await, (0, 300));
    assert!(is_to_be_removed(&service, &second.room).await);
    let body = visitor.read(&second).await.json(200);
    assert_eq!(body["status"], "in_progress");
    let resume = async |mode: &str| {
        let ticket = visitor.ticket().await;
        let tail = format!("/conversations/{}/resume", second.id);
        let body = json!({"ticket": ticket, "mode": mode});
        visitor.window(&tail, &second.token, body).await
    };
    resume("voice").await.problem(429, "voice_budget_used_up");
    resume("text").await.json(200);
}

#[tokio::test]
async fn a_limit_that_is_set_during_the_day_counts_what_was_used_already() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let joined = visitor.start().await;
    join(&service, &joined).await;
    let waiting = visitor.start().await;
    // Nothing is counted where nothing is limited.
    assert_eq!(today(&visitor, "conversations").await, (0, 0));

    limit(&visitor, json!({"conversations_per_day": 2})).await;
    assert_eq!(today(&visitor, "conversations").await, (1, 0));
    join(&service, &visitor.start().await).await;
    let refused = visitor.try_start(json!({})).await;
    assert_limited(&refused, "budget_used_up", r#""widget-day";q=2;w=86400"#);
    assert_eq!(
        refused.header("retry-after"),
        "52200",
        "from 9:30 to midnight"
    );
    limit(&visitor, json!({"conversations_per_day": 4})).await;
    assert_eq!(today(&visitor, "conversations").await, (2, 0));
    let refused = visitor.start().await;
    visitor.end(&waiting).await.json(200);
    limit(&visitor, json!({"conversations_per_day": 2})).await;
    // Also of one that has started already.
    join(&service, &refused).await;
    assert_eq!(visitor.read(&refused).await.json(200)["status"], "failed");
    visitor
        .try_start(json!({}))
        .await
        .problem(429, "budget_used_up");
    limit(&visitor, json!({})).await;
    visitor.start().await;

    // One that waits at midnight counts for the day on which it began.
    limit(&visitor, json!({"conversations_per_day": 9})).await;
    service.clock.advance(Duration::seconds(52_199));
    let late = visitor.start().await;
    service.clock.advance(Duration::seconds(2));
    join(&service, &late).await;
    assert_eq!(today(&visitor, "conversations").await, (0, 0));
    let found = find_use(&visitor, START).await;
    assert!(found.0.used > 0, "{found:?}");
}

async fn find_use(visitor: &Visitor<'_>, time: OffsetDateTime) -> (DayUse, DayUse) {
    let widget: WidgetId = id(&visitor.widget).parse().expect("an id");
    let storage = &visitor.service.storage;
    let organization = "acme".parse().expect("a valid organization");
    let found = storage
        .find_day_use(BudgetOwner::Widget(&organization, widget), Day::of(time))
        .await
        .expect("storage works");
    (found.conversations, found.voice_seconds)
}

#[tokio::test]
async fn keys_lower_what_may_be_open_and_start_within_a_minute() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    limit(&visitor, json!({"new_per_minute": 2})).await;
    visitor.start().await;
    let started = visitor.start().await;
    let refused = visitor.try_start(json!({})).await;
    assert_limited(
        &refused,
        "rate_limited",
        r#""widget-conversations";q=2;w=60"#,
    );
    join(&service, &started).await;

    limit(&visitor, json!({"open_conversations": 1})).await;
    let refused = visitor.try_start(json!({})).await;
    assert_limited(&refused, "widget_busy", r#""open-conversations";q=1"#);
    limit(&visitor, json!({})).await;
    let limits = json!({"open_conversations": 1, "new_per_minute": 3});
    service.put(ORGANIZATION, &limits).await.json(200);
    let elsewhere = Visitor::of(&service, json!({})).await;
    let refused = elsewhere.try_start(json!({})).await;
    assert_limited(
        &refused,
        "widget_busy",
        r#""organization-open-conversations";q=1"#,
    );
    visitor.end(&started).await.json(200);
    elsewhere.start().await;
    visitor.start().await;
    let refused = elsewhere.try_start(json!({})).await;
    assert_limited(
        &refused,
        "rate_limited",
        r#""organization-conversations";q=3;w=60"#,
    );
}

#[tokio::test]
async fn the_operator_bounds_what_organizations_may_have_open_and_start() {
    let service = Service::start_with(|settings| {
        with_livekit(settings);
        settings.limits.budgets.open_in_organization = Some(2);
        settings.limits.organization_conversations_per_minute = Some(3);
    })
    .await;
    let found = service.get(ORGANIZATION).await.json(200);
    let ceilings = json!({"open_conversations": 2, "new_per_minute": 3});
    assert_eq!(found["ceilings"], ceilings);
    for (name, value) in [("open_conversations", 3), ("new_per_minute", 4)] {
        let refused = service.put(ORGANIZATION, &json!({name: value})).await;
        let pointer = format!("/{name}");
        refused.problem_at(422, "body_invalid", &pointer, "value_out_of_range");
    }
    service.put(ORGANIZATION, &ceilings).await.json(200);
    service.put(ORGANIZATION, &json!({})).await.json(200);
    let (visitor, elsewhere) = (
        Visitor::of(&service, json!({})).await,
        Visitor::of(&service, json!({})).await,
    );
    let first = visitor.start().await;
    join(&service, &first).await;
    join(&service, &elsewhere.start().await).await;
    let refused = visitor.try_start(json!({})).await;
    let policy = r#""organization-open-conversations";q=2"#;
    assert_limited(&refused, "widget_busy", policy);
    visitor.end(&first).await.json(200);
    // The refused one counts as well.
    let refused = elsewhere.try_start(json!({})).await;
    let policy = r#""organization-conversations";q=3;w=60"#;
    assert_limited(&refused, "rate_limited", policy);
}

#[tokio::test]
async fn a_limit_applies_on_other_nodes_within_seconds() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let other = service.another_node().await;
    let there = visitor.on(&other);
    there.start().await;
    limit(&visitor, json!({"conversations_per_day": 0})).await;
    visitor
        .try_start(json!({}))
        .await
        .problem(429, "budget_used_up");
    service.clock.advance(Duration::seconds(5));
    there
        .try_start(json!({}))
        .await
        .problem(429, "budget_used_up");
}

#[tokio::test]
async fn minutes_are_reserved_before_the_visitor_speaks() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    // Nothing limits voice, so nothing is reserved.
    let free = visitor.start().await;
    assert_eq!(ask_for_voice(&visitor, &free).await.json(200), json!({}));
    deliver(&service, &audio("1", "track_published", &free, "TR_1")).await;
    assert!(!is_to_be_removed(&service, &free.room).await);

    // What waits to be joined reserves nothing; two calls that run leave too little for a third.
    limit(&visitor, json!({"voice_minutes_per_day": 12})).await;
    let [first, second] = [start_call(&visitor).await, start_call(&visitor).await];
    let text = visitor.start().await;
    assert_eq!(ask_for_voice(&visitor, &text).await.json(200), json!({}));
    assert_eq!(today(&visitor, "voice_seconds").await, (0, 0));
    let text = visitor.start().await;
    join(&service, &first).await;
    join(&service, &second).await;
    assert_eq!(today(&visitor, "voice_seconds").await, (0, 600));
    let policy = r#""widget-voice-minutes";q=12;w=86400"#;
    let refused = visitor.try_start(json!({"mode": "voice"})).await;
    assert_limited(&refused, "voice_budget_used_up", policy);
    let refused = ask_for_voice(&visitor, &text).await;
    assert_limited(&refused, "voice_budget_used_up", policy);

    // A call that is over gives back what it has not used.
    visitor.end(&first).await.json(200);
    assert_eq!(today(&visitor, "voice_seconds").await, (0, 300));
    join(&service, &text).await;
    let body = ask_for_voice(&visitor, &text).await.json(200);
    assert_eq!(body, json!({"reserved_until": "2026-01-31T09:35:00Z"}));
    assert_eq!(
        ask_for_voice(&visitor, &text).await.json(200),
        body,
        "a repetition"
    );
    assert_eq!(today(&visitor, "voice_seconds").await, (0, 600));
    deliver(&service, &audio("2", "track_published", &text, "TR_2")).await;
    assert!(!is_to_be_removed(&service, &text.room).await);
    visitor.end(&text).await.json(200);
    ask_for_voice(&visitor, &text)
        .await
        .problem(409, "conversation_ended");
}

#[tokio::test]
async fn a_voice_without_reserved_minutes_ends_its_room() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    limit(&visitor, json!({"voice_minutes_per_day": 60})).await;
    let started = visitor.start().await;
    deliver(&service, &event("1", "participant_joined", &started.room)).await;
    let mut video = audio("2", "track_published", &started, "TR_1");
    video["track"]["type"] = json!("VIDEO");
    deliver(&service, &video).await;
    let mut agent = audio("3", "track_published", &started, "TR_2");
    agent["participant"] = json!({"identity": "agent-1", "kind": "AGENT"});
    deliver(&service, &agent).await;
    // Of a track whose end was reported first.
    deliver(&service, &audio("4", "track_unpublished", &started, "TR_3")).await;
    deliver(&service, &audio("5", "track_published", &started, "TR_3")).await;
    assert!(!is_to_be_removed(&service, &started.room).await);
    deliver(&service, &audio("6", "track_published", &started, "TR_4")).await;
    assert!(is_to_be_removed(&service, &started.room).await);
    // The conversation continues in another room, in writing.
    let resumed = visitor.resume(&started).await;
    assert!(!is_to_be_removed(&service, &resumed.room).await);
    deliver(&service, &audio("7", "track_published", &started, "TR_5")).await;
    assert!(!is_to_be_removed(&service, &resumed.room).await);
}

async fn check_calls(service: &Service) {
    check_due_calls(&service.state)
        .await
        .expect("storage works");
}

#[tokio::test]
async fn a_call_is_extended_while_it_runs_and_settled_to_the_second() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    limit(&visitor, json!({"voice_minutes_per_day": 60})).await;
    let started = start_call(&visitor).await;
    service.clock.advance(Duration::seconds(20));
    deliver(&service, &event("1", "participant_joined", &started.room)).await;
    deliver(&service, &audio("2", "track_published", &started, "TR_1")).await;
    service.clock.advance(Duration::seconds(239));
    check_calls(&service).await;
    assert_eq!(today(&visitor, "voice_seconds").await, (0, 300));
    service.clock.advance(Duration::seconds(1));
    check_calls(&service).await;
    check_calls(&service).await;
    assert_eq!(today(&visitor, "voice_seconds").await, (0, 600));

    // The visitor changes the microphone, and then hangs up.
    deliver(&service, &audio("3", "track_unpublished", &started, "TR_1")).await;
    deliver(&service, &audio("4", "track_published", &started, "TR_2")).await;
    service.clock.advance(Duration::milliseconds(61_200));
    check_calls(&service).await;
    assert_eq!(today(&visitor, "voice_seconds").await, (0, 600));
    deliver(&service, &audio("5", "track_unpublished", &started, "TR_2")).await;
    service.clock.advance(Duration::seconds(59));
    check_calls(&service).await;
    assert_eq!(today(&visitor, "voice_seconds").await, (0, 600));
    service.clock.advance(Duration::seconds(1));
    check_calls(&service).await;
    // Four minutes and 61.2 seconds since the visitor joined.
    assert_eq!(today(&visitor, "voice_seconds").await, (302, 0));
    visitor.end(&started).await.json(200);
    assert_eq!(today(&visitor, "voice_seconds").await, (302, 0));
}

/// As LiveKit has sent them, but for the name of the room.
#[tokio::test]
async fn recorded_events_of_livekit_begin_and_settle_a_call() {
    let recorded = include_str!("../../../../../fixtures/livekit/events.jsonl");
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    limit(&visitor, json!({"voice_minutes_per_day": 60})).await;
    let started = start_call(&visitor).await;
    let mut reserved = Vec::new();
    for line in recorded.lines() {
        let mut event: Value = serde_json::from_str(line).expect("JSON");
        event["room"]["name"] = json!(started.room);
        if event["event"] == "track_unpublished" {
            service.clock.advance(Duration::seconds(20));
        }
        deliver(&service, &event).await;
        assert!(!is_to_be_removed(&service, &started.room).await, "{line}");
        reserved.push(today(&visitor, "voice_seconds").await.1);
    }
    assert_eq!(reserved, [0, 300, 300, 300, 300, 300, 300, 300, 300, 300]);
    service.clock.advance(Duration::seconds(60));
    check_calls(&service).await;
    assert_eq!(today(&visitor, "voice_seconds").await, (20, 0));
}

#[tokio::test]
async fn a_call_ends_when_its_minutes_are_used_up_and_continues_in_writing() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    limit(&visitor, json!({"voice_minutes_per_day": 5})).await;
    let started = start_call(&visitor).await;
    deliver(&service, &event("1", "participant_joined", &started.room)).await;
    deliver(&service, &audio("2", "track_published", &started, "TR_1")).await;
    service.clock.advance(Duration::minutes(4));
    check_calls(&service).await;
    assert!(!is_to_be_removed(&service, &started.room).await);
    service.clock.advance(Duration::minutes(1));
    check_calls(&service).await;
    assert!(is_to_be_removed(&service, &started.room).await);
    assert_eq!(today(&visitor, "voice_seconds").await, (300, 0));

    let resume = async |mode: &str| {
        let ticket = visitor.ticket().await;
        let tail = format!("/conversations/{}/resume", started.id);
        let body = json!({"ticket": ticket, "mode": mode});
        visitor.window(&tail, &started.token, body).await
    };
    resume("voice").await.problem(429, "voice_budget_used_up");
    resume("text").await.json(200);
}

#[tokio::test]
async fn a_call_moves_to_another_room_and_ends_with_a_resume_in_writing() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    limit(&visitor, json!({"voice_minutes_per_day": 60})).await;
    let started = start_call(&visitor).await;
    deliver(&service, &event("1", "participant_joined", &started.room)).await;
    service.clock.advance(Duration::seconds(30));
    let resumed = visitor.resume(&started).await;
    assert_eq!(today(&visitor, "voice_seconds").await, (0, 300));
    deliver(&service, &event("2", "participant_joined", &resumed.room)).await;
    deliver(&service, &audio("3", "track_published", &resumed, "TR_2")).await;
    assert!(!is_to_be_removed(&service, &resumed.room).await);
    service.clock.advance(Duration::seconds(90));
    check_calls(&service).await;
    assert_eq!(today(&visitor, "voice_seconds").await, (0, 300));
    let ticket = visitor.ticket().await;
    let tail = format!("/conversations/{}/resume", resumed.id);
    let body = json!({"ticket": ticket, "mode": "text"});
    visitor.window(&tail, &resumed.token, body).await.json(200);
    assert_eq!(today(&visitor, "voice_seconds").await, (120, 0));
}

#[tokio::test]
async fn minutes_belong_to_the_day_on_which_they_were_reserved() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    limit(&visitor, json!({"voice_minutes_per_day": 60})).await;
    let tomorrow = datetime!(2026-02-01 00:00 UTC);
    service
        .clock
        .advance(tomorrow - Duration::minutes(2) - START);
    let started = start_call(&visitor).await;
    join(&service, &started).await;
    service.clock.advance(Duration::minutes(4));
    check_calls(&service).await;
    let reserved = |reserved| DayUse { used: 0, reserved };
    assert_eq!(find_use(&visitor, START).await.1, reserved(300));
    assert_eq!(find_use(&visitor, tomorrow).await.1, reserved(300));
    service.clock.advance(Duration::minutes(2));
    visitor.end(&started).await.json(200);
    let used = |used| DayUse { used, reserved: 0 };
    assert_eq!(find_use(&visitor, START).await.1, used(300));
    assert_eq!(find_use(&visitor, tomorrow).await.1, used(60));
}

#[tokio::test]
async fn calls_that_are_extended_and_ended_at_once_leak_nothing() {
    let service = Service::start_with(behind_a_proxy).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let other = service.another_node().await;
    let there = visitor.on(&other);
    limit(&visitor, json!({"voice_minutes_per_day": 45})).await;
    service
        .put(ORGANIZATION, &json!({"voice_minutes_per_day": 100}))
        .await
        .json(200);
    let starts = (0..12).map(async |number| {
        let visitor = if number % 2 == 0 { &visitor } else { &there };
        start_call(visitor).await
    });
    let mut started = join_all(starts).await;
    join_all_at_once([&service, &other], &started).await;
    assert_eq!(today(&visitor, "voice_seconds").await, (0, 9 * 300));
    // The others have no minutes, and continue in writing.
    let mut has_minutes = Vec::new();
    for started in &started {
        has_minutes.push(!is_to_be_removed(&service, &started.room).await);
    }
    let mut kept = has_minutes.into_iter();
    started.retain(|_| kept.next().unwrap_or(false));
    assert_eq!(started.len(), 9);
    // Three end; of the others, three can be extended, which two nodes try at once.
    service.clock.advance(Duration::minutes(4));
    let ends = join_all(started[..3].iter().map(|started| there.end(started)));
    let ((), (), ended) = tokio::join!(check_calls(&service), check_calls(&other), ends);
    for answer in ended {
        answer.json(200);
    }
    check_calls(&service).await;
    let (used, reserved) = today(&visitor, "voice_seconds").await;
    assert_eq!(used, 3 * 240);
    assert!(
        reserved >= 6 * 300 && used + reserved <= 45 * 60,
        "{reserved}"
    );
    let ends = started[3..].iter().map(|started| visitor.end(started));
    for answer in join_all(ends).await {
        answer.json(200);
    }
    assert_eq!(today(&visitor, "voice_seconds").await, (9 * 240, 0));
    let body = service.get(ORGANIZATION).await.json(200);
    assert_eq!(
        body["today"]["voice_seconds"],
        json!({"used": 9 * 240, "reserved": 0})
    );
}
