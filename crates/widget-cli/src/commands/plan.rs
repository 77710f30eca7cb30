//! `widget plan` and `widget apply`: makes the widgets of a service what a folder of files says.

mod since;

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use futures_util::{StreamExt, stream};
use serde::Serialize;
use sha2::{Digest, Sha256};
use widget_api::{
    Widget, WidgetPatch,
    client::{Client, Error, Tagged},
    decisions::Finding,
    revisions::Change as ChangeBody,
    unreadable::WidgetRecord,
    widgets::{NewWidget, WrittenWidget},
};
use widget_core::{config::Change, doctor::quote_for_shell, id::WidgetId};

use self::since::{ServiceChange, ServiceChanges, find_service_changes};
use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    file_write::PreparedFile,
    folder::{Folder, FolderFile, HeldWidgets, show_failure},
    online::{
        self, Session, change, effects,
        proposal::{self, ChangeOptions, Decision, revision_of},
        reference::{id_of, require_readable, title},
    },
    printer::{GREEN, Printer, RED, YELLOW, count, hint_line, printable},
};

pub(crate) const PLAN_HELP: &str = "\
A file holds one widget, as `widget export` writes it. A file without `id` is a new widget. A key
that a file does not have stays as it is. Ends with 1 when something differs. What somebody has
changed at the service since the folder was written is shown, with who did it and when.

Examples:
  widget plan widgets/
  widget plan widgets/ --prune --output json";

pub(crate) const APPLY_HELP: &str = "\
Writes only what differs: new widgets first, then changes in the order of the files, deletions last.
If somebody else changes one of these widgets before the first is written, nothing is written; nor
if it would undo what somebody has changed at the service since the folder was written. The id of a
new widget is written into its file.

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
    /// Delete widgets that this folder once held and has no file for anymore
    #[arg(long)]
    pub(crate) prune: bool,
}

/// Arguments of `apply`.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    #[command(flatten)]
    pub(crate) plan: Plan,
    /// Also undo what was changed at the service since the folder was written
    #[arg(long)]
    pub(crate) overwrite: bool,
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
    /// What was changed at the service since the folder was written.
    since: ServiceChanges,
}

enum Action {
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
struct Written {
    id: WidgetId,
    warnings: Vec<Finding>,
}

/// Why a step was not made to its end.
enum Stop<'s> {
    /// It was not written.
    Failed(Failure),
    /// It is not known whether it was written.
    Unknown(Failure),
    /// It was written, and something after that failed.
    Written(Failure),
    /// Somebody else was faster: the widget is not what it was when the plan was shown.
    Conflict(&'s Widget),
}

impl From<Failure> for Stop<'_> {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Error> for Stop<'_> {
    fn from(error: Error) -> Self {
        if matches!(error, Error::OutcomeUnknown { .. }) {
            Self::Unknown(error.into())
        } else {
            Self::Failed(error.into())
        }
    }
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
        print_plan(&steps, printer)?;
        Ok(ExitCode::from_answer(!steps.iter().any(Step::differs)))
    })
}

