//! The OpenAPI document says what the service does: answers look as it describes them.

use std::collections::BTreeSet;

use expect_test::expect_file;
use jsonschema::Validator;
use serde_json::{Value, json};
use time::Duration;

use crate::{
    support::{Service, id},
    visitor::support::{OWN, SHOP, Visitor, with_livekit},
};

async fn document(service: &Service) -> Value {
    service
        .call_with(None, "GET", "/openapi.json", None, &[])
        .await
        .json(200)
}

/// A validator of one of the document's schemas.
fn validator(document: &Value, name: &str) -> Validator {
    let mut schema = document.clone();
    schema["$ref"] = json!(format!("#/components/schemas/{name}"));
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema)
        .expect("a schema")
}

#[track_caller]
fn assert_is(document: &Value, name: &str, value: &Value) {
    let faults: Vec<String> = validator(document, name)
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{value} is no {name}: {faults:?}");
}

#[tokio::test]
async fn the_document_is_served_and_committed() {
    let service = Service::start().await;
    let served = service
        .call_with(None, "GET", "/openapi.json", None, &[])
        .await;
    expect_file!["../../../../schema/openapi.json"].assert_eq(&served.text);
}

/// Generated clients name their methods by it.
#[test]
fn every_operation_has_a_name_of_its_own() {
    let operations = widget_http::operations();
    let names: BTreeSet<&str> = operations.iter().map(|operation| operation.id).collect();
    assert_eq!(names.len(), operations.len());
}

#[tokio::test]
async fn a_header_accepts_what_its_schema_says() {
    let service = Service::start().await;
    let document = document(&service).await;
    let parameters = &document["paths"]["/core/web-widgets"]["post"]["parameters"];
    let parameters = parameters.as_array().expect("a list");
    let header = parameters
        .iter()
        .find(|parameter| parameter["name"] == "Idempotency-Key")
        .expect("it is described");
    let schema = jsonschema::draft202012::new(&header["schema"]).expect("a schema");
    let (agent, version) = service.agent(false).await;
    let body = json!({"agent_id": agent, "agent_version_id": version}).to_string();
    let long = |length| "x".repeat(length);
    for (key, is_accepted) in [
        ("a", true),
        ("order 7, ~!", true),
        (&long(255), true),
        (&long(256), false),
        ("", false),
        ("a\tb", false),
        ("\u{e9}", false),
    ] {
        assert_eq!(schema.is_valid(&json!(key)), is_accepted, "{key:?}");
        let headers = [("idempotency-key", key)];
        let answer = service
            .call("POST", "/core/web-widgets", Some(&body), &headers)
            .await;
        if is_accepted {
            answer.json(201);
        } else {
            answer.problem(400, "idempotency_key_invalid");
        }
    }
}

#[tokio::test]
async fn answers_to_management_look_as_described() {
    let service = Service::start().await;
    let document = document(&service).await;
    let widget = service
        .widget(json!({"config": {"v1": {"chat": {"titel": "x"}}}}))
        .await;
    assert_is(&document, "Widget", &widget);
    let (agent, _) = service.agent(false).await;
    let agent = service.get(&format!("/core/agents/{agent}")).await;
    assert_is(&document, "Agent", &agent.json(200));
    let versions = format!("/core/agents/{}/versions", id(&agent.json(200)));
    for version in service
        .get(&versions)
        .await
        .json(200)
        .as_array()
        .expect("a list")
    {
        assert_is(&document, "AgentVersion", version);
    }
    let path = format!("/core/web-widgets/{}", id(&widget));
    service.clock.advance(Duration::seconds(1));
    let change = json!({"published": true, "domains": ["https://www.shop.example"]});
    assert_is(&document, "WidgetPatch", &change);
    service.put(&path, &change).await.json(200);
    let report = service.get(&format!("{path}/go-live")).await.json(200);
    let warnings = report["warnings"].as_array().expect("a list");
    assert!(
        warnings
            .iter()
            .any(|warning| warning["pointer"] == "/config/v1/chat/titel"),
        "{report}"
    );
    assert_is(&document, "GoLiveReport", &report);
    let explain = format!("{path}/explain?origin=https://shop.example");
    let explanation = service.get(&explain).await.json(200);
    assert!(explanation["nearest"].is_object(), "{explanation}");
    assert_is(&document, "Explanation", &explanation);
    let snippet = service.get(&format!("{path}/snippet")).await.json(200);
    assert_is(&document, "Snippet", &snippet);
    let revisions = service.get(&format!("{path}/revisions")).await.json(200);
    assert_eq!(revisions.as_array().map(Vec::len), Some(2));
    for revision in revisions.as_array().expect("a list") {
        assert_is(&document, "Revision", revision);
    }
    let refused = service
        .put(&path, &json!({"config": {"v1": {"theme": "pink"}}}))
        .await
        .problem(422, "config_invalid");
    assert_is(&document, "Problem", &refused);
    assert!(!validator(&document, "WidgetPatch").is_valid(&json!({"published": null})));
}

