//! Extractors whose rejections are problems: strict JSON bodies, identifiers in paths, query
//! parameters.

use std::{str::FromStr, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, FromRequestParts, Request},
};
use http::{HeaderMap, header, request::Parts};
use serde::de::DeserializeOwned;

use widget_api::{FieldError, ProblemCode};
use widget_core::finding::Code;

use crate::web::{problem::Problem, strict};

/// The maximum number of bytes of a body where no other limit is set: a config of 64 KiB with room
/// for its escapes.
pub const BODY_LIMIT: usize = 1 << 20;

/// How long a body may take to arrive: a client that sends it byte by byte holds nothing for long.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// A JSON body of at most `LIMIT` bytes.
///
/// Rejects another media type (415 `content_type`), a longer body (413 `body_too_large`), text that
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

/// Rejects a request that does not declare its body as JSON.
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
/// 413 `body_too_large`; 408 `body_timeout` when it takes longer than [`BODY_TIMEOUT`]; 400
/// `body_unreadable` when the caller stops in the middle.
pub async fn read_body(body: Body, limit: usize) -> Result<bytes::Bytes, Problem> {
    let read = tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, limit)).await;
    let read = read.map_err(|_| Problem::body_timeout())?;
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
/// 400 `json_invalid` for text that is not JSON, 422 `body_invalid` for JSON that is not a `T`.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    strict::from_json(bytes).map_err(|fault| {
        let error = FieldError::from(fault);
        let (code, detail) = if error.code == Code::JsonInvalid {
            (
                ProblemCode::JsonInvalid,
                "the body is not valid JSON; see `errors`",
            )
        } else {
            (
                ProblemCode::BodyInvalid,
                "the body is JSON, but not what is expected here; see `errors`",
            )
        };
        Problem::new(code, detail).with_error(error)
    })
}

/// The one identifier in a path; a malformed one is 404 like an unknown one.
#[derive(Debug, Clone, Copy)]
pub struct PathId<T>(pub T);

impl<S, T> FromRequestParts<S> for PathId<T>
where
    S: Send + Sync,
    T: FromStr,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text: String = path_parameters(parts, state).await?;
        text.parse()
            .map(Self)
            .map_err(|_| Problem::not_found("resource"))
    }
}

/// Both identifiers in a path that has two; a malformed one is 404 like an unknown one.
#[derive(Debug, Clone, Copy)]
pub struct PathIds<A, B>(pub A, pub B);

impl<S, A, B> FromRequestParts<S> for PathIds<A, B>
where
    S: Send + Sync,
    A: FromStr,
    B: FromStr,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let (first, second): (String, String) = path_parameters(parts, state).await?;
        match (first.parse(), second.parse()) {
            (Ok(first), Ok(second)) => Ok(Self(first, second)),
            _ => Err(Problem::not_found("resource")),
        }
    }
}

/// The parameters of a path; what is not UTF-8 names nothing.
#[expect(
    clippy::disallowed_types,
    reason = "its rejection, which is not a problem document, is replaced here"
)]
pub(crate) async fn path_parameters<T: DeserializeOwned + Send>(
    parts: &mut Parts,
    state: &(impl Send + Sync),
) -> Result<T, Problem> {
    let read = axum::extract::Path::<T>::from_request_parts(parts, state).await;
    let axum::extract::Path(parameters) = read.map_err(|_| Problem::not_found("resource"))?;
    Ok(parameters)
}

/// Query parameters; unknown ones and invalid values are rejected (422 `query_invalid`).
#[derive(Debug, Clone, Copy)]
pub struct StrictQuery<T>(pub T);

impl<S, T> FromRequestParts<S> for StrictQuery<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        strict::from_query(parts.uri.query().unwrap_or_default())
            .map(Self)
            .map_err(|fault| Problem::query_invalid(fault.into()))
    }
}
