//! `widget migrate`: updates the configs in files to the current version.

use serde::Serialize;

use crate::{
    cli::Migrate,
    exit::ExitCode,
    failure::Failure,
    file_write::PreparedFile,
    parallel,
    paths::{self, InputPath},
    printer::{GREEN, Printer, RED, YELLOW, count},
    report::{self, FindingJson, Severity},
    rewrite::{RewriteError, rewrite},
    source::{fault::SourceCode, input::Input},
    subject::{Located, LocatedList},
};

/// What to do with the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Print,
    Check,
    Write,
}

/// The result for one file, as JSON.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Migrated"))]
pub(crate) struct MigratedJson {
    path: String,
    /// Whether a config in it was not current.
    changed: bool,
    written: bool,
    /// The result, if it is to be printed.
    text: Option<String>,
    errors: Vec<FindingJson>,
    /// How many errors there are, when `errors` holds only the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors_total: Option<usize>,
}

/// The result for one file.
struct Migrated {
    answer: MigratedJson,
    /// The errors for people.
    errors_text: String,
    exit: ExitCode,
}

/// Migrates files.
pub(super) fn run(arguments: &Migrate, printer: &mut Printer) -> Result<ExitCode, Failure> {
    let mode = match (arguments.check, arguments.write) {
        (true, _) => Mode::Check,
        (_, true) => Mode::Write,
        _ => Mode::Print,
    };
    let inputs = paths::find_inputs(&arguments.paths)?;
    if mode == Mode::Print && inputs.len() > 1 {
        return Err(Failure::unexpected(format_args!(
            "the results of {} cannot be printed together",
            count(inputs.len(), "file", "files")
        ))
        .hint("name one file, or use `--check` or `--write`"));
    }
    if mode == Mode::Write && inputs.contains(&InputPath::StandardInput) {
        return Err(Failure::unexpected("standard input cannot be replaced")
            .hint("omit `--write` to print the result"));
    }
    let mut exit = ExitCode::Yes;
    let (mut files, mut changed, mut invalid) = (0, 0, 0);
    parallel::for_each(
        &inputs,
        printer,
        |origin| migrate(origin, mode, arguments),
        |printer, migrated| {
            files += 1;
            changed += usize::from(migrated.answer.changed);
            invalid += usize::from(!migrated.errors_text.is_empty());
            exit = exit.max(migrated.exit);
            print_result(&migrated, mode, printer)
        },
    )?;
    if mode != Mode::Print && !printer.is_data() {
        let verb = if mode == Mode::Check {
            "would change"
        } else {
            "changed"
        };
        let color = match (changed, mode) {
            (0, _) | (_, Mode::Write) => GREEN,
            _ => YELLOW,
        };
        printer.note(format_args!(
            "{color}{changed} of {}{color:#} {verb}",
            count(files, "file", "files")
        ))?;
        if invalid > 0 {
            printer.note(format_args!(
                "{RED}✗{RED:#} {} unchanged",
                count(
                    invalid,
                    "file with an error stays",
                    "files with errors stay"
                )
            ))?;
        }
    }
    Ok(exit)
}

fn print_result(migrated: &Migrated, mode: Mode, printer: &mut Printer) -> Result<(), Failure> {
    if printer.is_data() {
        return printer.data(&migrated.answer);
    }
    if !migrated.errors_text.is_empty() {
        printer.error(&migrated.errors_text)?;
    }
    match (&migrated.answer.text, mode) {
        (Some(text), Mode::Print) => printer.text(text),
        _ if migrated.answer.changed => printer.line(&migrated.answer.path),
        _ => Ok(()),
    }
}

fn migrate(origin: &InputPath, mode: Mode, arguments: &Migrate) -> Migrated {
    let path = origin.name();
    let input = match paths::read(origin, arguments.reading.format) {
        Ok(input) => input,
        Err(error) => {
            let exit = error.exit();
            return build_failed(path, &Input::none(), &error.into_fault().into(), exit);
        }
    };
    let rewritten = match rewrite(&input, arguments.reading.kind) {
        Ok(rewritten) => rewritten,
        Err(RewriteError::Faults(faults)) => {
            return build_failed(path, &input, &faults, ExitCode::No);
        }
        Err(RewriteError::Unchangeable) => {
            let fault = Located::whole(
                SourceCode::ConfigUnchangeable,
                "the config is not current, and its notation cannot be changed automatically",
                "write the config without anchors, tags and aliases, or put its settings under \
                 `v1` by hand",
            );
            return build_failed(path, &input, &fault.into(), ExitCode::No);
        }
    };
    let changed = rewritten.changed > 0;
    let mut written = false;
    if let (true, Mode::Write, InputPath::File(file)) = (changed, mode, origin) {
        let text = input.with_mark(&rewritten.text);
        if let Err(error) = PreparedFile::new(file).and_then(|prepared| prepared.write(&text)) {
            let fault = Located::whole(
                SourceCode::FileUnwritable,
                format!("the file cannot be replaced: {error}"),
                None,
            );
            return build_failed(path, &Input::none(), &fault.into(), ExitCode::Unexpected);
        }
        written = true;
    }
    Migrated {
        exit: ExitCode::from_answer(mode != Mode::Check || !changed),
        errors_text: String::new(),
        answer: MigratedJson {
            path,
            changed,
            written,
            text: (mode == Mode::Print).then_some(rewritten.text),
            errors: Vec::new(),
            errors_total: None,
        },
    }
}

fn build_failed(path: String, input: &Input, faults: &LocatedList, exit: ExitCode) -> Migrated {
    let shown: Vec<_> = report::render_all(Severity::Error, &path, input, faults).collect();
    Migrated {
        errors_text: shown.join("\n"),
        exit,
        answer: MigratedJson {
            changed: false,
            written: false,
            text: None,
            errors: faults
                .iter()
                .map(|located| report::build_json(input, located))
                .collect(),
            errors_total: faults.total_if_omitted(),
            path,
        },
    }
}
