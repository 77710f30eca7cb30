//! Commands that call another program with the right arguments.

use std::fs;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::{
    embed,
    process::{self, cargo},
    report, workspace,
};

/// Arguments that are passed on to the program.
#[derive(Debug, Args)]
pub(crate) struct Rest {
    /// Passed on: the names to run, or options of the program
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Builds the embed, then the release binaries with the embed inside, and packs the npm package.
///
/// One package at a time: building several together would switch on features in one that only
/// another asks for.
pub(crate) fn build() -> Result<()> {
    embed::build()?;
    let package = embed::pack()?;
    for package in ["widget-http", "widget-cli"] {
        report::part(&format!("Building {package}"), || {
            process::run(cargo("build --release --locked --package").arg(package))
        })?;
    }
    for binary in ["widget-http", "widget"] {
        let path = workspace::target().join("release").join(binary);
        report::line(&path.display().to_string());
    }
    report::line(&package.display().to_string());
    Ok(())
}

/// How often `bench kill` kills the service on each database.
const KILLS: &str = "50";

/// Measurements of the built service, by the names that `widget-bench` has for them.
const SERVICE_BENCHES: [&str; 6] = ["http", "storage", "memory", "widgets", "scale", "messages"];

/// Runs every bench, or those of the service that is named first, or those of the core and of the
/// command whose names contain what is named; with `kill` and a number of rounds, kills the service
/// in the midst of its writes on both databases, and says what of them is there afterwards.
pub(crate) fn bench(rest: &Rest) -> Result<()> {
    if let [kill, rounds @ ..] = rest.rest.as_slice()
        && kill == "kill"
    {
        let mut test = cargo("test --locked --package widget-http --test sqlite --test postgresql");
        test.args(["--", "--nocapture", "what_was_acknowledged_survives"])
            .env(
                "WIDGET_TEST_KILLS",
                rounds.first().map_or(KILLS, String::as_str),
            );
        return process::run(&mut test);
    }
    let first = rest.rest.first().map(String::as_str);
    if first.is_some_and(|first| SERVICE_BENCHES.contains(&first)) {
        build_benches()?;
        return run_bench(&rest.rest);
    }
    let mut bench = cargo("bench --locked --package widget-core --package widget-cli --bench * --");
    process::run(bench.args(&rest.rest))?;
    if first.is_none() {
        build_benches()?;
        for name in SERVICE_BENCHES {
            run_bench(&[name.to_owned()])?;
        }
    }
    Ok(())
}

/// Builds the service as [`build`] does, and what measures it.
fn build_benches() -> Result<()> {
    embed::build()?;
    for package in ["widget-http", "widget-bench"] {
        report::part(&format!("Building {package}"), || {
            process::run(cargo("build --release --locked --package").arg(package))
        })?;
    }
    Ok(())
}

fn run_bench(arguments: &[String]) -> Result<()> {
    let program = workspace::target().join("release/widget-bench");
    process::run(process::attached(program, "").args(arguments))
}

/// Runs every fuzz target for a minute, or `cargo fuzz` with the arguments given.
pub(crate) fn fuzz(rest: &Rest) -> Result<()> {
    // `cargo-fuzz` wants a nightly compiler only for the sanitizer's flags, which this allows on
    // the stable one.
    let stable = ("RUSTC_BOOTSTRAP", "1");
    process::output(&mut cargo("fuzz --version"))
        .context("`cargo fuzz` is missing.\n  install it with: cargo install cargo-fuzz")?;
    if !rest.rest.is_empty() {
        return process::run(cargo("fuzz").args(&rest.rest).env(stable.0, stable.1));
    }
    for entry in fs::read_dir(workspace::root().join("fuzz/fuzz_targets"))? {
        let path = entry?.path();
        let target = path.file_stem().unwrap_or_default();
        // What a run finds goes into the first folder: the committed corpus grows only on purpose.
        let found = workspace::target().join("fuzz-corpus").join(target);
        fs::create_dir_all(&found)?;
        let committed = workspace::root().join("fuzz/corpus").join(target);
        report::part(&format!("Fuzzing {}", target.display()), || {
            process::run(
                cargo("fuzz run")
                    .args([target, found.as_os_str(), committed.as_os_str()])
                    .args(["--", "-max_total_time=60"])
                    .env(stable.0, stable.1),
            )
        })?;
    }
    Ok(())
}
