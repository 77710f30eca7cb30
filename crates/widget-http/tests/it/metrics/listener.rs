//! The listener of metrics of a real process.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use widget_http::metrics::Metric;

use super::{
    super::process::{Server, command, key},
    value,
};
use crate::database::Database;

/// Connections of those who read the metrics.
const MAX_CONNECTIONS: usize = 16;

/// A service and the address of its metrics.
fn start(database: &Database, variables: &[(&str, &str)]) -> (Server, SocketAddr) {
    let mut command = command(database);
    command
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(["--metrics-listen", "127.0.0.1:0"])
        .envs(variables.iter().copied());
    let mut server = Server::start_as(&mut command);
    let address = address_of(&mut server);
    (server, address)
}

fn address_of(server: &mut Server) -> SocketAddr {
    let line = server.next_line();
    let address = line.strip_prefix("metrics on http://");
    let address = address.and_then(|line| line.strip_suffix("/metrics"));
    address.and_then(|text| text.parse().ok()).expect(&line)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it listens");
    // A service that does not answer fails the test instead of blocking it.
    let timeout = Some(Duration::from_mins(1));
    stream.set_read_timeout(timeout).expect("it is open");
    stream
}

/// The whole answer of a request with these lines of its head.
fn ask(address: SocketAddr, line: &str, headers: &str) -> String {
    let mut stream = connect(address);
    let request = format!("{line} HTTP/1.1\r\nhost: x\r\n{headers}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it is open");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

fn metrics(address: SocketAddr) -> String {
    ask(address, "GET /metrics", "")
}

/// Asks on a connection that stays open.
fn ask_and_stay(address: SocketAddr) -> TcpStream {
    let mut stream = connect(address);
    let request = b"GET /elsewhere HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(request).expect("it is open");
    let mut head = Vec::new();
    // The answer has no body.
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("it answers");
        head.push(byte[0]);
    }
    stream
}

