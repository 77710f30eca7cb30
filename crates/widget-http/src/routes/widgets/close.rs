//! What follows a change of a widget: visitors see it at once, and rooms that it no longer serves
//! are removed. Storage has marked those rooms with the change itself.

use widget_core::id::WidgetId;

use crate::state::AppState;

/// Forgets what visitors saw before the change, and starts to remove the rooms that were marked.
pub(super) fn after_change(state: &AppState, id: WidgetId, closed_rooms: u64) {
    state.public_widgets.forget(id);
    if closed_rooms > 0 {
        state.room_cleaner.wake();
        tracing::info!(widget.id = %id, rooms = closed_rooms, "closed rooms of pages that are no longer served");
    }
}
