//! Who makes a public request: the page's origin, our own window, and what browsers tell about a
//! fetch.
//!
//! The decision is made on the request itself, so the answers need no credentials and hold nothing
//! secret; CORS only lets the loader read them, refusals included.

use axum::{
    extract::{FromRequestParts, Request},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use widget_core::origin::{Origin, OriginHeaderError};

use crate::{
    state::AppState,
    web::{extract::require_json, problem::Problem},
};

/// How long a browser may remember a preflight, in seconds; the answer never depends on anything.
const PREFLIGHT_MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// Headers that the loader may read beside those that it always may.
const EXPOSED: HeaderValue = HeaderValue::from_static("retry-after, x-request-id");

/// The `Origin` of a request.
///
/// # Errors
/// When the request does not have exactly one, as a browser writes it.
pub fn request_origin(headers: &HeaderMap) -> Result<Origin, OriginHeaderError> {
    Origin::from_header(
        headers
            .get_all(header::ORIGIN)
            .iter()
            .map(HeaderValue::as_bytes),
    )
}

/// Origin of the host page: what the allowlist is asked about.
#[derive(Debug, Clone)]
pub struct PageOrigin(pub Origin);

impl<S: Sync> FromRequestParts<S> for PageOrigin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(request_origin(&parts.headers)?))
    }
}

/// Proof that a request was made by our own window, whose origin is this service's.
#[derive(Debug, Clone, Copy)]
pub struct OwnWindow;

impl FromRequestParts<AppState> for OwnWindow {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        require_own(&request_origin(&parts.headers)?, state)
    }
}

/// The same for a request that browsers send without `Origin` when it stays on one origin (`GET`).
#[derive(Debug, Clone, Copy)]
pub struct OwnWindowOrAbsent;

impl FromRequestParts<AppState> for OwnWindowOrAbsent {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        match request_origin(&parts.headers) {
            Err(OriginHeaderError::Absent) => Ok(Self),
            Err(error) => Err(error.into()),
            Ok(origin) => require_own(&origin, state).map(|_| Self),
        }
    }
}

fn require_own(origin: &Origin, state: &AppState) -> Result<OwnWindow, Problem> {
    if state.visitor.is_own(origin) {
        return Ok(OwnWindow);
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "origin_not_own",
        "only the widget's own window may ask this; a host page asks for an embed ticket",
    ))
}

/// Proof that the body is said to be JSON, so that a browser had to ask before sending it from
/// elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct JsonOnly;

impl<S: Sync> FromRequestParts<S> for JsonOnly {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        require_json(&parts.headers).map(|()| Self)
    }
}

/// Proof that a browser that tells how a fetch came about tells of a CORS request made by a page.
#[derive(Debug, Clone, Copy)]
pub struct CorsFetch;

impl<S: Sync> FromRequestParts<S> for CorsFetch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let is_cors = only(&parts.headers, "sec-fetch-mode").is_none_or(|mode| mode == "cors");
        let is_of_page = only(&parts.headers, "sec-fetch-site").is_none_or(|site| site != "none");
        if is_cors && is_of_page {
            Ok(Self)
        } else {
            Err(fetch_metadata("this is for `fetch` by the loader only"))
        }
    }
}

/// Proof that a browser that tells what a document is for tells of a frame or a tab.
#[derive(Debug, Clone, Copy)]
pub struct DocumentFetch;

impl<S: Sync> FromRequestParts<S> for DocumentFetch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let destination = only(&parts.headers, "sec-fetch-dest");
        if destination.is_none_or(|destination| matches!(destination, "iframe" | "document")) {
            return Ok(Self);
        }
        Err(fetch_metadata("this document is for frames only"))
    }
}

/// A header's value; one that is there twice, or is no text, is a value that nothing equals.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    Some(if values.next().is_some() {
        ""
    } else {
        value.to_str().unwrap_or("")
    })
}

fn fetch_metadata(detail: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "fetch_metadata", detail)
}

/// Lets the asking page read whatever is answered, refusals included.
pub async fn readable_by_pages(request: Request, next: Next) -> Response {
    let is_tuple = request_origin(request.headers()).is_ok();
    let origin = request
        .headers()
        .get(header::ORIGIN)
        .filter(|_| is_tuple)
        .cloned();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    response
}

/// Answers a preflight without looking anything up: it asks what kind of request may be made, not
/// for what.
pub(crate) async fn preflight() -> Response {
    let headers = [
        (
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST"),
        ),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("content-type"),
        ),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_sent_twice_is_not_what_it_says() {
        let mut headers = HeaderMap::new();
        assert_eq!(only(&headers, "sec-fetch-mode"), None);
        headers.append("sec-fetch-mode", HeaderValue::from_static("cors"));
        assert_eq!(only(&headers, "sec-fetch-mode"), Some("cors"));
        headers.append("sec-fetch-mode", HeaderValue::from_static("cors"));
        assert_eq!(only(&headers, "sec-fetch-mode"), Some(""));
    }
}
