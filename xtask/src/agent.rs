//! The example agent worker: its Python packages, and the worker itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Result;

use crate::{
    demo,
    livekit::{self, Access},
    packages,
    process::{self, Supervisor},
    service::{self, Build},
    workspace,
};

/// The name under which it is supervised.
pub(crate) const NAME: &str = "agent";

fn folder() -> PathBuf {
    workspace::root().join("examples/agent")
}

/// Installs what the worker and its tests need, and returns the Python that has it.
pub(crate) fn install() -> Result<PathBuf> {
    let lists = ["requirements.txt", "requirements-test.txt"].map(|list| folder().join(list));
    packages::python("agent", &lists)
}

/// A program of the example's environment, in its folder.
fn command(mut python: Command, arguments: &str) -> Command {
    python
        .args(arguments.split_whitespace())
        .current_dir(folder());
    python
}

/// Starts the worker and waits until LiveKit has registered it.
pub(crate) fn start(
    python: &Path,
    service: &str,
    key: &str,
    livekit: &Access,
    supervisor: &mut Supervisor,
) -> Result<()> {
    let mut command = command(process::attached(python), "agent.py start");
    command
        .env("PYTHONUNBUFFERED", "1")
        .env("WIDGETS_URL", service)
        .env("WIDGETS_API_KEY", key)
        .env("AGENT_NAME", demo::LIVEKIT_AGENT)
        .env("AGENT_PORT", "0");
    livekit.export(&mut command);
    supervisor.start(NAME, command, Duration::from_mins(1), |log| {
        fs::read_to_string(log)
            .is_ok_and(|text| text.lines().any(|line| line.trim() == "agent ready"))
    })
}

/// Checks how the example is written, then runs its own tests, which start a LiveKit server and the
/// service themselves.
pub(crate) fn test() -> Result<()> {
    let livekit = livekit::program()?;
    let python = install()?;
    for check in ["format --check", "check"] {
        let ruff = format!("-m ruff {check} --quiet --no-cache");
        process::run(&mut command(process::attached(&python), &ruff))?;
    }
    service::build(Build::Workspace)?;
    process::run(
        command(
            process::attached(python),
            "-m pytest --quiet -p no:cacheprovider",
        )
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("LIVEKIT_SERVER", livekit)
        .env("WIDGET_HTTP", service::program()),
    )
}

/// Speaks a sentence into a file, for a browser's microphone that plays it over and over. Before it
/// is silence enough for a greeting, and after it for an answer.
pub(crate) fn say(python: &Path, text: &str, file: &Path) -> Result<()> {
    let mut say = command(Command::new(python), "say.py --lead 5 --tail 12");
    process::output(say.arg(text).arg(file)).map(drop)
}
