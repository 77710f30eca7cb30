//! A real LiveKit server that visitors cannot join: noticed without a visitor, and said once.

use std::net::{Ipv4Addr, SocketAddr};

use serde_json::json;
use widget_http::{
    background,
    settings::{LiveKitSettings, Settings},
    state::{AppState, Dependencies},
    system::{SystemClock, SystemRandom},
};

use super::livekit::LiveKit;
use crate::support::{LogLines, Service};

/// Nobody listens here.
const NOBODY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

/// A service at the real time, which LiveKit compares tokens with.
async fn service(livekit: LiveKitSettings) -> Service {
    let change = |settings: &mut Settings| settings.livekit = Some(livekit);
    let mut service = Service::start_with(change).await;
    service.state = AppState::new(Dependencies {
        storage: std::sync::Arc::clone(&service.storage),
        clock: std::sync::Arc::new(SystemClock),
        random: std::sync::Arc::new(SystemRandom),
        suffixes: service.state.suffixes.clone(),
        settings: service.state.settings.clone(),
    });
    service.router = widget_http::router(service.state.clone());
    service
}

/// What `/readyz` says of the node and of LiveKit after a check.
async fn check(service: &Service) -> (String, String) {
    background::check_livekit(&service.state)
        .await
        .expect("a token can be written");
    let report = service.get("/readyz").await.json(200);
    let text = |value: &serde_json::Value| value.as_str().expect("a word").to_owned();
    (text(&report["status"]), text(&report["parts"]["livekit"]))
}

fn pair(status: &str, livekit: &str) -> (String, String) {
    (status.to_owned(), livekit.to_owned())
}

#[tokio::test]
async fn livekit_that_works_is_ready_and_one_that_goes_away_is_said_once() {
    let mut livekit = LiveKit::start(NOBODY).await;
    let service = service(livekit.settings()).await;
    let log = LogLines::capture();
    for _ in 0..2 {
        assert_eq!(check(&service).await, pair("ready", "ok"));
    }
    assert_eq!(log.with("LiveKit").len(), 1, "{:?}", log.with(""));
    let rooms = livekit.rooms().list_rooms(Vec::new()).await;
    assert_eq!(
        rooms.expect("LiveKit answers"),
        [],
        "a check creates no room"
    );

    livekit.go_away().await;
    let away = pair("degraded", "livekit_unavailable");
    for _ in 0..3 {
        assert_eq!(check(&service).await, away);
    }
    assert_eq!(log.with("LiveKit does not answer").len(), 1);
    assert_eq!(log.with("ERROR").len(), 1, "{:?}", log.with(""));
}

#[tokio::test]
async fn a_wrong_secret_is_noticed() {
    let livekit = LiveKit::start(NOBODY).await;
    let log = LogLines::capture();
    let rejected = pair("degraded", "livekit_key_rejected");
    for (key, secret) in [
        (
            super::support::LIVEKIT_KEY,
            "another-secret-of-thirty-two-characters",
        ),
        ("another-key", super::support::LIVEKIT_SECRET),
    ] {
        let service = service(LiveKitSettings {
            api_key: key.to_owned(),
            api_secret: secret.into(),
            ..livekit.settings()
        })
        .await;
        for _ in 0..2 {
            assert_eq!(check(&service).await, rejected);
        }
    }
    assert_eq!(log.with("LiveKit rejects the key").len(), 2);
    assert!(log.with("secret-").is_empty(), "{:?}", log.with(""));
}

#[tokio::test]
async fn a_livekit_that_creates_no_rooms_is_noticed() {
    let change = |config: &mut serde_json::Value| config["room"] = json!({"auto_create": false});
    let livekit = LiveKit::start_with(NOBODY, change).await;
    let service = service(livekit.settings()).await;
    let log = LogLines::capture();
    let disabled = pair("degraded", "livekit_auto_create_disabled");
    for _ in 0..2 {
        assert_eq!(check(&service).await, disabled);
    }
    assert_eq!(log.with("room.auto_create").len(), 1);
}

#[tokio::test]
async fn what_is_not_livekit_is_not_taken_for_it() {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("it has one");
    // It answers 404 to everything, as LiveKit does when it creates no rooms.
    tokio::spawn(async move { axum::serve(listener, axum::Router::new()).await });
    let url = format!("http://{address}");
    let service = service(LiveKitSettings {
        url: url.parse().expect("a URL"),
        public_url: url.parse().expect("an address for browsers"),
        api_key: super::support::LIVEKIT_KEY.to_owned(),
        api_secret: super::support::LIVEKIT_SECRET.into(),
    })
    .await;
    let unavailable = pair("degraded", "livekit_unavailable");
    assert_eq!(check(&service).await, unavailable);
}
