//! How a change is made: what changes is shown, then what that does to visitors, then it is asked;
//! and it is written only if nobody was faster.

use clap::Args;
use serde::{Deserialize, Serialize, de::DeserializeSeed};
use serde_json::Value;
use widget_api::{
    Widget, WidgetPatch,
    client::{Error, Tagged},
    decisions::Finding,
    revisions::Change as ChangeBody,
    unreadable::WidgetRecord,
    widgets::WrittenWidget,
};
use widget_core::{
    config::{Change, ChangeKind},
    id::WidgetId,
    origin::SuffixList,
    seed::WithSuffixes,
    widget,
};

use super::{Session, effects::find_effects, prompt, reference::Reference};
use crate::{
    exit::ExitCode,
    failure::Failure,
    printer::{GREEN, Printer, RED, YELLOW, printable},
};

/// Options of the commands that change something.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct ChangeOptions {
    /// Make the change without asking
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Only show what would change
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
}

/// A change of a widget that was not made yet.
pub(crate) struct PendingChange<'a> {
    /// The widget as it was read.
    pub(crate) before: &'a Tagged<Widget>,
    pub(crate) patch: WidgetPatch,
    /// What the change does beside what [`find_effects`] finds, one sentence each.
    pub(crate) effects: Vec<String>,
    /// What is said of the widget once it is written, such as `is published`.
    pub(crate) done: &'a str,
    pub(crate) options: ChangeOptions,
}

/// The answer of a command that changes a widget, for programs.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "WrittenChange"))]
pub(crate) struct ChangeJson {
    #[cfg_attr(test, schemars(with = "widget_api::schema::Text<WidgetId>"))]
    widget_id: WidgetId,
    /// Whether it was written; not with `--dry-run`, and not without a difference.
    written: bool,
    changes: Vec<ChangeBody>,
    effects: Vec<String>,
    warnings: Vec<Finding>,
}

/// Shows a change of a widget, asks, and writes it.
pub(crate) async fn write(
    change: PendingChange<'_>,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let before = &change.before.value;
    let after = apply(before, &change.patch)?;
    let etag = change.before.etag.as_ref();
    let client = &session.client;
    // In a box, as other large parts of commands: it is kept in the state of each caller.
    let sent = Box::pin(client.update_web_widget(before.id, etag, &change.patch));
    write_by(&change, &after, sent, session, printer).await
}

/// As [`fn@write`], by another operation than a patch, which makes the widget what `after` is.
pub(crate) async fn write_by(
    change: &PendingChange<'_>,
    after: &Widget,
    sent: impl Future<Output = Result<Tagged<WrittenWidget>, Error>>,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let before = &change.before.value;
    let changes = diff(before, after)?;
    if changes.is_empty() {
        return finish(change, Vec::new(), changes, None, printer);
    }
    let mut effects = Box::pin(find_effects(before, after, session)).await?;
    effects.extend(change.effects.iter().cloned());
    show(&changes, &effects, printer)?;
    match confirm(change.options, "Write this?", session, printer).await? {
        Decision::Go => {}
        Decision::DryRun => return finish(change, effects, changes, None, printer),
        Decision::No => return Ok(ExitCode::No),
    }
    session.check_interrupted()?;
    match session
        .write(format!("widget {} {}", before.id, change.done), sent)
        .await
    {
        Ok(written) => finish(change, effects, changes, Some(written.value), printer),
        Err(error) if error.is_conflict() => {
            if let Some(written) = Box::pin(find_written(after, session)).await? {
                return finish(change, effects, changes, Some(written), printer);
            }
            Box::pin(show_conflict(before, &changes, session, printer)).await?;
            Ok(ExitCode::No)
        }
        Err(error) => Err(error.into()),
    }
}

/// The widget, if it is what it should be after a conflict: the change was made, and its answer was
/// lost, so that the client has repeated it.
pub(crate) async fn find_written(
    after: &Widget,
    session: &Session,
) -> Result<Option<WrittenWidget>, Failure> {
    let now = match session.client.get_web_widget(after.id).await?.value {
        WidgetRecord::Readable(now) => now,
        WidgetRecord::Unreadable(_) => return Ok(None),
    };
    Ok(diff(after, &now)?.is_empty().then_some(WrittenWidget {
        widget: now,
        warnings: Vec::new(),
    }))
}

/// What a person, or an option, says to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Go,
    DryRun,
    No,
}

/// Asks whether to make a change that was shown. Without a terminal, only options answer.
pub(crate) async fn confirm(
    options: ChangeOptions,
    question: &str,
    session: &Session,
    printer: &mut Printer,
) -> Result<Decision, Failure> {
    printer.flush()?;
    if options.dry_run {
        return Ok(Decision::DryRun);
    }
    if options.yes {
        return Ok(Decision::Go);
    }
    if !prompt::has_person() {
        return Err(Failure::unexpected(
            "a change needs an answer, and there is no terminal to ask at; nothing was written",
        )
        .hint(format_args!(
            "`{}` makes it without asking",
            prompt::command_with_yes()
        )));
    }
    if prompt::confirm(session, question).await? {
        return Ok(Decision::Go);
    }
    printer.note("nothing was written")?;
    Ok(Decision::No)
}

