//! What core decides about a widget, told to its owner: go-live report, explanation, snippet.

use axum::{Json, Router, extract::State, routing::get};
use serde::{Deserialize, Serialize};
use widget_core::{
    embed,
    explain::{self, Explanation},
    finding::Finding,
    go_live,
    id::WidgetId,
    origin::Origin,
};

use super::find;
use crate::{
    assets,
    auth::{Caller, Scope},
    extract::{PathId, StrictQuery},
    problem::Problem,
    state::AppState,
};

/// `/core/web-widgets/{id}/go-live`, `/explain` and `/snippet`.
pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/core/web-widgets/{id}/go-live", get(report))
        .route("/core/web-widgets/{id}/explain", get(explanation))
        .route("/core/web-widgets/{id}/snippet", get(snippet))
}

#[derive(Serialize)]
struct FindingBody {
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl From<Finding> for FindingBody {
    fn from(finding: Finding) -> Self {
        Self {
            code: finding.code,
            pointer: finding.pointer,
            detail: finding.detail,
            hint: finding.hint,
        }
    }
}

fn bodies(findings: Vec<Finding>) -> Vec<FindingBody> {
    findings.into_iter().map(FindingBody::from).collect()
}

#[derive(Serialize)]
struct ReportBody {
    live: bool,
    blockers: Vec<FindingBody>,
    warnings: Vec<FindingBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExplainQuery {
    origin: String,
}

#[derive(Serialize)]
struct ExplanationBody {
    verdict: &'static str,
    code: &'static str,
    origin: Option<String>,
    steps: Vec<StepBody>,
    nearest: Option<NearestBody>,
    hint: Option<String>,
    host_page_policy: Vec<String>,
    notes: Vec<FindingBody>,
}

#[derive(Serialize)]
struct StepBody {
    code: &'static str,
    ok: bool,
    detail: String,
}

#[derive(Serialize)]
struct NearestBody {
    entry: String,
    pointer: String,
    difference: &'static str,
    detail: String,
}

impl From<Explanation> for ExplanationBody {
    fn from(explanation: Explanation) -> Self {
        Self {
            verdict: explanation.verdict.as_str(),
            code: explanation.code,
            origin: explanation.origin.map(|origin| origin.to_string()),
            steps: explanation
                .steps
                .into_iter()
                .map(|step| StepBody {
                    code: step.code,
                    ok: step.ok,
                    detail: step.detail,
                })
                .collect(),
            nearest: explanation.nearest.map(|nearest| NearestBody {
                entry: nearest.entry,
                pointer: nearest.pointer,
                difference: nearest.difference.as_str(),
                detail: nearest.detail,
            }),
            hint: explanation.hint,
            host_page_policy: explanation.host_page_policy.lines(),
            notes: bodies(explanation.notes),
        }
    }
}

#[derive(Serialize)]
struct SnippetBody {
    html: String,
    /// For pages that pin the bytes of the script; such a page is edited for each new loader.
    html_with_integrity: Option<String>,
}

async fn report(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
) -> Result<Json<ReportBody>, Problem> {
    caller.require(Scope::WebWidgetsRead)?;
    let stored = find(&state, &caller, id).await?;
    let report = go_live::report(&stored.widget, stored.pinned);
    Ok(Json(ReportBody {
        live: report.live,
        blockers: bodies(report.blockers),
        warnings: bodies(report.warnings),
    }))
}

async fn explanation(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    StrictQuery(query): StrictQuery<ExplainQuery>,
) -> Result<Json<ExplanationBody>, Problem> {
    caller.require(Scope::WebWidgetsRead)?;
    let stored = find(&state, &caller, id).await?;
    // The public URL was checked at start.
    let service =
        Origin::parse_page(state.settings.public_url.as_str()).map_err(Problem::internal)?;
    let page = query.origin.as_str();
    Ok(Json(
        explain::explain(Some(&stored.widget), stored.pinned, page, &service).into(),
    ))
}

async fn snippet(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
) -> Result<Json<SnippetBody>, Problem> {
    caller.require(Scope::WebWidgetsRead)?;
    find(&state, &caller, id).await?;
    let url = &state.settings.public_url;
    let pinned = assets::loader_file()
        .map(|file| embed::snippet_with_integrity(url, id, &file.file_name, &file.integrity));
    Ok(Json(SnippetBody {
        html: embed::snippet(url, id),
        html_with_integrity: pinned,
    }))
}
