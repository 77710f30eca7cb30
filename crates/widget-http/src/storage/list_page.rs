//! The position in a list and the length of the part that is read.

use std::ops::Deref;

use uuid::Uuid;

use super::unreadable::ListPosition;

/// One page of a list, newest first: at most `limit` items older than `before`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListPage<I = Uuid> {
    /// The position of the last item of the page before.
    pub before: Option<ListPosition<I>>,
    /// How many at most.
    pub limit: u32,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Its items.
    pub items: Vec<T>,
    /// Whether the list continues behind them.
    pub has_more: bool,
}

/// How many bytes the documents on one page have: a page ends before the item that exceeds this,
/// though it has at least one. Sixteen of the largest configs.
pub const MAX_PAGE_BYTES: i64 = 1024 * 1024;

/// How many items of a list fit one page: of items with these sizes in bytes, at most `limit`,
/// and `minimum` of any size.
pub(super) fn count_fitting(sizes: &[i64], limit: u32, minimum: u32) -> u32 {
    let mut bytes = 0_i64;
    let fitting = sizes.iter().take_while(|size| {
        bytes = bytes.saturating_add(**size);
        bytes <= MAX_PAGE_BYTES
    });
    let count = u32::try_from(fitting.count()).unwrap_or(u32::MAX);
    count.max(minimum).min(limit)
}

impl<T> Page<T> {
    /// Of rows of which one more than `limit` was read where the list continues.
    ///
    /// Only the rows themselves say whether it does: the list may have changed since anything else
    /// of it was read.
    pub(super) fn of_lookahead(mut rows: Vec<T>, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        Self {
            items: rows,
            has_more,
        }
    }
}

impl<T> Deref for Page<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> IntoIterator for Page<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_by_count_or_by_bytes() {
        let max = MAX_PAGE_BYTES;
        for (sizes, limit, minimum, expected) in [
            (&[][..], 5, 1, 1),
            (&[1, 1, 1], 3, 1, 3),
            (&[1, 1, 1, 1], 3, 1, 3),
            (&[max, 1], 3, 1, 1),
            (&[max - 1, 1, 1], 3, 1, 2),
            (&[max + 1, 1], 3, 1, 1),
            (&[max + 1, max + 1, 1], 3, 2, 2),
            (&[max + 1, max + 1, 1], 1, 2, 1),
            (&[i64::MAX, i64::MAX], 3, 1, 1),
        ] {
            let found = count_fitting(sizes, limit, minimum);
            assert_eq!(found, expected, "{sizes:?}");
        }
    }
}
