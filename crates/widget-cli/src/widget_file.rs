//! Finds the one widget that a command is about in a file that may contain a list.

use std::path::Path;

use serde::Serialize;

use crate::{
    check::{Checked, check},
    failure::Failure,
    paths,
    printer::Printer,
    record::Record,
    report::{self, FindingJson, Severity},
    source::{
        document::Document,
        input::{Format, Input},
    },
    subject::{Kind, LocatedList, Subject, find_subjects},
    suffixes::Suffixes,
};

/// Reads a widget from a file; `None` when it has faults, which are shown.
pub(crate) fn find_record(
    file: &Path,
    format: Option<Format>,
    id: Option<&str>,
    suffixes: &Suffixes,
    printer: &mut Printer,
) -> Result<Option<Record>, Failure> {
    let origin = paths::require_single(file)?;
    let name = origin.name();
    let input = paths::read(&origin, format).map_err(|error| error.into_failure(&name))?;
    let faults = match find_record_in(&input, &name, id, suffixes)? {
        Ok(record) => return Ok(Some(record)),
        Err(faults) => faults,
    };
    show_faults(&input, &name, &faults, printer)?;
    Ok(None)
}

/// An input that is not valid, in the place of the answer.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "InvalidInput"))]
pub(crate) struct InvalidJson<'i> {
    path: &'i str,
    /// Always `false`.
    valid: bool,
    errors: Vec<FindingJson>,
    /// How many errors there are, when `errors` holds only the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors_total: Option<usize>,
}

/// Shows the faults of an input, for people on standard error: they are not the answer to the
/// question.
pub(crate) fn show_faults(
    input: &Input,
    name: &str,
    faults: &LocatedList,
    printer: &mut Printer,
) -> Result<(), Failure> {
    if printer.is_data() {
        let errors: Vec<_> = faults
            .iter()
            .map(|located| report::build_json(input, located))
            .collect();
        let answer = InvalidJson {
            path: name,
            valid: false,
            errors,
            errors_total: faults.total_if_omitted(),
        };
        return printer.data(&answer);
    }
    for shown in report::render_all(Severity::Error, name, input, faults) {
        printer.error(shown)?;
    }
    Ok(())
}

fn find_record_in(
    input: &Input,
    name: &str,
    id: Option<&str>,
    suffixes: &Suffixes,
) -> Result<Result<Record, LocatedList>, Failure> {
    let document = match Document::read(input) {
        Ok(document) => document,
        Err(fault) => return Ok(Err(fault.into())),
    };
    let subjects = match find_subjects(&document, None) {
        Ok(subjects) => subjects,
        Err(fault) => return Ok(Err(fault.into())),
    };
    let subject = require_subject(&subjects, name, id)?;
    if subject.kind == Kind::Config {
        return Err(Failure::bad_input(format_args!(
            "`{name}` contains a config and not a whole widget"
        ))
        .hint("save the widget as the API returns it: GET /core/web-widgets/{id}"));
    }
    let Checked { record, faults, .. } = check(subject, suffixes);
    Ok(match record {
        Some(record) if record.faults.is_empty() => Ok(*record),
        _ => Err(faults),
    })
}

/// Finds the subject with the id, or the only one.
fn require_subject<'s, 'd>(
    subjects: &'s [Subject<'d>],
    name: &str,
    id: Option<&str>,
) -> Result<&'s Subject<'d>, Failure> {
    let id_of = |subject: &Subject<'_>| {
        let raw = subject.members.get("id")?;
        serde_json::from_str::<String>(raw.get()).ok()
    };
    match (id, subjects) {
        (_, []) => Err(Failure::bad_input(format_args!(
            "the list in `{name}` is empty"
        ))),
        (None, [only]) => Ok(only),
        (None, several) => Err(Failure::unexpected(format_args!(
            "`{name}` contains {} widgets",
            several.len()
        ))
        .hint("select one with `--id`")),
        (Some(id), subjects) => subjects
            .iter()
            .find(|subject| id_of(subject).is_some_and(|other| other.eq_ignore_ascii_case(id)))
            .ok_or_else(|| {
                let ids: Vec<_> = subjects.iter().filter_map(id_of).take(5).collect();
                let failure = Failure::bad_input(format_args!(
                    "`{name}` contains no widget with the id `{id}`"
                ));
                if ids.is_empty() {
                    failure
                } else {
                    failure.hint(format_args!("it contains {}", ids.join(", ")))
                }
            }),
    }
}
