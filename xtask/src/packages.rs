//! Packages of npm and `PyPI`, installed once for each list of them. What something was made of is
//! remembered as a hash.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::{process, report, tools, workspace};

/// Installs the npm packages of a folder.
pub(crate) fn npm(name: &str, folder: &Path) -> Result<()> {
    tools::require(&[tools::NODE, tools::NPM])?;
    let inputs = hash(&["package.json", "package-lock.json"].map(|file| folder.join(file)))?;
    let modules = folder.join("node_modules");
    let title = format!("Installing the packages of {name}");
    once(inputs, &modules, &modules.join(".inputs"), &title, || {
        let mut npm = process::attached("npm", "ci --no-audit --no-fund");
        process::run_logged(npm.current_dir(folder), "npm-ci")
    })
}

/// Installs Python packages into an environment in the user's cache, which clones in several
/// folders share, and returns its Python.
pub(crate) fn python(name: &str, requirements: &[PathBuf]) -> Result<PathBuf> {
    let python3 = tools::PYTHON.require()?;
    let texts = requirements.iter().map(fs::read_to_string);
    let mut texts = texts.collect::<std::io::Result<Vec<_>>>()?;
    texts.push(process::output(Command::new(&python3).arg("--version"))?);
    let mut hasher = DefaultHasher::new();
    texts.hash(&mut hasher);
    let inputs = hasher.finish();
    let environment = workspace::cache()?.join(format!("{name}-{inputs:016x}"));
    let (python, stamp) = (environment.join("bin/python"), environment.join(".inputs"));
    let title = format!("Installing the Python packages of {name}, once");
    once(inputs, &python, &stamp, &title, || {
        let mut venv = process::attached(python3, "-m venv --clear");
        process::run_logged(venv.arg(&environment), &format!("{name}-venv"))?;
        let mut pip = process::attached(&python, "-m pip install --disable-pip-version-check");
        for list in requirements {
            pip.arg("--requirement").arg(list);
        }
        process::run_logged(&mut pip, &format!("{name}-pip"))
    })?;
    Ok(python)
}

/// Installs the Python programs that read the OpenAPI document, and returns the Python beside them.
pub(crate) fn openapi_python() -> Result<PathBuf> {
    let list = workspace::root().join("xtask/clients/requirements.txt");
    python("openapi", &[list])
}

/// Does the work unless the stamp says that it was done with the same inputs and its result is
/// still there.
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
        fs::write(stamp, &inputs).with_context(|| format!("cannot write {}", stamp.display()))
    })
}

/// A number that changes with the names and the contents of the files, and of the files in the
/// folders.
pub(crate) fn hash(paths: &[PathBuf]) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for path in paths {
        add(path, &mut hasher).with_context(|| format!("cannot read {}", path.display()))?;
    }
    Ok(hasher.finish())
}

fn add(path: &Path, hasher: &mut DefaultHasher) -> std::io::Result<()> {
    path.hash(hasher);
    if !path.is_dir() {
        fs::read(path)?.hash(hasher);
        return Ok(());
    }
    let entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
    let mut entries = entries.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort();
    entries.iter().try_for_each(|entry| add(entry, hasher))
}
