//! Builds of the embed that are not in this binary: pages pin loaders, and windows that are open
//! ask for parts of their own build, also while another release is rolled out.
//!
//! The names of all builds are in memory, so that a name that somebody invented costs nothing; the
//! builds themselves are in a bounded cache.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration as StdDuration,
};

use quick_cache::{Weighter, sync::Cache};
use time::{Duration, OffsetDateTime};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

use crate::{
    embed_files::OldBuild,
    storage::{BuildName, Storage, StoreError},
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
    names: Mutex<Names>,
    cache: Cache<BuildName, Arc<Entry>, ByMemory>,
}

#[derive(Debug, Default)]
struct Names {
    known: HashSet<BuildName>,
    read_at: Option<Instant>,
}

#[derive(Debug)]
struct Entry {
    /// Nothing when its bytes are not those of its name.
    build: Option<OldBuild>,
    weight: u64,
    /// When it was last used, as far as storage knows, in seconds since 1970.
    marked_at: AtomicI64,
}

#[derive(Debug, Clone)]
struct ByMemory;

impl Weighter<BuildName, Arc<Entry>> for ByMemory {
    fn weight(&self, _: &BuildName, entry: &Arc<Entry>) -> u64 {
        entry.weight
    }
}

impl Default for EmbedBuilds {
    fn default() -> Self {
        Self {
            names: Mutex::default(),
            cache: Cache::with_weighter(EXPECTED_BUILDS, CAPACITY, ByMemory),
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
    /// Whether the build is in memory, so that asking for it costs nothing.
    pub(crate) fn has(&self, name: &BuildName) -> bool {
        self.cache.peek(name).is_some()
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
            return Ok(entry.found(now));
        }
        if !self.is_known(storage, name).await? {
            return Ok(None);
        }
        let entry = match self.cache.get_value_or_guard_async(name).await {
            Ok(entry) => entry,
            Err(guard) => {
                let Some(entry) = read(storage, name).await? else {
                    // Somebody has deleted it.
                    self.names.lock().await.known.remove(name);
                    return Ok(None);
                };
                let entry = Arc::new(entry);
                // It can only fail when the entry was replaced at the same time.
                let _ = guard.insert(Arc::clone(&entry));
                entry
            }
        };
        Ok(entry.found(now))
    }

    /// Whether storage has the name. Of many requests at once for names that are not known, one
    /// reads them all.
    async fn is_known(&self, storage: &dyn Storage, name: &BuildName) -> Result<bool, StoreError> {
        let asked_at = Instant::now();
        let mut names = self.names.lock().await;
        if names.known.contains(name) {
            return Ok(true);
        }
        if names.read_at.is_none_or(|read_at| read_at < asked_at) {
            if let Some(read_at) = names.read_at {
                sleep_until(read_at + NAMES_INTERVAL).await;
            }
            names.read_at = Some(Instant::now());
            names.known = storage.list_embed_builds().await?.into_iter().collect();
        }
        Ok(names.known.contains(name))
    }
}

async fn read(storage: &dyn Storage, name: &BuildName) -> Result<Option<Entry>, StoreError> {
    let (build, bytes, marked_at) = match storage.find_embed_build(name).await {
        Ok(Some(stored)) => {
            let bytes = stored.build.bytes().len();
            let build = OldBuild::read(&stored.build);
            (build, bytes, stored.last_seen_at.unix_timestamp())
        }
        Ok(None) => return Ok(None),
        Err(error @ StoreError::Corrupt { .. }) => {
            tracing::error!(error = %error, "a build of the embed is damaged and not served");
            (None, 0, i64::MAX)
        }
        Err(error) => return Err(error),
    };
    Ok(Some(Entry {
        build,
        weight: ENTRY_OVERHEAD + u64::try_from(bytes).unwrap_or(CAPACITY),
        marked_at: AtomicI64::new(marked_at),
    }))
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
