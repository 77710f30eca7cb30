//! Requests that can be repeated, because their answer was lost.

use time::OffsetDateTime;

use super::error::StoreError;

/// What such a request is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepeatableRequest {
    /// The caller's own name for it, unique in the organization.
    pub key: String,
    /// SHA-256 of what it asks for.
    pub hash: [u8; 32],
    /// The present time.
    pub now: OffsetDateTime,
    /// Requests older than this are forgotten.
    pub forget_before: OffsetDateTime,
}

/// Why it was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum RepeatError {
    /// The key was used before, for another request.
    #[error("this key was used before, for another request")]
    KeyReused,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
