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

/// Whether a character of a line of text cannot be seen, or changes how its neighbors are shown:
/// two names could look the same, or one could look like something else.
///
/// Those that join or part the letters of many scripts, and emoji, are no such characters.
pub(crate) fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            // Soft hyphen, and the marks and overrides of writing directions.
            '\u{AD}' | '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
                | '\u{2066}'..='\u{2069}'
                // Separators of lines and paragraphs, spaces without width, operators, controls
                // that Unicode has deprecated, and the byte order mark.
                | '\u{2028}' | '\u{2029}' | '\u{200B}' | '\u{180E}'
                | '\u{2060}'..='\u{2065}' | '\u{206A}'..='\u{206F}' | '\u{FEFF}'
                // Letters that are drawn as nothing.
                | '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' | '\u{2800}'
                // Annotations, and tags.
                | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}'
        )
}

/// Whether a character is seen only together with others: a joiner, or a choice of their look.
pub(crate) const fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}')
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

/// Whether a text has a part, in upper or lower case of any alphabet.
pub(crate) fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}
