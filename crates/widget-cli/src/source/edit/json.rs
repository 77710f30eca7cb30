//! Changes values in a text of JSON. What is not changed stays as it is written, with its spaces.

use std::fmt::Write as _;

use serde::Serialize as _;
use serde_json::{Map, Value, value::RawValue};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::source::members::{Shape, read_shape};

/// The text with `wanted` in it, an object.
pub(super) fn edit(
    text: &str,
    current: &Map<String, Value>,
    wanted: &Map<String, Value>,
) -> Option<String> {
    let body = text.trim();
    let start = text.len() - text.trim_start().len();
    let notation = Notation::of(body);
    let edited = notation.change_object(body, current, wanted)?;
    Some(format!(
        "{}{edited}{}",
        &text[..start],
        &text[start + body.len()..]
    ))
}

/// How new values are written.
struct Notation<'t> {
    /// One more level, when the text has lines.
    indent: Option<&'t str>,
    line_end: &'static str,
    /// What is between a key and its value.
    colon: String,
    /// What is between values on one line.
    comma: &'static str,
}

/// What an object or a list has inside.
struct Parts<'t> {
    /// The bracket, and the spaces before the first part.
    open: &'t str,
    /// The spaces after the last part, and the bracket.
    close: &'t str,
    inside: Vec<Part<'t>>,
}

struct Part<'t> {
    /// The comma before it, with its spaces; nothing before the first.
    comma: &'t str,
    /// The key with its colon; nothing in a list.
    key: &'t str,
    value: &'t str,
}

impl<'t> Notation<'t> {
    fn of(text: &'t str) -> Self {
        let members = Parts::of(text);
        let first = members.as_ref().and_then(|members| members.inside.first());
        let colon = first.map_or(": ", |first| first.after_key()).to_owned();
        let mut lines = text.lines().skip(1);
        let line = lines.find(|line| !line.trim().is_empty());
        Self {
            indent: line.map(|line| &line[..line.len() - line.trim_start().len()]),
            line_end: if text.contains("\r\n") { "\r\n" } else { "\n" },
            comma: if colon.ends_with(' ') { ", " } else { "," },
            colon,
        }
    }

    /// A value that may be another one. `space` is that of what it is in.
    fn change(
        &self,
        text: &str,
        before: &Value,
        after: &Value,
        space: Option<&str>,
    ) -> Option<String> {
        match (before, after) {
            _ if before == after => Some(text.to_owned()),
            (Value::Object(before), Value::Object(after)) => {
                self.change_object(text, before, after)
            }
            (Value::Array(before), Value::Array(after)) => self.change_list(text, before, after),
            _ => self.write(after, space),
        }
    }

    fn change_object(
        &self,
        text: &str,
        current: &Map<String, Value>,
        wanted: &Map<String, Value>,
    ) -> Option<String> {
        let object = Parts::of(text)?;
        let mut parts = Vec::new();
        for ((key, before), part) in current.iter().zip(&object.inside) {
            if let Some(after) = wanted.get(key) {
                let value = self.change(part.value, before, after, object.space())?;
                parts.push((Some(key), part.comma, format!("{}{value}", part.key)));
            }
        }
        for (position, (key, value)) in wanted.iter().enumerate() {
            if current.contains_key(key) {
                continue;
            }
            // Behind the key that is before it there.
            let before = position.checked_sub(1).and_then(|at| wanted.keys().nth(at));
            let place = match before {
                Some(before) => parts.iter().position(|(key, ..)| *key == Some(before))? + 1,
                None => 0,
            };
            let new = format!(
                "{}{}{}",
                Value::from(key.as_str()),
                self.colon,
                self.write(value, object.space())?
            );
            parts.insert(place, (Some(key), "", new));
        }
        let parts = parts.into_iter().map(|(_, comma, text)| (comma, text));
        Some(self.join(&object, parts.collect(), '{', '}'))
    }

