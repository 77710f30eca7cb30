//! Databases for tests: a SQLite file for each.

use std::path::Path;

use tempfile::TempDir;

/// What to connect with beside the service.
pub(crate) type Connection = sqlx::SqliteConnection;

/// Keeps others from writing to the agents until `ROLLBACK`; they can still read.
pub(crate) const HOLD_AGENTS: &str = "BEGIN EXCLUSIVE";

/// Keeps others from writing until `ROLLBACK`, so that a change of a widget waits.
pub(crate) const HOLD_REVISIONS: &str = "BEGIN EXCLUSIVE";

/// SQLite cannot say who waits.
pub(crate) const COUNT_WAITING: Option<&str> = None;

/// Changes the type of a column; SQLite cannot.
pub(crate) const CHANGE_TYPE: Option<&str> = None;

/// Some bytes in SQL.
pub(crate) const BYTES: &str = "x'00'";

/// An id in SQL.
pub(crate) fn uuid_literal(id: uuid::Uuid) -> String {
    format!("x'{}'", id.simple())
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

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A folder for files of the test.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }
}
