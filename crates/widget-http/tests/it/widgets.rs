//! Widgets over HTTP: the record, its faults, its conditions, its lists.

use serde_json::{Value, json};
use time::Duration;

use crate::support::{Service, id};

#[tokio::test]
async fn a_widget_is_kept_as_it_was_given() {
    let service = Service::start().await;
    let (agent, version) = service.agent(true).await;
    let body = json!({
        "agent_id": agent,
        "agent_version_id": version,
        "domains": ["Shop.Example", "https://shop.example/path", "*.shop.example"],
        "published": true,
        "config": {"v1": {"theme": "dark", "not_ours": [1, 1.5, null]}, "v9": {"later": true}},
    });
    let answer = service.post("/core/web-widgets", &body).await;
    let widget = answer.json(201);
    assert_eq!(
        widget,
        json!({
            "id": widget["id"],
            "organization_id": "acme",
            "agent_id": agent,
            "agent_version_id": version,
            "domains": ["https://shop.example", "https://*.shop.example"],
            "published": true,
            "config": body["config"],
            "created_at": "2026-01-31T09:30:00Z",
            "updated_at": "2026-01-31T09:30:00Z",
        })
    );
    let path = format!("/core/web-widgets/{}", id(&widget));
    assert_eq!(answer.header("location"), path);
    let read = service.get(&path).await;
    assert_eq!(read.json(200), widget);
    assert_eq!(read.header("etag"), answer.header("etag"));
}

#[tokio::test]
async fn only_the_two_ids_are_required() {
    let service = Service::start().await;
    let (agent, version) = service.agent(false).await;
    let body = json!({"agent_id": agent, "agent_version_id": version});
    let widget = service.post("/core/web-widgets", &body).await.json(201);
    assert_eq!(
        (&widget["domains"], &widget["published"], &widget["config"]),
        (&json!([]), &json!(false), &json!({}))
    );
    service
        .post("/core/web-widgets", &json!({"agent_id": agent}))
        .await
        .problem_at(422, "body_invalid", "/agent_version_id", "key_missing");
}

#[tokio::test]
async fn a_change_touches_only_what_is_sent() {
    let service = Service::start().await;
    let widget = service
        .widget(json!({"config": {"v1": {"theme": "dark"}}}))
        .await;
    let path = format!("/core/web-widgets/{}", id(&widget));
    service.clock.advance(Duration::seconds(5));
    let changed = service
        .put(&path, &json!({"published": false}))
        .await
        .json(200);
    let mut expected = widget.clone();
    expected["published"] = json!(false);
    expected["updated_at"] = json!("2026-01-31T09:30:05Z");
    assert_eq!(changed, expected);

    // Each member is replaced whole.
    let changed = service
        .put(&path, &json!({"config": {}, "domains": []}))
        .await
        .json(200);
    assert_eq!(
        (&changed["config"], &changed["domains"]),
        (&json!({}), &json!([]))
    );
    assert_eq!(changed["published"], false);
}

#[tokio::test]
async fn a_change_that_changes_nothing_writes_no_revision() {
    let service = Service::start().await;
    let config = json!({"v1": {"theme": "dark", "x": {"a": 1, "b": [2.5]}}});
    let widget = service.widget(json!({"config": config})).await;
    let path = format!("/core/web-widgets/{}", id(&widget));
    let first = service.get(&path).await.header("etag").to_owned();
    service.clock.advance(Duration::minutes(1));
    let same = r#"{"config": {"v1": {"x": {"b": [25e-1], "a": 1.0}, "theme": "dark"}}}"#;
    for (method, body) in [
        ("PUT", same),
        ("PATCH", same),
        ("PUT", "{}"),
        (
            "PATCH",
            r#"{"domains": ["https://SHOP.example"], "published": true}"#,
        ),
    ] {
        let answer = service.call(method, &path, Some(body), &[]).await;
        assert_eq!(answer.json(200), widget, "{method} {body}");
        assert_eq!(answer.header("etag"), first, "{method} {body}");
        let stale = [("if-match", "\"r0\"")];
        let answer = service.call(method, &path, Some(body), &stale).await;
        answer.problem(412, "precondition_failed");
    }
    let revisions = format!("{path}/revisions");
    let list = service.get(&revisions).await.json(200);
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    assert_eq!(service.get(&path).await.text, widget.to_string());

    // The order of a list counts.
    let answer = service
        .put(&path, &json!({"config": {"v1": {"x": {"b": [2]}}}}))
        .await;
    assert_ne!(answer.expect(200).header("etag"), first);
}

