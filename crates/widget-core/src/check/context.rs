//! Where the reader is in a document, what it has found there, and the words for values.

use serde_json::Value;

use crate::finding::{Code, Finding, FindingList};
use crate::json::push_token;
use crate::text::shortened;

/// Where the reader is, and what it has found so far.
#[derive(Debug, Default)]
pub(crate) struct Context {
    path: String,
    /// How many bytes of the path are left out of sentences: those of `/config/v1`.
    hidden: usize,
    pub(crate) faults: FindingList,
    /// Whether the keys that no definition asked for are noted. Most who read do not ask for
    /// them, and finding what was meant is the slowest part of reading.
    notes_unknown: bool,
    /// The keys that no definition asked for: they are kept and reported.
    pub(crate) unknown: FindingList,
    /// The pointers of all those keys.
    pub(crate) unknown_pointers: Vec<String>,
    pub(crate) warnings: FindingList,
}

impl Context {
    /// Starts at `root`, a pointer that is left out of names in sentences.
    pub(crate) fn new(root: &str) -> Self {
        Self {
            path: root.to_owned(),
            hidden: root.len(),
            ..Self::default()
        }
    }

    /// The same, and notes the keys that no definition asks for.
    pub(crate) fn noting_unknown(root: &str) -> Self {
        Self {
            notes_unknown: true,
            ..Self::new(root)
        }
    }

    /// Whether unknown keys are noted.
    pub(super) const fn notes_unknown(&self) -> bool {
        self.notes_unknown
    }

    /// Runs `read` one key or index further down.
    pub(crate) fn below<T>(&mut self, token: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        self.at(&[token], read)
    }

    /// Runs `read` several keys or indexes further down.
    pub(crate) fn at<T>(&mut self, tokens: &[&str], read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        for token in tokens {
            push_token(&mut self.path, token);
        }
        let result = read(self);
        self.path.truncate(length);
        result
    }

    /// The name of the value that is being read, as people write it: `trigger.size`.
    pub(crate) fn name(&self) -> String {
        let shown = self.path.get(self.hidden..).unwrap_or_default();
        if shown.is_empty() {
            let last = self.path.rsplit('/').next().unwrap_or_default();
            return if last.is_empty() {
                "the submission"
            } else {
                last
            }
            .to_owned();
        }
        shown.trim_start_matches('/').replace('/', ".")
    }

    /// Records a fault at the value that is being read.
    pub(crate) fn fault(&mut self, code: Code, detail: String, hint: Option<String>) {
        self.faults.push_with(|| Finding {
            code,
            pointer: Some(self.path.clone()),
            detail,
            hint,
        });
    }

    /// Records a warning at the value that is being read.
    pub(crate) fn warn(&mut self, code: Code, detail: String, hint: Option<String>) {
        self.warnings.push_with(|| Finding {
            code,
            pointer: Some(self.path.clone()),
            detail,
            hint,
        });
    }

    /// The pointer to a key of the object that is being read.
    pub(super) fn pointer_to(&self, key: &str) -> String {
        let mut pointer = self.path.clone();
        push_token(&mut pointer, key);
        pointer
    }

    /// Records that the value has another type.
    pub(super) fn wrong_type(&mut self, value: &Value, allowed: &str) {
        let name = self.name();
        let detail = match value {
            Value::Null => format!("`{name}` must be {allowed}, not `null`"),
            _ => format!(
                "{} is {}, but `{name}` must be {allowed}",
                shown(value),
                type_name(value),
            ),
        };
        self.fault(Code::TypeInvalid, detail, None);
    }
}

/// A value in backticks, shortened, for sentences.
pub(crate) fn shown(value: &Value) -> String {
    format!("`{}`", shortened(&value.to_string()))
}

/// The JSON type of a value with its article.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number with a fraction or exponent",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
