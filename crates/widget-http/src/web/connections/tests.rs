//! Connections in memory, from peers of any address, under a clock that the test moves.

use std::{io, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::ConnectInfo,
    routing::get,
};
use http_body_util::channel::Channel;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::*;

/// Bytes that are on their way between client and service, in each direction.
const BUFFER: usize = 4 * 1024;

const SECOND: Duration = Duration::from_secs(1);

/// Provides the connections that the test opens.
struct MemoryListener(mpsc::UnboundedReceiver<(DuplexStream, SocketAddr)>);

impl Listener for MemoryListener {
    type Io = DuplexStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (DuplexStream, SocketAddr) {
        match self.0.recv().await {
            Some(accepted) => accepted,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(SocketAddr::from(([127, 0, 0, 1], 80)))
    }
}

struct Server {
    connections: Arc<Connections>,
    open: mpsc::UnboundedSender<(DuplexStream, SocketAddr)>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    /// Ends the requests for `/wait`.
    finish: Arc<Notify>,
}

impl Server {
    fn start(total: usize, per_prefix: usize) -> Self {
        let trusted = "198.51.100.0/24".parse().expect("a list of proxies");
        let connections = Arc::new(Connections::new(ConnectionLimits {
            per_prefix,
            ..ConnectionLimits::new(total, trusted)
        }));
        let finish = Arc::new(Notify::new());
        let finished = Arc::clone(&finish);
        let router = Router::new()
            .route("/", get(async || "hello"))
            .route(
                "/peer",
                get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()),
            )
            .route("/wait", get(async move || finished.notified().await))
            .route("/long", get(async || "x".repeat(64 * 1024)))
            .route("/drops", get(async || drops()));
        let (open, opened) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let served = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            served.serve(MemoryListener(opened), router, stopped).await;
        });
        Self {
            connections,
            open,
            stop,
            task,
            finish,
        }
    }

    /// A connection of its own.
    async fn connect(&self, peer: &str) -> Client {
        let (client, server) = duplex(BUFFER);
        let peer = SocketAddr::new(peer.parse().expect("an address"), 4711);
        self.open.send((server, peer)).expect("it listens");
        settle().await;
        Client(client)
    }

    fn open(&self) -> usize {
        self.connections.counts().open
    }
}

/// A body of one byte every 20 seconds, ten times.
fn drops() -> Body {
    let (mut sender, body) = Channel::<Bytes, axum::Error>::new(1);
    tokio::spawn(async move {
        for _ in 0..10 {
            sleep(20 * SECOND).await;
            let sent = sender.send_data(Bytes::from_static(b"x")).await;
            sent.expect("somebody reads it");
        }
    });
    Body::new(body)
}

/// Lets every task do what it can without time passing.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

struct Client(DuplexStream);

