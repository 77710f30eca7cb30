//! Where things are: the workspace, its build output, and the cache that all clones of a user
//! share.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

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
    let base = env_path("XDG_CACHE_HOME").or_else(|| Some(env::home_dir()?.join(".cache")));
    let base = base.context("the home folder is unknown; set HOME or XDG_CACHE_HOME")?;
    Ok(base.join("web-widgets"))
}

/// A path that an environment variable holds; an empty one counts as missing.
pub(crate) fn env_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os(name).filter(|path| !path.is_empty());
    path.map(PathBuf::from)
}

/// Makes a folder in the build output that is empty.
pub(crate) fn empty_folder(name: &str) -> Result<PathBuf> {
    let folder = target().join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}
