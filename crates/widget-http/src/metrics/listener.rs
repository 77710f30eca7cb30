//! `/metrics`, on a listener of its own: the numbers are for operators only.

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::scrape::Scrape;

const OPENMETRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const PROMETHEUS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4");

/// The only path of this listener.
pub fn router(scrape: Scrape) -> Router {
    Router::new()
        .route("/metrics", get(show))
        .with_state(scrape)
}

async fn show(State(scrape): State<Scrape>, headers: HeaderMap) -> Response {
    let mut accepted = headers.get_all(header::ACCEPT).iter();
    let is_openmetrics = accepted.any(|value| {
        let value = value.to_str().unwrap_or_default();
        value.contains("application/openmetrics-text")
    });
    let Ok(text) = scrape.read().await.into_text(is_openmetrics) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let media_type = if is_openmetrics {
        OPENMETRICS
    } else {
        PROMETHEUS
    };
    ([(header::CONTENT_TYPE, media_type)], text).into_response()
}