#[tokio::test]
async fn answers_to_visitors_look_as_described() {
    let service = Service::start_with(with_livekit).await;
    let document = document(&service).await;
    let config = json!({"v1": {"post_conversation_feedback": {"enabled": true}}});
    let visitor = Visitor::of(&service, config).await;
    let launcher = service
        .call_with(None, "GET", &visitor.path(""), None, &[("origin", SHOP)])
        .await
        .json(200);
    assert_is(&document, "Launcher", &launcher);
    let ticket = visitor.ask_for_ticket(SHOP).await.json(201);
    assert_is(&document, "EmbedTicket", &ticket);
    let started = visitor.start().await;
    assert_is(&document, "Joining", &started.body);
    let own = format!("/core/conversations/{}", started.id);
    let turn = json!({"id": "m1", "role": "agent", "text": "Hello"});
    assert_is(&document, "NewMessages", &turn);
    let appended = service.post(&format!("{own}/messages"), &turn).await;
    assert_is(&document, "Appended", &appended.json(200));
    let transcript = service.get(&format!("{own}/messages")).await;
    assert_is(&document, "Transcript", &transcript.json(200));
    assert_is(
        &document,
        "Conversation",
        &service.get(&own).await.json(200),
    );
    let read = visitor.read(&started).await.json(200);
    assert_eq!(read["messages"].as_array().map(Vec::len), Some(1));
    assert_is(&document, "VisitorConversation", &read);
    let ended = visitor.end(&started).await;
    assert_is(&document, "EndedConversation", &ended.json(200));
    let feedback = json!({"data": {"rating": 5}});
    assert_is(&document, "FormSubmission", &feedback);
    let kept = visitor
        .window(
            &format!("/conversations/{}/feedback", started.id),
            &started.token,
            feedback,
        )
        .await;
    assert_is(&document, "SubmittedFeedback", &kept.json(201));
    assert_is(
        &document,
        "Conversation",
        &service.get(&own).await.json(200),
    );
}

/// Whoever adds an operation says nothing about storage, and it is described all the same.
#[test]
fn every_operation_describes_what_storage_can_answer() {
    use widget_api::ProblemCode as P;
    let mut without = Vec::new();
    for operation in widget_http::operations() {
        let problems = operation.all_problems();
        let described = [
            P::StorageBusy,
            P::StorageFull,
            P::StorageReadOnly,
            P::StorageUnavailable,
        ]
        .map(|code| problems.contains(&code));
        assert_eq!(described, [operation.uses_storage; 4], "{}", operation.id);
        if !operation.uses_storage {
            without.push(operation.id);
        }
    }
    // The others read or write: add one here only if its handler cannot.
    without.sort_unstable();
    assert_eq!(
        without,
        [
            "getDocs",
            "getHealth",
            "getLoader",
            "getOpenapi",
            "getReadiness"
        ]
    );
}

/// What a schema refers to.
fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        Some(place) => document
            .pointer(place.trim_start_matches('#'))
            .expect("it is there"),
        None => schema,
    }
}

/// JSON Pointers to all places where a schema has a text, with those in lists and objects.
fn texts(document: &Value, schema: &Value, place: &str, found: &mut BTreeSet<String>) {
    if place.split('/').count() > 5 {
        return;
    }
    let schema = resolved(document, schema);
    for kind in ["anyOf", "oneOf", "allOf"] {
        for schema in schema[kind].as_array().into_iter().flatten() {
            texts(document, schema, place, found);
        }
    }
    if schema["type"].to_string().contains("\"string\"") || schema.get("enum").is_some() {
        found.insert(place.to_owned());
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        texts(document, schema, &format!("{place}/{name}"), found);
    }
    if schema["additionalProperties"].is_object() || schema["additionalProperties"] == true {
        found.insert(format!("{place}/key"));
    }
    if schema["items"].is_object() {
        texts(document, &schema["items"], &format!("{place}/0"), found);
    }
}

