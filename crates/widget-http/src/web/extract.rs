//! Extractors whose rejections are problems: strict JSON bodies, identifiers in paths, query
//! parameters.

use std::{str::FromStr, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
};
use http::{HeaderMap, header, request::Parts};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use widget_api::{FieldError, ProblemCode};
use widget_core::finding::Code;

use crate::web::problem::Problem;

/// Bytes that a body may have where nothing else is said: a config of 64 KiB with room for its
/// escapes.
pub const BODY_LIMIT: usize = 1 << 20;

/// How long a body may take to arrive: whoever sends it byte by byte holds nothing for long.
pub const BODY_PATIENCE: Duration = Duration::from_secs(15);

/// A JSON body of at most `LIMIT` bytes.
///
/// Refuses another media type (415 `content_type`), a longer body (413 `body_too_large`), text that
/// is not JSON (400 `json_invalid`) and JSON of another shape (422 `body_invalid` with a pointer).
#[derive(Debug, Clone, Copy)]
pub struct StrictJson<T, const LIMIT: usize = BODY_LIMIT>(pub T);

impl<S: Sync, T: DeserializeOwned, const LIMIT: usize> FromRequest<S> for StrictJson<T, LIMIT> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        require_json(request.headers())?;
        let bytes = read_body(request.into_body(), LIMIT).await?;
        parse_json(&bytes).map(Self)
    }
}

/// Every body is an object; `serde` would also read its members from a list, by position.
fn require_object(bytes: &[u8]) -> Result<(), Problem> {
    if bytes.trim_ascii_start().starts_with(b"{") {
        return Ok(());
    }
    let detail = "the body must be an object";
    Err(Problem::new(
        ProblemCode::BodyInvalid,
        "the body is JSON, but not an object",
    )
    .with_error(FieldError::new("", Code::ValueInvalid, detail)))
}

/// Refuses a request that does not say that its body is JSON.
///
/// A media type of JSON makes a cross-origin request ask first (CORS preflight), so that it cannot
/// be left out.
///
/// # Errors
/// 415 `content_type`.
pub fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let value = values
        .next()
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") && values.next().is_none() {
        return Ok(());
    }
    Err(Problem::new(
        ProblemCode::ContentType,
        "send the body as JSON with the header `Content-Type: application/json`",
    ))
}

/// Reads a whole body of at most `limit` bytes.
///
/// # Errors
/// 413 `body_too_large`; 408 `body_timeout` when it takes longer than [`BODY_PATIENCE`]; 400
/// `body_unreadable` when the caller stops in the middle.
pub async fn read_body(body: Body, limit: usize) -> Result<bytes::Bytes, Problem> {
    let read = tokio::time::timeout(BODY_PATIENCE, to_bytes(body, limit)).await;
    let read = read
        .map_err(|_| Problem::new(ProblemCode::BodyTimeout, "the body took too long to arrive"))?;
    read.map_err(|error| {
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            if cause.is::<http_body_util::LengthLimitError>() {
                return Problem::new(
                    ProblemCode::BodyTooLarge,
                    format!("the body may have at most {limit} bytes"),
                );
            }
            source = cause.source();
        }
        Problem::new(
            ProblemCode::BodyUnreadable,
            "the body ended before it was complete",
        )
        .with_cause(error)
    })
}

/// Reads a JSON object into `T`.
///
/// # Errors
/// 400 `json_invalid` for text that is not JSON, 422 `body_invalid` for JSON that is no object or
/// not a `T`.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        json_problem(error.inner(), pointer)
    })?;
    deserializer
        .end()
        .map_err(|error| json_problem(&error, String::new()))?;
    require_object(bytes)?;
    Ok(value)
}

fn json_problem(error: &serde_json::Error, pointer: String) -> Problem {
    use serde_json::error::Category;
    match error.classify() {
        Category::Data => {
            let text = error.to_string();
            let text = text
                .rsplit_once(" at line ")
                .map_or(text.as_str(), |(text, _)| text);
            let code = match text {
                _ if text.starts_with("unknown field") => Code::KeyUnknown,
                _ if text.starts_with("missing field") => Code::KeyMissing,
                _ if text.starts_with("duplicate field") => Code::KeyDuplicate,
                _ => Code::ValueInvalid,
            };
            let pointer = match named_key(text) {
                Some(key) => format!("{pointer}/{key}"),
                None => pointer,
            };
            Problem::new(
                ProblemCode::BodyInvalid,
                "the body is JSON, but not what is expected here; see `errors`",
            )
            .with_error(FieldError::new(pointer, code, text))
        }
        Category::Syntax | Category::Eof | Category::Io => Problem::new(
            ProblemCode::JsonInvalid,
            "the body is not valid JSON; see `errors`",
        )
        .with_error(FieldError::new(
            pointer,
            Code::JsonInvalid,
            error.to_string(),
        )),
    }
}

/// The key that serde's message names where its path ends at the object around it.
fn named_key(text: &str) -> Option<&str> {
    let rest = text
        .strip_prefix("missing field `")
        .or_else(|| text.strip_prefix("duplicate field `"))?;
    rest.strip_suffix('`')
}

/// JSON Pointer of a path in a document.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => {
                pointer.push('/');
                pointer.push_str(&index.to_string());
            }
            Segment::Map { key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// An identifier of core as a member of a JSON body or of a query string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parsed<T>(pub T);

impl<'de, T> Deserialize<'de> for Parsed<T>
where
    T: FromStr<Err: std::fmt::Display>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// The one identifier in a path; a malformed one names nothing, so that it is 404 like an unknown
/// one.
#[derive(Debug, Clone, Copy)]
pub struct PathId<T>(pub T);

impl<S, T> FromRequestParts<S> for PathId<T>
where
    S: Send + Sync,
    T: FromStr,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::not_found("resource"))?;
        text.parse()
            .map(Self)
            .map_err(|_| Problem::not_found("resource"))
    }
}

/// Query parameters; unknown ones and wrong values are refused (422 `query_invalid`).
#[derive(Debug, Clone, Copy)]
pub struct StrictQuery<T>(pub T);

impl<S, T> FromRequestParts<S> for StrictQuery<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(value)| Self(value))
            .map_err(|error| {
                let mut text = error.to_string();
                if let Some(source) = std::error::Error::source(&error) {
                    text = source.to_string();
                }
                let (pointer, detail) = match text.split_once(": ") {
                    Some((name, rest)) if !name.contains(' ') => {
                        (format!("/{name}"), rest.to_owned())
                    }
                    _ => (String::new(), text),
                };
                Problem::new(
                    ProblemCode::QueryInvalid,
                    "a query parameter is not what is expected here; see `errors`",
                )
                .with_error(FieldError::new(pointer, Code::ValueInvalid, detail))
            })
    }
}
