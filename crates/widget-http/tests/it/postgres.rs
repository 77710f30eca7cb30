//! The same contract on PostgreSQL, and what happens when the server goes away and comes back.
//!
//! `TEST_DATABASE_URL` names a server that is there already; its user must be allowed to make
//! databases, and each test uses and drops one of its own. Without it a server is started on a Unix
//! socket in a temporary directory, so that it meets no other, with the programs in the folder
//! `POSTGRES_BIN`, on the PATH, or where Debian keeps them.

use std::{
    env,
    io::{BufRead, BufReader},
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    str::FromStr as _,
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::json;
use sqlx::{Connection, postgres::PgConnectOptions};
use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpStream, UnixListener, UnixStream},
    sync::{oneshot, watch},
    task::{JoinHandle, JoinSet},
};
use url::Url;
use uuid::Uuid;
use widget_core::origin::SuffixList;
use widget_http::storage;

use crate::{
    storage::{concurrent, contract, upgrades},
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

    fn url(&self) -> Url {
        let mut url: Url = "postgres://widgets@localhost/postgres"
            .parse()
            .expect("a URL");
        lead_to(&mut url, self.directory.path());
        url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.go_away();
    }
}

fn is_root(own: &Path) -> bool {
    // What this process has just made belongs to it, unless it was handed on, which only root can
    // do.
    own.metadata()
        .is_ok_and(|metadata| [0, NOBODY].contains(&metadata.uid()))
}

/// A program of PostgreSQL's server.
fn program(name: &str) -> PathBuf {
    let mut folders: Vec<PathBuf> = env::var_os("POSTGRES_BIN")
        .into_iter()
        .map(PathBuf::from)
        .collect();
    if let Some(path) = env::var_os("PATH") {
        folders.extend(env::split_paths(&path));
    }
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| {
            panic!(
                "`{name}` is missing: the storage is also tested on a PostgreSQL server of the test's own.\n  \
                 install it with: sudo apt-get install -y postgresql\n  \
                 or set TEST_DATABASE_URL to the postgres: URL of a server whose user may make databases"
            )
        })
}

/// The server that the environment names, if it names one.
fn given() -> Option<Url> {
    let text = env::var("TEST_DATABASE_URL")
        .ok()
        .filter(|text| !text.is_empty())?;
    let url = text
        .parse::<Url>()
        .ok()
        .filter(|url| ["postgres", "postgresql"].contains(&url.scheme()));
    Some(url.expect(
        "TEST_DATABASE_URL is a URL such as postgres://user:password@127.0.0.1:5432/postgres",
    ))
}

/// Makes the URL lead to the Unix socket in the folder, whatever host it names.
fn lead_to(url: &mut Url, folder: &Path) {
    let folder = folder.to_str().expect("a path of ASCII");
    url.query_pairs_mut().append_pair("host", folder);
}

/// Runs a test on a database of its own, which is dropped afterwards, also when the test fails.
async fn on_a_database<T>(server: &Url, test: impl FnOnce(Url) -> T)
where
    T: Future<Output = ()> + Send + 'static,
{
    let name = format!("widgets_test_{}", Uuid::new_v4().simple());
    execute(server, format!("CREATE DATABASE {name}")).await;
    let mut database = server.clone();
    database.set_path(&name);
    let outcome = tokio::spawn(test(database)).await;
    execute(server, format!("DROP DATABASE {name} WITH (FORCE)")).await;
    if let Err(error) = outcome {
        std::panic::resume_unwind(error.into_panic());
    }
}

async fn execute(server: &Url, statement: String) {
    let mut connection = sqlx::PgConnection::connect(server.as_str())
        .await
        .expect("the PostgreSQL server answers");
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .expect("the user may make and drop databases");
    connection.close().await.expect("it can be closed");
}

/// The way to a server that others may use too: it is closed instead of stopping the server.
struct Way {
    directory: TempDir,
    server: Arc<PgConnectOptions>,
    silent: watch::Sender<bool>,
    open: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Way {
    fn open_to(server: &Url) -> Self {
        let mut way = Self {
            directory: tempfile::tempdir().expect("a temporary directory can be made"),
            server: Arc::new(
                PgConnectOptions::from_str(server.as_str()).expect("a URL of PostgreSQL"),
            ),
            silent: watch::Sender::new(false),
            open: None,
        };
        way.go_on();
        way
    }

    fn go_on(&mut self) {
        let listener =
            UnixListener::bind(socket(self.directory.path(), &self.server)).expect("it is free");
        let (server, silent) = (Arc::clone(&self.server), self.silent.clone());
        let (close, mut closed) = oneshot::channel();
        let carrying = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    client = listener.accept() => {
                        let (client, _) = client.expect("it can be accepted");
                        let (server, silent) = (Arc::clone(&server), silent.subscribe());
                        connections.spawn(carry_until_silent(client, server, silent));
                    }
                    _ = &mut closed => break,
                }
            }
            connections.shutdown().await;
        });
        self.open = Some((close, carrying));
    }

    async fn go_away(&mut self) {
        if let Some((close, carrying)) = self.open.take() {
            close.send(()).expect("somebody listens");
            carrying.await.expect("it ends");
            std::fs::remove_file(socket(self.directory.path(), &self.server))
                .expect("it was there");
        }
    }
}

/// The same, until the way falls silent: then nothing arrives on this connection, not even its
/// end, also when the way carries others again.
async fn carry_until_silent(
    client: UnixStream,
    server: Arc<PgConnectOptions>,
    mut silent: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let carrying = carry(client, server);
    tokio::pin!(carrying);
    tokio::select! {
        biased;
        _ = silent.wait_for(|silent| *silent) => {}
        done = &mut carrying => return done,
    }
    std::future::pending().await
}

