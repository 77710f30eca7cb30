//! What the process counts about itself, and how it is shown to an operator.
//!
//! Counting is an addition to a number whose place is known: nothing is looked up by name while a
//! request is answered. Everything that a label can be is closed, see `LabelValue`. What storage,
//! caches and LiveKit count, they keep themselves; [`Scrape`] reads all of it.

use crate::telemetry::Floods;

mod catalog;
mod decisions;
mod histogram;
mod limits;
mod listener;
mod process;
mod requests;
mod scrape;
mod snapshot;

pub use self::{
    catalog::{Kind, Metric},
    listener::router,
    scrape::Scrape,
};
pub(crate) use self::{
    decisions::Decisions,
    histogram::Histogram,
    limits::LimitRefusals,
    requests::{MethodLabel, Outcome, Requests, Route},
    snapshot::{LabelValue, Snapshot},
};

/// What one process has counted since its start.
#[derive(Debug, Default)]
pub struct Metrics {
    pub(crate) requests: Requests,
    pub(crate) decisions: Decisions,
    pub(crate) limits: LimitRefusals,
    pub(crate) floods: Floods,
}
