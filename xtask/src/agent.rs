//! The example agent worker: its Python packages, and the worker itself.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
};

use anyhow::Result;

use crate::{
    demo, livekit, packages,
    process::{self, attached},
    service::{self, Build},
    stack::Stack,
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

/// Starts the worker and waits until LiveKit has registered it.
pub(crate) fn start(stack: &mut Stack) -> Result<()> {
    let mut command = attached(install()?, "agent.py start");
    command
        .current_dir(folder())
        .env("PYTHONUNBUFFERED", "1")
        .env("WIDGETS_URL", &stack.service)
        .env("WIDGETS_API_KEY", &stack.demo.worker_key)
        .env("AGENT_NAME", demo::LIVEKIT_AGENT)
        .env("AGENT_PORT", "0")
        .envs(stack.livekit.clone());
    let log = stack.supervisor.log(NAME);
    stack.supervisor.start(NAME, command, move || {
        let text = fs::read_to_string(&log).unwrap_or_default();
        text.lines().any(|line| line.trim() == "agent ready")
    })
}

/// Checks how the example is written, then runs its own tests, which start a LiveKit server and the
/// service themselves.
pub(crate) fn test() -> Result<()> {
    let livekit = livekit::program()?;
    let python = install()?;
    let run = |arguments: &str| {
        process::run(
            attached(&python, arguments)
                .current_dir(folder())
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .env("LIVEKIT_SERVER", &livekit)
                .env("WIDGET_HTTP", service::program()),
        )
    };
    run("-m ruff format --check --quiet --no-cache")?;
    run("-m ruff check --quiet --no-cache")?;
    service::build(Build::Workspace)?;
    run("-m pytest --quiet -p no:cacheprovider")
}

/// Speaks a sentence into a file, for a browser's microphone that plays it over and over, unless
/// it is there. Before it is silence enough for a greeting, and after it for an answer.
pub(crate) fn say(text: &str, file: &Path) -> Result<()> {
    let program = ["say.py", "espeak.py"].map(|name| folder().join(name));
    let mut inputs = DefaultHasher::new();
    (packages::hash(&program)?, text).hash(&mut inputs);
    let stamp = file.with_extension("stamp");
    let title = "Recording what the visitor says";
    packages::once(inputs.finish(), file, &stamp, title, || {
        let mut say = attached(install()?, "say.py --lead 5 --tail 12");
        process::run(say.arg(text).arg(file).current_dir(folder()))
    })
}
