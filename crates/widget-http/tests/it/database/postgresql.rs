//! Databases for tests: each test has a role with a schema in one database of a PostgreSQL server,
//! which looks for the tables of a role there first. Unlike databases, these are created in
//! milliseconds.
//!
//! `TEST_DATABASE_URL` names a server that is there already; its user must be allowed to create
//! roles and schemas. Without it a server is started on a Unix socket in a temporary directory, so
//! that it meets no other, with the programs in the folder `POSTGRES_BIN`, on the PATH, or where
//! Debian keeps them. It ends, and its directory is removed, when the process of the tests ends.

#![expect(
    clippy::disallowed_methods,
    reason = "tests find the programs of this machine by its variables"
)]

use std::{
    env,
    ffi::OsStr,
    io::{BufRead, BufReader, Write as _},
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::LazyLock,
};

use sqlx::Connection as _;
use tempfile::TempDir;
use url::Url;
use uuid::Uuid;

/// What to connect with beside the service.
pub(crate) type Connection = sqlx::PgConnection;

/// The name of the database.
pub(crate) const NAME: &str = "postgresql";

/// The folder of its migrations.
pub(crate) const MIGRATIONS: &str = "postgres";

/// Keeps others from writing to the agents until `ROLLBACK`; they can still read.
pub(crate) const HOLD_AGENTS: &str = "BEGIN; LOCK TABLE agents IN EXCLUSIVE MODE";

/// Keeps others from writing revisions of widgets until `ROLLBACK`, so that a change of a widget
/// waits after its first statement.
pub(crate) const HOLD_REVISIONS: &str = "BEGIN; LOCK TABLE web_widget_revisions IN EXCLUSIVE MODE";

/// Keeps others from writing conversations until `ROLLBACK`; they can still read.
pub(crate) const HOLD_CONVERSATIONS: &str = "BEGIN; LOCK TABLE conversations IN EXCLUSIVE MODE";

/// Keeps others from writing numbers about widgets until `ROLLBACK`.
pub(crate) const HOLD_STATISTICS: &str =
    "BEGIN; LOCK TABLE web_widget_statistics IN EXCLUSIVE MODE";

/// How many statements wait for what this connection holds. `pg_stat_activity` would not do: it
/// stays the same until the end of a transaction.
pub(crate) const COUNT_WAITING: Option<&str> = Some(
    "SELECT COUNT(*) FROM pg_locks
     WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))",
);

/// Changes the type of a column.
pub(crate) const CHANGE_TYPE: Option<&str> =
    Some("ALTER TABLE conversations ALTER COLUMN livekit_agent_name TYPE VARCHAR(200)");

/// The names of all tables.
pub(crate) const TABLES: &str = "SELECT table_name::TEXT FROM information_schema.tables
    WHERE table_schema = current_schema()";

/// The id that is made of the column `number`.
pub(crate) const UUID_OF_NUMBER: &str = "lpad(to_hex(number), 32, '0')::uuid";

/// What a write answers while somebody holds what it needs: the server ends it after a while and
/// does not say whether it waited.
pub(crate) const HELD: &str = "storage_unavailable";

/// The server obeys those of its roles.
pub(crate) const fn obey_permissions() {}

/// How many ways there are to keep a database from being written, see [`Database::forbid_writes`].
pub(crate) const WAYS_TO_FORBID_WRITES: usize = 2;

/// The columns of a table that are not computed, with their types.
pub(crate) const COLUMNS: &str = "SELECT column_name::TEXT, data_type::TEXT
    FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name = $1 AND is_generated = 'NEVER'";

/// Some bytes in SQL.
pub(crate) const BYTES: &str = "'\\x00'::bytea";

/// Makes a room unreadable; the condition for it follows.
pub(crate) const DAMAGE_ROOM: &str = "ALTER TABLE rooms ALTER COLUMN attempts DROP NOT NULL;
     UPDATE rooms SET attempts = NULL WHERE ";

