//! The LiveKit server: finding or building its program, and running it on this machine only.

use std::{
    env, fs,
    io::Write as _,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::json;

use crate::workspace::secret_file;
use crate::{http, ports, process, report, supervise::Supervisor, tools, workspace};

/// The version that this project is tried with. 1.13.6 and later cannot be built by `go install`.
const VERSION: &str = "1.13.5";

/// Finds the program: `LIVEKIT_SERVER`, then `livekit-server` on the PATH, then the one built
/// before into the user's cache; and builds it there when there is none.
///
/// # Errors
/// When it has to be built and Go is missing or the build fails.
pub(crate) fn program() -> Result<PathBuf> {
    if let Some(path) = find()? {
        return Ok(path);
    }
    tools::require(&[tools::GO])?;
    let program = built()?;
    let folder = program.parent().unwrap_or(&program);
    report::part(
        "Building the LiveKit server, once (about two minutes)",
        || {
            // Built beside its place and then moved, so that a build that was stopped leaves
            // nothing half done.
            let build = folder.join(format!("build-{}", std::process::id()));
            fs::create_dir_all(&build)?;
            process::run_logged(
                process::attached("go")
                    .arg("install")
                    .arg(format!(
                        "github.com/livekit/livekit-server/cmd/server@v{VERSION}"
                    ))
                    .env("GOBIN", &build)
                    .env("GOFLAGS", "-trimpath"),
                &workspace::target().join("xtask/livekit-build.log"),
            )?;
            fs::rename(build.join("server"), &program)
                .context("`go install` left no program `server`")?;
            let _ = fs::remove_dir(&build);
            Ok(())
        },
    )?;
    Ok(program)
}

/// Checks that there is a program or what it takes to build one, without building it.
///
/// # Errors
/// When it has to be built and Go is missing.
pub(crate) fn require() -> Result<()> {
    if find()?.is_none() {
        tools::require(&[tools::GO])?;
    }
    Ok(())
}

fn find() -> Result<Option<PathBuf>> {
    if let Some(path) = env::var_os("LIVEKIT_SERVER").filter(|path| !path.is_empty()) {
        return Ok(Some(path.into()));
    }
    if let Some(path) = tools::find("livekit-server") {
        return Ok(Some(path));
    }
    Ok(Some(built()?).filter(|program| program.is_file()))
}

/// Where the program is once it has been built.
fn built() -> Result<PathBuf> {
    Ok(workspace::cache()?
        .join(format!("livekit-server-{VERSION}"))
        .join("livekit-server"))
}

/// The name under which the server is supervised.
pub(crate) const NAME: &str = "livekit-server";

/// How to reach a LiveKit deployment, and with which key.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) url: String,
    api_key: String,
    api_secret: String,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Access")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Access {
    /// The deployment that the environment names, if it names one.
    ///
    /// # Errors
    /// When it names one only by half.
    pub(crate) fn from_environment() -> Result<Option<Self>> {
        let names = ["LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"];
        let values = names.map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
        let missing: Vec<_> = names
            .iter()
            .zip(&values)
            .filter(|(_, value)| value.is_none())
            .collect();
        match values {
            [Some(url), Some(api_key), Some(api_secret)] => Ok(Some(Self {
                url,
                api_key,
                api_secret,
            })),
            _ if missing.len() == names.len() => Ok(None),
            _ => {
                let missing: Vec<_> = missing.iter().map(|(name, _)| **name).collect();
                bail!(
                    "{} is not set, but others of {} are",
                    missing.join(" and "),
                    names.join(", ")
                )
            }
        }
    }

    /// Puts it into a program's environment, under LiveKit's own names.
    pub(crate) fn tell(&self, command: &mut Command) {
        command
            .env_remove("LIVEKIT_PUBLIC_URL")
            .env("LIVEKIT_URL", &self.url)
            .env("LIVEKIT_API_KEY", &self.api_key)
            .env("LIVEKIT_API_SECRET", &self.api_secret);
    }
}

/// A server of our own on this machine, with ports and a key made at the start.
#[derive(Debug)]
pub(crate) struct Server {
    program: PathBuf,
    configuration: PathBuf,
    port: u16,
    pub(crate) access: Access,
}

impl Server {
    /// Writes the configuration of a server that talks to this machine only and reports to the
    /// service.
    ///
    /// # Errors
    /// When the program cannot be had or the file cannot be written.
    pub(crate) fn configure(folder: &Path, service: &str) -> Result<Self> {
        let program = program()?;
        let [port, media_port] = [ports::free_tcp()?, ports::free_udp()?];
        let access = Access {
            url: format!("ws://127.0.0.1:{port}"),
            api_key: format!("dev{}", random_hex(6)?),
            api_secret: random_hex(32)?,
        };
        let configuration = folder.join("livekit.yaml");
        // JSON is YAML.
        let text = json!({
            "port": port,
            "bind_addresses": ["127.0.0.1"],
            "rtc": {
                "tcp_port": 0,
                "udp_port": media_port,
                "node_ip": "127.0.0.1",
                "use_external_ip": false,
                "enable_loopback_candidate": true,
                "interfaces": { "includes": [if cfg!(target_os = "linux") { "lo" } else { "lo0" }] },
                // Nobody listens there, and nobody has to: left out, clients look up servers on the
                // internet.
                "stun_servers": ["127.0.0.1:9"],
            },
            "keys": { &access.api_key: access.api_secret },
            "webhook": {
                "api_key": access.api_key,
                "urls": [format!("{service}/core/livekit/webhook")],
            },
        });
        secret_file(&configuration)?.write_all(text.to_string().as_bytes())?;
        Ok(Self {
            program,
            configuration,
            port,
            access,
        })
    }

    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn start(&self, supervisor: &mut Supervisor) -> Result<()> {
        let mut command = process::attached(&self.program);
        command.arg("--config").arg(&self.configuration);
        supervisor.start(NAME, command)?;
        let address = (Ipv4Addr::LOCALHOST, self.port).into();
        supervisor.wait(NAME, Duration::from_secs(30), |_| http::is_up(address, "/"))
    }
}

fn random_hex(bytes: usize) -> Result<String> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random)
        .map_err(|error| anyhow!("no random bytes from the operating system: {error}"))?;
    Ok(random
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|half| char::from_digit(half.into(), 16))
        .collect())
}
