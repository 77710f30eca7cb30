//! Keys: who gets in, who sees what.

use time::Duration;
use widget_http::web::auth::Scope;

use crate::support::{START, Service, id};

#[tokio::test]
async fn a_request_without_a_valid_key_is_refused() {
    let service = Service::start().await;
    let key = service.new_key("acme", &[Scope::WebWidgetsRead]).await;
    let (name, secret) = key.split_once('.').expect("a key has two parts");
    let cases = [
        (None, "api_key_required"),
        (Some(String::new()), "api_key_invalid"),
        (Some("ak_".to_owned()), "api_key_invalid"),
        (Some("ak_nobody.AAAA".to_owned()), "api_key_invalid"),
        (Some(format!("{name}.x{}", &secret[1..])), "api_key_invalid"),
        (Some(format!("{name}.")), "api_key_invalid"),
        (Some(format!("{name}.{secret}x")), "api_key_invalid"),
        (Some(secret.to_owned()), "api_key_invalid"),
    ];
    for (key, code) in cases {
        let answer = service
            .call_with(key.as_deref(), "GET", "/core/web-widgets", None, &[])
            .await;
        answer.problem(401, code);
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{key:?}");
    }
    for value in ["Basic YTpi", "Bearer", "bearer"] {
        let answer = service
            .call_with(
                None,
                "GET",
                "/core/web-widgets",
                None,
                &[("authorization", value)],
            )
            .await;
        answer.problem(401, "api_key_required");
    }
    service
        .call_with(Some(&key), "GET", "/core/web-widgets", None, &[])
        .await
        .expect(200);
}

#[tokio::test]
async fn a_key_ends_when_it_expires_or_is_revoked() {
    let service = Service::start().await;
    let until = START + Duration::minutes(1);
    let key = service
        .new_key_until("acme", &[Scope::WebWidgetsRead], Some(until))
        .await;
    service
        .call_with(Some(&key), "GET", "/core/web-widgets", None, &[])
        .await
        .expect(200);
    service.clock.advance(Duration::minutes(1));
    service
        .call_with(Some(&key), "GET", "/core/web-widgets", None, &[])
        .await
        .problem(401, "api_key_invalid");

    let key = service.new_key("acme", &[Scope::WebWidgetsRead]).await;
    service
        .call_with(Some(&key), "GET", "/core/web-widgets", None, &[])
        .await
        .expect(200);
    let name = key
        .strip_prefix("ak_")
        .and_then(|key| key.split_once('.'))
        .expect("a key has two parts")
        .0;
    assert!(
        service
            .storage
            .revoke_api_key(name, until)
            .await
            .expect("storage works")
    );
    service
        .call_with(Some(&key), "GET", "/core/web-widgets", None, &[])
        .await
        .problem(401, "api_key_invalid");
}

/// Every management route with the one scope that it needs.
const ROUTES: &[(&str, &str, Scope)] = &[
    ("GET", "/core/web-widgets", Scope::WebWidgetsRead),
    ("POST", "/core/web-widgets", Scope::WebWidgetsManage),
    ("GET", "/core/web-widgets/{id}", Scope::WebWidgetsRead),
    ("PUT", "/core/web-widgets/{id}", Scope::WebWidgetsManage),
    ("DELETE", "/core/web-widgets/{id}", Scope::WebWidgetsManage),
    (
        "GET",
        "/core/web-widgets/{id}/go-live",
        Scope::WebWidgetsRead,
    ),
    (
        "GET",
        "/core/web-widgets/{id}/explain?origin=https://shop.example",
        Scope::WebWidgetsRead,
    ),
    (
        "GET",
        "/core/web-widgets/{id}/snippet",
        Scope::WebWidgetsRead,
    ),
    (
        "POST",
        "/core/web-widgets/{id}/auto-brand",
        Scope::WebWidgetsManage,
    ),
    (
        "GET",
        "/core/web-widgets/{id}/revisions",
        Scope::WebWidgetsRead,
    ),
    (
        "POST",
        "/core/web-widgets/{id}/revisions/1/restore",
        Scope::WebWidgetsManage,
    ),
    ("GET", "/core/agents", Scope::AgentsRead),
    ("POST", "/core/agents", Scope::AgentsManage),
    ("GET", "/core/agents/{id}", Scope::AgentsRead),
    ("DELETE", "/core/agents/{id}", Scope::AgentsManage),
    ("GET", "/core/agents/{id}/versions", Scope::AgentsRead),
    ("POST", "/core/agents/{id}/versions", Scope::AgentsManage),
    (
        "POST",
        "/core/agents/{id}/versions/{id}/publish",
        Scope::AgentsManage,
    ),
    ("GET", "/core/conversations", Scope::ConversationsRead),
    ("GET", "/core/conversations/{id}", Scope::ConversationsRead),
    (
        "GET",
        "/core/conversations/{id}/messages",
        Scope::ConversationsReadSensitive,
    ),
    (
        "POST",
        "/core/conversations/{id}/messages",
        Scope::ConversationsWrite,
    ),
    (
        "POST",
        "/core/conversations/{id}/end",
        Scope::ConversationsWrite,
    ),
];

