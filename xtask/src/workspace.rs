//! Where things are: the workspace, its build output, and the cache that all clones of a user
//! share.

use std::{
    env, fs,
    io::Write as _,
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
    root().join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// Where downloads and installations live that do not depend on this clone.
pub(crate) fn cache() -> Result<PathBuf> {
    let base = match env_path("XDG_CACHE_HOME") {
        Some(folder) => folder,
        None => env::home_dir()
            .context("the home folder is unknown; set HOME or XDG_CACHE_HOME")?
            .join(if cfg!(target_os = "macos") {
                "Library/Caches"
            } else {
                ".cache"
            }),
    };
    Ok(base.join("web-widgets"))
}

/// A path that an environment variable holds; an empty one counts as missing.
pub(crate) fn env_path(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

/// Makes a folder that is empty.
pub(crate) fn empty_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display())),
    }
}

/// Writes a file that only its owner can read.
pub(crate) fn write_secret(path: &Path, text: &str) -> Result<()> {
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}
