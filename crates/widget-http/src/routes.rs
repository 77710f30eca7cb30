//! One file for each resource: its routes and their handlers. This one only joins them.

use http::{HeaderMap, HeaderValue, header};

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

/// What the answers to all paths of a folder have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Folder {
    /// What visitors ask for.
    Visitors,
    /// What the links of previews show.
    Previews,
    /// All others.
    Other,
}

impl Folder {
    pub(crate) fn of(path: &str) -> Self {
        if path.starts_with("/core/public/") {
            Self::Visitors
        } else if path.starts_with("/public/preview/") {
            Self::Previews
        } else {
            Self::Other
        }
    }

    /// Completes an answer.
    pub(crate) fn complete(self, headers: &mut HeaderMap) {
        match self {
            Self::Visitors => {
                // Tokens and transcripts must not be cached; the launcher's config sets its own
                // lifetime.
                let caching = headers.entry(header::CACHE_CONTROL);
                caching.or_insert(HeaderValue::from_static("no-store"));
            }
            Self::Previews => preview::hide(headers),
            Self::Other => {}
        }
    }
}

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
