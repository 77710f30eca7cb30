//! What is counted of budgets and of erasing.

use serde_json::json;
use time::Duration;
use widget_http::background;

use super::{
    super::{
        erasure::{path, run_jobs},
        events::follow,
    },
    check, scrape, transition,
};
use crate::{
    support::{Service, id},
    visitor::{
        limits::join,
        support::{Visitor, with_livekit},
    },
};

#[tokio::test]
async fn refusals_by_budgets_are_counted_by_code_and_by_budget() {
    let service = Service::start_with(|settings| {
        with_livekit(settings);
        settings.limits.budgets.widget_day.conversations = Some(1);
        settings.limits.budgets.organization_day.voice_minutes = Some(0);
    })
    .await;
    let visitor = Visitor::of(&service, json!({})).await;
    let voice = visitor.try_start(json!({"mode": "voice"})).await;
    voice.problem(429, "voice_budget_used_up");
    join(&service, &visitor.start().await).await;
    for _ in 0..2 {
        let refused = visitor.try_start(json!({})).await;
        refused.problem(429, "budget_used_up");
    }
    let requests = |code: &str| {
        let route = r#"route="/core/public/web-widgets/{id}/conversations",method="POST""#;
        format!(r#"widget_requests_total{{{route},status="429",code="{code}"}}"#)
    };
    check(
        &scrape(&service).await,
        &[
            (&requests("budget_used_up"), 2),
            (&requests("voice_budget_used_up"), 1),
            (r#"widget_limit_refusals_total{limit="widget-day"}"#, 2),
            (
                r#"widget_limit_refusals_total{limit="organization-voice-minutes"}"#,
                1,
            ),
        ],
    );
}

#[tokio::test]
async fn event_streams_and_their_events_are_counted() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let counted = |open, sent| {
        [
            ("widget_event_streams_open", open),
            ("widget_events_sent_total", sent),
        ]
    };
    check(&scrape(&service).await, &counted(0, 0));
    let mut events = follow(&service, &started.id, None).await;
    assert_eq!(events.names(1).await, ["created"]);
    check(&scrape(&service).await, &counted(1, 1));
    visitor.end(&started).await.json(200);
    assert_eq!(events.rest().await.len(), 1);
    check(&scrape(&service).await, &counted(0, 2));
}

#[tokio::test]
async fn erased_conversations_are_counted_by_cause_and_open_ones_as_ended() {
    let service = Service::start_with(|settings| {
        with_livekit(settings);
        settings.transcript_retention = Some(Duration::days(90));
    })
    .await;
    let ended = r#"widget_conversations_ended_total{status="completed",reason="agent"}"#;
    let by = |cause: &str| format!(r#"widget_conversations_erased_total{{cause="{cause}"}}"#);
    let visitor = Visitor::of(&service, json!({})).await;
    let now = service.state.now();
    let mut joined = Vec::new();
    for _ in 0..3 {
        let started = visitor.start().await;
        transition(&service, &started, |lifecycle| lifecycle.joined(now)).await;
        joined.push(started);
    }
    for _ in 0..2 {
        service.delete(&path(&joined[0])).await.expect(204);
    }
    check(
        &scrape(&service).await,
        &[(&by("request"), 1), (&by("job"), 0), (ended, 1)],
    );
    let filter = json!({"web_widget_id": id(&visitor.widget)});
    let body = json!({"filter": filter, "dry_run": false});
    let job = service.post("/core/conversations/erase", &body).await;
    job.json(202);
    let jobs = |count| [("widget_erasure_jobs_open", count)];
    check(&scrape(&service).await, &jobs(1));
    run_jobs(&service).await;
    let text = scrape(&service).await;
    check(&text, &jobs(0));
    assert!(text.contains("\nwidget_erasure_jobs_open 0\n"), "{text}");
    check(&text, &[(&by("request"), 1), (&by("job"), 2), (ended, 3)]);

    let old = visitor.start().await;
    visitor.end(&old).await.json(200);
    service.clock.advance(Duration::days(91));
    for _ in 0..2 {
        let swept = background::erase_expired(&service.state).await;
        swept.expect("storage works");
    }
    check(
        &scrape(&service).await,
        &[
            (&by("request"), 1),
            (&by("job"), 2),
            (&by("retention"), 1),
            (ended, 3),
        ],
    );
}
