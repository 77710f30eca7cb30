//! Fetches pages of websites as [`doctor`] looks at them: the page, its scripts and its frames,
//! each redirect by itself, within core's limits. The service and its command both do it with this;
//! they differ in which addresses they may ask, and in the words for a failure.

use std::{fmt, time::Duration};

use futures_util::{StreamExt, stream};
use reqwest::{Client, Response, header};
use tokio::{
    task::{JoinError, spawn_blocking},
    time::{Instant, timeout, timeout_at},
};
use url::Url;
use widget_core::doctor::{
    self, ACCEPT, ACCEPT_ENCODING, ByteBudget, DecompressError, FETCH_TIMEOUT, Hop, MAX_PAGE_BYTES,
    MAX_PART_REDIRECTS, MAX_REDIRECTS, MAX_REQUESTS, PARALLEL_SCRIPTS, PART_TIMEOUT, Part,
    PartsToRead, RedirectError, RequestBudget, Visit,
};

/// Why a page is not read. Without the address of what failed, which may have secrets.
#[derive(Debug, thiserror::Error)]
pub enum VisitError {
    /// The address, of which this is the origin, may not be asked.
    #[error("`{0}` is not an address that may be asked")]
    Refused(String),
    /// There was no answer, or its end is missing.
    #[error("the page cannot be read")]
    Request(#[source] reqwest::Error),
    /// It redirects, and not to a page.
    #[error(transparent)]
    Redirected(#[from] RedirectError),
    /// It takes longer than this.
    #[error("it takes more than {} s", .0.as_millis().div_ceil(1000).max(1))]
    Slow(Duration),
    /// It redirects more often than requests are left.
    #[error("it takes more than {MAX_REQUESTS} requests")]
    TooMany,
    /// Its bytes cannot be read.
    #[error(transparent)]
    Compressed(#[from] DecompressError),
    /// The program ends.
    #[error("the page is no longer read")]
    Stopped(#[from] JoinError),
}

impl From<reqwest::Error> for VisitError {
    fn from(error: reqwest::Error) -> Self {
        Self::Request(error.without_url())
    }
}

/// Fetches pages with a client, which follows no redirects.
#[derive(Clone, Copy)]
pub struct PageVisitor<'a> {
    http: &'a Client,
    may_ask: &'a (dyn Fn(&Url) -> bool + Sync),
}

impl fmt::Debug for PageVisitor<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PageVisitor")
            .field("http", self.http)
            .finish_non_exhaustive()
    }
}

impl<'a> PageVisitor<'a> {
    /// With a client, and what says whether an address may be asked; every redirect is checked.
    #[must_use]
    pub fn new(http: &'a Client, may_ask: &'a (dyn Fn(&Url) -> bool + Sync)) -> Self {
        Self { http, may_ask }
    }

    /// Fetches a page with its scripts and frames until `deadline`, if there is one, and within
    /// core's limits. With an error there is no page, and the visit has the answers before it.
    pub async fn visit(
        &self,
        start: Url,
        deadline: Option<Instant>,
    ) -> (Visit, Result<(), VisitError>) {
        let mut visit = Visit::default();
        let requests = RequestBudget::default();
        let (begin, limit) = limit(deadline);
        let reading = async {
            let hops = &mut visit.hops;
            let response = self.request(start, MAX_REDIRECTS, &requests, hops).await?;
            read(response, &ByteBudget::new(MAX_PAGE_BYTES)).await
        };
        let read = timeout_at(limit, reading).await;
        let read = read.unwrap_or(Err(VisitError::Slow(limit.duration_since(begin))));
        match read {
            Ok((body, is_cut)) => {
                visit.is_cut = is_cut;
                visit.body = body;
                match self.read_parts(visit, &requests, deadline).await {
                    Ok(visit) => (visit, Ok(())),
                    Err(error) => (Visit::default(), Err(error)),
                }
            }
            Err(error) => (visit, Err(error)),
        }
    }

