//! One file for each command: calls the rules and shows the answer.

mod diff;
mod explain;
mod manual;
mod migrate;
mod origins;
mod schema;
mod snippet;
mod validate;

use crate::{
    cli::{Command, Origins},
    exit::ExitCode,
    failure::Failure,
    printer::Printer,
};

/// Runs a command.
pub(crate) fn run(command: Command, printer: &mut Printer) -> Result<ExitCode, Failure> {
    match command {
        Command::Validate(arguments) => validate::run(&arguments, false, printer),
        Command::Lint(arguments) => validate::run(&arguments, true, printer),
        Command::Migrate(arguments) => migrate::run(&arguments, printer),
        Command::Diff(arguments) => diff::run(&arguments, printer),
        Command::Schema(arguments) => schema::run(&arguments, printer),
        Command::Explain(arguments) => explain::run(&arguments, printer),
        Command::Snippet(arguments) => snippet::run(&arguments, printer),
        Command::Origins(Origins::Test(arguments)) => origins::test(&arguments, printer),
        Command::Origins(Origins::Normalize(arguments)) => origins::normalize(&arguments, printer),
        Command::Completions(arguments) => manual::completions(&arguments, printer),
        Command::Man(arguments) => manual::man(&arguments, printer),
    }
}
