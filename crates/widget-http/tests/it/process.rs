//! The binary itself: what it prints, and how it stops.

use std::{
    fs::File,
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio},
    time::Duration,
};

use crate::database::Database;

const BINARY: &str = env!("CARGO_BIN_EXE_widget-http");

/// A command on the database, without anything of the environment that could reach
/// in.
pub(crate) fn command(database: &Database) -> Command {
    let mut command = Command::new(BINARY);
    command
        .current_dir(database.directory())
        .env_clear()
        .env("DATABASE_URL", database.url());
    command
}

pub(crate) fn run(database: &Database, arguments: &[&str]) -> Output {
    command(database)
        .args(arguments)
        .output()
        .expect("the binary runs")
}

/// Runs a command that succeeds.
#[track_caller]
fn run_well(database: &Database, arguments: &[&str]) -> Output {
    let output = run(database, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    output
}

#[track_caller]
pub(crate) fn key(database: &Database, scopes: &[&str]) -> String {
    let scopes = scopes.iter().flat_map(|scope| ["--scope", scope]);
    let mut arguments = vec!["key", "create", "--organization", "acme"];
    arguments.extend(scopes);
    let output = run(database, &arguments);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("a key is ASCII");
    assert_eq!(text.lines().count(), 1, "the key stands alone");
    text.trim().to_owned()
}

/// A service that runs until it is dropped.
pub(crate) struct Server {
    child: Child,
    output: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
}

impl Server {
    fn start(database: &Database) -> Self {
        Self::start_as(command(database).args(["serve", "--listen", "127.0.0.1:0"]))
    }

    /// The same by a command of the test's own.
    pub(crate) fn start_as(command: &mut Command) -> Self {
        Self::start_with_log(command, Stdio::null())
    }

    pub(crate) fn start_with_log(command: &mut Command, log: impl Into<Stdio>) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the binary runs");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("its output can be read");
        let address = line
            .trim()
            .strip_prefix("listening on http://")
            .unwrap_or_else(|| panic!("unexpected {line:?}"));
        let address = address.parse().expect("an address");
        Self {
            child,
            output,
            address,
        }
    }

    /// A connection to it.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        // A service that does not answer fails the test instead of blocking it.
        let timeout = Some(Duration::from_mins(1));
        stream.set_read_timeout(timeout).expect("it is open");
        stream
    }

    /// Begins a request whose body the service then waits for.
    pub(crate) fn begin_request(&self, key: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        write!(
            stream,
            "POST /core/agents HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: 100\r\n\
             expect: 100-continue\r\n\r\n"
        )
        .expect("it reads");
        let mut line = String::new();
        let read = BufReader::new(&stream).read_line(&mut line);
        read.expect("it answers");
        assert!(line.starts_with("HTTP/1.1 100"), "{line}");
        stream
    }

    /// Waits until it accepts no more connections.
    pub(crate) fn wait_until_closed(&self) {
        while TcpStream::connect(self.address).is_ok() {
            std::thread::yield_now();
        }
    }

    /// Status and body of the answer; nothing when the service is gone.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        key: &str,
        body: &str,
    ) -> std::io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(self.address)?;
        // A service that does not answer fails the test instead of blocking it.
        stream.set_read_timeout(Some(Duration::from_mins(1)))?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        // At once: a service that refuses the head closes before the rest of it is written.
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let parsed = answer.split_once("\r\n\r\n").and_then(|(head, body)| {
            let status = head.split(' ').nth(1)?.parse().ok()?;
            Some((status, body.to_owned()))
        });
        parsed.ok_or_else(|| std::io::Error::other("half an answer"))
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status()
            .expect("kill is there");
        assert!(status.success());
    }

    /// The next line that it prints.
    pub(crate) fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.output
            .read_line(&mut line)
            .expect("its output can be read");
        line.trim().to_owned()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its log, where that is piped.
    pub(crate) fn log(&mut self) -> BufReader<ChildStderr> {
        BufReader::new(self.child.stderr.take().expect("it is piped"))
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("it ends")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn keys_are_made_listed_and_revoked_while_a_service_runs() {
    let database = Database::create();
    let server = Server::start(&database);
    let key = key(&database, &["agents:manage"]);
    assert_eq!(
        server
            .request("GET", "/core/agents", &key, "")
            .expect("it answers")
            .0,
        200
    );
    let id = key
        .strip_prefix("ak_")
        .and_then(|key| key.split_once('.'))
        .expect("a key has two parts")
        .0;
    let list = String::from_utf8(run_well(&database, &["key", "list"]).stdout).expect("text");
    assert!(
        list.contains(id) && !list.contains(&key) && list.contains("agents:manage"),
        "{list}"
    );
    run_well(&database, &["key", "rotate-signing"]);
    run_well(&database, &["key", "revoke", id]);
    assert_eq!(
        server
            .request("GET", "/core/agents", &key, "")
            .expect("it answers")
            .0,
        401
    );
    // Random ids may begin with a hyphen.
    for unknown in ["nobody", "-nobody", "--nobody"] {
        let answer = run(&database, &["key", "revoke", unknown]);
        assert_eq!(
            (answer.status.code(), answer.stdout.as_slice()),
            (Some(1), b"".as_slice()),
            "{unknown}"
        );
    }
}

#[test]
fn a_key_is_not_made_for_a_database_that_no_service_knows() {
    // Not the database of the suite: only SQLite creates one by opening it.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wrong.db");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_widget-http"));
        command.current_dir(folder.path()).env_clear();
        command.env("DATABASE_URL", format!("sqlite:{}", path.display()));
        command.args(arguments).output().expect("the binary runs")
    };
    let create = "key create --organization acme --scope agents:read";
    let create: Vec<&str> = create.split(' ').collect();
    let others = [
        &["key", "list"][..],
        &["key", "revoke", "x"],
        &["key", "rotate-signing"],
    ];
    for is_empty in [false, true] {
        if is_empty {
            std::fs::write(&path, "").expect("it can be written");
        }
        for arguments in others.into_iter().chain([&create[..]]) {
            let output = run(arguments);
            let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {complaint}");
            let expected = format!(
                "there is no database at `{}`; set DATABASE_URL",
                path.display()
            );
            assert!(complaint.contains(&expected), "{complaint}");
            let size = std::fs::metadata(&path).map(|file| file.len()).ok();
            assert_eq!(size, is_empty.then_some(0), "nothing was written");
        }
    }
    assert!(run(&["migrate"]).status.success());
    assert!(run(&create).status.success());
}

