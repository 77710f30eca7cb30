//! The bodies of the HTTP API as plain types: the service answers with them, its clients read them.
//!
//! Knows `widget_core` and serde, and nothing of a server or a database, nor of HTTP without the
//! features `client`, which asks the service, and `visit`, which fetches pages of websites.
//!
//! Reading a body checks its shape; whether what it says is allowed is decided by the service.
//! Requests with unknown keys are refused, unknown keys of answers are ignored, and a code that
//! this build does not know is [`Received::Other`]: so an older client works with a newer service.

pub mod agents;
pub mod api_keys;
#[cfg(feature = "client")]
pub mod client;
pub mod conversations;
pub mod decisions;
pub mod doctor;
pub mod erasures;
pub mod events;
pub mod health;
pub mod limits;
pub mod previews;
mod problem;
mod received;
pub mod refusals;
pub mod revisions;
#[cfg(feature = "schemars")]
pub mod schema;
mod scope;
mod scopes;
pub mod statistics;
mod timestamp;
pub mod unreadable;
#[cfg(feature = "visit")]
pub mod visit;
pub mod visitors;
pub mod widgets;
mod words;

pub use problem::{FieldError, Problem, ProblemCode};
pub use received::Received;
pub use scope::Scope;
pub use scopes::Scopes;
pub use timestamp::Timestamp;
pub use widgets::{NewWidget, Widget, WidgetPatch};

/// The maximum number of items in one answer of a list.
pub const MAX_PAGE_LIMIT: u32 = 200;

/// Reads a member that may be absent but is not `null`: an absent one keeps the value, and `null`
/// could mean several things.
fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}
