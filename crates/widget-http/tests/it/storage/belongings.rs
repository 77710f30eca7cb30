//! What belongs to a conversation: messages, forms, feedback, rooms, events.

use serde_json::json;
use time::Duration;
use widget_core::{
    conversation::{
        EndReason, FeedbackError, Lifecycle, LifecycleLimits, Reporter, Role, room::RoomEvent,
        transcript::Message,
    },
    id::{ConversationId, WidgetId},
    origin::{AllowedOrigins, SuffixList},
    widget::Widget,
};
use widget_http::storage::{
    SaveFeedbackError, Storage, SweepPosition, WebhookEvent, WriteWidgetError,
};

use super::{
    agents::registered,
    conversations::new_conversation,
    number, organization,
    widgets::{AUTHOR, widget},
};
use crate::support::START;

#[expect(clippy::too_many_lines, reason = "one story, in order")]
pub(super) async fn messages_and_forms(storage: &dyn Storage) {
    let limits = LifecycleLimits::default();
    let new = new_conversation(&organization("messages"), 0x700, 0x7FF, "https://a.example");
    let id = new.conversation.id;
    storage.create_conversation(&new).await.expect("it is new");
    let now = START + Duration::hours(1);
    let message = |id: &str, text: &str, reported_by| Message {
        id: id.to_owned(),
        role: Role::Visitor,
        text: text.to_owned(),
        created_at: now,
        reported_by,
    };
    let first = message("1", "Grüße 👋\u{1}", Reporter::Agent);
    let second = message("2", "two", Reporter::Agent);
    let same_id = message("1", "by the window", Reporter::Visitor);
    assert_eq!(
        storage
            .append_messages(
                id,
                std::slice::from_ref(&first),
                now,
                &LifecycleLimits::default()
            )
            .await
            .expect("works"),
        1
    );
    let changed = message("1", "changed", Reporter::Agent);
    assert_eq!(
        storage
            .append_messages(
                id,
                &[changed, second.clone(), second.clone()],
                now,
                &LifecycleLimits::default()
            )
            .await
            .expect("works"),
        1
    );
    assert_eq!(
        storage
            .append_messages(
                id,
                std::slice::from_ref(&same_id),
                now,
                &LifecycleLimits::default()
            )
            .await
            .expect("works"),
        1
    );
    assert_eq!(
        storage.list_messages(id).await.expect("works"),
        [first, second, same_id]
    );

    assert!(
        storage
            .save_form(
                id,
                "contact",
                &json!({"email": "a@b.example"}),
                now,
                &limits
            )
            .await
            .expect("works")
    );
    assert!(
        storage
            .save_form(id, "order", &json!({"number": 7}), now, &limits)
            .await
            .expect("works")
    );
    assert!(
        storage
            .save_form(id, "order", &json!({"number": 8}), now, &limits)
            .await
            .expect("works")
    );
    let early = storage
        .save_feedback(id, &json!({"rating": 5}), true, None, START, &limits)
        .await;
    assert!(early.is_err(), "the conversation has not ended");
    let new_now = new.conversation.created_at;
    storage
        .transition_conversation(id, new_now, &LifecycleLimits::default(), &|lifecycle| {
            lifecycle.end(new_now, EndReason::Visitor, &LifecycleLimits::default())
        })
        .await
        .expect("works");
    assert!(
        !storage
            .save_form(id, "order", &json!({}), now, &limits)
            .await
            .expect("works")
    );
    storage
        .save_feedback(id, &json!({"rating": 5}), true, None, now, &limits)
        .await
        .expect("the first one");
    let again = storage
        .save_feedback(id, &json!({"rating": 1}), true, None, now, &limits)
        .await;
    let expected = FeedbackError::AlreadySubmitted;
    assert!(matches!(again, Err(SaveFeedbackError::Refused(refusal)) if refusal == expected));
    let kept = storage
        .find_conversation(id)
        .await
        .expect("works")
        .expect("it exists");
    let metadata: serde_json::Value = serde_json::from_str(&kept.custom_metadata).expect("JSON");
    assert_eq!(
        metadata,
        json!({
            "page": {"a": 1},
            "forms": {"contact": {"email": "a@b.example"}, "order": {"number": 8}},
            "feedback_form": {"rating": 5},
        })
    );
    assert_eq!(kept.lifecycle.feedback_at(), Some(now));
    let nobody = ConversationId::from_uuid(number(0x7AA));
    let missing = storage
        .save_feedback(nobody, &json!({}), true, None, now, &limits)
        .await;
    assert!(
        matches!(missing, Err(SaveFeedbackError::Missing)),
        "{missing:?}"
    );
}

