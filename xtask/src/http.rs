//! Requests to programs on this machine.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;
use ureq::{Agent, http::Request};

/// Sends a request and returns the status of the answer and its body, `null` when that is not JSON.
/// Without a key or with a body that is `null`, none is sent.
pub(crate) fn request(method: &str, url: &str, key: &str, body: &Value) -> Result<(u16, Value)> {
    let agent = Agent::from(
        Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(20)))
            // Nothing here is behind the proxy that the environment may name.
            .proxy(None)
            .build(),
    );
    let mut request = Request::builder().method(method).uri(url);
    if !key.is_empty() {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let answer = if body.is_null() {
        agent.run(request.body(())?)
    } else {
        request = request.header("content-type", "application/json");
        agent.run(request.body(body.to_string())?)
    };
    let mut answer = answer.with_context(|| format!("no answer to {method} {url}"))?;
    let body = answer.body_mut().read_to_string().unwrap_or_default();
    let status = answer.status().as_u16();
    Ok((status, serde_json::from_str(&body).unwrap_or_default()))
}

/// Whether a program answers `GET` with 200.
pub(crate) fn is_up(url: &str) -> bool {
    request("GET", url, "", &Value::Null).is_ok_and(|(status, _)| status == 200)
}
