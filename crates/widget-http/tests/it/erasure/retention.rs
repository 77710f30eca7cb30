//! Content is erased by its age: as the operator, an organization or a widget says.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _};
use time::Duration;
use widget_core::conversation::{LifecycleLimits, Presence};
use widget_http::{background, settings::Settings};

use super::path;
use crate::{
    database::{self, Database},
    support::{Service, id},
    visitor::support::{Started, Visitor, with_livekit},
};

use super::super::{
    process::{Server, command, key, run},
    storage::{conversations::new_conversation, migrated},
};

const ORGANIZATION: &str = "/core/organization/retention";

fn ninety_days(settings: &mut Settings) {
    with_livekit(settings);
    settings.transcript_retention = Some(Duration::days(90));
}

async fn ended(visitor: &Visitor<'_>) -> Started {
    let started = visitor.start().await;
    visitor.end(&started).await.json(200);
    started
}

/// Whether each was erased, after a sweep.
async fn erased(service: &Service, all: &[&Started]) -> Vec<bool> {
    let sweep = background::erase_expired(&service.state).await;
    sweep.expect("storage works");
    let mut erased = Vec::new();
    for started in all {
        let read = service.get(&path(started)).await.json(200);
        let by = &read["erased_by"];
        assert!(by.is_null() || by == "retention", "{read}");
        erased.push(!by.is_null());
    }
    erased
}

#[tokio::test]
async fn the_shortest_time_that_is_set_counts() {
    let service = Service::start_with(ninety_days).await;
    let (short, long) = (
        Visitor::of(&service, json!({})).await,
        Visitor::of(&service, json!({})).await,
    );
    let (first, second) = (ended(&short).await, ended(&long).await);
    let of_widget = format!("/core/web-widgets/{}/retention", id(&short.widget));
    let set = service
        .put(&of_widget, &json!({"days": 10}))
        .await
        .json(200);
    assert_eq!(
        set,
        json!({"days": 10, "max_seconds": 90 * 86_400, "effective_seconds": 10 * 86_400})
    );
    let all = [&first, &second];
    service.clock.advance(Duration::days(10));
    assert_eq!(erased(&service, &all).await, [false, false]);
    service.clock.advance(Duration::SECOND);
    assert_eq!(erased(&service, &all).await, [true, false]);
    let set = service.put(ORGANIZATION, &json!({"days": 30})).await;
    assert_eq!(set.json(200)["effective_seconds"], 30 * 86_400);
    service.clock.advance(Duration::days(20));
    assert_eq!(erased(&service, &all).await, [true, true]);

    let third = ended(&long).await;
    service
        .put(ORGANIZATION, &json!({"days": null}))
        .await
        .json(200);
    let read = service.get(ORGANIZATION).await.json(200);
    let expected =
        json!({"days": null, "max_seconds": 90 * 86_400, "effective_seconds": 90 * 86_400});
    assert_eq!(read, expected);
    service.clock.advance(Duration::days(90));
    assert_eq!(erased(&service, &[&third]).await, [false]);
    service.clock.advance(Duration::SECOND);
    assert_eq!(erased(&service, &[&third]).await, [true]);
}

#[tokio::test]
async fn what_cannot_be_erased_keeps_no_other_one() {
    let service = Service::start_with(ninety_days).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let first = ended(&visitor).await;
    service.clock.advance(Duration::SECOND);
    let second = ended(&visitor).await;
    let connection = database::Connection::connect(service.database().url()).await;
    let mut connection = connection.expect("it can be opened");
    let refuse = database::refuse_changes(first.id.parse().expect("an id"));
    let refused = sqlx::raw_sql(AssertSqlSafe(refuse)).execute(&mut connection);
    refused.await.expect("it can be executed");
    connection.close().await.expect("it can be closed");
    service.clock.advance(Duration::days(90) + Duration::SECOND);
    assert_eq!(erased(&service, &[&first, &second]).await, [false, true]);
    // It alone is nothing for which another search comes at once.
    let again = background::erase_expired(&service.state).await;
    assert_eq!(again.expect("storage works"), 0);
}

#[tokio::test]
async fn a_key_can_only_shorten_the_time() {
    let service = Service::start_with(ninety_days).await;
    let widget = service.widget(json!({})).await;
    let of_widget = format!("/core/web-widgets/{}/retention", id(&widget));
    for path in [ORGANIZATION, &of_widget] {
        service.put(path, &json!({"days": 90})).await.json(200);
        for (days, code) in [(0, "body_invalid"), (91, "retention_too_long")] {
            let answer = service.put(path, &json!({"days": days})).await;
            answer.problem_at(422, code, "/days", "value_out_of_range");
        }
        for body in [json!({"days": -1}), json!({"days": "9"}), json!({"day": 9})] {
            let answer = service.put(path, &body).await;
            answer.problem(422, "body_invalid");
        }
        assert_eq!(service.get(path).await.json(200)["days"], 90);
    }
    let unknown = "/core/web-widgets/0197d1c0-7d30-7c2a-8a5d-0a4c2f6f4a01/retention";
    service.get(unknown).await.problem(404, "not_found");
    let answer = service.put(unknown, &json!({"days": 1})).await;
    answer.problem(404, "not_found");
}

#[tokio::test]
async fn nothing_is_erased_by_age_unless_it_is_set_and_over() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let (over, open) = (ended(&visitor).await, visitor.start().await);
    let nothing: Value = json!({"days": null, "max_seconds": null, "effective_seconds": null});
    assert_eq!(service.get(ORGANIZATION).await.json(200), nothing);
    service.clock.advance(Duration::days(4_000));
    assert_eq!(erased(&service, &[&over, &open]).await, [false, false]);
    // Two nodes at once erase each once.
    service
        .put(ORGANIZATION, &json!({"days": 1}))
        .await
        .json(200);
    let node = service.another_node().await;
    let (one, other) = tokio::join!(
        background::erase_expired(&service.state),
        background::erase_expired(&node.state)
    );
    assert!(one.expect("storage works") + other.expect("storage works") >= 1);
    assert_eq!(erased(&service, &[&over, &open]).await, [true, false]);
}

/// The service by itself, with nothing but the setting.
#[tokio::test]
async fn a_running_service_erases_by_age() {
    let database = Database::create();
    let storage = migrated(&database).await;
    let acme = "acme".parse().expect("a valid organization");
    let new = new_conversation(&acme, 1, 2, "https://a.example");
    storage.create_conversation(&new).await.expect("it is new");
    let (id, limits) = (new.conversation.id, LifecycleLimits::default());
    let later = new.conversation.created_at + Duration::DAY;
    let ended = storage
        .settle_conversation(id, Presence::Absent, later, &limits)
        .await;
    ended.expect("storage works");
    storage.close().await;
    let refused = run(&database, &["serve", "--transcript-retention", "soon"]);
    assert_eq!(refused.status.code(), Some(2));
    let key = key(&database, &["conversations:manage"]);
    let server = Server::start_as(command(&database).args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--transcript-retention",
        "1d",
    ]));
    let path = format!("/core/conversations/{id}");
    let begin = std::time::Instant::now();
    loop {
        assert!(
            begin.elapsed() < std::time::Duration::from_mins(1),
            "it erases nothing"
        );
        let answer = server.request("GET", &path, &key, "").expect("it answers");
        assert_eq!(answer.0, 200, "{}", answer.1);
        let read: Value = serde_json::from_str(&answer.1).expect("JSON");
        if read["erased_by"] == "retention" {
            break;
        }
        tokio::task::yield_now().await;
    }
}
