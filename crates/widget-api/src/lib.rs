//! The bodies of the HTTP API as plain types: the service answers with them, its clients read them.
//!
//! Knows `widget_core` and serde, and nothing of a server, a database or an HTTP library. Reading a
//! body checks its shape; whether what it says is allowed is decided by the service.

mod problem;
#[cfg(feature = "schemars")]
pub mod schema;
mod scope;
mod words;

pub use problem::{FieldError, Problem, ProblemCode};
pub use scope::{Scope, UnknownScope};
