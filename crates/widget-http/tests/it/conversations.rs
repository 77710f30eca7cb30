//! Conversations as their owner and the agent's worker see them.

use serde_json::{Value, json};
use time::Duration;
use widget_api::Scope;
use widget_core::{
    conversation::{Lifecycle, LifecycleLimits, Mode, budget::Budgets},
    id::ConversationId,
};
use widget_http::storage::{
    ConversationRecord, NewConversation, NewRoom, SweepPosition, UsedTicket,
};

use crate::support::{START, Service};

/// A conversation on a widget of the service, as the visitor's side makes it.
pub(crate) async fn start(
    service: &Service,
    widget: &Value,
    number: u128,
    origin: &str,
) -> ConversationId {
    let text = |key: &str| {
        widget[key]
            .as_str()
            .expect("a string of the record")
            .to_owned()
    };
    let id = ConversationId::from_uuid(uuid::Uuid::from_u128(number));
    let now = START + Duration::seconds(i64::try_from(number).expect("a small number"));
    let new = NewConversation {
        conversation: ConversationRecord {
            id,
            organization_id: text("organization_id").parse().expect("an id"),
            web_widget_id: text("id").parse().expect("an id"),
            preview_id: None,
            agent_id: text("agent_id").parse().expect("an id"),
            agent_version_id: text("agent_version_id").parse().expect("an id"),
            livekit_agent_name: "concierge".to_owned(),
            origin: origin.parse().expect("an origin"),
            lifecycle: Lifecycle::created(now),
            mode: Mode::Text,
            custom_metadata: r#"{"page":{"cart":3}}"#.to_owned(),
            generation: 1,
            repeat_used: false,
            created_at: now,
        },
        room: NewRoom {
            name: format!("room-{number}"),
            page_changed: false,
            message_waiting: false,
        },
        ticket: UsedTicket {
            id: format!("ticket-{number}"),
            expires_at: now + Duration::minutes(1),
        },
        place: None,
        budgets: Budgets::default(),
        limits: LifecycleLimits::default(),
    };
    service
        .storage
        .create_conversation(&new)
        .await
        .expect("it is new");
    id
}

/// A worker sees the end that the limits made, also before the sweep has stored it, and cannot end
/// the conversation again for a reason of its own.
#[tokio::test]
async fn a_worker_sees_the_end_that_the_limits_made() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let id = start(&service, &widget, 1, "https://shop.example").await;
    let path = format!("/core/conversations/{id}");
    let (now, limits) = (service.state.now(), &service.state.lifecycle_limits);
    service
        .storage
        .transition_conversation(id, now, limits, &|lifecycle| lifecycle.joined(now))
        .await
        .expect("storage works");
    service.clock.advance(Duration::hours(2));
    let read = service.get(&path).await.json(200);
    assert_eq!(
        (&read["status"], &read["is_open"], &read["end_reason"]),
        (&json!("completed"), &json!(false), &json!("silence"))
    );
    let transcript = service.get(&format!("{path}/messages")).await.json(200);
    assert_eq!(
        (&transcript["status"], &transcript["is_open"]),
        (&json!("completed"), &json!(false))
    );
    let end = format!("{path}/end");
    assert_eq!(service.call("POST", &end, None, &[]).await.json(200), read);
}

