//! The history of a widget: its revisions, who changed what, and how to restore one.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header};
use widget_api::{
    ProblemCode, Scope,
    revisions::{Change, Effect, Revision, RevisionsQuery},
    widgets::WrittenWidget,
};
use widget_core::{
    effects::{self, Moment},
    id::WidgetId,
    unreadable::WidgetRecord,
    widget::{self, WidgetPatch},
};

use super::record::{change, require_record};
use crate::{
    state::AppState,
    storage::WidgetRevision,
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::{PathId, PathIds, StrictQuery},
        paging::{self, JsonList},
        problem::{Problem, record_unreadable},
    },
};

/// `/core/web-widgets/{id}/revisions` and what is below.
pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::get(
                "/core/web-widgets/{id}/revisions",
                "listRevisions",
                "Lists the revisions of a widget, the newest first",
            )
            .scope(Scope::WebWidgetsRead)
            .query::<RevisionsQuery>()
            .answer::<Vec<Revision>>(
                200,
                "A page of revisions; the header `Link` names the next.",
            )
            .with(header::LINK)
            .problems([ProblemCode::NotFound]),
            list,
        )
        .route(
            api::post(
                "/core/web-widgets/{id}/revisions/{number}/restore",
                "restoreRevision",
                "Restores an earlier revision",
            )
            .scope(Scope::WebWidgetsManage)
            .etag_header("If-Match", "The `ETag` of what the caller has seen.")
            .answer::<WrittenWidget>(200, "The widget.")
            .with(header::ETAG)
            .problems([
                ProblemCode::NotFound,
                ProblemCode::PreconditionFailed,
                ProblemCode::Conflict,
                ProblemCode::AgentNotFound,
                ProblemCode::AgentVersionNotFound,
            ]),
            restore,
        )
}

fn build_revision(revision: WidgetRevision, before: Option<&WidgetRevision>) -> Revision {
    let (is_first, noted) = (before.is_none(), revision.noted);
    let before = before.and_then(|before| before.widget.readable());
    let changes = match (before, revision.widget.readable()) {
        (Some(before), Some(after)) => widget::diff(before, after),
        _ => Vec::new(),
    };
    let ended = noted
        .conversations_ended
        .and_then(|count| u64::try_from(count).ok());
    let effects = match (before, revision.widget.readable()) {
        (None, Some(after)) if is_first => {
            effects::compare(None, Moment::noted(after, noted.live_after), ended)
        }
        (Some(before), Some(after)) => effects::compare(
            Some(Moment::noted(before, noted.live_before)),
            Moment::noted(after, noted.live_after),
            ended,
        ),
        _ => Vec::new(),
    };
    Revision {
        effects: effects.into_iter().map(Effect::from).collect(),
        conversations_open: noted.conversations_open,
        number: revision.number,
        created_at: revision.created_at.map(Into::into),
        api_key_id: Some(revision.api_key_id).filter(|id| !id.is_empty()),
        api_key_name: revision.api_key_name,
        restored_from: revision.restored_from,
        changes: changes.into_iter().map(Change::from).collect(),
        web_widget: revision.widget.into(),
    }
}

/// Newest first.
async fn list(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    StrictQuery(query): StrictQuery<RevisionsQuery>,
) -> Result<Response, Problem> {
    let page_limit = paging::parse_limit(query.limit)?;
    require_record(&state, &caller, id).await?;
    let below = query.before.unwrap_or(i64::MAX);
    // One more, to compare the last one with.
    let found = state
        .storage
        .list_widget_revisions(&caller.organization_id, id, below, page_limit + 1)
        .await?;
    let limit = usize::try_from(page_limit).unwrap_or(usize::MAX);
    let mut has_more = found.has_more || found.len() > limit;
    let mut bodies = JsonList::new();
    let mut last = None;
    let mut found = found.into_iter().peekable();
    while let Some(revision) = found.next() {
        let before = found.peek();
        // The last one is only there to be compared with, unless it is the first of all.
        if has_more && before.is_none() {
            break;
        }
        // The changes are not a part of what is stored, so only their text shows how long they are.
        if bodies.is_full() {
            has_more = true;
            break;
        }
        last = Some(revision.number);
        bodies.push(&build_revision(revision, before))?;
    }
    let headers = match last {
        Some(last) if has_more => paging::link_before(
            &state.settings.public_url,
            &format!("/core/web-widgets/{id}/revisions"),
            page_limit,
            last,
        ),
        _ => HeaderMap::new(),
    };
    Ok((headers, bodies).into_response())
}

/// Restores an earlier revision as a new one; the history in between stays.
async fn restore(
    State(state): State<AppState>,
    caller: Caller,
    PathIds(id, number): PathIds<WidgetId, i64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let missing = || Problem::not_found("revision of a widget");
    let organization = &caller.organization_id;
    let found = state
        .storage
        .list_widget_revisions(organization, id, number.saturating_add(1), 1)
        .await?;
    let revision = found
        .into_iter()
        .find(|revision| revision.number == number)
        .ok_or_else(missing)?;
    let patch = match revision.widget {
        WidgetRecord::Readable(widget) => WidgetPatch::from(*widget),
        WidgetRecord::Unreadable(widget) => widget
            .to_patch()
            .map_err(|unreadable| record_unreadable().with_findings(unreadable))?,
    };
    change(&state, &caller, id, &headers, &patch, Some(number)).await
}
