//! Strict reading of JSON text: nothing is rounded, dropped or overwritten silently.
//!
//! A usual JSON parser keeps the last of two equal keys, rounds thirty-digit numbers to a double
//! and rejects deep nesting with an error of its own. A stored config must come back as it was
//! sent, so each of these is found here and reported with its place.
//!
//! ```
//! use widget_core::{finding::Code, json::{self, JsonLimits}};
//!
//! let limits = JsonLimits { bytes: 1_000, depth: 3 };
//! let parsed = json::parse(r#"{"a": 1, "a": 2}"#, "/config", limits)?;
//! assert_eq!(parsed.faults[0].code, Code::KeyDuplicate);
//! assert_eq!(parsed.faults[0].pointer.as_deref(), Some("/config/a"));
//! # Ok::<(), widget_core::json::JsonError>(())
//! ```

use std::borrow::Cow;
use std::fmt;
use std::io;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use crate::finding::{Code, Finding, FindingList};
use crate::text::shortened;

/// How much JSON is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonLimits {
    /// Bytes of the document as compact JSON: white space between tokens does not count.
    pub bytes: usize,
    /// Objects and arrays inside each other; the outermost is 1, a plain value 0.
    pub depth: usize,
}

/// Why a text could not be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// More bytes than [`JsonLimits::bytes`].
    #[error("{bytes} bytes are too many; at most {limit} are allowed")]
    TooLarge {
        /// The size that was found.
        bytes: usize,
        /// The size that is allowed.
        limit: usize,
    },
    /// More levels than [`JsonLimits::depth`].
    #[error("{depth} levels are too deep; at most {limit} are allowed")]
    TooDeep {
        /// The depth that was found.
        depth: usize,
        /// The depth that is allowed.
        limit: usize,
    },
    /// Not JSON.
    #[error("not valid JSON: {0}")]
    Syntax(
        /// What the parser expected, with line and column.
        String,
    ),
}

/// A text that is JSON, with what would be lost by storing it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The document. Where there is a fault it holds a stand-in.
    pub value: Value,
    /// `key_duplicate`, `number_inexact` and `string_invalid`, each with its pointer.
    pub faults: FindingList,
}

/// Reads `text`; pointers of the faults start with `root`, such as `/config` or the empty string.
///
/// # Errors
/// [`JsonError`] when nothing can be said about single values: too deep (looked at first, and
/// at any depth without recursion), too large, or not JSON.
pub fn parse(text: &str, root: &str, limits: JsonLimits) -> Result<Parsed, JsonError> {
    let outline = Outline::of(text);
    if outline.depth > limits.depth {
        return Err(JsonError::TooDeep {
            depth: outline.depth,
            limit: limits.depth,
        });
    }
    // Escapes and redundant digits shrink when stored, so the text may be somewhat longer than
    // the document; what is beyond that is not worth reading.
    if outline.bytes > limits.bytes.saturating_mul(8) {
        return Err(JsonError::TooLarge {
            bytes: outline.bytes,
            limit: limits.bytes,
        });
    }
    // Nearly every text is such that nothing in it could be lost, and is read in one pass. Nothing
    // in it becomes twice as long when it is stored; `-0`, which becomes `-0.0`, comes nearest.
    if outline.bytes <= limits.bytes / 2
        && !outline.long_numbers
        && let Ok(Plain(value)) = serde_json::from_str(text)
    {
        return Ok(Parsed {
            value,
            faults: FindingList::new(),
        });
    }
    let raw: &RawValue =
        serde_json::from_str(text).map_err(|error| JsonError::Syntax(error.to_string()))?;
    let mut reader = Reader {
        path: root.to_owned(),
        faults: FindingList::new(),
    };
    let value = reader.value(raw);
    let bytes = compact_size(&value);
    if bytes > limits.bytes {
        return Err(JsonError::TooLarge {
            bytes,
            limit: limits.bytes,
        });
    }
    Ok(Parsed {
        value,
        faults: reader.faults,
    })
}

/// Checks a value that is already in memory against the same limits.
///
/// # Errors
/// [`JsonError::TooDeep`] and [`JsonError::TooLarge`].
pub fn measure(value: &Value, limits: JsonLimits) -> Result<(), JsonError> {
    let depth = measure_depth(value);
    if depth > limits.depth {
        return Err(JsonError::TooDeep {
            depth,
            limit: limits.depth,
        });
    }
    let bytes = compact_size(value);
    if bytes > limits.bytes {
        return Err(JsonError::TooLarge {
            bytes,
            limit: limits.bytes,
        });
    }
    Ok(())
}

