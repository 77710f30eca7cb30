//! The widget and the conversation that a public path names, and the page that asks for them.

use std::{str::FromStr, sync::Arc};

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::Deserialize;
use widget_api::{ProblemCode, doctor::PROBE_HEADER};
use widget_core::{
    config::Current,
    finding::Code,
    id::{ConversationId, PreviewId, WidgetId},
    origin::Origin,
    serve::{PreviewProof, Refusal},
    statistics::RefusedPage,
};

use crate::{
    routes::directory,
    state::AppState,
    storage::{ConversationRecord, StoredPreview},
    telemetry,
    visitors::{
        previews::PreviewedWidget,
        public_widgets::{AdmittedWidget, PublicWidget},
        refusals,
        signing::VerifiedTicket,
    },
    web::{extract::path_parameters, problem::Problem},
};

/// What can be wrong with the page that requests a widget.
pub(crate) const PAGE_PROBLEMS: [ProblemCode; 6] = [
    ProblemCode::OriginMalformed,
    ProblemCode::OriginOpaque,
    ProblemCode::OriginRequired,
    ProblemCode::OriginScheme,
    ProblemCode::RateLimited,
    ProblemCode::WidgetUnavailable,
];

/// What a public path names. A malformed id names nothing, exactly as an unknown one does.
#[derive(Debug, Clone, Default)]
pub(crate) struct PublicPath {
    pub(crate) widget: Option<WidgetId>,
    pub(crate) conversation: Option<ConversationId>,
    pub(crate) form: String,
}

#[derive(Deserialize)]
struct RawPath {
    id: String,
    #[serde(default)]
    cid: String,
    #[serde(default)]
    form_id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for PublicPath {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let Ok(raw) = path_parameters::<RawPath>(parts, state).await else {
            return Ok(Self::default());
        };
        Ok(Self {
            widget: WidgetId::from_str(&raw.id).ok(),
            conversation: ConversationId::from_str(&raw.cid).ok(),
            form: raw.form_id,
        })
    }
}

/// Whether a request is counted as a visit; probes with [`PROBE_HEADER`] are not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IsCounted(pub(crate) bool);

impl<S: Send + Sync> FromRequestParts<S> for IsCounted {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let probe = parts.headers.get(PROBE_HEADER);
        Ok(Self(probe.is_none_or(|value| value != "?1")))
    }
}

/// The widget that a path names.
pub(crate) async fn require_widget(
    state: &AppState,
    path: &PublicPath,
) -> Result<Arc<PublicWidget>, Problem> {
    let found = match path.widget {
        Some(id) => {
            let (storage, now) = (state.storage.as_ref(), state.now());
            state.public_widgets.find(storage, id, now).await?
        }
        None => None,
    };
    telemetry::note_widget(found.as_ref());
    found.ok_or_else(refusals::unknown_widget)
}

/// Proof that the widget serves a page of `origin` now.
pub(crate) async fn require_admission<'a>(
    state: &AppState,
    widget: &'a PublicWidget,
    origin: &'a Origin,
) -> Result<AdmittedWidget<'a>, Problem> {
    let admitted = admit(state, widget, origin).await?;
    admitted.map_err(|refusal| refusals::refused(widget.stored.widget.id, origin, &refusal))
}

/// The same for the first request of a visit, or of a window: a refusal is counted.
pub(crate) async fn require_visit<'a>(
    state: &AppState,
    widget: &'a PublicWidget,
    origin: &'a Origin,
    IsCounted(is_counted): IsCounted,
) -> Result<AdmittedWidget<'a>, Problem> {
    let admitted = admit(state, widget, origin).await?;
    admitted.map_err(|refusal| {
        let page = RefusedPage {
            origin: Some(origin.clone()),
            code: refusal.reasons[0].code,
        };
        let id = widget.stored.widget.id;
        if is_counted {
            state.visits.count_refusal(id, page, state.now());
        }
        refusals::refused(id, origin, &refusal)
    })
}