/// Makes the metadata of conversations unreadable; the condition for it follows.
pub(crate) const DAMAGE_METADATA: &str =
    "ALTER TABLE conversations ALTER COLUMN custom_metadata DROP NOT NULL;
     UPDATE conversations SET custom_metadata = NULL WHERE ";

/// Finds the names of all tables.
pub(crate) const FIND_TABLES: &str =
    "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema()";

/// Finds the columns of the table `?` that every new row must name.
pub(crate) const FIND_REQUIRED_COLUMNS: &str =
    "SELECT CAST(column_name AS TEXT) FROM information_schema.columns
     WHERE table_schema = current_schema() AND table_name = '?' AND is_nullable = 'NO'
         AND column_default IS NULL AND is_identity = 'NO' AND is_generated = 'NEVER'";

/// Makes the question that returns each row of the table `?` as the statement that inserts it.
pub(crate) const ASK_FOR_ROWS: &str =
    "SELECT 'SELECT ''INSERT INTO ? (' || string_agg(column_name, ', ' ORDER BY column_name)
         || ') OVERRIDING SYSTEM VALUE VALUES ('' || '
         || string_agg('quote_nullable(' || column_name || ')', ' || '', '' || ' ORDER BY column_name)
         || ' || '')'' FROM ? ORDER BY 1'
     FROM information_schema.columns
     WHERE table_schema = current_schema() AND table_name = '?' AND is_generated = 'NEVER'";

/// Makes the write after the next `remaining` ones fail.
pub(crate) const COUNT_WRITES: &str =
    "CREATE TABLE faults (remaining BIGINT NOT NULL); INSERT INTO faults VALUES (0);
     CREATE FUNCTION count_write() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
         UPDATE faults SET remaining = remaining - 1;
         IF (SELECT remaining FROM faults) < 0 THEN RAISE EXCEPTION 'this write fails'; END IF;
         IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
         RETURN NEW;
     END $$;";

/// Makes [`COUNT_WRITES`] count those of the table `?`.
pub(crate) const COUNT_WRITES_OF_TABLE: &str =
    "CREATE TRIGGER count_write BEFORE INSERT OR UPDATE OR DELETE ON ?
     FOR EACH ROW EXECUTE FUNCTION count_write();";

/// How the server would execute a statement on a table that is too large to be read as a whole,
/// whatever its arguments are.
pub(crate) async fn explain(connection: &mut Connection, statement: &str) -> String {
    let arguments = (1..=99).take_while(|number| statement.contains(&format!("${number}")));
    let arguments = match arguments.map(|_| "NULL").collect::<Vec<_>>() {
        none if none.is_empty() => String::new(),
        some => format!("({})", some.join(", ")),
    };
    let prepare = format!(
        "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; DEALLOCATE ALL;
         PREPARE asked AS {statement}"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(prepare))
        .execute(&mut *connection)
        .await
        .expect("it can be prepared");
    let question = format!("EXPLAIN EXECUTE asked{arguments}");
    let steps = sqlx::raw_sql(sqlx::AssertSqlSafe(question))
        .fetch_all(connection)
        .await
        .expect("it can be asked");
    let steps = steps.iter().map(|row| sqlx::Row::get::<String, _>(row, 0));
    steps.collect::<Vec<_>>().join("\n")
}

/// An id of another length than ids have, as SQL; none where the type of the column refuses it.
pub(crate) fn unreadable_id(_: usize) -> Option<String> {
    None
}

/// An id in SQL.
pub(crate) fn uuid_literal(id: Uuid) -> String {
    format!("'{id}'")
}

/// Refuses every change of a conversation from now on.
pub(crate) fn refuse_changes(id: Uuid) -> String {
    format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION 'refused'; END $$;
         CREATE TRIGGER refuse BEFORE UPDATE ON conversations FOR EACH ROW
             WHEN (OLD.id = {}) EXECUTE FUNCTION refuse()",
        uuid_literal(id)
    )
}

/// The server that the tests share.
static SHARED: LazyLock<Url> = LazyLock::new(|| {
    given().unwrap_or_else(|| {
        let server = Server::start();
        let url = server.url();
        // It ends with this process, which holds the other end of its standard input.
        std::mem::forget(server);
        url
    })
});

