//! Ctrl-C: what was sent is waited for, and nothing else is begun.

#![cfg(unix)]

use std::{
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::Notify;

use crate::{
    Folder,
    faults::Forwarder,
    service::{Service, block_on},
};

/// Holds requests with this method until the test lets them go.
struct Gate {
    proxy: Forwarder,
    arrived: mpsc::Receiver<()>,
    open: Arc<Notify>,
}

impl Gate {
    fn start(service: &Service, method: &'static str) -> Self {
        let (sender, arrived) = mpsc::channel();
        let sender = Arc::new(Mutex::new(sender));
        let open = Arc::new(Notify::new());
        let gate = Arc::clone(&open);
        let proxy = Forwarder::start(service.url(), move |request| {
            let is_held = request.method() == method;
            if is_held {
                let sent = sender.lock().expect("a sender").send(());
                sent.expect("the test waits");
            }
            let gate = Arc::clone(&gate);
            async move {
                if is_held {
                    gate.notified().await;
                }
            }
        });
        Self {
            proxy,
            arrived,
            open,
        }
    }

    fn spawn(&self, service: &Service, folder: &Folder, arguments: &[&str]) -> Child {
        Command::new(assert_cmd::cargo::cargo_bin("widget"))
            .args(arguments)
            .current_dir(folder.path())
            .env("WIDGET_SERVICE", self.proxy.url())
            .env("WIDGET_API_KEY", &service.key)
            .env("XDG_CONFIG_HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts")
    }
}

fn interrupt(child: &Child) {
    // It may have ended.
    let _ = kill_process(Pid::from_child(child), Signal::INT);
}

/// Exit code, standard output and standard error.
fn end(child: Child) -> (Option<i32>, String, String) {
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn a_change_that_was_sent_is_waited_for() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let gate = Gate::start(&service, "PUT");
    let folder = Folder::new();
    let arguments = ["set", &id.to_string(), "/config/v1/theme=dark", "--yes"];
    let child = gate.spawn(&service, &folder, &arguments);
    gate.arrived.recv().expect("a change is sent");
    interrupt(&child);
    gate.open.notify_one();
    let (code, stdout, stderr) = end(child);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!stderr.contains("interrupted"), "{stderr}");
    assert!(stdout.contains("✓"), "{stdout}");
    let now = block_on(service.client().get_web_widget(id)).expect("a widget");
    let now = serde_json::to_value(now.value).expect("JSON");
    assert_eq!(now["config"]["v1"]["theme"], "dark");
}

/// Whoever does not want to wait reads that the change may have been made.
#[test]
fn a_second_one_ends_the_command() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let gate = Gate::start(&service, "PUT");
    let folder = Folder::new();
    let arguments = ["set", &id.to_string(), "/config/v1/theme=dark", "--yes"];
    let mut child = gate.spawn(&service, &folder, &arguments);
    gate.arrived.recv().expect("a change is sent");
    // Two that come at once are one.
    while child.try_wait().expect("a child").is_none() {
        interrupt(&child);
        std::thread::yield_now();
    }
    let (code, _, stderr) = end(child);
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("interrupted before the answer to a change arrived"),
        "{stderr}"
    );
    gate.open.notify_one();
}

#[test]
fn before_a_change_nothing_is_written() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let folder = Folder::new();
    let id = id.to_string();
    let commands: [&[&str]; 3] = [
        &["set", &id, "/config/v1/theme=dark", "--yes"],
        &["delete", &id, "--yes"],
        &["create", "--agent", "agent of shop", "--yes"],
    ];
    for arguments in commands {
        let gate = Gate::start(&service, "GET");
        let child = gate.spawn(&service, &folder, arguments);
        gate.arrived.recv().expect("something is read");
        interrupt(&child);
        let (code, stdout, stderr) = end(child);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert_eq!(stderr, "error: interrupted; nothing was written\n");
    }
}
