//! Two services on one database.

use http::{Request, header};
use serde_json::{Value, json};
use time::Duration;
use tower::ServiceExt;

use super::support::{OWN, SHOP, Visitor, with_livekit};
use crate::support::{Answer, Service, id};

#[tokio::test]
async fn a_closed_widget_is_closed_everywhere_within_seconds() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let other = service.another_node();
    let ask = async || {
        let request = Request::get(visitor.path("")).header(header::ORIGIN, SHOP);
        let Ok(response) = other
            .clone()
            .oneshot(request.body(axum::body::Body::empty()).expect("a request"))
            .await;
        Answer::of(response).await
    };
    ask().await.json(200);
    let path = format!("/core/web-widgets/{}", id(&visitor.widget));
    service
        .put(&path, &json!({"published": false}))
        .await
        .json(200);
    service.clock.advance(Duration::seconds(5));
    ask().await.problem(403, "widget_unavailable");
}

#[tokio::test]
async fn tickets_and_tokens_are_good_on_every_node_and_tickets_once_in_all() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let other = service.another_node();
    let ask = async |tail: &str, token: &str, body: Value| {
        let request = Request::post(visitor.path(tail))
            .header(header::ORIGIN, OWN)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        let Ok(response) = other
            .clone()
            .oneshot(
                request
                    .body(axum::body::Body::from(body.to_string()))
                    .expect("a request"),
            )
            .await;
        Answer::of(response).await
    };
    let ticket = visitor.ticket().await;
    let started = ask("/conversations", &ticket, json!({}))
        .await
        .json(201)
        .into();
    visitor
        .window("/conversations", &ticket, json!({}))
        .await
        .problem(409, "ticket_replayed");
    let resumed = visitor.resume(&started).await;
    let end = format!("/conversations/{}/end", resumed.id);
    ask(&end, &started.token, json!({}))
        .await
        .problem(401, "conversation_token_invalid");
    ask(&end, &resumed.token, json!({})).await.json(200);
}

#[tokio::test]
async fn a_closed_widget_puts_its_visitors_out() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let path = format!("/core/web-widgets/{}", id(&visitor.widget));
    service
        .put(&path, &json!({"domains": ["https://other.example"]}))
        .await
        .json(200);
    let due = service
        .storage
        .find_rooms_to_remove(service.state.now(), 10)
        .await
        .expect("storage works");
    assert_eq!(
        due.iter()
            .map(|room| room.name.as_str())
            .collect::<Vec<_>>(),
        [started.room.as_str()]
    );
}
