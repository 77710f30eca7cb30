//! Tests of the crate through its public interface, in one binary.
#![expect(
    clippy::disallowed_methods,
    reason = "the rules are for the crate; its tests read the fixtures"
)]

mod budgets;
mod config;
mod conformance;
mod conversation;
mod corpora;
mod embed;
mod explain;
mod forms;
mod gates;
mod origin_entries;
mod origin_laws;
mod origin_lists;
mod origin_requests;
mod origin_vectors;
mod proofs;
mod schema;
mod serde;
mod statistics;
mod support;
mod transcript;
