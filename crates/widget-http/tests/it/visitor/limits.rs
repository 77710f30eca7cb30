//! Bounds of the public endpoints, each of which a setting changes.

use serde_json::json;
use time::Duration;

use super::support::{SHOP, Visitor, with_livekit};
use crate::support::{Answer, Service};

#[track_caller]
fn assert_limited(answer: &Answer, code: &str, policy: &str) {
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

#[tokio::test]
async fn a_widget_has_a_maximum_of_open_conversations() {
    let service = Service::start_with(|settings| {
        with_livekit(settings);
        settings.limits.budgets.open_on_widget = 1;
    })
    .await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
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
        settings.limits.budgets.per_day = Some(1);
    })
    .await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
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
