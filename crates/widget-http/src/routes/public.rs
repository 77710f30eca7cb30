//! What browsers ask for under `/core/public/web-widgets/{id}`: first the loader on the host page,
//! then the window.

use http::{HeaderValue, header};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::{state::AppState, web::api::ApiRouter};

mod bodies;
mod conversations;
mod feedback;
mod forms;
pub(super) mod launcher;
mod messages;
pub(super) mod page;
mod resume;
pub(super) mod tickets;
pub(super) mod token;
mod voice;

/// The routes of the loader and of the window.
pub(crate) fn router() -> ApiRouter<AppState> {
    launcher::router()
        .merge(tickets::router())
        .merge(conversations::router())
        .merge(resume::router())
        .merge(voice::router())
        .merge(messages::router())
        .merge(forms::router())
        .merge(feedback::router())
        // Tokens and transcripts must not be cached; the launcher's config sets its own lifetime.
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
}