#[test]
fn usage_errors_end_with_two() {
    let database = Database::create();
    for arguments in [
        &[
            "key",
            "create",
            "--organization",
            "acme",
            "--scope",
            "everything",
        ][..],
        &[
            "key",
            "create",
            "--organization",
            "a b",
            "--scope",
            "agents:read",
        ],
        &[
            "key",
            "create",
            "--organization",
            "acme",
            "--scope",
            "agents:read",
            "--expires-in",
            "soon",
        ],
        &["key", "create", "--organization", "acme"],
        &["serve", "--listen", "nowhere"],
        &["fly"],
    ] {
        let output = run(&database, arguments);
        assert_eq!(
            (output.status.code(), output.stdout.as_slice()),
            (Some(2), b"".as_slice()),
            "{arguments:?}"
        );
    }
    assert_eq!(
        std::fs::read_dir(database.directory())
            .expect("it is there")
            .count(),
        0,
        "nothing was written"
    );
    let partly = command(&database)
        .args(["serve"])
        .env("LIVEKIT_URL", "ws://127.0.0.1:1")
        .output();
    let partly = partly.expect("the binary runs");
    let complaint = String::from_utf8_lossy(&partly.stderr).into_owned();
    assert_eq!(partly.status.code(), Some(1));
    assert!(
        complaint.contains("LIVEKIT_API_KEY and LIVEKIT_API_SECRET"),
        "{complaint}"
    );
}

