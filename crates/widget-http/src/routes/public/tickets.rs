//! Embed tickets: a host page's loader proves by its `Origin` where it runs, and hands that proof
//! to the window.

use axum::{Json, extract::State, routing::options};
use http::StatusCode;
use url::Url;
use widget_api::{
    ProblemCode,
    visitors::{EmbedTicket, Empty},
};
use widget_core::{
    embed,
    serve::{self, Admission},
};

use super::page::{PAGE_PROBLEMS, PublicPath, require_admission, require_widget};
use crate::{
    state::AppState,
    visitors::{
        refusals,
        signing::{TICKET_LIFETIME, VerifiedTicket},
    },
    web::{
        api::{self, ApiRouter},
        caller::AddressPrefix,
        cors::{CorsFetch, JsonOnly, PageOrigin, preflight},
        extract::StrictJson,
        problem::Problem,
    },
};

pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::post(
                "/core/public/web-widgets/{id}/embed-tickets",
                "createEmbedTicket",
                "Gives a ticket to a page whose `Origin` is listed",
            )
            .readable_by_pages()
            .body::<Empty>()
            .answer::<EmbedTicket>(201, "The ticket.")
            .problems(PAGE_PROBLEMS)
            .problems([ProblemCode::FetchMetadata]),
            create,
        )
        .route_undescribed(
            "/core/public/web-widgets/{id}/embed-tickets",
            options(preflight),
        )
}

async fn create(
    State(state): State<AppState>,
    path: PublicPath,
    PageOrigin(origin): PageOrigin,
    _: JsonOnly,
    _: CorsFetch,
    address: AddressPrefix,
    StrictJson(Empty {}): StrictJson<Empty, 1024>,
) -> Result<(StatusCode, Json<EmbedTicket>), Problem> {
    state.rate_limits.tickets.check(&address)?;
    let widget = require_widget(&state, &path).await?;
    let admission = require_admission(&state, &widget, &origin).await?;
    issue(&state, &admission, &state.settings.public_url).await
}

/// A ticket for a page that was admitted; `base` is where its loader finds the service.
pub(in crate::routes) async fn issue(
    state: &AppState,
    admission: &Admission<'_>,
    base: &Url,
) -> Result<(StatusCode, Json<EmbedTicket>), Problem> {
    let expires_at = whole_seconds(state.now() + TICKET_LIFETIME);
    let ticket = serve::EmbedTicket::new(admission, state.new_id()?, expires_at);
    let text = state
        .signer
        .sign_ticket(&ticket)
        .await
        .map_err(refusals::token_refused)?;
    let body = EmbedTicket {
        ticket: text,
        expires_at: expires_at.into(),
        window_url: embed::window_url(base, &ticket),
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// The valid ticket of a window, for this widget. It is used up later, together with what is
/// written.
pub(super) async fn require_ticket(
    state: &AppState,
    path: &PublicPath,
    token: Option<&str>,
) -> Result<VerifiedTicket, Problem> {
    let token = token.ok_or_else(refusals::ticket_required)?;
    let ticket = state.signer.read_ticket(token).await;
    let ticket = ticket.map_err(refusals::token_refused)?;
    if path.widget == Some(ticket.claims().widget_id) {
        Ok(ticket)
    } else {
        Err(refusals::ticket_wrong_widget())
    }
}

/// Tokens count in whole seconds.
fn whole_seconds(time: time::OffsetDateTime) -> time::OffsetDateTime {
    time.replace_nanosecond(0).unwrap_or(time)
}
