//! LiveKit's events: only its own are believed, and in any order they lead to the right state.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::Duration;

use super::{
    background::{pair, sweep},
    support::{LIVEKIT_KEY, LIVEKIT_SECRET, Started, Visitor, with_livekit},
};
use widget_http::storage::SweepPosition;

use crate::support::{Answer, Service, id};

/// A token as LiveKit signs its webhooks.
fn token(service: &Service, key: &str, secret: &str, body: &str) -> String {
    // Brings the HMAC that `jsonwebtoken` needs, once.
    let _ = livekit_api::access_token::Claims::from_unverified("");
    let now = service.state.now().unix_timestamp();
    let hash = STANDARD.encode(Sha256::digest(body));
    let claims = json!({"iss": key, "nbf": now, "exp": now + 300, "sha256": hash});
    let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).expect("it can be signed")
}

async fn post(service: &Service, token: &str, body: &str) -> Answer {
    let headers = [
        ("authorization", token),
        ("content-type", "application/webhook+json"),
    ];
    service
        .call_with(None, "POST", "/core/livekit/webhook", Some(body), &headers)
        .await
}

pub(crate) async fn deliver(service: &Service, event: &Value) {
    let body = event.to_string();
    let token = token(service, LIVEKIT_KEY, LIVEKIT_SECRET, &body);
    post(service, &token, &body).await.expect(200);
}

pub(crate) fn event(id: &str, kind: &str, room: &str) -> Value {
    // Values that this build does not know must not matter.
    json!({
        "id": id, "event": kind, "createdAt": "1785000000", "room": {"name": room, "turnPassword": "secret", "x": 1},
        "participant": {"identity": "guest_abc", "state": "NEW_STATE", "kind": "NEW_KIND"},
    })
}

async fn status(visitor: &Visitor<'_>, started: &Started) -> Value {
    visitor.read(started).await.json(200)["status"].clone()
}

pub(super) async fn is_to_be_removed(service: &Service, room: &str) -> bool {
    let due = service
        .storage
        .find_rooms_to_remove(service.state.now(), &SweepPosition::default(), 100)
        .await
        .expect("storage works");
    due.iter().any(|due| due.name == room)
}

#[tokio::test]
async fn only_events_signed_by_livekit_are_accepted() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let body = event("1", "participant_joined", &started.room).to_string();
    let good = token(&service, LIVEKIT_KEY, LIVEKIT_SECRET, &body);
    let forged = token(
        &service,
        LIVEKIT_KEY,
        "another-secret-of-thirty-two-letters",
        &body,
    );
    let foreign = token(&service, "otherkey", LIVEKIT_SECRET, &body);
    let of_other_body = token(&service, LIVEKIT_KEY, LIVEKIT_SECRET, "{}");
    let visitors = started.body["participant_token"]
        .as_str()
        .expect("a string")
        .to_owned();
    for token in [
        &forged,
        &foreign,
        &of_other_body,
        &visitors,
        &String::new(),
        &"x.y.z".to_owned(),
    ] {
        post(&service, token, &body)
            .await
            .problem(401, "webhook_signature_invalid");
    }
    service.clock.advance(Duration::minutes(6));
    post(&service, &good, &body)
        .await
        .problem(401, "webhook_signature_invalid");
    assert_ne!(status(&visitor, &started).await, "in_progress");
    let signed = token(&service, LIVEKIT_KEY, LIVEKIT_SECRET, "no JSON");
    post(&service, &signed, "no JSON")
        .await
        .problem(400, "json_invalid");
    deliver(&service, &event("2", "participant_joined", "unknown room")).await;
}

