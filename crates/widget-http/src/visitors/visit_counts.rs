//! What this process counts of visits until it is written: what was shown, opened and refused.
//!
//! Bounded whatever unknown callers send: only widgets that exist have counters, each of them lists
//! a bounded number of pages, and so do all of them together.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use foldhash::fast::FixedState;
use time::OffsetDateTime;
use widget_core::{
    finding::Code,
    id::WidgetId,
    statistics::{Counter, Interval, RefusedPage, Sketch},
};

use crate::storage::{Storage, StoreError, VisitCounts};

/// Locks, so that requests for different widgets seldom wait for each other.
const SHARDS: usize = 16;

/// Pages that are listed at once, of all widgets together: of at most a kilobyte each. Further ones
/// are counted as others until the next writing.
const MAX_PAGES: usize = 10_000;

/// Hours of widgets that are counted at once; further ones are not, which takes a database that
/// cannot be written for long.
const MAX_HOURS: usize = 100_000;

/// How many are written in one transaction.
const BATCH: usize = 50;

/// Only widgets that exist are in it, so that callers cannot choose keys that collide.
type Hours = HashMap<(WidgetId, i64), Visits, FixedState>;

/// The visits of widgets that are not written yet.
#[derive(Debug, Default)]
pub struct VisitCounters {
    shards: [Mutex<Hours>; SHARDS],
    hours: AtomicUsize,
    pages: AtomicUsize,
}

/// The visits of a widget within one hour.
#[derive(Debug, Default)]
struct Visits {
    launchers: u64,
    windows: u64,
    refused: Vec<(Code, u64)>,
    pages: Sketch<RefusedPage>,
}

impl VisitCounters {
    /// A page got the launcher's config of a widget that exists.
    pub fn count_launcher(&self, widget: WidgetId, now: OffsetDateTime) {
        self.change(widget, now, |visits| visits.launchers += 1);
    }

    /// A page got the window's document of a widget that exists.
    pub fn count_window(&self, widget: WidgetId, now: OffsetDateTime) {
        self.change(widget, now, |visits| visits.windows += 1);
    }

    /// A page did not get what it asked for of a widget that exists.
    pub fn count_refusal(&self, widget: WidgetId, page: RefusedPage, now: OffsetDateTime) {
        self.change(widget, now, |visits| {
            match visits
                .refused
                .iter_mut()
                .find(|(code, _)| *code == page.code)
            {
                Some((_, count)) => *count += 1,
                None => visits.refused.push((page.code, 1)),
            }
            if self.pages.load(Relaxed) >= MAX_PAGES {
                visits.pages.count_unlisted(&page, now);
            } else if visits.pages.count(page, now) {
                self.pages.fetch_add(1, Relaxed);
            }
        });
    }

    fn change(&self, widget: WidgetId, now: OffsetDateTime, change: impl FnOnce(&mut Visits)) {
        let hour = Interval::Hour.point_of(now);
        let mut shard = self
            .shard(widget)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(visits) = shard.get_mut(&(widget, hour)) {
            change(visits);
        } else if self.hours.fetch_add(1, Relaxed) < MAX_HOURS {
            change(shard.entry((widget, hour)).or_default());
        } else {
            self.hours.fetch_sub(1, Relaxed);
        }
    }

    fn shard(&self, widget: WidgetId) -> &Mutex<Hours> {
        // The last bytes of an id are random.
        let last = widget.as_uuid().as_u128() % SHARDS as u128;
        &self.shards[usize::try_from(last).unwrap_or_default()]
    }

    /// How many pages are listed.
    #[must_use]
    pub fn listed_pages(&self) -> usize {
        self.pages.load(Relaxed)
    }

    /// Adds what was counted since the last time to what is stored; returns how many hours of
    /// widgets that were. What is not written, also when this is canceled, is written the next
    /// time.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn write(&self, storage: &dyn Storage) -> Result<usize, StoreError> {
        let mut unwritten = Unwritten {
            counters: self,
            visits: self.take(),
        };
        let count = unwritten.visits.len();
        while !unwritten.visits.is_empty() {
            let rest = unwritten.visits.len().saturating_sub(BATCH);
            storage.add_visits(&unwritten.visits[rest..]).await?;
            for written in unwritten.visits.drain(rest..) {
                self.release(1, written.refusals.listed_count());
            }
        }
        Ok(count)
    }

    fn release(&self, hours: usize, pages: usize) {
        self.hours.fetch_sub(hours, Relaxed);
        self.pages.fetch_sub(pages, Relaxed);
    }

    /// Takes everything out; it counts for the bounds until it is released or put back.
    fn take(&self) -> Vec<VisitCounts> {
        let mut all = Vec::new();
        for shard in &self.shards {
            let hours = std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner));
            for ((web_widget_id, hour), visits) in hours {
                let plain = [
                    (Counter::LaunchersShown, visits.launchers),
                    (Counter::WindowsOpened, visits.windows),
                ];
                let plain = plain.into_iter().filter(|(_, amount)| *amount > 0);
                let refused = visits.refused.into_iter();
                let refused = refused.map(|(code, amount)| (Counter::Refused(code), amount));
                all.push(VisitCounts {
                    web_widget_id,
                    hour,
                    counts: plain.chain(refused).collect(),
                    refusals: visits.pages,
                });
            }
        }
        all
    }

    fn put_back(&self, visits: VisitCounts) {
        let shard = self.shard(visits.web_widget_id);
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (visits.web_widget_id, visits.hour);
        let is_doubled = shard.contains_key(&key);
        let kept = shard.entry(key).or_default();
        for (counter, amount) in visits.counts {
            match counter {
                Counter::LaunchersShown => kept.launchers += amount,
                Counter::WindowsOpened => kept.windows += amount,
                Counter::Refused(code) => {
                    match kept.refused.iter_mut().find(|(other, _)| *other == code) {
                        Some((_, count)) => *count += amount,
                        None => kept.refused.push((code, amount)),
                    }
                }
                _ => {}
            }
        }
        let before = kept.pages.listed_count() + visits.refusals.listed_count();
        kept.pages.merge(visits.refusals);
        self.release(usize::from(is_doubled), before - kept.pages.listed_count());
    }
}

/// What was taken and is not written.
struct Unwritten<'a> {
    counters: &'a VisitCounters,
    visits: Vec<VisitCounts>,
}

impl Drop for Unwritten<'_> {
    fn drop(&mut self) {
        for visits in self.visits.drain(..) {
            self.counters.put_back(visits);
        }
    }
}
