//! The stored widget of a request: read, answered, changed.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use widget_api::{ProblemCode, decisions::Finding, widgets::WrittenWidget};
use widget_core::{go_live, id::WidgetId, unreadable::WidgetRecord, widget::WidgetPatch};

use super::close;
use crate::{
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

/// A widget that was written, with what keeps the gate of its version closed.
pub(super) fn build_written(stored: &StoredWidget) -> WrittenWidget {
    let blocker = go_live::version_blocker(&stored.widget, stored.pinned);
    WrittenWidget {
        widget: stored.widget.clone().into(),
        warnings: blocker.into_iter().map(Finding::from).collect(),
    }
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
    let author = Author {
        api_key_id: &caller.key_id,
        restored_from,
    };
    for _ in 0..ATTEMPTS {
        let now = state.now();
        let stored = require_record(state, caller, id).await?;
        let revision = stored.revision;
        etag::require_match(headers, &etag::of_revision(revision))?;
        let changed = match stored.readable() {
            Ok(stored) => {
                let changed = patch.clone().apply(stored.widget.clone(), now);
                if restored_from.is_none() && changed == stored.widget {
                    return Ok(build_answer(revision, build_written(&stored)));
                }
                changed
            }
            Err(stored) => stored
                .widget
                .repair(&caller.organization_id, patch, now)
                .map_err(|left| record_unreadable().with_findings(left))?,
        };
        match state
            .storage
            .update_widget(&changed, revision, author)
            .await
        {
            Ok(updated) => {
                close::after_change(state, id, updated.closed_rooms);
                let stored = updated.stored;
                return Ok(build_answer(stored.revision, build_written(&stored)));
            }
            Err(WriteWidgetError::Stale) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(WriteWidgetError::Stale.into())
}
