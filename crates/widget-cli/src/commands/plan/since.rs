//! What was changed at the service since a folder was written, and what of it the folder would
//! undo.

use serde::Serialize;
use widget_api::{
    Timestamp, Widget,
    client::Error,
    revisions::{Change as ChangeBody, Revision, RevisionsQuery},
    unreadable::WidgetRecord,
};
use widget_core::{api_key::describe_author, config::Change, id::WidgetId};

use crate::{
    failure::Failure,
    online::{
        Session,
        change::{self, overlap},
    },
};

/// At most so many revisions are read.
const MAX_REVISIONS: usize = 1_000;

/// What was changed at the service since the file of a widget was written.
#[derive(Debug, Default)]
pub(super) struct ServiceChanges {
    /// The newest first.
    pub(super) revisions: Vec<ServiceChange>,
    /// The values that were changed there and that the folder makes other ones.
    pub(super) overwritten: Vec<String>,
}

/// A change that was made at the service.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ServiceChange {
    /// The revision that it made.
    pub(super) revision: i64,
    /// When; `null` when that cannot be read.
    pub(super) created_at: Option<Timestamp>,
    /// The API key that made it.
    pub(super) api_key_id: Option<String>,
    /// The name of that key.
    pub(super) api_key_name: Option<String>,
    /// What it changed.
    pub(super) changes: Vec<ChangeBody>,
}

/// Finds what was changed since revision `base`. `ours` is what the folder will change; nothing
/// when it deletes the widget.
pub(super) async fn find_service_changes(
    base: Option<i64>,
    now: (&Widget, Option<i64>),
    ours: Option<&[Change]>,
    session: &Session,
) -> Result<ServiceChanges, Failure> {
    let (widget, current) = now;
    let (Some(base), Some(current)) = (base, current) else {
        return Ok(ServiceChanges::default());
    };
    // A smaller number is of a database that was restored: its revisions say nothing of the folder.
    if current <= base {
        return Ok(ServiceChanges::default());
    }
    let mut revisions = read_revisions(widget.id, base, current, session).await?;
    let seen = revisions
        .pop_if(|revision| revision.number == base)
        .and_then(|revision| match revision.web_widget {
            WidgetRecord::Readable(seen) => Some(seen),
            WidgetRecord::Unreadable(_) => None,
        });
    let theirs: Vec<String> = match &seen {
        Some(seen) => pointers(&change::diff(seen, widget)?),
        // Without it, what was changed and changed back counts, too.
        None => revisions
            .iter()
            .flat_map(|revision| &revision.changes)
            .map(|change| change.pointer.clone())
            .collect(),
    };
    let overwritten = match ours {
        Some(ours) => pointers(ours)
            .into_iter()
            .filter(|ours| theirs.iter().any(|theirs| overlap(ours, theirs)))
            .collect(),
        None => theirs,
    };
    Ok(ServiceChanges {
        revisions: revisions.into_iter().map(ServiceChange::from).collect(),
        overwritten,
    })
}

/// The revisions from the newest one to `base`, as far as they are kept.
async fn read_revisions(
    id: WidgetId,
    base: i64,
    current: i64,
    session: &Session,
) -> Result<Vec<Revision>, Error> {
    let count = usize::try_from(current - base + 1).unwrap_or(usize::MAX);
    let query = RevisionsQuery {
        limit: u32::try_from(count)
            .ok()
            .map(|count| count.min(widget_api::MAX_PAGE_LIMIT)),
        before: None,
    };
    let pages = session.client.list_revisions(id, &query);
    let mut revisions = pages.collect(Some(count.min(MAX_REVISIONS))).await?;
    revisions.retain(|revision| revision.number >= base);
    Ok(revisions)
}

fn pointers(changes: &[Change]) -> Vec<String> {
    changes
        .iter()
        .map(|change| change.pointer.clone())
        .collect()
}

impl From<Revision> for ServiceChange {
    fn from(revision: Revision) -> Self {
        Self {
            revision: revision.number,
            created_at: revision.created_at,
            api_key_id: revision.api_key_id,
            api_key_name: revision.api_key_name,
            changes: revision.changes,
        }
    }
}

impl ServiceChange {
    /// Which revision it is, who made it and when.
    pub(super) fn author(&self) -> String {
        let time = self.created_at.map(crate::commands::time);
        format!(
            "revision {}, {}, by {}",
            self.revision,
            time.as_deref().unwrap_or("at an unknown time"),
            describe_author(self.api_key_name.as_deref(), self.api_key_id.as_deref()),
        )
    }
}
