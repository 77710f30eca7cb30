//! What was decided about pages that ask for widgets.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use widget_core::{finding::Code, serve::Refusal};

use super::{
    catalog::Metric,
    snapshot::{LabelValue, Snapshot},
};

/// Decisions by their outcome.
#[derive(Debug)]
pub(crate) struct Decisions {
    served: AtomicU64,
    unknown: AtomicU64,
    refused: [AtomicU64; Code::ALL.len()],
}

impl Default for Decisions {
    fn default() -> Self {
        Self {
            served: AtomicU64::default(),
            unknown: AtomicU64::default(),
            refused: [const { AtomicU64::new(0) }; Code::ALL.len()],
        }
    }
}

impl Decisions {
    /// Counts a decision under its first reason.
    pub(crate) fn count<T>(&self, decision: &Result<T, Refusal>) {
        let counter = match decision {
            Ok(_) => &self.served,
            Err(refusal) => &self.refused[refusal.reasons[0].code as usize],
        };
        counter.fetch_add(1, Relaxed);
    }

    /// Counts a request for a widget that does not exist.
    pub(crate) fn count_unknown(&self) {
        self.unknown.fetch_add(1, Relaxed);
    }

    pub(super) fn write(&self, snapshot: &mut Snapshot) {
        let refused = Code::ALL.iter().map(|code| code.as_str());
        let named = ["served", "widget_unknown"].into_iter().chain(refused);
        let counters = [&self.served, &self.unknown].into_iter();
        for (name, counter) in named.zip(counters.chain(&self.refused)) {
            let count = counter.load(Relaxed);
            // Most codes are those of faults in a record, which decide nothing.
            if count > 0 || name == "served" {
                snapshot.count(Metric::Decisions, [LabelValue::of(name)], count);
            }
        }
    }
}
