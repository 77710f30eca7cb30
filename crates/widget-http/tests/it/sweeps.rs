//! Sweeps of the background continue past any number of rows that this build cannot read.

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _};
use time::Duration;
use uuid::Uuid;
use widget_http::{
    background,
    storage::{Room, SweepPosition},
};

use super::{
    storage::releases::record,
    visitor::support::{Visitor, with_livekit},
};
use crate::{
    database::{self, uuid_literal},
    support::Service,
};

/// More than one batch.
const DAMAGED: usize = 60;

/// Adds copies of a row, each with other values in some columns, written as SQL.
async fn copy(
    connection: &mut database::Connection,
    table: &str,
    condition: &str,
    changes: impl Iterator<Item = Vec<(&str, String)>>,
) {
    let columns: Vec<(String, String)> = sqlx::query_as(database::COLUMNS)
        .bind(table)
        .fetch_all(&mut *connection)
        .await
        .expect("it can be asked");
    let columns: Vec<String> = columns.into_iter().map(|(column, _)| column).collect();
    for changes in changes {
        let value = |column: &String| {
            let other = changes.iter().find(|(name, _)| name == column);
            other.map_or_else(|| column.clone(), |(_, value)| value.clone())
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        let statement = format!(
            "INSERT INTO {table} ({}) SELECT {} FROM {table} WHERE {condition}",
            columns.join(", "),
            values.join(", ")
        );
        let done = sqlx::query(AssertSqlSafe(statement))
            .execute(&mut *connection)
            .await
            .expect("it can be copied");
        assert_eq!(done.rows_affected(), 1);
    }
}

fn ids(from: u128) -> impl Iterator<Item = Uuid> {
    (0..DAMAGED as u128).map(move |number| Uuid::from_u128(from + number))
}

/// After a time in which nothing could be forgotten, or while one table cannot be written.
#[tokio::test]
async fn what_has_expired_is_forgotten_in_small_parts_and_each_table_by_itself() {
    let service = Service::start().await;
    let connection = database::Connection::connect(service.database().url()).await;
    let mut connection = connection.expect("it can be opened");
    let numbers = "WITH RECURSIVE numbers(number) AS (
        SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 2500)
        SELECT CAST(number AS TEXT), number FROM numbers";
    for (table, time) in [
        ("used_tickets", "expires_at"),
        ("webhook_events", "received_at"),
    ] {
        let insert = format!("INSERT INTO {table} (id, {time}) {numbers}");
        let inserted = sqlx::query(AssertSqlSafe(insert)).execute(&mut connection);
        inserted.await.expect("it can be executed");
    }
    let mut execute = async |statement: &'static str| {
        let done = sqlx::raw_sql(statement).execute(&mut connection).await;
        done.expect("it can be executed");
    };
    execute("ALTER TABLE used_tickets RENAME TO elsewhere").await;
    let failed = background::forget_expired(&service.state).await;
    failed.expect_err("a table is missing");
    execute("ALTER TABLE elsewhere RENAME TO used_tickets").await;
    let mut count = async |table: &str| -> i64 {
        let count = format!("SELECT COUNT(*) FROM {table}");
        let count = sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&mut connection);
        count.await.expect("it can be asked")
    };
    assert_eq!(count("used_tickets").await, 2_500);
    assert_eq!(count("webhook_events").await, 0);
    let (forgotten, statements) = record(background::forget_expired(&service.state)).await;
    forgotten.expect("every table is there");
    assert_eq!(count("used_tickets").await, 0);
    let deleting = statements
        .iter()
        .filter(|one| one.contains("DELETE FROM used_tickets"));
    assert!(deleting.clone().all(|one| one.contains("LIMIT")));
    assert_eq!(deleting.count(), 1);
}

#[tokio::test]
async fn unreadable_rows_that_are_due_before_all_others_stop_no_sweep() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let limits = json!({"conversations_per_day": 9});
    service
        .put("/core/organization/limits", &limits)
        .await
        .json(200);
    let (ended, waiting) = (visitor.start().await, visitor.start().await);
    let settled = visitor.start().await;
    visitor.end(&ended).await.json(200);
    let url = service.database().url();
    let connection = database::Connection::connect(url).await;
    let mut connection = connection.expect("it can be opened");
    let of = |id: &str| format!("id = {}", uuid_literal(id.parse().expect("a UUID")));

    // Those whose state nobody knows, and where the database allows it, those without an id.
    let unknown = ids(0x1000).map(|id| {
        let status = ("status", "'sleeping'".to_owned());
        let day = ("budget_day", "1".to_owned());
        vec![
            ("id", uuid_literal(id)),
            status,
            day,
            ("due_at", "1".to_owned()),
        ]
    });
    copy(&mut connection, "conversations", &of(&waiting.id), unknown).await;
    let nameless = (0..DAMAGED).filter_map(|number| {
        let id = database::unreadable_id(number)?;
        let (status, day) = (
            ("status", "'failed'".to_owned()),
            ("budget_day", "1".to_owned()),
        );
        Some(vec![("id", id), status, day, ("due_at", "1".to_owned())])
    });
    copy(&mut connection, "conversations", &of(&waiting.id), nameless).await;
    // What a node of the release before leaves behind.
    let unsettled =
        "status = 'failed', end_reason = 'never_joined', ended_at = created_at, due_at = NULL";
    let unsettled = format!(
        "UPDATE conversations SET {unsettled} WHERE {}",
        of(&settled.id)
    );
    let done = sqlx::query(AssertSqlSafe(unsettled)).execute(&mut connection);
    assert_eq!(done.await.expect("it can be written").rows_affected(), 1);
    let rooms = (0..DAMAGED).map(|number| {
        let name = ("name", format!("'damaged {number}'"));
        let generation = ("generation", (number + 100).to_string());
        vec![name, generation, ("removal_due_at", "1".to_owned())]
    });
    let room = format!("name = '{}'", ended.room);
    copy(&mut connection, "rooms", &room, rooms).await;
    let damage = format!("{} name LIKE 'damaged %'", database::DAMAGE_ROOM);
    let damage = sqlx::raw_sql(AssertSqlSafe(damage));
    damage
        .execute(&mut connection)
        .await
        .expect("it is damaged");
    connection.close().await.expect("it can be closed");

    let today = async || {
        let body = service.get("/core/organization/limits").await.json(200);
        body["today"]["conversations"].clone()
    };
    assert_eq!(today().await, json!({"used": 0, "reserved": 2}));
    let done = background::settle_ended_conversations(&service.state).await;
    done.expect("the sweep continues");
    assert_eq!(today().await, json!({"used": 0, "reserved": 1}));

    service.clock.advance(Duration::minutes(30));
    let done = background::end_due_conversations(&service.state).await;
    assert_eq!(done.expect("the sweep continues"), 1);
    let path = format!("/core/conversations/{}", waiting.id);
    assert_eq!(service.get(&path).await.json(200)["status"], "failed");

    // LiveKit does not answer here; it is asked about both rooms all the same.
    let attempts = async || {
        let mut attempts = Vec::new();
        let mut next = Some(SweepPosition::default());
        let later = service.state.now() + Duration::DAY;
        while let Some(position) = next {
            let batch = service.storage.find_rooms_to_remove(later, &position, 50);
            let batch = batch.await.expect("storage works");
            attempts.extend(batch.items.iter().map(|room: &Room| room.attempts));
            next = batch.next;
        }
        attempts
    };
    assert_eq!(attempts().await, [0, 0]);
    let tried = background::remove_due_rooms(&service.state).await;
    assert_eq!(tried.expect("storage works"), 2);
    assert_eq!(attempts().await, [1, 1]);
}
