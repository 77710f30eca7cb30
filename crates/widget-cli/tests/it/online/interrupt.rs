//! Ctrl-C: what was sent is waited for, and nothing else is begun.

#![cfg(unix)]

use std::{
    io::Read,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};

use axum::extract::Request;
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::Notify;

use expect_test::expect;
use serde_json::json;

use super::conversations;
use crate::{
    Folder, WIDGET,
    faults::Forwarder,
    kept_text,
    service::{Service, block_on},
};

/// Holds some requests until the test lets them go.
struct Gate {
    proxy: Forwarder,
    arrived: mpsc::Receiver<()>,
    open: Arc<Notify>,
}

impl Gate {
    /// Holds the requests with this method.
    fn start(service: &Service, method: &'static str) -> Self {
        Self::hold(service, move |request| request.method() == method)
    }

    fn hold(
        service: &Service,
        is_held: impl Fn(&Request) -> bool + Clone + Send + Sync + 'static,
    ) -> Self {
        let (sender, arrived) = mpsc::channel();
        let sender = Arc::new(Mutex::new(sender));
        let open = Arc::new(Notify::new());
        let gate = Arc::clone(&open);
        let proxy = Forwarder::start(service.url(), move |request| {
            let is_held = is_held(request);
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
        self.process(service, folder, arguments)
            .spawn()
            .expect("the command starts")
    }

    fn process(&self, service: &Service, folder: &Folder, arguments: &[&str]) -> Command {
        let mut command = folder.process(WIDGET, arguments);
        command
            .env("WIDGET_SERVICE", self.proxy.url())
            .env("WIDGET_API_KEY", &service.key)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

fn interrupt(child: &Child) {
    send(child, Signal::INT);
}

fn send(child: &Child, signal: Signal) {
    // It may have ended.
    let _ = kill_process(Pid::from_child(child), signal);
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

/// A text that was edited is kept while its change is looked at and sent.
#[test]
fn an_edited_text_is_kept() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let arguments = ["edit", &id.to_string(), "--yes"];
    let editor = "sed -i 's/Ask shop/Ask us/' \"$1\"";
    let folder = Folder::new().with("editor.sh", editor);
    for (method, signal) in [("POST", Signal::INT), ("PUT", Signal::TERM)] {
        let gate = Gate::start(&service, method);
        let mut child = gate
            .process(&service, &folder, &arguments)
            .env("EDITOR", "sh editor.sh")
            .env("TMPDIR", folder.path())
            .spawn()
            .expect("the command starts");
        gate.arrived.recv().expect("something is sent");
        // While a change is sent, the second signal ends the command.
        while child.try_wait().expect("a child").is_none() {
            send(&child, signal);
            std::thread::yield_now();
        }
        let (code, _, stderr) = end(child);
        assert_eq!(code, Some(2), "{method}: {stderr}");
        assert!(stderr.contains("interrupted"), "{method}: {stderr}");
        let kept = std::fs::read_to_string(kept_text(&stderr)).expect("a text");
        assert!(kept.contains("title: Ask us"), "{method}: {kept}");
        gate.open.notify_one();
    }
}

/// Somebody ends the command while the editor is open.
#[test]
fn the_text_of_an_editor_is_kept() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let arguments = ["edit", &id.to_string(), "--yes"];
    let editor = "sed -i 's/Ask shop/Ask us/' \"$1\"; echo open; read line < closed";
    let folder = Folder::new().with("editor.sh", editor);
    let closed = folder.path().join("closed");
    let fifo = folder.process("mkfifo", &["closed"]).status();
    assert!(fifo.expect("it runs").success());
    let mut child = folder
        .process(WIDGET, &arguments)
        .env("WIDGET_SERVICE", service.url())
        .env("WIDGET_API_KEY", &service.key)
        .env("EDITOR", "sh editor.sh")
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut open = [0; 5];
    let editor = child.stdout.as_mut().expect("a pipe");
    editor.read_exact(&mut open).expect("the editor is open");
    send(&child, Signal::TERM);
    child.wait().expect("it ends");
    // The editor has the pipes, too.
    std::fs::write(closed, "\n").expect("the editor ends");
    let (code, _, stderr) = end(child);
    assert_eq!(code, Some(2), "{stderr}");
    let kept = std::fs::read_to_string(kept_text(&stderr)).expect("a text");
    assert!(kept.contains("title: Ask us"), "{kept}");
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

/// A job of the service erases what a filter selects: it continues without the command, which says
/// how to look at it.
#[test]
fn a_job_that_erases_continues() {
    let mut service = Service::start_for_visitors();
    let widget = service.create_widget("shop", &["https://shop.example"]);
    service.publish(&widget);
    let email = json!({"email": "a@b.example"});
    let first = conversations::start(&mut service, &widget, "FIRST", &email);
    conversations::start(&mut service, &widget, "SECOND", &email);
    let folder = Folder::new();
    let erase = [
        "conversations",
        "erase",
        "--visitor",
        "a@b.example",
        "--yes",
    ];

    // While it is counted nothing has been begun.
    let gate = Gate::hold(&service, |request| {
        request.uri().path().contains("erasure-jobs/")
    });
    let child = gate.spawn(&service, &folder, &erase);
    gate.arrived.recv().expect("the count is asked for");
    interrupt(&child);
    let (code, _, stderr) = end(child);
    assert_eq!(code, Some(2));
    assert_eq!(stderr, "error: interrupted; nothing was written\n");
    let found = block_on(service.client().get_conversation(first)).expect("it is there");
    assert!(found.erased_at.is_none());

    // The second job erases; what it has done is not answered.
    let jobs = Arc::new(AtomicUsize::new(0));
    let gate = Gate::hold(&service, move |request| {
        if request.method() == "POST" && request.uri().path().ends_with("/erase") {
            jobs.fetch_add(1, Ordering::SeqCst);
        }
        jobs.load(Ordering::SeqCst) > 1 && request.uri().path().contains("erasure-jobs/")
    });
    let child = gate.spawn(&service, &folder, &erase);
    gate.arrived.recv().expect("the job is asked for");
    interrupt(&child);
    let (code, stdout, stderr) = end(child);
    assert_eq!(code, Some(2), "{stderr}");
    let job = stderr
        .split("--job ")
        .nth(1)
        .and_then(|rest| rest.get(..36))
        .unwrap_or_else(|| panic!("no job in {stderr}"))
        .to_owned();
    service.mask(job.clone(), "JOB");
    expect![[r#"
        - 2 conversations are erased for good
        ----
        hint: to find it in messages too: `widget conversations list --text a@b.example`
        error: interrupted; this was written before: a job by which 2 conversations are erased

        hint: the service continues with it; `widget conversations erase --job JOB` waits for it and shows what it did
    "#]].assert_eq(&service.masked(&format!("{stdout}----\n{stderr}")));
    service.check(
        &["conversations", "erase", "--job", &job],
        &expect![[r#"
        exit 0
        ---- stdout ----
        ✓ 2 conversations were erased
    "#]],
    );
    let found = block_on(service.client().get_conversation(first)).expect("it is there");
    assert!(found.erased_at.is_some());
}

/// A terminal that closes, and a job that is canceled, do not lose the id of a widget that is being
/// created.
#[test]
fn other_signals_wait_for_the_answer_too() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut service = Service::start();
        let shop = service.create_widget("shop", &["https://shop.example"]);
        let gate = Gate::start(&service, "POST");
        let folder = Folder::new();
        for name in ["a.yaml", "b.yaml"] {
            let text = format!(
                "agent_id: {}\nagent_version_id: {}\n",
                shop.agent_id, shop.agent_version_id
            );
            std::fs::write(folder.path().join(name), text).expect("a file");
        }
        let child = gate.spawn(&service, &folder, &["apply", ".", "--yes"]);
        gate.arrived.recv().expect("a creation is sent");
        send(&child, signal);
        gate.open.notify_one();
        let (code, _, stderr) = end(child);
        assert_eq!(code, Some(2), "{stderr}");
        assert!(
            stderr.contains("this was written before: a.yaml created"),
            "{stderr}"
        );
        let read = |name| std::fs::read_to_string(folder.path().join(name)).expect("a file");
        assert!(read("a.yaml").starts_with("id: "), "{signal:?}");
        assert!(read("b.yaml").starts_with("agent_id: "), "{signal:?}");
        assert!(read(".widgets-held").contains(&read("a.yaml")[4..40]));
    }
}

/// Whoever does not want to wait also reads what was written before, and the folder holds it.
#[test]
fn a_second_one_says_what_was_written_before() {
    let mut service = Service::start();
    let shop = service.create_widget("shop", &["https://shop.example"]);
    let folder = Folder::new();
    for name in ["a.yaml", "b.yaml"] {
        let text = format!(
            "agent_id: {}\nagent_version_id: {}\n",
            shop.agent_id, shop.agent_version_id
        );
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    let creations = Arc::new(AtomicUsize::new(0));
    let gate = Gate::hold(&service, move |request| {
        request.method() == "POST"
            && request.uri().path().ends_with("/web-widgets")
            && creations.fetch_add(1, Ordering::SeqCst) == 1
    });
    let mut child = gate.spawn(&service, &folder, &["apply", ".", "--yes"]);
    gate.arrived.recv().expect("the second creation is sent");
    // Two that come at once are one.
    while child.try_wait().expect("a child").is_none() {
        interrupt(&child);
        std::thread::yield_now();
    }
    let (code, _, stderr) = end(child);
    assert_eq!(code, Some(2));
    let error = "so the change may have been made; this was written before: a.yaml created\n";
    assert!(stderr.contains(error), "{stderr}");
    let created = folder.read("a.yaml");
    assert!(created.starts_with("id: "), "{created}");
    assert!(folder.read(".widgets-held").contains(&created[4..40]));
    assert!(folder.read("b.yaml").starts_with("agent_id: "));
    gate.open.notify_one();
}
