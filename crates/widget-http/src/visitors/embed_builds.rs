//! Builds of the embed that are not in this binary: pages pin loaders, and windows that are open
//! ask for parts of their own build, also while another release is rolled out.
//!
//! The names of all builds are in memory, so that a name that somebody invented costs nothing; the
//! builds themselves are in a bounded cache.

use std::{
    collections::HashSet,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration as StdDuration,
};

use time::{Duration, OffsetDateTime};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

use super::read_cache::{ReadCache, Reading};
use crate::{
    embed_files::OldBuild,
    metrics::{LabelValue, Snapshot},
    storage::{BuildName, Storage, StoreError, deadline::wait_in_time},
};

/// How often the names are read at most, when one is asked for that is not known: a node that was
/// started a moment ago has new ones.
const NAMES_INTERVAL: StdDuration = StdDuration::from_secs(1);

/// How many builds the cache is sized for.
const EXPECTED_BUILDS: usize = 64;

/// Memory for all of them, in bytes; a window has about one million.
const CAPACITY: u64 = 32 << 20;

/// Memory of a build beside its bytes.
const ENTRY_OVERHEAD: u64 = 4096;

/// How exactly it is known when a build was last used: so often it is written at most.
const MARK_INTERVAL: Duration = Duration::DAY;

/// The builds of other releases.
#[derive(Debug)]
pub struct EmbedBuilds {
    names: Names,
    cache: ReadCache<BuildName, Option<Arc<Entry>>>,
}

/// The names of all builds, as of the last read.
#[derive(Debug, Default)]
struct Names {
    /// Held for no longer than a look, so that a known build never waits for invented ones.
    known: RwLock<HashSet<BuildName>>,
    /// Held while they are read, by one request.
    last: Mutex<Option<NamesRead>>,
}

/// The last read of the names.
#[derive(Debug)]
struct NamesRead {
    begun_at: Instant,
    /// It answers those who asked before.
    answers_until: Instant,
    outcome: Result<(), StoreError>,
}

#[derive(Debug)]
struct Entry {
    /// Nothing when its bytes are not those of its name.
    build: Option<OldBuild>,
    /// When it was last used, as far as storage knows, in seconds since 1970.
    marked_at: AtomicI64,
}

impl Default for EmbedBuilds {
    fn default() -> Self {
        Self {
            names: Names::default(),
            cache: ReadCache::new(EXPECTED_BUILDS, CAPACITY),
        }
    }
}

/// A build, and whether its use is to be noted.
#[derive(Debug)]
pub(crate) struct FoundBuild {
    pub(crate) build: OldBuild,
    pub(crate) is_to_mark: bool,
}

impl EmbedBuilds {
    pub(crate) fn write_metrics(&self, snapshot: &mut Snapshot, name: &LabelValue) {
        self.cache.write_metrics(snapshot, name);
    }

    /// Whether the build is in memory, so that asking for it costs nothing.
    pub(crate) fn has(&self, name: &BuildName) -> bool {
        self.cache.has(name)
    }

    /// The build of this name; `None` when storage has none.
    ///
    /// # Errors
    /// When storage has to be asked and fails.
    pub(crate) async fn find(
        &self,
        storage: &dyn Storage,
        name: &BuildName,
        now: OffsetDateTime,
    ) -> Result<Option<FoundBuild>, StoreError> {
        if let Some(entry) = self.cache.get(name) {
            self.cache.count_hit();
            return Ok(entry.and_then(|entry| entry.found(now)));
        }
        let list = || storage.list_embed_builds();
        if !self.names.have(name, list).await? {
            return Ok(None);
        }
        let entry = self.cache.read(name, |_| true, read(storage, name)).await?;
        if entry.is_none() {
            // Somebody has deleted it.
            self.names.remove(name);
        }
        Ok(entry.and_then(|entry| entry.found(now)))
    }
}

