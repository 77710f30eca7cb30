//! Traces: each request with its calls of storage and LiveKit, sent to a collector.
//!
//! Nothing is done for a trace unless there is a collector. The spans of a request are made when it
//! has been answered, because only then is known whether its caller's trace is continued.

use std::{
    sync::{
        Mutex, PoisonError,
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

use widget_core::id::WidgetId;

use crate::metrics::{MethodLabel, Outcome};

mod dropped;
mod exporter;

pub(crate) use self::dropped::dropped_spans;
use self::exporter::TRACER;
pub use self::exporter::{Traces, TracesError};

/// Spans of one request, so that one that asks the database very often stays small.
const MAX_CALLS: usize = 128;

/// What a call went to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Callee {
    /// The database; with the first word of the statement.
    Storage(&'static str),
    /// LiveKit; with what was asked.
    LiveKit(&'static str),
}

/// A call that has ended.
#[derive(Debug)]
pub(super) struct Call {
    callee: Callee,
    ended: SystemTime,
    took: Duration,
    is_ok: bool,
}

/// A request that was answered.
#[derive(Debug)]
pub(super) struct ServedRequest<'a> {
    pub(super) id: &'a str,
    pub(super) method: MethodLabel,
    pub(super) template: &'a str,
    pub(super) widget: Option<WidgetId>,
    pub(super) outcome: Outcome,
    pub(super) status: StatusCode,
    pub(super) took: Duration,
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

impl RequestTrace {
    /// Nothing when nobody wants it.
    pub(super) fn begin(headers: &HeaderMap, is_trusted: impl FnOnce() -> bool) -> Option<Self> {
        is_on().then(|| Self {
            started: SystemTime::now(),
            claimed: parent(headers),
            is_trusted: AtomicBool::new(is_trusted()),
            calls: Mutex::default(),
        })
    }

    /// Believes what the caller says that the request belongs to.
    pub(super) fn trust(&self) {
        self.is_trusted.store(true, Relaxed);
    }

    /// Notes a call that belongs to the request.
    pub(super) fn note(&self, call: Call) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() < MAX_CALLS {
            calls.push(call);
        }
    }

    /// Sends the request and its calls to the collector.
    pub(super) fn finish(&self, request: &ServedRequest<'_>) {
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
        let template = request.template.to_string();
        let mut attributes = vec![
            KeyValue::new("http.request.method", request.method.as_str()),
            KeyValue::new("http.route", template.clone()),
            KeyValue::new(
                "http.response.status_code",
                i64::from(request.status.as_u16()),
            ),
            KeyValue::new("widget.request_id", request.id.to_owned()),
        ];
        if let Outcome::Refused(code) = request.outcome {
            attributes.push(KeyValue::new("error.type", code.as_str()));
        }
        if let Some(id) = request.widget {
            attributes.push(KeyValue::new("widget.id", id.to_string()));
        }
        let mut span = tracer
            .span_builder(format!("{} {template}", request.method))
            .with_kind(SpanKind::Server)
            .with_start_time(self.started)
            .with_attributes(attributes)
            .start_with_context(tracer, &parent);
        if request.status.is_server_error() {
            span.set_status(Status::error(""));
        }
        let inside = Context::new().with_remote_span_context(span.span_context().clone());
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        for call in calls.drain(..) {
            call.export(tracer, &inside);
        }
        span.end_with_timestamp(self.started + request.took);
    }
}

impl Call {
    /// One that has just ended.
    pub(super) fn ended(callee: Callee, started: Instant, is_ok: bool) -> Self {
        Self {
            callee,
            ended: SystemTime::now(),
            took: started.elapsed(),
            is_ok,
        }
    }

    /// Sends a call that belongs to no request. Those of storage, which are made every few seconds
    /// in the background, would hide everything else.
    pub(super) fn export_alone(&self) {
        if let (Some(tracer), Callee::LiveKit(_)) = (TRACER.get(), self.callee) {
            self.export(tracer, &Context::new());
        }
    }

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