/// An empty database that is removed when this value is dropped.
pub(crate) struct Database {
    directory: TempDir,
    name: String,
    url: String,
}

impl Database {
    pub(crate) fn create() -> Self {
        let name = format!("widgets_test_{}", Uuid::new_v4().simple());
        execute(format!(
            "CREATE ROLE {name} LOGIN PASSWORD '{name}'; GRANT {name} TO CURRENT_USER;
             CREATE SCHEMA AUTHORIZATION {name}"
        ));
        let mut url = SHARED.clone();
        url.set_username(&name).expect("it names a server");
        url.set_password(Some(&name)).expect("it names a server");
        Self {
            directory: tempfile::tempdir().expect("a temporary directory can be made"),
            name,
            url: url.into(),
        }
    }

    /// Lets those who open it from now on read only: by a setting, or for lack of rights.
    pub(crate) fn forbid_writes(&self, way: usize) {
        let name = &self.name;
        execute(match way {
            0 => format!("ALTER ROLE {name} SET default_transaction_read_only = on"),
            _ => {
                format!("REVOKE INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {name} FROM {name}")
            }
        });
    }

    /// Lets them write again.
    pub(crate) fn allow_writes(&self, way: usize) {
        let name = &self.name;
        execute(match way {
            0 => format!("ALTER ROLE {name} RESET default_transaction_read_only"),
            _ => format!("GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {name} TO {name}"),
        });
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Checks that nothing was created in it.
    pub(crate) fn assert_untouched(&self) {
        execute(format!(
            "DO $$ BEGIN
                 IF EXISTS (SELECT FROM pg_class WHERE relnamespace = '{}'::regnamespace) THEN
                     RAISE EXCEPTION 'something was created';
                 END IF;
             END $$",
            self.name
        ));
    }

    /// A folder for files of the test.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = &self.name;
        execute(format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{name}';
             DROP OWNED BY {name}; DROP ROLE {name}"
        ));
    }
}

/// Executes statements on the shared server. A thread of its own does so, since a test's may be
/// one of an asynchronous runtime already.
fn execute(statements: String) {
    let execute = async {
        let mut connection = Connection::connect(SHARED.as_str())
            .await
            .expect("the PostgreSQL server answers");
        sqlx::raw_sql(sqlx::AssertSqlSafe(statements))
            .execute(&mut connection)
            .await
            .expect("the user may create and drop roles and schemas");
        connection.close().await.expect("it can be closed");
    };
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime can be built")
                .block_on(execute);
        });
        thread.join().expect("the statements are executed");
    });
}

/// Runs a server until it is asked to stop by a line of standard input. When that ends without one,
/// the tests are gone, and the folder of the server goes as well.
const SUPERVISE: &str = r#"
    folder=$1; signal=$2; shift 2
    "$@" & server=$!
    exec 2>&-
    read -r line; asked=$?
    kill -$signal $server; wait $server
    [ $asked = 0 ] || { cd / && rm -rf "$folder"; }
"#;

/// A server program in a folder of its own, as a user that may run it.
pub(crate) struct Supervised(Child);

impl Supervised {
    /// Starts the program, which the signal stops, and waits until its log says that it is ready.
    pub(crate) fn start(
        folder: &Path,
        signal: &str,
        program: &Path,
        arguments: &[&OsStr],
        ready: &str,
    ) -> Self {
        let mut supervise = command(folder, "sh");
        let mut child = supervise
            .args(["-c", SUPERVISE, "sh"])
            .arg(folder)
            .arg(signal)
            .arg(program)
            .args(arguments)
            // What a terminal interrupts are the tests.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell runs");
        let mut log = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut lines = String::new();
        while !lines.contains(ready) {
            let length = log.read_line(&mut lines).expect("its log can be read");
            assert_ne!(length, 0, "{} ended: {lines}", program.display());
        }
        // Read on, or the server would wait for its log at some time.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self(child)
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        let mut input = self.0.stdin.take().expect("it is piped");
        input.write_all(b"stop\n").expect("the shell reads it");
        self.0.wait().expect("it ends");
    }
}

