//! Two services on one database behind nginx, with the configuration that `deploy/nginx` has.

use std::{
    env,
    ffi::OsStr,
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread::ScopedJoinHandle,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpSocket;

use crate::{
    database::{Database, Supervised, server_folder},
    postgresql::{
        backup::{Done, deployed},
        process::{Server, command, key},
    },
};

/// A visitor's own address, which no service trusts.
const VISITOR: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const OTHER_VISITOR: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// A site that has the widget.
const SHOP: &str = "https://shop.example";

/// nginx in front of two services.
struct Deployment {
    nodes: [Server; 2],
    address: SocketAddr,
    key: String,
    _nginx: Supervised,
    folder: TempDir,
    _database: Database,
}

impl Deployment {
    /// `variables` are settings of both services beside those of `deploy/env`.
    fn start(variables: &[(&str, &str)]) -> Self {
        let database = Database::create();
        let nodes = [(); 2].map(|()| {
            let mut command = command(&database);
            command
                .args(["serve", "--listen", "127.0.0.1:0"])
                .envs(settings())
                // Not `loopback`, where the visitors of these tests are, too.
                .env("WIDGET_TRUSTED_PROXIES", "127.0.0.1")
                .env("LIVEKIT_API_SECRET", "a secret of thirty-two characters")
                .envs(variables.iter().copied());
            Server::start_as(&mut command)
        });
        let scopes = ["agents:manage", "web_widgets:manage"];
        let key = key(&database, &scopes);
        let folder = server_folder();
        let (nginx, address) = start_nginx(folder.path(), &nodes);
        Self {
            nodes,
            address,
            key,
            _nginx: nginx,
            folder,
            _database: database,
        }
    }

    /// Status and body of the answer to a request of this address; `headers` end with a line break.
    fn ask(
        &self,
        from: Ipv4Addr,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> (u16, String) {
        let mut stream = connect(from, self.address);
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: widgets.example\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n{headers}\r\n",
            body.len()
        )
        .expect("nginx reads it");
        // A body that is too large may be refused before all of it was read.
        let _ = stream.write_all(body.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        (status.expect("a status"), body.to_owned())
    }

    /// A request of a program with a key.
    fn manage(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let key = format!("authorization: Bearer {}\r\n", self.key);
        self.ask(VISITOR, method, path, &key, body)
    }

    #[track_caller]
    fn create(&self, path: &str, body: &Value) -> Value {
        let (status, text) = self.manage("POST", path, &body.to_string());
        assert!([200, 201].contains(&status), "{path}: {status} {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// The path of a published widget for visitors of the shop.
    fn widget(&self) -> String {
        let agent = self.create("/core/agents", &json!({"name": "Concierge"}));
        let agent = agent["id"].as_str().expect("an id");
        let versions = format!("/core/agents/{agent}/versions");
        let version = self.create(&versions, &json!({"livekit_agent_name": "concierge"}));
        let version = version["id"].as_str().expect("an id");
        self.create(&format!("{versions}/{version}/publish"), &json!({}));
        let widget = json!({
            "agent_id": agent,
            "agent_version_id": version,
            "domains": [SHOP],
            "published": true,
        });
        let widget = self.create("/core/web-widgets", &widget);
        format!(
            "/core/public/web-widgets/{}",
            widget["id"].as_str().expect("an id")
        )
    }
}

/// The lines of the example of an environment file, as systemd reads it.
fn settings() -> Vec<(String, String)> {
    let text = fs::read_to_string(deployed("env/widget-http.env")).expect("it is there");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// A connection from an address of this machine.
fn connect(from: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be built");
    let stream = runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        socket.connect(to).await?.into_std()
    });
    let stream: TcpStream = stream.expect("nginx listens");
    stream.set_nonblocking(false).expect("it is a socket");
    // What does not answer fails the test instead of blocking it.
    let timeout = Some(Duration::from_mins(1));
    stream.set_read_timeout(timeout).expect("it is a socket");
    stream
}

/// nginx's program.
#[expect(
    clippy::disallowed_methods,
    reason = "tests find the programs of this machine by its variables"
)]
fn program() -> PathBuf {
    if let Some(named) = env::var_os("NGINX").filter(|path| !path.is_empty()) {
        return named.into();
    }
    let mut folders: Vec<PathBuf> = env::var_os("PATH")
        .map(|path| env::split_paths(&path).collect())
        .unwrap_or_default();
    // Debian's package.
    folders.push(Path::new("/usr/sbin").to_owned());
    let mut programs = folders.iter().map(|folder| folder.join("nginx"));
    programs.find(|path| path.is_file()).expect(
        "`nginx` is missing: two services are tested behind it.\n  \
         install it with: sudo apt-get install -y nginx-light\n  \
         or name the program in NGINX",
    )
}

/// The configuration of `deploy/nginx` with addresses of this test, and without TLS.
fn configuration(nodes: &[Server; 2], address: SocketAddr) -> String {
    let mut text = fs::read_to_string(deployed("nginx/widgets.conf")).expect("it is there");
    let without_tls = |line: &&str| !line.trim_start().starts_with("ssl_certificate");
    text = text
        .lines()
        .filter(without_tls)
        .fold(String::new(), |text, line| text + line + "\n");
    for (from, to) in [
        ("listen 443 ssl;", format!("listen {address};")),
        ("127.0.0.1:8081", nodes[0].address.to_string()),
        ("127.0.0.1:8082", nodes[1].address.to_string()),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, &to);
    }
    text
}

