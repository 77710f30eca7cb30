//! Against a real LiveKit server: it accepts the tokens, sets up rooms from them, signs its events,
//! and removes rooms. Media needs a browser; the stories in `embed/e2e` cover that.

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::Request,
    middleware::{Next, from_fn},
};
use livekit_api::services::{agent_dispatch::AgentDispatchClient, room::RoomClient};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    sync::mpsc,
};
use widget_http::{
    background,
    settings::LiveKitSettings,
    state::{AppState, Dependencies},
    system::{SystemClock, SystemRandom},
};

use super::support::{LIVEKIT_KEY, LIVEKIT_SECRET, Started, Visitor};
use crate::support::Service;

/// How long anything may take before it counts as lost.
const WORK_TIMEOUT: Duration = Duration::from_mins(1);

/// A LiveKit server on this machine only, ended with the test.
pub(super) struct LiveKit {
    address: SocketAddr,
    server: Child,
    _directory: tempfile::TempDir,
}

impl LiveKit {
    /// Starts it, with webhooks to `service`; it listens when this returns.
    pub(super) async fn start(service: SocketAddr) -> Self {
        Self::start_with(service, |_| {}).await
    }

    /// The same with some of its configuration replaced.
    pub(super) async fn start_with(service: SocketAddr, change: impl FnOnce(&mut Value)) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let (tcp, udp) = (free_tcp_port().await, free_udp_port());
        let mut config = json!({
            "port": tcp,
            "bind_addresses": ["127.0.0.1"],
            "rtc": {
                "tcp_port": 0, "udp_port": udp, "node_ip": "127.0.0.1", "use_external_ip": false,
                "enable_loopback_candidate": true, "interfaces": {"includes": ["lo"]}, "stun_servers": ["127.0.0.1:9"],
            },
            "keys": {LIVEKIT_KEY: LIVEKIT_SECRET},
            "webhook": {"api_key": LIVEKIT_KEY, "urls": [format!("http://{service}/core/livekit/webhook")]},
        });
        change(&mut config);
        let file = directory.path().join("livekit.yaml");
        // JSON is YAML.
        std::fs::write(&file, config.to_string()).expect("the directory is writable");
        let program = std::env::var_os("LIVEKIT_SERVER").unwrap_or_else(|| "livekit-server".into());
        let mut server = Command::new(&program)
            .arg("--config")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "{} cannot be started ({error}): run the tests with `cargo xtask test`, which installs it, \
                     or set LIVEKIT_SERVER to the program",
                    program.display()
                )
            });
        let log = server.stderr.take().expect("it was asked for");
        within(listening(log)).await;
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, tcp)),
            server,
            _directory: directory,
        }
    }

    /// How a service reaches it.
    pub(super) fn settings(&self) -> LiveKitSettings {
        let url = format!("ws://{}", self.address);
        LiveKitSettings {
            url: url.parse().expect("a valid URL"),
            public_url: url.parse().expect("an address for browsers"),
            api_key: LIVEKIT_KEY.to_owned(),
            api_secret: LIVEKIT_SECRET.into(),
        }
    }

    /// Stops it, as a machine that fails would.
    pub(super) async fn go_away(&mut self) {
        self.server.kill().await.expect("it runs");
    }

    pub(super) fn rooms(&self) -> RoomClient {
        RoomClient::with_api_key(
            &format!("http://{}", self.address),
            LIVEKIT_KEY,
            LIVEKIT_SECRET,
        )
    }

    async fn has_room(&self, name: &str) -> bool {
        !self
            .rooms()
            .list_rooms(vec![name.to_owned()])
            .await
            .expect("LiveKit answers")
            .is_empty()
    }

    /// Opens the connection by which a client joins: LiveKit makes the room and lets it in.
    pub(super) async fn join(&self, token: &str) -> TcpStream {
        let path =
            format!("/rtc?access_token={token}&protocol=15&auto_subscribe=1&sdk=js&version=2.0.0");
        let (stream, status) = self.upgrade(&path).await;
        assert_eq!(status, 101, "LiveKit lets the visitor in");
        stream
    }

    async fn upgrade(&self, path: &str) -> (TcpStream, u16) {
        let mut stream = TcpStream::connect(self.address)
            .await
            .expect("LiveKit listens");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            self.address
        );
        stream
            .write_all(request.as_bytes())
            .await
            .expect("LiveKit reads");
        let mut start = [0; 12];
        within(stream.read_exact(&mut start))
            .await
            .expect("LiveKit answers");
        let status = std::str::from_utf8(&start[9..])
            .expect("HTTP is ASCII")
            .parse()
            .expect("a status");
        (stream, status)
    }
}

