//! `cargo xtask test`: every check of the project, in steps that can also be run alone.

use std::time::Instant;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::{
    agent, contract, embed, generated, livekit,
    process::{self, cargo, run},
    report::{self, line, paint},
    service, story, tools,
    workspace::env_path,
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
    /// Answers are what the OpenAPI document says, whatever is requested
    Contract,
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
    let (mut summary, mut failed) = (Vec::new(), 0);
    let steps = Step::value_variants().iter();
    for step in steps.filter(|step| arguments.steps.is_empty() || arguments.steps.contains(step)) {
        let value = step.to_possible_value().unwrap_or_default();
        let about = value.get_help().map(ToString::to_string);
        let (name, about) = (value.get_name(), about.unwrap_or_default());
        line(&paint("1", &format!("\n── {name}: {about} ──")));
        let begin = Instant::now();
        let result = step.run(arguments);
        process::check_stop()?;
        let row = format!("{name:<10} {:>9}", report::since(begin));
        summary.push(match result {
            Ok(()) => format!("{}  {row}", paint("32", "passed")),
            Err(error) => {
                failed += 1;
                line(&format!("{} {error:#}", paint("31", "error:")));
                let error = error.to_string();
                let first = error.lines().next().unwrap_or_default();
                format!("{}  {row}  {first}", paint("31", "FAILED"))
            }
        });
    }
    line(&format!("\n{}", summary.join("\n")));
    line(&format!("all steps took {}", report::since(start)));
    if failed > 0 {
        bail!("{failed} of the steps failed; `cargo xtask test <step>` runs one alone");
    }
    Ok(())
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
            Self::Contract => contract::test(),
            Self::Agent => agent::test(),
            Self::Stop => own_tests("--test stop -- --nocapture"),
            Self::Story => story::play(&arguments.stories, false),
        }
    }
}

/// Installs what needs no password, and names everything else that is missing before the long
/// steps begin.
fn tools() -> Result<()> {
    let mut needed = vec![tools::NODE, tools::NPM, tools::PYTHON];
    needed.extend(livekit::find().is_none().then_some(tools::GO));
    needed.extend([
        tools::POSTGRESQL,
        tools::PGBOUNCER,
        tools::CHROMIUM,
        tools::FIREFOX,
    ]);
    needed.extend([tools::NGINX, tools::REDIS, tools::SQLITE, tools::PROMETHEUS]);
    needed.extend(cfg!(target_os = "linux").then_some(tools::SYSTEMD));
    tools::require(&needed)
}

/// Runs tests of this package.
fn own_tests(which: &str) -> Result<()> {
    let tests = format!("test --locked --package xtask {which}");
    run(&mut cargo(&tests))
}

fn rust() -> Result<()> {
    // The service includes the embed when it is compiled.
    embed::build()?;
    let mut tests = cargo("test --workspace --exclude xtask --locked");
    // Built by the same command, so that the tests of the CLI need not build it another time.
    tests.env("WIDGET_HTTP", service::program());
    tests.env("LIVEKIT_SERVER", livekit::program()?);
    tests.env("PGBOUNCER", tools::PGBOUNCER.require()?);
    tests.env("NGINX", tools::NGINX.require()?);
    tools::SQLITE.require()?;
    tests.env("REDIS_SERVER", tools::REDIS.require()?);
    tools::POSTGRESQL.require()?;
    if let (None, Some(initdb)) = (env_path("POSTGRES_BIN"), tools::POSTGRESQL.find()) {
        tests.env("POSTGRES_BIN", initdb.with_file_name(""));
    }
    run(&mut tests)
}
