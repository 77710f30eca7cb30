//! What happens when the PostgreSQL server goes away or falls silent, and comes back.

use std::{
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpStream, UnixListener, UnixStream},
    sync::{oneshot, watch},
    task::{JoinHandle, JoinSet},
};
use url::Url;

use crate::{
    database::{Database, Server, given, lead_to},
    support::{Service, id},
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

    fn go_on(&mut self) {
        match self {
            Self::Server(server) => server.go_on(),
            Self::Way(way) => way.go_on(),
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
