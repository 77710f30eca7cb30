//! Writes files in one step: the new text is complete and on the disk before it has the name.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// A new text beside the file whose place it takes.
#[derive(Debug)]
pub(crate) struct PreparedFile {
    path: PathBuf,
    new: NamedTempFile,
    /// Those of the file that is replaced.
    permissions: Option<Permissions>,
}

impl PreparedFile {
    /// Finds out whether a file can be replaced, or created if there is none. A link stays a link,
    /// and a file keeps its permissions.
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        let (path, permissions) = match fs::canonicalize(path) {
            Ok(path) => {
                let permissions = fs::metadata(&path)?.permissions();
                if permissions.readonly() {
                    return Err(io::Error::new(
                        io::ErrorKind::PermissionDenied,
                        "the file is read-only",
                    ));
                }
                (path, Some(permissions))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => (path.to_owned(), None),
            Err(error) => return Err(error),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".widget-");
        // A new file gets what the process gives to its files.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let new = builder.tempfile_in(folder_of(&path))?;
        Ok(Self {
            path,
            new,
            permissions,
        })
    }

    /// Writes the text and gives it the name.
    pub(crate) fn write(mut self, text: &str) -> io::Result<()> {
        self.new.write_all(text.as_bytes())?;
        if let Some(permissions) = self.permissions {
            self.new.as_file().set_permissions(permissions)?;
        }
        self.new.as_file().sync_all()?;
        self.new.persist(&self.path)?;
        // The new name is on the disk only after the folder is synced, which not every system can.
        if cfg!(unix) {
            File::open(folder_of(&self.path))?.sync_all()?;
        }
        Ok(())
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}
