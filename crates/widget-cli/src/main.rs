//! The `widget` command answers the questions that support staff have about widgets, offline, on
//! files. Every rule is in `widget-core`; this crate reads the input and shows the answer.

mod check;
mod cli;
mod commands;
mod exit;
mod failure;
mod help;
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
mod widget_file;

use std::process;

use clap::Parser;

use crate::{cli::Cli, printer::Printer};

fn main() -> process::ExitCode {
    let cli = Cli::parse();
    let mut printer = Printer::new(cli.global.output, cli.global.color, cli.global.quiet);
    let result = commands::run(cli.command, &mut printer);
    let exit = match result.and_then(|exit| printer.flush().map(|()| exit)) {
        Ok(exit) => exit,
        Err(failure) => {
            printer.failure(&failure);
            failure.exit
        }
    };
    exit.into()
}
