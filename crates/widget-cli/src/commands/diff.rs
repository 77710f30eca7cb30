//! `widget diff`: what differs between two widgets or configs, by meaning.

use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};
use widget_core::{
    config::{self, Change, ChangeKind, Config},
    widget::Widget,
};

use crate::{
    check::{Checked, check},
    cli::{Diff, Global},
    exit::ExitCode,
    failure::Failure,
    online::{
        self, Session,
        change::{self, to_core},
        proposal,
        reference::{Reference, require_readable},
    },
    paths,
    printer::{Printer, YELLOW, count},
    source::{document::Document, input::Input},
    subject::{LocatedList, find_subjects},
    suffixes::Suffixes,
    widget_file::show_faults,
};

/// One side of the comparison.
enum Side {
    Widget(Box<Widget>),
    Config(Box<Config>),
}

impl Side {
    fn config(&self) -> &Config {
        match self {
            Self::Widget(widget) => &widget.config,
            Self::Config(config) => config,
        }
    }
}

/// One difference as JSON.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Difference"))]
pub(crate) struct DifferenceJson<'c> {
    pointer: &'c str,
    change: &'static str,
    from: Option<&'c Value>,
    to: Option<&'c Value>,
}

/// Compares two widgets or configs, of files or of the service.
pub(super) fn run(
    arguments: &Diff,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    if arguments.before == "-" && arguments.after == "-" {
        return Err(Failure::unexpected("standard input cannot be both inputs"));
    }
    let references = [
        Reference::parse(&arguments.before)?,
        Reference::parse(&arguments.after)?,
    ];
    if references.iter().all(|side| side.local().is_some()) {
        let before = find_local(&references[0], arguments, printer)?;
        let after = find_local(&references[1], arguments, printer)?;
        return finish(before, after, printer);
    }
    online::run(&global.service, printer, async |session, printer| {
        let before = find_side(&references[0], arguments, session, printer).await?;
        let after = find_side(&references[1], arguments, session, printer).await?;
        finish(before, after, printer)
    })
}

fn finish(
    before: Option<Side>,
    after: Option<Side>,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let (Some(before), Some(after)) = (before, after) else {
        return Ok(ExitCode::No);
    };
    let changes = compare(&before, &after);
    for change in &changes {
        if printer.is_data() {
            printer.data(&build_json(change))?;
        } else {
            proposal::show_lines(&change::change_lines(change), printer)?;
        }
    }
    if matches!(before, Side::Widget(_)) != matches!(after, Side::Widget(_)) {
        printer.note(format_args!(
            "{YELLOW}note{YELLOW:#}: one is a widget and the other a config; only the configs are \
             compared"
        ))?;
    }
    if !printer.is_data() {
        printer.note(match changes.len() {
            0 => "no difference".to_owned(),
            number => count(number, "difference", "differences"),
        })?;
    }
    Ok(ExitCode::from_answer(changes.is_empty()))
}

/// Reads one side of a file or of the service.
async fn find_side(
    reference: &Reference,
    arguments: &Diff,
    session: &Session,
    printer: &mut Printer,
) -> Result<Option<Side>, Failure> {
    if reference.local().is_some() {
        return find_local(reference, arguments, printer);
    }
    let widget = match reference.revision {
        Some(number) => {
            let revision = reference.find_revision(number, session, printer).await?;
            require_readable(revision.web_widget)?
        }
        None => reference.find_widget(session, printer).await?.value,
    };
    Ok(Some(Side::Widget(Box::new(to_core(&widget)?))))
}

/// Reads one side of a file; `None` when it has faults, which are shown.
fn find_local(
    reference: &Reference,
    arguments: &Diff,
    printer: &mut Printer,
) -> Result<Option<Side>, Failure> {
    let file = reference.local().unwrap_or(Path::new("-"));
    let origin = paths::require_single(file)?;
    let name = origin.name();
    let input = paths::read(&origin, arguments.reading.format)
        .map_err(|error| error.into_failure(&name))?;
    match read_side(&input, &name, arguments)? {
        Ok(side) => Ok(Some(side)),
        Err(faults) => {
            show_faults(&input, &name, &faults, printer)?;
            Ok(None)
        }
    }
}

fn read_side(
    input: &Input,
    name: &str,
    arguments: &Diff,
) -> Result<Result<Side, LocatedList>, Failure> {
    let document = match Document::read(input) {
        Ok(document) => document,
        Err(fault) => return Ok(Err(fault.into())),
    };
    let subjects = match find_subjects(&document, arguments.reading.kind) {
        Ok(subjects) => subjects,
        Err(fault) => return Ok(Err(fault.into())),
    };
    let [subject] = &subjects[..] else {
        return Err(Failure::bad_input(format_args!(
            "`{name}` contains a list of {}, and only one widget or config can be compared",
            count(subjects.len(), "entry", "entries")
        )));
    };
    let Checked {
        record,
        config,
        faults,
        ..
    } = check(subject, &Suffixes::default());
    Ok(match (record, config) {
        (Some(record), _) if record.faults.is_empty() => Ok(Side::Widget(Box::new(record.widget))),
        (None, Some(config)) => Ok(Side::Config(config)),
        _ => Err(faults),
    })
}

/// Compares two widgets, or the configs of both sides.
fn compare(before: &Side, after: &Side) -> Vec<Change> {
    match (before, after) {
        (Side::Widget(before), Side::Widget(after)) => compare_widgets(before, after),
        _ => config::diff(before.config(), after.config()),
    }
}

/// Ignores times, which differ after every write.
fn compare_widgets(before: &Widget, after: &Widget) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut compare = |pointer: &str, from: Value, to: Value| {
        if from != to {
            changes.push(Change {
                pointer: pointer.to_owned(),
                kind: ChangeKind::Replaced { from, to },
            });
        }
    };
    let text = |text: &dyn ToString| Value::from(text.to_string());
    compare("/id", text(&before.id), text(&after.id));
    compare(
        "/organization_id",
        text(&before.organization_id),
        text(&after.organization_id),
    );
    compare("/agent_id", text(&before.agent_id), text(&after.agent_id));
    compare(
        "/agent_version_id",
        text(&before.agent_version_id),
        text(&after.agent_version_id),
    );
    compare(
        "/published",
        json!(before.published),
        json!(after.published),
    );
    let (from, to) = (before.domains.entries(), after.domains.entries());
    let domain = |kind: fn(Value) -> ChangeKind, entry: &String| Change {
        pointer: "/domains".to_owned(),
        kind: kind(Value::from(entry.as_str())),
    };
    let removed = from.iter().filter(|entry| !to.contains(entry));
    changes.extend(removed.map(|entry| domain(ChangeKind::Removed, entry)));
    let added = to.iter().filter(|entry| !from.contains(entry));
    changes.extend(added.map(|entry| domain(ChangeKind::Added, entry)));
    changes.extend(config::diff(&before.config, &after.config));
    changes
}

fn build_json(change: &Change) -> DifferenceJson<'_> {
    let (name, from, to) = match &change.kind {
        ChangeKind::Added(value) => ("added", None, Some(value)),
        ChangeKind::Removed(value) => ("removed", Some(value), None),
        ChangeKind::Replaced { from, to } => ("replaced", Some(from), Some(to)),
    };
    DifferenceJson {
        pointer: &change.pointer,
        change: name,
        from,
        to,
    }
}
