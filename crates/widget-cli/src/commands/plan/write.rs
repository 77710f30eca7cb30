//! Makes the steps of a plan, and says where it stops.

use std::{fs, path::Path};

use sha2::{Digest, Sha256};
use widget_api::{
    Widget,
    client::{Client, Error, Tagged},
    unreadable::WidgetRecord,
    widgets::{NewWidget, WrittenWidget},
};
use widget_core::id::WidgetId;

use super::{
    quote, read_widgets,
    step::{Action, Step, Written},
};
use crate::{
    exit::ExitCode,
    failure::Failure,
    folder::{FolderFile, HeldWidgets},
    online::{
        Session, change,
        proposal::{self, Current, revision_of},
        reference::require_readable,
    },
    printer::{GREEN, Printer, RED, count, hint_line},
};

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

/// Makes the steps, in their order.
pub(super) async fn write(
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
    // Half of a change is worse than one that is not shown.
    let mut shown = Ok(());
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
        shown = shown.and(show_written(step, &written, printer));
    }
    shown.map(|()| ExitCode::Yes)
}

fn show_written(step: &Step<'_>, written: &Written, printer: &mut Printer) -> Result<(), Failure> {
    step.print_data(Some(written), printer)?;
    if step.differs() && !printer.is_data() {
        let verb = match step.action {
            Action::Create(_) => format!("created as widget {}", written.id),
            Action::Delete(_) => "deleted".to_owned(),
            _ => "changed".to_owned(),
        };
        printer.line(format_args!("{GREEN}✓{GREEN:#} {} {verb}", step.name()))?;
    }
    proposal::show_warnings(&written.warnings, printer)
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
    // Why it stops is more than that this cannot be shown.
    let _ = printer.error(format_args!("{RED}error{RED:#}: {stopped}"));
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
    let seen: Vec<(&Step<'_>, Current<'_, Widget>)> = steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Change { before, .. } | Action::Delete(before) => Some((step, before)),
            Action::Create(_) | Action::Nothing(..) | Action::Keep(_) => None,
        })
        .map(|(step, before)| Ok((step, Current::of(before, session)?)))
        .collect::<Result<_, Failure>>()?;
    let ids: Vec<WidgetId> = seen.iter().map(|(_, before)| before.value.id).collect();
    let mut is_unchanged = true;
    for ((step, before), now) in seen.iter().zip(read_widgets(&ids, session).await) {
        let now = match now {
            Ok(now) if now.etag.as_ref() == Some(before.etag) => continue,
            Ok(now) => Some(now.value),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error.into()),
        };
        is_unchanged = false;
        show_theirs(step, before.value, now, "", printer)?;
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
            let etag = Some(Current::of(before, session)?.etag);
            let call = client.update_web_widget(id, etag, patch);
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
            let etag = Some(Current::of(before, session)?.etag);
            let call = client.delete_web_widget(id, etag);
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
