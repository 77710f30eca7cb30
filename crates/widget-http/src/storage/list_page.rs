//! The position in a list and the length of the part that is read.

use std::ops::Deref;

use super::unreadable::ListPosition;

/// One page of a list, newest first: at most `limit` items older than `before`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListPage {
    /// The position of the last item of the page before.
    pub before: Option<ListPosition>,
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

/// How many items of a list are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fitting {
    pub(super) limit: i64,
    pub(super) has_more: bool,
}

impl Fitting {
    /// Of items with these sizes in bytes, at most `limit`, and at least `minimum` of those that
    /// there are. `sizes` has one more where the list continues.
    pub(super) fn of(sizes: &[i64], limit: u32, minimum: usize) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut bytes = 0_i64;
        let fits = |(index, size): &(usize, &i64)| {
            bytes = bytes.saturating_add(**size);
            *index < minimum || bytes <= MAX_PAGE_BYTES
        };
        let count = sizes
            .iter()
            .enumerate()
            .take_while(fits)
            .take(limit)
            .count();
        Self {
            limit: i64::try_from(count).unwrap_or(i64::MAX),
            has_more: count < sizes.len(),
        }
    }
}

impl<T> Page<T> {
    /// Of items that are small: one more than `limit` was read where the list continues.
    pub(super) fn of_lookahead(mut items: Vec<T>, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = items.len() > limit;
        items.truncate(limit);
        Self { items, has_more }
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
        for (sizes, limit, minimum, expected, has_more) in [
            (&[][..], 5, 1, 0, false),
            (&[1, 1, 1], 3, 1, 3, false),
            (&[1, 1, 1, 1], 3, 1, 3, true),
            (&[max, 1], 3, 1, 1, true),
            (&[max - 1, 1, 1], 3, 1, 2, true),
            (&[max + 1, 1], 3, 1, 1, true),
            (&[max + 1, max + 1, 1], 3, 2, 2, true),
            (&[max + 1], 3, 2, 1, false),
            (&[i64::MAX, i64::MAX], 3, 1, 1, true),
        ] {
            let found = Fitting::of(sizes, limit, minimum);
            let expected = Fitting {
                limit: expected,
                has_more,
            };
            assert_eq!(found, expected, "{sizes:?}");
        }
    }
}
