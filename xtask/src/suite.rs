//! `cargo xtask test`: every check of the project, in steps that can also be run alone.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::{
    agent, browser, embed, livekit, postgres, process,
    release::cargo,
    report::{self, paint},
    stopping, story, thin, tools,
};

/// Which steps to run.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The steps to run; all of them when none is named
    #[arg(value_enum)]
    steps: Vec<Step>,
    /// Which stories to run, as a part of their files' names; all of them when none is named
    #[arg(last = true)]
    stories: Vec<String>,
}

/// A step of the suite, in the order in which they run: what fails quickly comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Programs that the other steps need
    Tools,
    /// Formatting of the Rust code
    Fmt,
    /// Build of the embed
    Embed,
    /// Types, lints, unit tests and size budgets of the embed
    Web,
    /// Lints of the Rust code, all targets
    Clippy,
    /// Rust tests, doctests too
    Rust,
    /// Rules about this repository
    Tidy,
    /// Rust documentation, private items too
    Docs,
    /// Generated files are what the generator writes
    Generated,
    /// Formatting, lints and tests of the example agent
    Agent,
    /// Starting everything, and that stopping leaves nothing behind
    Stop,
    /// The visitor's story in a real browser, with a real agent that hears and speaks
    Story,
}

struct Outcome {
    step: Step,
    took: Duration,
    result: Result<()>,
}

/// Runs the steps. A failing one does not hide what the others would say.
///
/// # Errors
/// When one step fails.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let steps: Vec<_> = Step::value_variants()
        .iter()
        .copied()
        .filter(|step| arguments.steps.is_empty() || arguments.steps.contains(step))
        .collect();
    let start = Instant::now();
    let mut outcomes = Vec::new();
    for step in steps {
        process::go_on()?;
        report::line(&paint(
            "1",
            &format!("\n── {}: {} ──", step.name(), step.about()),
        ));
        let begin = Instant::now();
        let result = step.run(arguments);
        if let Err(error) = &result {
            report::line(&format!("{} {error:#}", paint("31", "error:")));
        }
        outcomes.push(Outcome {
            step,
            took: begin.elapsed(),
            result,
        });
    }
    process::go_on()?;
    summary(&outcomes, start.elapsed())
}

fn summary(outcomes: &[Outcome], total: Duration) -> Result<()> {
    report::line("");
    for Outcome { step, took, result } in outcomes {
        let mark = if result.is_ok() {
            paint("32", "passed")
        } else {
            paint("31", "FAILED")
        };
        report::line(&format!(
            "{mark}  {:<10} {:>12}",
            step.name(),
            report::duration(*took)
        ));
    }
    report::line(&format!(
        "        {:<10} {:>12}",
        "together",
        report::duration(total)
    ));
    let failed: Vec<_> = outcomes
        .iter()
        .filter(|outcome| outcome.result.is_err())
        .collect();
    for Outcome { step, result, .. } in &failed {
        let first = result
            .as_ref()
            .err()
            .map(ToString::to_string)
            .unwrap_or_default();
        report::line(&format!(
            "\n{}: {}\n  run it alone with: cargo xtask test {}",
            step.name(),
            first.lines().next().unwrap_or_default(),
            step.name()
        ));
    }
    report::line(&format!(
        "\n{} passed, {} failed",
        outcomes.len() - failed.len(),
        failed.len()
    ));
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("some steps failed")
    }
}

impl Step {
    fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    fn about(self) -> String {
        let value = self.to_possible_value();
        value
            .and_then(|value| value.get_help().map(ToString::to_string))
            .unwrap_or_default()
    }

    fn run(self, arguments: &Arguments) -> Result<()> {
        match self {
            Self::Tools => tools(),
            Self::Fmt => process::run(cargo().args(["fmt", "--all", "--check"])),
            Self::Embed => embed::build(),
            Self::Web => web(),
            Self::Clippy => process::run(cargo().args([
                "clippy",
                "--workspace",
                "--all-targets",
                "--locked",
                "--",
                "-D",
                "warnings",
            ])),
            Self::Rust => rust(),
            Self::Tidy => process::run(cargo().args(["test", "--locked", "--package", "xtask"])),
            Self::Docs => process::run(
                cargo()
                    .args([
                        "doc",
                        "--workspace",
                        "--no-deps",
                        "--document-private-items",
                        "--locked",
                    ])
                    .env("RUSTDOCFLAGS", "-D warnings"),
            ),
            Self::Generated => thin::generated_is_current(),
            Self::Agent => agent::test(),
            Self::Stop => stopping::test(),
            Self::Story => story::test(&arguments.stories),
        }
    }
}

/// Installs what needs nobody's password, and names everything else that is missing before the long
/// steps begin.
fn tools() -> Result<()> {
    tools::together([
        tools::require(&[tools::NODE, tools::NPM, tools::PYTHON]),
        livekit::require(),
        postgres::programs().map(drop),
        browser::program().map(drop),
    ])
}

fn web() -> Result<()> {
    embed::build()?;
    for arguments in [&["run", "check"][..], &["test"]] {
        process::run(
            process::attached("npm")
                .args(arguments)
                .current_dir(embed::folder()),
        )?;
    }
    Ok(())
}

fn rust() -> Result<()> {
    let mut tests = cargo();
    tests
        .args(["test", "--workspace", "--exclude", "xtask", "--locked"])
        .env("LIVEKIT_SERVER", livekit::program()?);
    if let Some(folder) = postgres::programs()? {
        tests.env(postgres::PROGRAMS, folder);
    }
    // The service takes the embed in when it is compiled.
    embed::build()?;
    process::run(&mut tests)
}
