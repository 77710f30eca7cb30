//! The example agent worker: its Python packages in the user's cache, and the worker itself.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};

use crate::{
    demo, embed,
    livekit::{self, Access},
    process, report,
    service::{self, Build},
    supervise::Supervisor,
    tools, workspace,
};

/// The name under which it is supervised.
pub(crate) const NAME: &str = "agent";

/// The folder of the example.
pub(crate) fn folder() -> PathBuf {
    workspace::root().join("examples/agent")
}

/// Installs what the worker needs, once for each list of requirements, and gives the Python that
/// has it.
///
/// # Errors
/// When Python is missing or the installation fails.
pub(crate) fn install() -> Result<PathBuf> {
    let mut requirements: Vec<_> = fs::read_dir(folder())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| is_list(path))
        .collect();
    requirements.sort();
    // By content, not by place: clones in several folders share one installation.
    let mut texts = requirements
        .iter()
        .map(fs::read_to_string)
        .collect::<std::io::Result<Vec<_>>>()?;
    texts.push(
        process::output(std::process::Command::new("python3").arg("--version")).unwrap_or_default(),
    );
    let environment =
        workspace::cache()?.join(format!("agent-{:016x}", embed::hash_text(&texts.concat())));
    let (python, complete) = (
        environment.join("bin/python"),
        environment.join(".complete"),
    );
    if complete.is_file() && python.exists() {
        return Ok(python);
    }
    tools::require(&[tools::PYTHON])?;
    report::part(
        "Installing the packages of the example agent, once (about a minute)",
        || {
            let log = workspace::target().join("xtask/agent-install.log");
            process::run_logged(
                process::attached("python3")
                    .args(["-m", "venv", "--clear"])
                    .arg(&environment),
                &log,
            )?;
            let mut install = process::attached(&python);
            install.args([
                "-m",
                "pip",
                "install",
                "--disable-pip-version-check",
                "--no-input",
            ]);
            for list in &requirements {
                install.arg("--requirement").arg(list);
            }
            process::run_logged(&mut install, &log)?;
            fs::write(&complete, "").with_context(|| format!("cannot write {}", complete.display()))
        },
    )?;
    Ok(python)
}

fn is_list(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "txt")
        && path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .is_some_and(|stem| stem.starts_with("requirements"))
}

/// Starts the worker and waits until LiveKit has taken it on.
///
/// # Errors
/// When it does not start.
pub(crate) fn start(
    python: &Path,
    service: &str,
    key: &str,
    livekit: &Access,
    supervisor: &mut Supervisor,
) -> Result<()> {
    let mut command = process::attached(python);
    command
        .args(["agent.py", "start"])
        .current_dir(folder())
        .env("PYTHONUNBUFFERED", "1")
        .env("WIDGETS_URL", service)
        .env("WIDGETS_API_KEY", key)
        .env("AGENT_NAME", demo::LIVEKIT_AGENT)
        .env("AGENT_PORT", "0");
    livekit.tell(&mut command);
    supervisor.start(NAME, command)?;
    supervisor.wait(NAME, Duration::from_mins(1), |log| {
        fs::read_to_string(log)
            .is_ok_and(|text| text.lines().any(|line| line.trim() == "agent ready"))
    })
}

/// Checks how the example is written, then runs its own tests, which start a LiveKit server and the
/// service themselves.
///
/// # Errors
/// When a check or a test fails.
pub(crate) fn test() -> Result<()> {
    let livekit = livekit::program()?;
    let python = install()?;
    for check in [&["format", "--check"][..], &["check"]] {
        process::run(
            process::attached(&python)
                .args(["-m", "ruff"])
                .args(check)
                .args(["--quiet", "--no-cache"])
                .current_dir(folder()),
        )?;
    }
    service::build(Build::Workspace)?;
    process::run(
        process::attached(python)
            .args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider"])
            .current_dir(folder())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("LIVEKIT_SERVER", livekit)
            .env("WIDGET_HTTP", service::program()),
    )
}

/// Speaks a sentence into a file, for a browser's microphone that plays it over and over. Before it
/// is silence enough for a greeting, and after it for an answer.
///
/// # Errors
/// When the example cannot speak.
pub(crate) fn say(python: &Path, text: &str, file: &Path) -> Result<()> {
    process::output(
        std::process::Command::new(python)
            .arg("say.py")
            .arg(text)
            .arg(file)
            .args(["--lead", "5", "--tail", "12"])
            .current_dir(folder()),
    )
    .map(drop)
}
