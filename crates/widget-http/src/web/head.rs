//! How large the head of a request may be: its first line and its headers; and how many headers
//! answers have.
//!
//! The HTTP library has limits of its own, of bytes above this one and of 100 headers, and answers
//! itself what is beyond them, without a body, a request id and what pages need to read it.

use axum::extract::Request;
use widget_api::ProblemCode;

use crate::web::{connections::MAX_HEAD_BYTES, problem::Problem};

/// Room for the headers of an answer, so that their map does not grow.
pub(crate) const HEADERS: usize = 12;

/// Checks that the head of a request is not too large.
///
/// # Errors
/// 431 `head_too_large`
pub(crate) fn require_bounded(request: &Request) -> Result<(), Problem> {
    let bytes = head_bytes(request);
    if bytes <= MAX_HEAD_BYTES {
        return Ok(());
    }
    Err(Problem::new(
        ProblemCode::HeadTooLarge,
        format!(
            "the first line and the headers of this request have {bytes} bytes; send at most \
             {MAX_HEAD_BYTES}"
        ),
    ))
}

/// What a client has sent, as HTTP/1.1 writes it.
fn head_bytes(request: &Request) -> usize {
    let uri = request.uri();
    let authority = uri
        .authority()
        .map_or(0, |authority| authority.as_str().len());
    let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
    // `GET / HTTP/1.1` and the empty line at the end.
    let line = request.method().as_str().len() + authority + path + " HTTP/1.1 \r\n\r\n".len();
    let headers = request.headers().iter();
    headers.fold(line, |bytes, (name, value)| {
        bytes + name.as_str().len() + value.len() + ": \r\n".len()
    })
}
