//! The LiveKit server: finding or building its program, and running it on this machine only.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::json;

use crate::{
    http, ports,
    process::{self, Supervisor},
    report, tools,
    workspace::{self, env_path, write_secret},
};

/// The name under which the server is supervised.
pub(crate) const NAME: &str = "livekit-server";

/// The version that this project is tested with. 1.13.6 and later cannot be built by `go install`.
const VERSION: &str = "1.13.5";

/// Finds the program: `LIVEKIT_SERVER`, then `livekit-server` on the PATH, then the one built
/// before into the user's cache; and builds it there when there is none.
pub(crate) fn program() -> Result<PathBuf> {
    if let Some(path) = find()? {
        return Ok(path);
    }
    tools::require(&[tools::GO])?;
    let program = built()?;
    // Built beside its place and then moved, so that an interrupted build leaves nothing half done.
    let build = program.with_file_name(format!("build-{}", std::process::id()));
    fs::create_dir_all(&build)?;
    let package = format!("github.com/livekit/livekit-server/cmd/server@v{VERSION}");
    let mut go = process::attached("go");
    go.args(["install", &package])
        .env("GOBIN", &build)
        .env("GOFLAGS", "-trimpath");
    report::part(
        "Building the LiveKit server, once (about two minutes)",
        || process::run_logged(&mut go, "livekit-build"),
    )?;
    fs::rename(build.join("server"), &program).context("`go install` left no program `server`")?;
    let _ = fs::remove_dir(&build);
    Ok(program)
}

/// Checks that there is a program or what it takes to build one, without building it.
pub(crate) fn require() -> Result<()> {
    match find()? {
        Some(_) => Ok(()),
        None => tools::require(&[tools::GO]),
    }
}

fn find() -> Result<Option<PathBuf>> {
    if let Some(path) = env_path("LIVEKIT_SERVER").or_else(|| tools::find("livekit-server")) {
        return Ok(Some(path));
    }
    Ok(Some(built()?).filter(|program| program.is_file()))
}

/// Where the program is once it has been built.
fn built() -> Result<PathBuf> {
    let folder = workspace::cache()?.join(format!("livekit-server-{VERSION}"));
    Ok(folder.join("livekit-server"))
}

/// What a program needs to reach a LiveKit deployment, by LiveKit's own names.
const VARIABLES: [&str; 3] = ["LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"];

/// The values of these variables.
#[derive(Clone)]
pub(crate) struct Access([String; 3]);

impl Access {
    /// The deployment that the environment names, if it names one; an error when it names only
    /// parts of it.
    pub(crate) fn from_environment() -> Result<Option<Self>> {
        let values = VARIABLES.map(|name| env::var(name).unwrap_or_default());
        if values.iter().all(String::is_empty) {
            return Ok(None);
        }
        if values.iter().any(String::is_empty) {
            bail!("set all of {}, or none", VARIABLES.join(", "));
        }
        Ok(Some(Self(values)))
    }

    /// Puts the values into a program's environment.
    pub(crate) fn export(&self, command: &mut Command) {
        command
            .env_remove("LIVEKIT_PUBLIC_URL")
            .envs(VARIABLES.into_iter().zip(&self.0));
    }
}

/// A server of our own on this machine, with ports and a key chosen at the start.
pub(crate) struct Server {
    program: PathBuf,
    configuration: PathBuf,
    port: u16,
    pub(crate) access: Access,
}

impl Server {
    /// Writes the configuration of a server that talks to this machine only and reports to the
    /// service.
    pub(crate) fn configure(folder: &Path, service: &str) -> Result<Self> {
        let port = ports::free_tcp()?;
        let (key, secret) = (format!("dev{}", random_hex(1)?), random_hex(4)?);
        let interface = if cfg!(target_os = "linux") {
            "lo"
        } else {
            "lo0"
        };
        let configuration = folder.join("livekit.yaml");
        // JSON is YAML.
        let text = json!({
            "port": port,
            "bind_addresses": ["127.0.0.1"],
            "rtc": {
                "tcp_port": 0,
                "udp_port": ports::free_udp()?,
                "node_ip": "127.0.0.1",
                "use_external_ip": false,
                "enable_loopback_candidate": true,
                "interfaces": { "includes": [interface] },
                // Nobody listens there, and nobody has to: left out, clients look up servers on the
                // internet.
                "stun_servers": ["127.0.0.1:9"],
            },
            "keys": { &key: secret },
            "webhook": {
                "api_key": key,
                "urls": [format!("{service}/core/livekit/webhook")],
            },
        });
        write_secret(&configuration, &text.to_string())?;
        Ok(Self {
            program: program()?,
            configuration,
            port,
            access: Access([format!("ws://127.0.0.1:{port}"), key, secret]),
        })
    }

    /// Starts it and waits until it answers.
    pub(crate) fn start(&self, supervisor: &mut Supervisor) -> Result<()> {
        let mut command = process::attached(&self.program);
        command.arg("--config").arg(&self.configuration);
        let probe = format!("http://127.0.0.1:{}", self.port);
        supervisor.start(NAME, command, Duration::from_secs(30), |_| {
            http::is_up(&probe)
        })
    }
}

/// Random numbers of 64 bits each, in hexadecimal.
fn random_hex(numbers: usize) -> Result<String> {
    (0..numbers)
        .map(|_| getrandom::u64().map(|number| format!("{number:016x}")))
        .collect::<Result<_, _>>()
        .map_err(|error| anyhow!("the operating system has no random numbers: {error}"))
}
