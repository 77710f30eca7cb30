//! Two services on one database: each has connections and caches of its own.

use futures_util::future::join_all;
use serde_json::json;
use time::Duration;
use widget_http::{settings::Settings, storage::SweepPosition};

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
async fn of_starts_at_once_on_two_nodes_no_more_succeed_than_may_wait() {
    let service = Service::start_with(|settings| {
        with_livekit(settings);
        settings.trusted_proxies = "::".parse().expect("a list of proxies");
    })
    .await;
    let visitor = Visitor::of(&service, json!({})).await;
    let other = service.another_node().await;
    for (addresses, expected) in [
        // An address of IPv4, one of IPv6 with its neighbors, and a network.
        (vec!["198.51.100.1".to_owned()], 5),
        (
            (1..=9)
                .map(|host| format!("2001:db8:1:1::{host}"))
                .collect(),
            5,
        ),
        (
            (1..=9).map(|net| format!("2001:db8:2:{net}::1")).collect(),
            7,
        ),
    ] {
        let change = |settings: &mut Settings| {
            settings.limits.budgets.unjoined_per_address = 5;
            settings.limits.budgets.unjoined_per_network = 7;
        };
        // Rates begin anew.
        let nodes = [
            service.another_node_with(change).await,
            other.another_node_with(change).await,
        ];
        let visitors = nodes.each_ref().map(|node| visitor.on(node));
        let starts = (0..20).map(|number| {
            let address = &addresses[number / 2 % addresses.len()];
            visitors[number % 2].try_start_from(address)
        });
        let answers = join_all(starts).await;
        let mut started = 0;
        for answer in &answers {
            match answer.status.as_u16() {
                201 => started += 1,
                _ => drop(answer.problem(429, "rate_limited")),
            }
        }
        assert_eq!(started, expected, "{addresses:?}");
    }
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
            .find_rooms_to_remove(node.state.now(), &SweepPosition::default(), 10)
            .await
            .expect("storage works");
        let names: Vec<_> = due.iter().map(|room| room.name.as_str()).collect();
        assert_eq!(names, [started.room.as_str()]);
    }
}
