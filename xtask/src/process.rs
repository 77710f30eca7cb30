//! Running programs so that none of them outlives the command that started it.
//!
//! Every program runs in a process group of its own, so that Ctrl-C reaches only this process,
//! which then stops each group in order. Should this process be killed itself, Linux ends its
//! children (`PR_SET_PDEATHSIG`). That is tied to the thread that starts them: start programs from
//! the main thread only.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

/// How often a waiting loop looks again.
pub(crate) const TICK: Duration = Duration::from_millis(25);

static STOP: AtomicBool = AtomicBool::new(false);

/// Takes over Ctrl-C, SIGTERM and SIGHUP: from now on they are only remembered.
///
/// # Errors
/// When the system refuses the handler.
pub(crate) fn stop_on_signals() -> Result<()> {
    ctrlc::set_handler(|| STOP.store(true, Ordering::SeqCst)).context("cannot take over Ctrl-C")
}

/// Whether somebody asked to stop.
pub(crate) fn stop_asked() -> bool {
    STOP.load(Ordering::SeqCst)
}

/// Fails when somebody asked to stop, so that `?` leads out.
///
/// # Errors
/// After Ctrl-C or SIGTERM.
pub(crate) fn go_on() -> Result<()> {
    if stop_asked() {
        bail!("stopped");
    }
    Ok(())
}

/// A command that is started in a group of its own and ends with this process.
pub(crate) fn attached(program: impl AsRef<OsStr>) -> Command {
    let mut command = if cfg!(target_os = "linux") {
        // Not `current_exe`: a build may have replaced the file meanwhile.
        let mut command = Command::new("/proc/self/exe");
        command
            .arg("run-attached")
            .arg(std::process::id().to_string())
            .arg("--")
            .arg(program);
        command
    } else {
        Command::new(program)
    };
    command.process_group(0).stdin(Stdio::null());
    command
}

/// The other half of [`attached`], in the child: ties its life to the parent's, then becomes the
/// program.
///
/// # Errors
/// When the program cannot be run.
pub(crate) fn run_attached(parent: i32, command: &[OsString]) -> Result<()> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(Signal::SIGTERM)
        .context("cannot tie the program to its parent")?;
    if nix::unistd::getppid().as_raw() != parent {
        bail!("the process that wanted this is gone");
    }
    let Some((program, arguments)) = command.split_first() else {
        bail!("no program is named")
    };
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("cannot run `{}`", program.display()))
}

/// Runs a command to its end, its output shown as it comes.
///
/// # Errors
/// When it cannot be started, ends with another status than 0, or somebody asks to stop meanwhile.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = shown(command);
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start `{name}`"))?;
    finish(&name, &mut child)
}

/// Runs a command to its end with its output in a file; the last lines are part of the error when
/// it fails.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_logged(command: &mut Command, log: &Path) -> Result<()> {
    if let Some(folder) = log.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command.stdout(file.try_clone()?).stderr(file);
    run(command).map_err(|error| {
        anyhow!(
            "{error:#}\nThe last lines of {}:\n{}",
            log.display(),
            tail(log, 30)
        )
    })
}

/// Runs a short command and gives what it wrote to its standard output.
///
/// # Errors
/// As [`run`]; what it wrote to its standard error is part of the error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = shown(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{name}`"))?;
    if !output.status.success() {
        bail!(
            "`{name}` ended with {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command as one would type it, without the wrapping of [`attached`].
pub(crate) fn shown(command: &Command) -> String {
    let mut words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .collect();
    if words.first() == Some(&OsStr::new("/proc/self/exe")) {
        words.drain(..4.min(words.len()));
    }
    words
        .iter()
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

fn finish(name: &str, child: &mut Child) -> Result<()> {
    loop {
        if let Some(status) = child.try_wait()? {
            if status.success() {
                return Ok(());
            }
            bail!("`{name}` ended with {status}");
        }
        if stop_asked() {
            stop(child, Duration::from_secs(5));
            bail!("stopped");
        }
        thread::sleep(TICK);
    }
}

/// Ends a child's whole group: asks first, and insists when `patience` is over.
pub(crate) fn stop(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let group = Pid::from_raw(i32::try_from(child.id()).ok()?);
    let _ = killpg(group, Signal::SIGTERM);
    let deadline = Instant::now() + patience;
    let mut status = None;
    // The group lives until its last member has ended, also when the child itself is gone.
    while Instant::now() < deadline {
        status = status.or_else(|| child.try_wait().ok().flatten());
        if status.is_some() && killpg(group, None).is_err() {
            return status;
        }
        thread::sleep(TICK);
    }
    let _ = killpg(group, Signal::SIGKILL);
    status.or_else(|| child.wait().ok())
}

/// The last lines of a file, for error messages.
pub(crate) fn tail(file: &Path, lines: usize) -> String {
    let text = std::fs::read(file)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let all: Vec<_> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_stopped_with_its_grandchildren() {
        let mut child = Command::new("sh")
            .args(["-c", "sleep 600 & echo $!; wait"])
            .process_group(0)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut line = String::new();
        let out = child.stdout.take().expect("piped");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).expect("a line");
        let grandchild = Pid::from_raw(line.trim().parse().expect("a process id"));
        stop(&mut child, Duration::from_secs(20));
        assert!(
            nix::sys::signal::kill(grandchild, None).is_err(),
            "the grandchild still runs"
        );
    }

    #[test]
    fn the_wrapping_is_not_shown() {
        assert_eq!(shown(attached("npm").arg("ci")), "npm ci");
    }
}
