//! The test that `cargo xtask dev` starts everything, finds it again at the next start, and leaves
//! nothing behind, however it is ended.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Child,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};

use crate::{http, process, report, workspace};

/// Runs the test.
///
/// # Errors
/// When something does not start, is not found again, or outlives the command.
pub(crate) fn test() -> Result<()> {
    let folder = workspace::target().join("e2e/dev");
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => fs::create_dir_all(&folder)?,
    }
    let first = report::part("Started, then ended with Ctrl-C", || {
        start_and_end(&folder, Signal::SIGINT)
    })?;
    let second = report::part("Started again, then ended with SIGTERM", || {
        start_and_end(&folder, Signal::SIGTERM)
    })?;
    ensure!(
        first.widget == second.widget,
        "the second start made another widget: {first:?}, {second:?}"
    );
    // Only Linux ends children with a parent that could not do anything any more.
    if cfg!(target_os = "linux") {
        report::part("Started again, then killed", || {
            start_and_end(&folder, Signal::SIGKILL)
        })?;
    }
    Ok(())
}

/// What the command said about what runs.
#[derive(Debug)]
struct Announced {
    site: String,
    service: String,
    widget: String,
    groups: Vec<(String, Pid)>,
}

fn start_and_end(folder: &Path, signal: Signal) -> Result<Announced> {
    let log = folder.join("dev.log");
    let out = fs::File::create(&log)?;
    let mut command = process::attached(std::env::current_exe()?);
    if cfg!(target_os = "linux") {
        command = process::attached("/proc/self/exe");
    }
    command
        .args(["dev", "--tested"])
        .arg("--data")
        .arg(folder)
        .stdout(out.try_clone()?)
        .stderr(out);
    for name in ["LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"] {
        command.env_remove(name);
    }
    let mut dev = command.spawn().context("cannot start `dev`")?;
    let result = check(&mut dev, &log, signal);
    if result.is_err() {
        process::stop(&mut dev, Duration::from_secs(20));
    }
    result.map_err(|error| {
        anyhow!(
            "{error:#}
The last lines of {}:
{}",
            log.display(),
            process::tail(&log, 30)
        )
    })
}

fn check(dev: &mut Child, log: &Path, signal: Signal) -> Result<Announced> {
    let told = || fs::read_to_string(log).unwrap_or_default();
    wait(
        "`dev` to say that everything runs",
        Duration::from_mins(10),
        || {
            if let Some(status) = dev.try_wait()? {
                bail!("`dev` ended with {status}");
            }
            Ok(told().contains("Ctrl-C stops everything"))
        },
    )?;
    let announced = Announced::read(&told())?;
    let [site, service] = [address(&announced.site)?, address(&announced.service)?];
    ensure!(http::is_up(site, "/"), "the site does not answer");
    ensure!(
        http::is_up(service, "/readyz"),
        "the service does not answer"
    );
    let page = http::request(site, "GET", "/", None, None)?
        .body
        .to_string();
    ensure!(
        page.contains(&announced.widget),
        "the site does not embed the widget"
    );
    ensure!(
        announced.groups.len() == 3,
        "not three programs run: {announced:?}"
    );
    for (name, group) in &announced.groups {
        ensure!(killpg(*group, None).is_ok(), "{name} does not run");
    }

    kill(Pid::from_raw(i32::try_from(dev.id())?), signal)?;
    wait("`dev` to end", Duration::from_secs(40), || {
        Ok(dev.try_wait()?.is_some())
    })?;
    for (name, group) in &announced.groups {
        wait(
            &format!("{name} to be gone"),
            Duration::from_secs(20),
            || Ok(killpg(*group, None).is_err()),
        )?;
    }
    for address in [site, service] {
        ensure!(
            TcpStream::connect(address).is_err(),
            "something still listens on {address}"
        );
    }
    Ok(announced)
}

impl Announced {
    fn read(told: &str) -> Result<Self> {
        let after = |word: &str| {
            told.lines()
                .find_map(|line| line.trim().strip_prefix(word))
                .map(|rest| rest.trim().to_owned())
                .with_context(|| format!("`dev` did not print `{word}`"))
        };
        let groups = after("Running ")?
            .split(", ")
            .map(|program| {
                let (name, id) = program.split_once(' ').context("no process was named")?;
                Ok((name.to_owned(), Pid::from_raw(id.parse()?)))
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            site: after("Open ")?,
            service: after("Service ")?,
            widget: after("Widget ")?,
            groups,
        })
    }
}

/// The loopback address behind a URL.
fn address(url: &str) -> Result<SocketAddr> {
    let port = url.rsplit(':').next().context("no port")?.parse::<u16>()?;
    Ok((std::net::Ipv4Addr::LOCALHOST, port).into())
}

fn wait(what: &str, patience: Duration, mut done: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + patience;
    while !done()? {
        process::go_on()?;
        ensure!(
            Instant::now() < deadline,
            "waited {} s for {what}",
            patience.as_secs()
        );
        thread::sleep(process::TICK);
    }
    Ok(())
}
