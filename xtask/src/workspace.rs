//! Where things are: the workspace, its build output, and the cache that all clones of a user
//! share.

use std::{
    env, fs,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

/// Cargo's output folder, also when the user has moved it.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// Where downloads and installations live that do not depend on this clone.
pub(crate) fn cache() -> Result<PathBuf> {
    let base =
        if let Some(folder) = env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()) {
            PathBuf::from(folder)
        } else {
            let home = env::home_dir()
                .context("the home folder is not known; set HOME or XDG_CACHE_HOME")?;
            if cfg!(target_os = "macos") {
                home.join("Library/Caches")
            } else {
                home.join(".cache")
            }
        };
    Ok(base.join("web-widgets"))
}

/// A file that only its owner can read, empty and open for writing.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn secret_file(path: &Path) -> Result<fs::File> {
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))
}
