//! `cargo xtask build`: the binaries as they are deployed.

use std::env;

use anyhow::Result;

use crate::{embed, process, report, workspace};

/// Builds the embed, then the release binaries with the embed inside.
///
/// One package at a time: building several together would switch on features in one that only
/// another asks for.
///
/// # Errors
/// When a tool is missing or a build fails.
pub(crate) fn build() -> Result<()> {
    embed::build()?;
    for package in ["widget-http", "widget-cli"] {
        report::part(&format!("Building {package}"), || {
            process::run(cargo().args(["build", "--release", "--locked", "--package", package]))
        })?;
    }
    for binary in ["widget-http", "widget"] {
        report::line(
            &workspace::target()
                .join("release")
                .join(binary)
                .display()
                .to_string(),
        );
    }
    Ok(())
}

/// Cargo, the same one that runs this command.
pub(crate) fn cargo() -> std::process::Command {
    process::attached(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
