//! Programs that run as long as the command does: started with their output in files, watched, and
//! stopped together.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::process::{self, TICK};

/// How long a program is given to end by itself.
const PATIENCE: Duration = Duration::from_secs(8);

/// The programs that run; dropping it stops them all, the latest first.
#[derive(Debug)]
pub(crate) struct Supervisor {
    logs: PathBuf,
    running: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Supervisor {
    /// Watches over nothing yet; logs will be in the folder, one file a program.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub(crate) fn new(logs: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&logs)
            .with_context(|| format!("cannot make {}", logs.display()))?;
        Ok(Self {
            logs,
            running: Vec::new(),
        })
    }

    /// Starts a program (made by [`process::attached`]) with its output in a fresh log.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(&mut self, name: &'static str, mut command: Command) -> Result<()> {
        process::go_on()?;
        let log = self.logs.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdout(file.try_clone()?).stderr(file);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start `{}`", process::shown(&command)))?;
        self.running.push(Running { name, child, log });
        Ok(())
    }

    /// Waits until a started program is ready.
    ///
    /// # Errors
    /// When it ends, or is not ready in time, with its last log lines; or when somebody asks to
    /// stop.
    pub(crate) fn wait(
        &mut self,
        name: &str,
        patience: Duration,
        ready: impl Fn(&Path) -> bool,
    ) -> Result<()> {
        let deadline = Instant::now() + patience;
        let log = self.log(name);
        loop {
            process::go_on()?;
            if let Some(death) = self.death() {
                bail!(death);
            }
            if ready(&log) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!(
                    "{name} was not ready within {} s. {}",
                    patience.as_secs(),
                    last_lines(&log)
                );
            }
            thread::sleep(TICK);
        }
    }

    /// What to tell when one of the programs has ended by itself.
    pub(crate) fn death(&mut self) -> Option<String> {
        self.running
            .iter_mut()
            .find_map(|Running { name, child, log }| {
                let status = child.try_wait().ok().flatten()?;
                Some(format!(
                    "{name} ended by itself with {status}. {}",
                    last_lines(log)
                ))
            })
    }

    /// Ends one program at once, as if its machine had gone.
    pub(crate) fn kill(&mut self, name: &str) {
        while let Some(place) = self.running.iter().position(|running| running.name == name) {
            process::stop(&mut self.running.remove(place).child, Duration::ZERO);
        }
    }

    /// The log of a program.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.logs.join(format!("{name}.log"))
    }

    /// The process of a program, which also names its group.
    pub(crate) fn process(&self, name: &str) -> Option<u32> {
        self.running
            .iter()
            .find(|running| running.name == name)
            .map(|running| running.child.id())
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        while let Some(mut running) = self.running.pop() {
            process::stop(&mut running.child, PATIENCE);
        }
    }
}

fn last_lines(log: &Path) -> String {
    format!(
        "The last lines of {}:\n{}",
        log.display(),
        process::tail(log, 20)
    )
}
