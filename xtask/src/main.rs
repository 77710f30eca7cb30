//! Development commands, run as `cargo xtask …`, so that a clone needs no other tool.
//!
//! This crate is compiled before anything is shown, so it has few dependencies and polls instead of
//! using an async runtime.

mod agent;
mod commands;
mod contract;
mod demo;
mod dev;
mod embed;
mod generated;
mod http;
mod livekit;
mod packages;
mod ports;
mod process;
mod report;
mod service;
mod site;
mod stack;
mod story;
mod suite;
mod tools;
mod workspace;

use std::{ffi::OsString, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Development commands of Web Widgets.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything on this machine and print the address to open
    Dev(dev::Arguments),
    /// Install what the tests need and run all of them, or only the steps named
    Test(suite::Arguments),
    /// Build the release binaries with the embed inside
    Build,
    /// Print the measurements of the benches; of the service: `http`, `storage`, `memory`,
    /// `widgets`, `scale` or `messages`
    Bench(commands::Rest),
    /// Print how long a visitor waits for words and for a voice
    Measure,
    /// Write the generated files (schemas and what is made of them)
    Gen(generated::Arguments),
    /// Run the fuzz targets for a minute each
    Fuzz(commands::Rest),
    /// Run a program that ends when this process does; used by the commands above
    #[command(hide = true)]
    RunAttached {
        /// The process that must still be the parent when the program starts
        parent: i32,
        /// The program and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        // Somebody asked for it, so there is nothing to explain.
        Err(_) if process::stop_requested() => ExitCode::from(130),
        Err(error) => {
            report::line(&format!("\n{} {error:#}", report::paint("1;31", "error:")));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    if let Command::RunAttached { parent, command } = command {
        return process::run_attached(parent, &command);
    }
    process::handle_signals()?;
    std::env::set_current_dir(workspace::root())?;
    match command {
        Command::Dev(arguments) => dev::run(&arguments),
        Command::Test(arguments) => suite::run_steps(&arguments),
        Command::Build => commands::build(),
        Command::Bench(rest) => commands::bench(&rest),
        Command::Measure => story::play(&[], true),
        Command::Gen(arguments) => generated::run(&arguments),
        Command::Fuzz(rest) => commands::fuzz(&rest),
        Command::RunAttached { .. } => unreachable!("handled above, before the signals"),
    }
}