#[tokio::test]
async fn a_patch_is_a_put() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let path = format!("/core/web-widgets/{}", id(&widget));
    let first = [("if-match", "\"r1\"")];
    let body = Some(r#"{"published": false}"#);
    let changed = service.call("PATCH", &path, body, &first).await;
    assert_eq!(changed.json(200)["published"], false);
    assert_eq!(changed.header("etag"), "\"r2\"");
    service
        .call("PATCH", &path, body, &first)
        .await
        .problem(412, "precondition_failed");
    let unknown = Some(r#"{"titel": 1}"#);
    service.call("PATCH", &path, unknown, &[]).await.problem_at(
        422,
        "body_invalid",
        "/titel",
        "key_unknown",
    );
}

#[tokio::test]
async fn who_pins_a_draft_is_warned() {
    let service = Service::start().await;
    let (agent, draft) = service.agent(false).await;
    let body = json!({"agent_id": agent, "agent_version_id": draft});
    let text = body.to_string();
    let key = [("idempotency-key", "order 8")];
    let create = async || {
        service
            .call("POST", "/core/web-widgets", Some(&text), &key)
            .await
    };
    let created = create().await;
    let warned = |answer: &Value| {
        let warnings = answer["warnings"].as_array().expect("an array");
        let found = warnings.iter().map(|warning| {
            let text = |key: &str| warning[key].as_str().expect("a string").to_owned();
            (text("code"), text("pointer"))
        });
        let found: Vec<_> = found.collect();
        let expected = (
            "agent_version_draft".to_owned(),
            "/agent_version_id".to_owned(),
        );
        assert_eq!(found, [expected], "{answer}");
    };
    warned(&created.json(201));
    let path = format!("/core/web-widgets/{}", id(&created.json(201)));
    let publish = format!("/core/agents/{agent}/versions/{draft}/publish");
    let put = async || service.put(&path, &body).await.json(200);
    warned(&put().await);
    service.call("POST", &publish, None, &[]).await.expect(200);
    assert_eq!(put().await.get("warnings"), None);
    assert_eq!(service.get(&path).await.json(200).get("warnings"), None);
    // The answer to a repeated request is the one before.
    assert_eq!(create().await.text, created.text);
}

#[tokio::test]
async fn a_list_of_values_is_not_a_widget() {
    let service = Service::start().await;
    let (agent, version) = service.agent(false).await;
    service
        .post("/core/web-widgets", &json!([agent, version]))
        .await
        .problem(422, "body_invalid");
}

#[tokio::test]
async fn a_refused_write_changes_nothing() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let path = format!("/core/web-widgets/{}", id(&widget));
    let nobody = "0197a3c0-0000-7000-8000-00000000ffff";
    let cases = [
        (
            json!({"published": null}),
            "body_invalid",
            "/published",
            "type_invalid",
        ),
        (
            json!({"published": "yes"}),
            "body_invalid",
            "/published",
            "type_invalid",
        ),
        (json!({"titel": 1}), "body_invalid", "/titel", "key_unknown"),
        (
            json!({"organization_id": "other"}),
            "body_invalid",
            "/organization_id",
            "key_unknown",
        ),
        (
            json!({"domains": "shop.example"}),
            "body_invalid",
            "/domains",
            "type_invalid",
        ),
        (
            json!({"domains": ["a.example", 7]}),
            "body_invalid",
            "/domains/1",
            "type_invalid",
        ),
        (
            json!({"agent_id": "nonsense"}),
            "body_invalid",
            "/agent_id",
            "id_invalid",
        ),
        (
            json!({"agent_id": nobody}),
            "agent_not_found",
            "/agent_id",
            "agent_not_found",
        ),
        (
            json!({"published": false, "agent_version_id": nobody}),
            "agent_version_not_found",
            "/agent_version_id",
            "agent_version_not_found",
        ),
        (
            json!({"published": false, "domains": ["ok.example", "https://a@b.example"]}),
            "domains_invalid",
            "/domains/1",
            "userinfo",
        ),
        (
            json!({"published": false, "config": null}),
            "config_invalid",
            "/config",
            "config_invalid",
        ),
        (
            json!({"published": false, "config": {"v1": {"theme": "neon"}}}),
            "config_invalid",
            "/config/v1/theme",
            "config_invalid",
        ),
    ];
    for (body, code, pointer, fault) in cases {
        let answer = service.put(&path, &body).await;
        let problem = answer.problem(422, code);
        let errors = problem["errors"]
            .as_array()
            .expect("every one of these has errors");
        assert!(
            errors.iter().any(|error| error["pointer"] == pointer
                && (error["code"] == fault || code == "config_invalid")),
            "{body}: {}",
            answer.text
        );
        assert_eq!(service.get(&path).await.json(200), widget, "after {body}");
    }
}

