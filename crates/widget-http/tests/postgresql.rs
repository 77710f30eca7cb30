//! Every test of the service, with its records in PostgreSQL, behind PgBouncer, too, and what
//! happens when that goes away.

#[path = "it/database/postgresql.rs"]
mod database;
#[path = "it/outage.rs"]
mod outage;
#[path = "it/pgbouncer.rs"]
mod pgbouncer;
#[path = "it/suite.rs"]
mod postgresql;

use postgresql::{support, visitor};
