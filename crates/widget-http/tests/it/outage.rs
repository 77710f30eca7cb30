//! What happens when the PostgreSQL server goes away or falls silent, and comes back.

use std::{
    io::{BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    str::FromStr as _,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::json;
use sqlx::{Connection as _, migrate::Migrate as _, postgres::PgConnectOptions};
use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpStream, UnixListener, UnixStream},
    sync::{oneshot, watch},
    task::{JoinHandle, JoinSet, spawn_blocking},
};
use url::Url;
use widget_core::origin::SuffixList;
use widget_http::storage;

use crate::{
    database::{self, Database, Server, given, lead_to},
    postgresql::process::command,
    support::{LogLines, Service, id},
};

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
        way.resume();
        way
    }

    fn resume(&mut self) {
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

/// Carries until the way falls silent: then nothing arrives on this connection, not even its end,
/// also when the way carries others again.
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

/// What can be made unavailable to the service for a while.
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

    fn resume(&mut self) {
        match self {
            Self::Server(server) => server.resume(),
            Self::Way(way) => way.resume(),
        }
    }
}

#[tokio::test]
async fn a_server_that_goes_away_is_a_clear_503_until_it_is_back() {
    if given().is_some() {
        let database = Database::create();
        let mut url = database.url().parse().expect("a URL");
        let way = Way::open_to(&url);
        lead_to(&mut url, way.directory.path());
        is_missed_until_it_is_back(Lost::Way(way), url).await;
    } else {
        let server = Server::start();
        let url = server.url();
        is_missed_until_it_is_back(Lost::Server(server), url).await;
    }
}

async fn is_missed_until_it_is_back(mut lost: Lost, database: Url) {
    let service = Service::start_at(database.as_str(), |_| {}).await;
    let widget = service
        .widget(json!({"config": {"v1": {"theme": "dark"}}}))
        .await;
    let path = format!("/core/web-widgets/{}", id(&widget));
    let widget = service.get(&path).await.json(200);

    lost.go_away().await;
    for _ in 0..2 {
        service.get(&path).await.problem(503, "storage_unavailable");
        service
            .put(&path, &json!({"published": false}))
            .await
            .problem(503, "storage_unavailable");
        let report = service.get("/readyz").await.json(503);
        assert_eq!(report["status"], "unavailable");
        assert_eq!(report["parts"]["database"], "storage_unavailable");
        service.get("/healthz").await.expect(200);
    }

    lost.resume();
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
    let database = Database::create();
    let mut url = database.url().parse().expect("a URL");
    let way = Way::open_to(&url);
    lead_to(&mut url, way.directory.path());
    // Whoever waits for the server would wait forever.
    tokio::time::timeout(Duration::from_mins(2), is_not_waited_for(way, url))
        .await
        .expect("nothing waits for the server");
}

