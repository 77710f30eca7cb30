//! The service behind PgBouncer, which gives connections to the server to its clients: each client
//! one for as long as it stays (`session`), or for the time of a transaction (`transaction`).

#![expect(
    clippy::disallowed_methods,
    reason = "tests find the programs of this machine by its variables"
)]

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};
use sqlx::Connection as _;
use tempfile::TempDir;
use url::Url;
use widget_core::origin::SuffixList;
use widget_http::storage::{self, Location, StoreError, migrations::MigrationError};

use crate::{
    database::{self, Database, Supervised, lead_to, server_folder},
    postgresql::{
        process::{Server, command, key, run},
        storage::keep_contract,
    },
};

/// PgBouncer in front of the server of a database.
pub(crate) struct PgBouncer {
    url: String,
    _running: Supervised,
    _directory: TempDir,
}

impl PgBouncer {
    /// `settings` are lines of its configuration.
    fn start(database: &Database, settings: &str) -> Self {
        let directory = server_folder();
        let folder = directory.path();
        let mut url: Url = database.url().parse().expect("a URL");
        let host = url.query_pairs().find(|(name, _)| name == "host");
        let host = host.map(|(_, folder)| folder.into_owned());
        let host = host.unwrap_or_else(|| url.host_str().expect("a server").to_owned());
        let port = url.port().unwrap_or(5432);
        let (user, password) = (url.username(), url.password().expect("it has one"));
        let configuration = format!(
            "[databases]
             * = host={host} port={port}
             [pgbouncer]
             listen_addr =
             listen_port = {port}
             unix_socket_dir = {}
             auth_type = trust
             auth_file = users.txt
             {settings}
             ",
            folder.display()
        );
        let lines: Vec<&str> = configuration.lines().map(str::trim).collect();
        let files = [
            ("pgbouncer.ini", lines.join("\n")),
            ("users.txt", format!("\"{user}\" \"{password}\"\n")),
        ];
        for (name, text) in files {
            std::fs::write(folder.join(name), text).expect("it can be written");
        }
        let arguments = [OsStr::new("pgbouncer.ini")];
        let ready = "process up";
        let running = Supervised::start(folder, "TERM", &program(), &arguments, ready);
        url.set_query(None);
        lead_to(&mut url, folder);
        Self {
            url: url.into(),
            _running: running,
            _directory: directory,
        }
    }

    /// Two connections to the server for all clients, so that each has another one every time.
    pub(crate) fn by_transaction(database: &Database) -> Self {
        Self::start(database, "pool_mode = transaction\ndefault_pool_size = 2")
    }

    /// The way through it, and the one to the server itself for migrations.
    pub(crate) fn location<'a>(&'a self, database: &'a Database) -> Location<'a> {
        Location {
            url: &self.url,
            migration_url: Some(database.url()),
        }
    }
}

/// PgBouncer's program.
fn program() -> PathBuf {
    if let Some(named) = env::var_os("PGBOUNCER").filter(|path| !path.is_empty()) {
        return named.into();
    }
    let mut folders: Vec<PathBuf> = env::var_os("PATH")
        .map(|path| env::split_paths(&path).collect())
        .unwrap_or_default();
    // Debian's package.
    folders.push(Path::new("/usr/sbin").to_owned());
    let mut programs = folders.iter().map(|folder| folder.join("pgbouncer"));
    programs.find(|path| path.is_file()).expect(
        "`pgbouncer` is missing: the service is also tested behind it.\n  \
         install it with: sudo apt-get install -y pgbouncer\n  \
         or name the program in PGBOUNCER",
    )
}

#[tokio::test]
async fn the_contract_is_kept_by_transaction() {
    let database = Database::create();
    let bouncer = PgBouncer::by_transaction(&database);
    Box::pin(keep_contract(bouncer.location(&database), database.url())).await;
}

#[tokio::test]
async fn the_contract_is_kept_by_session() {
    let database = Database::create();
    let settings = "pool_mode = session
        default_pool_size = 50
        ignore_startup_parameters = options";
    let bouncer = PgBouncer::start(&database, settings);
    Box::pin(keep_contract(bouncer.location(&database), database.url())).await;
}

#[tokio::test]
async fn migrations_need_the_server_itself() {
    let database = Database::create();
    let bouncer = PgBouncer::by_transaction(&database);
    let open = || storage::open(bouncer.url.as_str(), SuffixList::builtin().clone());
    let storage = open().await.expect("PgBouncer answers");
    let refused = storage.migrate().await.expect_err("it is not the server");
    assert!(matches!(refused, MigrationError::Pooled), "{refused}");
    assert!(
        refused
            .to_string()
            .contains("WIDGET_MIGRATION_DATABASE_URL")
    );
    database.assert_untouched();
    let direct = storage::open(database.url(), SuffixList::builtin().clone());
    let direct = direct.await.expect("the server answers");
    assert!(direct.migrate().await.expect("it is empty") > 0);
    // Nothing is missing anymore.
    assert_eq!(storage.migrate().await.expect("nothing is missing"), 0);
    direct.close().await;
    storage.close().await;
}

#[tokio::test]
async fn a_statement_by_transaction_has_its_timeout() {
    let database = Database::create();
    let bouncer = PgBouncer::by_transaction(&database);
    let storage = storage::open(bouncer.location(&database), SuffixList::builtin().clone());
    let storage = storage.await.expect("PgBouncer answers");
    storage.migrate().await.expect("it is empty");
    let holder = database::Connection::connect(database.url()).await;
    let mut holder = holder.expect("the server answers");
    sqlx::raw_sql("BEGIN; LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE")
        .execute(&mut holder)
        .await
        .expect("nobody else has it");
    let error = storage.list_api_keys(None).await.expect_err("it is locked");
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert!(error.to_string().contains("statement timeout"), "{error}");
    sqlx::raw_sql("ROLLBACK")
        .execute(&mut holder)
        .await
        .expect("it was begun");
    storage.list_api_keys(None).await.expect("nobody has it");
    storage.close().await;
}

