//! A place where a conversation is started is locked from the beginning of the transaction, also
//! against nodes of another release.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use sqlx::Connection as _;
use widget_core::{id::OrganizationId, origin::SuffixList};
use widget_http::storage::{
    self, CreateConversationError, Location, NewConversation, ResumeError, Storage, StoreError,
};

use crate::{
    database::{self, Connection, Database},
    pgbouncer::PgBouncer,
    postgresql::storage::{
        conversations::{new_conversation, place, resume_at},
        organization,
    },
    support::LogLines,
};

/// How long a test waits for what has to happen.
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

async fn migrated(location: Location<'_>) -> Arc<dyn Storage> {
    let storage = storage::open(location, SuffixList::builtin().clone()).await;
    let storage = storage.expect("the server answers");
    storage.migrate().await.expect("it is empty");
    storage
}

/// Somebody who has locked a place, as every release does; the tests share one database.
async fn hold(database: &Database, place: &str) -> Connection {
    let holder = Connection::connect(database.url()).await;
    let mut holder = holder.expect("the server answers");
    let begun = sqlx::raw_sql("BEGIN").execute(&mut holder).await;
    begun.expect("nothing was begun");
    let locked = sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(place)
        .execute(&mut holder)
        .await;
    locked.expect("nobody else has it");
    holder
}

async fn release(mut holder: Connection) {
    let ended = sqlx::raw_sql("ROLLBACK").execute(&mut holder).await;
    ended.expect("it was begun");
    holder.close().await.expect("it can be closed");
}

/// Returns when so many wait for what this connection holds.
async fn wait_for(holder: &mut Connection, expected: i64) {
    let question = database::COUNT_WAITING.expect("the server can say so");
    let started = Instant::now();
    loop {
        let waiting: i64 = sqlx::query_scalar(question)
            .fetch_one(&mut *holder)
            .await
            .expect("it can be asked");
        if waiting == expected {
            return;
        }
        assert!(started.elapsed() < WAIT_TIMEOUT, "{waiting} wait");
        tokio::task::yield_now().await;
    }
}

fn start_at(ours: &OrganizationId, id: u128, address: &str) -> NewConversation {
    let mut new = new_conversation(ours, id, 0xEFF, "https://a.example");
    new.place = Some(place(address, None));
    new.budgets.unjoined_per_address = 100;
    new
}

/// Starts so many conversations at a place that somebody else has locked, and again after that.
async fn starts_wait_for_the_lock(
    location: Location<'_>,
    database: &Database,
    place: &str,
    count: usize,
) {
    let log = LogLines::capture_all();
    let storage = migrated(location).await;
    let ours = organization("locks");
    let ids = (0xE00..).take(count);
    let new: Vec<_> = ids.map(|id| start_at(&ours, id, place)).collect();
    let start_all = || join_all(new.iter().map(|new| storage.create_conversation(new)));
    let holder = hold(database, place).await;
    for outcome in start_all().await {
        assert!(
            matches!(
                outcome,
                Err(CreateConversationError::Store(StoreError::Unavailable(_)))
            ),
            "{outcome:?}"
        );
    }
    let elsewhere = start_at(&ours, 0xE30, "other");
    let elsewhere = storage.create_conversation(&elsewhere).await;
    elsewhere.expect("nobody has locked it");
    release(holder).await;
    // No ticket was used up, and no connection is left in a transaction that has failed.
    for outcome in start_all().await {
        outcome.expect("nobody has locked it");
    }
    storage.close().await;
    // Whoever reads the log does not learn which conversations are of one place.
    assert_ne!(log.with("a statement was slow"), [""; 0]);
    assert_eq!(log.with(place), [""; 0]);
}

#[tokio::test]
async fn a_start_waits_for_nodes_of_every_release() {
    let database = Database::create();
    // More than there are connections.
    starts_wait_for_the_lock(database.url().into(), &database, "place-direct", 20).await;
}

#[tokio::test]
async fn a_start_waits_behind_pgbouncer_too() {
    let database = Database::create();
    let bouncer = PgBouncer::by_transaction(&database);
    // More than there are connections behind it.
    starts_wait_for_the_lock(bouncer.location(&database), &database, "place-pooled", 4).await;
}

/// Neither has what the other needs: each locks the place first.
#[tokio::test]
async fn a_start_and_a_resume_with_one_ticket_do_not_wait_for_each_other() {
    let database = Database::create();
    let storage = migrated(database.url().into()).await;
    let ours = organization("tickets");
    let waiting = start_at(&ours, 0xE40, "elsewhere");
    storage.create_conversation(&waiting).await.expect("new");
    let new = start_at(&ours, 0xE41, "contested");
    let mut resume = resume_at(
        waiting.conversation.id,
        1,
        Some(place("contested", None)),
        new.budgets,
        waiting.conversation.created_at,
    );
    resume.ticket = new.ticket.clone();

    let mut holder = hold(&database, "contested").await;
    let other = Arc::clone(&storage);
    let starting = tokio::spawn(async move { other.create_conversation(&new).await });
    wait_for(&mut holder, 1).await;
    let other = Arc::clone(&storage);
    let resuming = tokio::spawn(async move { other.resume_conversation(&resume).await });
    wait_for(&mut holder, 2).await;
    release(holder).await;
    let started = starting.await.expect("it does not panic");
    started.expect("it was the first");
    let resumed = resuming.await.expect("it does not panic");
    assert!(
        matches!(resumed, Err(ResumeError::TicketReplayed)),
        "{resumed:?}"
    );
    storage.close().await;
}