impl Names {
    /// Whether storage has the name. Of many requests at once for names that are not known, one
    /// reads them all by `read_all`; when that fails, it fails for all who waited.
    async fn have<F>(
        &self,
        name: &BuildName,
        read_all: impl FnOnce() -> F,
    ) -> Result<bool, StoreError>
    where
        F: Future<Output = Result<Vec<BuildName>, StoreError>>,
    {
        if self.knows(name) {
            return Ok(true);
        }
        let asked_at = Instant::now();
        let mut last = wait_in_time(self.last.lock()).await?;
        match &*last {
            Some(read) if asked_at <= read.answers_until => read.outcome.clone()?,
            _ => {
                if let Some(read) = &*last {
                    sleep_until(read.begun_at + NAMES_INTERVAL).await;
                }
                let begun_at = Instant::now();
                let (answers_until, outcome) = match read_all().await {
                    Ok(names) => {
                        *self.known.write().unwrap_or_else(PoisonError::into_inner) =
                            names.into_iter().collect();
                        // What was stored while it was read may be missing.
                        (begun_at, Ok(()))
                    }
                    Err(error) => (Instant::now(), Err(error)),
                };
                *last = Some(NamesRead {
                    begun_at,
                    answers_until,
                    outcome: outcome.clone(),
                });
                outcome?;
            }
        }
        Ok(self.knows(name))
    }

    fn knows(&self, name: &BuildName) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.contains(name)
    }

    fn remove(&self, name: &BuildName) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.remove(name);
    }
}

async fn read(
    storage: &dyn Storage,
    name: &BuildName,
) -> Result<Reading<Option<Arc<Entry>>>, StoreError> {
    let (build, bytes, marked_at) = match storage.find_embed_build(name).await {
        Ok(Some(stored)) => {
            let bytes = stored.build.bytes().len();
            let build = OldBuild::read(&stored.build);
            (build, bytes, stored.last_seen_at.unix_timestamp())
        }
        Ok(None) => {
            return Ok(Reading {
                value: None,
                weight: None,
            });
        }
        Err(StoreError::Corrupt { .. }) => (None, 0, i64::MAX),
        Err(error) => return Err(error),
    };
    Ok(Reading {
        value: Some(Arc::new(Entry {
            build,
            marked_at: AtomicI64::new(marked_at),
        })),
        weight: Some(ENTRY_OVERHEAD + u64::try_from(bytes).unwrap_or(CAPACITY)),
    })
}

impl Entry {
    fn found(&self, now: OffsetDateTime) -> Option<FoundBuild> {
        let build = self.build.clone()?;
        let now = now.unix_timestamp();
        let marked_at = self.marked_at.load(Ordering::Relaxed);
        let is_to_mark = now.saturating_sub(marked_at) >= MARK_INTERVAL.whole_seconds()
            && self
                .marked_at
                .compare_exchange(marked_at, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        Some(FoundBuild { build, is_to_mark })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::future::join_all;
    use tokio::time::sleep;

    use super::*;
    use crate::storage::{BuildKind, deadline::share_time};

    fn name(text: &'static str) -> BuildName {
        BuildName::of(BuildKind::Loader, text.as_bytes())
    }

    fn unavailable() -> StoreError {
        StoreError::Unavailable("silence".into())
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_read_of_the_names_says_nothing_about_any_name() {
        let (names, reads) = (Names::default(), Cell::new(0));
        let silent = || async {
            reads.set(reads.get() + 1);
            sleep(StdDuration::from_millis(1500)).await;
            Err(unavailable())
        };
        let build = name("a build");
        for round in 1..=2 {
            let requests = (0..50).map(|_| share_time(names.have(&build, silent)));
            for outcome in join_all(requests).await {
                assert!(matches!(outcome, Err(StoreError::Unavailable(_))));
            }
            assert_eq!(reads.get(), round, "one reads for all");
            sleep(StdDuration::from_millis(1)).await;
        }
        let known = async || Ok(vec![build.clone()]);
        assert!(matches!(names.have(&build, known).await, Ok(true)));
        let invented = name("invented");
        assert!(matches!(names.have(&invented, known).await, Ok(false)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_known_name_does_not_wait_for_invented_ones() {
        let names = Names::default();
        let build = name("a build");
        let list = async || Ok(vec![build.clone()]);
        assert!(matches!(names.have(&build, list).await, Ok(true)));
        sleep(StdDuration::from_millis(1)).await;
        let invented = name("invented");
        // Waits for the next read before, and for storage after that.
        let waiting = names.have(&invented, std::future::pending);
        let known = async {
            let before = names.have(&build, list).await;
            sleep(NAMES_INTERVAL).await;
            (before, names.have(&build, list).await)
        };
        tokio::select! {
            biased;
            _ = waiting => unreachable!("storage does not answer"),
            known = known => assert!(matches!(known, (Ok(true), Ok(true)))),
        }
    }
}
