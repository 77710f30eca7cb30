//! Running programs so that none of them outlives the command that started it.
//!
//! Every program runs in a process group of its own, so that Ctrl-C reaches only this process,
//! which then stops each group in order. If this process itself is killed, Linux ends its children
//! (`PR_SET_PDEATHSIG`). That is tied to the thread that starts them: start programs from the main
//! thread only.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::{self, File},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
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

use crate::workspace;

/// How often a loop that waits looks again.
pub(crate) const TICK: Duration = Duration::from_millis(25);

/// How long a program may take to be ready, on a busy machine.
const START_TIMEOUT: Duration = Duration::from_mins(2);

/// How long a program may take to end by itself.
const STOP_TIMEOUT: Duration = Duration::from_secs(8);

/// How many of a log's last lines explain a failure.
const LOG_LINES: usize = 30;

static STOP: AtomicBool = AtomicBool::new(false);

/// Handles Ctrl-C, SIGTERM and SIGHUP: from now on they are only remembered.
pub(crate) fn handle_signals() -> Result<()> {
    ctrlc::set_handler(|| STOP.store(true, Ordering::SeqCst)).context("cannot handle Ctrl-C")
}

/// Whether somebody asked to stop.
pub(crate) fn stop_requested() -> bool {
    STOP.load(Ordering::SeqCst)
}

/// Fails when somebody asked to stop, so that `?` leads out.
pub(crate) fn check_stop() -> Result<()> {
    if stop_requested() {
        bail!("stopped");
    }
    Ok(())
}

/// A command that starts in a group of its own and ends with this process. Its arguments are
/// separated by spaces.
pub(crate) fn attached(program: impl AsRef<OsStr>, arguments: &str) -> Command {
    let mut command;
    if cfg!(target_os = "linux") {
        // Not `current_exe`: a build may have replaced the file since.
        command = Command::new("/proc/self/exe");
        command.args(["run-attached", &std::process::id().to_string(), "--"]);
        command.arg(program);
    } else {
        command = Command::new(program);
    }
    command.args(arguments.split_whitespace());
    command.process_group(0).stdin(Stdio::null());
    command
}

/// The other half of [`attached`], in the child: ties its life to the parent's, then becomes the
/// program.
pub(crate) fn run_attached(parent: i32, command: &[OsString]) -> Result<()> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(Signal::SIGTERM)
        .context("cannot tie the program to its parent")?;
    if nix::unistd::getppid().as_raw() != parent {
        bail!("the parent process is gone");
    }
    let (program, arguments) = command.split_first().context("no program is named")?;
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("cannot run `{}`", program.display()))
}

/// An [`attached`] cargo, the same one that runs this command.
pub(crate) fn cargo(arguments: &str) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = attached(program, arguments);
    // What cargo says about this package would have build scripts run again that read it.
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// The command as one would type it, without the wrapping of [`attached`].
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    let wrapping = if words[0] == "/proc/self/exe" { 4 } else { 0 };
    words[wrapping..].join(" ")
}

/// Runs a command to its end, its output shown as it comes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let mut group = Group::spawn(command)?;
    loop {
        if let Some(status) = group.status()? {
            if status.success() {
                return Ok(());
            }
            bail!("`{}` ended with {status}", group.name);
        }
        check_stop()?;
        thread::sleep(TICK);
    }
}

/// Runs a command to its end with its output in a log of that name; the error has its last lines.
pub(crate) fn run_logged(command: &mut Command, name: &str) -> Result<()> {
    let logs = workspace::target().join("xtask");
    fs::create_dir_all(&logs)?;
    let log = logs.join(format!("{name}.log"));
    write_output_to(command, &log)?;
    run(command).map_err(|error| anyhow!("{error:#}\n{}", last_lines(&log)))
}

/// Runs a short command and returns what it wrote to its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = shown(command);
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot start `{name}`"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let status = output.status;
        bail!("`{name}` ended with {status}\n{}", errors.trim_end());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn write_output_to(command: &mut Command, log: &Path) -> Result<()> {
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command.stdout(file.try_clone()?).stderr(file);
    Ok(())
}

/// The end of a log, for error messages.
pub(crate) fn last_lines(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n");
    format!("The last lines of {}:\n{last}", log.display())
}

/// A running program together with all that it starts; dropping it stops them.
pub(crate) struct Group {
    name: String,
    child: Child,
}

impl Group {
    /// Starts an [`attached`] command.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self> {
        let name = shown(command);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start `{name}`"))?;
        Ok(Self { name, child })
    }

    /// How the program has ended, if it has.
    pub(crate) fn status(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    fn signal(&self, signal: Option<Signal>) -> bool {
        i32::try_from(self.child.id()).is_ok_and(|id| killpg(Pid::from_raw(id), signal).is_ok())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Some(Signal::SIGTERM));
        let deadline = Instant::now() + STOP_TIMEOUT;
        // The group lives until its last member has ended, also when the child itself is gone.
        while !matches!(self.status(), Ok(Some(_))) || self.signal(None) {
            if Instant::now() > deadline {
                self.signal(Some(Signal::SIGKILL));
                let _ = self.child.wait();
                return;
            }
            thread::sleep(TICK);
        }
    }
}

