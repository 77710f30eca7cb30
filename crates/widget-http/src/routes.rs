//! One file per resource: bodies, handlers, router. This one only joins them.

use axum::Router;

use crate::state::AppState;

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
