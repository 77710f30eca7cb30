//! Two services and two LiveKit servers that know of each other by Redis: whoever reaches one of
//! them reaches all.

use std::{net::Ipv4Addr, process::Stdio};

use livekit_api::access_token::{AccessToken, VideoGrants};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpListener,
    process::{Child, Command},
};
use widget_http::background;

use super::{
    livekit::{LiveKit, at_real_time, free_tcp_port, participant_token, serve, within},
    support::{LIVEKIT_KEY, LIVEKIT_SECRET, Visitor},
    webhook::{deliver, event},
};
use crate::support::Service;

/// A Redis server that keeps nothing, ended with the test.
struct Redis {
    address: String,
    _server: Child,
}

impl Redis {
    async fn start() -> Self {
        let port = free_tcp_port().await.to_string();
        let program = std::env::var_os("REDIS_SERVER").unwrap_or_else(|| "redis-server".into());
        let mut server = Command::new(&program)
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", ""])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "{} cannot be started ({error}): the servers of LiveKit know of each other \
                     by it.\n  install it with: sudo apt-get install -y redis-server\n  \
                     or name the program in REDIS_SERVER",
                    program.display()
                )
            });
        let log = server.stdout.take().expect("it was asked for");
        let mut lines = BufReader::new(log).lines();
        let ready = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if line.contains("eady to accept connections") {
                    return;
                }
            }
            panic!("Redis ended before it listened");
        };
        within(ready).await;
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            address: format!("127.0.0.1:{port}"),
            _server: server,
        }
    }

    /// A LiveKit server that shares its rooms with all others here, with webhooks to `service`.
    async fn livekit(&self, service: &TcpListener) -> LiveKit {
        let service = service.local_addr().expect("it has one");
        LiveKit::start_with(service, |config| {
            config["redis"] = json!({"address": self.address});
        })
        .await
    }
}

/// A token like that which LiveKit gives to the worker that it dispatches.
fn agent_token(room: &str) -> String {
    AccessToken::with_api_key(LIVEKIT_KEY, LIVEKIT_SECRET)
        .with_identity("agent-1")
        .with_kind("agent")
        .with_grants(VideoGrants {
            room_join: true,
            room: room.to_owned(),
            ..VideoGrants::default()
        })
        .to_jwt()
        .expect("it can be signed")
}

async fn identities(livekit: &LiveKit, room: &str) -> Vec<String> {
    let participants = livekit.rooms().list_participants(room).await;
    let participants = participants.expect("LiveKit answers").into_iter();
    let mut identities: Vec<_> = participants.map(|one| one.identity).collect();
    identities.sort();
    identities
}

#[tokio::test]
async fn a_visitor_and_an_agent_on_different_servers_meet_and_either_service_knows() {
    let redis = Redis::start().await;
    let [listener, other_listener] = [
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await,
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await,
    ]
    .map(|bound| bound.expect("a free port"));
    // The events of each server go to the service that uses the other one.
    let livekit = redis.livekit(&other_listener).await;
    let other_livekit = redis.livekit(&listener).await;
    let settings = livekit.settings();
    let mut service = Service::start_with(|all| all.livekit = Some(settings)).await;
    let settings = other_livekit.settings();
    let mut other = service
        .another_node_with(|all| all.livekit = Some(settings))
        .await;
    at_real_time(&mut service);
    at_real_time(&mut other);
    let mut webhooks = serve(listener, &service);
    let mut other_webhooks = serve(other_listener, &other);

    let visitor = Visitor::of(&service, json!({})).await;
    let started = visitor.start().await;
    let _visitor = livekit.join(participant_token(&started)).await;
    let _agent = other_livekit.join(&agent_token(&started.room)).await;
    for livekit in [&livekit, &other_livekit] {
        let inside = identities(livekit, &started.room).await;
        assert_eq!(inside.len(), 2, "{inside:?}");
        assert_eq!(inside[0], "agent-1");
        assert!(inside[1].starts_with("guest_"), "{inside:?}");
    }

    // One of the servers has the room, and reports to one of the services that it exists.
    let status = within(async {
        tokio::select! {
            status = webhooks.recv() => status,
            status = other_webhooks.recv() => status,
        }
    });
    assert_eq!(status.await, Some(200));
    // Media, after which a server reports that somebody has joined, needs a browser.
    deliver(&other, &event("1", "participant_joined", &started.room)).await;
    let there = visitor.on(&other);
    let status =
        async |visitor: &Visitor<'_>| visitor.read(&started).await.json(200)["status"].clone();
    for visitor in [&visitor, &there] {
        assert_eq!(status(visitor).await, "in_progress");
    }

    // The other service ends it, by the other server.
    there.end(&started).await.json(200);
    let removed = background::remove_due_rooms(&other.state).await;
    assert_eq!(removed.expect("storage works"), 1);
    for livekit in [&livekit, &other_livekit] {
        let rooms = livekit.rooms().list_rooms(vec![started.room.clone()]).await;
        assert_eq!(rooms.expect("LiveKit answers").len(), 0);
    }
    assert_eq!(status(&visitor).await, "completed");
}
