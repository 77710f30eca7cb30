//! `widget migrate`: brings the configs in files to the current version.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use serde::Serialize;

use crate::{
    cli::Migrate,
    exit::ExitCode,
    failure::Failure,
    parallel,
    paths::{self, InputPath},
    printer::{GREEN, Printer, RED, YELLOW, count},
    report::{self, FindingJson, Severity},
    rewrite::{RewriteError, rewrite},
    source::input::Input,
    subject::Located,
};

/// What is done with the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Print,
    Check,
    Write,
}

/// What became of one file, as programs get it.
#[derive(Serialize)]
struct MigratedJson {
    path: String,
    /// Whether a config in it was not current.
    changed: bool,
    written: bool,
    /// The result, when it is to be printed.
    text: Option<String>,
    errors: Vec<FindingJson>,
}

/// What became of one file.
struct Migrated {
    answer: MigratedJson,
    /// The errors for people.
    told: String,
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
            "{} would be printed one after the other",
            count(inputs.len(), "file", "files")
        ))
        .hint("name one file, or use `--check` or `--write`"));
    }
    if mode == Mode::Write && inputs.contains(&InputPath::StandardInput) {
        return Err(Failure::unexpected("standard input cannot be replaced")
            .hint("leave `--write` out to print the result"));
    }
    let mut exit = ExitCode::Yes;
    let (mut files, mut changed, mut faulty) = (0, 0, 0);
    parallel::for_each(
        &inputs,
        printer,
        |origin| migrate(origin, mode, arguments),
        |printer, migrated| {
            files += 1;
            changed += usize::from(migrated.answer.changed);
            faulty += usize::from(!migrated.told.is_empty());
            exit = exit.max(migrated.exit);
            tell(&migrated, mode, printer)
        },
    )?;
    if mode != Mode::Print && !printer.is_json() {
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
        if faulty > 0 {
            printer.note(format_args!(
                "{RED}✗{RED:#} {} left as it was",
                count(
                    faulty,
                    "file with an error is",
                    "files with errors are each"
                )
            ))?;
        }
    }
    Ok(exit)
}

fn tell(migrated: &Migrated, mode: Mode, printer: &mut Printer) -> Result<(), Failure> {
    if printer.is_json() {
        return printer.json(&migrated.answer);
    }
    if !migrated.told.is_empty() {
        printer.error(&migrated.told)?;
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
            return failed(path, &Input::none(), &[error.into_fault().into()], exit);
        }
    };
    let rewritten = match rewrite(&input, arguments.reading.kind) {
        Ok(rewritten) => rewritten,
        Err(RewriteError::Faults(faults)) => {
            return failed(path, &input, &faults, ExitCode::No);
        }
        Err(RewriteError::Unchangeable) => {
            let fault = Located::whole(
                "unchangeable",
                "the config is not current, and is written in a way that cannot be changed automatically",
                "write the config without anchors, tags and aliases, or put its settings under `v1` by hand",
            );
            return failed(path, &input, &[fault], ExitCode::No);
        }
    };
    let changed = rewritten.changed > 0;
    let mut written = false;
    if let (true, Mode::Write, InputPath::File(file)) = (changed, mode, origin) {
        if let Err(error) = replace(file, &input, &rewritten.text) {
            let fault = Located::whole("unwritable", format!("cannot be replaced: {error}"), None);
            return failed(path, &Input::none(), &[fault], ExitCode::Unexpected);
        }
        written = true;
    }
    Migrated {
        exit: ExitCode::from_answer(mode != Mode::Check || !changed),
        told: String::new(),
        answer: MigratedJson {
            path,
            changed,
            written,
            text: (mode == Mode::Print).then_some(rewritten.text),
            errors: Vec::new(),
        },
    }
}

fn failed(path: String, input: &Input, faults: &[Located], exit: ExitCode) -> Migrated {
    let shown = |located| report::human(Severity::Error, &path, input, located);
    Migrated {
        told: faults.iter().map(shown).collect::<Vec<_>>().join("\n"),
        exit,
        answer: MigratedJson {
            changed: false,
            written: false,
            text: None,
            errors: faults
                .iter()
                .map(|located| report::json(input, located))
                .collect(),
            path,
        },
    }
}

/// Puts a new text in a file's place in one step. The new file is complete and on the disk before
/// it gets the name; it has the permissions of the old one, and a link stays a link.
fn replace(path: &Path, input: &Input, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let permissions = fs::metadata(&path)?.permissions();
    if permissions.readonly() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the file is read-only",
        ));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new()
        .prefix(".widget-")
        .tempfile_in(folder)?;
    if input.has_mark {
        new.write_all("\u{FEFF}".as_bytes())?;
    }
    new.write_all(text.as_bytes())?;
    new.as_file().set_permissions(permissions)?;
    new.as_file().sync_all()?;
    new.persist(&path)?;
    // The name, too, is on the disk only when the folder is; not every system can be asked for
    // that.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