/// Each of them would start, and no conversation would connect.
#[test]
fn an_address_of_livekit_that_nobody_can_use_is_refused() {
    let database = Database::create();
    for (url, public_url, expected) in [
        (
            "livekit.example",
            Some("wss://livekit.example"),
            "LIVEKIT_URL: `livekit.example` is not the address of a LiveKit server",
        ),
        (
            "livekit:7880",
            Some("wss://livekit.example"),
            "LIVEKIT_URL: `livekit:7880` is not the address of a LiveKit server",
        ),
        (
            "redis://user:word@livekit",
            Some("wss://livekit.example"),
            "LIVEKIT_URL: `…@livekit` is not the address of a LiveKit server",
        ),
        (
            "ws://127.0.0.1:1",
            Some("wss://user:word@livekit.example"),
            "LIVEKIT_PUBLIC_URL: `…@livekit.example/` is not the address of a LiveKit server",
        ),
        (
            "ws://live_kit:7880",
            None,
            "LIVEKIT_URL is not an address for browsers, and LIVEKIT_PUBLIC_URL is not set",
        ),
    ] {
        let mut command = command(&database);
        // It does not start either way.
        command.args(["serve", "--suffix-list", "missing"]).envs([
            ("LIVEKIT_URL", url),
            ("LIVEKIT_API_KEY", "key"),
            ("LIVEKIT_API_SECRET", "a secret of thirty-two characters"),
        ]);
        command.envs(public_url.map(|url| ("LIVEKIT_PUBLIC_URL", url)));
        let output = command.output().expect("the binary runs");
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{url}: {complaint}");
        assert!(complaint.contains(expected), "{complaint}");
        assert!(complaint.contains("write it as `ws"), "{complaint}");
        assert!(!complaint.contains("word"), "{complaint}");
    }
}

#[test]
fn the_database_url_comes_from_flag_variable_or_file() {
    let database = Database::create();
    std::fs::write(database.directory().join("url"), "sqlite:from-file.db\n")
        .expect("it is writable");
    let with_password = "postgres://user:secret@127.0.0.1:1/widgets";
    let warning = "`--database-url` holds a password";
    // Standard error contains the text, and the named file exists afterwards.
    for (variables, arguments, code, complaint, file) in [
        (&[][..], &["migrate"][..], 0, "migrated", "widgets.db"),
        (
            &[("DATABASE_URL_FILE", "url")],
            &["migrate"],
            0,
            "migrated",
            "from-file.db",
        ),
        (
            &[("DATABASE_URL", ""), ("DATABASE_URL_FILE", "url")],
            &["migrate", "--check"],
            0,
            "",
            "from-file.db",
        ),
        (
            &[],
            &["migrate", "--database-url", "sqlite:flag.db"],
            0,
            "migrated",
            "flag.db",
        ),
        (
            &[
                ("DATABASE_URL", "sqlite:a.db"),
                ("DATABASE_URL_FILE", "url"),
            ],
            &["migrate"],
            1,
            "both DATABASE_URL and DATABASE_URL_FILE are set",
            "url",
        ),
        (
            &[("DATABASE_URL_FILE", "missing")],
            &["migrate"],
            1,
            "the file of the database's URL, missing, cannot be read",
            "url",
        ),
        (
            &[],
            &["migrate", "--database-url", with_password],
            1,
            warning,
            "url",
        ),
    ] {
        let output = command(&database)
            .env_remove("DATABASE_URL")
            .envs(variables.iter().copied())
            .env("WIDGET_DATABASE_WAIT", "0")
            .args(arguments)
            .output()
            .expect("the binary runs");
        let shown = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{shown}");
        assert!(shown.contains(complaint), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
        assert!(database.directory().join(file).exists(), "{file}: {shown}");
    }
    let by_variable = command(&database)
        .env("DATABASE_URL", with_password)
        .env("WIDGET_DATABASE_WAIT", "0")
        .arg("migrate")
        .output()
        .expect("the binary runs");
    let shown = String::from_utf8_lossy(&by_variable.stderr).into_owned();
    assert!(!shown.contains(warning), "{shown}");
}

#[test]
fn an_incomplete_suffix_list_is_refused_at_the_start() {
    let database = Database::create();
    std::fs::write(database.directory().join("list.dat"), "com\n").expect("it can be written");
    for (file, complaint) in [
        ("list.dat", "list.dat cannot be the public suffix list"),
        ("none.dat", "the public suffix list none.dat cannot be read"),
    ] {
        let output = run(
            &database,
            &["serve", "--listen", "127.0.0.1:0", "--suffix-list", file],
        );
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains(complaint), "{errors}");
    }
}

