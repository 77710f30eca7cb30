//! Fetches a page, each redirect by itself, with all that core wants to know of it.
//!
//! Any address is fetched: this program reaches what its user reaches.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use reqwest::{Client, Response, header};
use tokio::time::{Instant, timeout_at};
use url::Url;
use widget_api::client::describe_failure;
use widget_core::doctor::{
    self, ACCEPT, FETCH_TIMEOUT, Hop, MAX_PAGE_BYTES, PageFrame, PageScript, Visit,
};

/// Fetches a page until `deadline`. What went wrong is a part of the visit. `http` follows no
/// redirects.
pub(crate) async fn visit(http: &Client, start: Url, deadline: Instant) -> Visit {
    let mut visit = Visit::default();
    let begin = Instant::now();
    let limit = deadline.min(begin + FETCH_TIMEOUT);
    let reading = async {
        let response = request(http, start, &mut visit.hops).await?;
        read(response, MAX_PAGE_BYTES).await
    };
    match timeout_at(limit, reading).await {
        Ok(Ok(body)) => {
            visit.is_cut = body.len() >= MAX_PAGE_BYTES;
            visit.body = body;
            let limit = deadline.min(Instant::now() + FETCH_TIMEOUT);
            read_more(http, &mut visit, limit).await;
        }
        Ok(Err(reason)) => visit.failure = Some(reason),
        Err(_) => {
            // A deadline began a moment before.
            let waited = limit.duration_since(begin).as_millis().div_ceil(1000);
            visit.failure = Some(format!("it takes more than {waited} s"));
        }
    }
    visit
}

/// Reads the scripts and frames of a page in which a snippet may be, as far as time and size
/// permit.
async fn read_more(http: &Client, visit: &mut Visit, limit: Instant) {
    let scripts = doctor::scripts_to_read(visit);
    let frames = doctor::frames_to_read(visit);
    let mut room = MAX_PAGE_BYTES;
    let reading = async {
        let frames = frames.into_iter().map(|url| (url, true));
        let all = frames.chain(scripts.into_iter().map(|url| (url, false)));
        for (url, is_frame) in all {
            let reading = async {
                let response = request(http, url.clone(), &mut Vec::new()).await?;
                read(response, room).await
            };
            let Ok(bytes) = reading.await else { continue };
            room = room.saturating_sub(bytes.len());
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if is_frame {
                visit.frames.push(PageFrame { url, html: text });
            } else {
                visit.scripts.push(PageScript { url, text });
            }
            if room == 0 {
                break;
            }
        }
    };
    // What was read until then is enough.
    let _ = timeout_at(limit, reading).await;
}

/// The answer that is the page; every answer is noted in `hops`.
async fn request(http: &Client, start: Url, hops: &mut Vec<Hop>) -> Result<Response, String> {
    let mut url = start;
    loop {
        let response = http
            .get(url.clone())
            .header(header::ACCEPT, ACCEPT)
            .send()
            .await
            .map_err(|error| describe_failure(&error))?;
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
        match doctor::next_address(hops).map_err(|error| error.to_string())? {
            None => return Ok(response),
            Some(next) => url = next,
        }
    }
}

fn header_of(response: &Response, name: header::HeaderName) -> Option<String> {
    let value = response.headers().get(name)?.to_str().ok()?;
    Some(value.trim().to_owned())
}

/// The first bytes of an answer, without the encoding of their transfer.
async fn read(mut response: Response, max: usize) -> Result<Vec<u8>, String> {
    let encoding = header_of(&response, header::CONTENT_ENCODING);
    let mut bytes = Vec::new();
    while bytes.len() < max
        && let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| describe_failure(&error))?
    {
        let room = max - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    decompress(bytes, encoding.as_deref(), max)
}

/// Some sites compress although nobody asked for it.
fn decompress(bytes: Vec<u8>, encoding: Option<&str>, max: usize) -> Result<Vec<u8>, String> {
    match encoding.map(str::to_ascii_lowercase).as_deref() {
        None | Some("" | "identity") => Ok(bytes),
        Some("gzip" | "x-gzip") => {
            let mut plain = Vec::new();
            let max = u64::try_from(max).unwrap_or(u64::MAX);
            let mut decoder = MultiGzDecoder::new(bytes.as_slice()).take(max);
            // What was cut ends early; what there is of it is looked at.
            match decoder.read_to_end(&mut plain) {
                Err(error) if plain.is_empty() => {
                    Err(format!("it cannot be decompressed: {error}"))
                }
                _ => Ok(plain),
            }
        }
        Some(other) => Err(format!(
            "it is compressed as `{other}`, which was not asked for"
        )),
    }
}
