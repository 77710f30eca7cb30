//! Texts in sentences, and texts that are read as values.

use std::borrow::Cow;
#[cfg(feature = "serde")]
use std::{fmt, marker::PhantomData, str::FromStr};

#[cfg(feature = "serde")]
use serde::{Deserializer, de};

/// A text short enough for a sentence.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    const MAX_CHARACTERS: usize = 60;
    match text.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Reads a string through `FromStr`, as a newtype that has `code` as its name.
///
/// serde's errors have a text only. A deserializer that reports codes finds out by this name which
/// code a text that is refused has; all others ignore it.
#[cfg(feature = "serde")]
pub(crate) fn deserialize_text_or<'de, T, D>(
    code: &'static str,
    deserializer: D,
) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_newtype_struct(code, Text(PhantomData))
}

/// Reads a string through `FromStr`.
///
/// # Errors
///
/// When it is not a string, or the string is not a `T`.
#[cfg(feature = "serde")]
pub fn deserialize_text<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_str(Text(PhantomData))
}

#[cfg(feature = "serde")]
struct Text<T>(PhantomData<T>);

#[cfg(feature = "serde")]
impl<'de, T: FromStr<Err: fmt::Display>> de::Visitor<'de> for Text<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}
