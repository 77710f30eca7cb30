//! Starting, reading and ending a conversation.

use serde_json::{Value, json};
use time::Duration;

use super::background::joined;
use super::support::{OWN, SHOP, Visitor, with_livekit};
use crate::support::{Service, id};

#[tokio::test]
async fn a_conversation_is_started_read_and_ended() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    assert_eq!(started.body["expires_at"], "2026-02-01T09:30:00Z");
    let expected = json!({
        "id": started.id, "status": "token_created", "is_open": true, "mode": "text", "created_at": "2026-01-31T09:30:00Z",
        "messages": [],
    });
    assert_eq!(started.body["conversation"], expected);
    assert_eq!(visitor.read(&started).await.json(200), expected);
    assert_eq!(
        visitor.read(&started).await.header("cache-control"),
        "no-store"
    );
    let kept = service
        .get(&format!("/core/conversations/{}", started.id))
        .await
        .json(200);
    assert_eq!(
        (
            &kept["web_widget_id"],
            &kept["agent_version_id"],
            &kept["custom_metadata"]
        ),
        (
            &visitor.widget["id"],
            &visitor.widget["agent_version_id"],
            &json!({})
        )
    );

    for _ in 0..2 {
        let ended = visitor.end(&started).await.json(200);
        assert_eq!(ended, json!({"id": started.id, "status": "completed"}));
    }
    assert_eq!(
        visitor.read(&started).await.json(200)["status"],
        "completed"
    );
    let kept = service
        .get(&format!("/core/conversations/{}", started.id))
        .await
        .json(200);
    assert_eq!(kept["end_reason"], "visitor");
    visitor
        .try_resume(&started)
        .await
        .problem(409, "conversation_ended");
}

#[tokio::test]
async fn without_livekit_everything_else_works() {
    let service = Service::start().await;
    let visitor = Visitor::of(&service, json!({})).await;
    visitor
        .try_start(json!({}))
        .await
        .problem(503, "livekit_not_configured");
}

#[tokio::test]
async fn only_the_window_speaks_for_a_conversation() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let authorization = format!("Bearer {}", started.token);
    for tail in [
        "/end",
        "/resume",
        "/messages",
        "/feedback",
        "/forms/contact",
        "",
    ] {
        let path = visitor.path(&format!("/conversations/{}{tail}", started.id));
        let (method, body) = if tail.is_empty() {
            ("GET", None)
        } else {
            ("POST", Some("{}"))
        };
        let ask = async |headers: &[(&str, &str)]| {
            let headers = [&[("authorization", authorization.as_str())], headers].concat();
            service.call_with(None, method, &path, body, &headers).await
        };
        ask(&[("origin", SHOP)])
            .await
            .problem(403, "origin_not_own");
        ask(&[("origin", "null")])
            .await
            .problem(403, "origin_opaque");
        ask(&[("origin", OWN), ("origin", OWN)])
            .await
            .problem(400, "origin_malformed");
        if !tail.is_empty() {
            ask(&[]).await.problem(403, "origin_required");
            ask(&[("origin", OWN), ("content-type", "text/plain")])
                .await
                .problem(415, "content_type");
        }
        // The token of another conversation, no token, and the path of another widget are refused.
        let other = visitor.start().await;
        let body = match tail {
            "/messages" => Some(r#"{"messages":[]}"#),
            "/feedback" | "/forms/contact" => Some(r#"{"data":{}}"#),
            _ => body,
        };
        let bearer = format!("Bearer {}", other.token);
        let own = [("origin", OWN), ("authorization", bearer.as_str())];
        service
            .call_with(None, method, &path, body, &own)
            .await
            .problem(401, "conversation_token_invalid");
        service
            .call_with(None, method, &path, body, &[("origin", OWN)])
            .await
            .problem(401, "conversation_token_required");
        let elsewhere = path.replace(&id(&visitor.widget), "0197a3c0-0000-7000-8000-00000000ffff");
        let own = [("origin", OWN), ("authorization", authorization.as_str())];
        service
            .call_with(None, method, &elsewhere, body, &own)
            .await
            .problem(401, "conversation_token_invalid");
    }
}

#[tokio::test]
async fn the_current_suffix_list_decides() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let ticket = visitor.ticket().await;
    let path = format!("/core/web-widgets/{}", id(&visitor.widget));
    service
        .put(&path, &json!({"domains": ["https://other.example"]}))
        .await
        .json(200);
    visitor
        .window("/conversations", &ticket, json!({}))
        .await
        .problem(403, "widget_unavailable");
}

