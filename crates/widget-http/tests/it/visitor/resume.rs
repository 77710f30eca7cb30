//! Resuming in a new room: who may, and that only one window can.

use std::sync::{
    Arc, Barrier,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::json;
use time::Duration;
use tokio::runtime::Handle;
use widget_http::{
    storage::SweepPosition,
    system::{RandomError, RandomSource},
};

use super::support::{Visitor, with_livekit};
use crate::support::Service;

#[tokio::test]
async fn a_resume_changes_room_and_token_and_keeps_the_transcript() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let said = json!({"messages": [
        {"id": "1", "role": "visitor", "text": "Hi"},
        {"id": "2", "role": "agent", "text": "Hello"},
    ]});
    service
        .post(
            &format!("/core/conversations/{}/messages", started.id),
            &said,
        )
        .await
        .json(200);
    let resumed = visitor.resume(&started).await;
    assert_eq!(resumed.id, started.id);
    assert_ne!(
        (&resumed.room, &resumed.token),
        (&started.room, &started.token)
    );
    let texts: Vec<_> = resumed.body["conversation"]["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|m| &m["text"])
        .collect();
    assert_eq!(texts, ["Hi", "Hello"]);
    visitor
        .read(&started)
        .await
        .problem(401, "conversation_token_invalid");
    visitor.read(&resumed).await.json(200);
    let due = service
        .storage
        .find_rooms_to_remove(service.state.now(), &SweepPosition::default(), 10)
        .await
        .expect("storage works");
    assert_eq!(
        due.iter()
            .map(|room| room.name.as_str())
            .collect::<Vec<_>>(),
        [started.room.as_str()]
    );
}

#[tokio::test]
async fn a_worker_reads_that_the_visitor_only_changed_pages() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let mut started = visitor.start().await;
    let transcript = format!("/core/conversations/{}/messages", started.id);
    let page_changed = async || service.get(&transcript).await.json(200)["page_changed"].clone();
    assert_eq!(page_changed().await, false);
    for changed in [true, false] {
        let ticket = visitor.ticket().await;
        let tail = format!("/conversations/{}/resume", started.id);
        let body = json!({"ticket": ticket, "page_changed": changed});
        let resumed = visitor.window(&tail, &started.token, body).await;
        started = resumed.json(200).into();
        assert_eq!(page_changed().await, changed);
    }
}

#[tokio::test]
async fn a_worker_reads_that_a_message_waits_for_it() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let mut started = visitor.start().await;
    let transcript = format!("/core/conversations/{}/messages", started.id);
    let waits = async || service.get(&transcript).await.json(200)["message_waiting"].clone();
    assert_eq!(waits().await, false);
    for waiting in [true, false] {
        let ticket = visitor.ticket().await;
        let tail = format!("/conversations/{}/resume", started.id);
        let body = json!({"ticket": ticket, "message_waiting": waiting});
        let resumed = visitor.window(&tail, &started.token, body).await;
        started = resumed.json(200).into();
        assert_eq!(waits().await, waiting);
    }
}

#[tokio::test]
async fn a_resume_whose_answer_was_lost_can_be_repeated_once() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let lost = visitor.resume(&started).await;
    service.clock.advance(Duration::seconds(60));
    let repeated = visitor.resume(&started).await;
    assert_ne!(repeated.room, lost.room);
    visitor
        .try_resume(&started)
        .await
        .problem(401, "conversation_token_invalid");
    visitor
        .try_resume(&lost)
        .await
        .problem(401, "conversation_token_invalid");
    let again = visitor.resume(&repeated).await;
    visitor.read(&again).await.json(200);

    // Not later than a minute.
    let started = visitor.start().await;
    visitor.resume(&started).await;
    service
        .clock
        .advance(Duration::seconds(60) + Duration::microseconds(1));
    visitor
        .try_resume(&started)
        .await
        .problem(401, "conversation_token_invalid");
}

/// Randomness that keeps the first who prepares a room waiting until another one does, so that both
/// have read the conversation and neither has written it.
struct Meeting {
    random: Arc<dyn RandomSource>,
    prepared: AtomicUsize,
    both: Barrier,
}

impl RandomSource for Meeting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        // Rooms have names of 16 bytes, ids have 10 of them.
        if bytes.len() == 16 && self.prepared.fetch_add(1, Ordering::SeqCst) < 2 {
            // The other one may be next on this very thread.
            tokio::task::block_in_place(|| self.both.wait());
        }
        self.random.fill(bytes)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_that_race_one_wins() {
    let mut service = Service::start_with(with_livekit).await;
    let router = service.router.clone();
    for _ in 0..5 {
        service.router = router.clone();
        let visitor = Visitor::of(&service, json!({})).await;
        let started = visitor.start().await;
        let racing = service.router_with(|parts| {
            parts.random = Arc::new(Meeting {
                random: Arc::clone(&parts.random),
                prepared: AtomicUsize::new(0),
                both: Barrier::new(2),
            });
        });
        let widget = visitor.widget.clone();
        service.router = racing;
        let visitor = Visitor {
            service: &service,
            widget,
        };
        // Each on a thread of its own: where they meet, they wait without yielding.
        let runtime = Handle::current();
        let resume = || runtime.block_on(visitor.try_resume(&started));
        let (one, other) = std::thread::scope(|scope| {
            let racing = [scope.spawn(resume), scope.spawn(resume)];
            let [one, other] = racing.map(|race| race.join().expect("it does not panic"));
            (one, other)
        });
        let (won, lost) = match (one.status.as_u16(), other.status.as_u16()) {
            (200, _) => (one, other),
            _ => (other, one),
        };
        lost.problem(409, "conversation_resumed_elsewhere");
        let resumed = won.json(200).into();
        visitor.read(&resumed).await.json(200);
        visitor
            .read(&started)
            .await
            .problem(401, "conversation_token_invalid");
    }
}

#[tokio::test]
async fn only_a_page_of_the_same_origin_can_resume() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let tail = format!("/conversations/{}/resume", started.id);
    let other = visitor.ticket_from("https://other.example").await;
    visitor
        .window(&tail, &started.token, json!({"ticket": other}))
        .await
        .problem(403, "origin_changed");
    visitor
        .window(&tail, &started.token, json!({}))
        .await
        .problem(401, "ticket_required");
    visitor
        .window(&tail, &started.token, json!({"ticket": "x"}))
        .await
        .problem(401, "ticket_invalid");
    let ticket = visitor.ticket().await;
    let resumed = visitor
        .window(&tail, &started.token, json!({"ticket": ticket}))
        .await
        .json(200)
        .into();
    visitor.read(&resumed).await.json(200);
    let replayed = visitor
        .window(&tail, &resumed.token, json!({"ticket": ticket}))
        .await;
    replayed.problem(409, "ticket_replayed");
    visitor.read(&resumed).await.json(200);
}
