//! What the process says about what it does: log lines, traces, and the numbers of its requests.
//!
//! It observes all areas: each may use it, and it may use those above it.

#[cfg(test)]
pub(crate) mod capture;
mod context;
mod flood;
mod format;
mod observe;
mod summary;
pub mod trace;

pub use self::{
    context::{PageOf, REQUEST_ID, Unlogged},
    format::LogFormat,
    observe::ObserveLayer,
    summary::report_requests,
};
pub(crate) use self::{
    context::{caller, carry, note_call, note_decision, note_organization, note_widget},
    flood::Floods,
    observe::peer_of,
};