/// The programs that run as long as the command does, their output in logs; dropping it stops them,
/// the latest first.
pub(crate) struct Supervisor {
    pub(crate) logs: PathBuf,
    programs: Vec<Program>,
}

struct Program {
    name: &'static str,
    log: PathBuf,
    command: Command,
    is_ready: Box<dyn Fn() -> bool>,
    /// How often it was started.
    starts: u32,
    running: Option<Group>,
}

impl Supervisor {
    /// Supervises nothing yet; logs will be in the folder, one file for each start of a program,
    /// and those of earlier runs no longer.
    pub(crate) fn new(logs: PathBuf) -> Result<Self> {
        for log in fs::read_dir(&logs).into_iter().flatten().flatten() {
            let log = log.path();
            if log.extension().is_some_and(|extension| extension == "log") {
                fs::remove_file(&log)
                    .with_context(|| format!("cannot remove {}", log.display()))?;
            }
        }
        fs::create_dir_all(&logs).with_context(|| format!("cannot create {}", logs.display()))?;
        let programs = Vec::new();
        Ok(Self { logs, programs })
    }

    /// Starts an [`attached`] program, and waits until it is ready.
    pub(crate) fn start(
        &mut self,
        name: &'static str,
        command: Command,
        is_ready: impl Fn() -> bool + 'static,
    ) -> Result<()> {
        self.programs.push(Program {
            name,
            log: self.log(name),
            command,
            is_ready: Box::new(is_ready),
            starts: 0,
            running: None,
        });
        self.start_again(name)
    }

    /// Starts a program again that was killed, with a new log. The old one stays beside it, since
    /// it may say why something failed before.
    pub(crate) fn start_again(&mut self, name: &str) -> Result<()> {
        let index = self.programs.iter().position(|known| known.name == name);
        let index = index.with_context(|| format!("there is no program `{name}` to start"))?;
        let program = &mut self.programs[index];
        if program.starts > 0 {
            let before = program
                .log
                .with_extension(format!("{}.log", program.starts));
            fs::rename(&program.log, before)?;
        }
        program.starts += 1;
        write_output_to(&mut program.command, &program.log)?;
        program.running = Some(Group::spawn(&mut program.command)?);
        let deadline = Instant::now() + START_TIMEOUT;
        while Instant::now() < deadline {
            check_stop()?;
            self.check()?;
            if (self.programs[index].is_ready)() {
                return Ok(());
            }
            thread::sleep(TICK);
        }
        let (seconds, log) = (START_TIMEOUT.as_secs(), last_lines(&self.log(name)));
        bail!("{name} was not ready within {seconds} s. {log}")
    }

    /// Fails when one of the programs has ended by itself.
    pub(crate) fn check(&mut self) -> Result<()> {
        for program in &mut self.programs {
            let group = program.running.as_mut();
            if let Some(status) = group.map_or(Ok(None), Group::status)? {
                let (name, log) = (program.name, last_lines(&program.log));
                bail!("{name} ended by itself with {status}. {log}");
            }
        }
        Ok(())
    }

    /// Ends one program at once, as if its machine had gone.
    pub(crate) fn kill(&mut self, name: &str) {
        for program in self.programs.iter_mut().filter(|known| known.name == name) {
            if let Some(group) = program.running.take() {
                group.signal(Some(Signal::SIGKILL));
            }
        }
    }

    /// The log of a program.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{name}.log"))
    }

    /// What runs, each with the process that also names its group.
    pub(crate) fn processes(&self) -> String {
        let shown = self.programs.iter().filter_map(|program| {
            let id = program.running.as_ref()?.child.id();
            Some(format!("{} {id}", program.name))
        });
        shown.collect::<Vec<_>>().join(", ")
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        while self.programs.pop().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};

    use super::*;

    #[test]
    fn a_group_is_stopped_with_its_grandchildren() {
        let mut group = Group::spawn(
            Command::new("sh")
                .args(["-c", "sleep 600 & echo $!; wait"])
                .process_group(0)
                .stdout(Stdio::piped()),
        )
        .expect("a shell");
        let mut line = String::new();
        let out = group.child.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let grandchild = Pid::from_raw(line.trim().parse().expect("a process id"));
        drop(group);
        assert!(
            nix::sys::signal::kill(grandchild, None).is_err(),
            "the grandchild still runs"
        );
    }

    #[test]
    fn the_wrapping_is_not_shown() {
        assert_eq!(
            shown(attached("npm", "ci --quiet").arg("a b")),
            "npm ci --quiet a b"
        );
    }
}
