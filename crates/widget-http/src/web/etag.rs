//! Entity tags and the conditions on them (RFC 9110, section 13).

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};

use crate::web::problem::Problem;
use widget_api::ProblemCode;

/// The tag of a record's revision.
pub(crate) fn of_revision(revision: i64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"r{revision}\"")).expect("digits are a valid header")
}

/// The tag of bytes with this hash.
pub(crate) fn of_hash(hash: &[u8; 32]) -> HeaderValue {
    HeaderValue::try_from(format!("\"{}\"", short_hash(hash)))
        .expect("hexadecimal digits are a valid header")
}

/// The first 128 bits of a hash, enough to distinguish contents, in hexadecimal digits.
pub(crate) fn short_hash(hash: &[u8; 32]) -> String {
    let mut first = [0; 16];
    first.copy_from_slice(&hash[..16]);
    format!("{:032x}", u128::from_be_bytes(first))
}

/// Whether the caller has what `tag` names already (`If-None-Match`).
pub(crate) fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    Known::of(headers).has(tag)
}

/// What the caller of a request has already (`If-None-Match`).
#[derive(Debug)]
pub(crate) struct Known(Vec<String>);

impl Known {
    fn of(headers: &HeaderMap) -> Self {
        Self(entries(headers, &header::IF_NONE_MATCH))
    }

    /// Whether that is what `tag` names.
    pub(crate) fn has(&self, tag: &HeaderValue) -> bool {
        self.0.iter().any(|entry| names(entry, tag))
    }
}

impl<S: Sync> FromRequestParts<S> for Known {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

/// Refuses a change of a record that is no longer the one the caller saw (`If-Match`).
///
/// # Errors
/// 412 `precondition_failed`.
pub(crate) fn require_match(headers: &HeaderMap, tag: &HeaderValue) -> Result<(), Problem> {
    if !is_conditional(headers)
        || entries(headers, &header::IF_MATCH)
            .iter()
            .any(|entry| names(entry, tag))
    {
        return Ok(());
    }
    Err(Problem::new(
        ProblemCode::PreconditionFailed,
        "it was changed since you read it; read it again and repeat the change",
    ))
}

/// Whether the caller names the record it saw.
pub(crate) fn is_conditional(headers: &HeaderMap) -> bool {
    headers.contains_key(header::IF_MATCH)
}

/// Whether an entry of a condition names the tag.
///
/// `If-Match` compares strongly (RFC 9110, section 13.1.1), but a proxy that compresses makes a
/// strong tag weak, and a revision is the same one under either.
fn names(entry: &str, tag: &HeaderValue) -> bool {
    entry == "*" || entry.strip_prefix("W/").unwrap_or(entry).as_bytes() == tag.as_bytes()
}

fn entries(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|entry| entry.trim().to_owned())
        .collect()
}
