//! A bounded cache of what is read from storage: of many requests at once for the same thing, one
//! reads it, and all share what came of it, also when storage fails.

use std::{
    hash::Hash,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use quick_cache::{Weighter, sync::Cache};

use crate::{
    metrics::{LabelValue, Metric, Snapshot},
    storage::{StoreError, deadline::wait_in_time},
};

/// Memory of a failure that requests share, with the cache's own bookkeeping, in bytes.
const FAILURE: u64 = 1024;

/// What is kept under each key.
#[derive(Debug)]
pub(super) struct ReadCache<K, V> {
    cache: Cache<K, Slot<V>, ByMemory>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// What was read, and whether it is kept.
#[derive(Debug)]
pub(super) struct Reading<V> {
    pub(super) value: V,
    /// An upper bound of the memory that it holds, in bytes; nothing when it is not kept.
    pub(super) weight: Option<u64>,
}

#[derive(Debug, Clone)]
enum Slot<V> {
    Kept {
        value: V,
        weight: u64,
    },
    /// Only for those who waited while it was read; the next request reads again.
    Failed(StoreError),
}

#[derive(Debug, Clone)]
struct ByMemory;

impl<K, V> Weighter<K, Slot<V>> for ByMemory {
    fn weight(&self, _: &K, slot: &Slot<V>) -> u64 {
        match slot {
            Slot::Kept { weight, .. } => *weight,
            Slot::Failed(_) => FAILURE,
        }
    }
}

impl<V> Slot<V> {
    fn into_outcome(self) -> Result<V, StoreError> {
        match self {
            Self::Kept { value, .. } => Ok(value),
            Self::Failed(error) => Err(error),
        }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> ReadCache<K, V> {
    /// A cache sized for so many values, of at most `capacity` bytes.
    pub(super) fn new(values: usize, capacity: u64) -> Self {
        Self {
            cache: Cache::with_weighter(values, capacity, ByMemory),
            hits: AtomicU64::default(),
            misses: AtomicU64::default(),
        }
    }

    /// Counts a value out of memory that was good enough.
    pub(super) fn count_hit(&self) {
        self.hits.fetch_add(1, Relaxed);
    }

    pub(super) fn write_metrics(&self, snapshot: &mut Snapshot, name: &LabelValue) {
        let labels = || [name.clone()];
        snapshot.count(Metric::CacheHits, labels(), self.hits.load(Relaxed));
        snapshot.count(Metric::CacheMisses, labels(), self.misses.load(Relaxed));
        snapshot.count(Metric::CacheBytes, labels(), self.weight());
    }

    /// What is kept under the key.
    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.cache.get(key)?.into_outcome().ok()
    }

    /// Whether something is kept under the key.
    pub(super) fn has(&self, key: &K) -> bool {
        matches!(self.cache.peek(key), Some(Slot::Kept { .. }))
    }

    /// What is kept under the key and is `fresh`, or else what `read` finds.
    ///
    /// # Errors
    /// When storage fails, and when waiting for another request that reads takes too long.
    pub(super) async fn read(
        &self,
        key: &K,
        fresh: impl Fn(&V) -> bool,
        read: impl Future<Output = Result<Reading<V>, StoreError>>,
    ) -> Result<V, StoreError> {
        self.misses.fetch_add(1, Relaxed);
        self.cache.remove_if(key, |slot| match slot {
            Slot::Kept { value, .. } => !fresh(value),
            Slot::Failed(_) => true,
        });
        let guard = match wait_in_time(self.cache.get_value_or_guard_async(key)).await? {
            Ok(slot) => return slot.into_outcome(),
            Err(guard) => guard,
        };
        // Inserting can only fail when the entry was replaced at the same time; then the other one
        // is as good.
        match read.await {
            Ok(Reading { value, weight }) => {
                if let Some(weight) = weight {
                    let value = value.clone();
                    let _ = guard.insert(Slot::Kept { value, weight });
                }
                Ok(value)
            }
            Err(error) => {
                let _ = guard.insert(Slot::Failed(error.clone()));
                Err(error)
            }
        }
    }

    /// Forgets what is kept under the key.
    pub(super) fn remove(&self, key: &K) {
        self.cache.remove(key);
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        self.cache.clear();
    }

    /// An upper bound of the memory of everything, in bytes.
    pub(super) fn weight(&self) -> u64 {
        self.cache.weight()
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future::pending, time::Duration};

    use futures_util::future::join_all;
    use tokio::time::sleep;

    use super::*;
    use crate::storage::deadline::share_time;

    fn cache() -> ReadCache<u8, u8> {
        ReadCache::new(10, 1 << 20)
    }

    fn unavailable() -> StoreError {
        StoreError::Unavailable("silence".into())
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_shared_by_all_who_waited_for_it() {
        let (cache, reads) = (cache(), Cell::new(0));
        let silent = || async {
            reads.set(reads.get() + 1);
            sleep(Duration::from_millis(1500)).await;
            Err(unavailable())
        };
        for round in 1..=2 {
            let requests = (0..50).map(|_| share_time(cache.read(&1, |_| true, silent())));
            for outcome in join_all(requests).await {
                assert!(matches!(outcome, Err(StoreError::Unavailable(_))));
            }
            assert_eq!(reads.get(), round, "one reads for all");
            assert_eq!(cache.get(&1), None);
        }
        let found = async {
            Ok(Reading {
                value: 7,
                weight: Some(1),
            })
        };
        let found = cache.read(&1, |_| true, found).await;
        assert_eq!(found.ok(), Some(7), "a failure is not remembered");
        assert_eq!(cache.get(&1), Some(7));
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_another_request_has_an_end() {
        let cache = cache();
        let read = cache.read(&1, |_| true, pending());
        let waiting = share_time(cache.read(&1, |_| true, pending()));
        let outcome = tokio::select! {
            biased;
            _ = read => None,
            outcome = waiting => Some(outcome),
        };
        assert!(matches!(outcome, Some(Err(StoreError::Unavailable(_)))));
    }
}
