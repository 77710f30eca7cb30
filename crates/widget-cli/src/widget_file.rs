//! Finds the one widget that a command is about in a file that may contain a list.

use std::path::Path;

use crate::{
    check::{Checked, check},
    failure::Failure,
    paths,
    printer::Printer,
    record::Record,
    report::{self, Severity},
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
        let mut answer = serde_json::json!({
            "path": name,
            "valid": false,
            "errors": errors,
        });
        if let Some(total) = faults.total_if_omitted() {
            answer["errors_total"] = total.into();
        }
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
