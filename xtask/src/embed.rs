//! Building the script and the window that the service serves.

use std::{fs, path::PathBuf};

use anyhow::Result;

use crate::{packages, process, workspace};

/// The folder of the npm package.
pub(crate) fn folder() -> PathBuf {
    workspace::root().join("embed")
}

/// Installs the packages and builds `embed/dist`, each only when something that it is made of has
/// changed.
pub(crate) fn build() -> Result<()> {
    let folder = folder();
    packages::npm("the embed", &folder)?;
    // The sources, and beside them the settings of npm, Vite and TypeScript.
    let mut inputs: Vec<_> = fs::read_dir(&folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let kind = path.extension().and_then(|kind| kind.to_str());
            path.ends_with("src") || matches!(kind, Some("json" | "ts" | "js" | "mjs"))
        })
        .collect();
    inputs.sort();
    let stamp = workspace::target().join("xtask/embed.inputs");
    fs::create_dir_all(stamp.with_file_name(""))?;
    let (inputs, dist) = (packages::hash(&inputs)?, folder.join("dist"));
    packages::once(inputs, &dist, &stamp, "Building the embed", || {
        process::run_logged(&mut npm("run build"), "embed-build")
    })
}

/// Compiles and packs the npm package for site owners; returns the archive in `target`.
pub(crate) fn pack() -> Result<PathBuf> {
    process::run(&mut npm("run --silent build:package"))?;
    let mut pack = npm("pack --silent ./packages/web-widget --pack-destination");
    let name = process::output(pack.arg(workspace::target()))?;
    Ok(workspace::target().join(name.trim()))
}

/// npm in the embed's folder.
fn npm(arguments: &str) -> std::process::Command {
    let mut npm = process::attached("npm", arguments);
    npm.current_dir(folder());
    npm
}

/// Runs the checks and the tests of the embed.
pub(crate) fn test() -> Result<()> {
    build()?;
    process::run(&mut npm("run check"))?;
    process::run(&mut npm("test"))
}
