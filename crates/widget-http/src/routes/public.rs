//! What browsers ask for under `/core/public/web-widgets/{id}`: first the loader on the host page,
//! then the window.

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
}
