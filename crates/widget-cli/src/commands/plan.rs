//! `widget plan` and `widget apply`: makes the widgets of a service what a folder of files says.

use std::path::PathBuf;

use clap::Args;
use futures_util::{StreamExt, stream};
use serde::Serialize;
use widget_api::{
    Widget, WidgetPatch,
    client::{Error, Tagged},
    decisions::Finding,
    revisions::Change as ChangeBody,
    unreadable::WidgetRecord,
    widgets::NewWidget,
};
use widget_core::{config::Change, id::WidgetId};

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    file_write::PreparedFile,
    folder::{Folder, FolderFile, HeldWidgets, show_failure},
    online::{
        self, Session, change, effects,
        proposal::{self, ChangeOptions, Decision},
        reference::{require_readable, title},
    },
    printer::{GREEN, Printer, RED, YELLOW, count, printable},
};

pub(crate) const PLAN_HELP: &str = "\
A file holds one widget, as `widget export` writes it. A file without `id` is a new widget. A key
that a file does not have stays as it is. Ends with 1 when something differs.

Examples:
  widget plan widgets/
  widget plan widgets/ --prune --output json";

pub(crate) const APPLY_HELP: &str = "\
Writes only what differs: new widgets first, then changes in the order of the files, deletions last.
If somebody else changes one of these widgets before the first is written, nothing is written. The
id of a new widget is written into its file.

Examples:
  widget apply widgets/
  widget apply widgets/ --prune --yes";

/// How many widgets are read at the same time.
const READS: usize = 8;

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// The folder with the files
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Delete widgets that this folder once held and has no file for any more
    #[arg(long)]
    pub(crate) prune: bool,
}

/// Arguments of `apply`.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    #[command(flatten)]
    pub(crate) plan: Plan,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// What has to be done for one widget.
struct Step<'f> {
    /// The file; a widget that is deleted has none.
    file: Option<&'f FolderFile>,
    title: Option<String>,
    action: Action,
    /// What it does to visitors, one sentence each.
    effects: Vec<String>,
}

enum Action {
    Create(Box<NewWidget>),
    Change {
        before: Box<Tagged<Widget>>,
        patch: Box<WidgetPatch>,
        changes: Vec<Change>,
    },
    Delete(Box<Tagged<Widget>>),
    Nothing(WidgetId),
}

/// One widget of a plan, for programs.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "PlannedStep"))]
pub(crate) struct StepJson<'s> {
    /// `create`, `change`, `delete` or `nothing`.
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
}

/// What was written for a step.
#[derive(Debug)]
struct Written {
    id: WidgetId,
    warnings: Vec<Finding>,
}

/// Shows what `apply` would do.
pub(super) fn plan(
    arguments: &Plan,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let folder = Folder::read(&arguments.folder, printer)?.require_valid()?;
    let held = HeldWidgets::read(&arguments.folder)?;
    online::run(&global.service, printer, async |session, printer| {
        let steps = find_steps(&folder, &held, arguments.prune, session, printer).await?;
        show(&steps, printer)?;
        for step in &steps {
            step.print_data(None, printer)?;
        }
        Ok(ExitCode::from_answer(!steps.iter().any(Step::differs)))
    })
}

/// Makes the widgets what the folder says.
pub(super) fn apply(
    arguments: &Apply,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let Plan { folder, prune } = &arguments.plan;
    let mut held = HeldWidgets::read(folder)?;
    let folder = Folder::read(folder, printer)?.require_valid()?;
    online::run(&global.service, printer, async |session, printer| {
        let steps = find_steps(&folder, &held, *prune, session, printer).await?;
        show(&steps, printer)?;
        if steps.iter().any(Step::differs) {
            match proposal::confirm(arguments.change, "Write this?", session, printer).await? {
                Decision::Go => {}
                Decision::DryRun => {
                    printer.note("nothing was written (--dry-run)")?;
                    for step in &steps {
                        step.print_data(None, printer)?;
                    }
                    return Ok(ExitCode::Yes);
                }
                Decision::No => return Ok(ExitCode::No),
            }
        }
        held.ids
            .extend(folder.files.iter().filter_map(FolderFile::id));
        let exit = write(&steps, &mut held, session, printer).await;
        // Also when it ended early: a widget that was created is held.
        let kept = held.write();
        let exit = exit?;
        kept.map(|()| exit)
    })
}

