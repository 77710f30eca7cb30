//! The header `Idempotency-Key`: it names a request, so that repeating it does nothing more.

use http::{HeaderMap, HeaderName};
use schemars::json_schema;
use time::Duration;
use widget_api::ProblemCode;

use crate::{
    background::REQUEST_MEMORY,
    web::{api::Operation, problem::Problem},
};

/// The header that names a request.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Its values in the OpenAPI document; HTTP removes the spaces around them.
const IDEMPOTENCY_KEY_PATTERN: &str = "^[!-~]([ -~]{0,253}[!-~])?$";

/// How long such a request is stored.
pub(super) const MEMORY: Duration = REQUEST_MEMORY;

/// An operation that accepts the header.
pub(super) fn describe(operation: Operation) -> Operation {
    operation
        .header(
            "Idempotency-Key",
            "Repeating the request with the same key creates nothing more; a repetition that comes \
             while the first is running waits for it.",
            json_schema!({"type": "string", "pattern": IDEMPOTENCY_KEY_PATTERN}),
        )
        .problems([
            ProblemCode::IdempotencyKeyInvalid,
            ProblemCode::IdempotencyKeyReused,
            ProblemCode::Conflict,
        ])
}

/// The caller's name for a request that it may repeat: 1 to 255 printable ASCII characters.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    // `to_str` accepts a tab, too.
    let text = value.to_str().unwrap_or_default();
    let is_printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if values.next().is_none() && is_printable && (1..=255).contains(&text.len()) {
        return Ok(Some(text.to_owned()));
    }
    Err(Problem::new(
        ProblemCode::IdempotencyKeyInvalid,
        "send one `Idempotency-Key` of 1 to 255 printable ASCII characters",
    ))
}

/// The key was used before, for another request.
pub(super) fn key_reused() -> Problem {
    Problem::new(
        ProblemCode::IdempotencyKeyReused,
        "this `Idempotency-Key` was used before, for another body; use a new one for each request",
    )
}
