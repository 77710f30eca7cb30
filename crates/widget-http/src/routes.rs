//! One file per resource: bodies, handlers, router. This one only joins them.

use crate::{state::AppState, web::api::ApiRouter};

mod agents;
mod conversations;
mod embed;
mod guard;
mod health;
mod public;
mod webhook;
mod widgets;

/// Every route with its description, without state.
pub(crate) fn all() -> ApiRouter<AppState> {
    ApiRouter::new()
        .merge(widgets::router())
        .merge(agents::router())
        .merge(conversations::router())
        .merge(public::router())
        .merge(embed::router())
        .merge(webhook::router())
        .merge(health::router())
}