#[test]
fn an_agent_directory_has_a_url_and_a_token() {
    let database = Database::create();
    for (name, content) in [("token", "a-token\n"), ("empty", ""), ("two", "a b\n")] {
        std::fs::write(database.directory().join(name), content).expect("it can be written");
    }
    let url = "https://agents.example/api";
    for (arguments, complaint) in [
        (vec!["--agent-directory-url", url], "TOKEN_FILE is missing"),
        (
            vec!["--agent-directory-token-file", "token"],
            "URL is missing",
        ),
        (
            vec![
                "--agent-directory-url",
                "agents",
                "--agent-directory-token-file",
                "token",
            ],
            "is not a URL",
        ),
        (
            vec![
                "--agent-directory-url",
                "https://agents.example/?a=1",
                "--agent-directory-token-file",
                "token",
            ],
            "must look like",
        ),
        (
            vec![
                "--agent-directory-url",
                url,
                "--agent-directory-token-file",
                "empty",
            ],
            "must hold one line",
        ),
        (
            vec![
                "--agent-directory-url",
                url,
                "--agent-directory-token-file",
                "two",
            ],
            "must hold one line",
        ),
    ] {
        let arguments = [vec!["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        let output = run(&database, &arguments);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {errors}");
        assert!(errors.contains(complaint), "{arguments:?}: {errors}");
    }
}

#[test]
fn a_public_url_is_an_origin() {
    let database = Database::create();
    for (url, complaint) in [
        ("ftp://widgets.example", "must begin with `https://`"),
        ("widgets.example", "must begin with `https://`"),
        ("https://example.com/widgets", "use `https://example.com`"),
        (
            "https://widgets.example/?a=1",
            "use `https://widgets.example`",
        ),
    ] {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--public-url", url];
        let output = run(&database, &arguments);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains(complaint), "{errors}");
    }
}

#[test]
fn an_unspecified_address_needs_a_public_url() {
    let database = Database::create();
    for listen in ["0.0.0.0:0", "[::]:0", "[::ffff:0.0.0.0]:0"] {
        let output = run(&database, &["serve", "--listen", listen]);
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{complaint}");
        assert!(complaint.contains("set WIDGET_PUBLIC_URL"), "{complaint}");
    }
    let files = std::fs::read_dir(database.directory()).expect("it is there");
    assert_eq!(files.count(), 0, "nothing was written");
}

/// Every variable that the help of a command names.
fn variables(database: &Database, command: &[&str]) -> Vec<String> {
    let output = run(database, &[command, &["--help"]].concat());
    let help = String::from_utf8(output.stdout).expect("help is text");
    let names = help.split("[env: ").skip(1);
    let end = |text: &str| text.find(['=', ']']).expect("a variable ends");
    names.map(|text| text[..end(text)].to_owned()).collect()
}

#[test]
fn empty_variables_are_not_set() {
    let database = Database::create();
    let commands: [&[&str]; 4] = [
        &["serve"],
        &["migrate"],
        &["key", "create"],
        &["key", "list"],
    ];
    let names = commands.map(|command| variables(&database, command));
    let mut names: Vec<String> = names.into_iter().flatten().collect();
    assert!(names.len() > 30, "{names:?}");
    names.extend(["LIVEKIT_API_SECRET", "NO_COLOR"].map(str::to_owned));
    let with_empty = || {
        let mut command = command(&database);
        command.envs(names.iter().map(|name| (name, "")));
        command
    };
    let server = Server::start_as(with_empty().args(["serve", "--listen", "127.0.0.1:0"]));
    drop(server);
    let key = [
        "key",
        "create",
        "--organization",
        "acme",
        "--scope",
        "agents:read",
    ];
    for arguments in [&["migrate"][..], &["key", "list"], &key] {
        let output = with_empty().args(arguments).output();
        let output = output.expect("the binary runs");
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {complaint}");
    }
    assert!(database.directory().join("widgets.db").is_file());
}

#[test]
fn migrations_are_listed_and_applied() {
    let database = Database::create();
    let check = run(&database, &["migrate", "--check"]);
    assert_eq!(check.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&check.stdout).contains("_initial"));
    database.assert_untouched();
    run_well(&database, &["migrate"]);
    let check = run(&database, &["migrate", "--check"]);
    assert_eq!(
        (check.status.code(), check.stdout.as_slice()),
        (Some(0), b"".as_slice())
    );
}

