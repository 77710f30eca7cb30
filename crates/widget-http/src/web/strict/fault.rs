//! What is wrong with a text that is not a `T`: serde reports it by a method for each kind of
//! fault, and each has a code.

use std::fmt;

use serde::de::{self, Unexpected};
use widget_api::FieldError;
use widget_core::{finding::Code, json::escape_token};

/// One fault of a text that is not a `T`.
#[derive(Debug)]
pub(crate) struct Fault(FieldError);

impl Fault {
    pub(super) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(FieldError::new("", code, detail))
    }

    pub(super) fn not_json(error: &serde_json::Error) -> Self {
        Self::new(Code::JsonInvalid, error.to_string())
    }

    /// The same fault with the code of a refused text, unless it is about something else.
    pub(super) fn with_code(mut self, code: Code) -> Self {
        if self.0.code == Code::ValueInvalid {
            self.0.code = code.into();
        }
        self
    }

    /// The fault as seen from the object or list around it.
    pub(super) fn below(mut self, token: &str) -> Self {
        let token = escape_token(token);
        self.0.pointer.insert_str(0, &format!("/{token}"));
        self
    }
}

impl From<Fault> for FieldError {
    fn from(fault: Fault) -> Self {
        fault.0
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.0.pointer, self.0.detail)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Code::ValueInvalid, message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(
            Code::TypeInvalid,
            format!("must be {expected}, but is {found}"),
        )
    }

    fn unknown_variant(text: &str, known: &'static [&'static str]) -> Self {
        let known = known.join("`, `");
        Self::new(
            Code::ValueInvalid,
            format!("`{text}` is not allowed; use one of `{known}`"),
        )
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        let detail = if known.is_empty() {
            format!("`{key}` is not a key here; there are none")
        } else {
            format!(
                "`{key}` is not a key here; use one of `{}`",
                known.join("`, `")
            )
        };
        Self::new(Code::KeyUnknown, detail).below(key)
    }

    fn missing_field(key: &'static str) -> Self {
        Self::new(Code::KeyMissing, format!("`{key}` is missing")).below(key)
    }

    fn duplicate_field(key: &'static str) -> Self {
        Self::new(Code::KeyDuplicate, format!("`{key}` occurs twice")).below(key)
    }
}
