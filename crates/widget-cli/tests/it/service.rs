//! A real service for the tests of the commands that ask one: the binary `widget-http` on an empty
//! database, with keys, an agent and widgets.

use std::{
    env,
    future::Future,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::OnceLock,
};

use expect_test::Expect;
use regex::Regex;
use serde_json::json;
use tempfile::TempDir;
use widget_api::{
    NewWidget, Widget, WidgetPatch,
    agents::{NewAgent, NewAgentVersion},
    client::Client,
};

use crate::{Folder, outcome};

/// A service that ends with the test.
pub(crate) struct Service {
    child: Child,
    /// Kept open, so that the service can write.
    output: BufReader<ChildStdout>,
    address: SocketAddr,
    folder: TempDir,
    /// The address of LiveKit, if it has one.
    livekit: Option<String>,
    /// Keeps the address from others while the process is not there.
    held: Option<Held>,
    /// The key that tests use unless they say another one.
    pub(crate) key: String,
    /// Values that differ in each run, and what snapshots have instead.
    masks: Vec<(String, String)>,
}

/// A socket that is bound and does not listen.
#[cfg(unix)]
type Held = std::os::fd::OwnedFd;
#[cfg(not(unix))]
type Held = ();

/// Keeps an address from programs that look for a free one: connections to it are refused.
#[cfg(unix)]
fn hold(address: SocketAddr) -> Held {
    use rustix::net::{AddressFamily, SocketType, bind, socket, sockopt::set_socket_reuseaddr};

    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    set_socket_reuseaddr(&socket, true).expect("an option");
    bind(&socket, &address).expect("it was ours");
    socket
}

#[cfg(not(unix))]
const fn hold(_: SocketAddr) -> Held {}

/// The binary of the service: the one that `WIDGET_HTTP` names, else built here, once.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(program) = env::var_os("WIDGET_HTTP") {
            return program.into();
        }
        let built = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--package",
                "widget-http",
                "--bin",
                "widget-http",
            ])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.expect("cargo runs").success(), "the service builds");
        let test = env::current_exe().expect("a path");
        let target = test.ancestors().nth(3).expect("target/debug/deps/it");
        target.join("debug/widget-http")
    })
}

/// Waits for what a client does.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

impl Service {
    pub(crate) fn start() -> Self {
        Self::start_with(None)
    }

    /// A service on which visitors can start conversations. LiveKit is not there, which only those
    /// who join a room would notice.
    pub(crate) fn start_for_visitors() -> Self {
        Self::start_with(Some("ws://127.0.0.1:9".to_owned()))
    }

    /// A service for which LiveKit is there, for those who only ask whether it answers.
    pub(crate) fn start_with_livekit(address: SocketAddr) -> Self {
        Self::start_with(Some(format!("ws://{address}")))
    }

    fn start_with(livekit: Option<String>) -> Self {
        let folder = TempDir::new().expect("a folder");
        let (child, output, address) = serve(&folder, livekit.as_deref(), "127.0.0.1:0");
        let mut service = Self {
            child,
            output,
            address,
            folder,
            livekit,
            held: None,
            key: String::new(),
            masks: Vec::new(),
        };
        service.mask(format!("http://{address}"), "http://SERVICE");
        service.key = service.create_key(
            "tests",
            &[
                "web_widgets:manage",
                "agents:manage",
                "conversations:manage",
                "api_keys:manage",
                "limits:manage",
            ],
        );
        service
    }

