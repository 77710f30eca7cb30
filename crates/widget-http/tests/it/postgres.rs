//! The same contract on PostgreSQL, and what happens when the server goes away and comes back.
//!
//! A server is started from the binaries on this machine, on a Unix socket in a temporary directory, so that it meets
//! no other; `DATABASE_URL` with a `postgres:` URL is used instead when it is set.

use std::{
    io::{BufRead, BufReader},
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use serde_json::json;
use sqlx::Connection;
use tempfile::TempDir;
use widget_http::storage;

use crate::{
    storage::{concurrent, contract},
    support::Service,
};

/// User and group `nobody`: PostgreSQL refuses to run as root.
const NOBODY: u32 = 65_534;

/// A PostgreSQL server of this test's own.
struct Server {
    directory: TempDir,
    child: Option<Child>,
}

impl Server {
    fn start() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        if is_root(directory.path()) {
            std::os::unix::fs::chown(directory.path(), Some(NOBODY), Some(NOBODY))
                .expect("root may do so");
        }
        let mut server = Self {
            directory,
            child: None,
        };
        let made = server
            .command("initdb")
            .args([
                "--username=widgets",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ])
            .output()
            .expect("initdb runs");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        server.go_on();
        server
    }

    /// A command on this server's data, as a user that may run it.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command
            .arg("-D")
            .arg(self.directory.path().join("data"))
            .current_dir(self.directory.path());
        if is_root(self.directory.path()) {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Starts the server and waits until it takes connections.
    fn go_on(&mut self) {
        let mut child = self
            .command("postgres")
            .args([
                "-c",
                "listen_addresses=",
                "-c",
                "fsync=off",
                "-c",
                "lc_messages=C",
                "-k",
            ])
            .arg(self.directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("postgres runs");
        let mut log = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut lines = String::new();
        while !lines.contains("ready to accept connections") {
            let length = log.read_line(&mut lines).expect("its log can be read");
            assert_ne!(length, 0, "postgres ended: {lines}");
        }
        // Read on, or the server would wait for its log at some time.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        self.child = Some(child);
    }

    /// Stops the server at once, as a machine that fails would.
    fn go_away(&mut self) {
        if let Some(mut child) = self.child.take() {
            let status = Command::new("kill")
                .args(["-QUIT", &child.id().to_string()])
                .status();
            assert!(status.expect("kill is there").success());
            child.wait().expect("it ends");
        }
    }

    fn url(&self) -> String {
        format!(
            "postgres://widgets@localhost/postgres?host={}",
            self.directory.path().display()
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.go_away();
    }
}

fn is_root(own: &Path) -> bool {
    // What this process has just made belongs to it, unless it was handed on, which only root can do.
    own.metadata()
        .is_ok_and(|metadata| [0, NOBODY].contains(&metadata.uid()))
}

/// A program of PostgreSQL: on the PATH, or where Debian keeps it.
fn program(name: &str) -> PathBuf {
    let mut folders: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("`{name}` is missing; install it with `apt-get install postgresql`, or set DATABASE_URL"))
}

#[tokio::test]
async fn postgresql_keeps_the_contract() {
    let given = std::env::var("DATABASE_URL")
        .ok()
        .filter(|url| url.starts_with("postgres"));
    let server = given.is_none().then(Server::start);
    let url = given.unwrap_or_else(|| server.as_ref().expect("started just now").url());
    // A database of this run's own, also on a server that is used for other things.
    let name = format!("widgets_{}", std::process::id());
    let mut connection = sqlx::PgConnection::connect(&url)
        .await
        .expect("the server answers");
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut connection)
        .await
        .expect("it is new");
    let mut own: url::Url = url.parse().expect("a URL");
    own.set_path(&name);

    let first = storage::open(own.as_str()).await.expect("it answers");
    let second = storage::open(own.as_str()).await.expect("it answers");
    let missing = first
        .pending_migrations()
        .await
        .expect("it can be asked")
        .len();
    // Two services that start at once migrate once.
    let (one, other) = tokio::join!(first.migrate(), second.migrate());
    assert_eq!(one.expect("migrates") + other.expect("migrates"), missing);
    Box::pin(contract(Arc::clone(&first))).await;
    concurrent(Arc::clone(&first), Arc::clone(&second)).await;
    first.close().await;
    second.close().await;
    sqlx::query(sqlx::AssertSqlSafe(format!("DROP DATABASE {name}")))
        .execute(&mut connection)
        .await
        .expect("nobody uses it");
}

#[tokio::test]
async fn a_server_that_goes_away_is_a_clear_503_until_it_is_back() {
    let mut server = Server::start();
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let service = Service::start_on(directory, &server.url(), |_| {}).await;
    let widget = service
        .widget(json!({"config": {"v1": {"theme": "dark"}}}))
        .await;
    let path = format!("/core/web-widgets/{}", crate::support::id(&widget));

    server.go_away();
    for _ in 0..2 {
        service
            .get(&path)
            .await
            .problem(503, "database_unavailable");
        service
            .put(&path, &json!({"published": false}))
            .await
            .problem(503, "database_unavailable");
        service
            .get("/readyz")
            .await
            .problem(503, "database_unavailable");
        service.get("/healthz").await.expect(200);
    }

    server.go_on();
    // Connections of before are dead; each is found out at most once.
    let mut answer = service.get(&path).await;
    for _ in 0..20 {
        if answer.status == 200 {
            break;
        }
        answer.problem(503, "database_unavailable");
        answer = service.get(&path).await;
    }
    assert_eq!(answer.json(200), widget);
    service
        .put(&path, &json!({"published": false}))
        .await
        .expect(200);
}
