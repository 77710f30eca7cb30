//! The shared cases of who may ask what, run against the router.

use serde_json::{Value, json};
use time::Duration;

use super::support::{OWN, Started, Visitor, with_livekit};
use crate::support::{Answer, Service, id};

fn vectors(part: &str) -> Vec<Value> {
    let text = include_str!("../../../../../fixtures/origin_vectors.json");
    let mut all: Value = serde_json::from_str(text).expect("the fixture is JSON");
    match all[part].take() {
        Value::Array(cases) if !cases.is_empty() => cases,
        other => panic!("no cases in {part}: {other}"),
    }
}

fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is not a string"))
}

/// Header fields of a case; one with several values is sent several times.
fn fields(headers: &Value) -> Vec<(String, String)> {
    let headers = headers.as_object().expect("an object of headers");
    let of = |(name, value): (&String, &Value)| match value {
        Value::Array(values) => values
            .iter()
            .map(|value| (name.clone(), text(value).to_owned()))
            .collect::<Vec<_>>(),
        value => vec![(name.clone(), text(value).to_owned())],
    };
    headers.iter().flat_map(of).collect()
}

async fn send(
    service: &Service,
    method: &str,
    path: &str,
    body: Option<&str>,
    headers: &[(String, String)],
) -> Answer {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    service.call_with(None, method, path, body, &headers).await
}

#[tokio::test]
async fn an_origin_is_read_as_browsers_write_it() {
    let service = Service::start().await;
    let widget = service.widget(json!({"domains": ["*"]})).await;
    let path = format!("/core/public/web-widgets/{}", id(&widget));
    for case in vectors("origin_header") {
        let values = case["origin_header_values"].as_array().expect("a list");
        let Some(headers) = values
            .iter()
            .map(|value| {
                http::HeaderValue::from_str(text(value))
                    .ok()
                    .map(|_| ("origin".to_owned(), text(value).to_owned()))
            })
            .collect::<Option<Vec<_>>>()
        else {
            continue; // No client can put it on the wire.
        };
        let answer = send(&service, "GET", &path, None, &headers).await;
        let (status, code) = match text(&case["expected_kind"]) {
            "tuple" => (200, None),
            "absent" => (403, Some("origin_required")),
            "opaque" => (403, Some("origin_opaque")),
            "malformed" => (400, Some("origin_malformed")),
            "foreign_scheme" => (403, Some("origin_scheme")),
            other => panic!("unknown kind {other}"),
        };
        assert_eq!(answer.status.as_u16(), status, "{case}: {}", answer.text);
        if let Some(code) = code {
            answer.problem(status, code);
        }
    }
}

#[tokio::test]
async fn framing_is_allowed_by_the_declared_origin() {
    let service = Service::start_with(with_livekit).await;
    for case in vectors("csp_header") {
        let widget = match case.get("widget") {
            Some(_) => "0197a3c0-0000-7000-8000-00000000ffff".to_owned(),
            None => id(&service.widget(json!({"domains": case["allowlist"]})).await),
        };
        let declared = case["declared"].as_str().unwrap_or_default();
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("o", declared)
            .finish();
        let answer = send(
            &service,
            "GET",
            &format!("/public/widget/{widget}?{query}"),
            None,
            &[],
        )
        .await;
        let expected = text(&case["expected_header"]);
        assert_eq!(answer.status == 403, expected.ends_with("'none'"), "{case}");
        assert!(
            answer.header("content-security-policy").ends_with(expected),
            "{case}"
        );
    }
}

/// The bearer that a case describes in words.
async fn bearer(visitor: &Visitor<'_>, described: &str, started: &Started) -> String {
    let service = visitor.service;
    match described {
        "Bearer <valid>" => visitor.ticket().await,
        "Bearer <expired>" => {
            let ticket = visitor.ticket().await;
            service.clock.advance(Duration::seconds(61));
            ticket
        }
        "Bearer <token>" => started.token.clone(),
        "Bearer <ticket of another widget>" => {
            Visitor::of(service, json!({}))
                .await
                .ticket_from("https://shop.example")
                .await
        }
        "Bearer <ticket org=https://removed.example>" => {
            visitor.ticket_from("https://removed.example").await
        }
        other => panic!("unknown bearer {other}"),
    }
}

#[tokio::test]
async fn every_endpoint_refuses_as_the_contract_says() {
    let service = Service::start_with(|settings| {
        with_livekit(settings);
        settings.limits.conversations_per_minute = 1000;
    })
    .await;
    for case in vectors("endpoint") {
        let with_removed = json!({"domains": ["https://example.com", "https://shop.example", "https://removed.example"]});
        let widget = service.widget(with_removed).await;
        let visitor = Visitor {
            service: &service,
            widget,
        };
        let started = visitor.start().await;
        let mut headers = fields(&case["request"]["headers"]);
        for (name, value) in &mut headers {
            if name == "authorization" {
                let token = bearer(&visitor, value, &started).await;
                *value = format!("Bearer {token}");
            }
            if name == "origin" && *value == "https://widget.vendor.example" {
                OWN.clone_into(value);
            }
        }
        let path = format!("/core/web-widgets/{}", id(&visitor.widget));
        service
            .put(&path, &json!({"domains": case["allowlist"]}))
            .await
            .json(200);
        let (method, path) = match text(&case["endpoint"]) {
            "GET loader.js" => ("GET", format!("/public/embed/{}", id(&visitor.widget))),
            "GET embed document" => (
                "GET",
                format!(
                    "/public/widget/{}?o=https%3A%2F%2Fexample.com",
                    id(&visitor.widget)
                ),
            ),
            "GET widget config" => ("GET", visitor.path("")),
            "OPTIONS embed-tickets" => ("OPTIONS", visitor.path("/embed-tickets")),
            "POST embed-tickets" => ("POST", visitor.path("/embed-tickets")),
            "POST conversations" => ("POST", visitor.path("/conversations")),
            "POST resume" => (
                "POST",
                visitor.path(&format!("/conversations/{}/resume", started.id)),
            ),
            "POST feedback" => (
                "POST",
                visitor.path(&format!("/conversations/{}/feedback", started.id)),
            ),
            other => panic!("unknown endpoint {other}"),
        };
        let body = (method == "POST").then_some("{}");
        let answer = send(&service, method, &path, body, &headers).await;
        let wanted = case["expected_status"].as_u64();
        assert_eq!(
            Some(u64::from(answer.status.as_u16())),
            wanted,
            "{case}: {}",
            answer.text
        );
        if let Some(code) = case["expected_code"].as_str() {
            assert_eq!(answer.json(answer.status.as_u16())["code"], code, "{case}");
        }
    }
}