async fn is_not_waited_for(way: Way, database: Url) {
    let service = Service::start_at(database.as_str(), |_| {}).await;
    let widget = service.widget(json!({})).await;
    let path = format!("/core/web-widgets/{}", id(&widget));
    let widget = service.get(&path).await.json(200);
    // More at once than there are connections.
    let reads = || join_all((0..40).map(|_| service.get(&path)));
    for answer in reads().await {
        assert_eq!(answer.json(200), widget);
    }

    // Visitors share what comes of reading one widget; in turn they would wait too long.
    let launcher = format!("/core/public/web-widgets/{}", id(&widget));
    let origin = [("origin", "https://example.com")];
    let visit = || service.call_with(None, "GET", &launcher, None, &origin);
    let visits = || join_all((0..40).map(|_| visit()));

    way.silent.send_replace(true);
    for _ in 0..2 {
        for answer in reads().await {
            answer.problem(503, "storage_unavailable");
        }
        for answer in visits().await {
            answer.problem(503, "storage_unavailable");
        }
        service
            .put(&path, &json!({"published": false}))
            .await
            .problem(503, "storage_unavailable");
        let report = service.get("/readyz").await.json(503);
        assert_eq!(report["status"], "unavailable");
        assert_eq!(report["parts"]["database"], "storage_unavailable");
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

/// A service on the database, whose log can be read; nothing has answered it yet.
fn start(database: &Database, url: &Url, seconds: &str) -> Child {
    command(database)
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("DATABASE_URL", url.as_str())
        .env("WIDGET_DATABASE_WAIT", seconds)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs")
}

/// Reads lines until one contains the text, and the rest on a thread of its own: a log that nobody
/// reads stops the process.
fn read_until(output: impl Read + Send + 'static, text: &str) {
    let mut lines = BufReader::new(output).lines();
    let mut found = lines.by_ref().map(|line| line.expect("it is text"));
    assert!(
        found.any(|line| line.contains(text)),
        "there is no `{text}`"
    );
    std::thread::spawn(move || lines.count());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_waits_for_the_server() {
    let database = Database::create();
    let mut url = database.url().parse().expect("a URL");
    let mut way = Way::open_to(&url);
    lead_to(&mut url, way.directory.path());
    way.go_away().await;

    let gone = start(&database, &url, "0");
    let gone = gone.wait_with_output().expect("it ends");
    assert_eq!(gone.status.code(), Some(1));
    let complaint = String::from_utf8(gone.stderr).expect("text");
    assert!(
        complaint.contains("the database cannot be opened"),
        "{complaint}"
    );

    let mut waiting = start(&database, &url, "600");
    let log = waiting.stderr.take().expect("it is piped");
    let said = spawn_blocking(|| read_until(log, "waiting for the database"));
    said.await.expect("it says so");
    way.resume();
    let output = waiting.stdout.take().expect("it is piped");
    let said = spawn_blocking(|| read_until(output, "listening on"));
    said.await.expect("it starts");
    waiting.kill().expect("it runs");
    waiting.wait().expect("it ends");
}

#[tokio::test]
async fn a_process_that_waits_for_the_migrations_of_another_says_so() {
    let log = LogLines::capture();
    let database = Database::create();
    let open = storage::open(database.url(), SuffixList::builtin().clone());
    let storage = open.await.expect("the server answers");
    let mut other = sqlx::PgConnection::connect(database.url())
        .await
        .expect("the server answers");
    // What each process does before it migrates.
    other.lock().await.expect("nobody else migrates");
    let unlock = async {
        let begun = Instant::now();
        while log.with("another process migrates").is_empty() {
            assert!(begun.elapsed() < Duration::from_mins(1), "it says nothing");
            tokio::task::yield_now().await;
        }
        other.unlock().await.expect("it was locked");
    };
    let (migrated, ()) = tokio::join!(storage.migrate(), unlock);
    assert_ne!(migrated.expect("it is its turn"), 0);
    storage.close().await;
}

#[tokio::test]
async fn a_migration_that_waits_for_a_table_lets_others_pass() {
    let database = Database::create();
    let open = storage::open(database.url(), SuffixList::builtin().clone());
    let storage = open.await.expect("the server answers");
    storage.migrate().await.expect("it is empty");
    let holder = database::Connection::connect(database.url()).await;
    let mut holder = holder.expect("the server answers");
    // One that changes a table is missing, and somebody reads that table for long.
    sqlx::raw_sql(
        "ALTER TABLE rooms DROP COLUMN page_changed;
         DELETE FROM _sqlx_migrations WHERE version = 20261128010000",
    )
    .execute(&mut holder)
    .await
    .expect("it can be executed");
    sqlx::raw_sql("BEGIN; SELECT name FROM rooms")
        .execute(&mut holder)
        .await
        .expect("it can be executed");
    let migrating = tokio::spawn({
        let storage = Arc::clone(&storage);
        async move { storage.migrate().await }
    });
    let question = database::COUNT_WAITING.expect("PostgreSQL can say so");
    for is_waiting in [true, false] {
        let waits = async |holder: &mut database::Connection| -> bool {
            let count: i64 = sqlx::query_scalar(question)
                .fetch_one(holder)
                .await
                .expect("it can be asked");
            count > 0
        };
        while waits(&mut holder).await != is_waiting {
            assert!(
                !migrating.is_finished(),
                "it does not wait: {:?}",
                migrating.await
            );
        }
    }
    sqlx::raw_sql("ROLLBACK")
        .execute(&mut holder)
        .await
        .expect("it was begun");
    let migrated = migrating.await.expect("it does not panic");
    assert_eq!(migrated.expect("the table is free"), 1);
    storage.close().await;
}
