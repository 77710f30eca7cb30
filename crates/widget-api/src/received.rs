//! Words that a client reads and may not know.

use serde::{Deserialize, Serialize};

/// A word of a set that grows, such as a code, as it arrives. A client of an older version reads
/// `Other` instead of failing on the whole answer; it can still show the word.
///
/// The service itself sends known words only. The states of a conversation, its modes, roles and
/// verdicts do not grow within a version of the API, so they are read strictly.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Received<T> {
    /// A word that this build knows.
    Known(T),
    /// A word of a newer service.
    Other(String),
}

impl<T: Copy> Received<T> {
    /// The word, if this build knows it.
    pub const fn known(&self) -> Option<T> {
        match self {
            Self::Known(word) => Some(*word),
            Self::Other(_) => None,
        }
    }
}

impl<T> From<T> for Received<T> {
    fn from(word: T) -> Self {
        Self::Known(word)
    }
}

impl<T: PartialEq> PartialEq<T> for Received<T> {
    fn eq(&self, word: &T) -> bool {
        matches!(self, Self::Known(known) if known == word)
    }
}

impl<T: std::fmt::Display> std::fmt::Display for Received<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known(word) => word.fmt(formatter),
            Self::Other(text) => formatter.write_str(text),
        }
    }
}

#[cfg(feature = "schemars")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Received<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}
