//! What follows a change of a widget: visitors see it at once, and conversations that it no longer
//! serves are closed.

use time::OffsetDateTime;
use widget_core::id::WidgetId;

use crate::{
    routes::public::still_serves, state::AppState, storage::StoredWidget, web::problem::Problem,
};

/// Marks for removal the live rooms of those pages that the widget, as it is now, no longer serves.
pub(super) async fn refused_rooms(
    state: &AppState,
    stored: &StoredWidget,
    now: OffsetDateTime,
) -> Result<(), Problem> {
    let widget = &stored.widget;
    state.visitor.widgets.forget(widget.id);
    for page in state.storage.list_open_origins(widget.id).await? {
        if !still_serves(stored, &page) {
            let rooms = state
                .storage
                .mark_widget_rooms_for_removal(widget.id, Some(&page), now)
                .await?;
            state.visitor.rooms_to_remove.notify_one();
            tracing::info!(widget.id = %widget.id, page.origin = %page, rooms, "closed for a page that is no longer served");
        }
    }
    Ok(())
}

/// Marks every live room of a widget that is gone for removal.
pub(super) async fn all_rooms(
    state: &AppState,
    id: WidgetId,
    now: OffsetDateTime,
) -> Result<(), Problem> {
    state.visitor.widgets.forget(id);
    let rooms = state
        .storage
        .mark_widget_rooms_for_removal(id, None, now)
        .await?;
    state.visitor.rooms_to_remove.notify_one();
    tracing::info!(widget.id = %id, rooms, "closed a deleted widget");
    Ok(())
}