/// Makes the widgets what the folder says.
pub(super) fn apply(
    arguments: &Apply,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let Plan {
        folder: path,
        prune,
    } = &arguments.plan;
    let mut held = HeldWidgets::read(path)?;
    let folder = Folder::read(path, printer)?.require_valid()?;
    online::run(&global.service, printer, async |session, printer| {
        let steps = find_steps(&folder, &held, *prune, session, printer).await?;
        show(&steps, printer)?;
        if !arguments.overwrite
            && let Err(refused) = require_nothing_overwritten(&steps, path)
        {
            // Programs get the plan, too: nothing of it was written.
            print_plan(&steps, printer)?;
            return Err(refused);
        }
        if !arguments.change.dry_run {
            require_writable(&steps, printer)?;
        }
        if steps.iter().any(Step::differs) {
            match proposal::confirm(arguments.change, "Write this?", session, printer).await? {
                Decision::Go => {}
                Decision::DryRun => {
                    printer.note("nothing was written (--dry-run)")?;
                    print_plan(&steps, printer)?;
                    return Ok(ExitCode::Yes);
                }
                Decision::No => return Ok(ExitCode::No),
            }
        }
        for id in folder.files.iter().filter_map(FolderFile::id) {
            held.revisions.entry(id).or_default();
        }
        let exit = write(&steps, path, &mut held, session, printer).await;
        // Also of the files that are as their widgets are.
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
    let gone = held.revisions.keys().filter(|id| !ids.contains(id));
    let gone: Vec<WidgetId> = gone.copied().collect();
    for found in read_widgets(&gone, session).await {
        match found {
            Ok(before) if prune => steps.push(find_deletion(before)?),
            Ok(kept) => steps.push(Step {
                title: title(&kept.value).map(str::to_owned),
                ..Step::new(None, Action::Keep(id_of(&kept.value)))
            }),
            // Somebody else has deleted it.
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    require_no_faults(faults)?;
    for step in &mut steps {
        step.effects = find_effects(&step.action, session).await?;
        step.since = find_since(&step.action, held, session).await?;
    }
    Ok(steps)
}

/// Requires that nothing was found for which the folder cannot be applied; it was shown.
fn require_no_faults(faults: ExitCode) -> Result<(), Failure> {
    if faults == ExitCode::Yes {
        return Ok(());
    }
    Err(Failure {
        exit: faults,
        ..Failure::unexpected("the folder cannot be applied; nothing was written")
    })
}

/// Requires that the ids of new widgets can be written into their files.
fn require_writable(steps: &[Step<'_>], printer: &mut Printer) -> Result<(), Failure> {
    let mut faults = ExitCode::Yes;
    let new = steps
        .iter()
        .filter(|step| matches!(step.action, Action::Create(_)));
    for file in new.filter_map(|step| step.file) {
        if let Err(error) = PreparedFile::new(&file.path) {
            let failure = Failure::unexpected(format_args!(
                "the id of the new widget cannot be written into `{}`, so it is not created: \
                 {error}",
                file.name()
            ));
            faults = faults.max(failure.exit);
            show_failure(&failure, printer)?;
        }
    }
    require_no_faults(faults)
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
    Ok(Step {
        title: file.title().map(str::to_owned),
        ..Step::new(Some(file), Action::Create(Box::new(new)))
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
        Action::Nothing(before.value.id, revision_of(&before))
    } else {
        Action::Change {
            before: Box::new(before),
            patch: Box::new(patch),
            changes,
        }
    };
    Ok(Step {
        title,
        ..Step::new(Some(file), action)
    })
}

fn find_deletion(found: Tagged<WidgetRecord>) -> Result<Step<'static>, Failure> {
    let title = title(&found.value).map(str::to_owned);
    let before = Tagged {
        value: require_readable(found.value)?,
        etag: found.etag,
    };
    Ok(Step {
        title,
        ..Step::new(None, Action::Delete(Box::new(before)))
    })
}

async fn find_effects(action: &Action, session: &Session) -> Result<Vec<String>, Failure> {
    match action {
        Action::Change { before, patch, .. } => {
            let after = change::apply(&before.value, patch)?;
            effects::find_effects(&before.value, &after, session).await
        }
        Action::Delete(before) => effects::find_end(before.value.id, session).await,
        Action::Create(_) | Action::Nothing(..) | Action::Keep(_) => Ok(Vec::new()),
    }
}

/// What was changed at the service since the file of a widget was written.
async fn find_since(
    action: &Action,
    held: &HeldWidgets,
    session: &Session,
) -> Result<ServiceChanges, Failure> {
    let (before, ours) = match action {
        Action::Change {
            before, changes, ..
        } => (before, Some(&changes[..])),
        Action::Delete(before) => (before, None),
        Action::Create(_) | Action::Nothing(..) | Action::Keep(_) => {
            return Ok(ServiceChanges::default());
        }
    };
    let base = held.revision(before.value.id);
    let now = (&before.value, revision_of(before));
    find_service_changes(base, now, ours, session).await
}

impl<'f> Step<'f> {
    fn new(file: Option<&'f FolderFile>, action: Action) -> Self {
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
    fn differs(&self) -> bool {
        !matches!(self.action, Action::Nothing(..) | Action::Keep(_))
    }

    fn id(&self) -> Option<WidgetId> {
        match &self.action {
            Action::Create(_) => None,
            Action::Change { before, .. } | Action::Delete(before) => Some(before.value.id),
            Action::Nothing(id, _) | Action::Keep(id) => Some(*id),
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

/// Writes the steps for programs, before anything is written.
fn print_plan(steps: &[Step<'_>], printer: &mut Printer) -> Result<(), Failure> {
    for step in steps {
        step.print_data(None, printer)?;
    }
    Ok(())
}

/// Shows the steps and how many there are of each kind.
fn show(steps: &[Step<'_>], printer: &mut Printer) -> Result<(), Failure> {
    let (mut created, mut changed, mut deleted, mut unchanged) = (0, 0, 0, 0);
    let mut kept = Vec::new();
    for step in steps {
        let (color, verb, number) = match &step.action {
            Action::Create(_) => (GREEN, "create", &mut created),
            Action::Change { .. } => (YELLOW, "change", &mut changed),
            Action::Delete(_) => (RED, "delete", &mut deleted),
            Action::Nothing(..) => {
                unchanged += 1;
                continue;
            }
            Action::Keep(_) => {
                kept.push(step);
                continue;
            }
        };
        *number += 1;
        let mut lines = vec![format!("{color}{verb}{color:#} {}", step.name())];
        if let Action::Change { changes, .. } = &step.action {
            let shown = changes.iter().flat_map(change::change_lines);
            lines.extend(shown.map(|line| format!("  {line}")));
        }
        lines.extend(since_lines(&step.since));
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
    for step in kept {
        printer.note(format_args!(
            "{YELLOW}note{YELLOW:#}: {} no longer has a file here and stays; `--prune` deletes it",
            step.name()
        ))?;
    }
    printer.note(format_args!(
        "{created} to create, {changed} to change, {deleted} to delete, {unchanged} unchanged"
    ))
}

/// What was changed at the service since the folder was written.
fn since_lines(since: &ServiceChanges) -> Vec<String> {
    let mut lines = Vec::new();
    if !since.revisions.is_empty() {
        let line = "changed at the service since this folder was written:";
        lines.push(format!("  {YELLOW}!{YELLOW:#} {line}"));
    }
    for revision in &since.revisions {
        lines.push(format!("      {}", printable(&revision.author())));
        let changes = revision.changes.iter().flat_map(super::change_body_lines);
        lines.extend(changes.map(|line| format!("        {line}")));
    }
    lines
}

/// Requires that nothing is undone that was changed at the service since the folder was written.
fn require_nothing_overwritten(steps: &[Step<'_>], folder: &Path) -> Result<(), Failure> {
    let undone = steps
        .iter()
        .filter(|step| !step.since.overwritten.is_empty());
    let undone: Vec<String> = undone
        .map(|step| {
            let places = step.since.overwritten.join("`, `");
            printable(&format!("{}: `{places}`", step.name())).into_owned()
        })
        .collect();
    if undone.is_empty() {
        return Ok(());
    }
    Err(Failure::bad_input(format_args!(
        "this would undo what was changed at the service since the folder was written; nothing was \
         written\n  {}",
        undone.join("\n  ")
    ))
    .hint(format_args!(
        "commit the folder, then run `widget export {}` to take over the state of the service; \
         `--overwrite` undoes what was changed there",
        quote(folder)
    )))
}

/// The folder as an argument of a command.
fn quote(folder: &Path) -> String {
    quote_for_shell(&folder.display().to_string())
}

/// Makes the steps, in their order.
async fn write(
    steps: &[Step<'_>],
    folder: &Path,
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
        let mut made = write_step(step, held, session).await;
        // Before anything else is waited for: what was created is held, however the command ends.
        if step.differs()
            && let Err(failure) = held.write()
        {
            made = made.and(Err(Stop::Written(failure)));
        }
        let written = match made {
            Ok(written) => written,
            Err(stop) => {
                let written = (done, total);
                return Box::pin(show_stop(stop, step, written, folder, session, printer)).await;
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

/// Says at which step `apply` stops and why, and how many of all changes were written before.
async fn show_stop(
    reason: Stop<'_>,
    step: &Step<'_>,
    (done, total): (usize, usize),
    folder: &Path,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let name = step.name();
    let total = count(total, "change", "changes");
    let before = format!("{done} of {total} were written before");
    let (stopped, failure) = match reason {
        Stop::Conflict(seen) => match session.client.get_web_widget(seen.id).await {
            Err(error) if !error.is_not_found() => (
                format!("stopped at {name}: {before}, the others were not"),
                Failure::from(error),
            ),
            now => {
                let now = now.ok().map(|now| now.value);
                let rest = format!("; {before}, the others were not");
                show_theirs(step, seen, now, &rest, printer)?;
                let hint = format!("`widget plan {}` shows what is left", quote(folder));
                printer.error(format_args!("\n{}", hint_line(&hint)))?;
                return Ok(ExitCode::No);
            }
        },
        Stop::Failed(failure) => (
            format!("stopped at {name}: {before}, the others were not"),
            failure,
        ),
        Stop::Unknown(failure) => (
            format!(
                "stopped: {before}, it is not known whether {name} was written, the others were not"
            ),
            match step.action {
                Action::Create(_) => {
                    failure.hint("enter the command again; it creates no second widget")
                }
                _ => failure,
            },
        ),
        Stop::Written(failure) => (
            format!(
                "stopped after {name}: {} of {total} were written, the others were not",
                done + 1
            ),
            failure,
        ),
    };
    printer.error(format_args!("{RED}error{RED:#}: {stopped}"))?;
    Err(failure)
}

/// Shows what somebody else has made of the widget of a step, `None` when it is gone, and what the
/// step would have made of it.
fn show_theirs(
    step: &Step<'_>,
    before: &Widget,
    now: Option<WidgetRecord>,
    rest: &str,
    printer: &mut Printer,
) -> Result<(), Failure> {
    printer.error(format_args!(
        "{RED}error{RED:#}: somebody else {} {} in the meantime{rest}",
        if now.is_some() { "changed" } else { "deleted" },
        step.name()
    ))?;
    let theirs = match now {
        Some(now) => change::lines_of(&change::diff(before, &require_readable(now)?)?, &[]),
        None => Vec::new(),
    };
    let ours = match &step.action {
        Action::Change { changes, .. } => change::lines_of(changes, &[]),
        Action::Delete(_) => vec![change::effect_line("the widget is deleted")],
        Action::Create(_) | Action::Nothing(..) | Action::Keep(_) => Vec::new(),
    };
    change::show_both(&theirs, &ours, printer)
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
            Action::Create(_) | Action::Nothing(..) | Action::Keep(_) => None,
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
        show_theirs(step, &before.value, now, "", printer)?;
    }
    if !is_unchanged {
        printer.error(
            "\nnothing was written; enter the command again to make your changes on top of theirs",
        )?;
    }
    Ok(is_unchanged)
}

async fn write_step<'s>(
    step: &'s Step<'_>,
    held: &mut HeldWidgets,
    session: &Session,
) -> Result<Written, Stop<'s>> {
    let client = &session.client;
    match (&step.action, step.file) {
        (Action::Create(new), Some(file)) => {
            let call = create(new, file, client);
            let created = session
                .write(format!("{} created", step.name()), call)
                .await?;
            let revision = revision_of(&created);
            let created = created.value;
            session.seen.note_widget(&created.widget);
            let id = created.widget.id;
            // Also if its file cannot be written.
            held.revisions.insert(id, revision);
            let text = file
                .with_id(id)
                .ok_or_else(|| Stop::Written(lost(id, file, "its notation")))?;
            crate::folder::write(&file.path, &text)
                .map_err(|error| Stop::Written(lost(id, file, error)))?;
            Ok(Written {
                id,
                warnings: created.warnings,
            })
        }
        (Action::Change { before, patch, .. }, _) => {
            let id = before.value.id;
            let call = client.update_web_widget(id, before.etag.as_ref(), patch);
            let done = format!("{} changed", step.name());
            let changed = match session.write(done.as_str(), call).await {
                Ok(changed) => changed,
                Err(error) if error.is_conflict() => {
                    let after = change::apply(&before.value, patch)?;
                    let written = change::find_written(&after, session).await;
                    let Some(written) = written.map_err(Stop::Unknown)? else {
                        return Err(Stop::Conflict(&before.value));
                    };
                    session.note_written(done);
                    written
                }
                Err(error) => return Err(error.into()),
            };
            session.seen.note_widget(&changed.value.widget);
            held.revisions.insert(id, revision_of(&changed));
            Ok(Written {
                id,
                warnings: changed.value.warnings,
            })
        }
        (Action::Delete(before), _) => {
            let id = before.value.id;
            let call = client.delete_web_widget(id, before.etag.as_ref());
            match session
                .write(format!("{} deleted", step.name()), call)
                .await
            {
                Err(error) if error.is_conflict() => return Err(Stop::Conflict(&before.value)),
                // It was there a moment ago: somebody else has deleted it.
                Err(error) if !error.is_not_found() => return Err(error.into()),
                Ok(()) | Err(_) => {}
            }
            session.seen.note_deleted(id);
            held.revisions.remove(&id);
            Ok(Written {
                id,
                warnings: Vec::new(),
            })
        }
        (Action::Nothing(id, revision), _) => {
            held.revisions.insert(*id, *revision);
            Ok(Written {
                id: *id,
                warnings: Vec::new(),
            })
        }
        (Action::Keep(id), _) => Ok(Written {
            id: *id,
            warnings: Vec::new(),
        }),
        (Action::Create(_), None) => Err(Failure::unexpected("a new widget has no file").into()),
    }
}

/// Creates the widget of a file, once: also when the command was ended before it had the id, and
/// runs again.
async fn create(
    new: &NewWidget,
    file: &FolderFile,
    client: &Client,
) -> Result<Tagged<WrittenWidget>, Error> {
    let key = creation_key(new, file);
    let created = client.create_web_widget_with_key(new, Some(&key)).await?;
    match client.get_web_widget(created.value.widget.id).await {
        // It was created before and deleted since, and is wanted again.
        Err(error) if error.is_not_found() => client.create_web_widget(new).await,
        Ok(_) | Err(_) => Ok(created),
    }
}

/// A name for the creation of a widget: the same for the same content of the same file.
fn creation_key(new: &NewWidget, file: &FolderFile) -> String {
    let path = fs::canonicalize(&file.path).unwrap_or_else(|_| file.path.clone());
    let mut hash = Sha256::new();
    hash.update(path.as_os_str().as_encoded_bytes());
    hash.update([0]);
    // A record that is about to be sent can be written.
    hash.update(serde_json::to_vec(new).unwrap_or_default());
    let mut first = [0; 16];
    first.copy_from_slice(&hash.finalize()[..16]);
    format!("apply-{:032x}", u128::from_be_bytes(first))
}

/// A widget was created, and its id did not get into its file.
fn lost(id: WidgetId, file: &FolderFile, why: impl std::fmt::Display) -> Failure {
    Failure::unexpected(format_args!(
        "widget {id} was created, and its id cannot be written into `{}`: {why}",
        file.name()
    ))
    .hint(format_args!("write `id: {id}` into the file by hand"))
}
