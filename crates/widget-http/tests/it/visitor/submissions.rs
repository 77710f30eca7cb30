//! What a window sends during and after a conversation: turns, forms, feedback.

use serde_json::{Value, json};
use time::Duration;

use super::support::{Started, Visitor, with_livekit};
use crate::support::{Answer, Service};

async fn send(visitor: &Visitor<'_>, started: &Started, tail: &str, body: Value) -> Answer {
    visitor
        .window(
            &format!("/conversations/{}/{tail}", started.id),
            &started.token,
            body,
        )
        .await
}

#[tokio::test]
async fn reported_turns_stay_marked_as_the_visitors() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let turns = json!({"messages": [
        {"id": "a", "role": "visitor", "text": "Hi"},
        {"id": "b", "role": "agent", "text": "Hello", "created_at": "2040-01-01T00:00:00Z"},
    ]});
    assert_eq!(
        send(&visitor, &started, "messages", turns.clone())
            .await
            .json(200),
        json!({"added": 2})
    );
    assert_eq!(
        send(&visitor, &started, "messages", turns).await.json(200),
        json!({"added": 0})
    );
    // A worker's message of the same id is another one, and its report is what is shown.
    let worker = json!({"id": "b", "role": "agent", "text": "Hello"});
    service
        .post(
            &format!("/core/conversations/{}/messages", started.id),
            &worker,
        )
        .await
        .json(200);
    let shown = visitor.read(&started).await.json(200);
    let texts: Vec<_> = shown["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|turn| &turn["text"])
        .collect();
    assert_eq!(texts, ["Hi", "Hello"]);
    assert_eq!(shown["messages"][1]["created_at"], "2026-01-31T09:30:00Z");

    // A worker gets the visitor's turns, with their reporter, but no agent turn that only the
    // window reported.
    let invented = json!({"messages": [{"id": "c", "role": "agent", "text": "I owe you money"}]});
    send(&visitor, &started, "messages", invented)
        .await
        .json(200);
    let read = service
        .get(&format!("/core/conversations/{}/messages", started.id))
        .await
        .json(200);
    let turns: Vec<_> = read["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|turn| (&turn["text"], &turn["reported_by"]))
        .collect();
    assert_eq!(
        turns,
        [
            (&json!("Hi"), &json!("visitor")),
            (&json!("Hello"), &json!("agent"))
        ]
    );
    let shown = visitor.read(&started).await.json(200);
    assert_eq!(shown["messages"][2]["text"], "I owe you money");

    let bad = json!({"messages": [{"id": "", "role": "visitor", "text": "x"}, {"id": "c", "role": "visitor", "text": "x".repeat(16 * 1024 + 1)}]});
    let answer = send(&visitor, &started, "messages", bad).await;
    answer.problem_at(422, "body_invalid", "/messages/0/id", "id_invalid");
    answer.problem_at(422, "body_invalid", "/messages/1/text", "too_long");
    let unknown_role = json!({"messages": [{"id": "c", "role": "owner", "text": "x"}]});
    let answer = send(&visitor, &started, "messages", unknown_role).await;
    answer.problem_at(422, "body_invalid", "/messages/0/role", "value_invalid");

    visitor.end(&started).await.json(200);
    let late = json!({"messages": [{"id": "d", "role": "visitor", "text": "x"}]});
    send(&visitor, &started, "messages", late)
        .await
        .problem(409, "conversation_ended");
}

fn config() -> Value {
    json!({"v1": {
        "forms": [{"id": "order", "name": "Order", "fields": [{"id": "number", "type": "number", "label": "Number", "required": true, "min": 1}]}],
        "post_conversation_feedback": {"enabled": true},
    }})
}

#[tokio::test]
async fn forms_are_checked_and_kept() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, config()).await;
    let started = visitor.start().await;
    let good = json!({"data": {"number": 7}});
    send(&visitor, &started, "forms/unknown", good.clone())
        .await
        .problem(404, "form_not_found");
    let bad = json!({"data": {"number": 0}});
    send(&visitor, &started, "forms/order", bad)
        .await
        .problem_at(422, "form_invalid", "/data/number", "value_out_of_range");
    let kept = send(&visitor, &started, "forms/order", good.clone())
        .await
        .json(200);
    assert_eq!(kept, json!({"form_id": "order", "data": {"number": 7}}));
    let read = service
        .get(&format!("/core/conversations/{}", started.id))
        .await
        .json(200);
    assert_eq!(
        read["custom_metadata"],
        json!({"forms": {"order": {"number": 7}}})
    );
    visitor.end(&started).await.json(200);
    send(&visitor, &started, "forms/order", good)
        .await
        .problem(409, "conversation_ended");
}

#[tokio::test]
async fn feedback_is_accepted_once_after_the_end() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, config()).await;
    let started = visitor.start().await;
    let good = json!({"data": {"rating": 5, "comment": "Quick"}});
    send(&visitor, &started, "feedback", good.clone())
        .await
        .problem(409, "conversation_active");
    visitor.end(&started).await.json(200);
    let bad = json!({"data": {"rating": 6}});
    send(&visitor, &started, "feedback", bad).await.problem_at(
        422,
        "form_invalid",
        "/data/rating",
        "value_out_of_range",
    );
    let kept = send(&visitor, &started, "feedback", good.clone())
        .await
        .json(201);
    assert_eq!(kept, good);
    send(&visitor, &started, "feedback", good.clone())
        .await
        .problem(409, "feedback_already_submitted");
    let read = service
        .get(&format!("/core/conversations/{}", started.id))
        .await
        .json(200);
    assert_eq!(
        read["custom_metadata"],
        json!({"feedback_form": good["data"]})
    );

    let silent = Visitor::of(&service, json!({})).await;
    let started = silent.start().await;
    silent.end(&started).await.json(200);
    send(&silent, &started, "feedback", good)
        .await
        .problem(409, "feedback_disabled");
}

#[tokio::test]
async fn a_window_that_reports_too_often_is_slowed_down() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let nothing = json!({"messages": []});
    // The limiter's own clock continues and allows one more each second.
    let mut taken = 0;
    let answer = loop {
        let answer = send(&visitor, &started, "messages", nothing.clone()).await;
        if answer.status.as_u16() != 200 {
            break answer;
        }
        taken += 1;
        assert!(taken < 6_000, "nobody is slowed down");
    };
    assert!(taken >= 60, "{taken}");
    answer.problem(429, "rate_limited");
    assert!(!answer.header("retry-after").is_empty());
    service.clock.advance(Duration::seconds(1));
    visitor.end(&started).await.json(200);
}
