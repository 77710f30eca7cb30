//! What the loader gets: the launcher's config and tickets, readable by the page, and one refusal
//! for all reasons.

use serde_json::{Value, json};

use super::support::{OWN, SHOP, Visitor};
use crate::support::{Answer, Service, id};

async fn ask(service: &Service, widget: &str, origin: &str) -> Answer {
    let path = format!("/core/public/web-widgets/{widget}");
    service
        .call_with(None, "GET", &path, None, &[("origin", origin)])
        .await
}

#[tokio::test]
async fn the_launcher_gets_only_what_it_draws() {
    let service = Service::start().await;
    let config = json!({"v1": {"theme": "dark", "chat": {"title": "Ask us", "greeting": "a secret until opened"}}});
    let visitor = Visitor::of(&service, config).await;
    let answer = ask(&service, &id(&visitor.widget), SHOP).await;
    let body = answer.json(200);
    assert_eq!(body["id"], visitor.widget["id"]);
    let keys = |value: &Value| {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(&body), ["id", "config", "words"]);
    for language in ["ar", "de", "en", "es", "fr", "ja", "pt"] {
        let words = body["words"][language].as_array().expect("words");
        assert!(
            words.len() == 4 && words.iter().all(Value::is_string),
            "{language}"
        );
    }
    assert_eq!(
        keys(&body["config"]),
        [
            "theme",
            "locale",
            "trigger",
            "suggested_questions",
            "start_conversation_on_toggle",
            "fallback",
            "chat"
        ]
    );
    assert_eq!(
        keys(&body["config"]["chat"]),
        ["title", "width", "height", "light_mode", "dark_mode"]
    );
    assert_eq!(
        (
            &body["config"]["theme"],
            &body["config"]["trigger"]["size"],
            &body["config"]["chat"]["title"]
        ),
        (&json!("dark"), &json!(56), &json!("Ask us"))
    );
    assert_eq!(answer.header("access-control-allow-origin"), SHOP);
    assert!(answer.header("vary").contains("Origin"));
    assert!(
        !answer
            .headers
            .contains_key("access-control-allow-credentials")
    );

    let etag = answer.header("etag").to_owned();
    let known = [("origin", SHOP), ("if-none-match", etag.as_str())];
    let again = service
        .call_with(None, "GET", &visitor.path(""), None, &known)
        .await;
    again.expect(304);
    assert_eq!(
        (
            again.text.as_str(),
            again.header("access-control-allow-origin")
        ),
        ("", SHOP)
    );
}

#[tokio::test]
async fn a_page_on_the_services_own_host_sends_no_origin() {
    let service = Service::start().await;
    let listed = service.widget(json!({"domains": [OWN]})).await;
    let foreign = service.widget(json!({"domains": [SHOP]})).await;
    let ask = async |method: &str, widget: &Value, tail: &str, headers: &[(&str, &str)]| {
        let path = format!("/core/public/web-widgets/{}{tail}", id(widget));
        let body = (method == "POST").then_some("{}");
        service.call_with(None, method, &path, body, headers).await
    };
    let same = [("sec-fetch-site", "same-origin")];
    let answer = ask("GET", &listed, "", &same).await;
    answer.expect(200);
    assert!(answer.header("vary").contains("Sec-Fetch-Site"));
    // The own origin is listed or refused as any other.
    ask("GET", &foreign, "", &same)
        .await
        .problem(403, "widget_unavailable");
    // What the browser says about the host is believed only where it sends no `Origin`.
    let shop = [("sec-fetch-site", "same-origin"), ("origin", SHOP)];
    ask("GET", &foreign, "", &shop).await.expect(200);
    ask("GET", &listed, "", &shop)
        .await
        .problem(403, "widget_unavailable");
    let opaque = [("sec-fetch-site", "same-origin"), ("origin", "null")];
    ask("GET", &listed, "", &opaque)
        .await
        .problem(403, "origin_opaque");
    for site in ["same-site", "cross-site", "none", ""] {
        ask("GET", &listed, "", &[("sec-fetch-site", site)])
            .await
            .problem(403, "origin_required");
    }
    ask("GET", &listed, "", &[])
        .await
        .problem(403, "origin_required");
    ask("GET", &listed, "", &[same[0], same[0]])
        .await
        .problem(403, "origin_required");
    // Browsers send one with every `POST`.
    ask("POST", &listed, "/embed-tickets", &same)
        .await
        .problem(403, "origin_required");
}

