//! The stored widget of a request: read, answered, changed.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use widget_api::{ProblemCode, Widget};
use widget_core::{id::WidgetId, widget::WidgetPatch};

use super::close;
use crate::{
    state::AppState,
    storage::{Author, StoredWidget, WriteWidgetError},
    web::{auth::Caller, etag, problem::Problem},
};

/// How often a change is tried when another request changes the same widget at the same time.
const ATTEMPTS: usize = 8;

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

/// A widget with its entity tag.
pub(super) fn build_answer(status: StatusCode, stored: StoredWidget) -> Response {
    let tag = etag::of_revision(stored.revision);
    let body = Json(Widget::from(stored.widget));
    (status, [(header::ETAG, tag)], body).into_response()
}

/// The caller's widget; one of another organization counts as missing.
pub(super) async fn require_widget(
    state: &AppState,
    caller: &Caller,
    id: WidgetId,
) -> Result<StoredWidget, Problem> {
    state
        .storage
        .find_widget(&caller.organization_id, id)
        .await?
        .ok_or_else(|| Problem::not_found("widget"))
}

/// Changes a widget as it is now, and tries again when another request changes it at the same time.
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
        let stored = require_widget(state, caller, id).await?;
        etag::require_match(headers, &etag::of_revision(stored.revision))?;
        let changed = patch.clone().apply(stored.widget, now);
        match state
            .storage
            .update_widget(&changed, stored.revision, author)
            .await
        {
            Ok(updated) => {
                close::after_change(state, id, updated.closed_rooms);
                return Ok(build_answer(StatusCode::OK, updated.stored));
            }
            Err(WriteWidgetError::Stale) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(WriteWidgetError::Stale.into())
}
