//! Who makes a public request: the page's origin, our own window, and what browsers say about a
//! fetch.
//!
//! The decision is made on the request itself, so the answers need no credentials and hold nothing
//! secret; CORS only lets the loader read them, refusals included.

use std::sync::Arc;

use axum::{
    extract::{FromRef, FromRequestParts, MatchedPath, Request},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use widget_api::ProblemCode;
use widget_core::origin::{Origin, OriginHeaderError};

use crate::web::{api::Operation, extract::require_json, problem::Problem};

/// How long a browser may remember a preflight, in seconds; the answer depends only on the
/// preflight itself.
const PREFLIGHT_MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// Names that a preflight may ask for; scripts that watch a page add a handful to each request.
const MAX_PREFLIGHT_NAMES: usize = 32;

/// Who may use an answer as a part of a page.
pub(crate) const RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// Headers that the loader may read beside those that it always may.
const EXPOSED: HeaderValue = HeaderValue::from_static("retry-after, x-request-id");

/// What browsers say about a fetch.
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_DESTINATION: HeaderName = HeaderName::from_static("sec-fetch-dest");

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

/// This service's own origin, which the window has.
#[derive(Debug, Clone)]
pub struct OwnOrigin(Arc<Origin>);

impl OwnOrigin {
    /// Keeps the origin for the extractors that compare with it.
    #[must_use]
    pub fn new(origin: Origin) -> Self {
        Self(Arc::new(origin))
    }

    fn require(&self, origin: &Origin) -> Result<OwnWindow, Problem> {
        if *origin == *self.0 {
            return Ok(OwnWindow);
        }
        Err(Problem::new(
            ProblemCode::OriginNotOwn,
            "only the widget's own window may send this request; a host page requests an embed ticket",
        ))
    }
}

/// Origin of the host page: the one that must be on the widget's list.
#[derive(Debug, Clone)]
pub struct PageOrigin(pub Origin);

impl<S: Sync> FromRequestParts<S> for PageOrigin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(request_origin(&parts.headers)?))
    }
}

/// Origin of the host page in a `GET`: browsers send no `Origin` with one that stays on its own
/// host, but say so in another header, which no page can set.
///
/// The service's own origin has to be listed as any other.
#[derive(Debug, Clone)]
pub struct PageOrOwnOrigin(pub Origin);

/// Why a request names no page.
#[derive(Debug)]
pub struct OriginRefused(pub OriginHeaderError);

impl IntoResponse for OriginRefused {
    fn into_response(self) -> Response {
        Problem::from(self.0).into_response()
    }
}

impl<S> FromRequestParts<S> for PageOrOwnOrigin
where
    S: Sync,
    OwnOrigin: FromRef<S>,
{
    type Rejection = OriginRefused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, OriginRefused> {
        let is_same_origin = || only(&parts.headers, &FETCH_SITE) == Some("same-origin");
        match request_origin(&parts.headers) {
            Err(OriginHeaderError::Absent) if is_same_origin() => {
                Ok(Self(OwnOrigin::from_ref(state).0.as_ref().clone()))
            }
            origin => origin.map(Self).map_err(OriginRefused),
        }
    }
}

/// Proof that a request was made by our own window, whose origin is this service's.
#[derive(Debug, Clone, Copy)]
pub struct OwnWindow;

impl<S> FromRequestParts<S> for OwnWindow
where
    S: Sync,
    OwnOrigin: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        OwnOrigin::from_ref(state).require(&request_origin(&parts.headers)?)
    }
}

/// The same for a request that browsers send without `Origin` when it stays on one origin (`GET`).
#[derive(Debug, Clone, Copy)]
pub struct OwnWindowOrAbsent;

impl<S> FromRequestParts<S> for OwnWindowOrAbsent
where
    S: Sync,
    OwnOrigin: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match request_origin(&parts.headers) {
            Err(OriginHeaderError::Absent) => Ok(Self),
            Err(error) => Err(error.into()),
            Ok(origin) => OwnOrigin::from_ref(state).require(&origin).map(|_| Self),
        }
    }
}

/// Proof that the media type is JSON, so a browser sends a preflight before a request to another
/// origin.
#[derive(Debug, Clone, Copy)]
pub struct JsonOnly;

impl<S: Sync> FromRequestParts<S> for JsonOnly {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        require_json(&parts.headers).map(|()| Self)
    }
}

/// Proof that `Sec-Fetch-Mode` and `Sec-Fetch-Site`, when sent, describe a CORS request of a page.
#[derive(Debug, Clone, Copy)]
pub struct CorsFetch;

impl<S: Sync> FromRequestParts<S> for CorsFetch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let is_cors = only(&parts.headers, &FETCH_MODE).is_none_or(|mode| mode == "cors");
        let is_of_page = only(&parts.headers, &FETCH_SITE).is_none_or(|site| site != "none");
        if is_cors && is_of_page {
            Ok(Self)
        } else {
            Err(fetch_metadata("this is for `fetch` by the loader only"))
        }
    }
}

/// Proof that `Sec-Fetch-Dest`, when sent, names a frame or a tab.
#[derive(Debug, Clone, Copy)]
pub struct DocumentFetch;

impl<S: Sync> FromRequestParts<S> for DocumentFetch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let destination = only(&parts.headers, &FETCH_DESTINATION);
        if destination.is_none_or(|destination| matches!(destination, "iframe" | "document")) {
            return Ok(Self);
        }
        Err(fetch_metadata("this document is for frames only"))
    }
}

