//! What an operator sees of the service beside its log: metrics and traces.

use std::{
    io::{self, IsTerminal},
    net::SocketAddr,
};

use anyhow::Context;
use axum::Router;
use clap::{Args, ValueEnum};
use tokio::{net::TcpListener, sync::watch};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use url::Url;
use widget_http::{
    metrics::{self, Scrape},
    telemetry::{LogFormat, trace::Traces},
    web::{
        caller::TrustedProxies,
        connections::{ConnectionLimits, Connections},
    },
};

use super::{environment, output::print_line};

#[derive(Debug, Args)]
pub(crate) struct LogArguments {
    /// How log lines on standard error look.
    #[arg(long, global = true, env = "WIDGET_LOG_FORMAT", value_enum, default_value_t = LogForm::Human)]
    log_format: LogForm,
    /// What is logged, such as `info` or `widget_http=debug,warn`.
    #[arg(
        long,
        global = true,
        env = "WIDGET_LOG",
        default_value = "info",
        value_name = "FILTER"
    )]
    log: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogForm {
    /// For people.
    #[value(alias = "text")]
    Human,
    /// One JSON object a line.
    Json,
}

/// Lines that wait to be written; of more, those that come are dropped and counted.
const MAX_WAITING_LINES: usize = 10_000;

/// Connections of those who read the metrics.
const MAX_METRICS_CONNECTIONS: usize = 16;

/// The log of this process, written until this is dropped.
pub(crate) struct Log {
    dropped: ErrorCounter,
    _writer: WorkerGuard,
}

impl Log {
    /// Starts the log; a filter that cannot be read is reported and replaced by `info`.
    ///
    /// Lines are written by a thread of its own, so that no request waits for whoever reads them.
    pub(crate) fn start(arguments: &LogArguments) -> Self {
        let parsed = EnvFilter::try_new(&arguments.log);
        let error = parsed.as_ref().err().map(ToString::to_string);
        let filter = parsed.unwrap_or_else(|_| EnvFilter::new("info"));
        let (writer, guard) = NonBlockingBuilder::default()
            .buffered_lines_limit(MAX_WAITING_LINES)
            .lossy(true)
            .finish(io::stderr());
        let dropped = writer.error_counter();
        let format = match arguments.log_format {
            LogForm::Json => LogFormat::json(),
            LogForm::Human => LogFormat::text(
                io::stderr().is_terminal() && environment::variable("NO_COLOR").is_none(),
            ),
        };
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(writer)
            .with_ansi(false)
            .event_format(format)
            .init();
        if let Some(error) = error {
            tracing::warn!(error, "the log filter cannot be read; using `info`");
        }
        Self {
            dropped,
            _writer: guard,
        }
    }

    /// How many lines were dropped.
    pub(crate) fn dropped(&self) -> ErrorCounter {
        self.dropped.clone()
    }
}

#[derive(Debug, Clone, Args)]
pub(super) struct TelemetryArguments {
    /// Address that answers `/metrics`, for whoever collects them and nobody else, such as
    /// `127.0.0.1:9464`; nothing does when left out.
    #[arg(long, env = "WIDGET_METRICS_LISTEN", value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,
    /// Collector of traces that accepts OTLP over HTTP, such as `http://127.0.0.1:4318`; without
    /// it, what `OTEL_EXPORTER_OTLP_ENDPOINT` says, and no traces when that is not set either.
    #[arg(long, env = "WIDGET_OTLP_ENDPOINT", value_name = "URL")]
    otlp_endpoint: Option<Url>,
}

impl TelemetryArguments {
    /// Begins to send traces, if there is a collector.
    pub(super) fn start_traces(&self) -> anyhow::Result<Option<Traces>> {
        let endpoint = match &self.otlp_endpoint {
            Some(endpoint) => Some(endpoint.clone()),
            None => environment::variable("OTEL_EXPORTER_OTLP_ENDPOINT")
                .map(|text| text.parse())
                .transpose()
                .context("OTEL_EXPORTER_OTLP_ENDPOINT is not a URL")?,
        };
        Ok(endpoint.map(|url| Traces::start(&url)).transpose()?)
    }

    /// The listener of metrics, if there is to be one.
    pub(super) async fn bind_metrics(&self) -> anyhow::Result<Option<MetricsListener>> {
        let Some(address) = self.metrics_listen else {
            return Ok(None);
        };
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address} for metrics"))?;
        Ok(Some(MetricsListener(listener)))
    }
}

/// Where metrics are read.
pub(super) struct MetricsListener(TcpListener);

impl MetricsListener {
    /// Prints where it listens.
    pub(super) fn announce(&self) -> anyhow::Result<()> {
        let address = self.0.local_addr()?;
        print_line(&format!("metrics on http://{address}/metrics"))?;
        Ok(())
    }

    /// Answers until it is dropped.
    pub(super) async fn serve(self, scrape: Scrape) {
        let (_never, stopped) = watch::channel(false);
        let trusted = TrustedProxies::default();
        let limits = ConnectionLimits::new(MAX_METRICS_CONNECTIONS, trusted);
        let router: Router = metrics::router(scrape);
        Connections::new(limits)
            .serve(self.0, router, stopped)
            .await;
    }
}
