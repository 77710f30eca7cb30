//! Finding Chromium, or installing it where that needs nobody's password.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::tools;

/// The program: `CHROMIUM`, then what is usual on the PATH, then what is installed now.
///
/// # Errors
/// When there is none and it cannot be installed here.
pub(crate) fn program() -> Result<PathBuf> {
    if let Some(path) = env::var_os("CHROMIUM").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    if let Some(path) = find() {
        return Ok(path);
    }
    tools::install(
        "Chromium",
        "apt-get install -y --no-install-recommends chromium",
    )?;
    find().with_context(|| {
        tools::advice(
            "`chromium` is missing",
            "the browser test runs in it",
            "sudo apt-get install -y chromium",
            "brew install --cask chromium",
        )
    })
}

fn find() -> Option<PathBuf> {
    let installed = Path::new("/Applications/Chromium.app/Contents/MacOS/Chromium");
    [
        "chromium",
        "chromium-browser",
        "google-chrome-stable",
        "google-chrome",
    ]
    .iter()
    .find_map(|name| tools::find(name))
    .or_else(|| installed.is_file().then(|| installed.to_owned()))
}
