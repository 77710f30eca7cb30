//! What is known of a request while it is answered: its id, the numbers of its route, its log line,
//! the bodies of error answers.
//!
//! None of it is formatted before a line is written. The lines that a handler logs get the request
//! from [`RequestContext`], see `format.rs`.

use std::{
    net::IpAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use widget_core::{id::OrganizationId, serve::Refusal};

use super::{
    flood,
    trace::{self, Callee, RequestTrace, ServedRequest},
};
use crate::{
    causes::with_causes,
    metrics::{MethodLabel, Metrics, Outcome, Route},
    system::RandomSource,
    visitors::public_widgets::PublicWidget,
    web::problem::Problem,
};

/// Header that carries the request's id, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    /// The request that the present task answers.
    pub(super) static REQUEST: Arc<RequestContext>;
}

/// What is known of the request that is being answered.
#[derive(Debug)]
pub(crate) struct RequestContext {
    pub(super) id: RequestId,
    pub(super) route: Arc<Route>,
    pub(super) method: MethodLabel,
    pub(super) caller: IpAddr,
    pub(super) metrics: Arc<Metrics>,
    pub(super) widget: OnceLock<Arc<PublicWidget>>,
    pub(super) organization: OnceLock<OrganizationId>,
    pub(super) trace: Option<RequestTrace>,
}

/// Keeps the request in mind while `work` runs in a task of its own.
pub(crate) fn carry<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let context = REQUEST.try_with(Arc::clone).ok();
    async move {
        match context {
            Some(context) => REQUEST.scope(context, work).await,
            None => work.await,
        }
    }
}

/// Whose request it is, where that was found out already.
pub(crate) fn caller() -> Option<IpAddr> {
    REQUEST.try_with(|request| request.caller).ok()
}

/// Notes a call that has just ended, for the trace of the present request or as one of its own.
pub(crate) fn note_call(callee: Callee, started: Instant, is_ok: bool) {
    if !trace::is_on() {
        return;
    }
    let call = trace::Call::ended(callee, started, is_ok);
    let note = REQUEST.try_with(Arc::clone);
    match note {
        Ok(request) => {
            if let Some(trace) = &request.trace {
                trace.note(call);
            }
        }
        Err(_) => call.export_alone(),
    }
}

/// Notes the widget that was asked for, or that there is none.
pub(crate) fn note_widget(widget: Option<&Arc<PublicWidget>>) {
    // Outside a request there is nothing to note.
    let _ = REQUEST.try_with(|request| match widget {
        Some(widget) => drop(request.widget.set(Arc::clone(widget))),
        None => request.metrics.decisions.count_unknown(),
    });
}

/// Counts whether the widget serves the page.
pub(crate) fn note_decision<T>(decision: &Result<T, Refusal>) {
    let _ = REQUEST.try_with(|request| request.metrics.decisions.count(decision));
}

/// Notes who has shown an API key; only then is the caller's trace continued.
pub(crate) fn note_organization(organization: &OrganizationId) {
    let _ = REQUEST.try_with(|request| {
        if let Some(trace) = &request.trace {
            trace.trust();
        }
        request.organization.set(organization.clone())
    });
}

/// Makes ids for requests that bring none: random bytes of this process, and a number.
pub(crate) struct RequestIds {
    process: [u8; 16],
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new(random: &dyn RandomSource) -> Self {
        let mut process = [0; 8];
        // Ids of one process differ also without.
        let _ = random.fill(&mut process);
        Self {
            process: hexadecimal(u64::from_be_bytes(process)),
            next: AtomicU64::default(),
        }
    }

    pub(super) fn next(&self) -> RequestId {
        let mut id = [0; 32];
        id[..16].copy_from_slice(&self.process);
        id[16..].copy_from_slice(&hexadecimal(self.next.fetch_add(1, Relaxed)));
        RequestId::Own(id)
    }
}

/// The id of a request.
#[derive(Debug)]
pub(super) enum RequestId {
    /// Hexadecimal digits, which need no allocation of their own.
    Own([u8; 32]),
    /// What the caller has named it.
    Given(HeaderValue),
}

impl RequestId {
    fn as_str(&self) -> &str {
        match self {
            Self::Own(digits) => str::from_utf8(digits).unwrap_or_default(),
            Self::Given(value) => value.to_str().unwrap_or_default(),
        }
    }

