//! The text in which a document is stored. It can always be read back.

use serde_json::Value;

use super::version::{LIMITS, ROOT};
use crate::json::{self, JsonError};

/// Compact JSON within [`LIMITS`]. It is made only from a value that was measured, so reading it
/// back cannot fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredText(Box<str>);

impl Default for StoredText {
    fn default() -> Self {
        Self("{}".into())
    }
}

impl StoredText {
    /// The text of a value.
    pub(super) fn of(value: &Value) -> Result<Self, JsonError> {
        json::measure(value, LIMITS)?;
        Ok(Self(value.to_string().into()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The value again.
    pub(super) fn value(&self) -> Value {
        // `of` is the only constructor, and it has measured this very text.
        json::parse(&self.0, ROOT, LIMITS).map_or(Value::Null, |parsed| parsed.value)
    }
}
