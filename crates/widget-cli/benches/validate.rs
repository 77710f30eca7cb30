//! The cost of checking many files, compared with only parsing them as JSON, and of starting the
//! command, compared with the smallest program of the system.
//!
//! `cargo xtask bench` prints it. Nothing is asserted, because machines differ.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use divan::{Bencher, black_box, counter::ItemsCount};
use serde_json::{Value, json};
use tempfile::TempDir;

fn main() {
    divan::main();
}

const FILES: usize = 10_000;

/// As many configs as a large customer may have, all different.
struct Folder {
    directory: TempDir,
    files: Vec<PathBuf>,
}

impl Folder {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let files = (0..FILES)
            .map(|number| {
                let path = directory.path().join(format!("{number:05}.json"));
                let text = serde_json::to_string_pretty(&config(number)).expect("JSON");
                fs::write(&path, text).expect("a file");
                path
            })
            .collect();
        Self { directory, files }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }
}

fn config(number: usize) -> Value {
    json!({"v1": {
        "theme": "dark",
        "trigger": {"size": 40 + number % 40, "label": format!("Ask shop {number}")},
        "chat": {
            "title": format!("Shop {number}"),
            "greeting": "Ask me about opening hours, prices, or your order.",
            "light_mode": {
                "background_color": {"user_message": "#1d4ed8"},
                "text_color": {"user_message": "#fff"},
            },
        },
        "suggested_questions": ["What are your opening hours?", "Where is my order?"],
        "forms": [{"id": "contact", "name": "Contact", "fields": [
            {"id": "name", "type": "text", "label": "Your name", "required": true, "max_length": 80},
            {"id": "email", "type": "email", "label": "Your address", "required": true},
        ]}],
    }})
}

/// The whole command: start, find, read, check, report.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn widget_validate(bencher: Bencher<'_, '_>) {
    let folder = Folder::new();
    bencher.counter(ItemsCount::new(FILES)).bench(|| {
        let status = Command::new(env!("CARGO_BIN_EXE_widget"))
            .arg("validate")
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("the command starts");
        assert!(status.success());
    });
}

/// The same files through `serde_json` alone, on one thread.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn bare_serde_json(bencher: Bencher<'_, '_>) {
    let folder = Folder::new();
    bencher
        .counter(ItemsCount::new(FILES))
        .bench(|| parse(&folder.files));
}

/// The same on every core, as the command does it.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn bare_serde_json_on_every_core(bencher: Bencher<'_, '_>) {
    let folder = Folder::new();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    bencher.counter(ItemsCount::new(FILES)).bench(|| {
        thread::scope(|scope| {
            for part in folder.files.chunks(FILES.div_ceil(cores)) {
                scope.spawn(|| parse(part));
            }
        });
    });
}

fn parse(files: &[PathBuf]) {
    for path in files {
        let text = fs::read_to_string(path).expect("a file");
        black_box(serde_json::from_str::<Value>(&text).expect("JSON"));
    }
}

/// The start of a program that does nothing: what no command can go below.
#[cfg(unix)]
#[divan::bench]
fn start_bare_true() {
    run("true", &[]);
}

/// From the start to the end of a command that works on nothing.
#[divan::bench]
fn start_widget_version() {
    run(env!("CARGO_BIN_EXE_widget"), &["--version"]);
}

/// The same for a question about a file.
#[divan::bench]
fn start_widget_explain(bencher: Bencher<'_, '_>) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("widget.json");
    let widget = json!({
        "agent_id": "0197a8b2-0000-7000-8000-000000000001",
        "agent_version_id": "0197a8b2-0000-7000-8000-000000000002",
        "domains": ["https://shop.example"],
        "published": true,
        "config": config(0),
    });
    fs::write(&path, widget.to_string()).expect("a file");
    let path = path.to_str().expect("UTF-8");
    let arguments = ["explain", path, "--page", "https://shop.example"];
    bencher.bench(|| run(env!("CARGO_BIN_EXE_widget"), &arguments));
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("it starts");
    assert!(status.success());
}