/// Reads the server's log until it says that it listens, and the rest so that it never blocks.
async fn listening(log: tokio::process::ChildStderr) {
    let mut lines = BufReader::new(log).lines();
    loop {
        let line = lines
            .next_line()
            .await
            .expect("the log is text")
            .expect("LiveKit ended before it listened");
        if line.contains("starting LiveKit server") {
            break;
        }
    }
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
}

pub(super) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(WORK_TIMEOUT, work)
        .await
        .expect("it takes far less")
}

pub(super) async fn free_tcp_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a free port");
    listener.local_addr().expect("it has one").port()
}

fn free_udp_port() -> u16 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    socket.local_addr().expect("it has one").port()
}

/// A service on a real socket, at the real time, and the LiveKit that it works with.
struct World {
    service: Service,
    livekit: LiveKit,
    /// Statuses with which webhooks were answered.
    webhooks: mpsc::UnboundedReceiver<u16>,
}

impl World {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let livekit = LiveKit::start(listener.local_addr().expect("it has one")).await;
        let mut service =
            Service::start_with(|settings| settings.livekit = Some(livekit.settings())).await;
        at_real_time(&mut service);
        let webhooks = serve(listener, &service);
        Self {
            service,
            livekit,
            webhooks,
        }
    }

    /// Removes rooms that events have marked, until the one that somebody rejoined is gone.
    async fn remove_after_events(&mut self, room: &str) {
        while self.livekit.has_room(room).await {
            let status = within(self.webhooks.recv())
                .await
                .expect("the service runs");
            assert_eq!(status, 200, "LiveKit's own events are believed");
            background::remove_due_rooms(&self.service.state)
                .await
                .expect("storage works");
        }
    }
}

/// Has the service use the real time, which is LiveKit's, too.
pub(super) fn at_real_time(service: &mut Service) {
    service.state = AppState::new(Dependencies {
        storage: Arc::clone(&service.storage),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        suffixes: service.state.suffixes.clone(),
        settings: service.state.settings.clone(),
    });
    service.router = widget_http::router(service.state.clone());
}

/// Serves on a real socket; returns the statuses of all answers.
pub(super) fn serve(listener: TcpListener, service: &Service) -> mpsc::UnboundedReceiver<u16> {
    let (answered, statuses) = mpsc::unbounded_channel();
    let watched = service
        .router
        .clone()
        .layer(from_fn(move |request: Request, next: Next| {
            let answered = answered.clone();
            async move {
                let response = next.run(request).await;
                let _ = answered.send(response.status().as_u16());
                response
            }
        }));
    tokio::spawn(async move { axum::serve(listener, watched).await });
    statuses
}

pub(super) fn participant_token(started: &Started) -> &str {
    started.body["participant_token"]
        .as_str()
        .expect("a string")
}

