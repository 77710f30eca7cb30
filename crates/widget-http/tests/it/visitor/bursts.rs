//! More starts at once than the database can serve.

use futures_util::future::join_all;
use serde_json::json;
use sqlx::Connection as _;

use super::{limits::behind_a_proxy, support::Visitor};
use crate::{
    database::{self, Connection},
    support::Service,
};

/// More than a service has connections.
const STARTS: usize = 40;

async fn count(connection: &mut Connection, table: &'static str) -> i64 {
    let question = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
    let count = sqlx::query_scalar(question).fetch_one(connection).await;
    count.expect("it can be asked")
}

/// Each is refused in a way that says when to come again, nothing of it is written, and each ticket
/// still starts a conversation.
#[tokio::test]
async fn starts_that_wait_in_vain_are_refused_and_lose_nothing() {
    let service = Service::start_with(|settings| {
        behind_a_proxy(settings);
        settings.limits.budgets.widget_day.conversations = Some(1000);
    })
    .await;
    let visitor = Visitor::of(&service, json!({})).await;
    let mut tickets = Vec::new();
    for _ in 0..STARTS {
        tickets.push(visitor.ticket().await);
    }
    let start = |ticket| visitor.window("/conversations", ticket, json!({}));
    let mut holder = Connection::connect(service.database().url())
        .await
        .expect("it can be opened");
    let held = sqlx::raw_sql(database::HOLD_CONVERSATIONS)
        .execute(&mut holder)
        .await;
    held.expect("nobody else writes");
    for answer in join_all(tickets.iter().map(|ticket| start(ticket))).await {
        answer.problem(503, database::HELD);
        assert_eq!(answer.header("retry-after"), "1");
    }
    let released = sqlx::raw_sql("ROLLBACK").execute(&mut holder).await;
    released.expect("it was begun");
    for table in ["conversations", "rooms", "used_tickets"] {
        assert_eq!(count(&mut holder, table).await, 0, "{table}");
    }
    for ticket in &tickets {
        start(ticket).await.json(201);
    }
    for table in ["conversations", "rooms", "used_tickets"] {
        assert_eq!(count(&mut holder, table).await, 40, "{table}");
    }
}
