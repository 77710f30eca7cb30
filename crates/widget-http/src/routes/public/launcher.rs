//! The launcher's config: what the loader draws on the host page, and nothing else of the widget.

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use sha2::{Digest, Sha256};
use widget_core::{config::LauncherConfig, id::WidgetId};

use super::{PublicPath, admit, widget};
#[cfg(feature = "schemars")]
use crate::api::{self, Operation};
use crate::{
    state::AppState,
    storage::StoredWidget,
    visitors::{assets::hexadecimal, limits::AddressPrefix, public_widgets::Launcher},
    web::{
        cors::{PageOrOwnOrigin, preflight},
        etag,
        problem::Problem,
        wire::Text,
    },
};

/// Asked again each time, so that closing a widget takes effect at once; an unchanged answer costs
/// no body.
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

pub(super) fn router() -> Router<AppState> {
    Router::new().route(
        "/core/public/web-widgets/{id}",
        get(show).options(preflight),
    )
}

#[cfg(feature = "schemars")]
pub(super) fn operation() -> Operation {
    api::get(
        "/core/public/web-widgets/{id}",
        "getLauncherConfig",
        "What the loader draws on a page whose `Origin` is listed",
    )
    .header("If-None-Match", "The `ETag` of what the caller has.")
    .gives::<LauncherBody>(200, "The config with every default filled in.")
    .gives_nothing(304, "The caller has it.")
}

/// What the loader draws on the host page.
#[derive(Serialize)]
#[cfg_attr(
    feature = "schemars",
    derive(schemars::JsonSchema),
    schemars(rename = "Launcher")
)]
struct LauncherBody {
    /// The widget.
    id: Text<WidgetId>,
    /// The part of the config that the launcher draws.
    #[cfg_attr(feature = "schemars", schemars(with = "api::LauncherDocument"))]
    config: LauncherConfig,
}

async fn show(
    State(state): State<AppState>,
    path: PublicPath,
    PageOrOwnOrigin(origin): PageOrOwnOrigin,
    address: AddressPrefix,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    state.visitor.limits.configs.check(&address)?;
    let widget = widget(&state, &path).await?;
    admit(&widget, &origin)?;
    let launcher = widget.launcher(render);
    let fields = [
        (header::ETAG, launcher.etag.clone()),
        (header::CACHE_CONTROL, REVALIDATE),
    ];
    if etag::is_known(&headers, &launcher.etag) {
        return Ok((StatusCode::NOT_MODIFIED, fields).into_response());
    }
    let media_type = (
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    Ok((fields, [media_type], launcher.body.clone()).into_response())
}

fn render(stored: &StoredWidget) -> Launcher {
    let body = LauncherBody {
        id: Text(stored.widget.id),
        config: stored.widget.config.for_launcher(),
    };
    // Plain records are written into memory without fail.
    let body = serde_json::to_string(&body).unwrap_or_default();
    let etag = format!("\"{}\"", hexadecimal(&Sha256::digest(&body)[..16]));
    Launcher {
        body: body.into(),
        etag: HeaderValue::try_from(etag).unwrap_or(HeaderValue::from_static("\"\"")),
    }
}