/// Starts nginx in the folder; it runs with it.
fn start_nginx(folder: &Path, nodes: &[Server; 2]) -> (Supervised, SocketAddr) {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    let address = free.local_addr().expect("it has an address");
    drop(free);
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|name| format!("{name}_temp_path {name};\n"));
    let main = format!(
        "daemon off; pid nginx.pid; error_log stderr notice; error_log error.log; worker_processes 1;
         events {{ }}
         http {{ access_log off; {} {} }}",
        temporary.concat(),
        configuration(nodes, address)
    );
    fs::write(folder.join("nginx.conf"), main).expect("it can be written");
    let arguments = [
        OsStr::new("-p"),
        folder.as_os_str(),
        OsStr::new("-c"),
        OsStr::new("nginx.conf"),
        OsStr::new("-e"),
        OsStr::new("stderr"),
    ];
    let ready = "start worker processes";
    let running = Supervised::start(folder, "TERM", &program(), &arguments, ready);
    (running, address)
}

#[test]
fn a_visit_may_reach_any_node_with_each_request() {
    let deployment = Deployment::start(&[]);
    let widget = deployment.widget();
    let origin = format!("origin: {SHOP}\r\n");
    for _ in 0..3 {
        let (status, launcher) = deployment.ask(VISITOR, "GET", &widget, &origin, "");
        assert_eq!(status, 200, "{launcher}");
        let tickets = format!("{widget}/embed-tickets");
        let (status, ticket) = deployment.ask(VISITOR, "POST", &tickets, &origin, "{}");
        assert_eq!(status, 201, "{ticket}");
        let ticket: Value = serde_json::from_str(&ticket).expect("JSON");
        let ticket = ticket["ticket"].as_str().expect("a ticket");
        let start = || {
            let headers =
                format!("authorization: Bearer {ticket}\r\norigin: https://widgets.example\r\n");
            let path = format!("{widget}/conversations");
            deployment.ask(VISITOR, "POST", &path, &headers, r#"{"mode":"text"}"#)
        };
        let (status, started) = start();
        assert_eq!(status, 201, "{started}");
        let (status, again) = start();
        assert_eq!(status, 409, "{again}");
        assert!(again.contains("ticket_replayed"), "{again}");
    }
}

#[test]
fn the_service_is_the_one_that_refuses_a_large_body() {
    let deployment = Deployment::start(&[]);
    let body = json!({"name": "x".repeat(1_500_000)}).to_string();
    let (status, answer) = deployment.manage("POST", "/core/agents", &body);
    assert_eq!(status, 413);
    assert!(answer.contains("body_too_large"), "{answer}");
}

/// Statuses of four requests for a launcher's config, each with another address in the header.
fn visits(deployment: &Deployment, from: Ipv4Addr, header: &str) -> Vec<u16> {
    let path = "/core/public/web-widgets/0197a3c0-0000-7000-8000-000000000001";
    let visit = |number: u32| {
        let headers = format!(
            "origin: {SHOP}\r\n{}\r\n",
            header.replace('?', &number.to_string())
        );
        deployment.ask(from, "GET", path, &headers, "").0
    };
    let mut statuses: Vec<u16> = (1..=4).map(visit).collect();
    statuses.sort_unstable();
    statuses
}

#[test]
fn each_visitor_counts_for_themselves_whatever_they_write() {
    let deployment = Deployment::start(&[("WIDGET_LIMIT_CONFIGS", "1")]);
    // Each node counts alone, so that one address may ask twice.
    let forged = "x-forwarded-for: 192.0.2.?";
    for visitor in [VISITOR, OTHER_VISITOR] {
        let statuses = visits(&deployment, visitor, forged);
        assert_eq!(statuses, [403, 403, 429, 429], "{visitor}");
    }
}

#[test]
fn a_visitor_cannot_send_the_other_header() {
    let deployment = Deployment::start(&[
        ("WIDGET_LIMIT_CONFIGS", "1"),
        ("WIDGET_FORWARDED_HEADER", "forwarded"),
    ]);
    let statuses = visits(&deployment, VISITOR, "forwarded: for=192.0.2.?");
    assert_eq!(statuses, [403, 403, 429, 429]);
}

#[test]
fn a_killed_node_is_not_noticed() {
    let mut deployment = Deployment::start(&[]);
    let list = |deployment: &Deployment| deployment.manage("GET", "/core/agents", "").0;
    // Connections to both are kept open.
    assert_eq!([(); 4].map(|()| list(&deployment)), [200; 4]);
    deployment.nodes[0].signal("-KILL");
    deployment.nodes[0].wait();
    for number in 0..20 {
        assert_eq!(list(&deployment), 200, "request {number}");
        deployment.create("/core/agents", &json!({"name": "Concierge"}));
    }
}

#[test]
fn the_token_of_a_preview_is_in_no_log() {
    let mut deployment = Deployment::start(&[]);
    for node in &mut deployment.nodes {
        node.signal("-KILL");
        node.wait();
    }
    for path in ["/public/preview/secret/state", "/core/agents"] {
        assert_eq!(deployment.ask(VISITOR, "GET", path, "", "").0, 502);
    }
    let log = fs::read_to_string(deployment.folder.path().join("error.log")).expect("a log");
    assert!(log.contains("GET /core/agents"), "{log}");
    assert!(!log.contains("secret"), "{log}");
}

#[test]
fn a_node_is_taken_out_without_a_failed_request() {
    let mut deployment = Deployment::start(&[("WIDGET_DRAIN_DELAY", "3600")]);
    let (is_done, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let [node, other] = &mut deployment.nodes;
    let ready = |node: &Server| {
        node.request("GET", "/readyz", "", "")
            .expect("it answers")
            .0
    };
    let (address, key) = (deployment.address, &deployment.key);
    let visit = || {
        let mut stream = connect(VISITOR, address);
        write!(
            stream,
            "GET /core/agents HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             authorization: Bearer {key}\r\n\r\n"
        )
        .expect("nginx reads it");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("nginx answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answered.fetch_add(1, Ordering::AcqRel);
    };
    std::thread::scope(|scope| {
        let _done = Done(&is_done);
        let visits = || {
            while !is_done.load(Ordering::Acquire) {
                visit();
            }
        };
        let visitors = [scope.spawn(visits), scope.spawn(visits)];
        let wait_for_more = || {
            let enough = answered.load(Ordering::Acquire) + 20;
            while answered.load(Ordering::Acquire) < enough {
                assert!(!visitors.iter().any(ScopedJoinHandle::is_finished));
                std::thread::yield_now();
            }
        };
        wait_for_more();
        node.signal("-TERM");
        while ready(node) != 503 {}
        // It answers those who have not noticed yet.
        wait_for_more();
        node.signal("-TERM");
        node.wait();
        wait_for_more();
        assert_eq!(ready(other), 200);
    });
}
