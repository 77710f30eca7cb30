//! What the background tasks do.

use serde_json::json;
use time::Duration;
use widget_core::{
    conversation::{EndReason, LifecycleLimits},
    id::ConversationId,
};
use widget_http::{background, storage::SweepPosition};

use super::support::{Started, Visitor, with_livekit};
use crate::support::Service;

pub(super) async fn joined(service: &Service, started: &Started) {
    let id: ConversationId = started.id.parse().expect("an id");
    let now = service.state.now();
    service
        .storage
        .transition_conversation(id, now, &LifecycleLimits::default(), &|state| {
            state.joined(now)
        })
        .await
        .expect("storage works");
}

async fn left(service: &Service, started: &Started) {
    let id: ConversationId = started.id.parse().expect("an id");
    let now = service.state.now();
    service
        .storage
        .transition_conversation(id, now, &LifecycleLimits::default(), &|state| {
            state.left(now)
        })
        .await
        .expect("storage works");
}

/// Ends what is due and returns the stored status and reason of the conversation.
pub(super) async fn sweep(service: &Service, started: &Started) -> (String, String) {
    background::end_due_conversations(&service.state)
        .await
        .expect("storage works");
    let id: ConversationId = started.id.parse().expect("an id");
    let kept = service.storage.find_conversation(id).await;
    let kept = kept.expect("storage works").expect("it is kept").lifecycle;
    let reason = kept.end_reason().map(EndReason::as_str).unwrap_or_default();
    pair(kept.status().as_str(), reason)
}

pub(super) fn pair(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}

#[tokio::test]
async fn conversations_end_by_their_limits() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let (never, silent) = (visitor.start().await, visitor.start().await);
    let (away, long) = (visitor.start().await, visitor.start().await);
    for started in [&silent, &away, &long] {
        joined(&service, started).await;
    }
    left(&service, &away).await;
    let moment = Duration::microseconds(1);
    service.clock.advance(Duration::minutes(3) - moment);
    assert_eq!(sweep(&service, &never).await, pair("token_created", ""));
    service.clock.advance(moment);
    // LiveKit is asked where the visitors are and does not answer; that is waited for.
    assert_eq!(sweep(&service, &never).await, pair("token_created", ""));
    service.clock.advance(Duration::minutes(5));
    assert_eq!(
        sweep(&service, &never).await,
        pair("failed", "never_joined")
    );
    service.clock.advance(Duration::minutes(2) - moment);
    let word = json!({"id": "1", "role": "visitor", "text": "still here"});
    service
        .post(&format!("/core/conversations/{}/messages", long.id), &word)
        .await
        .json(200);
    service.clock.advance(moment);
    assert_eq!(sweep(&service, &silent).await, pair("in_progress", ""));
    service.clock.advance(Duration::minutes(5));
    assert_eq!(sweep(&service, &silent).await, pair("completed", "silence"));
    assert_eq!(sweep(&service, &away).await, pair("in_progress", ""));
    service.clock.advance(Duration::minutes(20));
    assert_eq!(sweep(&service, &away).await, pair("completed", "idle"));
    let rooms = service
        .storage
        .find_rooms_to_remove(service.state.now(), &SweepPosition::default(), 10)
        .await
        .expect("storage works");
    assert_eq!(rooms.len(), 4, "an ended conversation has no room left");
}

#[tokio::test]
async fn the_longest_conversation_ends_too() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    joined(&service, &started).await;
    for minute in 0..60 {
        let word =
            json!({"id": minute.to_string(), "role": "visitor", "text": "and another thing"});
        service
            .post(
                &format!("/core/conversations/{}/messages", started.id),
                &word,
            )
            .await
            .json(200);
        assert_eq!(sweep(&service, &started).await, pair("in_progress", ""));
        service.clock.advance(Duration::minutes(1));
    }
    assert_eq!(
        sweep(&service, &started).await,
        pair("completed", "max_length")
    );
}

#[tokio::test]
async fn removing_a_room_is_retried_while_livekit_is_down() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    visitor.end(&started).await.json(200);
    for wait in [1, 2, 4] {
        assert_eq!(
            background::remove_due_rooms(&service.state)
                .await
                .expect("storage works"),
            1
        );
        let room = service
            .storage
            .find_newest_room(started.id.parse().expect("an id"))
            .await
            .expect("storage works")
            .expect("it is kept");
        assert_eq!(
            room.removal_due_at,
            Some(service.state.now() + Duration::seconds(wait))
        );
        assert_eq!(room.removed_at, None);
        assert_eq!(
            background::remove_due_rooms(&service.state)
                .await
                .expect("storage works"),
            0
        );
        service.clock.advance(Duration::seconds(wait));
    }
}
