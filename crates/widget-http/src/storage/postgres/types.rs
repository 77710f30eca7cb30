//! The types of the driver for PostgreSQL, under the names that both databases share.

pub(in crate::storage) type Database = sqlx::Postgres;
pub(in crate::storage) type Row = sqlx::postgres::PgRow;
pub(in crate::storage) type Pool = sqlx::PgPool;
