//! What core decides about a widget, told to its owner: go-live report, explanation, snippet.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use widget_api::{ProblemCode, Scope};
use widget_core::{
    embed,
    explain::{self, Difference, Explanation, Verdict},
    finding::Finding,
    go_live,
    id::WidgetId,
};

use super::find;
use crate::{
    embed_files,
    state::AppState,
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::{PathId, StrictQuery},
        problem::Problem,
        wire::Text,
    },
};

/// `/core/web-widgets/{id}/go-live`, `/explain` and `/snippet`.
pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::get(
                "/core/web-widgets/{id}/go-live",
                "getGoLiveReport",
                "Tells every blocker and every warning",
            )
            .scope(Scope::WebWidgetsRead)
            .answer::<ReportBody>(200, "The report.")
            .problems([ProblemCode::NotFound]),
            report,
        )
        .route(
            api::get(
                "/core/web-widgets/{id}/explain",
                "explainWebWidget",
                "Tells whether a page may show the widget, and why",
            )
            .scope(Scope::WebWidgetsRead)
            .query::<ExplainQuery>()
            .answer::<ExplanationBody>(200, "The explanation.")
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
            .answer::<SnippetBody>(200, "The HTML.")
            .problems([ProblemCode::NotFound]),
            snippet,
        )
}

/// Something to know about a widget.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Finding")]
struct FindingBody {
    /// Stable machine code.
    code: &'static str,
    /// JSON Pointer into the record, when it is about a field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pointer: Option<String>,
    /// One sentence that says what was found.
    detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    hint: Option<String>,
}

impl From<Finding> for FindingBody {
    fn from(finding: Finding) -> Self {
        Self {
            code: finding.code.as_str(),
            pointer: finding.pointer,
            detail: finding.detail,
            hint: finding.hint,
        }
    }
}

fn bodies(findings: Vec<Finding>) -> Vec<FindingBody> {
    findings.into_iter().map(FindingBody::from).collect()
}

/// Whether a widget serves, and what is to know about it.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "GoLiveReport")]
struct ReportBody {
    /// Whether both gates are open.
    live: bool,
    /// Everything that keeps it from serving.
    blockers: Vec<FindingBody>,
    /// What its owner should look at.
    warnings: Vec<FindingBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[derive(schemars::JsonSchema)]
struct ExplainQuery {
    /// The address of the page or its origin.
    origin: String,
}

/// The decision about a page, as the service takes it.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Explanation")]
struct ExplanationBody {
    /// Whether the page shows the widget.
    verdict: Text<Verdict>,
    /// The stable code of the decision.
    code: &'static str,
    /// The origin of the page, as browsers write it.
    origin: Option<String>,
    /// The steps in the order in which they are taken.
    steps: Vec<StepBody>,
    /// The listed entry that comes nearest to a page that is not listed.
    nearest: Option<NearestBody>,
    /// The one change that lets the page show the widget.
    hint: Option<String>,
    /// Headers that the page needs if it has a policy of its own.
    host_page_policy: Vec<String>,
    /// What else is to know about the page.
    notes: Vec<FindingBody>,
}

/// One step of a decision.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "ExplanationStep")]
struct StepBody {
    /// The stable code of its outcome.
    code: &'static str,
    /// Whether it was passed.
    ok: bool,
    /// One sentence.
    detail: String,
}

/// A listed entry that is almost the page's.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "NearestEntry")]
struct NearestBody {
    /// The entry.
    entry: String,
    /// Where it stands in the record.
    pointer: String,
    /// In what it differs.
    difference: Text<Difference>,
    /// One sentence.
    detail: String,
}

impl From<Explanation> for ExplanationBody {
    fn from(explanation: Explanation) -> Self {
        Self {
            verdict: Text(explanation.verdict),
            code: explanation.code.as_str(),
            origin: explanation.origin.map(|origin| origin.to_string()),
            steps: explanation
                .steps
                .into_iter()
                .map(|step| StepBody {
                    code: step.code.as_str(),
                    ok: step.ok,
                    detail: step.detail,
                })
                .collect(),
            nearest: explanation.nearest.map(|nearest| NearestBody {
                entry: nearest.entry,
                pointer: nearest.pointer,
                difference: Text(nearest.difference),
                detail: nearest.detail,
            }),
            hint: explanation.hint,
            host_page_policy: explanation.host_page_policy.lines(),
            notes: bodies(explanation.notes),
        }
    }
}

/// What to paste into a page.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Snippet")]
struct SnippetBody {
    /// One line of HTML.
    html: String,
    /// For pages that pin the bytes of the script; such a page is edited for each new loader.
    html_with_integrity: Option<String>,
}

async fn report(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
) -> Result<Json<ReportBody>, Problem> {
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
    let stored = find(&state, &caller, id).await?;
    let service = state.settings.public_url.origin();
    let page = query.origin.as_str();
    let explanation = explain::explain(
        Some(&stored.widget),
        stored.pinned,
        page,
        service,
        &state.suffixes,
    );
    Ok(Json(explanation.into()))
}

async fn snippet(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
) -> Result<Json<SnippetBody>, Problem> {
    find(&state, &caller, id).await?;
    let url = &state.settings.public_url;
    let pinned = embed_files::loader_file()
        .map(|file| embed::snippet_with_integrity(url, id, &file.file_name, &file.integrity));
    Ok(Json(SnippetBody {
        html: embed::snippet(url, id),
        html_with_integrity: pinned,
    }))
}
