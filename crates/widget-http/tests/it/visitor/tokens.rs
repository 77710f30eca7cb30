//! What is inside the tokens that browsers get.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use time::Duration;

use super::{
    limits::assert_limited,
    support::{Visitor, with_livekit},
};
use crate::support::{START, Service};

/// The claims of a token, unverified.
fn claims(token: &Value) -> Value {
    let token = token.as_str().expect("a string");
    let payload = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64")).expect("JSON")
}

#[tokio::test]
async fn a_participant_token_grants_exactly_what_a_visitor_needs() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let form = json!({"custom_metadata": {"email": "visitor@example.com"}, "mode": "voice"});
    let body = visitor.try_start(form).await.json(201);
    let claims = claims(&body["participant_token"]);
    let identity = claims["sub"].as_str().expect("a string");
    assert!(
        identity.starts_with("guest_") && identity.len() >= 28,
        "{identity}"
    );
    let room = body["room_name"].as_str().expect("a string");
    assert!(room.len() >= 27, "128 bits in {room}");
    let metadata = json!({
        "conversation_id": body["conversation"]["id"], "agent_version_id": visitor.widget["agent_version_id"],
        "mode": "voice", "resumed": false,
    });
    let configuration = &claims["roomConfig"];
    let sent: Value = serde_json::from_str(
        configuration["agents"][0]["metadata"]
            .as_str()
            .expect("a string"),
    )
    .expect("metadata is JSON");
    assert_eq!(sent, metadata);
    let expected = json!({
        "iss": "devkey", "sub": identity, "nbf": START.unix_timestamp(), "exp": START.unix_timestamp() + 120,
        "video": {
            "roomJoin": true, "room": room, "canPublish": true, "canSubscribe": true, "canPublishData": true,
            "canPublishSources": ["microphone"],
        },
        "roomConfig": {
            "emptyTimeout": 60, "maxParticipants": 2,
            "agents": [{"agentName": "concierge", "metadata": configuration["agents"][0]["metadata"]}],
        },
    });
    assert_eq!(claims, expected);
    assert_eq!(body["server_url"], "wss://livekit.example");
}

#[tokio::test]
async fn the_agent_learns_that_a_conversation_is_resumed() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let resumed = visitor.resume(&started).await;
    let before = claims(&started.body["participant_token"]);
    let after = claims(&resumed.body["participant_token"]);
    assert_ne!(before["sub"], after["sub"]);
    assert_ne!(before["video"]["room"], after["video"]["room"]);
    let sent = after["roomConfig"]["agents"][0]["metadata"]
        .as_str()
        .expect("a string");
    assert!(sent.contains(r#""resumed":true"#), "{sent}");
}

#[tokio::test]
async fn a_ticket_lives_for_a_minute() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let (first, second) = (visitor.ticket().await, visitor.ticket().await);
    service
        .clock
        .advance(Duration::seconds(60) - Duration::microseconds(1));
    visitor
        .window("/conversations", &first, json!({}))
        .await
        .json(201);
    service.clock.advance(Duration::microseconds(1));
    visitor
        .window("/conversations", &second, json!({}))
        .await
        .problem(401, "ticket_expired");
}

#[tokio::test]
async fn a_ticket_can_be_used_once_for_its_widget() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let elsewhere = Visitor::of(&service, json!({})).await;
    let ticket = visitor.ticket().await;
    elsewhere
        .window("/conversations", &ticket, json!({}))
        .await
        .problem(403, "ticket_wrong_widget");
    visitor
        .window("/conversations", &ticket, json!({}))
        .await
        .json(201);
    visitor
        .window("/conversations", &ticket, json!({}))
        .await
        .problem(409, "ticket_replayed");
    visitor
        .window("/conversations", "", json!({}))
        .await
        .problem(401, "ticket_invalid");
    let started = visitor.start().await;
    // A conversation token is not accepted as a ticket, nor a ticket as a token.
    visitor
        .window("/conversations", &started.token, json!({}))
        .await
        .problem(401, "ticket_invalid");
    let tail = format!("/conversations/{}/end", started.id);
    let answer = visitor
        .window(&tail, &visitor.ticket().await, json!({}))
        .await;
    answer.problem(401, "conversation_token_invalid");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn rotated_keys_verify_until_their_tokens_are_gone() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let key = widget_http::visitors::signing::new_key(service.state.random.as_ref(), START)
        .expect("counting never fails");
    let key = widget_http::storage::SigningKey {
        created_at: START + Duration::seconds(5),
        ..key
    };
    service
        .storage
        .rotate_signing_key(&key, START - Duration::hours(25))
        .await
        .expect("storage works");
    // A node that has not seen the rotation yet is not disturbed by it, and follows within a
    // minute.
    visitor.read(&started).await.json(200);
    service.clock.advance(Duration::minutes(1));
    let newer = visitor.start().await;
    let key_of = |token: &str| jsonwebtoken::decode_header(token).expect("a token").kid;
    assert_ne!(key_of(&started.token), key_of(&newer.token));
    assert_eq!(key_of(&newer.token), Some(key.id));
    visitor.read(&started).await.json(200);
    service
        .clock
        .advance(Duration::hours(24) - Duration::minutes(1));
    visitor
        .read(&started)
        .await
        .problem(401, "conversation_token_invalid");
    visitor.read(&newer).await.json(200);
}

/// Before anything else is done for whoever has the token.
#[tokio::test]
async fn requests_with_one_token_are_limited() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let (started, other) = (visitor.start().await, visitor.start().await);
    let mut allowed = 0;
    // Time that passes allows further ones.
    let read = loop {
        let answer = visitor.read(&started).await;
        if answer.status != 200 {
            break answer;
        }
        allowed += 1;
        assert!(allowed < 5_000, "nothing is refused");
    };
    assert!(allowed >= 180, "{allowed}");
    let end = loop {
        let answer = visitor.end(&started).await;
        if answer.status != 200 {
            break answer;
        }
    };
    for refused in [read, end] {
        assert_limited(&refused, "rate_limited", r#""window-requests";q=180;w=60"#);
    }
    visitor.read(&other).await.json(200);
}
