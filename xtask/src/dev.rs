//! `cargo xtask dev`: everything running on this machine, for a person to look at.

use std::{
    fs::{self, File},
    path::PathBuf,
    thread,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::{
    agent, livekit, process,
    report::{self, line, paint},
    service::Build,
    stack::Stack,
    tools, workspace,
};

/// The ports of the service and the site.
const PORTS: [u16; 2] = [8080, 8090];

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
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let access = livekit::access_from_environment()?;
    let is_foreign = access.is_some();
    let mut needed = vec![tools::NODE, tools::NPM, tools::PYTHON];
    needed.extend((!is_foreign && livekit::find().is_none()).then_some(tools::GO));
    tools::require(&needed)?;
    let folder = arguments.data.clone();
    let folder = folder.unwrap_or_else(|| workspace::target().join("dev"));
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let folder = folder.canonicalize()?;
    let lock = File::create(folder.join("lock"))?;
    if lock.try_lock().is_err() {
        bail!(
            "`cargo xtask dev` already runs with {}; \
             stop it first, or name another folder with --data",
            folder.display()
        );
    }
    let build = if arguments.tested {
        Build::Workspace
    } else {
        Build::Alone
    };
    agent::install()?;
    let mut stack = Stack::start(&folder, PORTS, build, access)?;
    stack.start_for_visitors()?;
    announce(&stack, is_foreign);
    while !process::stop_requested() {
        stack.supervisor.check()?;
        thread::sleep(process::TICK);
    }
    report::part("Stopping", || {
        drop(stack);
        Ok(())
    })
}

fn announce(stack: &Stack, is_foreign: bool) {
    let open = paint("1;36", &stack.site());
    let (service, demo) = (&stack.service, &stack.demo);
    line(&format!("\n  Open     {open}\n"));
    line(&format!("  Service  {service}"));
    line(&format!("  Widget   {}", demo.widget_id));
    line(&format!("  API key  {}", demo.key_file.display()));
    line(&format!("  Logs     {}", stack.supervisor.logs.display()));
    line(&format!("  Running  {}", stack.supervisor.processes()));
    if is_foreign {
        line(&format!(
            "\n  Your LiveKit must report to {service}/core/livekit/webhook: \
             the states of conversations depend on it."
        ));
    }
    if !is_foreign {
        line(
            "\n  Firefox connects to this machine itself only with media.peerconnection.ice.loopback \
             set to true in about:config.",
        );
    }
    line("\n  Ctrl-C stops everything.");
}
