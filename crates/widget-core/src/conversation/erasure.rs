//! What remains of a conversation that was erased: that there was one, and who erased it when.

use std::{convert::Infallible, fmt, str::FromStr};

use time::OffsetDateTime;

/// The origin that an erased conversation has instead of its page's: a name that can never exist
/// (RFC 2606), so that releases that know no erased conversations can read the row.
pub const ERASED_ORIGIN: &str = "https://erased.invalid";

/// The custom metadata that an erased conversation has.
pub const ERASED_METADATA: &str = "{}";

/// Who erased a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErasedBy {
    /// The holder of the API key with this id.
    ApiKey(String),
    /// Its time to be kept was over.
    Retention,
}

impl ErasedBy {
    const RETENTION: &str = "retention";

    /// The id of the key, or `retention`, which is never the id of a key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::ApiKey(id) => id,
            Self::Retention => Self::RETENTION,
        }
    }
}

impl fmt::Display for ErasedBy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for ErasedBy {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            Self::RETENTION => Self::Retention,
            id => Self::ApiKey(id.to_owned()),
        })
    }
}

/// That a conversation was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// When.
    pub at: OffsetDateTime,
    /// By whom.
    pub by: ErasedBy,
}

/// The conversation was erased: nothing of it can be read, and nothing can be added to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the conversation was erased; start a new one")]
pub struct ConversationErased;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_erased_round_trips() {
        for by in [ErasedBy::Retention, ErasedBy::ApiKey("AAAAAAAAAAAC".into())] {
            assert_eq!(by.to_string().parse(), Ok(by));
        }
    }

    #[test]
    fn what_an_erased_conversation_has_can_be_read() {
        assert!(ERASED_ORIGIN.parse::<crate::origin::Origin>().is_ok());
        let metadata: serde_json::Value =
            serde_json::from_str(ERASED_METADATA).expect("it is JSON");
        assert_eq!(metadata, serde_json::json!({}));
    }
}
