//! Bounds of the public endpoints, each of which a setting changes.

use serde_json::{Value, json};
use time::Duration;
use widget_http::{background, settings::Settings};

use super::background::{pair, sweep};
use super::support::{SHOP, Started, Visitor, with_livekit};
use crate::support::{Answer, Service};

#[track_caller]
pub(super) fn assert_limited(answer: &Answer, code: &str, policy: &str) {
    answer.problem(429, code);
    assert_eq!(answer.header("ratelimit-policy"), policy);
    assert!(answer.header("ratelimit").contains("r=0"));
    assert!(
        answer
            .header("retry-after")
            .parse::<u64>()
            .is_ok_and(|seconds| seconds > 0)
    );
}

#[tokio::test]
async fn loaders_are_limited_by_address_and_can_read_the_refusal() {
    let service = Service::start_with(|settings| {
        settings.limits.configs_per_minute = 1;
        settings.limits.tickets_per_minute = 1;
        settings.trusted_proxies = "::".parse().expect("a list of proxies");
    })
    .await;
    let visitor = Visitor::of(&service, json!({})).await;
    for (method, tail, body, policy) in [
        ("GET", "", None, r#""launcher-configs";q=1;w=60"#),
        (
            "POST",
            "/embed-tickets",
            Some("{}"),
            r#""tickets";q=1;w=60"#,
        ),
    ] {
        let ask = async |address: &str| {
            let headers = [("origin", SHOP), ("x-forwarded-for", address)];
            service
                .call_with(None, method, &visitor.path(tail), body, &headers)
                .await
        };
        assert!(ask("2001:db8::1").await.status.is_success());
        let answer = ask("2001:db8::2").await;
        assert_limited(&answer, "rate_limited", policy);
        assert_eq!(answer.header("access-control-allow-origin"), SHOP);
        assert!(
            answer
                .header("access-control-expose-headers")
                .contains("retry-after")
        );
        assert!(ask("2001:db8:0:1::1").await.status.is_success());
    }
}

#[tokio::test]
async fn windows_are_limited_by_address() {
    let service = Service::start_with(|settings| settings.limits.documents_per_minute = 1).await;
    let path = "/public/widget/0197a3c0-0000-7000-8000-00000000ffff?o=https%3A%2F%2Fshop.example";
    let ask = async || service.call_with(None, "GET", path, None, &[]).await;
    ask().await.expect(403);
    assert_limited(
        &ask().await,
        "rate_limited",
        r#""window-documents";q=1;w=60"#,
    );
}

#[tokio::test]
async fn conversations_are_limited_by_address_and_widget() {
    let by_address = Service::start_with(|settings| {
        with_livekit(settings);
        settings.limits.conversations_per_minute = 1;
    })
    .await;
    let visitor = Visitor::of(&by_address, json!({})).await;
    visitor.start().await;
    assert_limited(
        &visitor.try_start(json!({})).await,
        "rate_limited",
        r#""conversations";q=1;w=60"#,
    );

    let by_widget = Service::start_with(|settings| {
        with_livekit(settings);
        settings.limits.widget_conversations_per_minute = 1;
    })
    .await;
    let visitor = Visitor::of(&by_widget, json!({})).await;
    visitor.start().await;
    assert_limited(
        &visitor.try_start(json!({})).await,
        "rate_limited",
        r#""widget-conversations";q=1;w=60"#,
    );
    Visitor::of(&by_widget, json!({})).await.start().await;
}

#[tokio::test]
async fn resumes_are_limited_by_conversation_alone() {
    let service = Service::start_with(|settings| {
        with_livekit(settings);
        settings.limits.conversations_per_minute = 2;
        settings.limits.tickets_per_minute = 1000;
    })
    .await;
    let visitor = Visitor::of(&service, json!({})).await;
    let (mut first, second) = (visitor.start().await, visitor.start().await);
    // A visitor who goes from page to page.
    for _ in 0..30 {
        first = visitor.resume(&first).await;
    }
    assert_limited(
        &visitor.try_resume(&first).await,
        "rate_limited",
        r#""resumes";q=30;w=60"#,
    );
    visitor.resume(&second).await;
}

/// A service behind a proxy that names its visitors, and whose rates never end.
pub(super) fn behind_a_proxy(settings: &mut Settings) {
    with_livekit(settings);
    settings.trusted_proxies = "::".parse().expect("a list of proxies");
    settings.limits.tickets_per_minute = 1000;
    settings.limits.conversations_per_minute = 1000;
    settings.limits.widget_conversations_per_minute = 1000;
}

/// The visitor joins, or so LiveKit says.
pub(crate) async fn join(service: &Service, started: &Started) {
    let (id, now) = (started.id.parse().expect("an id"), service.state.now());
    let limits = &service.state.lifecycle_limits;
    let joined = service
        .storage
        .transition_conversation(id, now, limits, &|lifecycle| lifecycle.joined(now))
        .await;
    assert!(joined.expect("storage works").is_some());
}

#[tokio::test]
async fn starts_that_nobody_joins_keep_no_other_visitor_out() {
    let service = Service::start_with(behind_a_proxy).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let mut last = None;
    for address in 1..=26 {
        let address = format!("198.51.100.{address}");
        for _ in 0..20 {
            last = Some(visitor.try_start_from(&address).await.json(201));
        }
    }
    visitor.try_start_from("198.51.100.27").await.json(201);

    // Only who left so many waiting has to wait, and not for long.
    service.clock.advance(Duration::seconds(10));
    let refused = visitor.try_start_from("198.51.100.26").await;
    assert_limited(&refused, "rate_limited", r#""unjoined-of-address";q=20"#);
    assert_eq!(refused.header("retry-after"), "170");
    join(&service, &Started::from(last.expect("the last of many"))).await;
    visitor.try_start_from("198.51.100.26").await.json(201);
    let refused = visitor.try_start_from("198.51.100.26").await;
    assert_limited(&refused, "rate_limited", r#""unjoined-of-address";q=20"#);

    service.clock.advance(Duration::seconds(170));
    visitor.try_start_from("198.51.100.26").await.json(201);
    // LiveKit, which does not answer, is asked about the others for five minutes.
    service.clock.advance(Duration::minutes(5));
    let swept = background::end_due_conversations(&service.state).await;
    swept.expect("storage works");
    let path = "/core/conversations?limit=200&status=token_created";
    let waiting = service.get(path).await.json(200);
    let waiting = waiting.as_array().expect("a list");
    let is_open = |conversation: &&Value| conversation["is_open"] == true;
    // Those of the last ten seconds before.
    assert_eq!(waiting.iter().filter(is_open).count(), 2);
}

#[tokio::test]
async fn a_network_has_a_bound_of_its_own_and_who_has_no_address_has_none() {
    let service = Service::start_with(behind_a_proxy).await;
    let visitor = Visitor::of(&service, json!({})).await;
    for subnet in 1..=3 {
        for host in 1..=20 {
            let address = format!("2001:db8:1:{subnet}::{host}");
            visitor.try_start_from(&address).await.json(201);
        }
        let address = format!("2001:db8:1:{subnet}::ffff");
        let refused = visitor.try_start_from(&address).await;
        assert_limited(&refused, "rate_limited", r#""unjoined-of-address";q=20"#);
    }
    let refused = visitor.try_start_from("2001:db8:1:4::1").await;
    assert_limited(&refused, "rate_limited", r#""unjoined-of-network";q=60"#);
    visitor.try_start_from("2001:db8:2:4::1").await.json(201);
    // Behind these there may be any number of visitors.
    for address in ["127.0.0.1", "10.1.2.3", "fd00::1", "::"] {
        for _ in 0..=20 {
            visitor.try_start_from(address).await.json(201);
        }
    }
}

#[tokio::test]
async fn a_resume_of_what_nobody_joined_counts_where_it_is_resumed() {
    let service = Service::start_with(|settings| {
        behind_a_proxy(settings);
        settings.limits.budgets.unjoined_per_address = 1;
    })
    .await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.try_start_from("198.51.100.1").await;
    let started = Started::from(started.json(201));
    let refused = visitor.try_start_from("198.51.100.1").await;
    assert_limited(&refused, "rate_limited", r#""unjoined-of-address";q=1"#);
    service.clock.advance(Duration::minutes(2));
    // The proxy itself asks, so that it counts nowhere.
    let resumed = visitor.resume(&started).await;
    visitor.try_start_from("198.51.100.1").await.json(201);
    // LiveKit is asked for five minutes, in case somebody has joined after all.
    service.clock.advance(Duration::minutes(2 + 5));
    assert_eq!(sweep(&service, &resumed).await, pair("token_created", ""));
    service.clock.advance(Duration::minutes(1));
    let ended = pair("failed", "never_joined");
    assert_eq!(sweep(&service, &resumed).await, ended);
}

#[tokio::test]
async fn a_widget_has_a_maximum_of_open_conversations() {
    let service = Service::start_with(|settings| {
        with_livekit(settings);
        settings.limits.budgets.open_on_widget = 1;
    })
    .await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    visitor.start().await;
    join(&service, &started).await;
    assert_limited(
        &visitor.try_start(json!({})).await,
        "widget_busy",
        r#""open-conversations";q=1"#,
    );
    visitor.end(&started).await.json(200);
    visitor.start().await;
}

#[tokio::test]
async fn an_organization_has_a_maximum_of_conversations_per_day() {
    let service = Service::start_with(|settings| {
        with_livekit(settings);
        settings.limits.budgets.organization_day.conversations = Some(1);
    })
    .await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    join(&service, &started).await;
    visitor.end(&started).await.json(200);
    let elsewhere = Visitor::of(&service, json!({})).await;
    let answer = elsewhere.try_start(json!({})).await;
    assert_limited(
        &answer,
        "budget_used_up",
        r#""organization-day";q=1;w=86400"#,
    );
    assert_eq!(
        answer.header("retry-after"),
        "52200",
        "from 9:30 to midnight"
    );
    service.clock.advance(Duration::seconds(52200));
    elsewhere.start().await;
}
