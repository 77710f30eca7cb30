//! What an erased conversation had reserved of a day is settled with it, to the second.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _};
use time::Duration;
use widget_http::background;

use super::{path, run_jobs};
use crate::{
    database,
    support::{Service, id},
    visitor::{
        limits::join,
        support::{Started, Visitor, with_livekit},
    },
};

/// Used and reserved conversations, then seconds of voice.
type Day = [(i64, i64); 2];

const ORGANIZATION: &str = "/core/organization/limits";

/// How conversations are erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    OneByOne,
    Job,
    /// They ended on a node of the release before, which settles nothing.
    Age,
}

async fn execute(service: &Service, started: &Started, assignment: &str) {
    let connection = database::Connection::connect(service.database().url()).await;
    let mut connection = connection.expect("it can be opened");
    let literal = database::uuid_literal(started.id.parse().expect("an id"));
    let statement = format!("UPDATE conversations SET {assignment} WHERE id = {literal}");
    let done = sqlx::query(AssertSqlSafe(statement));
    let done = done.execute(&mut connection).await.expect("it is valid");
    assert_eq!(done.rows_affected(), 1);
    connection.close().await.expect("it can be closed");
}

/// The widget's day and the organization's, which are always the same here.
async fn today(visitor: &Visitor<'_>) -> Day {
    let of_widget = format!("/core/web-widgets/{}/limits", id(&visitor.widget));
    let mut days = Vec::new();
    for path in [of_widget.as_str(), ORGANIZATION] {
        let body = visitor.service.get(path).await.json(200);
        days.push(["conversations", "voice_seconds"].map(|what| {
            let number = |key: &str| body["today"][what][key].as_i64().expect("a number");
            (number("used"), number("reserved"))
        }));
    }
    assert_eq!(days[0], days[1]);
    days[0]
}

async fn erase(service: &Service, all: &[&Started], way: Way) {
    match way {
        Way::OneByOne => {
            for started in all {
                service.delete(&path(started)).await.expect(204);
            }
        }
        Way::Job => {
            let body = json!({"filter": {"created_after": "2020-01-01T00:00:00Z"}});
            let begun = service.post("/core/conversations/erase", &body).await;
            let job = format!("/core/erasure-jobs/{}", id(&begun.json(202)));
            run_jobs(service).await;
            assert_eq!(service.get(&job).await.json(200)["erased"], all.len());
        }
        Way::Age => {
            let now = service.state.now().unix_timestamp_nanos() / 1_000;
            for started in all {
                let ended = format!(
                    "ended_at = {now}, due_at = NULL, end_reason = 'agent', status =
                     CASE WHEN status = 'token_created' THEN 'failed'
                          WHEN status = 'in_progress' THEN 'completed' ELSE status END"
                );
                execute(service, started, &ended).await;
            }
            let node = service
                .another_node_with(|settings| settings.transcript_retention = Some(Duration::HOUR))
                .await;
            // Of the same day, so that it can be read.
            service.clock.advance(Duration::minutes(61));
            let erased = background::erase_expired(&node.state).await;
            assert_eq!(erased.expect("storage works"), all.len());
        }
    }
    for started in all {
        let read = service.get(&path(started)).await.json(200);
        assert!(read["erased_at"].is_string(), "{way:?}: {read}");
    }
}

async fn limited() -> Service {
    let service = Service::start_with(with_livekit).await;
    let limits = json!({"conversations_per_day": 9, "voice_minutes_per_day": 60});
    service.put(ORGANIZATION, &limits).await.json(200);
    service
}

async fn visit(service: &Service) -> Visitor<'_> {
    let visitor = Visitor::of(service, json!({})).await;
    let of_widget = format!("/core/web-widgets/{}/limits", id(&visitor.widget));
    let limits = json!({"conversations_per_day": 9, "voice_minutes_per_day": 60});
    service.put(&of_widget, &limits).await.json(200);
    visitor
}

async fn call(visitor: &Visitor<'_>) -> Started {
    let start: Value = json!({"mode": "voice"});
    visitor.try_start(start).await.json(201).into()
}

#[tokio::test]
async fn what_was_reserved_is_settled_however_it_is_erased() {
    for way in [Way::OneByOne, Way::Job, Way::Age] {
        let service = limited().await;
        let visitor = visit(&service).await;
        let unjoined = visitor.start().await;
        let waiting = call(&visitor).await;
        let running = call(&visitor).await;
        join(&service, &running).await;
        assert_eq!(today(&visitor).await, [(1, 2), (0, 300)]);
        service.clock.advance(Duration::milliseconds(61_500));
        erase(&service, &[&unjoined, &waiting, &running], way).await;
        assert_eq!(today(&visitor).await, [(1, 0), (62, 0)], "{way:?}");
        // Once.
        service.delete(&path(&running)).await.expect(204);
        assert_eq!(today(&visitor).await, [(1, 0), (62, 0)], "{way:?}");
    }
}

/// As far as what it has reserved can be read.
#[tokio::test]
async fn what_was_reserved_by_a_damaged_conversation_is_settled() {
    for way in [Way::OneByOne, Way::Job, Way::Age] {
        let service = limited().await;
        let visitor = visit(&service).await;
        let (unjoined, running) = (visitor.start().await, call(&visitor).await);
        join(&service, &running).await;
        for started in [&unjoined, &running] {
            execute(&service, started, "status = 'sleeping'").await;
        }
        service.clock.advance(Duration::seconds(90));
        assert_eq!(today(&visitor).await, [(1, 1), (0, 300)]);
        erase(&service, &[&unjoined, &running], way).await;
        // When it ended cannot be read: the whole reservation was used by then.
        let seconds = if way == Way::Age { 300 } else { 90 };
        assert_eq!(today(&visitor).await, [(1, 0), (seconds, 0)], "{way:?}");
    }
}

#[tokio::test]
async fn a_reservation_that_cannot_be_read_keeps_nobody_from_erasing() {
    for way in [Way::OneByOne, Way::Job, Way::Age] {
        let service = limited().await;
        let visitor = visit(&service).await;
        let (damaged, other) = (visitor.start().await, visitor.start().await);
        execute(&service, &damaged, "budget_state = 'borrowed'").await;
        erase(&service, &[&damaged, &other], way).await;
        assert_eq!(today(&visitor).await, [(0, 1), (0, 0)], "{way:?}");
    }
}
