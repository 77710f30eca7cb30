//! The way to the collector: OTLP over HTTP, as protobuf.

use std::sync::OnceLock;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracer, SdkTracerProvider},
};
use tokio::runtime::Handle;
use url::Url;

use super::dropped::Bounded;
use crate::{causes::with_causes, page_fetcher::tls_roots};

/// Where spans go, once there is a collector.
pub(super) static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// Where OTLP over HTTP accepts traces.
const PATH: &str = "v1/traces";

/// The traces of this process, on their way to a collector.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

/// Traces cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The client of the collector cannot be made.
    #[error("the client of the collector cannot be made: {0}")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What sends traces cannot be made.
    #[error("traces cannot be sent: {0}")]
    Exporter(#[from] ExporterBuildError),
}

impl Traces {
    /// Begins to send spans to the collector at `endpoint`, in the background; needs the runtime.
    ///
    /// # Errors
    /// When the client cannot be made; whether the collector is there is not asked.
    pub fn start(endpoint: &Url) -> Result<Self, TracesError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new().map_err(TracesError::Client)?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(address(endpoint))
            .build()?;
        let resource = Resource::builder()
            .with_service_name("widget-http")
            .with_attribute(opentelemetry::KeyValue::new(
                "service.version",
                env!("CARGO_PKG_VERSION"),
            ))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(Bounded::new(exporter))
            // What a caller says about it is not believed.
            .with_sampler(Sampler::AlwaysOn)
            .with_resource(resource)
            .build();
        // A second one of the same process would be an error of this program.
        let _ = TRACER.set(provider.tracer("widget-http"));
        Ok(Self(provider))
    }

    /// Sends what is left, and ends.
    pub async fn stop(self) {
        let stopped = tokio::task::spawn_blocking(move || self.0.shutdown()).await;
        if let Ok(Err(error)) = stopped {
            tracing::warn!(error = with_causes(&error), "the last spans were not sent");
        }
    }
}

/// The address for traces below the one of the collector.
fn address(endpoint: &Url) -> String {
    let text = endpoint.as_str().trim_end_matches('/');
    if text.ends_with(PATH) {
        text.to_owned()
    } else {
        format!("{text}/{PATH}")
    }
}

/// Sends with the runtime of the service: the thread that asks has none.
#[derive(Debug)]
struct Client {
    client: reqwest::Client,
    runtime: Handle,
}

impl Client {
    fn new() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls_roots()?)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self {
            client,
            runtime: Handle::current(),
        })
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = request.map(reqwest::Body::from).try_into()?;
        let client = self.client.clone();
        let answer = self.runtime.spawn(async move {
            let answer = client.execute(request).await?;
            let (status, body) = (answer.status(), answer.bytes().await?);
            Ok::<_, reqwest::Error>((status, body))
        });
        let (status, body) = answer.await??;
        let mut response = Response::new(body);
        *response.status_mut() = status;
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_have_a_path_of_their_own() {
        for (endpoint, expected) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            (
                "https://otlp.example/in/",
                "https://otlp.example/in/v1/traces",
            ),
            (
                "https://otlp.example/v1/traces",
                "https://otlp.example/v1/traces",
            ),
        ] {
            let endpoint = endpoint.parse().expect("a URL");
            assert_eq!(address(&endpoint), expected);
        }
    }
}
