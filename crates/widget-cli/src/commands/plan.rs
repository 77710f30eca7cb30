//! `widget plan` and `widget apply`: makes the widgets of a service what a folder of files says.

mod since;
pub(crate) mod step;
mod write;

use std::path::{Path, PathBuf};

use clap::Args;
use futures_util::{StreamExt, stream};
use widget_api::{
    client::{Error, Tagged},
    unreadable::WidgetRecord,
};
use widget_core::{doctor::quote_for_shell, id::WidgetId};

use self::{
    since::{ServiceChanges, find_service_changes},
    step::{Action, Step},
    write::write,
};
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
    printer::{GREEN, Printer, RED, YELLOW, printable},
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
