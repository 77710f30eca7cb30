//! The stored widget of a request: read, answered, changed.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use widget_api::{ProblemCode, decisions::Finding, widgets::WrittenWidget};
use widget_core::{
    finding as core, go_live,
    id::WidgetId,
    unreadable::WidgetRecord,
    widget::{Widget, WidgetPatch},
};

use super::close;
use crate::{
    routes::directory,
    state::AppState,
    storage::{Author, StoredWidget, WriteWidgetError},
    web::{
        auth::Caller,
        etag,
        problem::{Problem, record_unreadable},
    },
};

/// How often a change is tried when another request changes the same widget at the same time.
pub(super) const ATTEMPTS: usize = 8;

/// What can be wrong with a record that is written.
pub(super) const RECORD_PROBLEMS: [ProblemCode; 8] = [
    ProblemCode::AgentNotFound,
    ProblemCode::AgentVersionNotFound,
    ProblemCode::ConfigInvalid,
    ProblemCode::ConfigTooDeep,
    ProblemCode::ConfigTooLarge,
    ProblemCode::ConfigTooNew,
    ProblemCode::ConfigUnversioned,
    ProblemCode::DomainsInvalid,
];

/// A widget that was written, with what keeps the gate of its version closed, and what is known of
/// its workers.
pub(super) fn build_written(stored: &StoredWidget, worker: Option<core::Finding>) -> WrittenWidget {
    let blocker = go_live::version_blocker(&stored.widget, stored.pinned);
    let warnings = blocker.into_iter().chain(worker);
    WrittenWidget {
        widget: stored.widget.clone().into(),
        warnings: warnings.map(Finding::from).collect(),
    }
}

/// The answer to a change of a widget that is `stored` now.
async fn answer_written(state: &AppState, stored: &StoredWidget) -> Result<Response, Problem> {
    let worker = directory::find_worker_warning(state, stored).await?;
    Ok(build_answer(stored.revision, build_written(stored, worker)))
}

/// A widget with its entity tag.
pub(super) fn build_answer(revision: i64, body: impl Serialize) -> Response {
    let tag = etag::of_revision(revision);
    (StatusCode::OK, [(header::ETAG, tag)], Json(body)).into_response()
}

/// The caller's widget, or what of it can be read; one of another organization counts as missing.
pub(super) async fn require_record(
    state: &AppState,
    caller: &Caller,
    id: WidgetId,
) -> Result<StoredWidget<WidgetRecord>, Problem> {
    state
        .storage
        .find_widget(&caller.organization_id, id)
        .await?
        .ok_or_else(|| Problem::not_found("widget"))
}

/// Changes a widget as it is now, and tries again when another request changes it at the same time.
///
/// A change that changes nothing writes nothing, so that the tag stays; a restored revision is in
/// the history in any case.
pub(super) async fn change(
    state: &AppState,
    caller: &Caller,
    id: WidgetId,
    headers: &HeaderMap,
    patch: &WidgetPatch,
    restored_from: Option<i64>,
) -> Result<Response, Problem> {
    for _ in 0..ATTEMPTS {
        let now = state.now();
        let stored = require_record(state, caller, id).await?;
        let revision = stored.revision;
        etag::require_match(headers, &etag::of_revision(revision))?;
        let (changed, keeps_version) = match stored.readable() {
            Ok(stored) => {
                let changed = patch.clone().apply(stored.widget.clone(), now);
                if restored_from.is_none() && changed == stored.widget {
                    let stored = directory::with_version(state, stored).await?;
                    return answer_written(state, &stored).await;
                }
                let pin = |widget: &Widget| (widget.agent_id, widget.agent_version_id);
                let keeps_version = stored.widget.published && pin(&stored.widget) == pin(&changed);
                (changed, keeps_version)
            }
            Err(stored) => {
                let repaired = stored.widget.repair(&caller.organization_id, patch, now);
                let repaired = repaired.map_err(|left| record_unreadable().with_findings(left))?;
                (repaired, false)
            }
        };
        let version = directory::find_version(state, &changed, keeps_version).await?;
        let author = Author {
            api_key_id: &caller.key_id,
            restored_from,
            directory: version.as_ref(),
        };
        match state
            .storage
            .update_widget(&changed, revision, author)
            .await
        {
            Ok(updated) => {
                close::after_change(state, id, updated.closed_rooms);
                return answer_written(state, &updated.stored).await;
            }
            Err(WriteWidgetError::Stale) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(WriteWidgetError::Stale.into())
}
