//! Changing single values of a document by pointer, and comparing two documents.

use std::fmt;

use serde_json::{Map, Value};

use super::error::ConfigError;
use super::version::{LIMITS, ROOT};
use crate::finding::{Code, Finding};
use crate::json::{self, pointer_tokens, push_token};
use crate::text::shortened;

/// One change of a document, which is to be made.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// Puts a value in place, as [`Config::set`](super::Config::set).
    Set {
        /// Where, from the record's root (`/config/v1/theme`).
        pointer: String,
        /// The value that is there then.
        value: Value,
    },
    /// Removes a value, as [`Config::remove`](super::Config::remove).
    Remove {
        /// Where, from the record's root.
        pointer: String,
    },
}

/// One difference between two documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Where, as a JSON Pointer from the record's root (`/config/v1/theme`).
    pub pointer: String,
    /// What happened there.
    pub kind: ChangeKind,
}

impl From<Change> for Edit {
    /// The edit that makes the change.
    fn from(Change { pointer, kind }: Change) -> Self {
        match kind {
            ChangeKind::Removed(_) => Self::Remove { pointer },
            ChangeKind::Added(value) | ChangeKind::Replaced { to: value, .. } => {
                Self::Set { pointer, value }
            }
        }
    }
}

/// What happened at one place of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum ChangeKind {
    /// The value was not there before.
    Added(Value),
    /// The value is not there anymore.
    Removed(Value),
    /// The value is another one.
    Replaced {
        /// The value before.
        from: Value,
        /// The value now.
        to: Value,
    },
}

impl fmt::Display for Change {
    /// One line for people: `~ /config/v1/theme: "light" -> "dark"`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = &self.pointer;
        match &self.kind {
            ChangeKind::Added(value) => write!(formatter, "+ {pointer}: {value}"),
            ChangeKind::Removed(value) => write!(formatter, "- {pointer}: {value}"),
            ChangeKind::Replaced { from, to } => write!(formatter, "~ {pointer}: {from} -> {to}"),
        }
    }
}

/// What changes from one document to the other, in an order in which the changes can be made.
pub(super) fn compare(from: &Value, to: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare_at(&mut ROOT.to_owned(), from, to, &mut changes);
    changes
}

fn compare_at(pointer: &mut String, from: &Value, to: &Value, changes: &mut Vec<Change>) {
    let mut below = |token: &str, change: &mut dyn FnMut(&mut String, &mut Vec<Change>)| {
        let length = pointer.len();
        push_token(pointer, token);
        change(pointer, changes);
        pointer.truncate(length);
    };
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => {
            for (key, before) in from {
                below(key, &mut |pointer, changes| match to.get(key) {
                    Some(now) => compare_at(pointer, before, now, changes),
                    None => push(pointer, ChangeKind::Removed(before.clone()), changes),
                });
            }
            for (key, now) in to.iter().filter(|(key, _)| !from.contains_key(*key)) {
                below(key, &mut |pointer, changes| {
                    push(pointer, ChangeKind::Added(now.clone()), changes);
                });
            }
        }
        (Value::Array(from), Value::Array(to)) => {
            for (index, (before, now)) in from.iter().zip(to).enumerate() {
                below(&index.to_string(), &mut |pointer, changes| {
                    compare_at(pointer, before, now, changes);
                });
            }
            // From the end, so that the indexes before stay what they are.
            for (index, before) in from.iter().enumerate().skip(to.len()).rev() {
                below(&index.to_string(), &mut |pointer, changes| {
                    push(pointer, ChangeKind::Removed(before.clone()), changes);
                });
            }
            for (index, now) in to.iter().enumerate().skip(from.len()) {
                below(&index.to_string(), &mut |pointer, changes| {
                    push(pointer, ChangeKind::Added(now.clone()), changes);
                });
            }
        }
        (Value::Number(from), Value::Number(to)) if json::is_same_number(from, to) => {}
        (from, to) if from != to => {
            let kind = ChangeKind::Replaced {
                from: from.clone(),
                to: to.clone(),
            };
            push(pointer, kind, changes);
        }
        _ => {}
    }
}

fn push(pointer: &str, kind: ChangeKind, changes: &mut Vec<Change>) {
    changes.push(Change {
        pointer: pointer.to_owned(),
        kind,
    });
}

