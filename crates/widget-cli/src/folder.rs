//! A folder of files, one widget each, as `export` writes it and `plan` and `apply` read it.

mod file;
mod held;

use std::{collections::HashMap, path::Path};

use widget_core::id::WidgetId;

use crate::{
    exit::ExitCode,
    failure::Failure,
    paths::{self, InputPath},
    printer::Printer,
    suffixes::Suffixes,
    widget_file::show_faults,
};

pub(crate) use file::{FolderFile, new_text, write};
pub(crate) use held::HeldWidgets;

/// The files of a folder with their widgets.
#[derive(Debug)]
pub(crate) struct Folder {
    /// In the order of their names.
    pub(crate) files: Vec<FolderFile>,
    /// The greatest exit code of the faults, which are shown.
    pub(crate) faults: ExitCode,
}

impl Folder {
    /// Reads every `.json`, `.yaml` and `.yml` file below a folder, and shows their faults.
    pub(crate) fn read(path: &Path, printer: &mut Printer) -> Result<Self, Failure> {
        let suffixes = Suffixes::default();
        let mut faults = ExitCode::Yes;
        let mut files: Vec<FolderFile> = Vec::new();
        let mut names: HashMap<WidgetId, String> = HashMap::new();
        for origin in paths::find_files(path)? {
            let name = origin.display().to_string();
            let input = match paths::read(&InputPath::File(origin.clone()), None) {
                Ok(input) => input,
                Err(error) => {
                    faults = faults.max(error.exit());
                    show_failure(&error.into_failure(&name), printer)?;
                    continue;
                }
            };
            match file::read(origin, input, &suffixes) {
                Ok(file) => {
                    if let Some(other) = file.id().and_then(|id| names.get(&id)) {
                        faults = faults.max(ExitCode::No);
                        show_failure(
                            &Failure::bad_input(format_args!(
                                "`{name}` and `{other}` have the same `id`"
                            ))
                            .hint(
                                "remove one of the files, or the `id` from the one that is a new \
                                 widget",
                            ),
                            printer,
                        )?;
                        continue;
                    }
                    names.extend(file.id().map(|id| (id, name)));
                    files.push(file);
                }
                Err((input, located)) => {
                    faults = faults.max(ExitCode::No);
                    show_faults(&input, &name, &located, printer)?;
                }
            }
        }
        Ok(Self { files, faults })
    }

    /// Requires that every file could be read.
    pub(crate) fn require_valid(self) -> Result<Self, Failure> {
        if self.faults == ExitCode::Yes {
            return Ok(self);
        }
        Err(Failure {
            exit: self.faults,
            ..Failure::unexpected("the folder has errors; nothing was written")
        })
    }
}

/// Shows why one of several things did not work; the command continues with the others.
pub(crate) fn show_failure(failure: &Failure, printer: &mut Printer) -> Result<(), Failure> {
    printer.flush()?;
    printer.failure(failure);
    Ok(())
}
