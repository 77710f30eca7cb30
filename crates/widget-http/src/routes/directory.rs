//! What the agent directory says of the version that a widget pins, where there is a directory; and
//! what is known of its workers.

use widget_api::ProblemCode;
use widget_core::{
    finding::Finding,
    go_live::{self, PinnedVersion, WorkerActivity},
    unreadable::WidgetRecord,
    widget::Widget,
};

use crate::{
    agent_directory,
    state::AppState,
    storage::{DirectoryVersion, StoreError, StoredWidget},
    web::problem::Problem,
};

/// What the directory says of a widget's version; nothing when there is no directory.
///
/// `is_stored` says that the widget is stored as it is here, with what it pins and whether it is
/// published: only such a one can have been live before.
pub(crate) async fn find_version(
    state: &AppState,
    widget: &Widget,
    is_stored: bool,
) -> Result<Option<DirectoryVersion>, StoreError> {
    let Some(directory) = &state.agent_directory else {
        return Ok(None);
    };
    let last = directory
        .ask(
            widget.agent_id,
            widget.agent_version_id,
            state.clock.as_ref(),
        )
        .await;
    let now = state.now();
    let is_old = last.as_ref().is_some_and(|last| !last.is_fresh(now));
    let unchanged_since = if is_old && is_stored && widget.published {
        state.storage.find_pinned_since(widget.id).await?
    } else {
        None
    };
    Ok(Some(agent_directory::judge(last, unchanged_since, now)))
}

/// A stored widget, with what the directory says of its version.
pub(crate) async fn with_version(
    state: &AppState,
    stored: StoredWidget,
) -> Result<StoredWidget, StoreError> {
    let version = find_version(state, &stored.widget, true).await?;
    Ok(stored.with_directory(version))
}

/// What is known of the version that a stored widget pins: by the directory, where there is one.
pub(crate) async fn find_pinned(
    state: &AppState,
    stored: &StoredWidget<WidgetRecord>,
) -> Result<PinnedVersion, StoreError> {
    let version = match stored.widget.readable() {
        Some(widget) => find_version(state, widget, true).await?,
        None => None,
    };
    Ok(version.map_or(stored.pinned, |version| version.pinned))
}

/// Refuses changes to the registry while nothing looks at it.
///
/// # Errors
/// 409 `agent_directory_configured`.
pub(crate) fn require_registry(state: &AppState) -> Result<(), Problem> {
    if state.agent_directory.is_none() {
        return Ok(());
    }
    Err(Problem::new(
        ProblemCode::AgentDirectoryConfigured,
        "this service reads its agents from an agent directory; change them there",
    ))
}

/// A warning when no worker of the pinned version joins conversations.
///
/// # Errors
/// [`StoreError`]
pub(crate) async fn find_worker_warning(
    state: &AppState,
    stored: &StoredWidget,
) -> Result<Option<Finding>, StoreError> {
    let Some(name) = &stored.livekit_agent_name else {
        return Ok(None);
    };
    let organization = &stored.widget.organization_id;
    let activity: WorkerActivity = state
        .storage
        .find_worker_activity(organization, name, state.now())
        .await?;
    Ok(go_live::worker_warning(name, activity))
}
