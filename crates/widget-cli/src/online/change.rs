//! A change of a widget: what differs, what that does to visitors, and that it is written only if
//! nobody was faster.

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
    finding::Code,
    go_live,
    id::WidgetId,
    origin::SuffixList,
    seed::WithSuffixes,
    widget,
};

use super::{
    Session,
    advice::About,
    effects::find_effects,
    proposal::{ChangeOptions, Current, Outcome, Proposal, revision_of, show_done, show_warnings},
    reference::Reference,
};
use crate::{
    exit::ExitCode,
    failure::Failure,
    printer::{GREEN, Printer, RED, YELLOW, printable},
};

/// A change of a widget that was not made yet.
pub(crate) struct PendingChange<'a> {
    /// The widget as it was read.
    pub(crate) before: Current<'a, Widget>,
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
pub(crate) struct WrittenChangeJson {
    #[cfg_attr(test, schemars(with = "widget_api::schema::Text<WidgetId>"))]
    widget_id: WidgetId,
    /// Whether it was written; not with `--dry-run`, and not without a difference.
    written: bool,
    /// The number of the revision that was written; `null` when nothing was, and when the answer of
    /// the service lost it on the way.
    revision: Option<i64>,
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
    let before = change.before.value;
    let after = apply(before, &change.patch)?;
    let etag = Some(change.before.etag);
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
    let before = change.before.value;
    let (from, to) = (to_core(before)?, to_core(after)?);
    let changes = widget::diff(&from, &to);
    let mut answer = WrittenChangeJson {
        widget_id: before.id,
        written: false,
        revision: None,
        changes: Vec::new(),
        effects: Vec::new(),
        warnings: Vec::new(),
    };
    let done = format!("widget {} {}", before.id, change.done);
    if changes.is_empty() {
        if printer.is_data() {
            printer.data(&answer)?;
        } else {
            printer.note(format_args!("{done} already; nothing was written"))?;
        }
        return Ok(ExitCode::Yes);
    }
    let mut effects = Box::pin(find_effects(before, after, session)).await?;
    effects.extend(change.effects.iter().cloned());
    let warnings = new_warnings(&from, &to);
    let about = About {
        widget: after.id,
        agent: Some((after.agent_id, after.agent_version_id)),
        domains: &after.domains,
        origin: None,
    };
    let proposal = Proposal {
        lines: lines_of(&changes, &effects),
        warnings: about.advise(&warnings),
        question: "Write this?",
        done: &done,
        options: change.options,
    };
    let written = match make(&proposal, after, sent, session, printer).await? {
        Outcome::Written(written) => Some(written),
        Outcome::Shown => None,
        Outcome::Declined => return Ok(ExitCode::No),
        Outcome::Conflict(_) => {
            let ours = lines_of(&changes, &[]);
            Box::pin(show_conflict(before, &ours, session, printer)).await?;
            return Ok(ExitCode::No);
        }
    };
    answer.written = written.is_some();
    answer.revision = written.as_ref().and_then(revision_of);
    let mut said = written
        .map(|written| written.value.warnings)
        .unwrap_or_default();
    if from.is_wanted() && !to.is_wanted() {
        // No visitor will wait for an agent.
        said.retain(|found| found.code.known() != Some(Code::AgentWorkerMissing));
    }
    if printer.is_data() {
        answer.changes = changes.into_iter().map(Into::into).collect();
        answer.effects = effects;
        answer.warnings = warnings;
        let is_new = |found: &Finding| !answer.warnings.contains(found);
        let more: Vec<Finding> = said.iter().filter(|found| is_new(found)).cloned().collect();
        answer.warnings.extend(more);
        printer.data(&answer)?;
        return Ok(ExitCode::Yes);
    }
    let is_shown = |found: &&Finding| !warnings.contains(found) && is_about(found, &changes);
    let said: Vec<Finding> = said.iter().filter(is_shown).cloned().collect();
    show_warnings(&about.advise(&said), printer)?;
    Ok(ExitCode::Yes)
}

/// Makes a change after which the widget is what `after` is. A conflict may hide that it was made:
/// its answer was lost, and the client has repeated it.
pub(crate) async fn make(
    proposal: &Proposal<'_>,
    after: &Widget,
    sent: impl Future<Output = Result<Tagged<WrittenWidget>, Error>>,
    session: &Session,
    printer: &mut Printer,
) -> Result<Outcome<Tagged<WrittenWidget>>, Failure> {
    let error = match proposal.make_revision(sent, session, printer).await? {
        Outcome::Conflict(error) => error,
        outcome => {
            if let Outcome::Written(written) = &outcome {
                session.seen.note_widget(&written.value.widget);
            }
            return Ok(outcome);
        }
    };
    let Some(written) = Box::pin(find_written(after, session)).await? else {
        return Ok(Outcome::Conflict(error));
    };
    session.seen.note_widget(&written.value.widget);
    session.note_written(proposal.done);
    show_done(proposal.done, revision_of(&written), printer)?;
    Ok(Outcome::Written(written))
}

