//! `cargo xtask test`: every check of the project, in steps that can also be run alone.

use std::time::Instant;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::{
    agent, embed, generated, livekit,
    process::{self, cargo, run},
    programs,
    report::{self, line, paint},
    story, tools,
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
    /// Rust documentation, private items too, and the example in the README
    Docs,
    /// Generated files are current, and clients can be generated from the OpenAPI document
    Generated,
    /// Formatting, lints and tests of the example agent
    Agent,
    /// Starting everything, and that stopping leaves nothing behind
    Stop,
    /// The visitor's story in a real browser, with a real agent that hears and speaks
    Story,
}

/// Runs the steps. After one that fails the others still run, so that all failures are reported.
pub(crate) fn run_steps(arguments: &Arguments) -> Result<()> {
    let start = Instant::now();
    let (mut summary, mut failures) = (Vec::new(), Vec::new());
    let steps = Step::value_variants().iter();
    for step in steps.filter(|step| arguments.steps.is_empty() || arguments.steps.contains(step)) {
        let value = step.to_possible_value().unwrap_or_default();
        let (name, about) = (value.get_name(), value.get_help());
        let about = about.map(ToString::to_string).unwrap_or_default();
        line(&paint("1", &format!("\n── {name}: {about} ──")));
        let begin = Instant::now();
        let mark = match step.run(arguments) {
            Ok(()) => paint("32", "passed"),
            Err(error) => {
                line(&format!("{} {error:#}", paint("31", "error:")));
                failures.push(format!(
                    "\n{name}: {}\n  run it alone with: cargo xtask test {name}",
                    error.to_string().lines().next().unwrap_or_default()
                ));
                paint("31", "FAILED")
            }
        };
        process::check_stop()?;
        let elapsed = report::duration(begin.elapsed());
        summary.push(format!("{mark}  {name:<10} {elapsed:>12}"));
    }
    let elapsed = report::duration(start.elapsed());
    summary.push(format!("        {:<10} {elapsed:>12}", "together"));
    line(&format!(
        "
{}",
        summary.join(
            "
"
        )
    ));
    if failures.is_empty() {
        return Ok(());
    }
    line(&failures.join("\n"));
    bail!("{} of the steps failed", failures.len())
}

impl Step {
    fn run(self, arguments: &Arguments) -> Result<()> {
        match self {
            Self::Tools => tools(),
            Self::Fmt => run(&mut cargo("fmt --all --check")),
            Self::Embed => embed::build(),
            Self::Web => embed::test(),
            Self::Clippy => run(&mut cargo(
                "clippy --workspace --all-targets --locked -- -D warnings",
            )),
            Self::Rust => rust(),
            Self::Tidy => own_tests("--bins --test tidy"),
            Self::Docs => {
                let mut doc = cargo("doc --workspace --no-deps --document-private-items --locked");
                run(doc.env("RUSTDOCFLAGS", "-D warnings"))?;
                own_tests("--test readme")
            }
            Self::Generated => generated::check(),
            Self::Agent => agent::test(),
            Self::Stop => own_tests("--test stop -- --nocapture"),
            Self::Story => story::play(&arguments.stories, false),
        }
    }
}

/// Installs what needs no password, and names everything else that is missing before the long
/// steps begin.
fn tools() -> Result<()> {
    tools::together([
        tools::require(&[tools::NODE, tools::NPM, tools::PYTHON]),
        livekit::require(),
        programs::postgres().map(drop),
        programs::chromium().map(drop),
    ])
}

/// Runs tests of this package.
fn own_tests(which: &str) -> Result<()> {
    run(&mut cargo(&format!(
        "test --locked --package xtask {which}"
    )))
}

fn rust() -> Result<()> {
    // The service includes the embed when it is compiled.
    embed::build()?;
    let mut tests = cargo("test --workspace --exclude xtask --locked");
    tests.env("LIVEKIT_SERVER", livekit::program()?);
    if let Some(folder) = programs::postgres()? {
        tests.env(programs::POSTGRES_FOLDER, folder);
    }
    run(&mut tests)
}
