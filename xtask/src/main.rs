//! Development commands, run as `cargo xtask …`, so that a clone needs no other tool to be learned.
//!
//! This crate is compiled before anything is shown, so it depends on little and waits with plain
//! polling instead of an async runtime.

mod agent;
mod browser;
mod demo;
mod dev;
mod embed;
mod http;
mod livekit;
mod ports;
mod postgres;
mod process;
mod release;
mod report;
mod server;
mod service;
mod site;
mod stack;
mod stopping;
mod story;
mod suite;
mod supervise;
mod thin;
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
    /// Print the measurements of the benches
    Bench(thin::Rest),
    /// Print how long a visitor waits for words and for a voice
    Measure,
    /// Write the generated files (schemas and what is made of them)
    Gen,
    /// Run the fuzz targets for a while
    Fuzz(thin::Rest),
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
        // Asked for, so there is nothing to explain.
        Err(_) if process::stop_asked() => ExitCode::from(130),
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
    process::stop_on_signals()?;
    std::env::set_current_dir(workspace::root())?;
    match command {
        Command::Dev(arguments) => dev::run(&arguments),
        Command::Test(arguments) => suite::run(&arguments),
        Command::Build => release::build(),
        Command::Bench(rest) => thin::bench(&rest),
        Command::Measure => story::measure(),
        Command::Gen => thin::generate(),
        Command::Fuzz(rest) => thin::fuzz(&rest),
        Command::RunAttached { .. } => unreachable!("handled above, before signals are taken over"),
    }
}
