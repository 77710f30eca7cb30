//! What the owner of a widget learns of the workers of its agent.

use serde_json::{Value, json};
use time::Duration;

use super::visitor::{
    support::{Visitor, with_livekit},
    webhook::{deliver, event},
};
use crate::support::{Service, id};

fn find_sentence(findings: &Value) -> Value {
    let findings = findings.as_array().cloned().unwrap_or_default();
    let mut found = findings.into_iter();
    let found = found.find(|finding| finding["code"] == "agent_worker_missing");
    found.map_or(Value::Null, |finding| finding["detail"].clone())
}

/// The sentence about the worker in the report, in the answer to a write and in the explanation.
async fn sentences(service: &Service, path: &str) -> [Value; 3] {
    let report = service.get(&format!("{path}/go-live")).await.json(200);
    assert_eq!(report["live"], true, "it is a warning");
    let written = service.put(path, &json!({})).await.json(200);
    let explained = format!("{path}/explain?origin=https://shop.example");
    let explained = service.get(&explained).await.json(200);
    [
        find_sentence(&report["warnings"]),
        find_sentence(&written["warnings"]),
        find_sentence(&explained["notes"]),
    ]
}

#[tokio::test]
async fn a_worker_that_never_joins_is_a_warning() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let agent = visitor.widget["agent_id"].as_str().expect("a string");
    let versions = format!("/core/agents/{agent}/versions");
    let version = json!({"livekit_agent_name": "conceirge"});
    let version = id(&service.post(&versions, &version).await.json(201));
    let publish = format!("{versions}/{version}/publish");
    service.call("POST", &publish, None, &[]).await.expect(200);
    let path = format!("/core/web-widgets/{}", id(&visitor.widget));
    let pin = json!({"agent_version_id": version});
    service.put(&path, &pin).await.expect(200);
    let expect = async |expected: Option<&str>| {
        for sentence in sentences(&service, &path).await {
            match expected {
                None => assert_eq!(sentence, Value::Null),
                Some(expected) => assert_eq!(sentence, *expected),
            }
        }
    };
    let missing = "no worker named `conceirge` has joined a room yet";
    expect(Some(missing)).await;
    // A new widget and one that comes back, too; a repeated request gets the answer of the first.
    let again = json!({"agent_id": agent, "agent_version_id": version, "published": true});
    let created = service.post("/core/web-widgets", &again).await.json(201);
    assert_eq!(find_sentence(&created["warnings"]), missing);
    let key = [("idempotency-key", "once")];
    let body = again.to_string();
    for _ in 0..2 {
        let create = service.call("POST", "/core/web-widgets", Some(&body), &key);
        assert_eq!(
            find_sentence(&create.await.json(201)["warnings"]),
            Value::Null
        );
    }
    let other = format!("/core/web-widgets/{}", id(&created));
    service.delete(&other).await.expect(204);
    for _ in 0..2 {
        let restored = service.post(&format!("{other}/restore"), &json!({})).await;
        assert_eq!(find_sentence(&restored.json(200)["warnings"]), missing);
    }
    let started = visitor.start().await;
    deliver(&service, &event("1", "participant_joined", &started.room)).await;
    expect(Some(
        "no worker named `conceirge` has joined a room yet, though a visitor has been waiting in one",
    ))
    .await;

    let joined = async |number: &str, room: &str| {
        let mut agent = event(number, "participant_joined", room);
        agent["participant"] = json!({"identity": "agent-1", "kind": "AGENT"});
        deliver(&service, &agent).await;
    };
    joined("2", &started.room).await;
    expect(None).await;
    // Within an hour nothing is written, and so nothing is missed.
    service.clock.advance(Duration::minutes(59));
    let next = visitor.start().await;
    deliver(&service, &event("3", "participant_joined", &next.room)).await;
    expect(None).await;
    service.clock.advance(Duration::minutes(2));
    let last = visitor.start().await;
    deliver(&service, &event("4", "participant_joined", &last.room)).await;
    expect(Some(
        "a visitor has been waiting in a room, and no worker named `conceirge` has joined one for \
         more than an hour",
    ))
    .await;
    joined("5", &last.room).await;
    expect(None).await;
    // Another organization has workers of its own, and rooms of others count for nobody.
    let mut foreign = event("6", "participant_joined", "room_of_others");
    foreign["participant"] = json!({"identity": "agent-2", "kind": "AGENT"});
    deliver(&service, &foreign).await;
}