fn with_form() -> Value {
    json!({"v1": {"pre_conversation_form": {"id": "contact", "name": "Contact", "fields": [
        {"id": "email", "type": "email", "label": "E-mail", "required": true},
        {"id": "topic", "type": "text", "label": "Topic"},
    ]}}})
}

#[tokio::test]
async fn the_form_before_is_checked_and_kept() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, with_form()).await;
    visitor.try_start(json!({})).await.problem_at(
        422,
        "form_invalid",
        "/form/email",
        "value_missing",
    );
    let wrong = json!({"form": {"email": "nobody", "color": "red"}});
    let answer = visitor.try_start(wrong).await;
    answer.problem_at(422, "form_invalid", "/form/email", "email_invalid");
    answer.problem_at(422, "form_invalid", "/form/color", "key_unknown");

    let body = json!({"form": {"email": "a@b.example"}, "custom_metadata": {"url": "https://shop.example/cart"}});
    let started = visitor.try_start(body).await.json(201);
    let path = format!("/core/conversations/{}", id(&started["conversation"]));
    assert_eq!(
        service.get(&path).await.json(200)["custom_metadata"],
        json!({"email": "a@b.example", "page": {"url": "https://shop.example/cart"}})
    );
}

#[tokio::test]
async fn what_the_page_sends_is_bounded() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let long = json!({"custom_metadata": {"text": "x".repeat(4096)}});
    visitor.try_start(long).await.problem_at(
        422,
        "custom_metadata_too_large",
        "/custom_metadata",
        "too_long",
    );
    let fits = json!({"custom_metadata": {"text": "x".repeat(4096 - r#"{"text":""}"#.len())}});
    visitor.try_start(fits).await.json(201);
    visitor
        .try_start(json!({"form": {}}))
        .await
        .problem(422, "form_not_expected");
    visitor
        .try_start(json!({"agent_id": "mine"}))
        .await
        .problem_at(422, "body_invalid", "/agent_id", "key_unknown");
    visitor
        .try_start(json!({"custom_metadata": []}))
        .await
        .problem(422, "body_invalid");
    let huge = json!({"form": {"text": "x".repeat(64 * 1024)}});
    visitor.try_start(huge).await.problem(413, "body_too_large");
}

#[tokio::test]
async fn only_a_mode_that_is_offered_can_be_chosen() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({"v1": {"modes": {"text": false}}})).await;
    assert_eq!(visitor.start().await.body["conversation"]["mode"], "voice");
    visitor.try_start(json!({"mode": "text"})).await.problem_at(
        422,
        "mode_disabled",
        "/mode",
        "mode_disabled",
    );
    visitor
        .try_start(json!({"mode": "video"}))
        .await
        .problem_at(422, "body_invalid", "/mode", "value_invalid");
}

#[tokio::test]
async fn an_end_by_the_longest_time_is_reported_before_it_is_stored() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    joined(&service, &started).await;
    assert_eq!(visitor.read(&started).await.json(200)["is_open"], true);
    service.clock.advance(Duration::hours(1));
    let read = visitor.read(&started).await.json(200);
    assert_eq!(
        (&read["status"], &read["is_open"]),
        (&json!("completed"), &json!(false))
    );
    visitor
        .try_resume(&started)
        .await
        .problem(409, "conversation_ended");
}