#[test]
fn metrics_have_a_listener_of_their_own() {
    let database = Database::create();
    let (mut server, address) = start(&database, &[]);
    let public = ask(server.address(), "GET /metrics", "");
    assert!(public.starts_with("HTTP/1.1 404"), "{public}");
    for path in [
        "/",
        "/metrics/",
        "/metrics/x",
        "/core/agents",
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/public/embed.js",
    ] {
        let other = ask(address, &format!("GET {path}"), "");
        assert!(other.starts_with("HTTP/1.1 404"), "{path}: {other}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let other = ask(address, &format!("{method} /metrics"), "");
        assert!(other.starts_with("HTTP/1.1 405"), "{method}: {other}");
    }

    let mut kept = server.connect();
    let request = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    kept.write_all(request).expect("it is open");
    kept.read_exact(&mut [0; 15]).expect("it answers");
    let text = metrics(address);
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert!(
        text.contains("content-type: text/plain; version=0.0.4"),
        "{text}"
    );
    assert!(
        text.contains("# TYPE widget_requests_total counter"),
        "{text}"
    );
    let openmetrics = "application/openmetrics-text; version=1.0.0";
    let accept = format!("accept: {openmetrics}\r\n");
    let open = ask(address, "GET /metrics", &accept);
    assert!(
        open.contains(&format!("content-type: {openmetrics}")),
        "{open}"
    );
    assert!(open.contains("# TYPE widget_requests counter"), "{open}");
    assert!(open.trim_end().ends_with("# EOF"), "{open}");
    for text in [&text, &open] {
        let last = r#"le="30"} "#;
        let last = text.find(last).or_else(|| text.find(r#"le="30.0"} "#));
        let mut behind = text[last.expect("the last bound")..].lines();
        let next = behind.nth(1).expect("what is longer than all");
        assert!(next.contains(r#"le="+Inf"}"#), "{next}");
    }
    for metric in Metric::ALL {
        // Counted when there is something to count, or somebody to ask.
        let is_of_events = [
            Metric::LimitRefusals,
            Metric::LiveKitCalls,
            Metric::LiveKitCallDuration,
            Metric::DirectoryQuestions,
            Metric::DirectoryQuestionDuration,
        ];
        assert_eq!(
            text.contains(&format!("# HELP {} ", metric.name())),
            !is_of_events.contains(metric),
            "{metric:?}"
        );
    }
    // The one that is kept, and perhaps the one that has just been closed.
    let open = value(&text, "widget_connections_open");
    assert!((1.0..=2.0).contains(&open), "{open}");
    for name in [
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_start_time_seconds",
    ] {
        assert!(value(&text, name) > 1.0, "{name}");
    }
    server.signal("-TERM");
    server.wait();
    assert!(TcpStream::connect(address).is_err(), "it has stopped");
}

/// Whether the service has closed a connection on which nothing is due.
fn is_closed(reader: &mut TcpStream) -> bool {
    reader.set_nonblocking(true).expect("it is open");
    match reader.read(&mut [0]) {
        Ok(length) => {
            assert_eq!(length, 0, "nothing was asked");
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "{error}");
            false
        }
    }
}

/// Which one that is, unit tests say: this client may see an answer before the service notes that
/// it is sent.
#[test]
fn one_more_reader_takes_the_place_of_an_idle_one() {
    let database = Database::create();
    let (_server, address) = start(&database, &[]);
    let mut readers: Vec<_> = (0..MAX_CONNECTIONS)
        .map(|_| ask_and_stay(address))
        .collect();
    assert!(!readers.iter_mut().any(is_closed), "all have a place");
    let mut newest = ask_and_stay(address);
    let mut closed = 0;
    while closed == 0 {
        readers.retain_mut(|reader| !is_closed(reader));
        closed = MAX_CONNECTIONS - readers.len();
        std::thread::yield_now();
    }
    assert_eq!(closed, 1);
    assert!(!is_closed(&mut newest));
}

#[test]
fn readiness_is_shown_while_the_service_is_about_to_stop() {
    let database = Database::create();
    let (mut server, address) = start(&database, &[("WIDGET_DRAIN_DELAY", "3600")]);
    let state = |text: &str, part: &str, state: &str| {
        let series = format!(r#"widget_readiness{{part="{part}",state="{state}"}}"#);
        value(text, &series) > 0.5
    };
    let before = metrics(address);
    // Without LiveKit.
    assert!(state(&before, "node", "degraded"), "{before}");
    assert!(!state(&before, "node", "stopping"), "{before}");
    server.signal("-TERM");
    let mut text = before;
    while state(&text, "node", "degraded") {
        text = metrics(address);
    }
    assert!(state(&text, "node", "stopping"), "{text}");
    assert!(state(&text, "database", "ok"), "{text}");
    server.signal("-TERM");
    server.wait();
    assert!(TcpStream::connect(address).is_err(), "it has stopped");
}

#[test]
fn metrics_are_shown_until_the_last_request_has_ended() {
    let database = Database::create();
    let (mut server, address) = start(&database, &[]);
    let key = key(&database, &["agents:manage"]);
    let _open = server.begin_request(&key);
    server.signal("-TERM");
    server.wait_until_closed();
    let text = metrics(address);
    let stopping = r#"widget_readiness{part="node",state="stopping"}"#;
    assert!(value(&text, stopping) > 0.5, "{text}");
    server.signal("-TERM");
    server.wait();
}

#[test]
fn lines_that_nobody_reads_are_dropped_and_counted() {
    let database = Database::create();
    // Nobody reads it.
    let (_log, writer) = std::io::pipe().expect("a pipe");
    let mut server = Server::start_with_log(
        command(&database)
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "trace"])
            .args(["--metrics-listen", "127.0.0.1:0"]),
        writer,
    );
    let address = address_of(&mut server);
    let dropped = |text: &str| value(text, "widget_log_lines_dropped_total");
    assert!(dropped(&metrics(address)) < 0.5, "they wait");
    let is_dropped = (0..10_000).any(|_| {
        let (status, _) = server
            .request("GET", "/core/agents", "", "")
            .expect("it answers, whoever reads the log");
        assert_eq!(status, 401);
        dropped(&metrics(address)) > 0.5
    });
    assert!(is_dropped, "{}", metrics(address));
}

#[test]
fn spans_that_no_collector_accepts_are_counted() {
    let database = Database::create();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let collector = format!("http://{}", nobody.local_addr().expect("it is bound"));
    drop(nobody);
    let variables = [
        ("WIDGET_OTLP_ENDPOINT", collector.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "1"),
    ];
    let (server, address) = start(&database, &variables);
    let dropped = || value(&metrics(address), "widget_trace_spans_dropped_total");
    assert!(dropped() < 0.5, "there was no request");
    let answer = server.request("GET", "/core/agents", "", "");
    assert_eq!(answer.expect("it answers").0, 401);
    while dropped() < 0.5 {}
}
