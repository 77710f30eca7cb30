//! One file for each resource: its routes and their handlers. This one only joins them.

use crate::{
    openapi,
    state::AppState,
    web::api::{ApiRouter, Operation},
};

mod agents;
mod api_keys;
mod conversations;
mod directory;
mod docs;
mod embed;
mod guard;
mod health;
mod idempotency;
mod limits;
mod listed;
mod preview;
mod public;
mod retention;
mod search;
mod static_files;
mod statistics;
mod webhook;
mod widgets;

/// Every operation of the API, as its route describes it.
pub(crate) fn operations() -> Vec<Operation> {
    let (_, operations) = all().into_parts();
    operations
}

/// The OpenAPI document of every route, as the committed file has it.
pub(crate) fn document() -> String {
    format!("{:#}\n", openapi::document(&operations()))
}

/// Every route with its description, without state.
pub(crate) fn all() -> ApiRouter<AppState> {
    ApiRouter::new()
        .merge(widgets::router())
        .merge(agents::router())
        .merge(api_keys::router())
        .merge(conversations::router())
        .merge(limits::router())
        .merge(retention::router())
        .merge(statistics::router())
        .merge(public::router())
        .merge(embed::router())
        .merge(preview::router())
        .merge(webhook::router())
        .merge(health::router(document))
        .merge(docs::router(document))
}