/// Appends one reference token to a JSON Pointer, escaped as RFC 6901 asks.
pub(crate) fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    pointer.push_str(&escape_token(token));
}

/// A key as a reference token of a JSON Pointer (RFC 6901).
#[must_use]
pub fn escape_token(token: &str) -> Cow<'_, str> {
    if token.contains(['~', '/']) {
        Cow::Owned(token.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(token)
    }
}

/// The reference tokens of a JSON Pointer (RFC 6901), no longer escaped; `None` when it is not one.
#[must_use]
pub fn pointer_tokens(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    pointer
        .strip_prefix('/')?
        .split('/')
        .map(|token| {
            let valid = token
                .split('~')
                .skip(1)
                .all(|rest| rest.starts_with(['0', '1']));
            valid.then(|| token.replace("~1", "/").replace("~0", "~"))
        })
        .collect()
}

/// What can be known of a JSON text in one pass without recursion.
struct Outline {
    depth: usize,
    bytes: usize,
    /// Whether a number has an exponent or more than [`f64::DIGITS`] digits. Every other one is
    /// kept exactly by a double.
    long_numbers: bool,
}

impl Outline {
    fn of(text: &str) -> Self {
        let (mut depth, mut deepest, mut bytes) = (0_usize, 0_usize, 0_usize);
        let (mut in_string, mut escaped) = (false, false);
        let (mut digits, mut long_numbers) = (0_u32, false);
        for byte in text.bytes() {
            if in_string {
                bytes += 1;
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' => escaped = true,
                    b'"' => in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'0'..=b'9' => {
                    digits += 1;
                    long_numbers |= digits > f64::DIGITS;
                }
                b'.' => {}
                b'e' | b'E' if digits > 0 => long_numbers = true,
                _ => digits = 0,
            }
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => continue,
                b'"' => in_string = true,
                b'{' | b'[' => {
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            bytes += 1;
        }
        Self {
            depth: deepest,
            bytes,
            long_numbers,
        }
    }
}

/// The depth of a value in memory, without recursion.
fn measure_depth(value: &Value) -> usize {
    let mut deepest = 0;
    let mut waiting = vec![(value, 1)];
    while let Some((value, level)) = waiting.pop() {
        match value {
            Value::Object(map) => waiting.extend(map.values().map(|value| (value, level + 1))),
            Value::Array(items) => waiting.extend(items.iter().map(|value| (value, level + 1))),
            _ => continue,
        }
        deepest = deepest.max(level);
    }
    deepest
}

/// Drops a value without recursion: the usual drop of 100,000 levels overflows the stack.
pub(crate) fn drop_flat(value: Value) {
    let mut waiting = vec![value];
    while let Some(value) = waiting.pop() {
        match value {
            Value::Object(map) => waiting.extend(map.into_iter().map(|(_, value)| value)),
            Value::Array(items) => waiting.extend(items),
            _ => {}
        }
    }
}

/// The bytes of a value as compact JSON, the form in which it is stored.
pub(crate) fn compact_size(value: &Value) -> usize {
    struct Counter(usize);
    impl io::Write for Counter {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            self.0 += buffer.len();
            Ok(buffer.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    // A counter cannot fail, and a value has string keys only.
    if serde_json::to_writer(&mut counter, value).is_err() {
        return usize::MAX;
    }
    counter.0
}

/// Reads one level after the other from the raw text, so that every token is seen as written.
struct Reader {
    path: String,
    faults: FindingList,
}

impl Reader {
    fn value(&mut self, raw: &RawValue) -> Value {
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'{') => self.object(text),
            Some(b'[') => self.array(text),
            Some(b'"') => self.string(text),
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            Some(b'n') | None => Value::Null,
            Some(_) => self.number(text),
        }
    }

    fn object(&mut self, text: &str) -> Value {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let entries = match deserializer.deserialize_map(Entries) {
            Ok(entries) => entries,
            Err(error) => {
                self.fault(
                    Code::StringInvalid,
                    format!("a key cannot be stored: {error}"),
                    None,
                );
                return Value::Object(Map::new());
            }
        };
        let mut map = Map::with_capacity(entries.len());
        for (key, raw) in entries {
            let before = self.path.len();
            push_token(&mut self.path, &key);
            if map.contains_key(&key) {
                self.fault(
                    Code::KeyDuplicate,
                    format!("the key `{key}` occurs twice in the same object"),
                    Some("keep one of the two"),
                );
            }
            let value = self.value(raw);
            map.insert(key, value);
            self.path.truncate(before);
        }
        Value::Object(map)
    }

    fn array(&mut self, text: &str) -> Value {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        // The text is the value of a `RawValue`, so its syntax has been checked.
        let items = deserializer.deserialize_seq(Items).unwrap_or_default();
        let mut values = Vec::with_capacity(items.len());
        for (index, raw) in items.into_iter().enumerate() {
            let before = self.path.len();
            push_token(&mut self.path, &index.to_string());
            values.push(self.value(raw));
            self.path.truncate(before);
        }
        Value::Array(values)
    }

    fn string(&mut self, text: &str) -> Value {
        if let Ok(string) = serde_json::from_str(text) {
            return Value::String(string);
        }
        self.fault(
            Code::StringInvalid,
            "the string contains half of a surrogate pair, which is not a character".to_owned(),
            Some("write the character itself, or both halves"),
        );
        Value::String(String::new())
    }

    fn number(&mut self, text: &str) -> Value {
        if let Some(number) = exact_number(text) {
            return Value::Number(number);
        }
        self.fault(
            Code::NumberInexact,
            format!(
                "`{}` cannot be kept exactly: integers go from {} to {}, other numbers have the \
                 range and precision of a double",
                shortened(text),
                i64::MIN,
                u64::MAX
            ),
            Some("write it as a string"),
        );
        Value::Null
    }

    fn fault(&mut self, code: Code, detail: String, hint: Option<&str>) {
        self.faults.push_with(|| Finding {
            code,
            pointer: Some(self.path.clone()),
            detail,
            hint: hint.map(str::to_owned),
        });
    }
}

/// The number that a token stands for, if what is stored and printed for it has the very same
/// decimal value. An integer stays an integer.
fn exact_number(token: &str) -> Option<Number> {
    if !token.contains(['.', 'e', 'E']) {
        if let Ok(integer) = token.parse::<u64>() {
            return Some(Number::from(integer));
        }
        return match token.parse::<i64>() {
            // `-0` is a double of its own, not the integer 0.
            Ok(0) => Number::from_f64(-0.0),
            Ok(integer) => Some(Number::from(integer)),
            Err(_) => None,
        };
    }
    let number = Number::from_f64(token.parse().ok()?)?;
    (Decimal::of(token) == Decimal::of(&number.to_string())).then_some(number)
}

/// Whether both are one number of JSON, which does not distinguish `1` from `1.0`.
///
/// They are not compared as doubles: many integers above 2^53 have the same one.
pub(crate) fn is_same_number(one: &Number, other: &Number) -> bool {
    if one.is_f64() == other.is_f64() {
        return one == other;
    }
    let (one, other) = (
        Decimal::of(&one.to_string()),
        Decimal::of(&other.to_string()),
    );
    one == other || (one.is_zero() && other.is_zero())
}

/// The decimal value of a number token: `0.digits × 10^exponent`, without redundant zeros.
#[derive(PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i128,
}

