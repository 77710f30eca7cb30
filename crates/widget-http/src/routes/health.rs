//! Whether the process lives and whether it can work: for supervisors and load balancers.

use axum::{Json, Router, extract::State, response::IntoResponse, routing::get};
use http::{HeaderValue, header};
use serde::Serialize;
#[cfg(feature = "schemars")]
use serde_json::{Map, Value};

#[cfg(feature = "schemars")]
use crate::api::{self, Operation};
use crate::{state::AppState, web::problem::Problem};

/// The committed description of the API; a test compares it with what this code says.
const OPENAPI: &str = include_str!("../../../../schema/openapi.json");

/// `/healthz`, `/readyz` and `/openapi.json`.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/openapi.json", get(openapi))
}

#[cfg(feature = "schemars")]
pub(super) fn operations() -> Vec<Operation> {
    vec![
        api::get("/healthz", "getHealth", "Tells that the process answers")
            .gives::<Health>(200, "It answers."),
        api::get(
            "/readyz",
            "getReadiness",
            "Tells that the database answers as well",
        )
        .gives::<Health>(200, "Both answer."),
        api::get("/openapi.json", "getOpenapi", "This document")
            .gives::<Map<String, Value>>(200, "The document."),
    ]
}

/// That something works.
#[derive(Serialize)]
#[cfg_attr(
    feature = "schemars",
    derive(schemars::JsonSchema),
    schemars(rename = "Health")
)]
struct Health {
    /// `ok`.
    status: &'static str,
}

/// What there is to ask, for generators of clients and for testing tools.
async fn openapi() -> impl IntoResponse {
    let media_type = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, media_type)], OPENAPI)
}

/// The process answers.
async fn alive() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// The database answers as well.
async fn ready(State(state): State<AppState>) -> Result<Json<Health>, Problem> {
    state.storage.ping().await?;
    Ok(Json(Health { status: "ok" }))
}
