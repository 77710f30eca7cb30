//! Whether the process lives and whether it can work: for supervisors and load balancers.

use std::sync::OnceLock;

use axum::{Json, extract::State, response::IntoResponse};
use http::{HeaderValue, header};
use serde_json::{Map, Value};

use crate::{
    state::AppState,
    web::{
        api::{self, ApiRouter},
        problem::Problem,
    },
};
use widget_api::{ProblemCode, health::Health};

/// The description of the API, made when it is first asked for.
static OPENAPI: OnceLock<String> = OnceLock::new();

/// `/healthz`, `/readyz` and `/openapi.json`, which answers what `document` writes.
pub(crate) fn router(document: fn() -> String) -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::get("/healthz", "getHealth", "Reports that the process answers")
                .answer::<Health>(200, "It answers."),
            alive,
        )
        .route(
            api::get(
                "/readyz",
                "getReadiness",
                "Reports that the database answers as well",
            )
            .answer::<Health>(200, "Both answer.")
            .problems([ProblemCode::StorageFull, ProblemCode::StorageUnavailable]),
            ready,
        )
        .route(
            api::get("/openapi.json", "getOpenapi", "This document")
                .answer::<Map<String, Value>>(200, "The document."),
            async move || openapi(document),
        )
}

/// The description of the API, for generators of clients and for testing tools.
fn openapi(document: fn() -> String) -> impl IntoResponse {
    let media_type = HeaderValue::from_static("application/json");
    (
        [(header::CONTENT_TYPE, media_type)],
        OPENAPI.get_or_init(document).as_str(),
    )
}

/// The process answers.
async fn alive() -> Json<Health> {
    Json(Health {
        status: "ok".into(),
    })
}

/// The database answers as well.
async fn ready(State(state): State<AppState>) -> Result<Json<Health>, Problem> {
    state.storage.ping().await?;
    Ok(Json(Health {
        status: "ok".into(),
    }))
}
