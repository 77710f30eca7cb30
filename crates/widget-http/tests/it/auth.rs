//! API keys: which requests they allow, and what they show.

use serde_json::json;
use time::Duration;
use widget_api::Scope;
use widget_http::web::api::{Credential, Method, Operation};

use crate::{
    support::{START, Service, id},
    visitor::support::{OWN, Visitor, with_livekit},
};

/// An id that names nothing.
const NOBODY: &str = "0197a3c0-0000-7000-8000-000000000000";

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
    let revoked = service.storage.revoke_api_key(name, until).await;
    assert_eq!(revoked.expect("storage works"), Some(0));
    service
        .call_with(Some(&key), "GET", "/core/web-widgets", None, &[])
        .await
        .problem(401, "api_key_invalid");
}

/// The path of an operation with every parameter filled in.
fn path(operation: &Operation, widget: &str, conversation: &str) -> String {
    let id = if operation.path.contains("/web-widgets/") {
        widget
    } else {
        conversation
    };
    operation
        .path
        .replace("{id}", id)
        .replace("{cid}", conversation)
        .replace("{key_id}", NOBODY)
        .replace("{version_id}", conversation)
        .replace("{number}", "1")
        .replace("{form_id}", "contact")
}

/// The scope is checked before anything else of a request, its body included.
#[tokio::test]
async fn every_route_needs_its_scope() {
    let service = Service::start().await;
    for operation in widget_http::operations() {
        let needed = match operation.credential {
            Credential::ApiKey(needed) => needed,
            // Of another key than the caller's.
            Credential::AnyApiKey if operation.method == Method::Delete => Scope::ApiKeysManage,
            _ => continue,
        };
        let (method, path) = (operation.method.as_str(), path(&operation, NOBODY, NOBODY));
        for held in Scope::ALL {
            let key = service.new_key("acme", &[*held]).await;
            let answer = service
                .call_with(Some(&key), method, &path, Some("no JSON"), &[])
                .await;
            let case = format!("{held} on {method} {path}: {}", answer.text);
            if held.allows(needed) {
                assert!(![401, 403].contains(&answer.status.as_u16()), "{case}");
                assert!(answer.status.as_u16() < 500, "{case}");
            } else {
                answer.problem(403, "insufficient_scope");
                assert!(answer.header("www-authenticate").contains(needed.as_str()));
            }
        }
    }
}

/// No credential opens a route that names another one.
#[tokio::test]
async fn every_route_refuses_every_other_credential() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let ticket = visitor.ticket().await;
    let shown = [
        ("none", None),
        ("API key", Some(service.key())),
        ("embed ticket", Some(ticket.as_str())),
        ("conversation token", Some(started.token.as_str())),
    ];
    for operation in widget_http::operations() {
        let (own, required, invalid) = match operation.credential {
            Credential::ApiKey(_) | Credential::AnyApiKey => {
                ("API key", "api_key_required", "api_key_invalid")
            }
            Credential::EmbedTicket => ("embed ticket", "ticket_required", "ticket_invalid"),
            Credential::ConversationToken => (
                "conversation token",
                "conversation_token_required",
                "conversation_token_invalid",
            ),
            Credential::LiveKitSignature => {
                let code = "webhook_signature_invalid";
                ("LiveKit's", code, code)
            }
            Credential::None => continue,
        };
        let path = path(&operation, &id(&visitor.widget), &started.id);
        for (name, credential) in shown.iter().filter(|(name, _)| *name != own) {
            let method = operation.method.as_str();
            let headers = [("origin", OWN)];
            let answer = service
                .call_with(*credential, method, &path, Some("{}"), &headers)
                .await;
            assert_eq!(
                answer.status, 401,
                "{name} on {method} {path}: {}",
                answer.text
            );
            answer.problem(401, if *name == "none" { required } else { invalid });
        }
    }
}

#[tokio::test]
async fn another_organization_sees_nothing() {
    let service = Service::start().await;
    let widget = service.widget(serde_json::json!({})).await;
    let widget_id = id(&widget);
    let agent = widget["agent_id"].as_str().expect("a string").to_owned();
    let other_key = service.new_key("other", Scope::ALL).await;
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
            .call_with(Some(&other_key), method, &path, body, &[])
            .await
            .problem(404, "not_found");
    }
    let mut body = widget.clone();
    for key in ["id", "organization_id", "created_at", "updated_at"] {
        body.as_object_mut().expect("an object").remove(key);
    }
    let answer = service
        .call_with(
            Some(&other_key),
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
            .call_with(Some(&other_key), "GET", list, None, &[])
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
