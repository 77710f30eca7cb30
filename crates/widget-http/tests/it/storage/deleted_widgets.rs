//! Deleted widgets, and how they are restored.

use time::Duration;
use widget_core::{
    go_live::PinnedVersion,
    id::{AgentId, AgentVersionId},
    widget::Widget,
};
use widget_http::storage::{
    DeleteAgentError, DeletedWidget, ListPage, NotedEffects, Storage, WidgetFilter, WidgetRevision,
    WriteWidgetError,
};

use super::{
    ALL,
    agents::registered,
    micros, number, organization,
    widgets::{AUTHOR, widget},
};
use crate::support::START;

#[expect(clippy::too_many_lines, reason = "one story, in order")]
pub(super) async fn restoring(storage: &dyn Storage) {
    let (ours, theirs) = (organization("trash"), organization("others"));
    let (agent, version) = registered(storage, &ours, 0xD00, true).await;
    let first = widget(&ours, 0xD10, agent, version, 0);
    let id = first.id;
    let inserted = storage.insert_widget(&first, AUTHOR, None).await;
    inserted.expect("it is new");
    let second = Widget {
        updated_at: START + Duration::hours(1),
        ..first.clone()
    };
    let updated = storage.update_widget(&second, 1, AUTHOR).await;
    updated.expect("revision 1 is current");
    let history = storage.list_widget_revisions(&ours, id, i64::MAX, 9).await;
    let history = history.expect("works");

    let deleted_at = START + Duration::hours(2);
    let done = storage.delete_widget(&ours, id, Some(2), "second", deleted_at);
    assert_eq!(done.await.expect("revision 2 is current"), Some(0));
    assert!(
        storage
            .find_public_widget(id)
            .await
            .expect("works")
            .is_none()
    );
    let deleted = DeletedWidget {
        widget: second.clone().into(),
        revision: 2,
        deleted_at: Some(deleted_at),
        deleted_by: "second".to_owned(),
        deleted_by_name: None,
    };
    for (organization, expected) in [(&ours, Some(&deleted)), (&theirs, None)] {
        let found = storage.find_deleted_widget(organization, id).await;
        assert_eq!(found.expect("works").as_ref(), expected);
        let filter = WidgetFilter::default();
        let found = storage.list_deleted_widgets(organization, &filter, ALL);
        let found = found.await.expect("works");
        assert_eq!(found.first().map(|listed| &listed.item), expected);
    }

    let now = START + Duration::hours(3);
    for (organization, revision) in [(&theirs, 2), (&ours, 1)] {
        let refused = storage.restore_widget(organization, id, revision, "third", now);
        let refused = refused.await;
        assert!(
            matches!(refused, Err(WriteWidgetError::Stale)),
            "{refused:?}"
        );
    }
    let restored = storage.restore_widget(&ours, id, 2, "third", now).await;
    let restored = restored.expect("it is deleted");
    let unpublished = Widget {
        published: false,
        updated_at: now,
        ..second.clone()
    };
    assert_eq!(
        (&restored.widget, restored.revision, restored.pinned),
        (&unpublished.clone().into(), 3, PinnedVersion::Published)
    );
    let found = storage.find_deleted_widget(&ours, id).await;
    assert_eq!(found.expect("works"), None);
    // Its history continues.
    let newest = WidgetRevision {
        number: 3,
        api_key_id: "third".to_owned(),
        api_key_name: None,
        restored_from: Some(2),
        created_at: Some(now),
        widget: unpublished.clone().into(),
        noted: NotedEffects::default(),
    };
    let found = storage.list_widget_revisions(&ours, id, i64::MAX, 9).await;
    let expected: Vec<_> = [vec![newest], history.items].concat();
    assert_eq!(found.expect("works").items, expected);
    // It keeps its agent, as every widget does.
    let refused = storage.delete_agent(&ours, agent).await;
    assert!(
        matches!(refused, Err(DeleteAgentError::InUse)),
        "{refused:?}"
    );

    // A deleted one does not, and is restored with an agent that is gone.
    let done = storage.delete_widget(&ours, id, None, "second", now).await;
    assert_eq!(done.expect("works"), Some(0));
    assert!(
        storage
            .delete_agent(&ours, agent)
            .await
            .expect("nothing points at it")
    );
    let restored = storage.restore_widget(&ours, id, 3, "third", now).await;
    let restored = restored.expect("it is deleted");
    assert_eq!(restored.pinned, PinnedVersion::AgentMissing);
    // It may be changed while it points there, but not back to it.
    let changed = Widget {
        published: true,
        ..unpublished.clone()
    };
    let updated = storage.update_widget(&changed, 4, AUTHOR).await;
    let updated = updated.expect("its agent stays as it is").stored;
    assert_eq!(
        (updated.revision, updated.pinned),
        (5, PinnedVersion::AgentMissing)
    );
    let other = Widget {
        agent_version_id: AgentVersionId::from_uuid(number(0xDFF)),
        ..changed.clone()
    };
    let refused = storage.update_widget(&other, 5, AUTHOR).await;
    assert!(
        matches!(
            refused,
            Err(WriteWidgetError::Dangling {
                agent: Some(_),
                version: Some(_)
            })
        ),
        "{refused:?}"
    );
    let (agent, version) = registered(storage, &ours, 0xD20, true).await;
    let repaired = Widget {
        agent_id: agent,
        agent_version_id: version,
        ..changed.clone()
    };
    let updated = storage.update_widget(&repaired, 5, AUTHOR).await;
    let updated = updated.expect("the agent is there").stored;
    assert_eq!(updated.pinned, PinnedVersion::Published);
    let refused = storage.delete_agent(&ours, agent).await;
    assert!(
        matches!(refused, Err(DeleteAgentError::InUse)),
        "{refused:?}"
    );
    let refused = storage.update_widget(&changed, 6, AUTHOR).await;
    assert!(
        matches!(refused, Err(WriteWidgetError::Dangling { .. })),
        "{refused:?}"
    );
}