/// Carries what a client and the server say to each other, until one of them is gone.
async fn carry(mut client: UnixStream, server: Arc<PgConnectOptions>) -> std::io::Result<()> {
    let (host, port) = (server.get_host(), server.get_port());
    let folder = server.get_socket().map(PathBuf::as_path);
    if let Some(folder) = folder.or_else(|| host.starts_with('/').then_some(Path::new(host))) {
        let mut server = UnixStream::connect(socket(folder, &server)).await?;
        copy_bidirectional(&mut client, &mut server).await?;
    } else {
        let mut server = TcpStream::connect((host, port)).await?;
        copy_bidirectional(&mut client, &mut server).await?;
    }
    Ok(())
}

/// The Unix socket that clients of the server look for in a folder.
fn socket(folder: &Path, server: &PgConnectOptions) -> PathBuf {
    folder.join(format!(".s.PGSQL.{}", server.get_port()))
}

/// What can be taken from the service for a while.
enum Lost {
    Server(Server),
    Way(Way),
}

impl Lost {
    async fn go_away(&mut self) {
        match self {
            Self::Server(server) => server.go_away(),
            Self::Way(way) => way.go_away().await,
        }
    }

    fn go_on(&mut self) {
        match self {
            Self::Server(server) => server.go_on(),
            Self::Way(way) => way.go_on(),
        }
    }
}

#[tokio::test]
async fn postgresql_keeps_the_contract() {
    if let Some(server) = given() {
        on_a_database(&server, keeps_the_contract).await;
    } else {
        let server = Server::start();
        on_a_database(&server.url(), keeps_the_contract).await;
    }
}

async fn keeps_the_contract(database: Url) {
    let open = || storage::open(database.as_str(), SuffixList::builtin().clone());
    let first = open().await.expect("it answers");
    let second = open().await.expect("it answers");
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
    upgrades::without_due_time(Arc::clone(&first), database.as_str()).await;
    upgrades::with_a_newer_schema(Arc::clone(&first), database.as_str()).await;
    upgrades::with_another_type(Arc::clone(&first), database.as_str()).await;
    first.close().await;
    second.close().await;
}

#[tokio::test]
async fn a_server_that_goes_away_is_a_clear_503_until_it_is_back() {
    if let Some(server) = given() {
        on_a_database(&server, |mut database| async {
            let way = Way::open_to(&database);
            lead_to(&mut database, way.directory.path());
            is_missed_until_it_is_back(Lost::Way(way), database).await;
        })
        .await;
    } else {
        let server = Server::start();
        let database = server.url();
        is_missed_until_it_is_back(Lost::Server(server), database).await;
    }
}

async fn is_missed_until_it_is_back(mut lost: Lost, database: Url) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let service = Service::start_on(directory, database.as_str(), |_| {}).await;
    let widget = service
        .widget(json!({"config": {"v1": {"theme": "dark"}}}))
        .await;
    let path = format!("/core/web-widgets/{}", crate::support::id(&widget));

    lost.go_away().await;
    for _ in 0..2 {
        service.get(&path).await.problem(503, "storage_unavailable");
        service
            .put(&path, &json!({"published": false}))
            .await
            .problem(503, "storage_unavailable");
        service
            .get("/readyz")
            .await
            .problem(503, "storage_unavailable");
        service.get("/healthz").await.expect(200);
    }

    lost.go_on();
    // Connections of before are dead; each is found out at most once.
    let mut answer = service.get(&path).await;
    for _ in 0..20 {
        if answer.status == 200 {
            break;
        }
        answer.problem(503, "storage_unavailable");
        answer = service.get(&path).await;
    }
    assert_eq!(answer.json(200), widget);
    service
        .put(&path, &json!({"published": false}))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_server_that_falls_silent_is_a_clear_503_until_it_speaks() {
    let own;
    let server = if let Some(server) = given() {
        server
    } else {
        own = Server::start();
        own.url()
    };
    on_a_database(&server, |mut database| async {
        let way = Way::open_to(&database);
        lead_to(&mut database, way.directory.path());
        let test = is_not_waited_for(way, database);
        // What waits for the server would wait for ever.
        tokio::time::timeout(Duration::from_mins(2), test)
            .await
            .expect("nothing waits for the server");
    })
    .await;
}

async fn is_not_waited_for(way: Way, database: Url) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let service = Service::start_on(directory, database.as_str(), |_| {}).await;
    let widget = service.widget(json!({})).await;
    let path = format!("/core/web-widgets/{}", crate::support::id(&widget));
    // More at once than there are connections.
    let reads = || join_all((0..40).map(|_| service.get(&path)));
    for answer in reads().await {
        assert_eq!(answer.json(200), widget);
    }

    way.silent.send_replace(true);
    for _ in 0..2 {
        for answer in reads().await {
            answer.problem(503, "storage_unavailable");
        }
        service
            .put(&path, &json!({"published": false}))
            .await
            .problem(503, "storage_unavailable");
        service
            .get("/readyz")
            .await
            .problem(503, "storage_unavailable");
        service.get("/healthz").await.expect(200);
    }

    way.silent.send_replace(false);
    for answer in reads().await {
        assert_eq!(answer.json(200), widget);
    }
    service
        .put(&path, &json!({"published": false}))
        .await
        .expect(200);

    way.silent.send_replace(true);
    service.storage.close().await;
}
