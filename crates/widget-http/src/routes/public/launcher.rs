//! The launcher's config: what the loader draws on the host page, and nothing else of the widget.

use axum::{body::Body, extract::State, response::Response, routing::options};
use http::{HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use widget_api::visitors;
use widget_core::serve::Admission;

use super::page::{
    IsCounted, PAGE_PROBLEMS, PublicPath, count_without_origin, require_visit, require_widget,
};
use crate::{
    state::AppState,
    visitors::public_widgets::{AdmittedWidget, Launcher},
    web::{
        api::{self, ApiRouter},
        caller::AddressPrefix,
        cors::{OriginRefused, PageOrOwnOrigin, preflight},
        etag::{self, Known},
        head::HEADERS,
        problem::Problem,
    },
};

/// Requested again each time, so that closing a widget works at once; an unchanged answer has no
/// body.
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::get(
                "/core/public/web-widgets/{id}",
                "getLauncherConfig",
                "What the loader draws on a page whose `Origin` is listed",
            )
            .readable_by_pages()
            .etag_header("If-None-Match", "The `ETag` of what the caller has.")
            .answer::<visitors::Launcher>(200, "The config with every default filled in.")
            .with(header::ETAG)
            .answer_empty(304, "The caller's version is current.")
            .with(header::ETAG)
            .problems(PAGE_PROBLEMS),
            show,
        )
        .route_undescribed("/core/public/web-widgets/{id}", options(preflight))
}

/// The rest of the widget's words comes with its window; these are needed when it does not come,
/// and on the page while it is closed.
const WORDS: [(&str, [&str; 4]); 7] = [
    (
        "ar",
        [
            "تعذر تحميل الدردشة.",
            "إعادة المحاولة",
            "إغلاق",
            "رسائل جديدة:",
        ],
    ),
    (
        "de",
        [
            "Der Chat konnte nicht geladen werden.",
            "Erneut versuchen",
            "Schließen",
            "Neue Nachrichten:",
        ],
    ),
    (
        "en",
        [
            "The chat could not be loaded.",
            "Try again",
            "Close",
            "New messages:",
        ],
    ),
    (
        "es",
        [
            "No se pudo cargar el chat.",
            "Reintentar",
            "Cerrar",
            "Mensajes nuevos:",
        ],
    ),
    (
        "fr",
        [
            "Impossible de charger le chat.",
            "Réessayer",
            "Fermer",
            "Nouveaux messages\u{a0}:",
        ],
    ),
    (
        "ja",
        [
            "チャットを読み込めませんでした。",
            "もう一度試す",
            "閉じる",
            "新着メッセージ:",
        ],
    ),
    (
        "pt",
        [
            "Não foi possível carregar o chat.",
            "Tentar novamente",
            "Fechar",
            "Novas mensagens:",
        ],
    ),
];

async fn show(
    State(state): State<AppState>,
    path: PublicPath,
    is_counted: IsCounted,
    origin: Result<PageOrOwnOrigin, OriginRefused>,
    address: AddressPrefix,
    known: Known,
) -> Result<Response, Problem> {
    state.rate_limits.configs.check(&address)?;
    let PageOrOwnOrigin(origin) = match origin {
        Ok(origin) => origin,
        Err(OriginRefused(error)) => {
            count_without_origin(&state, &path, error.code(), is_counted).await;
            return Err(error.into());
        }
    };
    let widget = require_widget(&state, &path).await?;
    let admission = require_visit(&state, &widget, &origin, is_counted).await?;
    if is_counted.0 {
        let id = widget.stored.widget.id;
        state.visits.count_launcher(id, state.now());
    }
    Ok(answer(&admission, &known))
}

/// The answer to a page that was admitted.
pub(in crate::routes) fn answer(admission: &AdmittedWidget<'_>, known: &Known) -> Response {
    let launcher = admission.launcher(render);
    let is_known = known.has(&launcher.etag);
    let mut response = Response::new(if is_known {
        Body::empty()
    } else {
        Body::from(launcher.body.clone())
    });
    let fields = response.headers_mut();
    fields.reserve(HEADERS);
    fields.insert(header::ETAG, launcher.etag.clone());
    fields.insert(header::CACHE_CONTROL, REVALIDATE);
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        fields.insert(header::CONTENT_TYPE, JSON);
    }
    response
}

fn render(admission: &Admission<'_>) -> Launcher {
    let widget = admission.widget();
    let body = visitors::Launcher {
        id: widget.id,
        config: widget.config.for_launcher(),
        words: WORDS
            .map(|(language, words)| (language.into(), words.map(Into::into)))
            .into(),
    };
    // Plain records are written into memory without fail.
    let body = serde_json::to_string(&body).unwrap_or_default();
    let etag = etag::of_hash(&Sha256::digest(&body).into());
    Launcher {
        // Kept for long, so without the room that it has grown into.
        body: body.into_boxed_str().into_boxed_bytes().into(),
        etag,
    }
}
