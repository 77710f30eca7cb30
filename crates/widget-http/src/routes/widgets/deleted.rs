//! Deleted widgets: how they are shown, and how one is restored.

use axum::{extract::State, response::Response};
use http::{HeaderMap, header};
use widget_api::{
    ProblemCode, Scope, Widget,
    unreadable::{UnreadableWidget, WidgetRecord},
    widgets::WrittenWidget,
};
use widget_core::{id::WidgetId, unreadable as core};

use super::{
    close,
    record::{ATTEMPTS, build_answer, build_written, require_record},
};
use crate::{
    routes::directory,
    state::AppState,
    storage::{DeletedWidget, StoredWidget, WriteWidgetError},
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        etag,
        extract::PathId,
        problem::Problem,
    },
};

/// `/core/web-widgets/{id}/restore`.
pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new().route(
        api::post(
            "/core/web-widgets/{id}/restore",
            "restoreWebWidget",
            "Restores a deleted widget, unpublished",
        )
        .scope(Scope::WebWidgetsManage)
        .etag_header("If-Match", "The `ETag` of the widget when it was deleted.")
        .answer::<WidgetRecord<WrittenWidget>>(
            200,
            "The widget; one that is not deleted is answered as it is.",
        )
        .with(header::ETAG)
        .problems([
            ProblemCode::NotFound,
            ProblemCode::PreconditionFailed,
            ProblemCode::Conflict,
            ProblemCode::RegistryFull,
        ]),
        restore,
    )
}

/// A deleted widget with who deleted it and when.
pub(super) fn build_deleted(found: DeletedWidget) -> WidgetRecord {
    let deleted_at = found.deleted_at.map(Into::into);
    let deleted_by = Some(found.deleted_by);
    let deleted_by_name = found.deleted_by_name;
    match found.widget.into() {
        WidgetRecord::Readable(widget) => WidgetRecord::Readable(Widget {
            deleted_at,
            deleted_by,
            deleted_by_name,
            ..widget
        }),
        WidgetRecord::Unreadable(widget) => WidgetRecord::Unreadable(Box::new(UnreadableWidget {
            deleted_at,
            deleted_by,
            deleted_by_name,
            ..*widget
        })),
    }
}

/// A widget that is there, or what can be read of it: restoring brings back what was deleted.
async fn build_restored(
    state: &AppState,
    stored: StoredWidget<core::WidgetRecord>,
) -> Result<Response, Problem> {
    let revision = stored.revision;
    let body = match stored.readable() {
        Ok(stored) => {
            let stored = directory::with_version(state, stored).await?;
            let worker = directory::find_worker_warning(state, &stored).await?;
            WidgetRecord::Readable(build_written(&stored, worker))
        }
        Err(stored) => WidgetRecord::Unreadable(Box::new(stored.widget.into())),
    };
    Ok(build_answer(revision, body))
}

/// Restores a widget. Repeating it changes nothing: the answer may have been lost.
async fn restore(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (organization, key) = (&caller.organization_id, &caller.key_id);
    // Another request may restore it, or delete its agent, at the same time.
    for _ in 0..ATTEMPTS {
        let Some(found) = state.storage.find_deleted_widget(organization, id).await? else {
            let stored = require_record(&state, &caller, id).await?;
            etag::require_match(&headers, &etag::of_revision(stored.revision))?;
            return build_restored(&state, stored).await;
        };
        etag::require_match(&headers, &etag::of_revision(found.revision))?;
        match state
            .storage
            .restore_widget(organization, id, found.revision, key, state.now())
            .await
        {
            Ok(restored) => {
                close::after_change(&state, id, 0);
                return build_restored(&state, restored).await;
            }
            Err(WriteWidgetError::Stale) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(WriteWidgetError::Stale.into())
}
