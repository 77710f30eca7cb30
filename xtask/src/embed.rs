//! Building the script and the window that the service serves. Nothing is done twice: what a build
//! was made of is remembered as a hash.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::{process, report, tools, workspace};

/// Installs the packages and builds `embed/dist`, each only when something that it is made of has
/// changed.
///
/// # Errors
/// When Node.js is missing, the installation or the build fails.
pub(crate) fn build() -> Result<()> {
    install()?;
    let folder = folder();
    let inputs = hash(&[folder.join("package-lock.json"), folder.join("src")])?
        .wrapping_add(hash(&settings(&folder)?)?);
    once(
        inputs,
        &folder.join("dist"),
        &workspace::target().join("xtask/embed.inputs"),
        "Building the embed",
        || {
            process::run_logged(
                process::attached("npm")
                    .args(["run", "build"])
                    .current_dir(&folder),
                &workspace::target().join("xtask/embed-build.log"),
            )
        },
    )
}

/// Installs the packages that building and testing the embed needs.
///
/// # Errors
/// When Node.js is missing or the installation fails.
pub(crate) fn install() -> Result<()> {
    tools::require(&[tools::NODE, tools::NPM])?;
    let folder = folder();
    let inputs = hash(&[
        folder.join("package.json"),
        folder.join("package-lock.json"),
    ])?;
    let modules = folder.join("node_modules");
    once(
        inputs,
        &modules,
        &modules.join(".inputs"),
        "Installing the packages of the embed",
        || {
            process::run_logged(
                process::attached("npm")
                    .args(["ci", "--no-audit", "--no-fund"])
                    .current_dir(&folder),
                &workspace::target().join("xtask/npm-ci.log"),
            )
        },
    )
}

/// The folder of the npm package.
pub(crate) fn folder() -> PathBuf {
    workspace::root().join("embed")
}

/// Does the work unless the stamp says that it was done with the same inputs and its result is
/// still there.
///
/// # Errors
/// Those of the work.
pub(crate) fn once(
    inputs: u64,
    result: &Path,
    stamp: &Path,
    title: &str,
    work: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let inputs = format!("{inputs:016x}");
    if result.exists() && fs::read_to_string(stamp).is_ok_and(|done| done == inputs) {
        return Ok(());
    }
    report::part(title, || {
        work()?;
        if let Some(folder) = stamp.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(stamp, &inputs).with_context(|| format!("cannot write {}", stamp.display()))
    })
}

/// A number that changes with the names and the contents of the files, and of the files in the
/// folders; what is not there counts as empty.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn hash(paths: &[PathBuf]) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for path in paths {
        add(path, &mut hasher).with_context(|| format!("cannot read {}", path.display()))?;
    }
    Ok(hasher.finish())
}

/// A number that changes with the text.
pub(crate) fn hash_text(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn add(path: &Path, hasher: &mut DefaultHasher) -> std::io::Result<()> {
    path.hash(hasher);
    if path.is_dir() {
        let mut entries = fs::read_dir(path)?
            .map(|entry| Ok(entry?.path()))
            .collect::<std::io::Result<Vec<_>>>()?;
        entries.sort();
        return entries.iter().try_for_each(|entry| add(entry, hasher));
    }
    match fs::read(path) {
        Ok(bytes) => bytes.hash(hasher),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// The files beside the sources that steer the build: Vite's and TypeScript's settings.
fn settings(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<_> = fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension().is_some_and(|extension| {
                ["json", "ts", "js", "mjs"]
                    .iter()
                    .any(|known| extension == *known)
            })
        })
        .collect();
    files.sort();
    Ok(files)
}