/// Compares the folder with the service. Every fault is shown before the command ends.
async fn find_steps<'f>(
    folder: &'f Folder,
    held: &HeldWidgets,
    prune: bool,
    session: &Session,
    printer: &mut Printer,
) -> Result<Vec<Step<'f>>, Failure> {
    let (mut creations, mut changes) = (Vec::new(), Vec::new());
    let mut faults = ExitCode::Yes;
    let (with_id, without): (Vec<_>, Vec<_>) =
        folder.files.iter().partition(|file| file.id().is_some());
    for file in without {
        match find_creation(file) {
            Ok(step) => creations.push(step),
            Err(failure) => {
                faults = faults.max(failure.exit);
                show_failure(&failure, printer)?;
            }
        }
    }
    let ids: Vec<WidgetId> = with_id.iter().filter_map(|file| file.id()).collect();
    for (file, found) in with_id.iter().zip(read_widgets(&ids, session).await) {
        let step = match find_change(file, found) {
            Ok(step) => step,
            Err(failure) if failure.exit == ExitCode::No => {
                faults = faults.max(failure.exit);
                show_failure(&failure, printer)?;
                continue;
            }
            Err(failure) => return Err(failure),
        };
        changes.push(step);
    }
    let mut steps = creations;
    steps.append(&mut changes);
    if prune {
        let gone: Vec<WidgetId> = held
            .ids
            .iter()
            .filter(|id| !ids.contains(id))
            .copied()
            .collect();
        for found in read_widgets(&gone, session).await {
            match found {
                Ok(before) => steps.push(find_deletion(before)?),
                // Somebody else has deleted it.
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    if faults != ExitCode::Yes {
        return Err(Failure {
            exit: faults,
            ..Failure::unexpected("the folder cannot be applied; nothing was written")
        });
    }
    for step in &mut steps {
        step.effects = find_effects(&step.action, session).await?;
    }
    Ok(steps)
}

/// Reads widgets, several at a time, in the order of their ids.
async fn read_widgets(
    ids: &[WidgetId],
    session: &Session,
) -> Vec<Result<Tagged<WidgetRecord>, Error>> {
    stream::iter(ids)
        .map(|id| session.client.get_web_widget(*id))
        .buffered(READS)
        .collect()
        .await
}

fn find_creation(file: &FolderFile) -> Result<Step<'_>, Failure> {
    let name = file.name();
    let new = file.to_new().map_err(|missing| {
        Failure::bad_input(format_args!(
            "`{name}` has no `id`, so it is a new widget, and that needs `{}`",
            missing.join("` and `")
        ))
        .hint("`widget agents list` and `widget agents versions` show their ids")
    })?;
    if file
        .with_id(WidgetId::from_uuid(uuid::Uuid::nil()))
        .is_none()
    {
        return Err(Failure::bad_input(format_args!(
            "the id of the new widget cannot be written into `{name}`, so it is not created"
        ))
        .hint("write the file without anchors, tags and aliases"));
    }
    PreparedFile::new(&file.path).map_err(|error| {
        Failure::unexpected(format_args!(
            "the id of the new widget cannot be written into `{name}`, so it is not created: \
             {error}"
        ))
    })?;
    Ok(Step {
        file: Some(file),
        title: file.title().map(str::to_owned),
        action: Action::Create(Box::new(new)),
        effects: Vec::new(),
    })
}

fn find_change(
    file: &FolderFile,
    found: Result<Tagged<WidgetRecord>, Error>,
) -> Result<Step<'_>, Failure> {
    let found = found.map_err(|error| match file.id() {
        Some(id) if error.is_not_found() => Failure::bad_input(format_args!(
            "`{}` is of widget {id}, which this service does not have",
            file.name()
        ))
        .hint(format_args!(
            "if it was deleted, remove the file, or its `id` for a new widget; `widget whoami` \
             shows whose widgets these are"
        )),
        _ => error.into(),
    })?;
    let title = title(&found.value).map(str::to_owned);
    let before = Tagged {
        value: require_readable(found.value)?,
        etag: found.etag,
    };
    let (patch, changes) = file.find_changes(&before.value)?;
    let action = if changes.is_empty() {
        Action::Nothing(before.value.id)
    } else {
        Action::Change {
            before: Box::new(before),
            patch: Box::new(patch),
            changes,
        }
    };
    Ok(Step {
        file: Some(file),
        title,
        action,
        effects: Vec::new(),
    })
}