#[tokio::test]
async fn a_worker_reads_appends_and_ends() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let id = start(&service, &widget, 1, "https://shop.example").await;
    let path = format!("/core/conversations/{id}");
    let read = service.get(&path).await.json(200);
    assert_eq!(
        read,
        json!({
            "id": id.to_string(), "status": "token_created", "is_open": true, "web_widget_id": widget["id"],
            "agent_id": widget["agent_id"], "agent_version_id": widget["agent_version_id"], "channel": "webrtc",
            "mode": "text", "created_at": "2026-01-31T09:30:01Z", "joined_at": null, "active_at": null,
            "ended_at": null, "end_reason": null, "custom_metadata": {"page": {"cart": 3}},
        })
    );
    let messages = format!("{path}/messages");
    let first = json!({"id": "m1", "role": "agent", "text": "Hello", "created_at": "2026-01-31T10:30:00+01:00"});
    assert_eq!(
        service.post(&messages, &first).await.json(200),
        json!({"added": 1})
    );
    let both = json!({"messages": [
        {"id": "m1", "role": "agent", "text": "changed?"},
        {"id": "m2", "role": "visitor", "text": "Hi", "created_at": "2026-01-31T09:30:02Z"},
    ]});
    assert_eq!(
        service.post(&messages, &both).await.json(200),
        json!({"added": 1})
    );
    assert_eq!(
        service.post(&messages, &both).await.json(200),
        json!({"added": 0})
    );
    let transcript = service.get(&messages).await.json(200);
    assert_eq!(
        transcript,
        json!({
            // The visitor has spoken, so they are present, whatever LiveKit has reported.
            "status": "in_progress",
            "is_open": true,
            "custom_metadata": {"page": {"cart": 3}},
            "room_name": "room-1",
            "page_changed": false,
            "message_waiting": false,
            "messages": [
                {"id": "m1", "role": "agent", "text": "Hello", "created_at": "2026-01-31T09:30:00Z", "reported_by": "agent"},
                {"id": "m2", "role": "visitor", "text": "Hi", "created_at": "2026-01-31T09:30:02Z", "reported_by": "agent"},
            ],
        })
    );

    let end = format!("{path}/end");
    let ended = service.call("POST", &end, None, &[]).await.json(200);
    assert_eq!(
        (&ended["status"], &ended["end_reason"]),
        (&json!("completed"), &json!("agent"))
    );
    service.clock.advance(Duration::minutes(1));
    assert_eq!(service.call("POST", &end, None, &[]).await.json(200), ended);
    let due = service
        .storage
        .find_rooms_to_remove(START, &SweepPosition::default(), 10)
        .await
        .expect("storage works");
    assert_eq!(
        due.iter()
            .map(|room| room.name.as_str())
            .collect::<Vec<_>>(),
        ["room-1"]
    );
    // The last words may be reported after the end.
    let late = json!({"id": "m3", "role": "agent", "text": "Bye"});
    assert_eq!(
        service.post(&messages, &late).await.json(200),
        json!({"added": 1})
    );
    assert_eq!(service.get(&path).await.json(200), ended);
}

#[tokio::test]
async fn messages_out_of_bounds_are_refused_together() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let id = start(&service, &widget, 1, "https://shop.example").await;
    let path = format!("/core/conversations/{id}/messages");
    let answer = service
        .post(
            &path,
            &json!({"messages": [
                {"id": "ok", "role": "agent", "text": "fine"},
                {"id": "", "role": "agent", "text": "x"},
                {"id": "m", "role": "agent", "text": "x".repeat(40_000)},
            ]}),
        )
        .await;
    answer.problem_at(422, "body_invalid", "/messages/1/id", "id_invalid");
    answer.problem_at(422, "body_invalid", "/messages/2/text", "too_long");
    for (body, pointer, code) in [
        (json!({}), "", "value_invalid"),
        (json!({"id": "a", "role": "agent"}), "", "value_invalid"),
        (json!({"messages": [], "id": "a"}), "", "value_invalid"),
        (
            json!({"id": "a", "role": "system", "text": "x"}),
            "/role",
            "value_invalid",
        ),
        (
            json!({"messages": [{"id": "a", "role": "agent"}]}),
            "/messages/0/text",
            "key_missing",
        ),
        (
            json!({"messages": [{"id": "a", "role": "agent", "text": "x", "created_at": "today"}]}),
            "/messages/0/created_at",
            "value_invalid",
        ),
        // As workers send it that never set theirs.
        (
            json!({"id": "a", "role": "agent", "text": "x", "created_at": "0001-01-01T00:00:00Z"}),
            "/created_at",
            "time_invalid",
        ),
        (
            json!({"id": "a", "role": "agent", "text": "x", "created_at": "9999-01-01T00:00:00Z"}),
            "/created_at",
            "time_invalid",
        ),
    ] {
        service
            .post(&path, &body)
            .await
            .problem_at(422, "body_invalid", pointer, code);
    }
    assert_eq!(service.get(&path).await.json(200)["messages"], json!([]));
    for (id, created_at) in [("a", "1970-01-01T00:00:00Z"), ("b", "9998-12-31T23:59:59Z")] {
        let body = json!({"id": id, "role": "agent", "text": "x", "created_at": created_at});
        service.post(&path, &body).await.json(200);
        let kept = service.get(&path).await.json(200);
        let last = kept["messages"].as_array().and_then(|kept| kept.last());
        assert_eq!(
            last.map(|last| &last["created_at"]),
            Some(&json!(created_at))
        );
    }
}

