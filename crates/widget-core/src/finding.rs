//! One shape for everything that is reported about a record: faults that refuse a write, blockers
//! of a gate, warnings. HTTP, CLI and schema tool print the same fields, so that an answer found
//! in one place can be looked up in another.

use std::fmt;

/// Something worth telling about a widget record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable machine code such as `wildcard_public_suffix`.
    pub code: &'static str,
    /// JSON Pointer (RFC 6901) from the record's root, such as `/domains/0`, when it is about a
    /// field.
    pub pointer: Option<String>,
    /// What is the matter, in one sentence without a full stop, offending values in backticks.
    pub detail: String,
    /// The one change that helps, when there is one.
    pub hint: Option<String>,
}

impl Finding {
    /// A finding about the whole record.
    #[must_use]
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            code,
            pointer: None,
            detail: detail.into(),
            hint: None,
        }
    }

    /// The same finding, about the field at `pointer`.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// The same finding with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(pointer) = &self.pointer {
            write!(formatter, "{pointer}: ")?;
        }
        write!(formatter, "{} [{}]", self.detail, self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_one_line() {
        let finding = Finding::new("empty", "the entry is empty")
            .at("/domains/0")
            .with_hint("remove it");
        assert_eq!(
            finding.to_string(),
            "/domains/0: the entry is empty [empty]"
        );
        assert_eq!(finding.hint.as_deref(), Some("remove it"));
        assert_eq!(Finding::new("x", "y").to_string(), "y [x]");
    }
}
