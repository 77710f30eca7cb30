//! Command line and environment; standard output carries data only, everything else goes to
//! standard error.

use std::{io::Write, process::ExitCode};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use output::print_line;
pub(crate) use telemetry::{Log, LogArguments};

mod agent_directory;
mod database;
mod environment;
mod key;
mod migrate;
mod output;
mod secret;
mod serve;
mod telemetry;

/// The web widget service.
///
/// Every setting has an environment variable. Give secrets in the environment or in a file, not in
/// a flag: other users of the machine can read flags.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) log: LogArguments,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer requests until SIGTERM or SIGINT; the first line of standard output is the address it
    /// listens on.
    Serve(Box<serve::ServeArguments>),
    /// Apply the migrations that the database lacks.
    Migrate(migrate::MigrateArguments),
    /// Create, list and revoke keys; works while a service runs on the same database.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Print the OpenAPI document.
    #[command(hide = true)]
    Openapi,
}

/// Reads the command line and the environment; ends the process when they cannot be read.
pub(crate) fn read_arguments() -> Arguments {
    let command = environment::without_empty_variables(Arguments::command());
    let matches = command.get_matches();
    Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// Runs one command to its end.
pub(crate) fn run(arguments: Arguments, log: &Log) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match arguments.command {
            Command::Serve(arguments) => serve::run(*arguments, log.dropped()).await,
            Command::Migrate(arguments) => migrate::run(arguments).await,
            Command::Key(command) => key::run(command).await,
            Command::Openapi => {
                print_line(widget_http::openapi().trim_end())?;
                Ok(ExitCode::SUCCESS)
            }
        }
    })
}

/// Prints why a command failed.
pub(crate) fn report_failure(error: &anyhow::Error) {
    // With standard error closed there is nowhere left to report it.
    let _ = writeln!(
        std::io::stderr(),
        "error: {}",
        widget_http::causes::with_causes(error.as_ref())
    );
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