fn find_deletion(found: Tagged<WidgetRecord>) -> Result<Step<'static>, Failure> {
    let title = title(&found.value).map(str::to_owned);
    Ok(Step {
        file: None,
        title,
        action: Action::Delete(Box::new(Tagged {
            value: require_readable(found.value)?,
            etag: found.etag,
        })),
        effects: Vec::new(),
    })
}

async fn find_effects(action: &Action, session: &Session) -> Result<Vec<String>, Failure> {
    match action {
        Action::Change { before, patch, .. } => {
            let after = change::apply(&before.value, patch)?;
            effects::find_effects(&before.value, &after, session).await
        }
        Action::Delete(before) => effects::find_end(before.value.id, session).await,
        Action::Create(_) | Action::Nothing(_) => Ok(Vec::new()),
    }
}

impl Step<'_> {
    fn differs(&self) -> bool {
        !matches!(self.action, Action::Nothing(_))
    }

    fn id(&self) -> Option<WidgetId> {
        match &self.action {
            Action::Create(_) => None,
            Action::Change { before, .. } | Action::Delete(before) => Some(before.value.id),
            Action::Nothing(id) => Some(*id),
        }
    }

    /// File, id and title, as far as they are known.
    fn name(&self) -> String {
        let file = self.file.map(FolderFile::name);
        let id = self.id().map(|id| format!("widget {id}"));
        let title = self.title.as_ref().map(|title| format!("\"{title}\""));
        let parts: Vec<String> = [file, id, title].into_iter().flatten().collect();
        printable(&parts.join(" ")).into_owned()
    }

    /// Writes the step for programs.
    fn print_data(&self, written: Option<&Written>, printer: &mut Printer) -> Result<(), Failure> {
        if !printer.is_data() {
            return Ok(());
        }
        let (action, changes) = match &self.action {
            Action::Create(_) => ("create", &[][..]),
            Action::Change { changes, .. } => ("change", &changes[..]),
            Action::Delete(_) => ("delete", &[][..]),
            Action::Nothing(_) => ("nothing", &[][..]),
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
        })
    }
}

