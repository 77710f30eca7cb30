//! What a plan does with one widget, and how programs read it.

use serde::Serialize;
use widget_api::{
    Widget, WidgetPatch, client::Tagged, decisions::Finding, revisions::Change as ChangeBody,
    widgets::NewWidget,
};
use widget_core::{config::Change, id::WidgetId};

use super::since::{ServiceChange, ServiceChanges};
use crate::{
    failure::Failure,
    folder::FolderFile,
    printer::{Printer, printable},
};

/// What has to be done for one widget.
pub(super) struct Step<'f> {
    /// The file; a widget that is deleted has none.
    pub(super) file: Option<&'f FolderFile>,
    pub(super) title: Option<String>,
    pub(super) action: Action,
    /// What it does to visitors, one sentence each.
    pub(super) effects: Vec<String>,
    /// What was changed at the service since the folder was written.
    pub(super) since: ServiceChanges,
}

pub(super) enum Action {
    Create(Box<NewWidget>),
    Change {
        before: Box<Tagged<Widget>>,
        patch: Box<WidgetPatch>,
        changes: Vec<Change>,
    },
    Delete(Box<Tagged<Widget>>),
    /// The file is equal to the widget at this revision.
    Nothing(WidgetId, Option<i64>),
    /// It no longer has a file, and stays.
    Keep(WidgetId),
}

/// One widget of a plan, for programs.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "PlannedStep"))]
pub(crate) struct StepJson<'s> {
    /// `create`, `change`, `delete` or `nothing`; `nothing` without a path is a widget that stays
    /// though it no longer has a file.
    action: &'static str,
    /// `null` for a widget that is not created yet.
    #[cfg_attr(test, schemars(with = "Option<widget_api::schema::Text<WidgetId>>"))]
    widget_id: Option<WidgetId>,
    /// The file; `null` for a widget that is deleted.
    path: Option<String>,
    /// The title that visitors read.
    title: Option<&'s str>,
    /// Whether it was made.
    written: bool,
    /// What differs.
    changes: Vec<ChangeBody>,
    /// What it does to visitors, one sentence each.
    effects: &'s [String],
    /// What the service says of the widget that was written.
    warnings: &'s [Finding],
    /// What was changed at the service since the folder was written, the newest first.
    service_changes: &'s [ServiceChange],
    /// JSON Pointers to the values among them that the folder makes other ones.
    overwritten: &'s [String],
}

/// What was written for a step.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) id: WidgetId,
    pub(super) warnings: Vec<Finding>,
}

impl<'f> Step<'f> {
    pub(super) fn new(file: Option<&'f FolderFile>, action: Action) -> Self {
        Self {
            file,
            title: None,
            action,
            effects: Vec::new(),
            since: ServiceChanges::default(),
        }
    }
}

impl Step<'_> {
    pub(super) fn differs(&self) -> bool {
        !matches!(self.action, Action::Nothing(..) | Action::Keep(_))
    }

    pub(super) fn id(&self) -> Option<WidgetId> {
        match &self.action {
            Action::Create(_) => None,
            Action::Change { before, .. } | Action::Delete(before) => Some(before.value.id),
            Action::Nothing(id, _) | Action::Keep(id) => Some(*id),
        }
    }

    /// File, id and title, as far as they are known.
    pub(super) fn name(&self) -> String {
        let file = self.file.map(FolderFile::name);
        let id = self.id().map(|id| format!("widget {id}"));
        let title = self.title.as_ref().map(|title| format!("\"{title}\""));
        let parts: Vec<String> = [file, id, title].into_iter().flatten().collect();
        printable(&parts.join(" ")).into_owned()
    }

    /// Writes the step for programs.
    pub(super) fn print_data(
        &self,
        written: Option<&Written>,
        printer: &mut Printer,
    ) -> Result<(), Failure> {
        if !printer.is_data() {
            return Ok(());
        }
        let (action, changes) = match &self.action {
            Action::Create(_) => ("create", &[][..]),
            Action::Change { changes, .. } => ("change", &changes[..]),
            Action::Delete(_) => ("delete", &[][..]),
            Action::Nothing(..) | Action::Keep(_) => ("nothing", &[][..]),
        };
        printer.data(&StepJson {
            action,
            widget_id: written.map(|written| written.id).or_else(|| self.id()),
            path: self.file.map(FolderFile::name),
            title: self.title.as_deref(),
            written: written.is_some() && self.differs(),
            changes: changes.iter().cloned().map(Into::into).collect(),
            effects: &self.effects,
            warnings: written.map_or(&[], |written| &written.warnings),
            service_changes: &self.since.revisions,
            overwritten: &self.since.overwritten,
        })
    }
}
