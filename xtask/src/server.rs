//! A very small HTTP server for this machine: the demo site is served with it, and the browser test
//! steers the stack through it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path without query.
    pub(crate) path: String,
}

/// What is answered.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: &'static str,
    /// Beside `content-length` and `connection`.
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// A sentence as plain text.
    pub(crate) fn text(status: &'static str, text: &str) -> Self {
        Self {
            status,
            headers: vec![("content-type", "text/plain; charset=utf-8".to_owned())],
            body: text.as_bytes().to_vec(),
        }
    }
}

/// Serves `localhost` on a port (0: a free one) for as long as this process lives, and gives the
/// port.
///
/// # Errors
/// When the port is taken.
pub(crate) fn serve(
    port: u16,
    handler: impl Fn(&Request) -> Response + Send + Sync + 'static,
) -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .with_context(|| format!("port {port} is taken"))?;
    let port = listener.local_addr()?.port();
    let handler = Arc::new(handler);
    // Browsers may try IPv6 first for `localhost`; nobody else shall answer there.
    for listener in
        std::iter::once(listener).chain(TcpListener::bind((Ipv6Addr::LOCALHOST, port)).ok())
    {
        let handler = Arc::clone(&handler);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let handler = Arc::clone(&handler);
                // A client that goes away early is its own business.
                thread::spawn(move || answer(&stream, handler.as_ref()).ok());
            }
        });
    }
    Ok(port)
}

fn answer(stream: &TcpStream, handler: &impl Fn(&Request) -> Response) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    // Nobody sends more than this in a head; a body is not looked at.
    let mut reader = BufReader::new(stream.take(16 * 1024));
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(());
    };
    let request = Request {
        method: method.to_owned(),
        path: target
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .to_owned(),
    };
    loop {
        let mut field = String::new();
        if reader.read_line(&mut field)? == 0 || field.trim().is_empty() {
            break;
        }
    }
    let Response {
        status,
        headers,
        body,
    } = handler(&request);
    let mut head = vec![
        format!("HTTP/1.1 {status}"),
        format!("content-length: {}", body.len()),
        "connection: close".to_owned(),
    ];
    head.extend(
        headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}")),
    );
    let mut out = stream;
    out.write_all(format!("{}\r\n\r\n", head.join("\r\n")).as_bytes())?;
    if request.method != "HEAD" {
        out.write_all(&body)?;
    }
    out.flush()
}