#[tokio::test]
async fn livekit_accepts_the_token_and_sets_up_the_room_from_it() {
    let mut world = World::start().await;
    let visitor = Visitor::of(&world.service, json!({})).await;
    let started = visitor.start().await;
    assert!(
        !world.livekit.has_room(&started.room).await,
        "starting asks nothing of LiveKit"
    );

    let token = participant_token(&started);
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let backwards: String = signature.chars().rev().collect();
    let forged = format!("{signed}.{backwards}");
    let (_, refused) = world
        .livekit
        .upgrade(&format!("/rtc?access_token={forged}"))
        .await;
    assert_eq!(refused, 401);

    let _joined = world.livekit.join(token).await;
    let status = within(world.webhooks.recv()).await;
    assert_eq!(
        status,
        Some(200),
        "the event that the room started is signed"
    );
    let rooms = world
        .livekit
        .rooms()
        .list_rooms(vec![started.room.clone()])
        .await
        .expect("LiveKit answers");
    assert_eq!(
        rooms
            .iter()
            .map(|room| (room.max_participants, room.empty_timeout))
            .collect::<Vec<_>>(),
        [(2, 60)]
    );
    let inside = world
        .livekit
        .rooms()
        .list_participants(&started.room)
        .await
        .expect("LiveKit answers");
    let permission = inside[0]
        .permission
        .clone()
        .expect("permissions are reported");
    assert!(inside.len() == 1 && inside[0].identity.starts_with("guest_"));
    assert!(permission.can_publish && permission.can_publish_data && permission.can_subscribe);
    assert!(!permission.can_update_metadata && !permission.hidden);
    let microphone = livekit_protocol::TrackSource::Microphone as i32;
    assert_eq!(permission.can_publish_sources, [microphone]);

    let url = format!("http://{}", world.livekit.address);
    let dispatches = AgentDispatchClient::with_api_key(&url, LIVEKIT_KEY, LIVEKIT_SECRET);
    let sent = dispatches
        .list_dispatch(&started.room)
        .await
        .expect("LiveKit answers");
    assert_eq!(
        sent.iter()
            .map(|dispatch| dispatch.agent_name.as_str())
            .collect::<Vec<_>>(),
        ["concierge"]
    );
    assert!(
        sent[0].metadata.contains(&started.id),
        "{}",
        sent[0].metadata
    );
}

#[tokio::test]
async fn a_replaced_or_ended_room_is_removed_again_when_somebody_rejoins() {
    let mut world = World::start().await;
    let visitor = Visitor::of(&world.service, json!({})).await;
    let started = visitor.start().await;
    let widget = visitor.widget.clone();
    let resumed = {
        let first = world.livekit.join(participant_token(&started)).await;
        assert!(world.livekit.has_room(&started.room).await);
        let resumed = visitor.resume(&started).await;
        assert_eq!(
            background::remove_due_rooms(&world.service.state)
                .await
                .expect("storage works"),
            1
        );
        assert!(
            !world.livekit.has_room(&started.room).await,
            "the old room is gone"
        );
        drop(first);
        resumed
    };
    let _second = world.livekit.join(participant_token(&resumed)).await;

    // The old token still opens the old room: LiveKit creates it again, reports that, and it is
    // removed again.
    let _back = world.livekit.join(participant_token(&started)).await;
    world.remove_after_events(&started.room).await;
    assert!(
        world.livekit.has_room(&resumed.room).await,
        "the newest room stays"
    );

    // The same after the end.
    let visitor = Visitor {
        service: &world.service,
        widget,
    };
    visitor.end(&resumed).await.json(200);
    // A late event about the old room may make that one due, too.
    background::remove_due_rooms(&world.service.state)
        .await
        .expect("storage works");
    assert!(!world.livekit.has_room(&resumed.room).await);
    let _again = world.livekit.join(participant_token(&resumed)).await;
    world.remove_after_events(&resumed.room).await;
}

#[tokio::test]
async fn a_room_that_livekit_does_not_know_counts_as_removed() {
    let world = World::start().await;
    let livekit = world
        .service
        .state
        .livekit
        .as_ref()
        .expect("it is configured");
    livekit
        .remove_room("never-made")
        .await
        .expect("there is nothing to remove");
}