impl Decimal {
    fn of(token: &str) -> Self {
        let (negative, rest) = match token.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, token),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, saturating_exponent(exponent)),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let mut exponent = exponent.saturating_add(whole.len().try_into().unwrap_or(i128::MAX));
        let leading = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..leading);
        exponent = exponent.saturating_sub(leading.try_into().unwrap_or(i128::MAX));
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        if digits.is_empty() {
            exponent = 0;
        }
        Self {
            negative,
            digits,
            exponent,
        }
    }

    /// Zero has a sign: `-0.0` is a double of its own.
    fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }
}

/// The exponent of a token; one that is beyond every integer is beyond every double too.
fn saturating_exponent(text: &str) -> i128 {
    text.parse::<i64>().map_or_else(
        |_| {
            if text.starts_with('-') {
                i128::from(i64::MIN)
            } else {
                i128::from(i64::MAX)
            }
        },
        i128::from,
    )
}

/// A value in which every token is kept, if its text has no
/// [`long_numbers`](Outline::long_numbers). One with a key that occurs twice is rejected, and then
/// read by [`Reader`].
struct Plain(Value);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor).map(Self)
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value without equal keys")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Plain(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Plain(value))) = access.next_entry::<String, Plain>()? {
            if map.insert(key, value).is_some() {
                return Err(A::Error::custom("a key occurs twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

/// Collects the entries of an object in order, equal keys included.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// Collects the items of an array in order.
struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests;