/// Puts a text at a place, with what is missing around it.
fn put(value: &mut Value, place: &str, text: &str) {
    let Some((token, rest)) = place.trim_start_matches('/').split_once('/').or_else(|| {
        let token = place.trim_start_matches('/');
        (!token.is_empty()).then_some((token, ""))
    }) else {
        *value = json!(text);
        return;
    };
    if token == "0" {
        if !value.is_array() {
            *value = json!([null]);
        }
        put(&mut value[0], rest, text);
    } else {
        if !value.is_object() {
            *value = json!({});
        }
        put(&mut value[token], rest, text);
    }
}

/// A body that the service accepts, as far as it needs one.
fn base(schema: &str, agent: &str, version: &str) -> Value {
    match schema {
        "NewWidget" => json!({"agent_id": agent, "agent_version_id": version}),
        "NewAgent" => json!({"name": "Concierge"}),
        "NewAgentVersion" => json!({"livekit_agent_name": "concierge"}),
        "NewApiKey" => json!({"name": "x", "scopes": ["agents:read"]}),
        "NewMessages" => json!({"id": "1", "role": "agent", "text": "x"}),
        "ErasureRequest" | "ExportRequest" => json!({"filter": {"visitor": "x"}}),
        "TurnReport" => json!({"messages": [{"id": "1", "role": "visitor", "text": "x"}]}),
        "FormSubmission" => json!({"data": {}}),
        _ => json!({}),
    }
}

/// PostgreSQL stores no text with a NUL. Whatever text a caller sends, it is the caller's fault.
#[tokio::test]
async fn a_nul_anywhere_is_the_callers_fault() {
    const NUL: &str = "a\0b";
    let service = Service::start_with(with_livekit).await;
    let document = document(&service).await;
    let visitor = Visitor::of(&service, json!({"v1": {"chat": {"title": "x"}}})).await;
    let started = visitor.start().await;
    let (agent, version) = service.agent(true).await;
    let widget = id(&visitor.widget);
    let own = |path: &str, name: &str| match name {
        "id" if path.starts_with("/core/agents") => agent.clone(),
        "id" if path.starts_with("/core/conversations") => started.id.clone(),
        "id" => widget.clone(),
        "cid" => started.id.clone(),
        "version_id" => version.clone(),
        "number" => "1".to_owned(),
        _ => "x".to_owned(),
    };
    let mut count = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let method = method.to_uppercase();
            let parameters: Vec<&Value> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .collect();
            let names = |kind: &str| {
                let of_kind = parameters.iter().filter(move |found| found["in"] == kind);
                let names = of_kind.map(|found| found["name"].as_str().expect("a name").to_owned());
                names.collect::<Vec<_>>()
            };
            let path_with = |changed: Option<&str>| {
                let mut filled = path.clone();
                for name in names("path") {
                    let value = if changed == Some(&name) {
                        "a%00b".to_owned()
                    } else {
                        own(path, &name)
                    };
                    filled = filled.replace(&format!("{{{name}}}"), &value);
                }
                filled
            };
            let token = operation["security"].to_string();
            let key = if token.contains("conversation_token") {
                started.token.as_str()
            } else {
                service.key()
            };
            let call = async |path: &str, body: Option<String>| {
                let headers = [(
                    "origin",
                    if path.starts_with("/core/public") {
                        OWN
                    } else {
                        SHOP
                    },
                )];
                let answer = service
                    .call_with(Some(key), &method, path, body.as_deref(), &headers)
                    .await;
                assert!(
                    answer.status.as_u16() < 500,
                    "{method} {path} {body:?}: {answer:?}"
                );
                answer
            };
            for name in names("path") {
                call(&path_with(Some(&name)), Some("{}".to_owned())).await;
                count += 1;
            }
            for name in names("query") {
                let query = format!("{}?{name}=a%00b", path_with(None));
                let answer = call(&query, None).await;
                if token.contains("api_key") {
                    let place = format!("/{name}");
                    answer.problem_at(422, "query_invalid", &place, "value_invalid");
                }
                count += 1;
            }
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let name = schema["$ref"]
                .as_str()
                .and_then(|place| place.rsplit('/').next());
            let mut places = BTreeSet::new();
            texts(&document, schema, "", &mut places);
            for place in places {
                let mut body = base(name.unwrap_or_default(), &agent, &version);
                put(&mut body, &place, NUL);
                call(&path_with(None), Some(body.to_string())).await;
                count += 1;
            }
        }
    }
    assert!(count > 150, "{count} requests");
}
