//! Work that goes through rows in an order, such as by the time at which they are due: batch after
//! batch, past those that this build cannot read.

use std::ops::Deref;

use time::OffsetDateTime;

use super::driver::nearest_time_of;

/// Where a sweep continues: behind the last row that could be read, and past the rows after that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepPosition<K> {
    /// What the rows are sorted by, of that row.
    pub(super) after: Option<K>,
    /// Rows behind it that cannot be read, so that they cannot be named either.
    pub(super) unreadable: i64,
}

impl<K> SweepPosition<K> {
    /// Behind a row.
    #[must_use]
    pub const fn behind(key: K) -> Self {
        Self {
            after: Some(key),
            unreadable: 0,
        }
    }

    /// The last row that could be read.
    #[must_use]
    pub const fn after(&self) -> Option<&K> {
        self.after.as_ref()
    }
}

impl<I> SweepPosition<(i64, I)> {
    /// When the last row that could be read is due.
    #[must_use]
    pub fn due_at(&self) -> Option<OffsetDateTime> {
        let (due_at, _) = self.after.as_ref()?;
        Some(nearest_time_of(*due_at))
    }
}

/// From the first row on.
impl<K> Default for SweepPosition<K> {
    fn default() -> Self {
        Self {
            after: None,
            unreadable: 0,
        }
    }
}

/// A batch of a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepBatch<T, K> {
    /// Those of its rows that can be read; maybe none.
    pub items: Vec<T>,
    /// Where the next one begins; nothing after the last.
    pub next: Option<SweepPosition<K>>,
}

impl<T, K: Clone> SweepBatch<T, K> {
    /// A batch of at most `limit` rows behind `position`: each what it says and its position, or
    /// nothing for one that cannot be read.
    pub(super) fn new(rows: Vec<Option<(T, K)>>, position: &SweepPosition<K>, limit: u32) -> Self {
        let is_last = rows.len() < usize::try_from(limit).unwrap_or(usize::MAX);
        let mut next = position.clone();
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            match row {
                Some((item, after)) => {
                    items.push(item);
                    next = SweepPosition {
                        after: Some(after),
                        unreadable: 0,
                    };
                }
                None => next.unreadable += 1,
            }
        }
        Self {
            items,
            next: (!is_last).then_some(next),
        }
    }
}

impl<T, K> Deref for SweepBatch<T, K> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T, K> IntoIterator for SweepBatch<T, K> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}