/// Shows the steps and how many there are of each kind.
fn show(steps: &[Step<'_>], printer: &mut Printer) -> Result<(), Failure> {
    let (mut created, mut changed, mut deleted, mut equal) = (0, 0, 0, 0);
    for step in steps {
        let (color, verb, number) = match &step.action {
            Action::Create(_) => (GREEN, "create", &mut created),
            Action::Change { .. } => (YELLOW, "change", &mut changed),
            Action::Delete(_) => (RED, "delete", &mut deleted),
            Action::Nothing(_) => {
                equal += 1;
                continue;
            }
        };
        *number += 1;
        let mut lines = vec![format!("{color}{verb}{color:#} {}", step.name())];
        if let Action::Change { changes, .. } = &step.action {
            let shown = changes.iter().flat_map(change::change_lines);
            lines.extend(shown.map(|line| format!("  {line}")));
        }
        lines.extend(
            step.effects
                .iter()
                .map(|effect| format!("  {YELLOW}!{YELLOW:#} {}", printable(effect))),
        );
        for line in lines {
            if printer.is_data() {
                printer.note(line)?;
            } else {
                printer.line(line)?;
            }
        }
    }
    printer.note(format_args!(
        "{created} to create, {changed} to change, {deleted} to delete, {equal} equal"
    ))
}

/// Makes the steps, in their order.
async fn write(
    steps: &[Step<'_>],
    held: &mut HeldWidgets,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    if !require_unchanged(steps, session, printer).await? {
        return Ok(ExitCode::No);
    }
    let total = steps.iter().filter(|step| step.differs()).count();
    let mut done = 0;
    for step in steps {
        session.check_interrupted()?;
        let written = match write_step(step, held, session).await {
            Ok(written) => written,
            Err(failure) => {
                printer.error(format_args!(
                    "{RED}error{RED:#}: stopped at {}: {done} of {} were written before, the \
                     others were not",
                    step.name(),
                    count(total, "change", "changes")
                ))?;
                return Err(failure);
            }
        };
        done += usize::from(step.differs());
        step.print_data(Some(&written), printer)?;
        if step.differs() && !printer.is_data() {
            let verb = match step.action {
                Action::Create(_) => format!("created as widget {}", written.id),
                Action::Delete(_) => "deleted".to_owned(),
                _ => "changed".to_owned(),
            };
            printer.line(format_args!("{GREEN}✓{GREEN:#} {} {verb}", step.name()))?;
        }
        proposal::show_warnings(&written.warnings, printer)?;
    }
    Ok(ExitCode::Yes)
}

/// Whether all widgets are still as they were when the plan was shown. Shows what somebody else
/// changed.
async fn require_unchanged(
    steps: &[Step<'_>],
    session: &Session,
    printer: &mut Printer,
) -> Result<bool, Failure> {
    let seen: Vec<(&Step<'_>, &Tagged<Widget>)> = steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Change { before, .. } | Action::Delete(before) => Some((step, &**before)),
            Action::Create(_) | Action::Nothing(_) => None,
        })
        .collect();
    let ids: Vec<WidgetId> = seen.iter().map(|(_, before)| before.value.id).collect();
    let mut is_unchanged = true;
    for ((step, before), now) in seen.iter().zip(read_widgets(&ids, session).await) {
        let now = match now {
            Ok(now) if now.etag == before.etag => continue,
            Ok(now) => Some(now.value),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error.into()),
        };
        is_unchanged = false;
        printer.error(format_args!(
            "{RED}error{RED:#}: somebody else {} {} in the meantime",
            if now.is_some() { "changed" } else { "deleted" },
            step.name()
        ))?;
        if let Some(now) = now {
            printer.error("their change:")?;
            let changes = change::diff(&before.value, &require_readable(now)?)?;
            for line in changes.iter().flat_map(change::change_lines) {
                printer.error(format_args!("  {line}"))?;
            }
        }
        if let Action::Change { changes, .. } = &step.action {
            printer.error("your change:")?;
            for line in changes.iter().flat_map(change::change_lines) {
                printer.error(format_args!("  {line}"))?;
            }
        }
    }
    if !is_unchanged {
        printer.error(
            "\nnothing was written; enter the command again to make your changes on top of theirs",
        )?;
    }
    Ok(is_unchanged)
}

async fn write_step(
    step: &Step<'_>,
    held: &mut HeldWidgets,
    session: &Session,
) -> Result<Written, Failure> {
    let client = &session.client;
    match (&step.action, step.file) {
        (Action::Create(new), Some(file)) => {
            let call = client.create_web_widget(new);
            let created = session
                .write(format!("{} created", step.name()), call)
                .await?
                .value;
            let id = created.widget.id;
            // Also if its file cannot be written.
            held.ids.insert(id);
            let text = file
                .with_id(id)
                .ok_or_else(|| lost(id, file, "its notation"))?;
            crate::folder::write(&file.path, &text).map_err(|error| lost(id, file, error))?;
            Ok(Written {
                id,
                warnings: created.warnings,
            })
        }
        (Action::Change { before, patch, .. }, _) => {
            let id = before.value.id;
            let call = client.update_web_widget(id, before.etag.as_ref(), patch);
            let changed = session
                .write(format!("{} changed", step.name()), call)
                .await;
            let changed = match changed {
                Ok(changed) => changed.value,
                Err(error) if error.is_conflict() => {
                    let after = change::apply(&before.value, patch)?;
                    let written = change::find_written(&after, session).await?;
                    written.ok_or_else(|| Failure::from(error))?
                }
                Err(error) => return Err(error.into()),
            };
            Ok(Written {
                id,
                warnings: changed.warnings,
            })
        }
        (Action::Delete(before), _) => {
            let id = before.value.id;
            let call = client.delete_web_widget(id, before.etag.as_ref());
            match session
                .write(format!("{} deleted", step.name()), call)
                .await
            {
                // It was there a moment ago: the answer was lost, or somebody else did it.
                Err(error) if !error.is_not_found() => return Err(error.into()),
                Ok(()) | Err(_) => {}
            }
            held.ids.remove(&id);
            Ok(Written {
                id,
                warnings: Vec::new(),
            })
        }
        (Action::Nothing(id), _) => Ok(Written {
            id: *id,
            warnings: Vec::new(),
        }),
        (Action::Create(_), None) => Err(Failure::unexpected("a new widget has no file")),
    }
}

/// A widget was created, and its id did not get into its file.
fn lost(id: WidgetId, file: &FolderFile, why: impl std::fmt::Display) -> Failure {
    Failure::unexpected(format_args!(
        "widget {id} was created, and its id cannot be written into `{}`: {why}",
        file.name()
    ))
    .hint(format_args!("write `id: {id}` into the file by hand"))
}
