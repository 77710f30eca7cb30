//! Pages of lists: opaque cursors, bounded limits, the `Link` to the next page, and the list as
//! JSON.

use axum::response::{IntoResponse, Response};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use url::Url;
use uuid::Uuid;

use widget_api::{FieldError, MAX_PAGE_LIMIT};
use widget_core::finding::Code;

use crate::{
    storage::{ListPage, ListPosition, Listed, MAX_PAGE_BYTES, Page},
    web::{auth, problem::Problem},
};

/// Items on a page when the request does not say how many.
const DEFAULT_LIMIT: u32 = 50;

/// Reads the query parameters `limit` and `cursor`.
///
/// # Errors
/// 422 `query_invalid`.
pub(crate) fn parse_page<I: CursorId>(
    limit: Option<u32>,
    cursor: Option<&str>,
) -> Result<ListPage<I>, Problem> {
    let limit = parse_limit(limit)?;
    let before = cursor
        .map(|text| {
            decode(text)
                .ok_or_else(|| invalid("/cursor", "this is not a cursor of this list".to_owned()))
        })
        .transpose()?;
    Ok(ListPage { before, limit })
}

/// Reads the query parameter `limit` alone.
///
/// # Errors
/// 422 `query_invalid`.
pub(crate) fn parse_limit(limit: Option<u32>) -> Result<u32, Problem> {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_PAGE_LIMIT).contains(&limit) {
        let detail = format!("`limit` is {limit}; it must be 1 to {MAX_PAGE_LIMIT}");
        return Err(invalid("/limit", detail));
    }
    Ok(limit)
}

fn invalid(pointer: &str, detail: String) -> Problem {
    Problem::query_invalid(FieldError::new(pointer, Code::ValueInvalid, detail))
}

/// Links to the page after `page`, keeping the other parameters of `query`.
pub(crate) fn link_next<T, I: CursorId>(
    page: &Page<Listed<T, I>>,
    public_url: &Url,
    path: &str,
    query: Option<&str>,
) -> HeaderMap {
    match page.last() {
        Some(last) if page.has_more => link_after(&last.position, public_url, path, query),
        _ => HeaderMap::new(),
    }
}

/// Links to what follows a position in the list, keeping the other parameters of `query`.
pub(crate) fn link_after<I: CursorId>(
    position: &ListPosition<I>,
    public_url: &Url,
    path: &str,
    query: Option<&str>,
) -> HeaderMap {
    let others: Vec<(String, String)> =
        url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .into_owned()
            .filter(|(name, _)| name != "cursor")
            .collect();
    let mut url = public_url.clone();
    url.set_path(path);
    url.query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .append_pair("cursor", &encode(position));
    link(&url)
}

/// Links to the page after the item with the number `last`, of a list that is ordered by number.
pub(crate) fn link_before(public_url: &Url, path: &str, limit: u32, last: i64) -> HeaderMap {
    let mut url = public_url.clone();
    url.set_path(path);
    url.query_pairs_mut()
        .clear()
        .append_pair("limit", &limit.to_string())
        .append_pair("before", &last.to_string());
    link(&url)
}

fn link(url: &Url) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&format!("<{url}>; rel=\"next\"")) {
        headers.insert(header::LINK, value);
    }
    headers
}

/// A list as JSON, written item by item: of the typed items only one is in memory at a time.
#[derive(Debug)]
pub(crate) struct JsonList(Vec<u8>);

impl JsonList {
    pub(crate) fn new() -> Self {
        Self(b"[".to_vec())
    }

    /// Whether it has as many bytes as a page may have.
    pub(crate) fn is_full(&self) -> bool {
        i64::try_from(self.0.len()).is_ok_and(|bytes| bytes >= MAX_PAGE_BYTES)
    }

    /// Writes an item.
    ///
    /// # Errors
    /// 500, when it is not JSON.
    pub(crate) fn push(&mut self, item: &impl Serialize) -> Result<(), Problem> {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        serde_json::to_writer(&mut self.0, item).map_err(Problem::internal)
    }

    /// Writes items.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(crate) fn of<T: Serialize>(items: impl IntoIterator<Item = T>) -> Result<Self, Problem> {
        let mut list = Self::new();
        for item in items {
            list.push(&item)?;
        }
        Ok(list)
    }
}

impl IntoResponse for JsonList {
    fn into_response(mut self) -> Response {
        self.0.push(b']');
        let media_type = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, media_type)], self.0).into_response()
    }
}

/// The position of the last item shown, its time in nanoseconds; unlike an offset, it stays correct
/// when items are added or removed.
fn encode<I: CursorId>((micros, id): &ListPosition<I>) -> String {
    let time = (i128::from(*micros) * 1_000).to_be_bytes();
    URL_SAFE_NO_PAD.encode([&time, id.as_bytes()].concat())
}

fn decode<I: CursorId>(text: &str) -> Option<ListPosition<I>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (time, id) = bytes.split_first_chunk::<16>()?;
    let micros = i64::try_from(i128::from_be_bytes(*time) / 1_000).ok()?;
    Some((micros, I::from_bytes(id)?))
}

/// The id in a cursor.
pub(crate) trait CursorId: Sized {
    fn as_bytes(&self) -> &[u8];
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl CursorId for Uuid {
    fn as_bytes(&self) -> &[u8] {
        self.as_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::from_slice(bytes).ok()
    }
}

/// The id of an API key.
impl CursorId for String {
    fn as_bytes(&self) -> &[u8] {
        self.as_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let id = std::str::from_utf8(bytes).ok()?;
        auth::is_plain(id).then(|| id.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_round_trips() {
        for micros in [1_234_567, 0, -1, i64::MAX, i64::MIN] {
            let position = (micros, Uuid::from_u128(7));
            assert_eq!(decode(&encode(&position)), Some(position));
            let position = (micros, "Ab-9_".to_owned());
            assert_eq!(decode(&encode(&position)), Some(position));
        }
    }

    #[test]
    fn a_foreign_cursor_is_refused() {
        for text in ["", "x", "AAAA", "!!", "a".repeat(200).as_str()] {
            assert_eq!(decode::<Uuid>(text), None, "{text}");
            assert_eq!(decode::<String>(text), None, "{text}");
        }
    }
}