/// A service that is reached through PgBouncer, if there is one.
fn serve(database: &Database, bouncer: Option<&PgBouncer>) -> Server {
    let mut command = command(database);
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    if let Some(bouncer) = bouncer {
        command
            .env("DATABASE_URL", &bouncer.url)
            .env("WIDGET_MIGRATION_DATABASE_URL", database.url());
    }
    Server::start_as(&mut command)
}

#[track_caller]
fn ask(server: &Server, method: &str, path: &str, key: &str, body: &Value) -> Value {
    let answer = server.request(method, path, key, &body.to_string());
    let (status, body) = answer.expect("it answers");
    assert!([200, 201].contains(&status), "{path}: {status} {body}");
    serde_json::from_str(&body).expect("JSON")
}

/// A widget, made by requests; its path.
fn new_widget(server: &Server, key: &str) -> String {
    let post = |path: &str, body: &Value| ask(server, "POST", path, key, body);
    let agent = post("/core/agents", &json!({"name": "Concierge"}));
    let versions = format!(
        "/core/agents/{}/versions",
        agent["id"].as_str().expect("an id")
    );
    let version = post(&versions, &json!({"livekit_agent_name": "concierge"}));
    let widget = json!({
        "agent_id": agent["id"], "agent_version_id": version["id"],
        "domains": ["https://shop.example"],
    });
    let widget = post("/core/web-widgets", &widget);
    format!(
        "/core/web-widgets/{}",
        widget["id"].as_str().expect("an id")
    )
}

const SCOPES: [&str; 2] = ["agents:manage", "web_widgets:manage"];

#[test]
fn a_service_works_behind_it() {
    let database = Database::create();
    let bouncer = PgBouncer::by_transaction(&database);
    // Without the server itself it says what is missing.
    let refused = command(&database)
        .env("DATABASE_URL", &bouncer.url)
        .args(["serve", "--listen", "127.0.0.1:0"])
        .output()
        .expect("the binary runs");
    let complaint = String::from_utf8(refused.stderr).expect("text");
    assert_eq!(refused.status.code(), Some(1), "{complaint}");
    assert!(
        complaint.contains("set WIDGET_MIGRATION_DATABASE_URL"),
        "{complaint}"
    );
    let check = command(&database)
        .env("DATABASE_URL", &bouncer.url)
        .args(["migrate", "--check"])
        .output()
        .expect("the binary runs");
    assert_eq!(check.status.code(), Some(1));
    database.assert_untouched();

    let servers = [(); 2].map(|()| serve(&database, Some(&bouncer)));
    let key = key(&database, &SCOPES);
    std::thread::scope(|scope| {
        for server in &servers {
            for _ in 0..4 {
                scope.spawn(|| {
                    let path = new_widget(server, &key);
                    for published in [true, false, true] {
                        let change = json!({"published": published});
                        let changed = ask(server, "PUT", &path, &key, &change);
                        assert_eq!(changed["published"], published);
                    }
                });
            }
        }
    });
    for server in &servers {
        let (status, report) = server
            .request("GET", "/readyz", "", "")
            .expect("it answers");
        assert_eq!(status, 200, "{report}");
    }
    assert!(run(&database, &["migrate", "--check"]).status.success());
}

/// A process that freezes in the midst of a transaction keeps its rows from others for ten seconds.
fn is_freed(database: &Database, bouncer: Option<&PgBouncer>) {
    let server = serve(database, bouncer);
    let key = key(database, &SCOPES);
    let path = new_widget(&server, &key);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be built");
    std::thread::scope(|scope| {
        let freed = async {
            let connect = || database::Connection::connect(database.url());
            let mut holder = connect().await.expect("the server answers");
            let mut other = connect().await.expect("the server answers");
            sqlx::raw_sql(database::HOLD_REVISIONS)
                .execute(&mut holder)
                .await
                .expect("nobody writes");
            let change = json!({"published": true}).to_string();
            // It is not answered: the process is frozen, and ends with the test.
            let (server, path, key) = (&server, &path, &key);
            scope.spawn(move || server.request("PUT", path, key, &change).is_ok());
            let question = database::COUNT_WAITING.expect("PostgreSQL can say so");
            loop {
                let waiting: i64 = sqlx::query_scalar(question)
                    .fetch_one(&mut holder)
                    .await
                    .expect("it can be asked");
                if waiting > 0 {
                    break;
                }
            }
            server.signal("-STOP");
            sqlx::raw_sql("ROLLBACK")
                .execute(&mut holder)
                .await
                .expect("it was begun");
            // Waits for the transaction.
            let waiting =
                sqlx::query("UPDATE web_widgets SET revision = revision").execute(&mut other);
            let done = tokio::time::timeout(Duration::from_mins(1), waiting).await;
            done.expect("the row is freed").expect("it can be written");
        };
        runtime.block_on(freed);
        server.signal("-KILL");
    });
}

#[test]
fn a_frozen_process_frees_its_rows() {
    is_freed(&Database::create(), None);
}

#[test]
fn a_frozen_process_behind_pgbouncer_frees_its_rows() {
    let database = Database::create();
    let bouncer = PgBouncer::by_transaction(&database);
    is_freed(&database, Some(&bouncer));
}