pub(super) async fn rooms(storage: &dyn Storage) {
    let ours = organization("rooms");
    let (agent, version) = registered(storage, &ours, 0x8E0, true).await;
    let now = START + Duration::days(30);
    let serving = |entries: &[&str]| Widget {
        domains: AllowedOrigins::parse(entries, SuffixList::builtin()).expect("valid entries"),
        updated_at: now,
        ..widget(&ours, 0x8FF, agent, version, 0)
    };
    storage
        .publish_agent_version(&ours, agent, version, START)
        .await
        .expect("works");
    storage
        .insert_widget(&serving(&["a.example", "b.example"]), AUTHOR, None)
        .await
        .expect("it is new");
    for (id, origin) in [
        (0x800, "https://a.example"),
        (0x801, "https://b.example"),
        (0x802, "https://b.example"),
    ] {
        storage
            .create_conversation(&new_conversation(&ours, id, 0x8FF, origin))
            .await
            .expect("it is new");
    }
    let due = async |now| -> Vec<String> {
        let rooms = storage
            .find_rooms_to_remove(now, &SweepPosition::default(), 100)
            .await
            .expect("works");
        let mut names: Vec<String> = rooms.into_iter().map(|room| room.name).collect();
        names.retain(|name| ["room-2048", "room-2049", "room-2050"].contains(&name.as_str()));
        names.sort();
        names
    };
    let update = async |revision, entries: &[&str]| {
        storage
            .update_widget(&serving(entries), revision, AUTHOR)
            .await
    };
    // A refused write closes no room.
    let stale = update(7, &["a.example"]).await;
    assert!(matches!(stale, Err(WriteWidgetError::Stale)), "{stale:?}");
    assert_eq!(due(now).await, [""; 0]);
    for (revision, entries, closed_rooms) in [
        (1, &["b.example", "a.example"][..], 0),
        (2, &["a.example"], 2),
        (3, &["a.example", "c.example"], 0),
    ] {
        let updated = update(revision, entries).await.expect("it is current");
        assert_eq!(updated.closed_rooms, closed_rooms, "{entries:?}");
    }
    assert_eq!(due(now - Duration::microseconds(1)).await, [""; 0]);
    assert_eq!(due(now).await, ["room-2049", "room-2050"]);
    let id = WidgetId::from_uuid(number(0x8FF));
    let stale = storage
        .delete_widget(&ours, id, Some(1), "first", now)
        .await;
    assert!(matches!(stale, Err(WriteWidgetError::Stale)), "{stale:?}");
    assert_eq!(due(now).await, ["room-2049", "room-2050"]);
    let deleted = storage
        .delete_widget(&ours, id, Some(4), "first", now)
        .await;
    assert_eq!(deleted.expect("it is current"), Some(1));
    assert_eq!(due(now).await, ["room-2048", "room-2049", "room-2050"]);
    let retry = now + Duration::seconds(30);
    storage
        .record_failed_room_removal("room-2048", retry)
        .await
        .expect("works");
    for room in ["room-2049", "room-2050"] {
        let removed = storage.record_room_removal(room, now).await;
        removed.expect("works");
    }
    assert_eq!(due(now).await, [""; 0]);
    assert_eq!(due(retry).await, ["room-2048"]);
    let rooms = storage
        .find_rooms_to_remove(retry, &SweepPosition::default(), 100)
        .await;
    let rooms = rooms.expect("works");
    let failed = rooms.iter().find(|room| room.name == "room-2048");
    assert_eq!(failed.map(|room| room.attempts), Some(1));
    // LiveKit creates a room again when its visitor comes back with a refreshed token.
    let limits = LifecycleLimits::default();
    let start = async |room| {
        let event = WebhookEvent {
            id: room,
            room,
            happened: RoomEvent::Started,
            room_life: None,
            stay: None,
        };
        let marked = storage.apply_webhook_event(&event, retry, &limits).await;
        marked.expect("works")
    };
    assert!(start("room-2049").await);
    assert_eq!(due(retry).await, ["room-2048", "room-2049"]);
    // An unknown room is nothing to remove.
    assert!(!start("nowhere").await);
}

pub(super) async fn events(storage: &dyn Storage) {
    use RoomEvent::{OtherJoined, VisitorLeft};
    let limits = LifecycleLimits::default();
    let new = new_conversation(&organization("events"), 0x7C0, 0x7CF, "https://a.example");
    storage.create_conversation(&new).await.expect("it is new");
    let (id, room) = (new.conversation.id, new.room.name.as_str());
    let join = |lifecycle: Lifecycle| lifecycle.joined(START);
    let apply = async |event: &str, room: &str, happened: RoomEvent| {
        // A visitor who is back after the last event is away only by this one.
        storage
            .transition_conversation(id, START, &limits, &join)
            .await
            .expect("works");
        let event = WebhookEvent {
            id: event,
            room,
            happened,
            room_life: Some("RM_1"),
            stay: Some("PA_1"),
        };
        storage
            .apply_webhook_event(&event, START, &limits)
            .await
            .expect("works");
        let found = storage.find_conversation(id).await.expect("works");
        let found = found.expect("there is one");
        found.lifecycle.to_row().away_since.is_some()
    };
    // One of another service leaves no note.
    assert!(!apply("EV_1", "another", VisitorLeft).await);
    assert!(apply("EV_1", room, VisitorLeft).await);
    assert!(!apply("EV_1", room, VisitorLeft).await);
    assert!(!apply("EV_2", room, OtherJoined).await);
    storage.forget_expired(START, START).await.expect("works");
    assert!(!apply("EV_1", room, VisitorLeft).await);
    let later = START + Duration::seconds(1);
    storage.forget_expired(START, later).await.expect("works");
    assert!(apply("EV_1", room, VisitorLeft).await);
}

/// Feedback that is the first to store an end by the limits closes the rooms, as every end does.
pub(super) async fn end_by_feedback(storage: &dyn Storage) {
    let limits = LifecycleLimits::default();
    let new = new_conversation(&organization("late"), 0x7B0, 0x7BF, "https://a.example");
    let id = new.conversation.id;
    storage.create_conversation(&new).await.expect("it is new");
    storage
        .transition_conversation(id, START, &LifecycleLimits::default(), &|lifecycle| {
            lifecycle.joined(START)
        })
        .await
        .expect("works");
    let now = START + limits.max_length;
    storage
        .save_feedback(id, &json!({"rating": 5}), true, None, now, &limits)
        .await
        .expect("it is over");
    let room = storage.find_newest_room(id).await.expect("works");
    let room = room.expect("it has one");
    assert_eq!(room.removal_due_at, Some(now));
    storage
        .record_room_removal(&room.name, now)
        .await
        .expect("nothing is left for other tests");
}
