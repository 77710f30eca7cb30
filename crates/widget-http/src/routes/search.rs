//! Pages of lists of which core decides item by item whether they are looked for.
//!
//! A request looks at a part of the list that is bounded by time, so that one that finds little
//! does not keep the database busy: its answer then has fewer items than asked for, perhaps none,
//! and the `Link` continues behind the last item that was looked at. A slow database makes pages
//! shorter; only when not a single item could be looked at is there no answer.

use std::time::{Duration, Instant};

use axum::response::{IntoResponse, Response};
use serde::Serialize;
use url::Url;
use widget_api::MAX_PAGE_LIMIT;

use crate::{
    storage::{ListPage, ListPosition, Listed, Page, StoreError},
    web::{
        paging::{self, JsonList},
        problem::Problem,
    },
};

/// How long one request looks for items: half of the time that storage has for it.
const SEARCH_TIME: Duration = Duration::from_secs(1);

/// How many rows are read first. Each further time it is twice as many: a slow database gets to
/// some of them in time, and a fast one is not asked often.
const FIRST_BATCH: u32 = 25;

/// A page that is being made.
pub(super) struct Search {
    list: JsonList,
    /// How many more items the page may have.
    space: u32,
    /// The last row that was looked at, or what the request begins behind.
    position: Option<ListPosition>,
    /// Rows of the page of storage that were not looked at yet.
    waiting: usize,
    /// Whether there are more behind that page.
    has_more: bool,
    /// Whether every item fits, so that one page of storage is one page.
    takes_all: bool,
    /// How many pages of storage were read.
    batches: u32,
    /// How many rows were looked at.
    looked_at: usize,
    /// The database did not answer in time, and the page ends before the row that it was asked for.
    is_late: bool,
    started: Instant,
}

impl Search {
    pub(super) fn new(page: ListPage, takes_all: bool) -> Self {
        Self {
            list: JsonList::new(),
            space: page.limit,
            position: page.before,
            waiting: 0,
            has_more: true,
            takes_all,
            batches: 0,
            looked_at: 0,
            is_late: false,
            started: Instant::now(),
        }
    }

    /// What to read next; nothing when the page is complete.
    pub(super) fn next_page(&self) -> Option<ListPage> {
        let continues = self.batches == 0 || !self.takes_all;
        (continues && self.has_more && !self.is_full()).then_some(ListPage {
            before: self.position,
            limit: if self.takes_all {
                self.space
            } else {
                let doubled = FIRST_BATCH.checked_shl(self.batches);
                doubled.map_or(MAX_PAGE_LIMIT, |rows| rows.min(MAX_PAGE_LIMIT))
            },
        })
    }

    /// Begins to look at what was read.
    pub(super) fn begin<T>(&mut self, read: &Page<Listed<T>>) {
        // More are as many as at most.
        self.batches = (self.batches + 1).min(8);
        self.waiting = read.len();
        self.has_more = read.has_more;
    }

    /// What storage has read. When it did not answer, the page ends with the rows that were looked
    /// at before: `None`.
    ///
    /// # Errors
    /// Any other error, and that one when there were none.
    pub(super) fn unless_late<T>(
        &mut self,
        read: Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match read {
            Err(StoreError::Unavailable(_) | StoreError::Busy(_)) if self.looked_at > 0 => {
                self.is_late = true;
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    /// Notes the next row, with the item when it fits.
    pub(super) fn look_at(
        &mut self,
        position: ListPosition,
        item: Option<&impl Serialize>,
    ) -> Result<(), Problem> {
        self.position = Some(position);
        self.waiting = self.waiting.saturating_sub(1);
        self.looked_at += 1;
        if let Some(item) = item {
            self.list.push(item)?;
            self.space -= 1;
        }
        Ok(())
    }

    /// Whether nothing more has space on the page, or the time is over.
    pub(super) fn is_full(&self) -> bool {
        let is_full = !self.takes_all && self.list.is_full();
        // What fits as it is takes little time, unless another service is asked about it.
        let time = SEARCH_TIME * if self.takes_all { 2 } else { 1 };
        let is_over = self.looked_at > 0 && self.started.elapsed() >= time;
        self.space == 0 || is_full || self.is_late || is_over
    }

    /// The answer, with the `Link` to what was not looked at.
    pub(super) fn answer(self, url: &Url, path: &str, query: Option<&str>) -> Response {
        let continues = self.has_more || self.waiting > 0;
        let last = self.position.filter(|_| continues);
        let headers = last.map(|last| paging::link_after(&last, url, path, query));
        (headers.unwrap_or_default(), self.list).into_response()
    }
}

#[cfg(test)]
mod tests {
    use http::header;
    use uuid::Uuid;

    use super::*;

    fn late<T>() -> Result<T, StoreError> {
        Err(StoreError::Unavailable("it is late".into()))
    }

    fn new(limit: u32) -> Search {
        let before = None;
        Search::new(ListPage { before, limit }, false)
    }

    fn begin(search: &mut Search, rows: usize, has_more: bool) {
        search.begin(&Page {
            items: (0..rows)
                .map(|_| Listed {
                    item: (),
                    position: (1, Uuid::nil()),
                })
                .collect(),
            has_more,
        });
    }

    fn has_next(search: Search) -> bool {
        let url = "https://widgets.example".parse().expect("an address");
        let answer = search.answer(&url, "/core/x", None);
        answer.headers().contains_key(header::LINK)
    }

    #[test]
    fn a_page_ends_before_the_row_for_which_storage_is_too_late() {
        let mut search = new(50);
        begin(&mut search, 2, false);
        search.look_at((1, Uuid::nil()), Some(&1)).expect("it fits");
        let read = search.unless_late(late::<bool>()).expect("a short page");
        assert_eq!(read, None);
        assert!(search.next_page().is_none());
        assert!(has_next(search));

        // The next batch is late.
        let mut search = new(50);
        begin(&mut search, 1, true);
        search
            .look_at((1, Uuid::nil()), None::<&()>)
            .expect("it is noted");
        assert!(search.next_page().is_some());
        assert!(search.unless_late(late::<()>()).is_ok());
        assert!(search.next_page().is_none());
        assert!(has_next(search));
    }

    #[test]
    fn without_any_row_there_is_no_answer() {
        let mut search = new(50);
        assert!(search.unless_late(late::<()>()).is_err());
        begin(&mut search, 1, false);
        assert!(search.unless_late(late::<()>()).is_err());
    }

    #[test]
    fn batches_grow() {
        let mut search = new(50);
        let mut limits = Vec::new();
        for _ in 0..5 {
            limits.push(search.next_page().expect("it continues").limit);
            begin(&mut search, 0, true);
        }
        assert_eq!(limits, [25, 50, 100, 200, 200]);
    }
}
