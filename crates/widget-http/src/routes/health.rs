//! Whether the process lives and whether it can work: for supervisors and load balancers.

use axum::{Json, Router, extract::State, routing::get};
use serde::Serialize;

use crate::{problem::Problem, state::AppState};

/// `/healthz` and `/readyz`.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
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
