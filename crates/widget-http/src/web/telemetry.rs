//! Request ids, the log line of each request, and the bodies of error answers.

use std::{sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tracing::Instrument;

use crate::{
    causes::with_causes,
    system::{Clock, RandomSource, new_id},
    web::problem::Problem,
};

/// Header that carries the request's id, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request being answered, as an extension of the request.
#[derive(Debug, Clone)]
pub struct RequestId(pub HeaderValue);

/// Makes ids for requests that bring none.
#[derive(Clone)]
pub struct RequestIds {
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
}

impl std::fmt::Debug for RequestIds {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RequestIds").finish_non_exhaustive()
    }
}

impl RequestIds {
    /// Ids made of the time and of random bytes.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn RandomSource>) -> Self {
        Self { clock, random }
    }

    fn next(&self) -> RequestId {
        // A request without an id of its own is better than none.
        let id = new_id(self.clock.now(), self.random.as_ref()).unwrap_or_default();
        let id = id.as_simple().to_string();
        RequestId(HeaderValue::from_str(&id).expect("hexadecimal digits are a valid header"))
    }
}

/// A problem that was answered by a page for people: for the log only, as an extension of the
/// response.
#[derive(Debug, Clone)]
pub struct PageOf(pub Problem);

/// Marks an answer, as an extension of it, that is neither logged nor counted: probes ask every
/// few seconds.
#[derive(Debug, Clone, Copy)]
pub struct Unlogged;

impl RequestId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// Outermost layer: gives the request an id, completes error answers, writes one log line.
///
/// Neither query strings nor headers nor bodies are logged: they can hold tokens and personal data.
pub async fn observe(State(ids): State<RequestIds>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = incoming_id(request.headers()).unwrap_or_else(|| ids.next());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str)
        .to_owned();
    let method = request.method().clone();
    request.extensions_mut().insert(id.clone());
    let span = tracing::info_span!("request", request.id = id.as_str(), http.method = %method, http.route = route);
    async move {
        let mut response = complete(next.run(request).await, &id);
        response.headers_mut().insert(REQUEST_ID, id.0);
        if response.extensions_mut().remove::<Unlogged>().is_some() {
            return response;
        }
        let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            http.status = response.status().as_u16(),
            duration.milliseconds = milliseconds,
            "answered"
        );
        response
    }
    .instrument(span)
    .await
}

/// Writes the body of an error answer and logs its cause, once.
fn complete(mut response: Response, id: &RequestId) -> Response {
    if let Some(PageOf(problem)) = response.extensions_mut().remove() {
        log(&problem);
    }
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    log(&problem);
    let body = problem.body(id.as_str());
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    *response.body_mut() = Body::from(body);
    response
}

/// Logs why a request was not answered as asked.
fn log(problem: &Problem) {
    if let Some(cause) = problem.cause() {
        let cause = with_causes(cause);
        if problem.status().is_server_error() {
            tracing::error!(
                problem.code = problem.code().as_str(),
                error = cause,
                "request failed"
            );
        } else {
            tracing::info!(
                problem.code = problem.code().as_str(),
                reason = cause,
                "request refused"
            );
        }
    }
}

/// A caller's own id is kept when it is short and plain, so that logs of several services can be
/// joined.
fn incoming_id(headers: &HeaderMap) -> Option<RequestId> {
    let value = headers.get(REQUEST_ID)?;
    let plain = value
        .as_bytes()
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte));
    (plain && (1..=64).contains(&value.len())).then(|| RequestId(value.clone()))
}
