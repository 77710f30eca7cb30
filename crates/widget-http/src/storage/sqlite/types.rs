//! The types of the driver for SQLite, under the names that both databases share.

pub(in crate::storage) type Database = sqlx::Sqlite;
pub(in crate::storage) type Row = sqlx::sqlite::SqliteRow;
pub(in crate::storage) type Pool = sqlx::SqlitePool;
