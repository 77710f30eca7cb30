//! Measures the service as it is built for production beside named baselines, in one run; started
//! by `cargo xtask bench`.
//!
//! Machines differ and are shared: what counts are the ratios.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]
#![expect(unreachable_pub, reason = "a program has no other callers")]

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use tokio::runtime::Builder;

mod bare;
mod baseline;
mod client;
mod conversations;
mod database;
mod memory;
mod messages;
mod numbers;
mod pages;
mod process;
mod scale;
mod service;
mod widgets;

/// Measurements of the built service beside named baselines
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Launcher config, loader and window beside a static route
    Http(Measure),
    /// Starts of conversations beside the bare database
    Storage(Measure),
    /// Memory, and the time of a start
    Memory(Measure),
    /// Reads with one million widgets beside one thousand
    Widgets {
        #[command(flatten)]
        measure: Measure,
        /// How many are many
        #[arg(long, default_value_t = 1_000_000)]
        many: usize,
    },
    /// Ten million messages in monthly partitions of PostgreSQL
    Messages {
        /// How many
        #[arg(long, default_value_t = 10_000_000)]
        messages: u32,
    },
    /// What one processor serves, and how many a day of many visitors needs
    Scale(Measure),
    /// Serve recorded answers: the baseline of `http`
    #[command(hide = true)]
    StaticServer {
        answers: PathBuf,
        #[arg(long)]
        log_requests: bool,
    },
}

/// How long and how often to measure.
#[derive(Debug, Clone, Args)]
struct Measure {
    /// Seconds of one round
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Rounds, in which all sides are measured in turn
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Connections that are used at the same time
    #[arg(long, default_value_t = 32)]
    connections: usize,
}

impl Measure {
    /// What the numbers were measured under.
    fn conditions(&self) -> String {
        let processors = std::thread::available_parallelism().map_or(0, usize::from);
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or_default();
        let (rounds, seconds) = (self.rounds, self.seconds);
        format!("{rounds} rounds of {seconds} s, {processors} processors, load {load} at the start")
    }
}

fn main() -> Result<()> {
    let command = Arguments::parse().command;
    let mut runtime = Builder::new_multi_thread();
    // The baseline runs as the service does, on all processors.
    if !matches!(command, Command::StaticServer { .. }) {
        runtime.worker_threads(1);
    }
    runtime.enable_all().build()?.block_on(run(command))
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Http(measure) => pages::run(&measure).await,
        Command::Storage(measure) => conversations::run(&measure).await,
        Command::Memory(measure) => memory::run(&measure).await,
        Command::Widgets { measure, many } => widgets::run(&measure, many).await,
        Command::Messages { messages } => messages::run(messages).await,
        Command::Scale(measure) => scale::run(&measure).await,
        Command::StaticServer {
            answers,
            log_requests,
        } => baseline::serve(&answers, log_requests).await,
    }
}
