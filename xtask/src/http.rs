//! As much of HTTP as talking to programs on this machine takes, so that no client has to be
//! compiled first.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// An answer: its status, and its body when that is JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// Asks a service on this machine.
///
/// # Errors
/// When there is no answer, or none that can be understood.
pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    key: Option<&str>,
    body: Option<&Value>,
) -> Result<Answer> {
    let text = body.map(Value::to_string).unwrap_or_default();
    // HTTP/1.0, so that the answer simply ends with the connection.
    let mut head = vec![
        format!("{method} {path} HTTP/1.0"),
        format!("host: {address}"),
        format!("content-length: {}", text.len()),
    ];
    head.extend(body.map(|_| "content-type: application/json".to_owned()));
    head.extend(key.map(|key| format!("authorization: Bearer {key}")));
    let head = head.join("\r\n");
    let mut answer = Vec::new();
    exchange(
        address,
        format!("{head}\r\n\r\n{text}").as_bytes(),
        &mut answer,
    )
    .with_context(|| format!("no answer to {method} http://{address}{path}"))?;
    parse(&answer).with_context(|| format!("no sensible answer to {method} http://{address}{path}"))
}

/// Whether a service answers `GET` on the path with 200.
pub(crate) fn is_up(address: SocketAddr, path: &str) -> bool {
    request(address, "GET", path, None, None).is_ok_and(|answer| answer.status == 200)
}

fn exchange(address: SocketAddr, request: &[u8], answer: &mut Vec<u8>) -> std::io::Result<()> {
    let patience = Duration::from_secs(20);
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    stream.write_all(request)?;
    stream.read_to_end(answer)?;
    Ok(())
}

fn parse(answer: &[u8]) -> Result<Answer> {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        bail!("the answer has no end of its head")
    };
    let status = head
        .split_whitespace()
        .nth(1)
        .context("the answer has no status")?
        .parse()?;
    Ok(Answer {
        status,
        body: serde_json::from_str(body).unwrap_or(Value::String(body.to_owned())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let answer = parse(b"HTTP/1.0 201 Created\r\nx: y\r\n\r\n{\"id\":1}").expect("an answer");
        assert_eq!((answer.status, answer.body["id"].as_i64()), (201, Some(1)));
        assert_eq!(
            parse(b"HTTP/1.1 200 OK\r\n\r\nOK").expect("an answer").body,
            "OK"
        );
        parse(b"nonsense").expect_err("no head");
    }
}
