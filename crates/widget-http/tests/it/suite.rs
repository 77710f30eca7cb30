//! Every integration test of the service. Each database has a binary of its own that includes all
//! of them and says in `crate::database` where a test keeps its records, so that no test can forget
//! one.

#![expect(
    clippy::disallowed_methods,
    reason = "tests find the programs of this machine by its variables"
)]

mod agent_directory;
mod agents;
mod api_keys;
mod auth;
pub(crate) mod backup;
mod bounds;
mod brand;
mod conversations;
mod deleted_widgets;
mod docs;
mod doctor;
pub(crate) mod erasure;
mod events;
mod hang_up;
mod head;
mod kill;
mod log;
mod metrics;
mod openapi;
mod plans;
mod problems;
pub(crate) mod process;
mod readiness;
mod revisions;
mod searches;
mod statistics;
mod stop;
pub(crate) mod storage;
mod suffixes;
pub(crate) mod support;
mod sweeps;
mod traces;
mod unreadable;
pub(crate) mod visitor;
mod widgets;
mod workers;