    fn to_header(&self) -> HeaderValue {
        match self {
            Self::Own(digits) => {
                HeaderValue::from_bytes(digits).expect("hexadecimal digits are a valid header")
            }
            Self::Given(value) => value.clone(),
        }
    }
}

fn hexadecimal(number: u64) -> [u8; 16] {
    let bytes = number.to_be_bytes();
    std::array::from_fn(|place| {
        let digit = (bytes[place / 2] >> (4 * (1 - place % 2))) & 0xf;
        b"0123456789abcdef"[usize::from(digit)]
    })
}

/// A problem that was answered by a page for people: for the log only, as an extension of the
/// response.
#[derive(Debug, Clone)]
pub struct PageOf(pub Problem);

/// Marks an answer, as an extension of it, that is neither logged nor counted: probes ask every
/// few seconds.
#[derive(Debug, Clone, Copy)]
pub struct Unlogged;

impl RequestContext {
    pub(super) fn id(&self) -> &str {
        self.id.as_str()
    }

    /// Completes the answer, counts it and logs what is to be logged of it.
    pub(super) fn finish(&self, mut response: Response, took: Duration) -> Response {
        let problem = self.take_problem(&mut response);
        response
            .headers_mut()
            .insert(REQUEST_ID, self.id.to_header());
        if response.extensions_mut().remove::<Unlogged>().is_some() {
            return response;
        }
        let outcome = match &problem {
            None => Outcome::Answered(response.status()),
            Some(problem) => Outcome::Refused(problem.code()),
        };
        self.route.method(self.method).count(outcome, took);
        match &problem {
            None => self.log_answer(&response, took),
            Some(problem) => {
                if let Some(limit) = problem.limit() {
                    self.metrics.limits.count(limit);
                }
                self.log_problem(problem, took);
            }
        }
        if let Some(trace) = &self.trace {
            trace.finish(&ServedRequest {
                id: self.id(),
                method: self.method,
                template: self.route.template(),
                widget: self.widget.get().map(|widget| widget.stored.widget.id),
                outcome,
                status: response.status(),
                took,
            });
        }
        response
    }

    /// The problem that the answer is, with its body written.
    fn take_problem(&self, response: &mut Response) -> Option<Problem> {
        if let Some(PageOf(problem)) = response.extensions_mut().remove() {
            return Some(problem);
        }
        let problem = response.extensions_mut().remove::<Problem>()?;
        let body = problem.body(self.id());
        let length = HeaderValue::from(body.len());
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, length);
        *response.body_mut() = Body::from(body);
        Some(problem)
    }

    fn log_answer(&self, response: &Response, took: Duration) {
        let status = response.status().as_u16();
        if self.route.is_routine() {
            // The summary counts them.
            tracing::debug!(
                http.status = status,
                duration.milliseconds = milliseconds(took),
                "answered"
            );
        } else {
            tracing::info!(
                http.status = status,
                duration.milliseconds = milliseconds(took),
                "answered"
            );
        }
    }

    /// Logs why a request was not answered as asked, but not each time in a flood of the same.
    fn log_problem(&self, problem: &Problem, took: Duration) {
        let widget = self.widget.get().map(|widget| widget.stored.widget.id);
        let key = flood::Key::new(&self.route, problem, widget);
        let floods = &self.metrics.floods;
        let Some(repeated) = floods.admit(key, &self.route, tokio::time::Instant::now()) else {
            return;
        };
        // Left out when it is zero or unknown.
        let repeated = (repeated > 0).then_some(repeated);
        let (code, limit) = (problem.code().as_str(), problem.limit());
        let status = problem.status();
        let cause = problem.cause().map(|cause| with_causes(cause));
        if status.is_server_error() {
            tracing::error!(
                problem.code = code,
                http.status = status.as_u16(),
                duration.milliseconds = milliseconds(took),
                repeated,
                error = cause,
                "request failed"
            );
        } else {
            tracing::info!(
                problem.code = code,
                http.status = status.as_u16(),
                duration.milliseconds = milliseconds(took),
                limit,
                repeated,
                reason = cause,
                "request refused"
            );
        }
    }
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A caller's own id is kept when it is short and plain, so that logs of several services can be
/// joined.
pub(super) fn incoming_id(headers: &HeaderMap) -> Option<RequestId> {
    let value = headers.get(REQUEST_ID)?;
    let plain = value
        .as_bytes()
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte));
    (plain && (1..=64).contains(&value.len())).then(|| RequestId::Given(value.clone()))
}
