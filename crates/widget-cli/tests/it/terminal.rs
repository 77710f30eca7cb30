//! At a terminal: questions, the hidden key, progress and Ctrl-C.

use std::{
    fs::File,
    io::{Read, Write},
    process::Child,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use axum::{Json, response::IntoResponse};
use expect_test::expect;
use rustix::{
    fs::{Mode, OFlags, open},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr},
};
use serde_json::json;
use tokio::sync::Notify;

use crate::{
    Folder, WIDGET,
    faults::FaultServer,
    service::{Service, block_on},
};

/// A command that does not do what it should fails the test instead of blocking it.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A command with a terminal of its own, and the test as the person in front of it.
struct Terminal {
    child: Child,
    /// The person's side: what is written is typed.
    controller: File,
    output: mpsc::Receiver<Vec<u8>>,
    /// What was shown and is not read yet.
    shown: Vec<u8>,
}

impl Terminal {
    /// Starts the command; `settings` are variables of its environment.
    fn start(folder: &Folder, settings: &[(&str, &str)], arguments: &[&str]) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let controller = openpt(flags).expect("a terminal");
        grantpt(&controller).expect("it is ours");
        unlockpt(&controller).expect("it can be opened");
        let name = ptsname(&controller, Vec::new()).expect("it has a name");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let terminal = open(name.as_c_str(), flags, Mode::empty()).expect("it opens");
        let terminal = File::from(terminal);
        // Ctrl-C would throw away what is not read yet, also what the command says about it.
        let mut modes = tcgetattr(&terminal).expect("it has modes");
        modes.local_modes |= LocalModes::NOFLSH;
        tcsetattr(&terminal, OptionalActions::Now, &modes).expect("they can be set");
        let controller = File::from(controller);
        // As in a shell the terminal belongs to the command, so that Ctrl-C reaches it.
        let arguments = [&["-c", WIDGET], arguments].concat();
        let handle = || terminal.try_clone().expect("a handle");
        let child = folder
            .process("setsid", &arguments)
            .envs(settings.iter().copied())
            .stdin(handle())
            .stdout(handle())
            .stderr(handle())
            .spawn()
            .expect("the command starts");
        let mut reader = controller.try_clone().expect("a handle");
        let (sender, output) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 1024];
            // It fails when the command has ended: nobody has the other side anymore.
            while let Ok(length) = reader.read(&mut buffer) {
                let bytes = buffer.iter().take(length).copied().collect();
                if length == 0 || sender.send(bytes).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            controller,
            output,
            shown: Vec::new(),
        }
    }

    /// A command that asks this service, with the key of the tests.
    fn of(service: &Service, folder: &Folder, arguments: &[&str]) -> Self {
        let (url, key) = (service.url(), service.key.as_str());
        let settings = [("WIDGET_SERVICE", url.as_str()), ("WIDGET_API_KEY", key)];
        Self::start(folder, &settings, arguments)
    }

    /// Waits until `text` is shown, and reads everything to its end.
    fn read_until(&mut self, text: &str) -> String {
        loop {
            let mut parts = self.shown.windows(text.len());
            if let Some(at) = parts.position(|part| part == text.as_bytes()) {
                let read: Vec<u8> = self.shown.drain(..at + text.len()).collect();
                return String::from_utf8_lossy(&read).into_owned();
            }
            match self.output.recv_timeout(TIMEOUT) {
                Ok(bytes) => self.shown.extend(bytes),
                Err(error) => {
                    let shown = String::from_utf8_lossy(&self.shown);
                    panic!("no {text:?} in {shown:?}: {error}")
                }
            }
        }
    }

    fn enter(&mut self, text: &str) {
        self.controller
            .write_all(text.as_bytes())
            .expect("it can be typed");
    }

    /// Waits until what is typed is not shown.
    fn wait_until_hidden(&mut self) {
        let is_shown = |terminal: &File| {
            let modes = tcgetattr(terminal).expect("it has modes").local_modes;
            modes.contains(LocalModes::ECHO)
        };
        while is_shown(&self.controller) {
            assert!(
                self.child.try_wait().expect("a child").is_none(),
                "it has ended"
            );
            thread::yield_now();
        }
    }

    /// Waits for the end. The exit code, and what a person sees of the rest: progress is gone.
    fn end(mut self) -> String {
        loop {
            match self.output.recv_timeout(TIMEOUT) {
                Ok(bytes) => self.shown.extend(bytes),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    panic!("no end of {:?}", String::from_utf8_lossy(&self.shown))
                }
            }
        }
        let status = self.child.wait().expect("it ends");
        let mut text = match status.code() {
            Some(code) => format!("exit {code}\n"),
            None => "killed\n".to_owned(),
        };
        // A line that begins again is written over.
        for line in String::from_utf8_lossy(&self.shown).split_terminator('\n') {
            let line = line.trim_end_matches('\r').rsplit('\r').next();
            let line = line.unwrap_or_default();
            text += line.strip_prefix("\u{1b}[2K").unwrap_or(line).trim_end();
            text.push('\n');
        }
        text
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Only `y` is yes; what was said is shown, and nothing else is asked.
#[test]
fn a_change_is_asked_for() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let arguments = ["set", &id.to_string(), "/config/v1/theme=dark"];
    let folder = Folder::new();
    let answer = |typed: &str| {
        let mut terminal = Terminal::of(&service, &folder, &arguments);
        let asked = terminal.read_until("[y/N] ");
        assert!(asked.contains("+ /config/v1/theme: \"dark\""), "{asked}");
        terminal.enter(typed);
        service.masked(&terminal.end())
    };
    let theme = || {
        let widget = block_on(service.client().get_web_widget(id)).expect("a widget");
        let widget = serde_json::to_value(widget.value).expect("JSON");
        widget["config"]["v1"]["theme"].as_str().map(str::to_owned)
    };
    for no in ["n\n", "\n", "yess\n"] {
        assert_eq!(answer(no), format!("exit 1\n{no}nothing was written\n"));
        assert_eq!(theme(), None, "{no:?}");
    }
    expect![[r#"
        exit 0
        y
        ✓ widget WIDGET-SHOP has these values; this is revision 2
    "#]]
    .assert_eq(&answer("y\n"));
    assert_eq!(theme().as_deref(), Some("dark"));
}

/// Ctrl-C and the end of the input are no answer.
#[test]
fn a_question_can_be_left() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let folder = Folder::new();
    let arguments = ["delete", &id.to_string()];
    for (typed, error) in [
        ("\u{3}", "interrupted; nothing was written"),
        ("\u{4}", "the question was not answered"),
    ] {
        let mut terminal = Terminal::of(&service, &folder, &arguments);
        terminal.read_until("[y/N] ");
        terminal.enter(typed);
        // The terminal itself shows the key, before or behind the end of the line.
        let text = terminal.end().replace("^C", "");
        assert!(text.starts_with("exit 2\n"), "{text}");
        assert!(text.contains(&format!("error: {error}\n")), "{text}");
    }
    let still = block_on(service.client().get_web_widget(id));
    assert!(still.is_ok());
}