#[tokio::test]
async fn every_fault_of_domains_and_config_is_reported_at_once() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let body = json!({
        "domains": ["http:/a.example", "b_c.example"],
        "config": {"v1": {"theme": 1, "trigger": {"size": 1000}}},
    });
    let answer = service
        .put(&format!("/core/web-widgets/{}", id(&widget)), &body)
        .await;
    let problem = answer.problem(422, "config_invalid");
    let mut pointers: Vec<&str> = problem["errors"]
        .as_array()
        .expect("an array")
        .iter()
        .filter_map(|error| error["pointer"].as_str())
        .collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        [
            "/config/v1/theme",
            "/config/v1/trigger/size",
            "/domains/0",
            "/domains/1"
        ]
    );
}

#[tokio::test]
async fn a_config_too_large_has_its_own_status() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let path = format!("/core/web-widgets/{}", id(&widget));
    let large = json!({"config": {"v1": {}, "x": "a".repeat(65 * 1024)}});
    service
        .put(&path, &large)
        .await
        .problem(413, "config_too_large");
    let deep = format!(
        r#"{{"config":{}{}}}"#,
        "{\"v1\":".repeat(5_000),
        "{}".to_owned() + &"}".repeat(5_000)
    );
    service
        .call("PUT", &path, Some(&deep), &[])
        .await
        .problem(422, "config_too_deep");
    let huge = json!({"config": {"x": "a".repeat(2 << 20)}});
    service
        .put(&path, &huge)
        .await
        .problem(413, "body_too_large");
}