#[tokio::test]
async fn what_was_said_needs_its_own_scope() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let id = start(&service, &widget, 1, "https://shop.example").await;
    let key = service.new_key("acme", &[Scope::ConversationsRead]).await;
    let path = format!("/core/conversations/{id}");
    let plain = service
        .call_with(Some(&key), "GET", &path, None, &[])
        .await
        .json(200);
    assert_eq!(plain.get("custom_metadata"), None);
    let other_key = service.new_key("other", Scope::ALL).await;
    for (method, tail, body) in [
        ("GET", "", None),
        ("GET", "/messages", None),
        ("POST", "/messages", Some(r#"{"messages":[]}"#)),
        ("POST", "/end", None),
    ] {
        let path = format!("{path}{tail}");
        service
            .call_with(Some(&other_key), method, &path, body, &[])
            .await
            .problem(404, "not_found");
    }
}

#[tokio::test]
async fn conversations_are_listed_and_filtered() {
    let service = Service::start().await;
    let widget = service.widget(json!({})).await;
    let other = service.widget(json!({})).await;
    let first = start(&service, &widget, 1, "https://shop.example").await;
    let second = start(&service, &other, 2, "https://shop.example").await;
    service
        .call(
            "POST",
            &format!("/core/conversations/{second}/end"),
            None,
            &[],
        )
        .await
        .expect(200);
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    for (query, expected) in [
        (String::new(), vec![second, first]),
        ("limit=1".to_owned(), vec![second]),
        ("status=completed".to_owned(), vec![second]),
        ("status=token_created".to_owned(), vec![first]),
        (
            format!("web_widget_id={}", text(&widget["id"])),
            vec![first],
        ),
        (
            format!("agent_id={}", text(&other["agent_id"])),
            vec![second],
        ),
        (
            format!("agent_version_id={}", text(&other["agent_version_id"])),
            vec![second],
        ),
        (
            "created_after=2026-01-31T09:30:01Z".to_owned(),
            vec![second],
        ),
        (
            "created_before=2026-01-31T09:30:02Z".to_owned(),
            vec![first],
        ),
    ] {
        let list = service
            .get(&format!("/core/conversations?{query}"))
            .await
            .json(200);
        let ids: Vec<String> = list
            .as_array()
            .expect("an array")
            .iter()
            .map(crate::support::id)
            .collect();
        assert_eq!(
            ids,
            expected.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "{query}"
        );
    }
    for query in [
        "status=over",
        "created_after=yesterday",
        "web_widget_id=1",
        "color=red",
    ] {
        service
            .get(&format!("/core/conversations?{query}"))
            .await
            .problem(422, "query_invalid");
    }
}

#[tokio::test]
async fn closing_a_widget_marks_the_rooms_it_no_longer_serves() {
    let service = Service::start().await;
    let widget = service
        .widget(json!({"domains": ["https://a.example", "https://b.example"]}))
        .await;
    start(&service, &widget, 1, "https://a.example").await;
    start(&service, &widget, 2, "https://b.example").await;
    let path = format!("/core/web-widgets/{}", crate::support::id(&widget));
    let marked = async || {
        let mut names: Vec<String> = service
            .storage
            .find_rooms_to_remove(START + Duration::hours(1), &SweepPosition::default(), 10)
            .await
            .expect("storage works")
            .into_iter()
            .map(|room| room.name)
            .collect();
        names.sort();
        names
    };
    service
        .put(&path, &json!({"config": {"v1": {"theme": "dark"}}}))
        .await
        .expect(200);
    assert_eq!(marked().await, [""; 0]);
    service
        .put(&path, &json!({"domains": ["https://b.example"]}))
        .await
        .expect(200);
    assert_eq!(marked().await, ["room-1"]);
    service
        .put(&path, &json!({"published": false}))
        .await
        .expect(200);
    assert_eq!(marked().await, ["room-1", "room-2"]);

    let widget = service.widget(json!({})).await;
    let id = start(&service, &widget, 3, "https://shop.example").await;
    service
        .delete(&format!(
            "/core/web-widgets/{}",
            crate::support::id(&widget)
        ))
        .await
        .expect(204);
    assert_eq!(marked().await, ["room-1", "room-2", "room-3"]);
    assert_eq!(
        service
            .get(&format!("/core/conversations/{id}"))
            .await
            .json(200)["web_widget_id"],
        widget["id"]
    );
}
