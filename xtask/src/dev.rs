//! `cargo xtask dev`: everything running on this machine, for a person to look at.

use std::{
    fs::{self, File},
    path::PathBuf,
    thread,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::{
    agent, livekit,
    livekit::Access,
    ports::Ports,
    process,
    report::{self, paint},
    service::{self, Build},
    stack::Stack,
    tools, workspace,
};

/// How to run it.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where records, keys and logs are kept [default: target/dev]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Run what the tests have compiled already
    #[arg(long, hide = true)]
    tested: bool,
}

/// Starts everything, says where it is, and keeps it running until somebody asks to stop.
///
/// # Errors
/// When something does not start, or ends by itself.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let given = Access::from_environment()?;
    tools::together([
        tools::require(&[tools::NODE, tools::NPM, tools::PYTHON]),
        if given.is_some() {
            Ok(())
        } else {
            livekit::require()
        },
    ])?;
    let folder = arguments
        .data
        .clone()
        .unwrap_or_else(|| workspace::target().join("dev"));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let folder = folder.canonicalize()?;
    let lock = File::create(folder.join("lock"))?;
    if lock.try_lock().is_err() {
        bail!(
            "`cargo xtask dev` already runs with {}; stop it first, or name another folder with --data",
            folder.display()
        );
    }
    let foreign = given.is_some();
    let mut stack = Stack::start(
        &folder,
        || Ports::remembered(&folder),
        if arguments.tested {
            Build::Workspace
        } else {
            Build::Alone
        },
        given,
    )?;
    announce(&stack, foreign);
    loop {
        if process::stop_asked() {
            return report::part("Stopping", || {
                drop(stack);
                Ok(())
            });
        }
        if let Some(death) = stack.supervisor.death() {
            bail!(death);
        }
        thread::sleep(process::TICK);
    }
}

fn announce(stack: &Stack, foreign: bool) {
    let service = stack.service.origin();
    let logs = stack.supervisor.log(agent::NAME);
    let logs = logs.parent().unwrap_or(&logs).display();
    report::line("");
    report::line(&format!(
        "  Open     {}",
        paint("1;36", &stack.site.origin())
    ));
    report::line("");
    report::line(&format!("  Service  {service}"));
    report::line(&format!("  Widget   {}", stack.demo.widget_id));
    report::line(&format!("  API key  {}", stack.demo.key_file.display()));
    report::line(&format!("  Logs     {logs}"));
    if foreign {
        report::line(&format!(
            "\n  Your LiveKit must report to {service}/core/livekit/webhook for the state of conversations to be kept."
        ));
    }
    let processes: Vec<_> = [livekit::NAME, service::NAME, agent::NAME]
        .iter()
        .filter_map(|name| Some(format!("{name} {}", stack.supervisor.process(name)?)))
        .collect();
    report::line(&format!("  Running  {}", processes.join(", ")));
    report::line("\n  Ctrl-C stops everything.");
}
