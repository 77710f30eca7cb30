//! Two services on one database: each has connections and caches of its own.

use serde_json::json;
use time::Duration;

use super::support::{SHOP, Started, Visitor, with_livekit};
use crate::support::{Service, id};

#[tokio::test]
async fn a_closed_widget_is_closed_everywhere_within_seconds() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let other = service.another_node().await;
    let launcher = async || {
        let origin = [("origin", SHOP)];
        other
            .call_with(None, "GET", &visitor.path(""), None, &origin)
            .await
    };
    launcher().await.json(200);
    let path = format!("/core/web-widgets/{}", id(&visitor.widget));
    service
        .put(&path, &json!({"published": false}))
        .await
        .json(200);
    // The other node still serves what it has in its cache, as long as that is promised.
    launcher().await.json(200);
    service.clock.advance(Duration::seconds(5));
    launcher().await.problem(403, "widget_unavailable");
}

#[tokio::test]
async fn tickets_and_tokens_are_valid_on_every_node_and_tickets_once_overall() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let other = service.another_node().await;
    let there = visitor.on(&other);
    let ticket = visitor.ticket().await;
    let started: Started = there
        .window("/conversations", &ticket, json!({}))
        .await
        .json(201)
        .into();
    visitor
        .window("/conversations", &ticket, json!({}))
        .await
        .problem(409, "ticket_replayed");
    let resumed = visitor.resume(&started).await;
    there
        .end(&started)
        .await
        .problem(401, "conversation_token_invalid");
    there.end(&resumed).await.json(200);
}

#[tokio::test]
async fn a_request_that_arrives_at_two_nodes_at_once_creates_once() {
    let service = Service::start().await;
    let other = service.another_node().await;
    let (agent, version) = service.agent(false).await;
    let body = json!({"agent_id": agent, "agent_version_id": version}).to_string();
    for round in 0..8 {
        let key = format!("round {round}");
        let headers = [("idempotency-key", key.as_str())];
        let create = async |node: &Service| {
            node.call("POST", "/core/web-widgets", Some(&body), &headers)
                .await
        };
        let answers = tokio::join!(create(&service), create(&other), create(&service));
        let first = answers.0.json(201);
        for answer in [&answers.1, &answers.2] {
            assert_eq!(answer.json(201), first, "{key}");
            assert_eq!(answer.header("location"), answers.0.header("location"));
        }
        let list = other.get("/core/web-widgets").await.json(200);
        assert_eq!(list.as_array().map(Vec::len), Some(round + 1));
    }
}

#[tokio::test]
async fn a_widget_that_one_node_closes_has_its_visitors_removed_by_every_node() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let other = service.another_node().await;
    let started = visitor.on(&other).start().await;
    let path = format!("/core/web-widgets/{}", id(&visitor.widget));
    service
        .put(&path, &json!({"domains": ["https://other.example"]}))
        .await
        .json(200);
    for node in [&service, &other] {
        let due = node
            .storage
            .find_rooms_to_remove(node.state.now(), 10)
            .await
            .expect("storage works");
        let names: Vec<_> = due.iter().map(|room| room.name.as_str()).collect();
        assert_eq!(names, [started.room.as_str()]);
    }
}
