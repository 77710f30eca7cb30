//! The databases to measure on: a file, and a server of PostgreSQL that ends with the measurement.

use std::{
    fs,
    os::unix::{fs::MetadataExt as _, fs::chown},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::process::output;

/// PostgreSQL refuses to run as root; this user always exists.
const NOBODY: u32 = 65_534;

/// One of both kinds of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// Where databases of one kind are.
pub struct Databases {
    folder: TempDir,
    server: Option<Child>,
}

impl Databases {
    pub async fn start(kind: Kind) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("widget-bench-").tempdir()?;
        let server = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => Some(start_postgres(folder.path()).await?),
        };
        Ok(Self { folder, server })
    }

    /// The URL of a new, empty database.
    pub async fn create(&self, name: &str) -> Result<String> {
        let folder = self.folder.path();
        if self.server.is_none() {
            return Ok(format!("sqlite:{}", folder.join(name).display()));
        }
        let mut create = as_user(folder, &program("createdb")?)?;
        output(create.arg("-h").arg(folder).args(["-U", "widgets", name])).await?;
        let folder = folder.display();
        Ok(format!("postgres://widgets@localhost/{name}?host={folder}"))
    }

    /// A folder for other files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Starts a server as Debian configures it, which a crash does not make lose anything.
async fn start_postgres(folder: &Path) -> Result<Child> {
    if fs::metadata(folder)?.uid() == 0 {
        chown(folder, Some(NOBODY), Some(NOBODY))?;
    }
    let data = folder.join("data");
    let mut create = as_user(folder, &program("initdb")?)?;
    create.arg("-D").arg(&data);
    output(create.args([
        "--username=widgets",
        "--auth=trust",
        "--locale=C",
        "-E",
        "UTF8",
    ]))
    .await?;
    let mut server = as_user(folder, &program("postgres")?)?
        .arg("-D")
        .arg(&data)
        .args(["-c", "listen_addresses=", "-c", "lc_messages=C", "-k"])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut log = BufReader::new(server.stderr.take().context("no log")?);
    let mut line = String::new();
    while !line.contains("ready to accept connections") {
        line.clear();
        ensure!(log.read_line(&mut line).await? > 0, "PostgreSQL ended");
    }
    // Read on, or the server would wait for its log at some time.
    tokio::spawn(async move { tokio::io::copy(&mut log, &mut tokio::io::sink()).await });
    Ok(server)
}

fn as_user(folder: &Path, program: &Path) -> Result<Command> {
    let mut command = Command::new(program);
    command.current_dir(folder);
    if fs::metadata(folder)?.uid() == NOBODY {
        command.uid(NOBODY).gid(NOBODY);
    }
    Ok(command)
}

/// A program of PostgreSQL's server, where Debian keeps it or on the PATH.
pub fn program(name: &str) -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = versions.flatten().map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .with_context(|| {
            format!("`{name}` is missing; install it with: sudo apt-get install -y postgresql")
        })
}
