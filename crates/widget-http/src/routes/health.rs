//! Whether the process lives and whether it can work: for supervisors and load balancers.

use std::sync::OnceLock;

use axum::{Extension, Json, extract::State, response::IntoResponse};
use http::{StatusCode, header};
use serde_json::{Map, Value};

use crate::{
    embed_files::Accepted,
    readiness,
    routes::static_files::Document,
    state::AppState,
    telemetry::Unlogged,
    web::{
        api::{self, ApiRouter},
        etag::Known,
    },
};
use widget_api::health::{Health, Readiness, ReadinessStatus};

/// The description of the API, made when it is first asked for.
static OPENAPI: OnceLock<Document> = OnceLock::new();

/// `/healthz`, `/readyz` and `/openapi.json`, which answers what `document` writes.
pub(crate) fn router(document: fn() -> String) -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::get("/healthz", "getHealth", "Reports that the process answers")
                .without_storage()
                .answer::<Health>(200, "It answers."),
            alive,
        )
        .route(
            api::get(
                "/readyz",
                "getReadiness",
                "Reports whether this node can serve visitors",
            )
            // It reports what the database answers, and is never such an answer.
            .without_storage()
            .answer::<Readiness>(200, "It can, at least in part.")
            .answer::<Readiness>(503, "It cannot, or is about to stop."),
            ready,
        )
        .route(
            api::get("/openapi.json", "getOpenapi", "This document")
                .without_storage()
                .answer::<Map<String, Value>>(200, "The document.")
                .with(header::ETAG)
                .answer_empty(304, "The caller's version is current.")
                .with(header::ETAG),
            async move |encodings: Accepted, known: Known| {
                let openapi = || Document::new(document(), "application/json");
                OPENAPI.get_or_init(openapi).answer(encodings, &known)
            },
        )
}

/// The process answers.
async fn alive() -> impl IntoResponse {
    let body = Json(Health {
        status: "ok".into(),
    });
    (Extension(Unlogged), body)
}

/// Whether this node can serve visitors.
async fn ready(State(state): State<AppState>) -> impl IntoResponse {
    let report =
        readiness::report(&state.drain, state.storage.as_ref(), state.livekit.as_ref()).await;
    let status = match report.status {
        ReadinessStatus::Ready | ReadinessStatus::Degraded => StatusCode::OK,
        ReadinessStatus::Unavailable | ReadinessStatus::Stopping => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Extension(Unlogged), Json(report))
}
