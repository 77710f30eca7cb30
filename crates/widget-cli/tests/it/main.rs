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
mod migrate;
mod online;
mod origins;
mod outputs;
mod service;
mod support;
mod validate;

use std::{fs, path::Path};

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

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::cargo_bin("widget").expect("built by cargo");
        command.current_dir(self.path()).args(arguments);
        for variable in [
            "NO_COLOR",
            "CLICOLOR",
            "CLICOLOR_FORCE",
            "COLUMNS",
            "TERM",
            "WIDGET_SERVICE",
            "WIDGET_API_KEY",
            "WIDGET_PROFILE",
            "DBUS_SESSION_BUS_ADDRESS",
            "HTTP_PROXY",
            "http_proxy",
            "HTTPS_PROXY",
            "https_proxy",
            "ALL_PROXY",
            "all_proxy",
        ] {
            command.env_remove(variable);
        }
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
