//! `cargo xtask dev` starts everything, finds its records again at the next start, and leaves
//! nothing behind, however it is stopped.

use std::{
    fs::{self, File},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};

#[test]
fn dev_starts_everything_and_leaves_nothing_behind() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dev");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the folder of the test");
    let mut widgets = Vec::new();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
        // Only Linux ends the children of a parent that is killed.
        if signal != Signal::SIGKILL || cfg!(target_os = "linux") {
            println!("Starting everything, then {signal}");
            widgets.push(start_and_stop(&folder, signal));
        }
    }
    widgets.dedup();
    assert_eq!(widgets.len(), 1, "each start finds the widget of the first");
}

/// Returns the id of the demo's widget.
fn start_and_stop(folder: &Path, signal: Signal) -> String {
    let mut dev = Dev::start(folder);
    wait(
        "`dev` to say that everything runs",
        Duration::from_mins(10),
        || {
            let status = dev.child.try_wait().expect("a status");
            assert!(
                status.is_none(),
                "`dev` ended: {status:?}\n{}",
                dev.output()
            );
            dev.output().contains("Ctrl-C stops everything")
        },
    );
    let [site, service, widget] = ["Open", "Service", "Widget"].map(|name| dev.announced(name));
    assert!(get(&site).contains(&widget), "the site embeds the widget");
    get(&format!("{service}/readyz"));
    let running = dev.announced("Running");
    let groups: Vec<_> = running
        .split(", ")
        .map(|program| {
            let (name, id) = program.split_once(' ').expect("a name and a process");
            (
                name,
                Pid::from_raw(id.parse().expect("the id of a process")),
            )
        })
        .collect();
    let names: Vec<_> = groups.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["livekit-server", "widget-http", "agent"]);
    for (name, group) in &groups {
        assert_eq!(killpg(*group, None), Ok(()), "{name} runs");
    }

    dev.signal(signal);
    wait("`dev` to end", Duration::from_secs(40), || {
        dev.child.try_wait().expect("a status").is_some()
    });
    for (name, group) in &groups {
        wait(
            &format!("{name} to be gone"),
            Duration::from_secs(20),
            || killpg(*group, None).is_err(),
        );
    }
    for url in [&site, &service] {
        let address = url.trim_start_matches("http://");
        assert!(TcpStream::connect(address).is_err(), "{address} is closed");
    }
    widget
}

/// A running `cargo xtask dev`; dropping it stops it.
struct Dev {
    child: Child,
    log: std::path::PathBuf,
}

impl Dev {
    fn start(folder: &Path) -> Self {
        let log = folder.join("dev.log");
        let out = File::create(&log).expect("the log");
        let child = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(["dev", "--tested", "--data"])
            .arg(folder)
            .env_remove("LIVEKIT_URL")
            .env_remove("LIVEKIT_API_KEY")
            .env_remove("LIVEKIT_API_SECRET")
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("the log again"))
            .stderr(out)
            .spawn()
            .expect("`dev` starts");
        Self { child, log }
    }

    fn output(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What `dev` printed after a word.
    fn announced(&self, word: &str) -> String {
        let output = self.output();
        output
            .lines()
            .find_map(|line| line.trim().strip_prefix(word)?.strip_prefix(' '))
            .unwrap_or_else(|| panic!("`dev` did not print {word}:\n{output}"))
            .trim()
            .to_owned()
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("the id of a process");
        kill(Pid::from_raw(id), signal).expect("`dev` runs");
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.signal(Signal::SIGTERM);
            let _ = self.child.wait();
        }
    }
}

/// The body of a page; anything but a success fails.
fn get(url: &str) -> String {
    let mut answer = ureq::get(url)
        .config()
        .proxy(None)
        .build()
        .call()
        .expect(url);
    answer.body_mut().read_to_string().expect("a body")
}

#[track_caller]
fn wait(what: &str, timeout: Duration, mut is_done: impl FnMut() -> bool) {
    let deadline = Instant::now() + timeout;
    while !is_done() {
        assert!(
            Instant::now() < deadline,
            "waited {} s for {what}",
            timeout.as_secs()
        );
        thread::sleep(Duration::from_millis(25));
    }
}