impl Client {
    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.expect("it is open");
        settle().await;
    }

    async fn ask(&mut self, path: &str) {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n"))
            .await;
    }

    /// An answer with a short body, read to its end.
    async fn answer(&mut self) -> String {
        let mut answer = String::new();
        while !answer.contains("\r\n\r\n") {
            let read = self.0.read_u8().await.expect("an answer");
            answer.push(read.into());
        }
        let length = answer.split("content-length: ").nth(1);
        let length = length.and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        let mut body = vec![0; length.expect("a length")];
        self.0.read_exact(&mut body).await.expect("a body");
        settle().await;
        answer + &String::from_utf8(body).expect("text")
    }

    /// Everything until the service closes the connection.
    async fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).await.expect("text");
        settle().await;
        rest
    }

    /// How long it takes until the service closes the connection.
    async fn closed_after(&mut self) -> Duration {
        let started = Instant::now();
        self.rest().await;
        started.elapsed()
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_closed() {
    let server = Server::start(10, 10);
    let mut client = server.connect("192.0.2.1").await;
    assert_eq!(server.open(), 1);
    assert_eq!(client.closed_after().await, HEAD_TIMEOUT);
    let counts = server.connections.counts();
    assert_eq!((counts.open, counts.timed_out), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_head_that_arrives_slowly_gets_no_more_time() {
    let server = Server::start(10, 10);
    let mut client = server.connect("192.0.2.1").await;
    let started = Instant::now();
    for letter in ["G", "E", "T", " "] {
        client.send(letter).await;
        sleep(2 * SECOND).await;
    }
    client.rest().await;
    assert_eq!(started.elapsed(), HEAD_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn a_connection_may_be_idle_for_a_while_and_its_next_head_is_due() {
    let server = Server::start(10, 10);
    let mut client = server.connect("192.0.2.1").await;
    client.ask("/").await;
    assert!(client.answer().await.ends_with("hello"));
    sleep(IDLE_TIMEOUT.mul_f32(0.9)).await;
    client.ask("/peer").await;
    assert!(client.answer().await.ends_with("192.0.2.1:4711"));
    assert_eq!(client.closed_after().await, IDLE_TIMEOUT);

    let mut client = server.connect("192.0.2.1").await;
    client.ask("/").await;
    client.answer().await;
    sleep(IDLE_TIMEOUT.mul_f32(0.9)).await;
    client.send("G").await;
    assert_eq!(client.closed_after().await, HEAD_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn a_request_and_a_download_that_moves_have_no_deadline_here() {
    let server = Server::start(10, 10);
    let mut client = server.connect("192.0.2.1").await;
    client.ask("/wait").await;
    sleep(1_000 * SECOND).await;
    server.finish.notify_one();
    assert!(client.answer().await.starts_with("HTTP/1.1 200"));

    client.ask("/drops").await;
    assert_eq!(client.closed_after().await, 200 * SECOND + IDLE_TIMEOUT);

    // A slow client, who accepts some bytes before the time is over.
    let mut client = server.connect("192.0.2.1").await;
    client.ask("/long").await;
    let mut received = 0;
    while received < 64 * 1024 {
        sleep(STALL_TIMEOUT.mul_f32(0.9)).await;
        let mut bytes = [0; BUFFER / 2];
        let count = client.0.read(&mut bytes).await.expect("it is open");
        assert!(count > 0, "closed after {received}");
        received += count;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_accepts_nothing_is_closed() {
    let server = Server::start(10, 10);
    let mut client = server.connect("192.0.2.1").await;
    client.ask("/long").await;
    sleep(STALL_TIMEOUT.mul_f32(0.9)).await;
    assert_eq!(server.open(), 1);
    sleep(STALL_TIMEOUT.mul_f32(0.2)).await;
    assert_eq!(server.open(), 0);
    let rest = client.rest().await;
    assert!(rest.len() < 2 * BUFFER, "{}", rest.len());
}

#[tokio::test(start_paused = true)]
async fn a_head_is_bounded() {
    let server = Server::start(10, 10);
    for (bytes, status) in [
        (2 * MAX_HEAD_BYTES - 1_000, "200"),
        (2 * MAX_HEAD_BYTES, "431"),
    ] {
        let client = server.connect("192.0.2.1").await;
        let (mut reader, mut writer) = tokio::io::split(client.0);
        let padding = "x".repeat(bytes);
        let head = format!("GET / HTTP/1.1\r\nconnection: close\r\nx-padding: {padding}\r\n\r\n");
        // The service stops reading in the middle of a head that is too large.
        let sending = tokio::spawn(async move { writer.write_all(head.as_bytes()).await });
        let mut answer = String::new();
        reader.read_to_string(&mut answer).await.expect("text");
        sending.abort();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn when_full_the_longest_idle_connection_closes() {
    let server = Server::start(3, 10);
    let mut clients = Vec::new();
    for peer in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
        clients.push(server.connect(peer).await);
    }
    // The first one is younger than the others once it has made a request.
    clients[0].ask("/").await;
    clients[0].answer().await;
    let mut fourth = server.connect("192.0.2.4").await;
    assert_eq!(clients[1].closed_after().await, Duration::ZERO);
    for client in [&mut clients[0], &mut fourth] {
        client.ask("/").await;
        client.answer().await;
    }
    let mut fifth = server.connect("192.0.2.5").await;
    assert_eq!(clients[2].closed_after().await, Duration::ZERO);
    // Neither a request nor an answer that is still being sent is interrupted.
    clients[0].ask("/wait").await;
    fourth.ask("/wait").await;
    fifth.ask("/long").await;
    let mut sixth = server.connect("192.0.2.6").await;
    assert_eq!(sixth.closed_after().await, Duration::ZERO);
    let counts = server.connections.counts();
    assert_eq!((counts.open, counts.evicted, counts.refused), (3, 2, 1));
    server.finish.notify_waiters();
    clients[0].answer().await;
    fourth.answer().await;
    assert!(fifth.answer().await.len() > 64 * 1024);
}

#[tokio::test(start_paused = true)]
async fn one_prefix_cannot_have_all_connections() {
    let server = Server::start(100, 2);
    let mut first = server.connect("2001:db8:1:2::1").await;
    let _second = server.connect("2001:db8:1:2::2").await;
    let _other = server.connect("2001:db8:1:3::1").await;
    let mut third = server.connect("2001:db8:1:2:ffff::3").await;
    assert_eq!(first.closed_after().await, Duration::ZERO);
    third.ask("/").await;
    third.answer().await;
    assert_eq!(server.open(), 3);
    // Those of whom each stands for many visitors, and those of this machine and its network.
    for peer in ["198.51.100.7", "127.0.0.1", "::1", "10.0.0.1", "fd00::1"] {
        settle().await;
        let before = server.open();
        let _clients = [
            server.connect(peer).await,
            server.connect(peer).await,
            server.connect(peer).await,
        ];
        assert_eq!(server.open(), before + 3, "{peer}");
    }
    assert_eq!(server.connections.counts().evicted, 1);
}

#[tokio::test(start_paused = true)]
async fn stopping_waits_for_requests_and_for_nothing_else() {
    let server = Server::start(10, 10);
    let mut silent = server.connect("192.0.2.1").await;
    let mut half = server.connect("192.0.2.2").await;
    half.send("GET / HTTP/1.1\r\nho").await;
    let mut idle = server.connect("192.0.2.3").await;
    idle.ask("/").await;
    idle.answer().await;
    let mut busy = server.connect("192.0.2.4").await;
    busy.ask("/wait").await;
    server.stop.send_replace(true);
    for client in [&mut silent, &mut half, &mut idle] {
        assert_eq!(client.closed_after().await, Duration::ZERO);
    }
    assert!(!server.task.is_finished());
    server.finish.notify_one();
    let answer = busy.rest().await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    server.task.await.expect("it ends");
}

#[tokio::test(start_paused = true)]
async fn dropping_the_service_closes_everything() {
    let server = Server::start(10, 10);
    let mut busy = server.connect("192.0.2.1").await;
    busy.ask("/wait").await;
    server.task.abort();
    assert_eq!(busy.closed_after().await, Duration::ZERO);
}