#[tokio::test]
async fn conditions_are_followed() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let path = format!("/core/web-widgets/{}", id(&widget));
    let first = service.get(&path).await.header("etag").to_owned();
    for known in [
        first.clone(),
        format!("W/{first}"),
        format!("\"x\", {first}"),
        "*".to_owned(),
    ] {
        let answer = service
            .call("GET", &path, None, &[("if-none-match", &known)])
            .await;
        assert_eq!(
            (answer.expect(304).header("etag"), answer.text.as_str()),
            (first.as_str(), ""),
            "{known}"
        );
    }
    let changed = service
        .call(
            "PUT",
            &path,
            Some(r#"{"published":false}"#),
            &[("if-match", &format!("\"x\", W/{first}"))],
        )
        .await;
    let second = changed.expect(200).header("etag").to_owned();
    assert_ne!(first, second);
    service
        .call("GET", &path, None, &[("if-none-match", &first)])
        .await
        .expect(200);
    // A proxy that compresses makes tags weak; they still name the same revision.
    for stale in [&first, &format!("W/{first}")] {
        let stale = [("if-match", stale.as_str())];
        service
            .call("PUT", &path, Some(r#"{"published":true}"#), &stale)
            .await
            .problem(412, "precondition_failed");
    }
    let stale = [("if-match", first.as_str())];
    service
        .call("DELETE", &path, None, &stale)
        .await
        .problem(412, "precondition_failed");
    assert_eq!(service.get(&path).await.json(200)["published"], false);
    service
        .call("DELETE", &path, None, &[("if-match", &second)])
        .await
        .expect(204);
    service.get(&path).await.problem(404, "not_found");
}

#[tokio::test]
async fn lists_are_paged_without_gaps() {
    let service = Service::start().await;
    let mut expected = Vec::new();
    for index in 0..5 {
        // Two of them in the same instant: the id decides.
        if index % 2 == 0 {
            service.clock.advance(Duration::seconds(1));
        }
        expected.push(id(&service.widget(json!({})).await));
    }
    expected.reverse();
    let mut seen = Vec::new();
    let mut path = "/core/web-widgets?limit=2&published=true".to_owned();
    for pages in 1.. {
        let answer = service.get(&path).await;
        let list = answer.json(200);
        seen.extend(list.as_array().expect("an array").iter().map(id));
        let Some(link) = answer.headers.get("link") else {
            assert_eq!(pages, 3);
            break;
        };
        let link = link.to_str().expect("ASCII");
        let url = link
            .strip_prefix("<https://widgets.example")
            .and_then(|link| link.strip_suffix(">; rel=\"next\""));
        path = url
            .unwrap_or_else(|| panic!("unexpected link {link}"))
            .to_owned();
        assert!(
            path.contains("published=true") && path.contains("limit=2"),
            "{path}"
        );
        // A widget created between two pages does not shift them.
        service.clock.advance(Duration::seconds(1));
        service.widget(json!({})).await;
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn lists_are_filtered() {
    let service = Service::start().await;
    let shop = service.widget(json!({"published": false})).await;
    let any = service.widget(json!({"domains": ["*"]})).await;
    let ids = |list: Value| {
        list.as_array()
            .expect("an array")
            .iter()
            .map(id)
            .collect::<Vec<_>>()
    };
    for (query, expected) in [
        ("published=false".to_owned(), &shop),
        ("published=true".to_owned(), &any),
        (
            "domain=https://shop.example&published=false".to_owned(),
            &shop,
        ),
        ("domain=*".to_owned(), &any),
        (
            format!("agent_id={}", shop["agent_id"].as_str().expect("a string")),
            &shop,
        ),
    ] {
        let list = service
            .get(&format!("/core/web-widgets?{query}"))
            .await
            .json(200);
        assert_eq!(ids(list), [id(expected)], "{query}");
    }
    assert_eq!(
        service
            .get("/core/web-widgets?domain=shop.exampl&published=false")
            .await
            .json(200),
        json!([])
    );
    for (query, pointer, code) in [
        ("limit=0", "/limit", "value_invalid"),
        ("limit=201", "/limit", "value_invalid"),
        ("limit=x", "/limit", "value_invalid"),
        ("cursor=x", "/cursor", "value_invalid"),
        ("agent_id=x", "/agent_id", "id_invalid"),
        ("published=maybe", "/published", "value_invalid"),
        ("color=red", "/color", "key_unknown"),
        ("limit=1&limit=2", "/limit", "key_duplicate"),
    ] {
        let answer = service.get(&format!("/core/web-widgets?{query}")).await;
        answer.problem_at(422, "query_invalid", pointer, code);
    }
    service
        .get("/core/web-widgets?domain=a@b")
        .await
        .problem(422, "domains_invalid");
}

#[tokio::test]
async fn gates_are_reported_together() {
    let service = Service::start().await;
    let (agent, version) = service.agent(false).await;
    let body = json!({"agent_id": agent, "agent_version_id": version, "domains": ["*"]});
    let widget = service.post("/core/web-widgets", &body).await.json(201);
    let path = format!("/core/web-widgets/{}", id(&widget));
    let report = service.get(&format!("{path}/go-live")).await.json(200);
    assert_eq!(report["live"], false);
    assert_eq!(
        report["blockers"].as_array().map(Vec::len),
        Some(2),
        "{report}"
    );
    assert_eq!(report["warnings"][0]["code"], "any_site");

    service
        .call(
            "POST",
            &format!("/core/agents/{agent}/versions/{version}/publish"),
            None,
            &[],
        )
        .await
        .expect(200);
    service
        .put(&path, &json!({"published": true}))
        .await
        .expect(200);
    let report = service.get(&format!("{path}/go-live")).await.json(200);
    assert_eq!(
        (&report["live"], &report["blockers"]),
        (&json!(true), &json!([]))
    );
}

#[tokio::test]
async fn the_decision_for_a_page_is_explained() {
    let service = Service::start().await;
    let path = format!("/core/web-widgets/{}", id(&service.widget(json!({})).await));
    let shown = service
        .get(&format!(
            "{path}/explain?origin=https%3A%2F%2Fshop.example%2Fcart"
        ))
        .await
        .json(200);
    assert_eq!(
        (&shown["verdict"], &shown["origin"]),
        (&json!("shown"), &json!("https://shop.example")),
        "{shown}"
    );
    let refused = service
        .get(&format!(
            "{path}/explain?origin=https%3A%2F%2Fwww.shop.example"
        ))
        .await
        .json(200);
    assert_eq!(refused["verdict"], "not_shown");
    assert_eq!(refused["code"], "origin_not_listed", "{refused}");
    service
        .get(&format!("{path}/explain"))
        .await
        .problem(422, "query_invalid");
}

#[tokio::test]
async fn the_snippet_names_this_service() {
    let service = Service::start().await;
    let id = id(&service.widget(json!({})).await);
    let snippet = service
        .get(&format!("/core/web-widgets/{id}/snippet"))
        .await
        .json(200);
    let expected =
        format!(r#"<script async src="https://widgets.example/public/embed/{id}"></script>"#);
    assert_eq!(snippet["html"], expected.as_str());
}

#[tokio::test]
async fn a_repeated_creation_creates_once() {
    let service = Service::start().await;
    let (agent, version) = service.agent(true).await;
    let body = json!({"agent_id": agent, "agent_version_id": version}).to_string();
    let key = [("idempotency-key", "order 7")];
    let create = async |body: &str| {
        service
            .call("POST", "/core/web-widgets", Some(body), &key)
            .await
    };
    let first = create(&body).await;
    let widget = first.json(201);
    let path = format!("/core/web-widgets/{}", id(&widget));
    service
        .put(&path, &json!({"published": true}))
        .await
        .expect(200);
    service.clock.advance(Duration::hours(1));
    let again = create(&body).await;
    assert_eq!(again.json(201), widget);
    for header in ["location", "etag", "content-type"] {
        assert_eq!(again.header(header), first.header(header));
    }
    let list = service.get("/core/web-widgets").await.json(200);
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    create(&body.replace('{', "{ "))
        .await
        .problem(422, "idempotency_key_reused");
    for key in ["", "\u{7f}", &"x".repeat(256)] {
        let headers = [("idempotency-key", key)];
        let Ok(value) = http::HeaderValue::from_str(key) else {
            continue;
        };
        assert_eq!(value.as_bytes(), key.as_bytes());
        let answer = service
            .call("POST", "/core/web-widgets", Some(&body), &headers)
            .await;
        answer.problem(400, "idempotency_key_invalid");
    }
    // A key belongs to its organization.
    let other_key = service.new_key("other", widget_api::Scope::ALL).await;
    let answer = service
        .call_with(
            Some(&other_key),
            "POST",
            "/core/web-widgets",
            Some(&body),
            &key,
        )
        .await;
    answer.problem(422, "agent_not_found");
    service.clock.advance(Duration::hours(24));
    assert_ne!(create(&body).await.json(201)["id"], widget["id"]);
}
