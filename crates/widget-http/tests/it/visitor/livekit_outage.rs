//! Many rooms to remove while LiveKit is away: no flood of requests, writes or log lines.

use serde_json::json;
use sqlx::Connection as _;
use time::Duration;
use widget_http::background;

use super::support::{Visitor, with_livekit};
use crate::{
    database,
    support::{LogLines, START, Service},
};

/// Rooms to remove; each has a row of its own.
const ROOMS: u32 = 100_000;

/// Adds rooms that are due, as if a visitor had resumed that often.
async fn add_rooms(service: &Service, id: &str) {
    let statement = format!(
        "INSERT INTO rooms (name, conversation_id, generation, created_at, removal_due_at, attempts)
         WITH RECURSIVE numbers (number) AS (
             SELECT 2 UNION ALL SELECT number + 1 FROM numbers WHERE number <= {ROOMS})
         SELECT 'room ' || number, id, number, created_at, created_at, 0
         FROM numbers CROSS JOIN conversations WHERE id = {id}"
    );
    execute(service, statement).await;
}

async fn execute(service: &Service, statement: String) {
    let mut connection = database::Connection::connect(service.database().url())
        .await
        .expect("it can be opened");
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .expect("it can be executed");
    connection.close().await.expect("it can be closed");
}

#[tokio::test]
async fn any_number_of_rooms_to_remove_is_one_warning_a_minute() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let id: widget_core::id::ConversationId = started.id.parse().expect("an id");
    add_rooms(&service, &database::uuid_literal(id.as_uuid())).await;

    let log = LogLines::capture();
    let mut tried = Vec::new();
    for _ in 0..180 {
        let count = background::remove_due_rooms(&service.state)
            .await
            .expect("storage works");
        if count > 0 {
            tried.push(((service.state.now() - START).whole_seconds(), count));
        }
        service.clock.advance(Duration::SECOND);
    }
    let expected = [
        (0, 50),
        (1, 1),
        (3, 1),
        (7, 1),
        (15, 1),
        (31, 1),
        (63, 1),
        (123, 1),
    ];
    assert_eq!(tried, expected);
    let warnings = log.with("WARN");
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(
        warnings
            .iter()
            .all(|line| line.contains(&format!("rooms={ROOMS}"))),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn an_unreadable_room_does_not_stop_the_removal_of_others_after_an_outage() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let (damaged, other) = (visitor.start().await, visitor.start().await);
    visitor.end(&damaged).await.json(200);
    service.clock.advance(Duration::MICROSECOND);
    visitor.end(&other).await.json(200);
    let condition = format!("name = '{}'", damaged.room);
    execute(&service, format!("{}{condition}", database::DAMAGE_ROOM)).await;
    for wait in [1, 2, 4] {
        let count = background::remove_due_rooms(&service.state).await;
        assert_eq!(count.expect("storage works"), 1, "before {wait} seconds");
        service.clock.advance(Duration::seconds(wait));
    }
}