pub(super) async fn lists(storage: &dyn Storage) {
    let ours = organization("trash-lists");
    let (agent, version) = registered(storage, &ours, 0xD40, true).await;
    let (other_agent, other_version) = registered(storage, &ours, 0xD50, true).await;
    // Two are deleted at the same time, the first of all as the last.
    for (index, (id, seconds)) in (0..).zip([(0xD60, 3), (0xD61, 1), (0xD62, 1)]) {
        let (agent, version) = match id {
            0xD61 => (other_agent, other_version),
            _ => (agent, version),
        };
        let record = widget(&ours, id, agent, version, index);
        let inserted = storage.insert_widget(&record, AUTHOR, None).await;
        inserted.expect("it is new");
        let now = START + Duration::seconds(seconds);
        let done = storage.delete_widget(&ours, record.id, None, "first", now);
        assert_eq!(done.await.expect("works"), Some(0));
    }
    let ids = async |agent_id: Option<AgentId>, page| -> Vec<u128> {
        let filter = WidgetFilter {
            agent_id,
            ..WidgetFilter::default()
        };
        let found = storage.list_deleted_widgets(&ours, &filter, page).await;
        let found = found.expect("works").into_iter();
        found.map(|listed| listed.position.1.as_u128()).collect()
    };
    assert_eq!(ids(None, ALL).await, [0xD60, 0xD62, 0xD61]);
    let page = ListPage {
        before: Some((micros(START + Duration::seconds(1)), number(0xD62))),
        limit: 5,
    };
    assert_eq!(ids(None, page).await, [0xD61]);
    assert_eq!(ids(Some(other_agent), ALL).await, [0xD61]);
    let listed = storage
        .list_widgets(&ours, &WidgetFilter::default(), ALL)
        .await;
    assert!(listed.expect("works").is_empty());
}

/// Of two nodes that restore a widget at once, one does.
pub(super) async fn restored_once(first: &dyn Storage, second: &dyn Storage) {
    let ours = organization("trash-race");
    let (agent, version) = registered(first, &ours, 0xD80, true).await;
    let record = widget(&ours, 0xD90, agent, version, 0);
    let inserted = first.insert_widget(&record, AUTHOR, None).await;
    inserted.expect("it is new");
    let id = record.id;
    for revision in [1, 2, 3, 4] {
        let done = first.delete_widget(&ours, id, Some(revision), "first", START);
        assert_eq!(done.await.expect("works"), Some(0));
        let outcomes: [_; 2] = tokio::join!(
            first.restore_widget(&ours, id, revision, "first", START),
            second.restore_widget(&ours, id, revision, "second", START),
        )
        .into();
        let stale = |outcome: &Result<_, _>| matches!(outcome, Err(WriteWidgetError::Stale));
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        assert_eq!(outcomes.iter().filter(|outcome| stale(outcome)).count(), 1);
        let history = first.list_widget_revisions(&ours, id, i64::MAX, 9).await;
        let numbers: Vec<i64> = history
            .expect("works")
            .iter()
            .map(|revision| revision.number)
            .collect();
        assert_eq!(numbers, (1..=revision + 1).rev().collect::<Vec<_>>());
    }
}
