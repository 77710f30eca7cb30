//! One contract for every database behind the storage trait.

use std::sync::Arc;

use time::OffsetDateTime;
use uuid::Uuid;
use widget_core::{
    id::{AgentVersionId, OrganizationId, WidgetId},
    origin::SuffixList,
};
use widget_http::storage::{
    self, ConversationFilter, CreateConversationError, ListPage, Location, NewAgentVersion, Storage,
};

use crate::{database::Database, support::START};

mod agents;
mod belongings;
pub(crate) mod builds;
pub(crate) mod conversations;
mod deleted_widgets;
mod erasures;
mod faults;
mod keys;
mod older_schema;
pub(crate) mod releases;
mod upgrades;
mod widgets;
mod workers;

/// A time as it is stored.
fn micros(time: OffsetDateTime) -> i64 {
    i64::try_from(time.unix_timestamp_nanos() / 1_000).expect("it is a time of today")
}

const ALL: ListPage = ListPage {
    before: None,
    limit: 100,
};

/// What every database must do. It is given an empty, migrated one.
async fn contract(storage: Arc<dyn Storage>) {
    let storage = storage.as_ref();
    storage.ping().await.expect("the database answers");
    assert_eq!(
        storage
            .migrate()
            .await
            .expect("migrating twice is harmless"),
        0
    );
    assert_eq!(
        storage.pending_migrations().await.expect("it can be asked"),
        [""; 0]
    );
    Box::pin(keys::api_keys(storage)).await;
    Box::pin(keys::created_keys(storage)).await;
    Box::pin(keys::signing_keys(storage)).await;
    Box::pin(agents::registry(storage)).await;
    Box::pin(widgets::records(storage)).await;
    Box::pin(widgets::lists(storage)).await;
    Box::pin(widgets::repeated_requests(storage)).await;
    Box::pin(widgets::revisions(storage)).await;
    Box::pin(deleted_widgets::restoring(storage)).await;
    Box::pin(deleted_widgets::lists(storage)).await;
    Box::pin(conversations::life(storage)).await;
    Box::pin(conversations::resuming(storage)).await;
    Box::pin(conversations::places(storage)).await;
    Box::pin(conversations::limits(storage)).await;
    Box::pin(belongings::messages_and_forms(storage)).await;
    Box::pin(belongings::end_by_feedback(storage)).await;
    Box::pin(belongings::rooms(storage)).await;
    Box::pin(belongings::events(storage)).await;
    Box::pin(builds::builds(storage)).await;
    Box::pin(erasures::erasing(storage)).await;
    Box::pin(erasures::jobs(storage)).await;
    Box::pin(erasures::retention(storage)).await;
}

#[tokio::test]
async fn the_contract_is_kept() {
    let database = Database::create();
    Box::pin(keep_contract(database.url().into(), database.url())).await;
}

/// What every database must do, by two services that start at once; `url` leads to the database
/// itself.
pub(crate) async fn keep_contract(location: Location<'_>, url: &str) {
    let open = || storage::open(location, SuffixList::builtin().clone());
    let first = open().await.expect("the database can be opened");
    let second = open().await.expect("a second service opens it");
    let missing = first
        .pending_migrations()
        .await
        .expect("it can be asked")
        .len();
    // Two services that start at once migrate once.
    let (one, other) = tokio::join!(first.migrate(), second.migrate());
    assert_eq!(one.expect("migrates") + other.expect("migrates"), missing);
    Box::pin(contract(Arc::clone(&first))).await;
    concurrent(Arc::clone(&first), Arc::clone(&second)).await;
    deleted_widgets::restored_once(first.as_ref(), second.as_ref()).await;
    upgrades::places_of_older_nodes(Arc::clone(&first), url).await;
    upgrades::without_due_time(Arc::clone(&first), url).await;
    upgrades::with_a_newer_schema(Arc::clone(&first), url).await;
    upgrades::with_another_type(Arc::clone(&first), url).await;
    first.close().await;
    second.close().await;
}

/// An empty database with every migration.
pub(crate) async fn migrated(database: &Database) -> Arc<dyn Storage> {
    let storage = storage::open(database.url(), SuffixList::builtin().clone()).await;
    let storage = storage.expect("the database can be opened");
    storage.migrate().await.expect("it is empty");
    storage
}

pub(crate) fn organization(name: &str) -> OrganizationId {
    name.parse().expect("a valid organization")
}

fn number(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// Two services on one database: what must happen once happens once, and nobody waits forever.
async fn concurrent(first: Arc<dyn Storage>, second: Arc<dyn Storage>) {
    let ours = organization("concurrent");
    let mut tasks = tokio::task::JoinSet::new();
    // Few enough that each has its turn within the timeout of a writer, however slow the disk is.
    for index in 0..16_u128 {
        let storage = Arc::clone(if index % 2 == 0 { &first } else { &second });
        let mut new =
            conversations::new_conversation(&ours, 0x900 + index, 0x9FF, "https://a.example");
        new.ticket.id = format!("shared {}", index / 4);
        tasks.spawn(async move { storage.create_conversation(&new).await });
    }
    let mut created = 0;
    while let Some(outcome) = tasks.join_next().await {
        match outcome.expect("no task panics") {
            Ok(()) => created += 1,
            Err(CreateConversationError::TicketReplayed) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(created, 4);
    let filter = ConversationFilter {
        web_widget_id: Some(WidgetId::from_uuid(number(0x9FF))),
        ..ConversationFilter::default()
    };
    let listed = second.list_conversations(&ours, &filter, ALL).await;
    assert_eq!(listed.expect("works").items.len(), 4);

    let (agent, _) = agents::registered(first.as_ref(), &ours, 0xA00, false).await;
    let mut tasks = tokio::task::JoinSet::new();
    for index in 0..10_u128 {
        let storage = Arc::clone(if index % 2 == 0 { &first } else { &second });
        let (ours, id) = (
            ours.clone(),
            AgentVersionId::from_uuid(number(0xA10 + index)),
        );
        let version = NewAgentVersion {
            id,
            livekit_agent_name: "x".to_owned(),
            label: None,
            created_at: START,
        };
        tasks.spawn(async move { storage.insert_agent_version(&ours, agent, &version).await });
    }
    let mut numbers = Vec::new();
    while let Some(outcome) = tasks.join_next().await {
        numbers.push(
            outcome
                .expect("no task panics")
                .expect("works")
                .expect("the agent exists")
                .number,
        );
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (2..=11).collect::<Vec<i64>>());
}
