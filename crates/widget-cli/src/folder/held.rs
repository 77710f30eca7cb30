//! Which widgets a folder has held, and the revision that each file is of. Only those may be
//! deleted because their file is gone, and what somebody changes after that revision is not
//! overwritten unseen.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use widget_core::id::WidgetId;

use crate::{failure::Failure, file_write::PreparedFile};

/// The file with their ids. It belongs into the repository, beside the widgets.
pub(crate) const NAME: &str = ".widgets-held";

/// The most that is read: more widgets than an organization has.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

const HEADER: &str = "\
# The widgets that this folder has held, one a line, each with the revision that its file is of.
# Written by `widget`. `widget apply --prune` deletes those of them that no longer have a file.
";

/// The widgets that a folder has held.
#[derive(Debug)]
pub(crate) struct HeldWidgets {
    path: PathBuf,
    written: BTreeMap<WidgetId, Option<i64>>,
    /// With the revision that the file is of, if that is known.
    pub(crate) revisions: BTreeMap<WidgetId, Option<i64>>,
}

impl HeldWidgets {
    /// Reads the file of a folder; a folder without one has held none.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(NAME);
        let text = read_text(&path).map_err(|error| {
            Failure::unexpected(format_args!("cannot read `{}`: {error}", path.display()))
        })?;
        let mut revisions = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (id, revision) = parse_line(line).ok_or_else(|| {
                // What it is may be secret: the file can be another than it should be.
                Failure::bad_input(format_args!(
                    "line {} of `{}` is not the id of a widget, with or without the number of a \
                     revision",
                    number + 1,
                    path.display()
                ))
                .hint("each line has one id; remove what is something else")
            })?;
            revisions.insert(id, revision);
        }
        Ok(Self {
            path,
            written: revisions.clone(),
            revisions,
        })
    }

    /// The revision that the file of a widget is of, if that is known.
    pub(crate) fn revision(&self, id: WidgetId) -> Option<i64> {
        self.revisions.get(&id).copied().flatten()
    }

    /// Writes the file, if there is something new.
    pub(crate) fn write(&mut self) -> Result<(), Failure> {
        if self.revisions == self.written {
            return Ok(());
        }
        let mut text = HEADER.to_owned();
        for (id, revision) in &self.revisions {
            let revision = revision.map(|revision| format!(" {revision}"));
            text.extend([&id.to_string(), &*revision.unwrap_or_default(), "\n"]);
        }
        PreparedFile::new(&self.path)
            .and_then(|file| file.write(&text))
            .map_err(|error| {
                Failure::unexpected(format_args!(
                    "cannot write `{}`: {error}",
                    self.path.display()
                ))
            })?;
        self.written.clone_from(&self.revisions);
        Ok(())
    }
}

fn parse_line(line: &str) -> Option<(WidgetId, Option<i64>)> {
    let mut words = line.split_whitespace();
    let id = words.next()?.parse().ok()?;
    let revision = words.next().map(str::parse).transpose().ok()?;
    words.next().is_none().then_some((id, revision))
}

/// The text of a file of its own. A link could lead to what must not be read, or written later.
fn read_text(path: &Path) -> io::Result<String> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => {
            let why = "it is a link, or not a file; remove it, and restore it as a file";
            return Err(io::Error::other(why));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(error),
    }
    let mut text = String::new();
    File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::other(
            "it has more than 4 MiB, which is more than any list of widgets",
        ));
    }
    Ok(text)
}