/// Shows differences and effects: on standard output for people, beside the answer for programs.
pub(crate) fn show(
    changes: &[Change],
    effects: &[String],
    printer: &mut Printer,
) -> Result<(), Failure> {
    let lines = changes.iter().map(change_line);
    let effects = effects
        .iter()
        .map(|effect| format!("{YELLOW}!{YELLOW:#} {}", printable(effect)));
    for line in lines.chain(effects) {
        if printer.is_data() {
            printer.note(line)?;
        } else {
            printer.line(line)?;
        }
    }
    Ok(())
}

/// One difference as a line, as `widget diff` shows it.
pub(crate) fn change_line(change: &Change) -> String {
    let color = match change.kind {
        ChangeKind::Added(_) => GREEN,
        ChangeKind::Removed(_) => RED,
        ChangeKind::Replaced { .. } => YELLOW,
    };
    let line = change.to_string();
    format!("{color}{}{color:#}", printable(&line))
}

/// What differs between two widgets, by core's rule.
pub(crate) fn diff(from: &Widget, to: &Widget) -> Result<Vec<Change>, Failure> {
    Ok(widget::diff(&to_core(from)?, &to_core(to)?))
}

/// The widget as core knows it. Core may be older than the service.
pub(crate) fn to_core(widget: &Widget) -> Result<widget::Widget, Failure> {
    let text = serde_json::to_string(widget).map_err(Failure::unexpected)?;
    let seed = WithSuffixes::<widget::Widget>::new(SuffixList::builtin());
    seed.deserialize(&mut serde_json::Deserializer::from_str(&text))
        .map_err(|error| {
            Failure::unexpected(format_args!(
                "this program cannot read widget {}: {error}",
                widget.id
            ))
            .hint("the service may be newer than this program; update it")
        })
}

/// The widget with the change in it.
pub(crate) fn apply(before: &Widget, patch: &WidgetPatch) -> Result<Widget, Failure> {
    let mut after = before.clone();
    if let Some(agent_id) = patch.agent_id {
        after.agent_id = agent_id;
    }
    if let Some(version) = patch.agent_version_id {
        after.agent_version_id = version;
    }
    if let Some(domains) = &patch.domains {
        after.domains.clone_from(domains);
    }
    if let Some(published) = patch.published {
        after.published = published;
    }
    if let Some(config) = &patch.config {
        after.config = Value::deserialize(&**config).map_err(Failure::unexpected)?;
    }
    Ok(after)
}

fn finish(
    change: &PendingChange<'_>,
    effects: Vec<String>,
    changes: Vec<Change>,
    written: Option<WrittenWidget>,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let id = change.before.value.id;
    let is_equal = changes.is_empty();
    let is_written = written.is_some();
    let warnings = written.map(|written| written.warnings).unwrap_or_default();
    if printer.is_data() {
        printer.data(&ChangeJson {
            widget_id: id,
            written: is_written,
            changes: changes.into_iter().map(Into::into).collect(),
            effects,
            warnings,
        })?;
        return Ok(ExitCode::Yes);
    }
    let done = change.done;
    if is_equal {
        printer.note(format_args!(
            "widget {id} {done} already; nothing was written"
        ))?;
    } else if is_written {
        printer.line(format_args!("{GREEN}✓{GREEN:#} widget {id} {done}"))?;
    } else {
        printer.note("nothing was written (--dry-run)")?;
    }
    show_warnings(&warnings, printer)?;
    Ok(ExitCode::Yes)
}

/// Shows what the service says about a widget that was written.
pub(crate) fn show_warnings(warnings: &[Finding], printer: &mut Printer) -> Result<(), Failure> {
    for warning in warnings {
        printer.note(format_args!(
            "{YELLOW}warning{YELLOW:#}: {} [{}]",
            printable(&warning.detail),
            printable(&warning.code.to_string())
        ))?;
    }
    Ok(())
}

/// Shows what somebody else changed, and what this change would have been.
pub(crate) async fn show_conflict(
    before: &Widget,
    changes: &[Change],
    session: &Session,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let id = before.id;
    let reference = Reference {
        target: super::reference::Target::Id(id),
        revision: None,
    };
    printer.error(format_args!(
        "{RED}error{RED:#}: somebody else changed widget {id} in the meantime; nothing was written"
    ))?;
    let current = reference.find_widget(session, printer).await?;
    printer.error("\ntheir change:")?;
    for change in diff(before, &current.value)? {
        printer.error(format_args!("  {}", change_line(&change)))?;
    }
    printer.error("your change:")?;
    for change in changes {
        printer.error(format_args!("  {}", change_line(change)))?;
    }
    printer.error("\nenter the command again to make your change on top of theirs")
}
