//! The registry of agents.

use sqlx::Connection as _;
use time::Duration;
use widget_core::id::{AgentId, AgentVersionId, OrganizationId};
use widget_http::storage::{Agent, ListPage, NewAgentVersion, Storage};

use super::{ALL, migrated, number, organization};
use crate::{
    database::{self, Database},
    support::START,
};

/// An agent with one version in the organization.
pub(super) async fn registered(
    storage: &dyn Storage,
    organization: &OrganizationId,
    base: u128,
    publish: bool,
) -> (AgentId, AgentVersionId) {
    let agent = Agent {
        id: AgentId::from_uuid(number(base)),
        organization_id: organization.clone(),
        name: format!("agent {base}"),
        created_at: START,
    };
    storage.insert_agent(&agent).await.expect("it is new");
    let version = NewAgentVersion {
        id: AgentVersionId::from_uuid(number(base + 1)),
        livekit_agent_name: "concierge".to_owned(),
        label: None,
        created_at: START,
    };
    let made = storage
        .insert_agent_version(organization, agent.id, &version)
        .await
        .expect("works");
    assert_eq!(made.expect("the agent exists").number, 1);
    if publish {
        storage
            .publish_agent_version(organization, agent.id, version.id, START)
            .await
            .expect("works");
    }
    (agent.id, version.id)
}

pub(super) async fn registry(storage: &dyn Storage) {
    let (ours, theirs) = (organization("agents"), organization("others"));
    let (agent, version) = registered(storage, &ours, 0x100, false).await;
    assert_eq!(
        storage.find_agent(&theirs, agent).await.expect("works"),
        None
    );
    let count = async |organization| {
        let found = storage.list_agents(organization, None, ALL).await;
        found.expect("works").len()
    };
    assert_eq!((count(&theirs).await, count(&ours).await), (0, 1));
    let next = NewAgentVersion {
        id: AgentVersionId::from_uuid(number(0x102)),
        livekit_agent_name: "b".to_owned(),
        label: Some("second".to_owned()),
        created_at: START,
    };
    assert_eq!(
        storage
            .insert_agent_version(&theirs, agent, &next)
            .await
            .expect("works"),
        None
    );
    let made = storage
        .insert_agent_version(&ours, agent, &next)
        .await
        .expect("works")
        .expect("the agent exists");
    assert_eq!(
        (made.number, made.label.as_deref(), made.published_at),
        (2, Some("second"), None)
    );
    let none = storage
        .list_agent_versions(&theirs, agent, i64::MAX, 9)
        .await;
    assert!(none.expect("works").is_empty());
    let numbers: Vec<i64> = storage
        .list_agent_versions(&ours, agent, i64::MAX, 9)
        .await
        .expect("works")
        .into_iter()
        .filter_map(|row| row.item.readable().map(|version| version.number))
        .collect();
    assert_eq!(numbers, [2, 1]);

    assert_eq!(
        storage
            .publish_agent_version(&theirs, agent, version, START)
            .await
            .expect("works"),
        None
    );
    let first = storage
        .publish_agent_version(&ours, agent, version, START)
        .await
        .expect("works");
    let again = storage
        .publish_agent_version(&ours, agent, version, START + Duration::days(1))
        .await
        .expect("works");
    assert_eq!(first, again);
    assert_eq!(first.expect("it exists").published_at, Some(START));

    assert!(
        !storage
            .delete_agent(&theirs, agent)
            .await
            .expect("nothing of theirs")
    );
    assert!(
        storage
            .delete_agent(&ours, agent)
            .await
            .expect("nothing points at it")
    );
    let none = storage.list_agent_versions(&ours, agent, i64::MAX, 9).await;
    assert!(none.expect("works").is_empty());
}

#[tokio::test]
async fn a_list_continues_behind_an_agent_without_a_readable_id() {
    let database = Database::create();
    let storage = migrated(&database).await;
    let ours = organization("unreadable");
    for id in 1..=3 {
        let agent = Agent {
            id: AgentId::from_uuid(number(id)),
            organization_id: ours.clone(),
            name: id.to_string(),
            created_at: START,
        };
        storage.insert_agent(&agent).await.expect("it is new");
    }
    let mut connection = database::Connection::connect(database.url())
        .await
        .expect("it can be opened");
    let damaged = sqlx::raw_sql("UPDATE agents SET id = x'ff' WHERE name = '3'")
        .execute(&mut connection)
        .await;
    connection.close().await.expect("it can be closed");
    // PostgreSQL refuses what is no UUID.
    if damaged.is_ok() {
        let page = ListPage {
            before: None,
            limit: 2,
        };
        let listed = storage.list_agents(&ours, None, page).await;
        let listed = listed.expect("the others are readable");
        assert_eq!((listed.len(), listed.has_more), (1, true));
    }
    storage.close().await;
}