#[test]
fn a_signal_stops_the_service() {
    let database = Database::create();
    for signal in ["-TERM", "-INT"] {
        let mut server = Server::start(&database);
        // A connection that is kept open but idle blocks nothing.
        let _idle = TcpStream::connect(server.address).expect("it listens");
        server.signal(signal);
        assert!(server.child.wait().expect("it ends").success(), "{signal}");
        let mut rest = String::new();
        server
            .output
            .read_to_string(&mut rest)
            .expect("its output can be read");
        assert_eq!(rest, "", "standard output carries the address alone");
    }
}

#[test]
fn a_signal_takes_the_node_out_before_it_stops() {
    let database = Database::create();
    let mut command = command(&database);
    command
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("WIDGET_DRAIN_DELAY", "3600");
    let mut server = Server::start_as(&mut command);
    let ask = |path: &str| server.request("GET", path, "", "").expect("it answers");
    assert_eq!(ask("/readyz").0, 200);
    server.signal("-TERM");
    let stopping = loop {
        let (status, body) = ask("/readyz");
        if status != 200 {
            break body;
        }
    };
    assert!(stopping.contains(r#""status":"stopping""#), "{stopping}");
    assert_eq!(ask("/healthz").0, 200);
    // A second signal ends the delay.
    server.signal("-TERM");
    assert!(server.child.wait().expect("it ends").success());
}

/// The arguments of the command with which the README starts the service behind nginx.
fn arguments_of_readme() -> Vec<String> {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(readme).expect("the README is there");
    let command = readme
        .lines()
        .find_map(|line| line.strip_prefix("$ target/release/widget-http serve "))
        .expect("it starts the service");
    let command = command.replace("127.0.0.1:8080", "127.0.0.1:0");
    command.split(' ').map(str::to_owned).collect()
}

#[test]
fn the_readmes_service_counts_visitors_behind_nginx_separately() {
    let database = Database::create();
    let server = Server::start_as(
        command(&database)
            .arg("serve")
            .args(arguments_of_readme())
            .env("WIDGET_LIMIT_CONFIGS", "1"),
    );
    let visit = |address: &str| {
        // What `docs/proxies.md` lets nginx send.
        let key = format!("-\r\nx-forwarded-for: {address}\r\norigin: https://shop.example");
        let path = "/core/public/web-widgets/0197a3c0-0000-7000-8000-000000000001";
        let answer = server.request("GET", path, &key, "");
        answer.expect("it answers").0
    };
    for visitor in ["192.0.2.1", "192.0.2.2", "2001:db8::1"] {
        assert_eq!((visit(visitor), visit(visitor)), (403, 429), "{visitor}");
    }
}

#[test]
fn a_proxy_whose_visitors_count_as_one_is_named_once() {
    let database = Database::create();
    for (proxies, header, complaint) in [
        ("private", "x-forwarded-for: 192.0.2.1", "is not trusted"),
        ("private", "forwarded: for=192.0.2.1", "is not trusted"),
        ("loopback", "x-other: 192.0.2.1", "names no visitor"),
    ] {
        let path = database.directory().join("log");
        let log = File::create(&path).expect("it can be created");
        let mut command = command(&database);
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("WIDGET_TRUSTED_PROXIES", proxies);
        let mut server = Server::start_with_log(&mut command, log);
        let key = format!("-\r\n{header}\r\norigin: https://shop.example");
        for _ in 0..2 {
            let path = "/core/public/web-widgets/0197a3c0-0000-7000-8000-000000000001";
            let answer = server.request("GET", path, &key, "");
            assert_eq!(answer.expect("it answers").0, 403);
        }
        server.signal("-TERM");
        assert!(server.child.wait().expect("it ends").success());
        let log = std::fs::read_to_string(&path).expect("it is text");
        let named: Vec<&str> = log
            .lines()
            .filter(|line| line.contains(complaint))
            .collect();
        assert_eq!(named.len(), 1, "{log}");
        assert!(named[0].contains("127.0.0.1"), "{log}");
    }
}

#[test]
fn an_operator_limits_connections() {
    let database = Database::create();
    let server = Server::start_as(
        command(&database)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("WIDGET_MAX_CONNECTIONS", "2"),
    );
    let connect = || TcpStream::connect(server.address).expect("it listens");
    let mut sockets = [connect(), connect(), connect()];
    // The first one made room for the last one; the others are still there.
    assert_eq!(sockets[0].read(&mut [0]).expect("it is closed in order"), 0);
    for socket in &mut sockets[1..] {
        let request = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
        socket.write_all(request).expect("it is open");
        let mut answer = [0; 12];
        socket.read_exact(&mut answer).expect("it answers");
        assert_eq!(answer, *b"HTTP/1.1 200");
    }
}

#[test]
fn half_open_sockets_do_not_block_others() {
    const FILES: usize = 1_024;
    let database = Database::create();
    // systemd's usual limit, which is what runs out first.
    let script =
        format!(r#"ulimit -Sn 256 && ulimit -Hn {FILES} && exec "$0" serve --listen 127.0.0.1:0"#);
    let mut limited = Command::new("sh");
    limited
        .args(["-c", &script, BINARY])
        .current_dir(database.directory())
        .env_clear()
        .env("DATABASE_URL", database.url());
    let mut server = Server::start_as(&mut limited);
    let limits = format!("/proc/{}/limits", server.child.id());
    let limits = std::fs::read_to_string(limits).expect("Linux reports them");
    let files = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .map(|line| line.split_whitespace().take(2).collect::<Vec<_>>());
    assert_eq!(files, Some(vec!["1024", "1024"]), "it raises its own limit");
    // The test itself holds as many.
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    rustix::process::setrlimit(
        rustix::process::Resource::Nofile,
        rustix::process::Rlimit {
            current: files.maximum,
            maximum: files.maximum,
        },
    )
    .expect("a process may raise its limit");
    let mut sockets: Vec<TcpStream> = (0..1_100)
        .map(|_| {
            let mut socket = TcpStream::connect(server.address).expect("it listens");
            socket.write_all(b"G").expect("it is open");
            socket
        })
        .collect();
    for _ in 0..100 {
        let answer = server.request("GET", "/readyz", "", "");
        assert_eq!(answer.expect("it answers").0, 200);
    }
    // Those that waited longest made room for the others.
    let is_closed = |socket: &mut TcpStream| match socket.read(&mut [0]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    };
    let too_many = sockets.len() + 1 - (FILES - 64);
    assert!(sockets[..too_many].iter_mut().all(is_closed));
    server.signal("-TERM");
    assert!(server.child.wait().expect("it ends").success());
    assert!(sockets.iter_mut().all(is_closed));
}

#[test]
fn a_second_process_reads_and_writes_the_same_database() {
    let database = Database::create();
    let servers = [Server::start(&database), Server::start(&database)];
    let key = key(&database, &["agents:manage"]);
    for number in 0..20 {
        let body = format!(r#"{{"name":"Agent {number}"}}"#);
        let writer = &servers[number % 2];
        let (status, answer) = writer
            .request("POST", "/core/agents", &key, &body)
            .expect("it answers");
        assert_eq!(status, 201, "{answer}");
        for server in &servers {
            let list = server.request("GET", "/core/agents", &key, "");
            let (status, list) = list.expect("it answers");
            assert_eq!(status, 200, "{list}");
            assert!(list.contains(&format!("Agent {number}\"")), "{list}");
        }
    }
    drop(servers);
    let again = Server::start(&database);
    assert_eq!(
        again
            .request("GET", "/readyz", "", "")
            .expect("it answers")
            .0,
        200
    );
}

#[test]
fn two_services_start_at_once_on_an_empty_database() {
    let database = Database::create();
    std::thread::scope(|scope| {
        let starts: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| Server::start(&database)))
            .collect();
        let servers: Vec<Server> = starts
            .into_iter()
            .map(|start| start.join().expect("it starts"))
            .collect();
        let key = key(&database, &["agents:manage"]);
        for server in &servers {
            assert_eq!(
                server
                    .request("GET", "/core/agents", &key, "")
                    .expect("it answers")
                    .0,
                200
            );
        }
    });
}
