//! What a test of backups needs: the scripts of `deploy/backup`, and somebody who writes meanwhile.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json};

use super::process::Server;

/// How many agents one page of a list can have.
const MAX_AGENTS: usize = 200;

/// A file below `deploy/`.
pub(crate) fn deployed(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join("deploy").join(path)
}

/// What a command prints that succeeds.
#[track_caller]
pub(crate) fn printed(command: &mut Command) -> String {
    let output = command.output().expect("it runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaint}");
    String::from_utf8(output.stdout).expect("text")
}

/// What a command says that fails.
#[track_caller]
pub(crate) fn refused(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().expect("it runs");
    assert!(!status.success(), "{command:?} succeeds");
    String::from_utf8(stderr).expect("text")
}

/// Ends the work of other threads when it is dropped, also by a panic.
pub(crate) struct Done<'a>(pub(crate) &'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Creates agents until the backup is done. Returns the ids of those that were there before it
/// began, and of all.
pub(crate) fn write_during(
    server: &Server,
    key: &str,
    backup: impl FnOnce(),
) -> (BTreeSet<String>, BTreeSet<String>) {
    let (created, is_done) = (Mutex::new(BTreeSet::new()), AtomicBool::new(false));
    let count = || {
        created
            .lock()
            .expect("no test panics while holding it")
            .len()
    };
    let create = || {
        let body = json!({"name": format!("Agent {}", count())}).to_string();
        let answer = server.request("POST", "/core/agents", key, &body);
        let (status, body) = answer.expect("it answers");
        assert_eq!(status, 201, "{body}");
        let agent: Value = serde_json::from_str(&body).expect("JSON");
        let id = agent["id"].as_str().expect("it has an id").to_owned();
        let mut created = created.lock().expect("no test panics while holding it");
        created.insert(id);
    };
    let before = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            // The last one follows.
            while !is_done.load(Ordering::Acquire) && count() < MAX_AGENTS - 1 {
                create();
            }
        });
        while count() < 20 && !writer.is_finished() {
            std::thread::yield_now();
        }
        let before = created.lock().expect("no test panics").clone();
        let _done = Done(&is_done);
        backup();
        before
    });
    // One more that no backup can contain.
    create();
    (before, created.into_inner().expect("no test panics"))
}

/// The ids of all agents.
fn agents(server: &Server, key: &str) -> BTreeSet<String> {
    let path = format!("/core/agents?limit={MAX_AGENTS}");
    let (status, body) = server.request("GET", &path, key, "").expect("it answers");
    assert_eq!(status, 200, "{body}");
    let agents: Vec<Value> = serde_json::from_str(&body).expect("a list");
    let ids = agents.iter().filter_map(|agent| agent["id"].as_str());
    ids.map(str::to_owned).collect()
}

/// Checks that a service on what was restored has everything of before the backup, nothing that
/// never was, and works.
#[track_caller]
pub(crate) fn assert_restored(
    server: &Server,
    key: &str,
    before: &BTreeSet<String>,
    all: &BTreeSet<String>,
) {
    let restored = agents(server, key);
    assert!(before.is_subset(&restored), "{before:?}, {restored:?}");
    assert!(restored.is_subset(all) && restored != *all);
    let (status, body) = server
        .request("GET", "/readyz", "", "")
        .expect("it answers");
    assert_eq!(status, 200, "{body}");
    let body = json!({"name": "After the restore"}).to_string();
    let written = server.request("POST", "/core/agents", key, &body);
    assert_eq!(written.expect("it answers").0, 201);
}