#[tokio::test]
async fn joining_starts_a_conversation_and_leaving_pauses_it() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    deliver(&service, &event("1", "room_started", &started.room)).await;
    let mut agent = event("2", "participant_joined", &started.room);
    agent["participant"] = json!({"identity": "agent-1", "kind": "AGENT"});
    deliver(&service, &agent).await;
    assert_eq!(status(&visitor, &started).await, "token_created");
    deliver(&service, &event("3", "participant_joined", &started.room)).await;
    assert_eq!(status(&visitor, &started).await, "in_progress");
    assert!(!is_to_be_removed(&service, &started.room).await);

    deliver(&service, &event("4", "participant_left", &started.room)).await;
    // Delivered twice: the visitor stays away.
    deliver(&service, &event("3", "participant_joined", &started.room)).await;
    service.clock.advance(Duration::minutes(29));
    assert_eq!(status(&visitor, &started).await, "in_progress");
    // Nobody can be asked where the visitor is: 5 minutes more.
    service.clock.advance(Duration::minutes(6));
    assert_eq!(sweep(&service, &started).await, pair("completed", "idle"));
}

#[tokio::test]
async fn a_visitor_whose_joining_is_reported_after_their_leaving_is_away() {
    for end in ["participant_left", "room_finished"] {
        let service = Service::start_with(with_livekit).await;
        let visitor = Visitor::of(&service, json!({})).await;
        let started = visitor.start().await;
        let event = |id: &str, kind: &str, stay: &str| {
            let mut event = event(id, kind, &started.room);
            event["room"]["sid"] = "RM_1".into();
            event["participant"]["sid"] = stay.into();
            if kind == "room_finished" {
                event["participant"] = Value::Null;
            }
            event
        };
        deliver(&service, &event("2", end, "PA_1")).await;
        deliver(&service, &event("1", "participant_joined", "PA_1")).await;
        assert_eq!(status(&visitor, &started).await, "in_progress");
        // Away for longer than the silence that would end it with the visitor there.
        service.clock.advance(Duration::minutes(29));
        assert_eq!(status(&visitor, &started).await, "in_progress", "{end}");
        service.clock.advance(Duration::minutes(6));
        assert_eq!(
            sweep(&service, &started).await,
            pair("completed", "idle"),
            "{end}"
        );
    }
}

#[tokio::test]
async fn an_old_room_neither_ends_nor_revives_a_conversation() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    deliver(&service, &event("1", "participant_joined", &started.room)).await;
    let resumed = visitor.resume(&started).await;
    deliver(&service, &event("2", "participant_joined", &resumed.room)).await;
    service
        .storage
        .record_room_removal(&started.room, service.state.now())
        .await
        .expect("storage works");
    for (number, kind) in ["participant_left", "room_finished"]
        .into_iter()
        .enumerate()
    {
        deliver(
            &service,
            &event(&format!("old{number}"), kind, &started.room),
        )
        .await;
        assert!(!is_to_be_removed(&service, &started.room).await);
    }
    // Nobody is away: silence ends it, not the shorter life of an abandoned conversation.
    service.clock.advance(Duration::minutes(9));
    assert_eq!(status(&visitor, &resumed).await, "in_progress");
    for (number, kind) in ["room_started", "participant_joined"]
        .into_iter()
        .enumerate()
    {
        deliver(
            &service,
            &event(&format!("back{number}"), kind, &started.room),
        )
        .await;
        assert!(is_to_be_removed(&service, &started.room).await, "{kind}");
        service
            .storage
            .record_room_removal(&started.room, service.state.now())
            .await
            .expect("storage works");
    }
    assert!(!is_to_be_removed(&service, &resumed.room).await);
}

#[tokio::test]
async fn a_visitor_who_joins_after_the_end_is_removed() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    visitor.end(&started).await.json(200);
    service
        .storage
        .record_room_removal(&started.room, service.state.now())
        .await
        .expect("storage works");
    deliver(&service, &event("1", "participant_joined", &started.room)).await;
    assert!(is_to_be_removed(&service, &started.room).await);
    assert_eq!(status(&visitor, &started).await, "completed");
}