/// What is probably a mistake in a widget and was not in it before.
fn new_warnings(before: &widget::Widget, after: &widget::Widget) -> Vec<Finding> {
    let known: Vec<String> = go_live::warnings(before)
        .iter()
        .map(|found| found.detail.clone())
        .collect();
    let found = go_live::warnings(after).into_iter();
    found
        .filter(|found| !known.contains(&found.detail))
        .map(Into::into)
        .collect()
}

/// Whether a warning is about something that a change has changed. One about the version matters
/// also when the widget is published.
fn is_about(found: &Finding, changes: &[Change]) -> bool {
    let Some(pointer) = &found.pointer else {
        return true;
    };
    changes.iter().any(|change| {
        let place = &change.pointer;
        pointer.starts_with(place)
            || place.starts_with(pointer)
            || place == "/agent_id"
            || place == "/published" && pointer == "/agent_version_id"
    })
}

/// The widget, if it is what it should be after a conflict: the change was made, and its answer was
/// lost, so that the client has repeated it.
pub(crate) async fn find_written(
    after: &Widget,
    session: &Session,
) -> Result<Option<Tagged<WrittenWidget>>, Failure> {
    let found = session.client.get_web_widget(after.id).await?;
    let now = match found.value {
        WidgetRecord::Readable(now) => now,
        WidgetRecord::Unreadable(_) => return Ok(None),
    };
    Ok(diff(after, &now)?.is_empty().then_some(Tagged {
        value: WrittenWidget {
            widget: now,
            warnings: Vec::new(),
        },
        etag: found.etag,
    }))
}

/// Differences and then effects, as lines.
pub(crate) fn lines_of(changes: &[Change], effects: &[String]) -> Vec<String> {
    let effects = effects.iter().map(|effect| effect_line(effect));
    changes
        .iter()
        .flat_map(change_lines)
        .chain(effects)
        .collect()
}

/// What a change does, as a line.
pub(crate) fn effect_line(effect: &str) -> String {
    format!("{YELLOW}!{YELLOW:#} {}", printable(effect))
}

/// One difference as lines, as `widget diff` shows it: of a list each entry that came or went.
pub(crate) fn change_lines(change: &Change) -> Vec<String> {
    split_list(change)
        .iter()
        .map(|change| {
            let color = match change.kind {
                ChangeKind::Added(_) => GREEN,
                ChangeKind::Removed(_) => RED,
                ChangeKind::Replaced { .. } => YELLOW,
            };
            format!("{color}{}{color:#}", printable(&change.to_string()))
        })
        .collect()
}

/// A list that changed as the entries that came and went; one of which only the order changed, as
/// it is.
fn split_list(change: &Change) -> Vec<Change> {
    let empty = Vec::new();
    let (from, to) = match &change.kind {
        ChangeKind::Replaced {
            from: Value::Array(from),
            to: Value::Array(to),
        } => (from, to),
        ChangeKind::Added(Value::Array(to)) if change.pointer == "/domains" => (&empty, to),
        _ => return vec![change.clone()],
    };
    let entry = |kind| Change {
        pointer: change.pointer.clone(),
        kind,
    };
    let gone = from.iter().filter(|entry| !to.contains(entry));
    let new = to.iter().filter(|entry| !from.contains(entry));
    let gone = gone.map(|value| entry(ChangeKind::Removed(value.clone())));
    let new = new.map(|value| entry(ChangeKind::Added(value.clone())));
    let split: Vec<Change> = gone.chain(new).collect();
    if split.is_empty() {
        vec![change.clone()]
    } else {
        split
    }
}

/// What differs between two widgets, by core's rule.
pub(crate) fn diff(from: &Widget, to: &Widget) -> Result<Vec<Change>, Failure> {
    Ok(widget::diff(&to_core(from)?, &to_core(to)?))
}

/// Whether one of two places is the other, or inside it.
pub(crate) fn overlap(one: &str, other: &str) -> bool {
    let is_inside = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    is_inside(one, other) || is_inside(other, one)
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

/// Shows what somebody else changed, and what this change would have been, as lines.
pub(crate) async fn show_conflict(
    before: &Widget,
    ours: &[String],
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
    let theirs = lines_of(&diff(before, &current.value)?, &[]);
    printer.error("")?;
    show_both(&theirs, ours, printer)?;
    if session.keeps_text() {
        // How to begin with that is shown next.
        return printer.error("");
    }
    printer.error("\nenter the command again to make your change on top of theirs")
}

/// Shows two changes of one widget, as lines; one without lines is left out.
pub(crate) fn show_both(
    theirs: &[String],
    ours: &[String],
    printer: &mut Printer,
) -> Result<(), Failure> {
    for (title, lines) in [("their change:", theirs), ("your change:", ours)] {
        if lines.is_empty() {
            continue;
        }
        printer.error(title)?;
        for line in lines {
            printer.error(format_args!("  {line}"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::overlap;

    #[test]
    fn places_overlap_when_one_is_in_the_other() {
        for (one, other, expected) in [
            ("/domains", "/domains", true),
            ("/config/v1/chat", "/config/v1/chat/title", true),
            ("/config/v1/chat/title", "/config/v1/chat", true),
            ("/config/v1/chat", "/config/v1/chat_a", false),
            ("/config/v1/a", "/config/v1/b", false),
        ] {
            assert_eq!(overlap(one, other), expected, "{one} {other}");
        }
    }
}
