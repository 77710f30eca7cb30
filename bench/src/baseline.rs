//! The baseline of the pages: an axum server that answers each path with the same bytes and
//! headers, and does nothing else.

use std::{fs, io, path::Path};

use anyhow::{Context as _, Result};
use axum::{
    Router,
    body::Bytes,
    extract::Request,
    middleware::{Next, from_fn},
    response::Response,
    routing::get,
    serve::ListenerExt as _,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::client::Answer;

/// An answer of the service, as the baseline reads it.
pub fn recorded(path: &str, answer: &Answer<'_>) -> Value {
    let headers: Vec<_> = answer
        .head
        .lines()
        .filter_map(|line| line.split_once(": "))
        // The server adds these itself.
        .filter(|(name, _)| !["content-length", "date"].contains(name))
        .collect();
    json!([path, headers, answer.body])
}

/// The path, the headers and the body of an answer.
type Recorded = (String, Vec<(String, String)>, Vec<u8>);

/// Serves the recorded answers, with one line of log for each request if asked for.
pub async fn serve(answers: &Path, logs_requests: bool) -> Result<()> {
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .json()
        .flatten_event(true)
        .init();
    let answers: Vec<Recorded> = serde_json::from_slice(&fs::read(answers)?)?;
    let mut router = Router::new();
    for (path, fields, body) in answers {
        let body = Bytes::from(body);
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
        router = router.route(&path, get(async move || (headers.clone(), body.clone())));
    }
    if logs_requests {
        router = router.layer(from_fn(log));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    println!("listening on http://{address}");
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router).await.context("it serves")
}

async fn log(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    let status = response.status().as_u16();
    tracing::info!(http.method = %method, http.path = path, http.status = status, "answered");
    response
}
