//! Widgets and their lists.

use sqlx::Connection as _;
use time::Duration;
use widget_core::{
    config::Config,
    go_live::PinnedVersion,
    id::{AgentId, AgentVersionId, OrganizationId, WidgetId},
    origin::{AllowedOrigins, SuffixList},
    widget::Widget,
};
use widget_http::storage::{
    Author, DeleteAgentError, IdempotentRequest, InsertedWidget, ListPage, NotedEffects,
    RepeatableRequest, Storage, StoredWidget, WidgetFilter, WidgetRevision, WriteWidgetError,
};

use super::{ALL, agents::registered, micros, migrated, number, organization};
use crate::{
    database::{self, Database},
    support::START,
};

pub(super) const AUTHOR: Author<'static> = Author {
    api_key_id: "first",
    restored_from: None,
    directory: None,
};

pub(super) fn widget(
    organization: &OrganizationId,
    id: u128,
    agent: AgentId,
    version: AgentVersionId,
    seconds: i64,
) -> Widget {
    let domains = AllowedOrigins::parse(&["shop.example", "*.shop.example"], SuffixList::builtin());
    Widget {
        id: WidgetId::from_uuid(number(id)),
        organization_id: organization.clone(),
        agent_id: agent,
        agent_version_id: version,
        domains: domains.expect("valid entries"),
        published: true,
        config: Config::parse(r#"{"v1":{"theme":"dark","x":1.50,"ü":"\u0000"},"v7":{}}"#)
            .expect("a valid config"),
        created_at: START + Duration::seconds(seconds),
        updated_at: START + Duration::seconds(seconds),
    }
}

#[expect(clippy::too_many_lines, reason = "one story, in order")]
pub(super) async fn records(storage: &dyn Storage) {
    let (ours, theirs) = (organization("widgets"), organization("others"));
    let (agent, version) = registered(storage, &ours, 0x200, false).await;
    let (foreign_agent, foreign_version) = registered(storage, &theirs, 0x210, true).await;
    let record = widget(&ours, 0x220, agent, version, 0);

    let dangling = |agent, version| Widget {
        agent_id: agent,
        agent_version_id: version,
        ..record.clone()
    };
    for (record, expected) in [
        (
            dangling(foreign_agent, version),
            (Some(foreign_agent), None),
        ),
        (
            dangling(agent, foreign_version),
            (None, Some(foreign_version)),
        ),
        (
            dangling(foreign_agent, foreign_version),
            (Some(foreign_agent), Some(foreign_version)),
        ),
    ] {
        match storage.insert_widget(&record, AUTHOR, None).await {
            Err(WriteWidgetError::Dangling { agent, version }) => {
                assert_eq!((agent, version), expected);
            }
            other => panic!("unexpected {other:?}"),
        }
    }
    assert!(
        storage
            .find_public_widget(record.id)
            .await
            .expect("works")
            .is_none()
    );

    let InsertedWidget::New(stored) = storage
        .insert_widget(&record, AUTHOR, None)
        .await
        .expect("it is new")
    else {
        panic!("nothing came before")
    };
    assert_eq!(
        (&stored.widget, stored.revision, stored.pinned),
        (&record, 1, PinnedVersion::Draft)
    );
    assert_eq!(stored.widget.config.as_json(), record.config.as_json());
    assert_eq!(stored.livekit_agent_name.as_deref(), Some("concierge"));
    assert!(
        storage
            .find_widget(&theirs, record.id)
            .await
            .expect("works")
            .is_none()
    );
    assert_eq!(
        storage
            .find_widget(&ours, record.id)
            .await
            .expect("works")
            .expect("it is kept")
            .widget,
        record.clone().into()
    );
    storage
        .publish_agent_version(&ours, agent, version, START)
        .await
        .expect("works");
    let read = storage
        .find_public_widget(record.id)
        .await
        .expect("works")
        .expect("it is kept");
    assert_eq!(read.pinned, PinnedVersion::Published);

    let (other_agent, other_version) = registered(storage, &ours, 0x230, true).await;
    let changed = Widget {
        agent_version_id: other_version,
        published: false,
        domains: AllowedOrigins::default(),
        updated_at: START + Duration::hours(1),
        ..record.clone()
    };
    let updated = storage
        .update_widget(&changed, 1, AUTHOR)
        .await
        .expect("revision 1 is current");
    let stored = updated.stored;
    assert_eq!(
        (&stored.widget, stored.revision, stored.pinned),
        (&changed, 2, PinnedVersion::OtherAgent)
    );
    assert!(matches!(
        storage.update_widget(&record, 1, AUTHOR).await,
        Err(WriteWidgetError::Stale)
    ));
    let bad = Widget {
        agent_id: foreign_agent,
        ..changed.clone()
    };
    let refused = storage.update_widget(&bad, 2, AUTHOR).await;
    assert!(
        matches!(
            refused,
            Err(WriteWidgetError::Dangling {
                agent: Some(agent),
                version: None
            }) if agent == foreign_agent
        ),
        "{refused:?}"
    );
    assert_eq!(
        storage
            .find_widget(&ours, record.id)
            .await
            .expect("works")
            .expect("it is kept")
            .widget,
        changed.clone().into()
    );

    for agent in [agent, other_agent] {
        let refused = storage.delete_agent(&ours, agent).await;
        assert!(
            matches!(refused, Err(DeleteAgentError::InUse)),
            "{refused:?}"
        );
    }
    assert_eq!(
        storage
            .delete_widget(&theirs, record.id, None, "first", START)
            .await
            .expect("nothing of theirs"),
        None
    );
    assert!(matches!(
        storage
            .delete_widget(&ours, record.id, Some(1), "first", START)
            .await,
        Err(WriteWidgetError::Stale)
    ));
    assert_eq!(
        storage
            .delete_widget(&ours, record.id, Some(2), "first", START)
            .await
            .expect("revision 2 is current"),
        Some(0)
    );
    assert_eq!(
        storage
            .delete_widget(&ours, record.id, None, "first", START)
            .await
            .expect("it is gone"),
        None
    );
    assert!(
        storage
            .delete_agent(&ours, agent)
            .await
            .expect("nothing points at it")
    );
    assert!(
        storage
            .delete_agent(&ours, other_agent)
            .await
            .expect("nothing points at it")
    );
}

pub(super) async fn lists(storage: &dyn Storage) {
    let ours = organization("lists");
    let (agent, version) = registered(storage, &ours, 0x300, true).await;
    let (other_agent, other_version) = registered(storage, &ours, 0x310, true).await;
    // Times with and without fractions of a second, two of them equal.
    let seconds = [0, 1, 1, 2];
    for (index, seconds) in (0x320..).zip(seconds) {
        let mut record = widget(&ours, index, agent, version, seconds);
        if index == 0x323 {
            record.created_at += Duration::microseconds(-500_000);
            record.agent_id = other_agent;
            record.agent_version_id = other_version;
            record.published = false;
            record.domains =
                AllowedOrigins::parse(&["*"], SuffixList::builtin()).expect("a valid entry");
        }
        storage
            .insert_widget(&record, AUTHOR, None)
            .await
            .expect("it is new");
    }
    let ids = async |filter: WidgetFilter, page| -> Vec<u128> {
        let found = storage
            .list_widgets(&ours, &filter, page)
            .await
            .expect("works");
        found
            .iter()
            .map(|listed| listed.position.1.as_u128())
            .collect()
    };
    let any = WidgetFilter::default;
    assert_eq!(ids(any(), ALL).await, [0x323, 0x322, 0x321, 0x320]);
    assert_eq!(
        ids(
            any(),
            ListPage {
                before: None,
                limit: 2
            }
        )
        .await,
        [0x323, 0x322]
    );
    let before = Some((micros(START + Duration::seconds(1)), number(0x322)));
    assert_eq!(
        ids(any(), ListPage { before, limit: 2 }).await,
        [0x321, 0x320]
    );
    assert_eq!(
        ids(
            WidgetFilter {
                agent_id: Some(other_agent),
                ..any()
            },
            ALL
        )
        .await,
        [0x323]
    );
    assert_eq!(
        ids(
            WidgetFilter {
                published: Some(true),
                ..any()
            },
            ALL
        )
        .await,
        [0x322, 0x321, 0x320]
    );
    let prefix = |text: &str| Some(text.parse().expect("a prefix"));
    for (id_prefix, expected) in [
        (prefix("00000000-0000-0000-0000-000000000322"), &[0x322][..]),
        (prefix("0000"), &[0x323, 0x322, 0x321, 0x320][..]),
        (prefix("0001"), &[][..]),
    ] {
        let filter = WidgetFilter { id_prefix, ..any() };
        assert_eq!(ids(filter, ALL).await, expected);
    }
    let filter = WidgetFilter {
        updated_after: Some(START + Duration::seconds(1)),
        ..any()
    };
    assert_eq!(ids(filter, ALL).await, [0x323]);
}

pub(super) async fn repeated_requests(storage: &dyn Storage) {
    let ours = organization("repeats");
    let (agent, version) = registered(storage, &ours, 0xB00, true).await;
    let answer = |stored: &StoredWidget| Ok(format!("answer {}", stored.widget.id));
    let request = |hash, now| IdempotentRequest {
        request: RepeatableRequest {
            key: "order 7".to_owned(),
            hash: [hash; 32],
            now,
            forget_before: now - Duration::hours(24),
        },
        build_answer: &answer,
    };
    let insert = async |id, request: &IdempotentRequest<'_>| {
        let record = widget(&ours, id, agent, version, 0);
        match storage.insert_widget(&record, AUTHOR, Some(request)).await {
            Ok(InsertedWidget::New(stored)) => Ok(stored.widget.id.to_string()),
            Ok(InsertedWidget::Again(answer)) => Ok(answer),
            Err(error) => Err(error),
        }
    };
    let first = request(1, START);
    let expected = widget(&ours, 0xB10, agent, version, 0).id.to_string();
    assert_eq!(insert(0xB10, &first).await.expect("it is new"), expected);
    let again = insert(0xB11, &request(1, START + Duration::hours(1))).await;
    let kept_answer = format!("answer {expected}");
    assert_eq!(again.expect("the same request"), kept_answer);
    let other = insert(0xB12, &request(2, START + Duration::hours(1))).await;
    assert!(
        matches!(other, Err(WriteWidgetError::KeyReused)),
        "{other:?}"
    );
    let kept = storage
        .list_widgets(&ours, &WidgetFilter::default(), ALL)
        .await
        .expect("works");
    assert_eq!(kept.len(), 1);

    // A refused request is not remembered, and a remembered one is forgotten in time.
    let mut refused = request(3, START);
    "order 8".clone_into(&mut refused.request.key);
    let record = widget(&ours, 0xB13, AgentId::from_uuid(number(0xBFF)), version, 0);
    assert!(
        storage
            .insert_widget(&record, AUTHOR, Some(&refused))
            .await
            .is_err()
    );
    insert(0xB13, &refused)
        .await
        .expect("the first attempt left nothing");
    let late = insert(0xB14, &request(2, START + Duration::hours(25))).await;
    assert_ne!(late.expect("the key is free again"), kept_answer);
}

