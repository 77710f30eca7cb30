//! Traces as a collector gets them: real bytes of OTLP, decoded by the receiving end.

use std::fmt::Write as _;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver, Sender},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    trace::v1::{Span, status::StatusCode},
};
use prost::Message as _;

use super::process::{Server, command, key};
use crate::database::Database;

/// A collector on a port of its own.
struct Collector {
    address: String,
    received: Receiver<Vec<u8>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("it is bound"));
        let (sender, received) = mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // One that is broken off is none.
                let _ = stream.ok().and_then(|stream| accept(stream, &sender));
            }
        });
        Self { address, received }
    }

    /// Every span that a service has sent that has ended: it waits for the answers of its
    /// collector, and those come after what is answered was kept.
    fn spans(self) -> Vec<Span> {
        let mut spans = Vec::new();
        for body in self.received.try_iter() {
            let request = ExportTraceServiceRequest::decode(body.as_slice()).expect("OTLP");
            let resources = request.resource_spans.into_iter();
            let scopes = resources.flat_map(|resource| resource.scope_spans);
            spans.extend(scopes.flat_map(|scope| scope.spans));
        }
        spans
    }
}

/// Reads one request for `/v1/traces`, keeps it, and accepts it.
fn accept(stream: TcpStream, kept: &Sender<Vec<u8>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut head) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        head.push_str(&lower);
    }
    assert!(head.starts_with("post /v1/traces "), "{head}");
    assert!(
        head.contains("content-type: application/x-protobuf"),
        "{head}"
    );
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    kept.send(body).ok()?;
    reader.into_inner().write_all(answer).ok()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string accepts every text");
        text
    })
}

#[test]
fn requests_and_their_calls_are_traced_and_visitors_cannot_forge_a_parent() {
    let database = Database::create();
    let collector = Collector::start();
    let mut server = Server::start_as(
        command(&database)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(["--otlp-endpoint", &collector.address]),
    );
    let key = key(&database, &["agents:manage"]);
    let parent = |digit: &str| format!("{}-{}", digit.repeat(32), digit.repeat(16));
    let ask = |path: &str, key: &str, digit: &str| {
        let headers = format!(
            "{key}\r\nx-secret: marker\r\ntraceparent: 00-{}-01",
            parent(digit)
        );
        server
            .request("GET", path, &headers, "")
            .expect("it answers")
    };
    assert_eq!(ask("/healthz", "", "d").0, 200);
    assert_eq!(ask("/core/agents", &key, "a").0, 200);
    assert_eq!(ask("/core/agents", "ak_marker.marker", "b").0, 401);
    assert_eq!(
        ask("/core/public/web-widgets/marker?marker", "", "c").0,
        403
    );
    server.signal("-TERM");
    server.wait();

    let spans = collector.spans();
    assert!(!format!("{spans:?}").contains("marker"), "{spans:?}");
    let of = |name: &str, status: i64| {
        let has_status = |span: &&Span| {
            let text = format!("{:?}", span.attributes);
            text.contains("http.response.status_code")
                && text.contains(&format!("IntValue({status})"))
        };
        let mut found = spans
            .iter()
            .filter(|span| span.name == name)
            .filter(has_status);
        found
            .next()
            .unwrap_or_else(|| panic!("no {name} with {status} in {spans:?}"))
    };
    let known = of("GET /core/agents", 200);
    assert_eq!(hexadecimal(&known.trace_id), "a".repeat(32));
    assert_eq!(hexadecimal(&known.parent_span_id), "a".repeat(16));
    let statement = |span: &Span| span.name.starts_with("storage ");
    let calls: Vec<_> = spans
        .iter()
        .filter(|span| statement(span) && span.parent_span_id == known.span_id)
        .collect();
    assert!(calls.len() >= 2, "the key and the list: {spans:?}");
    for call in calls {
        assert_eq!(call.trace_id, known.trace_id);
        assert!(known.start_time_unix_nano <= call.end_time_unix_nano);
        assert!(call.start_time_unix_nano <= call.end_time_unix_nano);
    }
    for forged in [
        of("GET /core/agents", 401),
        of("GET /core/public/web-widgets/{id}", 403),
    ] {
        assert!(forged.parent_span_id.is_empty(), "{forged:?}");
        let trace = hexadecimal(&forged.trace_id);
        assert!(
            !["b", "c"].contains(&&trace[..1]) || trace[1..] != trace[..31],
            "{trace}"
        );
    }
    // What storage does in the background is not traced.
    let is_alone = |span: &Span| statement(span) && span.parent_span_id.is_empty();
    assert!(!spans.iter().any(is_alone), "{spans:?}");
    // Of what is not counted there is no trace.
    assert!(spans.iter().all(|span| !span.name.contains("healthz")));
}

#[test]
fn what_livekit_is_asked_in_the_background_is_a_trace_of_its_own() {
    let database = Database::create();
    let collector = Collector::start();
    let (log, writer) = std::io::pipe().expect("a pipe");
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let livekit = format!("ws://{}", nobody.local_addr().expect("it is bound"));
    drop(nobody);
    let mut server = Server::start_with_log(
        command(&database)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(["--otlp-endpoint", &collector.address])
            .env("LIVEKIT_URL", livekit)
            .env("LIVEKIT_API_KEY", "key")
            .env(
                "LIVEKIT_API_SECRET",
                "secret-of-at-least-32-characters-in-all",
            ),
        writer,
    );
    let mut lines = BufReader::new(log).lines().map_while(Result::ok);
    let checked = lines.find(|line| line.contains("LiveKit does not answer"));
    assert!(checked.is_some(), "it is asked");
    std::thread::spawn(move || lines.count());
    server.signal("-TERM");
    server.wait();
    let spans = collector.spans();
    let asked = spans
        .iter()
        .find(|span| span.name == "livekit validate_token");
    let asked = asked.unwrap_or_else(|| panic!("{spans:?}"));
    assert!(asked.parent_span_id.is_empty(), "{asked:?}");
    let status = asked.status.as_ref().map(|status| status.code);
    assert_eq!(status, Some(StatusCode::Error.into()), "{asked:?}");
    assert!(asked.start_time_unix_nano <= asked.end_time_unix_nano);
}