    /// Reads the scripts and frames of a page in which a snippet may be, as far as time and size
    /// permit.
    async fn read_parts(
        &self,
        visit: Visit,
        requests: &RequestBudget,
        deadline: Option<Instant>,
    ) -> Result<Visit, VisitError> {
        let (_, limit) = limit(deadline);
        // A page may have megabytes, and nothing else waits for it.
        let find = move || {
            let parts = doctor::parts_to_read(&visit);
            (visit, parts)
        };
        let (mut visit, parts) = spawn_blocking(find).await?;
        visit.unread_scripts = parts.scripts.len() + parts.left_out;
        visit.add_parts(self.read_each(parts, requests, limit).await);
        Ok(visit)
    }

    /// What was read until `limit` is enough.
    async fn read_each(
        &self,
        parts: PartsToRead,
        requests: &RequestBudget,
        limit: Instant,
    ) -> Vec<(usize, Part)> {
        let budget = ByteBudget::new(MAX_PAGE_BYTES);
        let reading = parts.into_addresses().map(|(at, url, is_frame)| {
            let budget = &budget;
            async move { (at, self.read_part(url, is_frame, budget, requests).await) }
        });
        let mut reading = stream::iter(reading).buffer_unordered(PARALLEL_SCRIPTS);
        let mut found = Vec::new();
        let noting = async {
            while let Some(part) = reading.next().await {
                found.push(part);
            }
        };
        let _ = timeout_at(limit, noting).await;
        found
    }

    async fn read_part(
        &self,
        url: Url,
        is_frame: bool,
        budget: &ByteBudget,
        requests: &RequestBudget,
    ) -> Part {
        if budget.is_spent() {
            return Part::Unread;
        }
        let mut hops = Vec::new();
        let reading = async {
            let (start, hops) = (url.clone(), &mut hops);
            let response = self.request(start, MAX_PART_REDIRECTS, requests, hops);
            read(response.await?, budget).await
        };
        let read = timeout(PART_TIMEOUT, reading).await;
        let read = read.ok().and_then(Result::ok);
        Part::new(url, is_frame, hops, read)
    }

    /// Follows redirects to the answer that is the page; every answer is noted in `hops`.
    ///
    /// # Errors
    /// [`VisitError`]
    pub async fn request(
        &self,
        start: Url,
        max_redirects: usize,
        requests: &RequestBudget,
        hops: &mut Vec<Hop>,
    ) -> Result<Response, VisitError> {
        let mut url = start;
        loop {
            if !(self.may_ask)(&url) {
                return Err(VisitError::Refused(url.origin().ascii_serialization()));
            }
            if !requests.take() {
                return Err(VisitError::TooMany);
            }
            let request = self
                .http
                .get(url.clone())
                .header(header::ACCEPT, ACCEPT)
                .header(header::ACCEPT_ENCODING, ACCEPT_ENCODING);
            let response = request.send().await?;
            let headers = response.headers().iter();
            hops.push(Hop {
                url,
                status: response.status().as_u16(),
                headers: headers
                    .map(|(name, value)| {
                        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                        (name.as_str().to_owned(), value)
                    })
                    .collect(),
            });
            match doctor::next_address(hops, max_redirects)? {
                None => return Ok(response),
                Some(next) => url = next,
            }
        }
    }
}

/// Now, and the end of the time for a page or for its parts.
fn limit(deadline: Option<Instant>) -> (Instant, Instant) {
    let begin = Instant::now();
    let limit = begin + FETCH_TIMEOUT;
    (
        begin,
        deadline.map_or(limit, |deadline| deadline.min(limit)),
    )
}

/// The bytes of an answer within a budget, without the encoding of their transfer, and whether
/// there are more.
///
/// # Errors
/// When nothing of it can be read.
pub async fn read(
    mut response: Response,
    budget: &ByteBudget,
) -> Result<(Vec<u8>, bool), VisitError> {
    let encoding = response.headers().get(header::CONTENT_ENCODING).cloned();
    let encoding = encoding.as_ref().and_then(|value| value.to_str().ok());
    let (mut bytes, mut is_cut) = (Vec::new(), false);
    while !is_cut {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = budget.take(chunk.len());
                bytes.extend_from_slice(&chunk[..room]);
                is_cut = room < chunk.len() || budget.is_spent();
            }
            Ok(None) => break,
            Err(error) if bytes.is_empty() => return Err(error.into()),
            // Browsers show what they have.
            Err(_) => is_cut = true,
        }
    }
    let (bytes, ends_early) = doctor::decompress(bytes, encoding, budget)?;
    Ok((bytes, is_cut || ends_early))
}
