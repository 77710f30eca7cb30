//! `widget validate` and `widget lint`: errors and probable mistakes in files.

use std::{fmt::Write as _, path::PathBuf};

use serde::Serialize;

use crate::{
    check::check,
    cli::{Check, Global},
    exit::ExitCode,
    failure::Failure,
    online::{
        self,
        reference::{Reference, Target, id_of},
    },
    parallel,
    paths::{self, InputPath, ReadError},
    printer::{GREEN, OutputFormat, Printer, RED, YELLOW, count},
    report::{self, FindingJson, Severity},
    source::{
        document::Document,
        input::{Format, Input},
    },
    subject::{Kind, Located, LocatedList, find_subjects},
    suffixes::Suffixes,
};

/// What is reported about one file.
#[derive(Default)]
struct FileReport {
    text: String,
    errors: usize,
    warnings: usize,
    config_unread: bool,
    unreadable: bool,
}

/// One widget or config as programs get it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Checked"))]
pub(crate) struct CheckedJson {
    path: String,
    /// Position in a list.
    entry: Option<usize>,
    kind: Option<&'static str>,
    id: Option<String>,
    valid: bool,
    errors: Vec<FindingJson>,
    /// How many errors there are, when `errors` holds only the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors_total: Option<usize>,
    warnings: Vec<FindingJson>,
    /// How many warnings there are, when `warnings` holds only the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings_total: Option<usize>,
}

/// How files are checked.
#[derive(Clone, Copy)]
struct Options {
    kind: Option<Kind>,
    format: Option<Format>,
    with_warnings: bool,
    output: OutputFormat,
}

/// Checks files and widgets of the service; `lint` also shows warnings.
pub(super) fn run(
    arguments: &Check,
    lint: bool,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let suffixes = Suffixes::load(arguments.suffixes.suffix_list.as_deref())?;
    let (paths, references) = divide(&arguments.paths);
    let inputs = paths::find_inputs(&paths)?;
    let widgets = if references.is_empty() {
        Vec::new()
    } else {
        fetch(&references, global, printer)?
    };
    let options = Options {
        kind: arguments.reading.kind,
        format: arguments.reading.format,
        with_warnings: lint || arguments.deny_warnings,
        output: printer.format(),
    };
    let mut tally = Tally::default();
    parallel::for_each(
        &inputs,
        printer,
        |origin| check_file(origin, options, &suffixes),
        |printer, file_report| {
            tally.add(&file_report);
            printer.text(&file_report.text)
        },
    )?;
    for (name, input) in &widgets {
        let mut report = FileReport::default();
        if let Err(fault) = check_text(input, name, options, &suffixes, &mut report) {
            report.add_file_error(name, input, &fault, options);
        }
        tally.add(&report);
        printer.text(&report.text)?;
    }
    tally.widgets = widgets.len();
    if !printer.is_data() {
        printer.note(tally.summary(options.with_warnings))?;
    }
    Ok(if tally.unreadable {
        ExitCode::Unexpected
    } else {
        ExitCode::from_answer(
            tally.errors == 0 && (tally.warnings == 0 || !arguments.deny_warnings),
        )
    })
}

/// Divides arguments into paths and names of widgets. What could be either is a path if it exists.
fn divide(arguments: &[PathBuf]) -> (Vec<PathBuf>, Vec<Reference>) {
    let mut paths = Vec::new();
    let mut references = Vec::new();
    for argument in arguments {
        let reference = argument.to_str().and_then(|text| {
            let reference = Reference::parse(text).ok()?;
            match reference.target {
                Target::Id(_) | Target::Prefix(_) => Some(reference),
                Target::Page(_) if text.contains("://") => Some(reference),
                _ => None,
            }
        });
        match reference {
            Some(reference) => references.push(reference),
            None => paths.push(argument.clone()),
        }
    }
    (paths, references)
}

/// Reads widgets of the service, each as the text that `widget show --output json` has.
fn fetch(
    references: &[Reference],
    global: &Global,
    printer: &mut Printer,
) -> Result<Vec<(String, Input)>, Failure> {
    let mut widgets = Vec::new();
    online::run(&global.service, printer, async |session, printer| {
        for reference in references {
            let (name, record) = if let Some(number) = reference.revision {
                let revision = reference.find_revision(number, session, printer).await?;
                let id = id_of(&revision.web_widget);
                (format!("{id}@{number}"), revision.web_widget)
            } else {
                let record = reference.find_record(session, printer).await?.value;
                (id_of(&record).to_string(), record)
            };
            let text = serde_json::to_string_pretty(&record).map_err(Failure::unexpected)?;
            widgets.push((name, Input::new(text, Format::Json)));
        }
        Ok(ExitCode::Yes)
    })?;
    Ok(widgets)
}

