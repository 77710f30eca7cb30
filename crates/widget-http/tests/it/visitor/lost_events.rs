//! A real LiveKit whose events do not arrive: where the visitor is comes from asking it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use serde_json::json;
use time::{Duration, OffsetDateTime};
use widget_http::{
    state::{AppState, Dependencies},
    system::{Clock, SystemClock, SystemRandom},
};

use super::{
    background::{pair, sweep},
    livekit::{LiveKit, participant_token, within},
    support::{Started, Visitor},
};
use crate::support::Service;

/// The real time, which LiveKit compares tokens with, and what a test adds to it.
#[derive(Default)]
struct ShiftedClock(Mutex<Duration>);

impl ShiftedClock {
    fn advance(&self, duration: Duration) {
        *self.0.lock().expect("no test panics while holding it") += duration;
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> OffsetDateTime {
        SystemClock.now() + *self.0.lock().expect("no test panics while holding it")
    }
}

/// No read shows an end before LiveKit was asked, nor is what the visitor says refused.
async fn assert_open(visitor: &Visitor<'_>, started: &Started, status: &str) {
    let service = visitor.service;
    let path = format!("/core/conversations/{}", started.id);
    let messages = format!("{path}/messages");
    for read in [
        service.get(&path).await,
        service.get(&messages).await,
        visitor.read(started).await,
    ] {
        let body = read.json(200);
        assert_eq!(
            (&body["status"], &body["is_open"]),
            (&json!(status), &json!(true))
        );
    }
    let listed = service.get("/core/conversations").await;
    let listed = listed.json(200).as_array().cloned().unwrap_or_default();
    let listed = listed.iter().find(|body| body["id"] == json!(started.id));
    assert_eq!(listed.map(|body| &body["status"]), Some(&json!(status)));
}

#[tokio::test]
async fn a_visitor_whose_events_were_lost_is_found_by_asking() {
    // Nobody listens where the events go.
    let mut livekit = LiveKit::start(SocketAddr::from(([127, 0, 0, 1], 9))).await;
    let mut service =
        Service::start_with(|settings| settings.livekit = Some(livekit.settings())).await;
    let clock = Arc::new(ShiftedClock::default());
    service.state = AppState::new(Dependencies {
        storage: Arc::clone(&service.storage),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        random: Arc::new(SystemRandom),
        suffixes: service.state.suffixes.clone(),
        settings: service.state.settings.clone(),
    });
    service.router = widget_http::router(service.state.clone());
    let visitor = Visitor::of(&service, json!({})).await;
    let (here, nobody) = (visitor.start().await, visitor.start().await);
    let socket = livekit.join(participant_token(&here)).await;

    // The event of joining was lost.
    clock.advance(Duration::minutes(3));
    assert_open(&visitor, &here, "token_created").await;
    assert_eq!(sweep(&service, &here).await, pair("in_progress", ""));
    assert_eq!(
        sweep(&service, &nobody).await,
        pair("failed", "never_joined")
    );

    // The event of leaving was lost, too: they can come back for half an hour.
    drop(socket);
    let is_gone = async {
        let rooms = livekit.rooms();
        loop {
            let people = rooms.list_participants(&here.room).await;
            if people.is_ok_and(|people| people.is_empty()) {
                break;
            }
        }
    };
    within(is_gone).await;
    clock.advance(Duration::minutes(10));
    assert_open(&visitor, &here, "in_progress").await;
    assert_eq!(sweep(&service, &here).await, pair("in_progress", ""));
    clock.advance(Duration::minutes(29));
    assert_eq!(sweep(&service, &here).await, pair("in_progress", ""));
    clock.advance(Duration::minutes(1));
    assert_eq!(sweep(&service, &here).await, pair("completed", "idle"));

    // Without an answer it waits a while.
    let unseen = visitor.start().await;
    livekit.go_away().await;
    clock.advance(Duration::minutes(3));
    assert_eq!(sweep(&service, &unseen).await, pair("token_created", ""));
    clock.advance(Duration::minutes(5));
    assert_eq!(
        sweep(&service, &unseen).await,
        pair("failed", "never_joined")
    );
}
