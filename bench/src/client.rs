//! A client that costs little: requests are bytes that are made once, answers are read to their
//! declared length and only their status is looked at.
//!
//! A full client would take as much of a small machine as the server that it measures.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::future::try_join_all;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// One connection that is kept alive.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
pub struct Answer<'a> {
    pub status: u16,
    pub head: &'a str,
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// The body as JSON, when the request succeeded.
    pub fn json(&self) -> Result<Value> {
        let text = || String::from_utf8_lossy(self.body);
        ensure!(
            (200..300).contains(&self.status),
            "{} {}",
            self.status,
            text()
        );
        serde_json::from_slice(self.body).with_context(|| text().into_owned())
    }
}

/// The bytes of a request.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n");
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    if method != "GET" {
        let length = body.len().to_string();
        text.push_str("content-type: application/json\r\n");
        text.extend(["content-length: ", &length, "\r\n"]);
    }
    text.extend(["\r\n", body]);
    text.into_bytes()
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(64 * 1024),
        })
    }

    /// Sends a request and reads its answer.
    pub async fn ask(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the server closed the connection");
            if let Some(end) = find_end(&self.buffer) {
                break end;
            }
        };
        let length = content_length(&self.buffer[..head])?;
        while self.buffer.len() < head + length {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the server closed the connection");
        }
        let text = std::str::from_utf8(&self.buffer[..head])?;
        let status = text.split(' ').nth(1).context("no status")?.parse()?;
        Ok(Answer {
            status,
            head: text,
            body: &self.buffer[head..head + length],
        })
    }

    /// The same for an answer that has to be a success.
    pub async fn expect(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        let answer = self.ask(request).await?;
        if !(200..300).contains(&answer.status) {
            bail!("{}{}", answer.head, String::from_utf8_lossy(answer.body));
        }
        Ok(answer)
    }
}

fn find_end(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some(end + 4)
}

fn content_length(head: &[u8]) -> Result<usize> {
    let head = std::str::from_utf8(head)?;
    let value = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    Ok(value.context("an answer without a length")?.parse()?)
}

/// Sends a request again and again over all connections for some time, and returns how long each
/// took.
pub async fn load(clients: &mut [Client], time: Duration, request: &[u8]) -> Result<Vec<Duration>> {
    let end = Instant::now() + time;
    let runs = clients.iter_mut().map(async |client| {
        let mut times = Vec::new();
        let mut begun = Instant::now();
        while begun < end {
            client.expect(request).await?;
            let now = Instant::now();
            times.push(now - begun);
            begun = now;
        }
        Ok::<_, anyhow::Error>(times)
    });
    Ok(try_join_all(runs).await?.concat())
}

/// So many connections.
pub async fn connect(address: SocketAddr, count: usize) -> Result<Vec<Client>> {
    try_join_all((0..count).map(|_| Client::connect(address))).await
}
