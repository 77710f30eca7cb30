//! Traces: each request with its calls of storage and LiveKit, sent to a collector.
//!
//! Nothing is done for a trace unless there is a collector. The spans of a request are made when it
//! has been answered, because only then is known whether its caller's trace is continued.

use std::{
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};

use http::{HeaderMap, StatusCode};
use opentelemetry::{
    Context, KeyValue, SpanId, TraceFlags, TraceId,
    trace::{
        Span as _, SpanContext, SpanKind, Status, TraceContextExt as _, TraceState, Tracer as _,
    },
};
use opentelemetry_sdk::trace::SdkTracer;

use super::{REQUEST, RequestContext};
use crate::metrics::Outcome;

mod dropped;
mod exporter;

pub(crate) use self::dropped::dropped_spans;
pub use self::exporter::{Traces, TracesError};

/// Spans of one request, so that one that asks the database very often stays small.
const MAX_CALLS: usize = 128;

/// Where spans go, once there is a collector.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// What a call went to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Callee {
    /// The database; with the first word of the statement.
    Storage(&'static str),
    /// LiveKit; with what was asked.
    LiveKit(&'static str),
}

#[derive(Debug)]
struct Call {
    callee: Callee,
    ended: SystemTime,
    took: Duration,
    is_ok: bool,
}

/// What is known of a request for its trace.
#[derive(Debug)]
pub(super) struct RequestTrace {
    started: SystemTime,
    /// What the caller says that the request belongs to.
    claimed: Option<SpanContext>,
    is_trusted: AtomicBool,
    calls: Mutex<Vec<Call>>,
}

/// Whether spans are wanted.
pub(crate) fn is_on() -> bool {
    TRACER.get().is_some()
}

/// Notes a call that has just ended, for the trace of the present request or as one of its own.
pub(crate) fn note_call(callee: Callee, started: Instant, is_ok: bool) {
    let Some(tracer) = TRACER.get() else {
        return;
    };
    let call = Call {
        callee,
        ended: SystemTime::now(),
        took: started.elapsed(),
        is_ok,
    };
    let noted = REQUEST.try_with(|request| {
        let Some(trace) = &request.trace else {
            return;
        };
        let mut calls = trace.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() < MAX_CALLS {
            calls.push(Call { ..call });
        }
    });
    // In the background, what storage does every few seconds would hide everything else.
    if noted.is_err() && matches!(callee, Callee::LiveKit(_)) {
        call.export(tracer, &Context::new());
    }
}

impl RequestTrace {
    /// Nothing when nobody wants it.
    pub(super) fn begin(headers: &HeaderMap, is_trusted: bool) -> Option<Self> {
        is_on().then(|| Self {
            started: SystemTime::now(),
            claimed: parent(headers),
            is_trusted: AtomicBool::new(is_trusted),
            calls: Mutex::default(),
        })
    }

    /// Believes what the caller says that the request belongs to.
    pub(super) fn trust(&self) {
        self.is_trusted.store(true, Relaxed);
    }

    /// Sends the request and its calls to the collector.
    pub(super) fn finish(
        &self,
        request: &RequestContext,
        outcome: Outcome,
        status: StatusCode,
        took: Duration,
    ) {
        let Some(tracer) = TRACER.get() else {
            return;
        };
        let claimed = self
            .claimed
            .as_ref()
            .filter(|_| self.is_trusted.load(Relaxed));
        let parent = match claimed {
            Some(parent) => Context::new().with_remote_span_context(parent.clone()),
            None => Context::new(),
        };
        let template = request.route.template().to_string();
        let mut attributes = vec![
            KeyValue::new("http.request.method", request.method.as_str()),
            KeyValue::new("http.route", template.clone()),
            KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
            KeyValue::new("widget.request_id", request.id().to_owned()),
        ];
        if let Outcome::Refused(code) = outcome {
            attributes.push(KeyValue::new("error.type", code.as_str()));
        }
        if let Some(widget) = request.widget.get() {
            let id = widget.stored.widget.id.to_string();
            attributes.push(KeyValue::new("widget.id", id));
        }
        let mut span = tracer
            .span_builder(format!("{} {template}", request.method))
            .with_kind(SpanKind::Server)
            .with_start_time(self.started)
            .with_attributes(attributes)
            .start_with_context(tracer, &parent);
        if status.is_server_error() {
            span.set_status(Status::error(""));
        }
        let inside = Context::new().with_remote_span_context(span.span_context().clone());
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        for call in calls.drain(..) {
            call.export(tracer, &inside);
        }
        span.end_with_timestamp(self.started + took);
    }
}

impl Call {
    fn export(&self, tracer: &SdkTracer, parent: &Context) {
        let (name, attribute) = match self.callee {
            Callee::Storage(word) => ("storage", KeyValue::new("db.operation.name", word)),
            Callee::LiveKit(call) => ("livekit", KeyValue::new("rpc.method", call)),
        };
        let (Callee::Storage(what) | Callee::LiveKit(what)) = self.callee;
        let mut span = tracer
            .span_builder(format!("{name} {what}"))
            .with_kind(SpanKind::Client)
            .with_start_time(self.ended - self.took)
            .with_attributes([attribute])
            .start_with_context(tracer, parent);
        if !self.is_ok {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(self.ended);
    }
}

/// The `traceparent` of a request, as <https://www.w3.org/TR/trace-context/#traceparent-header>
/// defines it. What it says about sampling is not read: that is decided here.
fn parent(headers: &HeaderMap) -> Option<SpanContext> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = text.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_lower = |part: &str, length| {
        part.len() == length
            && part
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let is_known = version == "00" && parts.next().is_none() && is_lower(flags, 2);
    if !(is_known && is_lower(trace, 32) && is_lower(span, 16)) {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_parent_is_read_strictly() {
        let read = |text: &'static str| {
            let headers = HeaderMap::from_iter([(
                http::HeaderName::from_static("traceparent"),
                HeaderValue::from_static(text),
            )]);
            parent(&headers).map(|parent| parent.trace_id().to_string())
        };
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        for good in [
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
        ] {
            assert_eq!(read(good).as_deref(), Some(trace));
        }
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
