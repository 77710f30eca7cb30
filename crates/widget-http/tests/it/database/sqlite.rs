//! Databases for tests: a SQLite file for each.

use std::path::Path;

use tempfile::TempDir;

/// What to connect with beside the service.
pub(crate) type Connection = sqlx::SqliteConnection;

/// The name of the database.
pub(crate) const NAME: &str = "sqlite";

/// The folder of its migrations.
pub(crate) const MIGRATIONS: &str = "sqlite";

/// Keeps others from writing to the agents until `ROLLBACK`; they can still read.
pub(crate) const HOLD_AGENTS: &str = "BEGIN EXCLUSIVE";

/// Keeps others from writing until `ROLLBACK`, so that a change of a widget waits.
pub(crate) const HOLD_REVISIONS: &str = "BEGIN EXCLUSIVE";

/// Keeps others from writing until `ROLLBACK`; they can still read.
pub(crate) const HOLD_CONVERSATIONS: &str = "BEGIN EXCLUSIVE";

/// Keeps others from writing until `ROLLBACK`.
pub(crate) const HOLD_STATISTICS: &str = "BEGIN EXCLUSIVE";

/// The id that is made of the column `number`.
pub(crate) const UUID_OF_NUMBER: &str = "unhex(printf('%032x', number))";

/// What a write answers meanwhile.
pub(crate) const HELD: &str = "storage_busy";

/// How many ways there are to keep a database from being written, see [`Database::forbid_writes`].
pub(crate) const WAYS_TO_FORBID_WRITES: usize = 1;

/// SQLite cannot say who waits.
pub(crate) const COUNT_WAITING: Option<&str> = None;

/// Changes the type of a column; SQLite cannot.
pub(crate) const CHANGE_TYPE: Option<&str> = None;

/// The names of all tables.
pub(crate) const TABLES: &str =
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";

/// The columns of a table that are not computed, with their types.
pub(crate) const COLUMNS: &str = "SELECT name, type FROM pragma_table_info($1)";

/// Some bytes in SQL.
pub(crate) const BYTES: &str = "x'00'";

/// Makes a room unreadable; the condition for it follows.
pub(crate) const DAMAGE_ROOM: &str =
    "PRAGMA foreign_keys = OFF; UPDATE rooms SET conversation_id = x'00' WHERE ";

/// Makes the metadata of conversations unreadable; the condition for it follows.
pub(crate) const DAMAGE_METADATA: &str =
    "UPDATE conversations SET custom_metadata = CAST(x'ff' AS TEXT) WHERE ";

/// Finds the names of all tables.
pub(crate) const FIND_TABLES: &str =
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";

/// Finds the columns of the table `?` that every new row must name.
pub(crate) const FIND_REQUIRED_COLUMNS: &str = "SELECT name FROM pragma_table_info('?')
     WHERE \"notnull\" AND dflt_value IS NULL AND NOT (pk > 0 AND type = 'INTEGER')";

/// Makes the question that returns each row of the table `?` as the statement that inserts it.
pub(crate) const ASK_FOR_ROWS: &str =
    "SELECT 'SELECT ''INSERT INTO ? (' || group_concat(name, ', ') || ') VALUES ('' || '
         || group_concat('quote(' || name || ')', ' || '', '' || ') || ' || '')'' FROM ? ORDER BY 1'
     FROM (SELECT name FROM pragma_table_info('?') ORDER BY name)";

/// Makes the write after the next `remaining` ones fail.
pub(crate) const COUNT_WRITES: &str =
    "CREATE TABLE faults (remaining INTEGER NOT NULL) STRICT; INSERT INTO faults VALUES (0);";

/// Makes [`COUNT_WRITES`] count those of the table `?`.
pub(crate) const COUNT_WRITES_OF_TABLE: &str = "
    CREATE TRIGGER count_inserts_of_? BEFORE INSERT ON ? BEGIN
        UPDATE faults SET remaining = remaining - 1;
        SELECT RAISE(ABORT, 'this write fails') FROM faults WHERE remaining < 0;
    END;
    CREATE TRIGGER count_updates_of_? BEFORE UPDATE ON ? BEGIN
        UPDATE faults SET remaining = remaining - 1;
        SELECT RAISE(ABORT, 'this write fails') FROM faults WHERE remaining < 0;
    END;
    CREATE TRIGGER count_deletes_of_? BEFORE DELETE ON ? BEGIN
        UPDATE faults SET remaining = remaining - 1;
        SELECT RAISE(ABORT, 'this write fails') FROM faults WHERE remaining < 0;
    END;";

/// How the database would execute a statement, whatever its arguments are.
pub(crate) async fn explain(connection: &mut Connection, statement: &str) -> String {
    let question = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let steps: Vec<(i64, i64, i64, String)> = sqlx::query_as(question)
        .fetch_all(connection)
        .await
        .expect("it can be asked");
    let steps: Vec<String> = steps.into_iter().map(|(.., step)| step).collect();
    steps.join("\n")
}

/// An id of another length than ids have, as SQL; none where the type of the column refuses it.
#[expect(clippy::unnecessary_wraps, reason = "the other database has none")]
pub(crate) fn unreadable_id(number: usize) -> Option<String> {
    Some(format!("X'{number:04X}'"))
}

/// An id in SQL.
pub(crate) fn uuid_literal(id: uuid::Uuid) -> String {
    format!("x'{}'", id.simple())
}

/// Refuses every change of a conversation from now on.
pub(crate) fn refuse_changes(id: uuid::Uuid) -> String {
    format!(
        "CREATE TRIGGER refuse BEFORE UPDATE ON conversations WHEN OLD.id = {}
         BEGIN SELECT RAISE(ABORT, 'refused'); END",
        uuid_literal(id)
    )
}

/// An empty database that is removed when this value is dropped.
pub(crate) struct Database {
    directory: TempDir,
    url: String,
}

impl Database {
    pub(crate) fn create() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let url = format!("sqlite:{}", directory.path().join("widgets.db").display());
        Self { directory, url }
    }

    /// Lets those who open it from now on read only.
    pub(crate) fn forbid_writes(&self, _: usize) {
        self.set_mode(0o444);
    }

    /// Lets them write again.
    pub(crate) fn allow_writes(&self, _: usize) {
        self.set_mode(0o644);
    }

    fn set_mode(&self, mode: u32) {
        let path = self.directory.path().join("widgets.db");
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(path, permissions).expect("it is this user's");
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Checks that nothing was created in it.
    pub(crate) fn assert_untouched(&self) {
        let files = std::fs::read_dir(self.directory()).expect("it is there");
        assert_eq!(files.count(), 0, "something was created");
    }

    /// A folder for files of the test.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }
}

/// Has permissions of files apply to this thread and those that it starts, also for root: before
/// there are others, which would still open what they must not.
pub(crate) fn obey_permissions() {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
    let mut sets = capabilities(None).expect("a thread may ask for its own");
    sets.effective
        .remove(CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH);
    set_capabilities(None, sets).expect("a thread may give up some");
}

/// The bytes of every file of the database.
#[expect(clippy::unused_async, reason = "the other database is asked")]
pub(crate) async fn read_all(database: &Database) -> Vec<u8> {
    let files = std::fs::read_dir(database.directory()).expect("it is there");
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        std::fs::read(file.expect("it is there").path()).expect("it can be read")
    };
    files.flat_map(read).collect()
}