#[tokio::test]
async fn every_refusal_of_a_widget_is_the_same() {
    let service = Service::start().await;
    let (agent, draft) = service.agent(false).await;
    let ids = [
        "0197a3c0-0000-7000-8000-00000000ffff".to_owned(),
        "not-an-id".to_owned(),
        id(&service.widget(json!({"published": false})).await),
        id(&service
            .widget(json!({"agent_id": agent, "agent_version_id": draft}))
            .await),
        id(&service
            .widget(json!({"domains": ["https://other.example"]}))
            .await),
        id(&service.widget(json!({"domains": []})).await),
    ];
    let mut seen: Vec<(Value, Vec<(String, String)>)> = Vec::new();
    for widget in &ids {
        let answer = ask(&service, widget, SHOP).await;
        let mut body = answer.problem(403, "widget_unavailable");
        body["request_id"].take();
        let headers = answer
            .headers
            .iter()
            .filter(|(name, _)| *name != "x-request-id");
        let headers = headers
            .map(|(name, value)| (name.to_string(), format!("{value:?}")))
            .collect();
        assert_eq!(answer.header("access-control-allow-origin"), SHOP);
        seen.push((body, headers));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
}

#[tokio::test]
async fn changes_are_seen_at_once() {
    let service = Service::start().await;
    let visitor = Visitor::of(&service, json!({})).await;
    let (widget, path) = (
        id(&visitor.widget),
        format!("/core/web-widgets/{}", id(&visitor.widget)),
    );
    ask(&service, &widget, SHOP).await.json(200);
    service
        .put(&path, &json!({"domains": ["https://other.example"]}))
        .await
        .json(200);
    ask(&service, &widget, SHOP)
        .await
        .problem(403, "widget_unavailable");
    service
        .put(&path, &json!({"domains": [SHOP]}))
        .await
        .json(200);
    ask(&service, &widget, SHOP).await.json(200);
    service.delete(&path).await.expect(204);
    ask(&service, &widget, SHOP)
        .await
        .problem(403, "widget_unavailable");

    let (agent, draft) = service.agent(false).await;
    let blocked = id(&service
        .widget(json!({"agent_id": agent, "agent_version_id": draft}))
        .await);
    ask(&service, &blocked, SHOP)
        .await
        .problem(403, "widget_unavailable");
    let publish = format!("/core/agents/{agent}/versions/{draft}/publish");
    service.call("POST", &publish, None, &[]).await.json(200);
    ask(&service, &blocked, SHOP).await.json(200);
}

#[tokio::test]
async fn a_ticket_says_where_its_window_is() {
    let service = Service::start().await;
    let visitor = Visitor::of(&service, json!({})).await;
    let answer = visitor.ask_for_ticket(SHOP).await;
    let body = answer.json(201);
    let window = format!(
        "https://widgets.example/public/widget/{}?o=https%3A%2F%2Fshop.example",
        id(&visitor.widget)
    );
    assert_eq!(
        (&body["window_url"], &body["expires_at"]),
        (&json!(window), &json!("2026-01-31T09:31:00Z"))
    );
    assert_eq!(answer.header("access-control-allow-origin"), SHOP);
}

#[tokio::test]
async fn tickets_are_for_scripts_of_pages_only() {
    let service = Service::start().await;
    let visitor = Visitor::of(&service, json!({})).await;
    let path = visitor.path("/embed-tickets");
    let ask = async |body: &str, headers: &[(&str, &str)]| {
        let headers = [&[("origin", SHOP)], headers].concat();
        service
            .call_with(None, "POST", &path, Some(body), &headers)
            .await
    };
    for (name, value) in [
        ("sec-fetch-mode", "no-cors"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-site", "none"),
    ] {
        ask("{}", &[(name, value)])
            .await
            .problem(403, "fetch_metadata");
    }
    ask("{}", &[("content-type", "text/plain")])
        .await
        .problem(415, "content_type");
    ask("", &[]).await.problem(400, "json_invalid");
    ask("[]", &[]).await.problem(422, "body_invalid");
    ask(r#"{"origin":"https://evil.example"}"#, &[])
        .await
        .problem_at(422, "body_invalid", "/origin", "key_unknown");
    // Of several problems, the one that the contract lists first is answered.
    let foreign = service
        .call_with(
            None,
            "POST",
            &path,
            Some("{"),
            &[("content-type", "text/plain")],
        )
        .await;
    foreign.problem(403, "origin_required");
    ask(
        "{",
        &[("sec-fetch-site", "none"), ("content-type", "text/plain")],
    )
    .await
    .problem(415, "content_type");
    ask("{", &[("sec-fetch-site", "none")])
        .await
        .problem(403, "fetch_metadata");
}

#[tokio::test]
async fn preflights_look_nothing_up() {
    let service = Service::start().await;
    for widget in ["not-an-id", "0197a3c0-0000-7000-8000-00000000ffff"] {
        for tail in ["", "/embed-tickets"] {
            let path = format!("/core/public/web-widgets/{widget}{tail}");
            let headers = [
                ("origin", "https://anybody.example"),
                ("access-control-request-method", "POST"),
            ];
            let answer = service
                .call_with(None, "OPTIONS", &path, None, &headers)
                .await;
            answer.expect(204);
            assert_eq!(
                answer.header("access-control-allow-origin"),
                "https://anybody.example"
            );
            assert_eq!(
                answer.header("access-control-allow-headers"),
                "content-type"
            );
            assert!(
                !answer
                    .headers
                    .contains_key("access-control-allow-credentials")
            );
            let traced = [
                headers[0],
                ("access-control-request-headers", "traceparent"),
            ];
            let answer = service
                .call_with(None, "OPTIONS", &path, None, &traced)
                .await;
            assert_eq!(
                answer.header("access-control-allow-headers"),
                "content-type, traceparent"
            );
            let opaque = service
                .call_with(None, "OPTIONS", &path, None, &[("origin", "null")])
                .await;
            opaque.expect(204);
            assert!(!opaque.headers.contains_key("access-control-allow-origin"));
        }
    }
}
