//! Every test of the service, with its records in SQLite.

#[path = "it/database/sqlite.rs"]
mod database;
#[path = "it/database_file.rs"]
mod database_file;
#[path = "it/suite.rs"]
mod sqlite;
#[path = "it/sqlite_backup.rs"]
mod sqlite_backup;

use sqlite::{support, visitor};