/// Whoever leaves the question about an edited text finds the text again.
#[test]
fn a_text_is_kept_when_its_question_is_left() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let editor = "sed -i 's/Ask shop/Ask us/' \"$1\"";
    let folder = Folder::new().with("editor.sh", editor);
    let (url, texts) = (service.url(), folder.path().display().to_string());
    let settings = [
        ("WIDGET_SERVICE", url.as_str()),
        ("WIDGET_API_KEY", &service.key),
        ("EDITOR", "sh editor.sh"),
        ("TMPDIR", &texts),
    ];
    let id = id.to_string();
    let mut terminal = Terminal::start(&folder, &settings, &["edit", &id]);
    terminal.read_until("[y/N] ");
    terminal.enter("\u{3}");
    let text = terminal.end();
    assert!(
        text.contains("error: interrupted; nothing was written"),
        "{text}"
    );
    let file = crate::kept_text(&text);
    assert!(file.starts_with(&texts), "{file}");
    let kept = std::fs::read_to_string(file).expect("a text");
    assert!(kept.contains("title: Ask us"), "{kept}");
}

/// The key is typed, and never shown.
#[test]
fn a_key_is_hidden() {
    let mut service = Service::start();
    let folder = Folder::new();
    service.mask(folder.path().display().to_string(), "HOME");
    let mut terminal = Terminal::start(&folder, &[], &["login"]);
    terminal.read_until("Address of the service: ");
    terminal.enter(&format!("{}\n", service.url()));
    terminal.read_until("API key (not shown): ");
    terminal.wait_until_hidden();
    terminal.enter(&format!("{}\n", service.key));
    let text = terminal.end();
    assert!(!text.contains(&service.key), "{}", service.masked(&text));
    let text = service.masked(&text);
    expect![[r#"
        exit 0

        ✓ logged in to http://SERVICE as acme with the key tests (KEY-tests); the key is in `HOME/widget/keys/default`, which only you can read
    "#]]
    .assert_eq(&text);
    let kept = crate::outcome(&mut folder.command(&["whoami"]));
    assert!(kept.starts_with("exit 0\n"), "{kept}");
}

/// Who waits sees for what, until there is an answer.
#[test]
fn waiting_is_shown() {
    let is_open = Arc::new(Notify::new());
    let gate = Arc::clone(&is_open);
    let server = FaultServer::start(move |_, _| {
        let gate = Arc::clone(&gate);
        async move {
            gate.notified().await;
            Json(json!({
                "organization_id": "acme",
                "api_key": {"id": "k1", "name": "tests"},
                "scopes": [],
                "expires_at": null,
                "version": "9.9.9",
            }))
            .into_response()
        }
    });
    let url = format!("http://{}", server.address);
    let settings = [
        ("WIDGET_SERVICE", url.as_str()),
        ("WIDGET_API_KEY", "ak_test.secret"),
    ];
    let arguments = ["whoami", "--color", "always"];
    let folder = Folder::new();
    let mut terminal = Terminal::start(&folder, &settings, &arguments);
    terminal.read_until(&format!("\r\u{1b}[2Kwaiting for {url}"));
    is_open.notify_one();
    // The line is cleared before the answer is written.
    let rest = terminal.read_until("organization");
    assert!(rest.contains("\r\u{1b}[2K"), "{rest:?}");
    let text = terminal.end();
    assert!(text.starts_with("exit 0\n"), "{text}");
    assert!(!text.contains("waiting"), "{text}");
}

/// Colors are for terminals that have them.
#[test]
fn colors_are_for_terminals() {
    let folder = Folder::new().with("shop.json", crate::SHOP);
    let arguments = ["explain", "shop.json", "--page", "https://www.shop.example"];
    let shown = |settings: &[(&str, &str)]| Terminal::start(&folder, settings, &arguments).end();
    assert!(shown(&[("TERM", "xterm")]).contains('\u{1b}'));
    for settings in [
        &[("TERM", "dumb")][..],
        &[("TERM", "xterm"), ("NO_COLOR", "1")],
    ] {
        let text = shown(settings);
        assert!(!text.contains('\u{1b}'), "{settings:?}: {text}");
    }
}
