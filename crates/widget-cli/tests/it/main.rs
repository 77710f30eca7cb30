//! The `widget` command as a whole: arguments and files in; exit code, standard output and standard
//! error out, together in one snapshot.

#![expect(
    clippy::needless_raw_string_hashes,
    reason = "expect-test writes its snapshots so"
)]

mod completions;
mod docs;
mod doctor;
mod explain;
mod faults;
mod fixtures;
mod folder;
mod general;
mod inputs;
mod lost_answers;
mod migrate;
mod online;
mod origins;
mod outputs;
mod service;
mod support;
#[cfg(target_os = "linux")]
mod terminal;
mod validate;

use std::{env, fs, path::Path, process};

use assert_cmd::Command;
use expect_test::Expect;
use tempfile::TempDir;

/// A widget as the API returns it.
const SHOP: &str = r#"{
  "id": "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b",
  "organization_id": "acme",
  "agent_id": "0197a8b2-0000-7000-8000-000000000001",
  "agent_version_id": "0197a8b2-0000-7000-8000-000000000002",
  "domains": ["https://www.shop.example", "https://*.acme.example"],
  "published": true,
  "config": {"v1": {"theme": "dark", "chat": {"title": "Ask the shop"}}},
  "created_at": "2026-11-24T03:00:00Z",
  "updated_at": "2026-11-24T03:00:00Z"
}
"#;

/// The command, as cargo built it.
const WIDGET: &str = env!("CARGO_BIN_EXE_widget");

/// What a program needs of the environment of the tests: where programs, libraries, folders and the
/// certificates of the system are, and where a measurement of coverage is written.
const KEPT: [&str; 9] = [
    "HOME",
    "LD_LIBRARY_PATH",
    "LLVM_PROFILE_FILE",
    "PATH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "SYSTEMROOT",
    "TEMP",
    "TMPDIR",
];

/// A folder of files in which commands are run.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    fn with(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, content).expect("a file");
        self
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).expect("a text")
    }

    /// A browser for `BROWSER`, which writes down the address that it is to open.
    #[cfg(unix)]
    fn browser(&self) -> std::path::PathBuf {
        use std::os::unix::fs::PermissionsExt;

        let script = self.path().join("browser.sh");
        let text = "#!/bin/sh\necho \"$1\" > \"$0.part\" && mv \"$0.part\" \"$0.opened\"\n";
        fs::write(&script, text).expect("a script");
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&script, mode).expect("it can be run");
        script
    }

    /// The address that the browser opened: the command does not wait for it.
    #[cfg(unix)]
    fn opened(&self) -> String {
        let file = self.path().join("browser.sh.opened");
        let end = std::time::Instant::now() + std::time::Duration::from_mins(1);
        while !file.exists() {
            assert!(std::time::Instant::now() < end, "no browser was started");
            std::thread::yield_now();
        }
        let text = fs::read_to_string(file).expect("a text");
        text.trim_end().to_owned()
    }

    /// The command with these arguments.
    fn command(&self, arguments: &[&str]) -> Command {
        Command::from_std(self.process(WIDGET, arguments))
    }

    /// Any program in this folder, for tests that talk to it while it runs. Of the environment of
    /// the tests it gets no settings, proxies, editors and keyrings.
    fn process(&self, program: &str, arguments: &[&str]) -> process::Command {
        let mut command = process::Command::new(program);
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("XDG_CONFIG_HOME", self.path())
            .env("XDG_CACHE_HOME", self.path().join(".cache"));
        let kept = KEPT.iter();
        command.envs(kept.filter_map(|name| Some((name, env::var_os(name)?))));
        command
    }

    #[track_caller]
    fn check(&self, arguments: &[&str], expected: &Expect) {
        expected.assert_eq(&outcome(&mut self.command(arguments)));
    }

    #[track_caller]
    fn check_with_input(&self, arguments: &[&str], input: &str, expected: &Expect) {
        expected.assert_eq(&outcome(self.command(arguments).write_stdin(input)));
    }
}

/// The file in which `widget edit` says that it keeps a text.
#[cfg(unix)]
fn kept_text(shown: &str) -> &str {
    let (_, rest) = shown
        .split_once("your text is kept; `widget edit ")
        .unwrap_or_else(|| panic!("no text is kept: {shown}"));
    let (_, rest) = rest.split_once(" --file ").expect("a command");
    rest.split_once('`').expect("an end").0
}

/// Everything that a run prints, as one text.
fn outcome(command: &mut Command) -> String {
    let output = command.output().expect("a run");
    outputs::check(command.get_args(), &output.stdout);
    let mut text = match output.status.code() {
        Some(code) => format!("exit {code}\n"),
        None => "killed\n".to_owned(),
    };
    for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        if !bytes.is_empty() {
            let shown = String::from_utf8_lossy(bytes);
            text += "---- ";
            text += name;
            text += " ----\n";
            for line in shown.split_inclusive('\n') {
                // Clap ends empty lines of its help with spaces, which source files must not.
                text += line.trim_end();
                text += if line.ends_with('\n') { "\n" } else { "⏎\n" };
            }
        }
    }
    text
}
