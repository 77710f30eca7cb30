//! Every integration test of the service in one binary: it links once.

#![expect(
    clippy::disallowed_methods,
    reason = "tests find the programs of this machine by its variables"
)]

mod agents;
mod auth;
mod brand;
mod conversations;
mod openapi;
mod postgres;
mod problems;
mod process;
mod revisions;
mod storage;
mod suffixes;
mod support;
mod visitor;
mod widgets;