fn check_file(origin: &InputPath, options: Options, suffixes: &Suffixes) -> FileReport {
    let mut file_report = FileReport::default();
    let name = origin.name();
    match paths::read(origin, options.format) {
        Ok(input) => {
            if let Err(fault) = check_text(&input, &name, options, suffixes, &mut file_report) {
                file_report.add_file_error(&name, &input, &fault, options);
            }
        }
        Err(error) => {
            file_report.unreadable = matches!(error, ReadError::Unreadable(_));
            file_report.add_file_error(&name, &Input::none(), &error.into_fault().into(), options);
        }
    }
    file_report
}

/// Fails with a fault that makes the rest of the file unreadable.
fn check_text(
    input: &Input,
    name: &str,
    options: Options,
    suffixes: &Suffixes,
    file_report: &mut FileReport,
) -> Result<(), Box<Located>> {
    let document = Document::read(input)?;
    for subject in &find_subjects(&document, options.kind)? {
        let checked = check(subject, suffixes);
        file_report.errors += checked.faults.total();
        file_report.warnings += checked.warnings.total();
        file_report.config_unread |= checked.config_unread;
        let none = LocatedList::default();
        let warnings = if options.with_warnings {
            &checked.warnings
        } else {
            &none
        };
        if options.output.is_data() {
            let as_json = |located: &Located| report::build_json(input, located);
            let answer = CheckedJson {
                path: name.to_owned(),
                entry: subject.entry,
                kind: Some(subject.kind.as_str()),
                id: checked
                    .record
                    .as_ref()
                    .and_then(|record| Some(record.id?.to_string())),
                valid: checked.faults.is_empty(),
                errors: checked.faults.iter().map(as_json).collect(),
                errors_total: checked.faults.total_if_omitted(),
                warnings: warnings.iter().map(as_json).collect(),
                warnings_total: warnings.total_if_omitted(),
            };
            file_report.data(options.output, &answer);
        } else {
            for (severity, findings) in [
                (Severity::Error, &checked.faults),
                (Severity::Warning, warnings),
            ] {
                for shown in report::render_all(severity, name, input, findings) {
                    file_report.text += &shown;
                    file_report.text.push('\n');
                }
            }
        }
    }
    Ok(())
}

impl FileReport {
    fn add_file_error(&mut self, name: &str, input: &Input, located: &Located, options: Options) {
        self.errors += 1;
        if options.output.is_data() {
            let answer = CheckedJson {
                path: name.to_owned(),
                entry: None,
                kind: None,
                id: None,
                valid: false,
                errors: vec![report::build_json(input, located)],
                errors_total: None,
                warnings: Vec::new(),
                warnings_total: None,
            };
            self.data(options.output, &answer);
        } else {
            self.text += &report::render(Severity::Error, name, input, located);
            self.text.push('\n');
        }
    }

    fn data(&mut self, output: OutputFormat, checked: &CheckedJson) {
        // Strings and numbers can always be written.
        self.text += &output.write_data(checked).unwrap_or_default();
    }
}

/// The totals of all files.
#[derive(Default)]
struct Tally {
    files: usize,
    /// How many of them are widgets of the service.
    widgets: usize,
    invalid: usize,
    errors: usize,
    warnings: usize,
    config_unread: bool,
    unreadable: bool,
}

impl Tally {
    fn add(&mut self, file_report: &FileReport) {
        self.files += 1;
        self.invalid += usize::from(file_report.errors > 0);
        self.errors += file_report.errors;
        self.warnings += file_report.warnings;
        self.config_unread |= file_report.config_unread;
        self.unreadable |= file_report.unreadable;
    }

    fn summary(&self, warnings_shown: bool) -> String {
        let (one, many) = match self.widgets {
            0 => ("file", "files"),
            widgets if widgets == self.files => ("widget", "widgets"),
            _ => ("input", "inputs"),
        };
        let mut summary = if self.errors > 0 {
            format!(
                "{RED}✗{RED:#} {} in {} of {}",
                count(self.errors, "error", "errors"),
                self.invalid,
                count(self.files, one, many)
            )
        } else {
            let verb = if self.files == 1 { "is" } else { "are" };
            format!(
                "{GREEN}✓{GREEN:#} {} {verb} valid",
                count(self.files, one, many)
            )
        };
        if self.warnings > 0 {
            let warnings = count(self.warnings, "warning", "warnings");
            let _ = write!(summary, "; {YELLOW}{warnings}{YELLOW:#}");
            if !warnings_shown {
                summary.push_str(" (`widget lint` shows them)");
            }
        }
        if self.config_unread && warnings_shown {
            summary.push_str("\nwarnings of a config are shown once it has no errors");
        }
        summary
    }
}