/// The same for a document that only pages of this service frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnDocumentFetch {
    /// Whether the browser says that it is for a frame.
    pub(crate) is_frame: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for OwnDocumentFetch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        DocumentFetch::from_request_parts(parts, state).await?;
        let destination = only(&parts.headers, &FETCH_DESTINATION);
        let is_own = only(&parts.headers, &FETCH_SITE).is_none_or(|site| site == "same-origin");
        let is_frame = destination == Some("iframe");
        if is_frame && !is_own {
            return Err(fetch_metadata(
                "only pages of this service may frame this document",
            ));
        }
        Ok(Self { is_frame })
    }
}

/// A header's value; a header that is sent twice or is not text has a value that nothing equals.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    Some(if values.next().is_some() {
        ""
    } else {
        value.to_str().unwrap_or("")
    })
}

fn fetch_metadata(detail: &str) -> Problem {
    Problem::new(ProblemCode::FetchMetadata, detail)
}

/// The paths whose answers pages of other origins may read.
#[derive(Debug, Clone)]
pub struct ReadablePaths(Arc<[&'static str]>);

impl ReadablePaths {
    /// Those of the operations that say so.
    #[must_use]
    pub fn of(operations: &[Operation]) -> Self {
        let readable = operations
            .iter()
            .filter(|operation| operation.is_readable_by_pages);
        Self(readable.map(|operation| operation.path).collect())
    }
}

/// The folder of the scripts that pages of any origin load.
const SCRIPTS: &str = "/public/embed/";

/// Which pages of other origins may read an answer, also a refusal or a timeout.
#[derive(Debug)]
pub(crate) enum Readers {
    /// None of them.
    Nobody,
    /// All of them may use a script, and read why it is not there: with `integrity`, which needs
    /// CORS, and under `Cross-Origin-Embedder-Policy`.
    Everyone,
    /// The page that asks, if it has an origin.
    Page(Option<HeaderValue>),
}

impl ReadablePaths {
    /// Who may read the answer to this request.
    pub(crate) fn readers_of(&self, request: &Request) -> Readers {
        if request.uri().path().starts_with(SCRIPTS) {
            return Readers::Everyone;
        }
        let path = request.extensions().get::<MatchedPath>();
        // They are few.
        if !path.is_some_and(|path| self.0.contains(&path.as_str())) {
            return Readers::Nobody;
        }
        let is_tuple = request_origin(request.headers()).is_ok();
        let origin = request.headers().get(header::ORIGIN);
        Readers::Page(origin.filter(|_| is_tuple).cloned())
    }
}

impl Readers {
    /// Lets them read it.
    pub(crate) fn admit_to(self, response: &mut Response) {
        let headers = response.headers_mut();
        match self {
            Self::Nobody => {}
            Self::Everyone => {
                headers.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
                headers.insert(
                    header::ACCESS_CONTROL_ALLOW_ORIGIN,
                    HeaderValue::from_static("*"),
                );
            }
            Self::Page(origin) => {
                headers.append(
                    header::VARY,
                    HeaderValue::from_static("Origin, Sec-Fetch-Site"),
                );
                if let Some(origin) = origin {
                    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
                }
            }
        }
    }
}

/// Answers a preflight without looking anything up: it depends on the kind of request alone.
///
/// Scripts that watch a page add headers to each of its requests; nothing here reads them.
pub(crate) async fn preflight(headers: HeaderMap) -> Response {
    let headers = [
        (
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST"),
        ),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            allowed_headers(&headers),
        ),
        (
            header::VARY,
            HeaderValue::from_static("Access-Control-Request-Headers"),
        ),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// `content-type`, and the headers that the preflight names.
fn allowed_headers(headers: &HeaderMap) -> HeaderValue {
    let mut allowed = vec![header::CONTENT_TYPE];
    let asked = headers
        .get_all(header::ACCESS_CONTROL_REQUEST_HEADERS)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok());
    for name in asked.take(MAX_PREFLIGHT_NAMES) {
        if !allowed.contains(&name) {
            allowed.push(name);
        }
    }
    let names: Vec<&str> = allowed.iter().map(HeaderName::as_str).collect();
    HeaderValue::try_from(names.join(", ")).unwrap_or(HeaderValue::from_static("content-type"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_sent_twice_is_not_what_it_says() {
        let mut headers = HeaderMap::new();
        assert_eq!(only(&headers, &FETCH_MODE), None);
        headers.append(FETCH_MODE, HeaderValue::from_static("cors"));
        assert_eq!(only(&headers, &FETCH_MODE), Some("cors"));
        headers.append(FETCH_MODE, HeaderValue::from_static("cors"));
        assert_eq!(only(&headers, &FETCH_MODE), Some(""));
    }

    #[test]
    fn a_preflight_allows_what_it_asks_for() {
        #[track_caller]
        fn check(lines: &[&str], expected: &str) {
            let mut headers = HeaderMap::new();
            for line in lines {
                let line = HeaderValue::try_from(*line).expect("a header");
                headers.append(header::ACCESS_CONTROL_REQUEST_HEADERS, line);
            }
            assert_eq!(allowed_headers(&headers), expected);
        }
        check(&[], "content-type");
        check(&["content-type"], "content-type");
        check(
            &["baggage,content-type, sentry-trace"],
            "content-type, baggage, sentry-trace",
        );
        check(
            &["Traceparent", "x-datadog-trace-id,,"],
            "content-type, traceparent, x-datadog-trace-id",
        );
        check(&["request id, \"x\", *"], "content-type, *");
        let many: Vec<String> = (0..100).map(|count| format!("x-{count}")).collect();
        let first = many[..MAX_PREFLIGHT_NAMES].join(", ");
        check(&[&many.join(",")], &format!("content-type, {first}"));
    }
}
