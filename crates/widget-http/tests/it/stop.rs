//! What is still running when the service gets the signal to stop: kept connections, and requests.

use std::{
    io::{BufRead as _, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    process::Stdio,
};

use serde_json::json;

use super::process::{Server, command, key, run};
use crate::database::Database;

fn send(server: &Server, method: &str, path: &str, key: &str, body: &str) -> TcpStream {
    let mut stream = server.connect();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("it can be sent");
    stream
}

#[test]
fn a_kept_connection_is_closed_once_the_service_is_about_to_stop() {
    let database = Database::create();
    let mut command = command(&database);
    command
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("WIDGET_DRAIN_DELAY", "3600");
    let mut server = Server::start_as(&mut command);
    let mut kept = send(&server, "GET", "/healthz", "", "");
    let mut head = [0; 15];
    kept.read_exact(&mut head).expect("it answers");
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    server.signal("-TERM");
    while server
        .request("GET", "/readyz", "", "")
        .expect("it answers")
        .0
        == 200
    {}
    // The rest of the first answer, the second one, and the end.
    let request = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    kept.write_all(request.as_bytes()).expect("it is open");
    let mut answers = String::new();
    kept.read_to_string(&mut answers).expect("it is closed");
    let (first, second) = answers
        .split_once("HTTP/1.1 200 OK")
        .expect("a second answer");
    let closes = |answer: &str| answer.contains("connection: close");
    assert_eq!((closes(first), closes(second)), (false, true), "{answers}");
    server.signal("-TERM");
    server.wait();
}

/// The last use of a key is written in the background, and before the service ends.
#[test]
fn the_use_of_a_key_is_kept_when_the_service_stops() {
    let database = Database::create();
    let mut server =
        Server::start_as(command(&database).args(["serve", "--listen", "127.0.0.1:0"]));
    let key = key(&database, &["agents:read"]);
    let list = || {
        let output = run(&database, &["key", "list"]);
        String::from_utf8(output.stdout).expect("a text")
    };
    let before = list();
    let answer = server.request("GET", "/core/whoami", &key, "");
    assert_eq!(answer.expect("it answers").0, 200);
    server.signal("-TERM");
    server.wait();
    assert_ne!(list(), before);
}

const AGENT: &str = "0197a3c0-0000-7000-8000-00000000000a";
const VERSION: &str = "0197a3c0-0000-7000-8000-00000000000b";

/// The handler waits for the agent directory when its client hangs up and the signal to stop
/// comes; it writes afterwards.
#[test]
fn a_write_whose_client_is_gone_is_finished_before_the_service_ends() {
    let database = Database::create();
    let directory = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = directory.local_addr().expect("it is bound");
    std::fs::write(database.directory().join("token"), "secret").expect("it can be written");
    let mut command = command(&database);
    command
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("WIDGET_AGENT_DIRECTORY_URL", format!("http://{address}"))
        .env("WIDGET_AGENT_DIRECTORY_TOKEN_FILE", "token");
    let mut server = Server::start_with_log(&mut command, Stdio::piped());
    let log = server.log();
    let key = key(&database, &["web_widgets:manage", "web_widgets:read"]);
    let count = |server: &Server| {
        let (status, body) = server
            .request("GET", "/core/web-widgets", &key, "")
            .expect("it answers");
        assert_eq!(status, 200, "{body}");
        body.matches(AGENT).count()
    };
    let widget = json!({"agent_id": AGENT, "agent_version_id": VERSION}).to_string();
    let mut client = send(&server, "POST", "/core/web-widgets", &key, &widget);
    let (mut question, _) = directory.accept().expect("it asks");
    assert_eq!(count(&server), 0, "it writes after its question");
    client.shutdown(Shutdown::Write).expect("it is open");
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).expect("it is closed");
    assert_eq!(answer, b"", "nobody waits for the answer");
    server.signal("-TERM");
    let mut lines = log.lines();
    let waits = lines.any(|line| line.expect("it is text").contains("have hung up"));
    assert!(waits, "it ends without waiting");
    let body = json!({"status": "published", "livekit_agent_name": "porter"}).to_string();
    write!(
        question,
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("it waits for the answer");
    let rest: Vec<String> = lines.map(|line| line.expect("it is text")).collect();
    let status = server.wait();
    assert!(status.success(), "{status} {rest:?}");
    assert_eq!(count(&Server::start_as(&mut command)), 1, "{rest:?}");
}
