//! What visitors of a widget may use: the operator's settings and the limits that keys have set,
//! read from memory. Only starts and calls ask for it.
//!
//! What is answered is at most as old as a widget may be, and never old on the node that made a
//! change.

use std::sync::atomic::{AtomicU64, Ordering};

use time::OffsetDateTime;
use widget_core::{
    conversation::budget::{Budgets, Owner},
    id::{OrganizationId, WidgetId},
};

use super::{
    public_widgets::STALENESS,
    read_cache::{ReadCache, Reading},
};
use crate::{
    settings::LimitSettings,
    storage::{Storage, StoreError, StoredLimits},
};

/// How many widgets the cache is sized for.
const EXPECTED_WIDGETS: usize = 10_000;

/// Memory of one entry, with the cache's own bookkeeping, in bytes.
const WEIGHT: u64 = 256 + size_of::<Entry>() as u64;

/// Memory for all of them, in bytes.
const CAPACITY: u64 = 8 << 20;

/// What applies to the visitors of a widget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisitorLimits {
    /// How many conversations there may be, and what may be used on one day.
    pub budgets: Budgets,
    /// New conversations a minute of the organization, if they are limited.
    pub organization_per_minute: Option<u32>,
    /// New conversations a minute of the widget, if a key has limited them.
    pub widget_per_minute: Option<u32>,
}

/// The limits of widgets by id.
#[derive(Debug)]
pub struct VisitorLimitCache {
    cache: ReadCache<WidgetId, Entry>,
    changes: AtomicU64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    stored: StoredLimits,
    read_at: OffsetDateTime,
}

impl Entry {
    /// A clock that was set back makes everything stale, rather than current for too long.
    fn is_fresh(&self, now: OffsetDateTime) -> bool {
        (now - self.read_at).abs() < STALENESS
    }
}

impl Default for VisitorLimitCache {
    fn default() -> Self {
        Self {
            cache: ReadCache::new(EXPECTED_WIDGETS, CAPACITY),
            changes: AtomicU64::new(0),
        }
    }
}

impl VisitorLimitCache {
    /// What applies to a widget; of many requests at once, one reads storage.
    ///
    /// # Errors
    /// When it has to be read and storage fails.
    pub async fn find(
        &self,
        storage: &dyn Storage,
        settings: &LimitSettings,
        (organization, widget): (&OrganizationId, WidgetId),
        now: OffsetDateTime,
    ) -> Result<VisitorLimits, StoreError> {
        let kept = self.cache.get(&widget).filter(|entry| entry.is_fresh(now));
        let entry = if let Some(entry) = kept {
            entry
        } else {
            let read = async {
                let changes = self.changes.load(Ordering::Acquire);
                let stored = storage.find_limits(organization, widget).await?;
                let is_current = self.changes.load(Ordering::Acquire) == changes;
                Ok(Reading {
                    weight: is_current.then_some(WEIGHT),
                    value: Entry {
                        stored,
                        read_at: now,
                    },
                })
            };
            let is_fresh = |entry: &Entry| entry.is_fresh(now);
            self.cache.read(&widget, is_fresh, read).await?
        };
        let StoredLimits {
            organization,
            widget,
        } = entry.stored;
        Ok(VisitorLimits {
            budgets: settings.budgets.with_limits(&organization, &widget),
            organization_per_minute: organization
                .under(&settings.ceilings(Owner::Organization))
                .new_per_minute,
            widget_per_minute: widget
                .new_per_minute
                .filter(|rate| *rate < settings.widget_conversations_per_minute),
        })
    }

    /// Forgets the limits of a widget that were changed here.
    pub fn forget(&self, widget: WidgetId) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.cache.remove(&widget);
    }

    /// Forgets all, when those of an organization were changed here.
    pub fn forget_all(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.cache.clear();
    }
}
