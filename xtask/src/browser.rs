//! Finding Chromium, or installing it where that needs nobody's password.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};

use crate::{process, report, tools, workspace};

const INSTALL_LINUX: &str = "sudo apt-get install -y chromium";
const INSTALL_MACOS: &str = "brew install --cask chromium";

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
    if nix::unistd::geteuid().is_root() && tools::find("apt-get").is_some() {
        report::part("Installing Chromium", || {
            let log = workspace::target().join("xtask/chromium-install.log");
            let install = [
                "-c",
                "apt-get update && apt-get install -y --no-install-recommends chromium",
            ];
            process::run_logged(
                process::attached("sh")
                    .args(install)
                    .env("DEBIAN_FRONTEND", "noninteractive"),
                &log,
            )
        })?;
    }
    let install = if cfg!(target_os = "macos") {
        INSTALL_MACOS
    } else {
        INSTALL_LINUX
    };
    match find() {
        Some(path) => Ok(path),
        None => bail!(
            "`chromium` is missing: the browser test runs in it.\n  install it with: {install}"
        ),
    }
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
