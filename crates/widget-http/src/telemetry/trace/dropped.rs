//! Spans that do not reach the collector, which the SDK counts for nobody.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor},
};

/// Spans that wait to be sent; of more, those that come are dropped.
const MAX_WAITING: usize = 2_048;

/// Of this process, which has one collector.
static DROPPED: AtomicU64 = AtomicU64::new(0);
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Spans that were dropped or could not be sent since the process started.
pub(crate) fn dropped_spans() -> u64 {
    DROPPED.load(Relaxed)
}

fn drop_spans(count: usize) {
    DROPPED.fetch_add(count.try_into().unwrap_or(u64::MAX), Relaxed);
}

/// Sends spans in batches, as long as not too many wait.
#[derive(Debug)]
pub(super) struct Bounded(BatchSpanProcessor);

impl Bounded {
    pub(super) fn new(exporter: impl SpanExporter + 'static) -> Self {
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(MAX_WAITING)
            .build();
        let processor = BatchSpanProcessor::builder(CountingExporter(exporter));
        Self(processor.with_batch_config(config).build())
    }
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.0.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if WAITING.fetch_add(1, Relaxed) < MAX_WAITING {
            self.0.on_end(span);
        } else {
            WAITING.fetch_sub(1, Relaxed);
            drop_spans(1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

/// Counts what cannot be sent.
#[derive(Debug)]
struct CountingExporter<E>(E);

impl<E: SpanExporter> SpanExporter for CountingExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        WAITING.fetch_sub(count, Relaxed);
        let sent = self.0.export(batch).await;
        if sent.is_err() {
            drop_spans(count);
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}