/// The token of a visitor may be valid for longer than what was said.
#[tokio::test]
async fn a_visitor_who_joins_after_the_erasure_is_removed() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    deliver(&service, &event("1", "participant_joined", &started.room)).await;
    let path = format!("/core/conversations/{}", started.id);
    service.delete(&path).await.expect(204);
    for (number, (kind, is_removed)) in [
        ("participant_left", false),
        ("room_finished", false),
        ("room_started", true),
        ("participant_joined", true),
    ]
    .into_iter()
    .enumerate()
    {
        let removed = service
            .storage
            .record_room_removal(&started.room, service.state.now());
        removed.await.expect("storage works");
        let event = event(&format!("late{number}"), kind, &started.room);
        deliver(&service, &event).await;
        let found = is_to_be_removed(&service, &started.room).await;
        assert_eq!(found, is_removed, "{kind}");
    }
}

#[tokio::test]
async fn a_visitor_removed_from_a_closed_widget_is_away() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    deliver(&service, &event("1", "participant_joined", &started.room)).await;
    let path = format!("/core/web-widgets/{}", id(&visitor.widget));
    service
        .put(&path, &json!({"published": false}))
        .await
        .json(200);
    deliver(&service, &event("2", "room_finished", &started.room)).await;
    service.clock.advance(Duration::minutes(29));
    assert_eq!(status(&visitor, &started).await, "in_progress");
    // LiveKit's refreshed token opens the room again, also while the widget is closed.
    service
        .storage
        .record_room_removal(&started.room, service.state.now())
        .await
        .expect("storage works");
    deliver(&service, &event("3", "room_started", &started.room)).await;
    assert!(is_to_be_removed(&service, &started.room).await);
}

#[tokio::test]
async fn a_visitor_who_joins_after_another_node_closed_the_widget_is_removed() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    // This node knows the widget; the other one closes it and finds no conversation yet.
    let ticket = visitor.ticket().await;
    let path = format!("/core/web-widgets/{}", id(&visitor.widget));
    let other = service.another_node().await;
    other
        .put(&path, &json!({"published": false}))
        .await
        .json(200);
    let started = visitor.window("/conversations", &ticket, json!({})).await;
    let started: Started = started.json(201).into();
    assert!(!is_to_be_removed(&service, &started.room).await);
    deliver(&service, &event("1", "participant_joined", &started.room)).await;
    assert!(is_to_be_removed(&service, &started.room).await);
    assert_eq!(status(&visitor, &started).await, "token_created");
}

#[tokio::test]
async fn a_turn_of_the_visitor_replaces_a_lost_event() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let path = format!("/core/conversations/{}/messages", started.id);
    let turn = json!({"id": "m1", "role": "visitor", "text": "Are you open?"});
    service.clock.advance(Duration::minutes(9));
    service.post(&path, &turn).await.json(200);
    assert_eq!(status(&visitor, &started).await, "in_progress");
    service.clock.advance(Duration::minutes(9));
    assert_eq!(status(&visitor, &started).await, "in_progress");
    let transcript = service.get(&path).await.json(200);
    assert_eq!(transcript["room_name"], started.room.as_str());
    let resumed = visitor.resume(&started).await;
    let transcript = service.get(&path).await.json(200);
    assert_eq!(transcript["room_name"], resumed.room.as_str());
}

#[tokio::test]
async fn without_livekit_every_event_is_refused() {
    let service = Service::start().await;
    post(&service, "x", "{}")
        .await
        .problem(503, "livekit_not_configured");
}

#[tokio::test]
async fn names_that_nobody_generates_are_of_foreign_rooms() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    for strange in ["\0", "RM\u{1}", "R\u{e4}ume", &"x".repeat(4096)] {
        for place in ["/room/name", "/room/sid", "/participant/sid"] {
            let mut foreign = event("1", "participant_joined", &started.room);
            foreign["room"]["sid"] = "RM_1".into();
            foreign["participant"]["sid"] = "PA_1".into();
            *foreign.pointer_mut(place).expect("it is there") = strange.into();
            deliver(&service, &foreign).await;
            assert_eq!(status(&visitor, &started).await, "token_created", "{place}");
        }
    }
    // An event without a usable name is named by its bytes.
    let joined = event("\0", "participant_joined", &started.room);
    deliver(&service, &joined).await;
    assert_eq!(status(&visitor, &started).await, "in_progress");
}