    /// Ends the process at once. Nothing answers at its address afterwards.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
        self.held = Some(hold(self.address));
    }

    /// Lets the process end by itself; it writes what it has counted.
    #[cfg(unix)]
    pub(crate) fn stop(&mut self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.expect("it runs").success());
        assert!(self.child.wait().expect("it ends").success());
        self.held = Some(hold(self.address));
    }

    /// Starts another process with the same address and data.
    pub(crate) fn start_again(&mut self) {
        self.held = None;
        let listen = self.address.to_string();
        let (child, output, _) = serve(&self.folder, self.livekit.as_deref(), &listen);
        (self.child, self.output) = (child, output);
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Replaces `value` with `name` in snapshots.
    pub(crate) fn mask(&mut self, value: impl Into<String>, name: impl Into<String>) {
        self.masks.push((value.into(), name.into()));
        // The longest first: an address before the beginning of it.
        self.masks
            .sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
    }

    /// A key of the organization `acme`.
    pub(crate) fn create_key(&mut self, name: &str, scopes: &[&str]) -> String {
        let output = command(&self.folder)
            .args(["key", "create", "--organization", "acme", "--name", name])
            .args(scopes.iter().flat_map(|scope| ["--scope", scope]))
            .output()
            .expect("the service runs");
        assert!(output.status.success(), "{output:?}");
        let key = String::from_utf8(output.stdout).expect("text");
        let key = key.trim().to_owned();
        let id = key.strip_prefix("ak_").and_then(|key| key.split_once('.'));
        self.mask(key.clone(), format!("SECRET-{name}"));
        self.mask(id.expect("two parts").0, format!("KEY-{name}"));
        key
    }

    /// Publishes a widget.
    pub(crate) fn publish(&self, widget: &Widget) {
        let patch = WidgetPatch {
            published: Some(true),
            ..WidgetPatch::default()
        };
        let client = self.client();
        let published = block_on(client.update_web_widget(widget.id, None, &patch));
        published.expect("it is published");
    }

    /// A client with the key of the tests.
    pub(crate) fn client(&self) -> Client {
        self.client_with(self.key.clone())
    }

    pub(crate) fn client_with(&self, key: String) -> Client {
        Client::builder(self.url().parse().expect("an address"))
            .key(key.into())
            .build()
            .expect("a client")
    }

    /// A widget that is not published, with a published version of an agent. Snapshots have
    /// `WIDGET-NAME` for its id, and `SHORT-NAME` for its beginning.
    pub(crate) fn create_widget(&mut self, name: &str, domains: &[&str]) -> Widget {
        let client = self.client();
        let widget = block_on(async {
            let agent = NewAgent {
                name: format!("agent of {name}"),
            };
            let agent = client.create_agent(&agent).await.expect("an agent");
            let version = NewAgentVersion {
                livekit_agent_name: "shop".to_owned(),
                label: None,
            };
            let version = client.create_agent_version(agent.id, &version).await;
            let version = version.expect("a version");
            let published = client.publish_agent_version(agent.id, version.id).await;
            published.expect("it is published");
            let config = json!({"v1": {"chat": {"title": format!("Ask {name}")}}});
            let new = NewWidget {
                agent_id: agent.id,
                agent_version_id: version.id,
                domains: domains.iter().map(|entry| (*entry).to_owned()).collect(),
                published: false,
                config: serde_json::value::to_raw_value(&config).ok(),
            };
            client.create_web_widget(&new).await.expect("a widget")
        });
        let widget = widget.value.widget;
        let upper = name.to_uppercase();
        self.mask(widget.id.to_string(), format!("WIDGET-{upper}"));
        self.mask(widget.agent_id.to_string(), format!("AGENT-{upper}"));
        self.mask(
            widget.agent_version_id.to_string(),
            format!("VERSION-{upper}"),
        );
        widget
    }

    /// Runs the command with this service and the key of the tests.
    pub(crate) fn command(&self, folder: &Folder, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = folder.command(arguments);
        command
            .env("WIDGET_SERVICE", self.url())
            .env("WIDGET_API_KEY", &self.key)
            .env("XDG_CONFIG_HOME", folder.path());
        command
    }

    /// Compares exit code, standard output and standard error with a snapshot.
    #[track_caller]
    pub(crate) fn check(&self, arguments: &[&str], expected: &Expect) {
        let folder = Folder::new();
        self.check_command(&mut self.command(&folder, arguments), expected);
    }

    #[track_caller]
    pub(crate) fn check_command(&self, command: &mut assert_cmd::Command, expected: &Expect) {
        expected.assert_eq(&self.masked(&outcome(command)));
    }

    /// A text without what differs in each run.
    pub(crate) fn masked(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (value, name) in &self.masks {
            text = text.replace(value.as_str(), name);
        }
        // The beginnings of ids in the list of a hint.
        let short = Regex::new(r"(?m)^( +)[0-9a-f]{8}[0-9a-f-]*  ").expect("a pattern");
        let text = short.replace_all(&text, "${1}SHORT  ");
        // Columns are as wide as the values that were masked.
        let columns = Regex::new(r"(\S) {2,}").expect("a pattern");
        mask_times(&columns.replace_all(&text, "$1  "))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Times, as the service and the command write them, differ in each run.
pub(crate) fn mask_times(text: &str) -> String {
    let time = Regex::new(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z").expect("a pattern");
    time.replace_all(text, "TIME").into_owned()
}

/// Starts the process, and waits until it listens.
fn serve(
    folder: &TempDir,
    livekit: Option<&str>,
    listen: &str,
) -> (Child, BufReader<ChildStdout>, SocketAddr) {
    let mut command = command(folder);
    // Pages of tests are on this machine.
    command.env("WIDGET_BRAND_FROM_PRIVATE_ADDRESSES", "true");
    if let Some(livekit) = livekit {
        command
            .env("LIVEKIT_URL", livekit)
            .env("LIVEKIT_API_KEY", "devkey")
            .env(
                "LIVEKIT_API_SECRET",
                "secret-secret-secret-secret-secret-32",
            );
    }
    let mut child = command
        .args(["serve", "--listen", listen])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the service starts");
    let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut line = String::new();
    output.read_line(&mut line).expect("its output can be read");
    let address = line
        .trim()
        .strip_prefix("listening on http://")
        .and_then(|address| address.parse().ok())
        .unwrap_or_else(|| panic!("unexpected {line:?}"));
    (child, output, address)
}

fn command(folder: &TempDir) -> Command {
    let database = folder.path().join("widgets.db");
    let mut command = Command::new(program());
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("WIDGET_") || text.starts_with("LIVEKIT_") {
            command.env_remove(&name);
        }
    }
    command
        .env("DATABASE_URL", format!("sqlite:{}", database.display()))
        .stderr(Stdio::null());
    command
}
