//! What any HTTP service has: extractors, credentials, CORS, problems, validators, paging, logs.

pub mod api;
pub mod auth;
pub mod caller;
pub mod connections;
pub mod cors;
pub mod deadline;
pub(crate) mod etag;
pub mod event_streams;
pub mod extract;
pub(crate) mod head;
pub(crate) mod jwt;
pub mod key_uses;
pub(crate) mod paging;
pub mod problem;
mod strict;
