//! One file per resource: bodies, handlers, router. This one only joins them.

use axum::Router;

use crate::state::AppState;

#[cfg(feature = "schemars")]
use crate::api::Operation;

mod agents;
mod conversations;
mod embed;
mod health;
mod public;
mod webhook;
mod widgets;

/// Every route, without state.
pub(crate) fn all() -> Router<AppState> {
    Router::new()
        .merge(health::router())
        .merge(agents::router())
        .merge(widgets::router())
        .merge(conversations::router())
        .merge(public::router())
        .merge(embed::router())
        .merge(webhook::router())
}

/// Every operation, as the OpenAPI document shows it.
#[cfg(feature = "schemars")]
pub(crate) fn operations() -> Vec<Operation> {
    [
        widgets::operations(),
        agents::operations(),
        conversations::operations(),
        public::operations(),
        embed::operations(),
        vec![webhook::operation()],
        health::operations(),
    ]
    .concat()
}
