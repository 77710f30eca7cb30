//! Connections that are kept open when the service gets the signal to stop.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

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
