//! Rules about this repository that no compiler checks, kept as tests so that nothing has to be
//! installed for them.

mod dependencies;
mod deploy;
mod direction;
mod text;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The folder of the workspace's `Cargo.toml`.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a folder of the workspace")
}

/// What a program prints, run in the workspace.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .output()
        .expect(program);
    assert!(
        output.status.success(),
        "{program} {arguments:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Every file of the project, relative to its root: those in git, and new ones that git does not
/// ignore.
fn files() -> Vec<PathBuf> {
    output(
        "git",
        &[
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ],
    )
    .split_terminator('\0')
    .map(PathBuf::from)
    .filter(|path| root().join(path).is_file())
    .collect()
}

/// The text of a file; nothing when it is not text.
fn read(path: &Path) -> Option<String> {
    std::fs::read(root().join(path))
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
}

/// Fails with one line for each fault.
#[track_caller]
fn none(what: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{what}:\n  {}\n", faults.join("\n  "));
}