pub(super) async fn revisions(storage: &dyn Storage) {
    let (ours, theirs) = (organization("history"), organization("others"));
    let (agent, version) = registered(storage, &ours, 0xC00, true).await;
    let first = widget(&ours, 0xC10, agent, version, 0);
    storage
        .insert_widget(&first, AUTHOR, None)
        .await
        .expect("it is new");
    let second = Widget {
        published: false,
        config: Config::default(),
        updated_at: START + Duration::hours(1),
        ..first.clone()
    };
    let author = Author {
        api_key_id: "second",
        restored_from: Some(1),
        directory: None,
    };
    storage
        .update_widget(&second, 1, author)
        .await
        .expect("revision 1 is current");
    // It is not published.
    let since = storage.find_pinned_since(first.id).await;
    assert_eq!(since.expect("works"), None);
    // A refused write leaves no trace.
    assert!(storage.update_widget(&first, 1, AUTHOR).await.is_err());
    let list = async |organization: &OrganizationId, below, limit| {
        storage
            .list_widget_revisions(organization, first.id, below, limit)
            .await
            .expect("works")
            .items
    };
    let noted = |live_before, live_after| NotedEffects {
        live_before: Some(live_before),
        live_after: Some(live_after),
        conversations_open: Some(0),
        conversations_ended: Some(0),
    };
    let expected = [
        WidgetRevision {
            number: 2,
            api_key_id: "second".to_owned(),
            api_key_name: None,
            restored_from: Some(1),
            created_at: Some(second.updated_at),
            widget: second.clone().into(),
            noted: noted(true, false),
        },
        WidgetRevision {
            number: 1,
            api_key_id: "first".to_owned(),
            api_key_name: Some("für den Arbeiter".to_owned()),
            restored_from: None,
            created_at: Some(first.updated_at),
            widget: first.clone().into(),
            noted: noted(false, true),
        },
    ];
    assert_eq!(list(&ours, i64::MAX, 10).await, expected);
    assert_eq!(list(&ours, i64::MAX, 1).await, expected[..1]);
    assert_eq!(list(&ours, 2, 10).await, expected[1..]);
    assert_eq!(list(&theirs, i64::MAX, 10).await, []);
    assert_eq!(
        storage
            .delete_widget(&ours, first.id, None, "first", START)
            .await
            .expect("works"),
        Some(0)
    );
    assert_eq!(list(&ours, i64::MAX, 10).await, []);
}