/// A folder that a server program may write to.
pub(crate) fn server_folder() -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    if is_root(directory.path()) {
        std::os::unix::fs::chown(directory.path(), Some(NOBODY), Some(NOBODY))
            .expect("root may do so");
    }
    directory
}

/// A command as a user that may run a server, which works in the folder.
fn command(folder: &Path, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    if is_root(folder) {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// User and group `nobody`: PostgreSQL refuses to run as root.
const NOBODY: u32 = 65_534;

/// A PostgreSQL server of this test's own.
pub(crate) struct Server {
    directory: TempDir,
    running: Option<Supervised>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let mut server = Self {
            directory: server_folder(),
            running: None,
        };
        let made = command(server.directory.path(), program("initdb"))
            .arg("-D")
            .arg(server.data())
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
        server.resume();
        server
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Starts the server and waits until it accepts connections.
    pub(crate) fn resume(&mut self) {
        let (folder, data) = (self.directory.path(), self.data());
        let settings = ["-c", "listen_addresses=", "-c", "max_connections=500"];
        let more = ["-c", "fsync=off", "-c", "lc_messages=C", "-k"];
        let mut arguments = vec![OsStr::new("-D"), data.as_os_str()];
        arguments.extend(settings.into_iter().chain(more).map(OsStr::new));
        arguments.push(folder.as_os_str());
        let ready = "ready to accept connections";
        let running = Supervised::start(folder, "QUIT", &program("postgres"), &arguments, ready);
        self.running = Some(running);
    }

    /// Stops the server at once, as a machine that fails would.
    pub(crate) fn go_away(&mut self) {
        self.running = None;
    }

    pub(crate) fn url(&self) -> Url {
        let mut url: Url = "postgres://widgets@localhost/postgres"
            .parse()
            .expect("a URL");
        lead_to(&mut url, self.directory.path());
        url
    }
}

fn is_root(own: &Path) -> bool {
    // What this process has just made belongs to it, unless it was handed on, which only root can
    // do.
    own.metadata()
        .is_ok_and(|metadata| [0, NOBODY].contains(&metadata.uid()))
}

/// A program of PostgreSQL's server.
pub(crate) fn program(name: &str) -> PathBuf {
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
                "`{name}` is missing: the service is also tested on a PostgreSQL server of the \
                 test's own.\n  \
                 install it with: sudo apt-get install -y postgresql\n  \
                 or set TEST_DATABASE_URL to the postgres: URL of a server whose user may create \
                 roles and schemas"
            )
        })
}

/// The server that the environment names, if it names one.
pub(crate) fn given() -> Option<Url> {
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
pub(crate) fn lead_to(url: &mut Url, folder: &Path) {
    let folder = folder.to_str().expect("a path of ASCII");
    url.query_pairs_mut().append_pair("host", folder);
}

/// Every row of every table, as text, and what the planner of the server keeps of them. Then it has
/// the server take new samples of each table.
pub(crate) async fn read_all(database: &Database) -> Vec<u8> {
    let connection = Connection::connect(database.url()).await;
    let mut connection = connection.expect("it can be opened");
    let tables: Vec<String> = sqlx::query_scalar(FIND_TABLES)
        .fetch_all(&mut connection)
        .await
        .expect("it can be asked");
    let mut all = Vec::new();
    let mut read = async |question: String| {
        let question = sqlx::AssertSqlSafe(question);
        let rows: Vec<String> = sqlx::query_scalar(question)
            .fetch_all(&mut connection)
            .await
            .expect("it can be asked");
        rows.concat().into_bytes()
    };
    for table in tables {
        read(format!("VACUUM FULL {table}")).await;
        all.extend(read(format!("SELECT CAST(t AS TEXT) FROM {table} t")).await);
        let samples = "SELECT CAST(s AS TEXT) FROM pg_stats s WHERE schemaname = current_schema()";
        all.extend(read(format!("{samples} AND tablename = '{table}'")).await);
        read(format!("ANALYZE {table}")).await;
    }
    all
}