/// Counts a visit without a valid origin, if the widget exists.
pub(crate) async fn count_without_origin(
    state: &AppState,
    path: &PublicPath,
    code: Code,
    IsCounted(is_counted): IsCounted,
) {
    if is_counted && let Ok(widget) = require_widget(state, path).await {
        let page = RefusedPage { origin: None, code };
        let id = widget.stored.widget.id;
        state.visits.count_refusal(id, page, state.now());
    }
}

async fn admit<'a>(
    state: &AppState,
    widget: &'a PublicWidget,
    origin: &'a Origin,
) -> Result<Result<AdmittedWidget<'a>, Refusal>, Problem> {
    let record = &widget.stored.widget;
    // Of what is served to nobody the directory is not asked.
    let directory = if record.published && record.domains.admit(origin).is_some() {
        directory::find_version(state, record, true).await?
    } else {
        None
    };
    let admitted = widget.admit(origin, directory);
    telemetry::note_decision(&admitted);
    Ok(admitted)
}

/// The widget of a conversation: as it is now, or the draft of the preview by whose link the
/// conversation was started.
pub(crate) enum ConversationWidget {
    /// As visitors see it.
    Public(Arc<PublicWidget>),
    /// A draft.
    Preview(Box<PreviewedWidget>),
}

impl ConversationWidget {
    /// Its config.
    pub(crate) fn config(&self) -> &Current {
        match self {
            Self::Public(widget) => widget.stored.widget.config.current(),
            Self::Preview(preview) => preview.config(),
        }
    }
}

/// The widget of a conversation whose token was shown.
pub(crate) async fn require_widget_of(
    state: &AppState,
    path: &PublicPath,
    conversation: &ConversationRecord,
) -> Result<ConversationWidget, Problem> {
    find_by_preview(state, path, conversation.preview_id).await
}

/// The widget that a ticket is for.
pub(crate) async fn require_widget_of_ticket(
    state: &AppState,
    path: &PublicPath,
    ticket: &VerifiedTicket,
) -> Result<ConversationWidget, Problem> {
    find_by_preview(state, path, ticket.claims().preview_id).await
}

async fn find_by_preview(
    state: &AppState,
    path: &PublicPath,
    preview: Option<PreviewId>,
) -> Result<ConversationWidget, Problem> {
    let Some(id) = preview else {
        let widget = require_widget(state, path).await?;
        return Ok(ConversationWidget::Public(widget));
    };
    let found = state.storage.find_preview(id, state.now()).await?;
    let found = found.filter(|found| Some(found.preview.draft().id) == path.widget);
    let preview = found.ok_or_else(refusals::unknown_preview)?;
    Ok(ConversationWidget::Preview(Box::new(preview.into())))
}

/// Proof that the page that got the ticket is served now: by the gates, or because its preview has
/// not ended.
pub(crate) async fn require_admission_of_ticket<'a>(
    state: &AppState,
    widget: &'a ConversationWidget,
    ticket: &'a VerifiedTicket,
) -> Result<AdmittedWidget<'a>, Problem> {
    let claims = ticket.claims();
    match widget {
        ConversationWidget::Public(widget) => {
            require_admission(state, widget, &claims.origin).await
        }
        ConversationWidget::Preview(preview) => {
            let proof = PreviewProof::Ticket(claims);
            require_preview_admission(state, preview, proof, &claims.origin).await
        }
    }
}

/// Proof that somebody has the link of a preview, or a ticket that was issued by it, and that a
/// page of the service asks.
pub(crate) async fn require_preview_admission<'a>(
    state: &AppState,
    preview: &'a PreviewedWidget,
    proof: PreviewProof<'_>,
    origin: &'a Origin,
) -> Result<AdmittedWidget<'a>, Problem> {
    let StoredPreview { preview: kept, .. } = &preview.stored;
    let grant = kept.open(proof, state.now());
    let grant = grant.ok_or_else(refusals::unknown_preview)?;
    let directory = directory::find_version(state, kept.draft(), false).await?;
    let own = state.settings.public_url.origin();
    let admitted = preview.admit(grant, own, origin, directory);
    admitted.map_err(|refusal| refusals::refused(kept.draft().id, origin, &refusal))
}