/// The document with one value put in place. Objects on the way are made when they are missing,
/// arrays are not: an index may be a key of an object as well. In an array the index of an item
/// replaces it, and its length or `-` appends.
pub(super) fn set(mut document: Value, pointer: &str, value: Value) -> Result<Value, ConfigError> {
    let tokens = tokens_in_config(pointer)?;
    let mut place = &mut document;
    for (depth, token) in tokens.iter().enumerate() {
        if let Value::Array(items) = place {
            let index = if token == "-" {
                items.len()
            } else {
                parse_index(token)
                    .filter(|index| *index <= items.len())
                    .ok_or_else(|| {
                        let detail = format!(
                            "`{token}` is not an index of an array of {} items",
                            items.len()
                        );
                        pointer_invalid(pointer, detail)
                    })?
            };
            if index == items.len() {
                items.push(Value::Null);
            }
            place = items.get_mut(index).ok_or_else(|| {
                pointer_invalid(pointer, "there is no item at this index".to_owned())
            })?;
            continue;
        }
        // A missing value on the way.
        if place.is_null() {
            if token == "-" || parse_index(token).is_some() {
                return Err(pointer_invalid(pointer, missing_array(&tokens, depth)));
            }
            *place = Value::Object(Map::new());
        }
        let Value::Object(map) = place else {
            let detail = format!("`{token}` cannot be in a value that is neither object nor array");
            return Err(pointer_invalid(pointer, detail));
        };
        place = map.entry(token.as_str()).or_insert(Value::Null);
    }
    *place = value;
    Ok(document)
}

/// The sentence about an index into an array that is not there.
fn missing_array(tokens: &[String], depth: usize) -> String {
    let mut array = ROOT.to_owned();
    for token in tokens.iter().take(depth) {
        push_token(&mut array, token);
    }
    let name = tokens
        .get(depth.wrapping_sub(1))
        .map_or("config", String::as_str);
    format!("the array `{name}` is missing; set the whole array at `{array}`")
}

/// The document without the value at a pointer.
pub(super) fn remove(mut document: Value, pointer: &str) -> Result<Value, ConfigError> {
    let missing = || pointer_invalid(pointer, "there is no value at this place".to_owned());
    let mut tokens = tokens_in_config(pointer)?;
    let Some(last) = tokens.pop() else {
        return Ok(Value::Object(Map::new()));
    };
    let mut place = &mut document;
    for token in &tokens {
        place = match place {
            Value::Object(map) => map.get_mut(token.as_str()),
            Value::Array(items) => parse_index(token).and_then(|index| items.get_mut(index)),
            _ => None,
        }
        .ok_or_else(missing)?;
    }
    match place {
        Value::Object(map) => {
            map.shift_remove(&last).ok_or_else(missing)?;
        }
        Value::Array(items) => {
            let index = parse_index(&last)
                .filter(|index| *index < items.len())
                .ok_or_else(missing)?;
            items.remove(index);
        }
        _ => return Err(missing()),
    }
    Ok(document)
}

/// An array index of RFC 6901: no sign, no leading zero.
fn parse_index(token: &str) -> Option<usize> {
    let canonical = token == "0"
        || (!token.starts_with('0') && token.bytes().all(|byte| byte.is_ascii_digit()));
    if canonical { token.parse().ok() } else { None }
}

/// The tokens of a pointer, from the document on. There are no more of them than a document has
/// levels: every object on the way is made, and dropping many inside each other overflows the
/// stack.
fn tokens_in_config(pointer: &str) -> Result<Vec<String>, ConfigError> {
    let tokens = pointer.strip_prefix(ROOT).and_then(pointer_tokens).ok_or_else(|| {
        pointer_invalid(
            pointer,
            format!(
                "`{pointer}` is not a JSON Pointer into the config; write one such as `{ROOT}/v1/theme`"
            ),
        )
    })?;
    if tokens.len() > LIMITS.depth {
        let detail = format!(
            "`{}` leads {} levels deep; a config has at most {}",
            shortened(pointer),
            tokens.len(),
            LIMITS.depth
        );
        return Err(pointer_invalid(pointer, detail));
    }
    Ok(tokens)
}

fn pointer_invalid(pointer: &str, detail: String) -> ConfigError {
    Finding::new(Code::PointerInvalid, detail)
        .at(pointer)
        .into()
}
