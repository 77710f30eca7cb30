//! Pages of lists of which core decides item by item whether they are looked for.
//!
//! A request looks at a part of the list that is bounded by time, so that one that finds little
//! does not keep the database busy: its answer then has fewer items than asked for, perhaps none,
//! and the `Link` goes on behind the last item that was looked at.

use std::time::{Duration, Instant};

use axum::response::{IntoResponse, Response};
use serde::Serialize;
use url::Url;
use widget_api::MAX_PAGE_LIMIT;

use crate::{
    storage::{ListPage, ListPosition, Listed, Page},
    web::{
        paging::{self, JsonList},
        problem::Problem,
    },
};

/// How long one request looks for items: half of the time that storage has for it.
const SEARCH_TIME: Duration = Duration::from_secs(1);

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
    is_begun: bool,
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
            is_begun: false,
            started: Instant::now(),
        }
    }

    /// What to read next; nothing when the page is complete.
    pub(super) fn next_page(&self) -> Option<ListPage> {
        let goes_on = !self.is_begun || !self.takes_all && self.started.elapsed() < SEARCH_TIME;
        (goes_on && self.has_more && !self.is_full()).then_some(ListPage {
            before: self.position,
            limit: if self.takes_all {
                self.space
            } else {
                MAX_PAGE_LIMIT
            },
        })
    }

    /// Begins to look at what was read.
    pub(super) fn begin<T>(&mut self, read: &Page<Listed<T>>) {
        self.is_begun = true;
        self.waiting = read.len();
        self.has_more = read.has_more;
    }

    /// Notes the next row, with the item when it fits.
    pub(super) fn look_at(
        &mut self,
        position: ListPosition,
        item: Option<&impl Serialize>,
    ) -> Result<(), Problem> {
        self.position = Some(position);
        self.waiting = self.waiting.saturating_sub(1);
        if let Some(item) = item {
            self.list.push(item)?;
            self.space -= 1;
        }
        Ok(())
    }

    /// Whether nothing more has space on the page, or the time is over.
    pub(super) fn is_full(&self) -> bool {
        let is_full = !self.takes_all && self.list.is_full();
        self.space == 0 || is_full || self.started.elapsed() >= 2 * SEARCH_TIME
    }

    /// The answer, with the `Link` to what was not looked at.
    pub(super) fn answer(self, url: &Url, path: &str, query: Option<&str>) -> Response {
        let goes_on = self.has_more || self.waiting > 0;
        let last = self.position.filter(|_| goes_on);
        let headers = last.map(|last| paging::link_after(&last, url, path, query));
        (headers.unwrap_or_default(), self.list).into_response()
    }
}
