//! Which widgets a folder has held: only those may be deleted for having no file any more.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use widget_core::id::WidgetId;

use crate::{failure::Failure, file_write::PreparedFile};

/// The file with their ids. It belongs into the repository, beside the widgets.
pub(crate) const NAME: &str = ".widgets-held";

const HEADER: &str = "\
# The widgets that this folder has held, one id a line, written by `widget`.
# `widget apply --prune` deletes those of them that have no file any more.
";

/// The ids of the widgets that a folder has held.
#[derive(Debug)]
pub(crate) struct HeldWidgets {
    path: PathBuf,
    written: BTreeSet<WidgetId>,
    pub(crate) ids: BTreeSet<WidgetId>,
}

impl HeldWidgets {
    /// Reads the file of a folder; a folder without one has held none.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(NAME);
        let shown = path.display();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(Failure::unexpected(format_args!(
                    "cannot read `{shown}`: {error}"
                )));
            }
        };
        let mut ids = BTreeSet::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let id = line.parse().map_err(|_| {
                Failure::bad_input(format_args!(
                    "line {} of `{shown}` is not the id of a widget: `{line}`",
                    number + 1
                ))
                .hint("each line has one id; remove what is something else")
            })?;
            ids.insert(id);
        }
        Ok(Self {
            path,
            written: ids.clone(),
            ids,
        })
    }

    /// Writes the file, if there is something new.
    pub(crate) fn write(&mut self) -> Result<(), Failure> {
        if self.ids == self.written {
            return Ok(());
        }
        let lines = self.ids.iter().map(|id| format!("{id}\n"));
        let text: String = [HEADER.to_owned()].into_iter().chain(lines).collect();
        PreparedFile::new(&self.path)
            .and_then(|file| file.write(&text))
            .map_err(|error| {
                Failure::unexpected(format_args!(
                    "cannot write `{}`: {error}",
                    self.path.display()
                ))
            })?;
        self.written.clone_from(&self.ids);
        Ok(())
    }
}
