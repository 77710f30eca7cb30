//! Every test of the service, with its records in PostgreSQL, behind PgBouncer, too, and what
//! happens when that goes away; two services behind nginx; backups; partitions; indexes that are
//! built while nodes work; locks of the places where visitors start.

#[path = "it/database/postgresql.rs"]
mod database;
#[path = "it/index_builds.rs"]
mod index_builds;
#[cfg(target_os = "linux")]
#[path = "it/nginx.rs"]
mod nginx;
#[path = "it/outage.rs"]
mod outage;
#[path = "it/partitions.rs"]
mod partitions;
#[path = "it/pgbouncer.rs"]
mod pgbouncer;
#[path = "it/place_locks.rs"]
mod place_locks;
#[path = "it/suite.rs"]
mod postgresql;
#[path = "it/postgresql_backup.rs"]
mod postgresql_backup;

use postgresql::{support, visitor};
