//! Fetches a page, each redirect by itself, with all that core wants to know of it.
//!
//! Any address is fetched: this program reaches what its user reaches.

use std::{error::Error as _, io::Read, time::Duration};

use flate2::read::MultiGzDecoder;
use reqwest::{Client, Response, header};
use url::Url;
use widget_core::doctor::{self, Hop, PageScript, Visit};

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 10;
/// Bytes of a page that are read.
const MAX_BYTES: usize = 5 << 20;
/// Time for the page, with all redirects.
const VISIT_TIMEOUT: Duration = Duration::from_secs(10);

/// Fetches a page. What went wrong is a part of the visit. `http` follows no redirects.
pub(crate) async fn visit(http: &Client, start: Url) -> Visit {
    let mut visit = Visit::default();
    let reading = async {
        let response = request(http, start, &mut visit.hops).await?;
        let encoding = header_of(&response, header::CONTENT_ENCODING);
        decompress(read_bytes(response).await?, encoding.as_deref())
    };
    match tokio::time::timeout(VISIT_TIMEOUT, reading).await {
        Ok(Ok(body)) => {
            visit.is_cut = body.len() >= MAX_BYTES;
            visit.body = body;
            let scripts = read_scripts(http, &visit).await;
            visit.scripts = scripts;
        }
        Ok(Err(reason)) => visit.failure = Some(reason),
        Err(_) => {
            visit.failure = Some(format!("it takes more than {} s", VISIT_TIMEOUT.as_secs()));
        }
    }
    visit
}

/// Reads those scripts of a page in which a snippet may be, as far as time and size permit.
async fn read_scripts(http: &Client, visit: &Visit) -> Vec<PageScript> {
    let mut scripts = Vec::new();
    let mut room = MAX_BYTES;
    let reading = async {
        for url in doctor::scripts_to_read(visit) {
            let read = async {
                let response = request(http, url.clone(), &mut Vec::new()).await?;
                let encoding = header_of(&response, header::CONTENT_ENCODING);
                decompress(read_bytes(response).await?, encoding.as_deref())
            };
            let Ok(bytes) = read.await else { continue };
            room = room.saturating_sub(bytes.len());
            let text = String::from_utf8_lossy(&bytes).into_owned();
            scripts.push(PageScript { url, text });
            if room == 0 {
                break;
            }
        }
    };
    // What was read until then is enough.
    let _ = tokio::time::timeout(VISIT_TIMEOUT, reading).await;
    scripts
}

/// The first answer that is no redirect; every answer is noted in `hops`.
async fn request(http: &Client, start: Url, hops: &mut Vec<Hop>) -> Result<Response, String> {
    let mut url = start;
    for _ in 0..=MAX_REDIRECTS {
        let response = http
            .get(url.clone())
            .header(
                header::ACCEPT,
                "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
            )
            .send()
            .await
            .map_err(|error| cause(&error))?;
        let headers = response.headers().iter();
        hops.push(Hop {
            url: url.clone(),
            status: response.status().as_u16(),
            headers: headers
                .map(|(name, value)| {
                    let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                    (name.as_str().to_owned(), value)
                })
                .collect(),
        });
        let location = header_of(&response, header::LOCATION);
        if !response.status().is_redirection() || location.is_none() {
            return Ok(response);
        }
        let next = location.and_then(|location| url.join(&location).ok());
        url = next
            .filter(|next| matches!(next.scheme(), "http" | "https"))
            .ok_or("it redirects to an address that browsers do not open")?;
    }
    Err(format!("it redirects more than {MAX_REDIRECTS} times"))
}

fn header_of(response: &Response, name: header::HeaderName) -> Option<String> {
    let value = response.headers().get(name)?.to_str().ok()?;
    Some(value.trim().to_owned())
}

/// The first bytes of an answer.
async fn read_bytes(mut response: Response) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_BYTES
        && let Some(chunk) = response.chunk().await.map_err(|error| cause(&error))?
    {
        let room = MAX_BYTES - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    Ok(bytes)
}

/// Some sites compress although nobody asked for it.
fn decompress(bytes: Vec<u8>, encoding: Option<&str>) -> Result<Vec<u8>, String> {
    match encoding.map(str::to_ascii_lowercase).as_deref() {
        None | Some("" | "identity") => Ok(bytes),
        Some("gzip" | "x-gzip") => {
            let mut plain = Vec::new();
            let max = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
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

/// The innermost cause, in which the reason is.
pub(crate) fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it does not answer in time".to_owned();
    }
    let mut cause = error.source();
    while let Some(source) = cause.and_then(std::error::Error::source) {
        cause = Some(source);
    }
    match cause {
        Some(cause) => cause.to_string(),
        None => error.to_string(),
    }
}
