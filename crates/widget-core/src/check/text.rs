//! Kinds that are strings.

use std::marker::PhantomData;
use std::str::FromStr;

use serde_json::{Map, Value, json};

use super::context::{Context, shown};
use super::kind::{Definitions, Kind, check_count, object};
use crate::finding::Code;

#[derive(Debug)]
pub(crate) struct TextKind {
    minimum: usize,
    maximum: Option<usize>,
}

/// A string of a number of characters (Unicode scalar values, as JSON Schema counts them).
pub(crate) const fn text(minimum: usize, maximum: Option<usize>) -> TextKind {
    TextKind { minimum, maximum }
}

impl Kind for TextKind {
    type Value = String;

    fn allowed(&self) -> String {
        match (self.minimum, self.maximum) {
            (0, None) => "a string".to_owned(),
            (0, Some(maximum)) => format!("a string of at most {maximum} characters"),
            (1, None) => "a string that is not empty".to_owned(),
            (minimum, None) => format!("a string of at least {minimum} characters"),
            (minimum, Some(maximum)) => {
                format!("a string of {minimum} to {maximum} characters")
            }
        }
    }

    fn read(&self, value: &Value, context: &mut Context) -> Option<String> {
        let Value::String(string) = value else {
            context.wrong_type(value, &self.allowed());
            return None;
        };
        check_count(
            string.chars().count(),
            (self.minimum, self.maximum.unwrap_or(usize::MAX)),
            "characters",
            (Code::TooShort, Code::TooLong),
            &self.allowed(),
            context,
        )
        .then(|| string.clone())
    }

    fn schema(&self, _: &mut Definitions) -> Map<String, Value> {
        let mut schema = object(json!({"type": "string"}));
        if self.minimum > 0 {
            schema.insert("minLength".to_owned(), json!(self.minimum));
        }
        if let Some(maximum) = self.maximum {
            schema.insert("maxLength".to_owned(), json!(maximum));
        }
        schema
    }
}

#[derive(Debug)]
pub(crate) struct IdentifierKind {
    reserved: &'static [&'static str],
}

/// An id that names something in stored data: `[a-z][a-z0-9_]{0,63}`, none of `reserved`.
pub(crate) const fn identifier(reserved: &'static [&'static str]) -> IdentifierKind {
    IdentifierKind { reserved }
}

/// The first letter of the pattern and 63 more.
const MAX_IDENTIFIER: usize = 64;

impl Kind for IdentifierKind {
    type Value = String;

    fn allowed(&self) -> String {
        format!(
            "a lower-case letter and at most {} more letters, digits or `_`",
            MAX_IDENTIFIER - 1
        )
    }

    fn read(&self, value: &Value, context: &mut Context) -> Option<String> {
        let Value::String(string) = value else {
            context.wrong_type(value, &self.allowed());
            return None;
        };
        let well_formed = string.len() <= MAX_IDENTIFIER
            && string.starts_with(|first: char| first.is_ascii_lowercase())
            && string
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if !well_formed {
            let detail = format!(
                "{} is not an id; `{}` must be {}",
                shown(value),
                context.name(),
                self.allowed()
            );
            context.fault(Code::IdInvalid, detail, None);
            return None;
        }
        if self.reserved.contains(&string.as_str()) {
            let names: Vec<String> = self
                .reserved
                .iter()
                .map(|name| format!("`{name}`"))
                .collect();
            let detail = format!(
                "{} is reserved in `{}`; the reserved ids are {}",
                shown(value),
                context.name(),
                names.join(", ")
            );
            context.fault(Code::IdReserved, detail, None);
            return None;
        }
        Some(string.clone())
    }

    fn schema(&self, _: &mut Definitions) -> Map<String, Value> {
        let mut schema = object(json!({
            "type": "string",
            "pattern": format!("^[a-z][a-z0-9_]{{0,{}}}$", MAX_IDENTIFIER - 1),
            "$comment": self.allowed(),
        }));
        if !self.reserved.is_empty() {
            schema.insert("not".to_owned(), json!({"enum": self.reserved}));
        }
        schema
    }
}

/// A value that is written as a string with rules of its own.
pub(crate) trait Written: FromStr {
    /// What is allowed, to stand after "must be".
    const ALLOWED: &'static str;
    /// The code of the fault.
    const CODE: Code;
    /// The pattern of the schema (ECMA-262), as near to the rule as a pattern can be.
    const PATTERN: &'static str;
    /// Examples for an editor's completion.
    const EXAMPLES: &'static [&'static str];
}

#[derive(Debug)]
pub(crate) struct WrittenKind<T>(PhantomData<T>);

/// A value that is written as a string with rules of its own.
pub(crate) const fn written<T: Written>() -> WrittenKind<T> {
    WrittenKind(PhantomData)
}

impl<T> Kind for WrittenKind<T>
where
    T: Written,
    T::Err: std::fmt::Display,
{
    type Value = T;

    fn allowed(&self) -> String {
        T::ALLOWED.to_owned()
    }

    fn read(&self, value: &Value, context: &mut Context) -> Option<T> {
        let Value::String(string) = value else {
            context.wrong_type(value, T::ALLOWED);
            return None;
        };
        match string.parse() {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                let detail = format!("{error}; `{}` must be {}", context.name(), T::ALLOWED);
                context.fault(T::CODE, detail, None);
                None
            }
        }
    }

    fn schema(&self, _: &mut Definitions) -> Map<String, Value> {
        object(json!({
            "type": "string",
            "pattern": T::PATTERN,
            "$comment": T::ALLOWED,
            "examples": T::EXAMPLES,
        }))
    }
}
