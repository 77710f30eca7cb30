//! Every test of the service, with its records in PostgreSQL, and what happens when that goes away.

#[path = "it/database/postgresql.rs"]
mod database;
#[path = "it/outage.rs"]
mod outage;
#[path = "it/suite.rs"]
mod postgresql;

use postgresql::{support, visitor};