/// The list of widgets also reads their agents, but not where it reads their sizes.
#[tokio::test]
async fn a_widget_that_is_made_meanwhile_hides_no_other() {
    let Some(question) = database::COUNT_WAITING else {
        return;
    };
    let database = Database::create();
    let storage = migrated(&database).await;
    let ours = organization("meanwhile");
    let (agent, version) = registered(storage.as_ref(), &ours, 1, true).await;
    for (id, seconds) in [(0x10, 0), (0x11, 1)] {
        let record = widget(&ours, id, agent, version, seconds);
        let made = storage.insert_widget(&record, AUTHOR, None).await;
        made.expect("it is new");
    }
    let mut holder = database::Connection::connect(database.url())
        .await
        .expect("it can be opened");
    let hold = "BEGIN; LOCK TABLE agents IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(hold)
        .execute(&mut holder)
        .await
        .expect("it can be executed");
    let filter = WidgetFilter::default();
    let page = ListPage {
        before: None,
        limit: 5,
    };
    let list = storage.list_widgets(&ours, &filter, page);
    let meanwhile = async {
        let mut waiting = 0;
        while waiting == 0 {
            waiting = sqlx::query_scalar::<_, i64>(question)
                .fetch_one(&mut holder)
                .await
                .expect("it can be asked");
        }
        sqlx::raw_sql(
            "INSERT INTO web_widgets (id, organization_id, agent_id, agent_version_id, domains,
                 published, config, created_at, updated_at, revision)
             SELECT '00000000-0000-0000-0000-000000000012', organization_id, agent_id,
                 agent_version_id, domains, published, config, created_at + 9, updated_at, revision
             FROM web_widgets WHERE id = '00000000-0000-0000-0000-000000000011';
             COMMIT",
        )
        .execute(&mut holder)
        .await
        .expect("it can be executed");
    };
    let (listed, ()) = tokio::join!(list, meanwhile);
    let listed = listed.expect("it is readable");
    let ids: Vec<u128> = listed
        .iter()
        .map(|listed| listed.position.1.as_u128())
        .collect();
    assert_eq!(ids, [0x12, 0x11]);
    assert!(listed.has_more, "there is a third one");
    holder.close().await.expect("it can be closed");
    storage.close().await;
}
