//! Which limits have refused requests.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::{
    catalog::Metric,
    snapshot::{LabelValue, Snapshot},
};

/// Refusals by the name of the limit. Only what is refused waits for the lock.
#[derive(Debug, Default)]
pub(crate) struct LimitRefusals(Mutex<BTreeMap<&'static str, u64>>);

impl LimitRefusals {
    pub(crate) fn count(&self, limit: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(limit).or_default() += 1;
    }

    pub(super) fn write(&self, snapshot: &mut Snapshot) {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (limit, count) in &*counts {
            snapshot.count(Metric::LimitRefusals, [LabelValue::of(limit)], *count);
        }
    }
}