#[tokio::test]
async fn every_route_needs_its_scope() {
    let service = Service::start().await;
    for (method, path, needed) in ROUTES {
        let path = path.replace("{id}", "0197a3c0-0000-7000-8000-000000000000");
        let body = match (*method, path.as_str()) {
            ("POST", "/core/web-widgets") => Some(
                r#"{"agent_id":"0197a3c0-0000-7000-8000-000000000000","agent_version_id":"0197a3c0-0000-7000-8000-000000000000"}"#,
            ),
            ("POST", path) if path.ends_with("/versions") => Some(r#"{"livekit_agent_name":"x"}"#),
            ("POST", path) if path.ends_with("/messages") => Some(r#"{"messages":[]}"#),
            ("POST", path) if path.ends_with("/auto-brand") => Some(r#"{"domain":"shop.example"}"#),
            ("POST", "/core/agents") => Some(r#"{"name":"x"}"#),
            ("PUT", _) => Some("{}"),
            _ => None,
        };
        for held in Scope::ALL {
            let key = service.new_key("acme", &[held]).await;
            let answer = service
                .call_with(Some(&key), method, &path, body, &[])
                .await;
            if held.allows(*needed) {
                assert_ne!(
                    answer.status, 403,
                    "{held} on {method} {path}: {}",
                    answer.text
                );
                assert_ne!(
                    answer.status, 401,
                    "{held} on {method} {path}: {}",
                    answer.text
                );
                assert!(
                    answer.status.as_u16() < 500,
                    "{held} on {method} {path}: {}",
                    answer.text
                );
            } else {
                answer.problem(403, "insufficient_scope");
                assert!(answer.header("www-authenticate").contains(needed.as_str()));
            }
        }
    }
}

#[tokio::test]
async fn another_organization_sees_nothing() {
    let service = Service::start().await;
    let widget = service.widget(serde_json::json!({})).await;
    let widget_id = id(&widget);
    let agent = widget["agent_id"].as_str().expect("a string").to_owned();
    let stranger = service.new_key("other", &Scope::ALL).await;
    for (method, path, body) in [
        ("GET", format!("/core/web-widgets/{widget_id}"), None),
        (
            "PUT",
            format!("/core/web-widgets/{widget_id}"),
            Some(r#"{"published":false}"#),
        ),
        ("DELETE", format!("/core/web-widgets/{widget_id}"), None),
        (
            "GET",
            format!("/core/web-widgets/{widget_id}/go-live"),
            None,
        ),
        (
            "GET",
            format!("/core/web-widgets/{widget_id}/explain?origin=shop.example"),
            None,
        ),
        (
            "GET",
            format!("/core/web-widgets/{widget_id}/snippet"),
            None,
        ),
        ("GET", format!("/core/agents/{agent}"), None),
        ("DELETE", format!("/core/agents/{agent}"), None),
        ("GET", format!("/core/agents/{agent}/versions"), None),
        (
            "POST",
            format!("/core/agents/{agent}/versions"),
            Some(r#"{"livekit_agent_name":"x"}"#),
        ),
    ] {
        service
            .call_with(Some(&stranger), method, &path, body, &[])
            .await
            .problem(404, "not_found");
    }
    let mut body = widget.clone();
    for key in ["id", "organization_id", "created_at", "updated_at"] {
        body.as_object_mut().expect("an object").remove(key);
    }
    let answer = service
        .call_with(
            Some(&stranger),
            "POST",
            "/core/web-widgets",
            Some(&body.to_string()),
            &[],
        )
        .await;
    answer.problem_at(422, "agent_not_found", "/agent_id", "agent_not_found");
    answer.problem_at(
        422,
        "agent_not_found",
        "/agent_version_id",
        "agent_version_not_found",
    );
    for list in ["/core/web-widgets", "/core/agents", "/core/conversations"] {
        let answer = service
            .call_with(Some(&stranger), "GET", list, None, &[])
            .await;
        assert_eq!(answer.json(200), serde_json::json!([]), "{list}");
    }
    assert_eq!(
        service
            .get(&format!("/core/web-widgets/{widget_id}"))
            .await
            .json(200),
        widget
    );
}
