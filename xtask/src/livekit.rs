//! The LiveKit server: finding or building its program, and running it on this machine only.

use std::{env, fs, path::PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::json;

use crate::{
    http, ports,
    process::{self, Supervisor},
    report, tools,
    workspace::{self, env_path},
};

/// The name under which the server is supervised.
pub(crate) const NAME: &str = "livekit-server";

/// The version that this project is tested with. 1.13.6 and later cannot be built by `go install`.
const VERSION: &str = "1.13.5";

/// Finds the program: `LIVEKIT_SERVER`, then `livekit-server` on the PATH, then the one built
/// before into the user's cache.
pub(crate) fn find() -> Option<PathBuf> {
    env_path("LIVEKIT_SERVER")
        .or_else(|| tools::find("livekit-server"))
        .or_else(|| built().ok().filter(|program| program.is_file()))
}

/// Where the program is once it has been built.
fn built() -> Result<PathBuf> {
    let folder = workspace::cache()?.join(format!("livekit-server-{VERSION}"));
    Ok(folder.join("livekit-server"))
}

/// Finds the program, or builds it when there is none.
pub(crate) fn program() -> Result<PathBuf> {
    if let Some(path) = find() {
        return Ok(path);
    }
    tools::GO.require()?;
    let program = built()?;
    // Named by its package and then renamed, so that an interrupted build leaves nothing half done.
    let installed = program.with_file_name("server");
    let package = format!("install github.com/livekit/livekit-server/cmd/server@v{VERSION}");
    let mut go = process::attached("go", &package);
    go.env("GOBIN", installed.with_file_name(""))
        .env("GOFLAGS", "-trimpath");
    let title = "Building the LiveKit server, once (about two minutes)";
    report::part(title, || process::run_logged(&mut go, "livekit-build"))?;
    fs::rename(installed, &program).context("`go install` left no program `server`")?;
    Ok(program)
}

/// What a program needs in its environment to reach a LiveKit server, by LiveKit's own names.
pub(crate) type Access = [(&'static str, String); 3];

const VARIABLES: [&str; 3] = ["LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"];

/// The server that the environment names, if it names one; an error when it names only parts of it.
pub(crate) fn access_from_environment() -> Result<Option<Access>> {
    let access = VARIABLES.map(|name| (name, env::var(name).unwrap_or_default()));
    match access.iter().filter(|(_, value)| value.is_empty()).count() {
        0 => Ok(Some(access)),
        3 => Ok(None),
        _ => bail!("set all of {}, or none", VARIABLES.join(", ")),
    }
}

/// Starts a server that talks to this machine only and reports to the service.
pub(crate) fn start(service: &str, supervisor: &mut Supervisor) -> Result<Access> {
    let (port, key) = (ports::tcp(0)?, "dev");
    let secret = random_secret()?;
    let interface = if cfg!(target_os = "linux") {
        "lo"
    } else {
        "lo0"
    };
    let configuration = json!({
        "port": port,
        "bind_addresses": ["127.0.0.1"],
        "rtc": {
            "tcp_port": 0,
            "udp_port": ports::udp()?,
            "node_ip": "127.0.0.1",
            "use_external_ip": false,
            "enable_loopback_candidate": true,
            "interfaces": { "includes": [interface] },
            // Nobody has to listen there: left out, clients look up servers on the internet.
            // Browsers block some ports, such as 9, and then connect to nothing at all.
            "stun_servers": ["127.0.0.1:3478"],
        },
        "keys": { key: &secret },
        "webhook": { "api_key": key, "urls": [format!("{service}/core/livekit/webhook")] },
    });
    let mut command = process::attached(program()?, "");
    // YAML, which JSON is.
    command.env("LIVEKIT_CONFIG", configuration.to_string());
    let probe = format!("http://127.0.0.1:{port}");
    supervisor.start(NAME, command, move || http::is_up(&probe))?;
    let [url, api_key, api_secret] = VARIABLES;
    Ok([
        (url, format!("ws://127.0.0.1:{port}")),
        (api_key, key.to_owned()),
        (api_secret, secret),
    ])
}

/// 32 random bytes, in hexadecimal.
fn random_secret() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow!("the operating system has no random numbers: {error}"))?;
    Ok(bytes.map(|byte: u8| format!("{byte:02x}")).concat())
}
