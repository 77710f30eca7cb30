//! Workers that join rooms.

use time::Duration;
use widget_core::go_live::WorkerActivity;
use widget_http::storage::{NewConversation, Storage};

use super::organization;
use crate::support::START;

pub(super) async fn activity(storage: &dyn Storage, new: &NewConversation) {
    let ours = &new.conversation.organization_id;
    let name = new.conversation.livekit_agent_name.as_str();
    let seen = async |after: Duration, room: &str| {
        let now = START + after;
        storage.note_worker(room, now).await.expect("works");
        let found = storage.find_worker_activity(ours, name, now).await;
        let WorkerActivity { seen_at, .. } = found.expect("works");
        seen_at.map(|at| at - START)
    };
    let room = new.room.name.as_str();
    assert_eq!(seen(Duration::ZERO, "of another service").await, None);
    // Once an hour.
    for (after, expected) in [(0, 0), (59, 0), (60, 60), (61, 60)] {
        let found = seen(Duration::minutes(after), room).await;
        assert_eq!(found, Some(Duration::minutes(expected)));
    }
    let others = organization("other-workers");
    let found = storage.find_worker_activity(&others, name, START).await;
    assert_eq!(found.expect("works"), WorkerActivity::default());
}
