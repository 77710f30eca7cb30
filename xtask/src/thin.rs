//! The commands that only spare one from remembering another command's arguments.

use std::fs;

use anyhow::{Result, bail};
use clap::Args;

use crate::{
    process,
    release::cargo,
    report,
    service::{self, Build},
    workspace,
};

/// Arguments handed on to the program.
#[derive(Debug, Args)]
pub(crate) struct Rest {
    /// Handed on: the names to run, or options of the program
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Runs the benches of the core and of the command.
///
/// # Errors
/// When a bench fails.
pub(crate) fn bench(rest: &Rest) -> Result<()> {
    process::run(
        cargo()
            .args([
                "bench",
                "--locked",
                "--package",
                "widget-core",
                "--package",
                "widget-cli",
                "--bench",
                "*",
                "--",
            ])
            .args(&rest.rest),
    )
}

/// Writes the generated files.
///
/// # Errors
/// When the generator fails.
pub(crate) fn generate() -> Result<()> {
    process::run(cargo().args([
        "run",
        "--quiet",
        "--locked",
        "--package",
        "widget-schema",
        "--",
        "write",
    ]))
}

/// Checks that the generated files are what the generator would write.
///
/// # Errors
/// When one differs.
pub(crate) fn generated_is_current() -> Result<()> {
    // What the tests have compiled; alone, the package would be compiled anew with fewer features.
    service::build(Build::Workspace)?;
    process::run(process::attached(workspace::target().join("debug/widget-schema")).arg("check"))
}

/// Runs every fuzz target for a minute, or `cargo fuzz` with the arguments given.
///
/// # Errors
/// When there are no targets, `cargo-fuzz` is missing, or a target finds something.
pub(crate) fn fuzz(rest: &Rest) -> Result<()> {
    let targets = workspace::root().join("fuzz/fuzz_targets");
    if !targets.is_dir() {
        bail!("there are no fuzz targets yet");
    }
    if process::output(std::process::Command::new("cargo").args(["fuzz", "--version"])).is_err() {
        bail!("`cargo fuzz` is missing.\n  install it with: cargo install cargo-fuzz");
    }
    // `cargo-fuzz` wants a nightly compiler only for the sanitizer's flags, which this allows on
    // the stable one.
    let stable = ("RUSTC_BOOTSTRAP", "1");
    if !rest.rest.is_empty() {
        return process::run(cargo().arg("fuzz").args(&rest.rest).env(stable.0, stable.1));
    }
    for entry in fs::read_dir(targets)? {
        let path = entry?.path();
        let Some(target) = path.file_stem() else {
            continue;
        };
        // What a run finds new goes into the first folder: the committed corpus grows on purpose
        // only.
        let found = workspace::target().join("fuzz-corpus").join(target);
        fs::create_dir_all(&found)?;
        let committed = workspace::root().join("fuzz/corpus").join(target);
        report::part(&format!("Fuzzing {}", target.display()), || {
            process::run(
                cargo()
                    .args(["fuzz", "run"])
                    .args([target, found.as_os_str(), committed.as_os_str()])
                    .args(["--", "-max_total_time=60"])
                    .env(stable.0, stable.1),
            )
        })?;
    }
    Ok(())
}
