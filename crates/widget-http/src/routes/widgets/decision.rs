//! What core decides about a widget, for its owner: go-live report, explanation, snippet.

use axum::{Json, extract::State};
use widget_api::{
    ProblemCode, Scope,
    decisions::{self, ExplainQuery},
    widgets::Snippet,
};
use widget_core::{
    embed,
    explain::{self, Explanation},
    go_live::{self, GoLiveReport},
    id::WidgetId,
};

use super::record::require_record;
use crate::{
    routes::directory,
    state::AppState,
    storage::StoredWidget,
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::{PathId, StrictQuery},
        problem::Problem,
    },
};

/// `/core/web-widgets/{id}/go-live`, `/explain` and `/snippet`.
pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::get(
                "/core/web-widgets/{id}/go-live",
                "getGoLiveReport",
                "Reports every blocker and every warning",
            )
            .scope(Scope::WebWidgetsRead)
            .answer::<decisions::GoLiveReport>(200, "The report.")
            .problems([ProblemCode::NotFound]),
            report,
        )
        .route(
            api::get(
                "/core/web-widgets/{id}/explain",
                "explainWebWidget",
                "Explains whether a page may show the widget",
            )
            .scope(Scope::WebWidgetsRead)
            .query::<ExplainQuery>()
            .answer::<decisions::Explanation>(200, "The explanation.")
            .problems([ProblemCode::NotFound]),
            explanation,
        )
        .route(
            api::get(
                "/core/web-widgets/{id}/snippet",
                "getSnippet",
                "The HTML to paste",
            )
            .scope(Scope::WebWidgetsRead)
            .answer::<Snippet>(200, "The HTML.")
            .problems([ProblemCode::NotFound]),
            snippet,
        )
}

async fn report(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
) -> Result<Json<GoLiveReport>, Problem> {
    let stored = require_record(&state, &caller, id).await?;
    Ok(Json(match stored.readable() {
        Ok(stored) => {
            let stored = directory::with_version(&state, stored).await?;
            let worker = directory::find_worker_warning(&state, &stored).await?;
            go_live::report(&stored.widget, stored.pinned).with_warning(worker)
        }
        Err(stored) => go_live::report_unreadable(&stored.widget),
    }))
}

async fn explanation(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    StrictQuery(query): StrictQuery<ExplainQuery>,
) -> Result<Json<Explanation>, Problem> {
    let stored = require_record(&state, &caller, id).await?;
    let service = state.settings.public_url.origin();
    let page = query.origin.as_str();
    let suffixes = &state.suffixes;
    Ok(Json(match stored.readable() {
        Ok(stored) => {
            let stored = directory::with_version(&state, stored).await?;
            let StoredWidget { widget, pinned, .. } = &stored;
            let mut explained = explain::explain(Some(widget), *pinned, page, service, suffixes);
            let worker = directory::find_worker_warning(&state, &stored).await?;
            explained.notes.extend(worker);
            explained
        }
        Err(stored) => explain::explain_unreadable(&stored.widget, page, service, suffixes),
    }))
}

async fn snippet(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
) -> Result<Json<Snippet>, Problem> {
    require_record(&state, &caller, id).await?;
    let url = &state.settings.public_url;
    let pinned = state.settings.embed.loader_file().map(|file| {
        let name = format!("{}.js", file.name.hash());
        embed::snippet_with_integrity(url, id, &name, &file.integrity)
    });
    Ok(Json(Snippet {
        html: embed::snippet(url, id),
        html_with_integrity: pinned,
    }))
}