    fn change_list(&self, text: &str, current: &[Value], wanted: &[Value]) -> Option<String> {
        let list = Parts::of(text)?;
        let texts = |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>();
        let steps = capture_diff_slices(Algorithm::Myers, &texts(current), &texts(wanted));
        let mut parts = Vec::new();
        for step in steps {
            let (_, before, after) = step.as_tag_tuple();
            let kept = list.inside.get(before.clone())?;
            if matches!(step, DiffOp::Equal { .. }) {
                parts.extend(kept.iter().map(|part| (part.comma, part.value.to_owned())));
                continue;
            }
            let mut kept = kept.iter().zip(current.get(before)?);
            for value in wanted.get(after)? {
                parts.push(match kept.next() {
                    Some((part, before)) => (
                        part.comma,
                        self.change(part.value, before, value, list.space())?,
                    ),
                    None => ("", self.write(value, list.space())?),
                });
            }
        }
        Some(self.join(&list, parts, '[', ']'))
    }

    /// The parts with their brackets, each with the comma that it had, or one as the others have.
    fn join(
        &self,
        before: &Parts<'_>,
        parts: Vec<(&str, String)>,
        open: char,
        close: char,
    ) -> String {
        if parts.is_empty() || before.inside.is_empty() {
            let texts: Vec<String> = parts.into_iter().map(|(_, text)| text).collect();
            return format!("{open}{}{close}", texts.join(self.comma));
        }
        let usual = match before.inside.get(1) {
            Some(second) => second.comma.to_owned(),
            None if before.space().is_some() => format!(",{}", &before.open[1..]),
            None => self.comma.to_owned(),
        };
        let mut joined = before.open.to_owned();
        for (position, (comma, text)) in parts.into_iter().enumerate() {
            if position > 0 {
                joined.push_str(if comma.is_empty() { &usual } else { comma });
            }
            joined.push_str(&text);
        }
        joined.push_str(before.close);
        joined
    }

    /// A new value; over several lines if what it is in has several, whose space is given.
    fn write(&self, value: &Value, space: Option<&str>) -> Option<String> {
        if let (Some(indent), Some(space)) = (self.indent, space) {
            let formatter = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
            let mut bytes = Vec::new();
            let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
            value.serialize(&mut serializer).ok()?;
            let text = String::from_utf8(bytes).ok()?;
            return Some(text.replace('\n', &format!("{}{space}", self.line_end)));
        }
        let mut text = String::new();
        match value {
            Value::Object(members) => {
                for (position, (key, value)) in members.iter().enumerate() {
                    text.push_str(if position > 0 { self.comma } else { "{" });
                    // Writing to a text does not fail.
                    let _ = write!(text, "{}{}", Value::from(key.as_str()), self.colon);
                    text.push_str(&self.write(value, None)?);
                }
                text.push_str(if members.is_empty() { "{}" } else { "}" });
            }
            Value::Array(items) => {
                for (position, item) in items.iter().enumerate() {
                    text.push_str(if position > 0 { self.comma } else { "[" });
                    text.push_str(&self.write(item, None)?);
                }
                text.push_str(if items.is_empty() { "[]" } else { "]" });
            }
            _ => text = value.to_string(),
        }
        Some(text)
    }
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Option<Self> {
        let values: Vec<&RawValue> = match read_shape(text).ok()? {
            Shape::Object(members) => members.0.into_iter().map(|(_, value)| value).collect(),
            Shape::Array(items) => items,
            Shape::Other => return None,
        };
        let mut parts: Vec<Part<'t>> = Vec::new();
        let (mut end, mut open) = (0, text);
        for value in values {
            let value = value.get();
            let start = (value.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
            let between = text.get(end..start)?;
            let (comma, key) = between.split_at(between.find('"').unwrap_or(between.len()));
            end = start + value.len();
            let value = text.get(start..end)?;
            if parts.is_empty() {
                open = comma;
            }
            let comma = if parts.is_empty() { "" } else { comma };
            parts.push(Part { comma, key, value });
        }
        Some(Self {
            open,
            close: text.get(end..)?,
            inside: parts,
        })
    }

    /// The space at the beginning of its lines, if each part has one.
    fn space(&self) -> Option<&'t str> {
        let (_, space) = self.open.rsplit_once('\n')?;
        (!self.inside.is_empty()).then_some(space)
    }
}

impl<'t> Part<'t> {
    /// The colon and its spaces.
    fn after_key(&self) -> &'t str {
        self.key.rsplit_once('"').map_or(": ", |(_, colon)| colon)
    }
}
