//! Programs that are measured, and what the system says of them.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStdout, Command},
};

/// Ticks of the processor time in `/proc` a second, the same on every Linux.
const TICKS: u64 = 100;

/// A server that says on its first line where it listens, and ends with this value.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// Read by nobody, but closed only at the end.
    _output: BufReader<ChildStdout>,
}

impl Server {
    /// Starts it with its log in a file, as in production.
    pub async fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let log = fs::File::options().append(true).create(true).open(log)?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let mut output = BufReader::new(child.stdout.take().context("no output")?);
        let mut line = String::new();
        output.read_line(&mut line).await?;
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.with_context(|| format!("{command:?} says `{line}`"))?;
        Ok(Self {
            address: address.parse()?,
            child,
            _output: output,
        })
    }

    /// The time for which processors have worked for it.
    pub fn processor_time(&self) -> Result<Duration> {
        processor_time_of(&self.read("stat")?)
    }

    /// Its memory in MiB: now, and at most since [`Self::forget_peak`].
    pub fn memory(&self) -> Result<(f64, f64)> {
        let text = self.read("status")?;
        let value = |name: &str| -> Result<f64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let kibibytes = line.context("no such line")?.trim().trim_end_matches(" kB");
            Ok(kibibytes.parse::<f64>()? / 1024.0)
        };
        Ok((value("VmRSS:")?, value("VmHWM:")?))
    }

    /// Has the system measure the peak of memory from now on.
    pub fn forget_peak(&self) -> Result<()> {
        Ok(fs::write(self.path("clear_refs")?, "5")?)
    }

    fn read(&self, file: &str) -> Result<String> {
        Ok(fs::read_to_string(self.path(file)?)?)
    }

    fn path(&self, file: &str) -> Result<PathBuf> {
        let id = self.child.id().context("the server has ended")?;
        Ok(Path::new("/proc").join(id.to_string()).join(file))
    }
}

/// The time for which processors have worked for this process.
pub fn own_processor_time() -> Result<Duration> {
    processor_time_of(&fs::read_to_string("/proc/self/stat")?)
}

fn processor_time_of(stat: &str) -> Result<Duration> {
    let (_, fields) = stat.rsplit_once(") ").context("a process has a name")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Duration::from_millis(ticks * 1000 / TICKS))
}

/// A program that was built beside this one.
pub fn beside(name: &str) -> Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(name))
}

/// What a program writes to its output.
pub async fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().await;
    let output = output.with_context(|| format!("cannot start {command:?}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{command:?} failed: {errors}");
    Ok(String::from_utf8(output.stdout)?)
}
