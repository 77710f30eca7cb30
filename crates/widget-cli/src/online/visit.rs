//! Fetches a page, each redirect by itself, with all that core wants to know of it.
//!
//! Any address is fetched: this program reaches what its user reaches.

use futures_util::{StreamExt, stream};
use reqwest::{Client, Response, header};
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;
use widget_api::client::{Error, describe_failure, read_failure};
use widget_core::doctor::{
    self, ACCEPT, ACCEPT_ENCODING, ByteBudget, FETCH_TIMEOUT, FailureCause, Hop, MAX_PAGE_BYTES,
    MAX_PART_REDIRECTS, MAX_REDIRECTS, MAX_REQUESTS, PARALLEL_SCRIPTS, PART_TIMEOUT, PageFailure,
    Part, RequestBudget, Visit,
};

/// Fetches a page until `deadline`. What went wrong is a part of the visit. `http` follows no
/// redirects.
pub(crate) async fn visit(http: &Client, start: Url, deadline: Instant) -> Visit {
    let mut visit = Visit::default();
    let begin = Instant::now();
    let limit = deadline.min(begin + FETCH_TIMEOUT);
    let budget = ByteBudget::new(MAX_PAGE_BYTES);
    let requests = RequestBudget::default();
    let reading = async {
        let hops = &mut visit.hops;
        let response = request(http, start, MAX_REDIRECTS, &requests, hops).await?;
        read(response, &budget).await
    };
    match timeout_at(limit, reading).await {
        Ok(Ok((body, is_cut))) => {
            visit.is_cut = is_cut;
            visit.body = body;
            let limit = deadline.min(Instant::now() + FETCH_TIMEOUT);
            read_more(http, &mut visit, &requests, limit).await;
        }
        Ok(Err(failure)) => visit.failure = Some(failure),
        Err(_) => {
            // A deadline began a moment before.
            let waited = limit.duration_since(begin).as_millis().div_ceil(1000);
            visit.failure = Some(PageFailure {
                reason: format!("it takes more than {waited} s"),
                cause: FailureCause::Timeout,
            });
        }
    }
    visit
}

/// Reads the scripts and frames of a page in which a snippet may be, as far as time and size
/// permit.
async fn read_more(http: &Client, visit: &mut Visit, requests: &RequestBudget, limit: Instant) {
    let parts = doctor::parts_to_read(visit);
    visit.unread_scripts = parts.scripts.len() + parts.left_out;
    let budget = ByteBudget::new(MAX_PAGE_BYTES);
    let reading = parts.into_addresses().map(|(at, url, is_frame)| {
        let budget = &budget;
        async move {
            if budget.is_spent() {
                return (at, Part::Unread);
            }
            let mut hops = Vec::new();
            let reading = async {
                let start = url.clone();
                let response =
                    request(http, start, MAX_PART_REDIRECTS, requests, &mut hops).await?;
                read(response, budget).await
            };
            let read = timeout(PART_TIMEOUT, reading).await;
            let read = read.ok().and_then(Result::ok);
            (at, Part::new(url, is_frame, hops, read))
        }
    });
    let mut reading = stream::iter(reading).buffer_unordered(PARALLEL_SCRIPTS);
    let mut found = Vec::new();
    let noting = async {
        while let Some(part) = reading.next().await {
            found.push(part);
        }
    };
    // What was read until then is enough.
    let _ = timeout_at(limit, noting).await;
    visit.add_parts(found);
}

/// The answer that is the page; every answer is noted in `hops`.
async fn request(
    http: &Client,
    start: Url,
    max_redirects: usize,
    requests: &RequestBudget,
    hops: &mut Vec<Hop>,
) -> Result<Response, PageFailure> {
    let mut url = start;
    loop {
        if !requests.take() {
            return Err(PageFailure {
                reason: format!("it takes more than {MAX_REQUESTS} requests"),
                cause: FailureCause::Other,
            });
        }
        let response = http
            .get(url.clone())
            .header(header::ACCEPT, ACCEPT)
            .header(header::ACCEPT_ENCODING, ACCEPT_ENCODING)
            .send()
            .await
            .map_err(|error| failure_of(&error))?;
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
        let next = doctor::next_address(hops, max_redirects).map_err(|error| PageFailure {
            reason: error.to_string(),
            cause: FailureCause::Redirect,
        })?;
        match next {
            None => return Ok(response),
            Some(next) => url = next,
        }
    }
}

fn failure_of(error: &reqwest::Error) -> PageFailure {
    PageFailure {
        reason: describe_failure(error),
        cause: match read_failure(error) {
            Error::HostUnknown { .. } => FailureCause::Name,
            Error::Tls { .. } => FailureCause::Certificate,
            Error::Unreachable { .. } => FailureCause::Connection,
            Error::Timeout { .. } => FailureCause::Timeout,
            Error::Broken { .. } => FailureCause::Answer,
            _ => FailureCause::Other,
        },
    }
}

fn header_of(response: &Response, name: header::HeaderName) -> Option<String> {
    let value = response.headers().get(name)?.to_str().ok()?;
    Some(value.trim().to_owned())
}

/// The bytes of an answer, without the encoding of their transfer, and whether there are more.
async fn read(mut response: Response, budget: &ByteBudget) -> Result<(Vec<u8>, bool), PageFailure> {
    let encoding = header_of(&response, header::CONTENT_ENCODING);
    let (mut bytes, mut is_cut) = (Vec::new(), false);
    while !is_cut {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = budget.take(chunk.len());
                bytes.extend_from_slice(&chunk[..room]);
                is_cut = room < chunk.len() || budget.is_spent();
            }
            Ok(None) => break,
            Err(error) if bytes.is_empty() => return Err(failure_of(&error)),
            // Browsers show what they have.
            Err(_) => is_cut = true,
        }
    }
    let (bytes, ends_early) =
        doctor::decompress(bytes, encoding.as_deref(), budget).map_err(|error| PageFailure {
            reason: error.to_string(),
            cause: FailureCause::Answer,
        })?;
    Ok((bytes, is_cut || ends_early))
}
