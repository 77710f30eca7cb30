//! Tests of the crate through its public interface, in one binary.

mod config;
mod conversation;
mod embed;
mod explain;
mod forms;
mod gates;
mod origin_entries;
mod origin_laws;
mod origin_lists;
mod origin_requests;
mod origin_vectors;
mod support;
