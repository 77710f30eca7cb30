//! The `widget` command answers the questions that support staff have about widgets, on files and
//! of a service. Every rule is in `widget-core`; this crate reads the input and shows the answer.

mod check;
mod cli;
mod commands;
mod complete;
mod exit;
mod failure;
mod file_write;
mod folder;
mod help;
mod online;
#[cfg(test)]
mod outputs;
mod parallel;
mod paths;
mod printer;
mod record;
mod report;
mod rewrite;
mod service;
mod source;
mod subject;
mod suffixes;
mod table;
mod widget_file;

use std::process;

use clap::FromArgMatches;

use crate::{cli::Cli, printer::Printer};

fn main() -> process::ExitCode {
    match complete::answer_shell() {
        Some(Ok(())) => return process::ExitCode::SUCCESS,
        Some(Err(())) => return process::ExitCode::FAILURE,
        None => {}
    }
    let matches = help::grouped().try_get_matches();
    let matches = matches.unwrap_or_else(|error| help::with_nearest(error).exit());
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let mut printer = Printer::new(cli.global.output, cli.global.color, cli.global.quiet);
    let result = commands::run(cli.command, &cli.global, &mut printer);
    let exit = match result.and_then(|exit| printer.flush().map(|()| exit)) {
        Ok(exit) => exit,
        Err(failure) => {
            printer.failure(&failure);
            failure.exit
        }
    };
    exit.into()
}
