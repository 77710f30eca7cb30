//! One input, read as JSON or YAML, with the way back from a JSON Pointer to a place in its text.

use std::ops::Range;

use super::{
    fault::{SourceCode, SourceFault},
    input::{Format, Input},
    locate::find_place,
    members::{Shape, read_shape},
    yaml::{self, Converted},
};

/// An input that is well-formed.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub(crate) input: &'a Input,
    converted: Option<Converted>,
}

/// Which part of a member a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Key,
    Value,
}

impl<'a> Document<'a> {
    /// Reads an input in its format.
    pub(crate) fn read(input: &'a Input) -> Result<Self, SourceFault> {
        if input.text.trim().is_empty() {
            return Err(empty_fault());
        }
        let converted = match input.format {
            Format::Json => None,
            Format::Yaml => match yaml::convert(&input.text) {
                Ok(Some(converted)) => Some(converted),
                Ok(None) => return Err(empty_fault()),
                Err(fault) => return Err(fault),
            },
        };
        Ok(Self { input, converted })
    }

    /// The whole input as JSON text.
    pub(crate) fn json(&self) -> &str {
        self.converted
            .as_ref()
            .map_or(&self.input.text, |converted| &converted.json)
    }

    /// The outermost level; fails when the text is not JSON.
    pub(crate) fn read_shape(&self) -> Result<Shape<'_>, SourceFault> {
        read_shape(self.json()).map_err(|error| self.build_syntax_fault(&error))
    }

    /// Where in the input a pointer leads, from the value that starts at byte `base` of the JSON
    /// text.
    pub(crate) fn find(&self, base: usize, pointer: &str, part: Part) -> Option<Range<usize>> {
        let place = find_place(self.json().get(base..)?, pointer)?;
        // A missing value is shown at the key of its parent, and in the root at its start.
        let range = match place.key {
            Some(key) if part == Part::Key || !place.exact => key,
            None if !place.exact => place.value.start..place.value.start + 1,
            _ => place.value,
        };
        let range = range.start + base..range.end + base;
        let Some(converted) = &self.converted else {
            return Some(range);
        };
        let mut source = converted.source_of(range.start)?;
        if range.len() == 1 && !place.exact {
            source.end = source.start;
        }
        let trimmed = self.input.text.get(source.clone())?.trim_end().len();
        Some(source.start..source.start + trimmed)
    }

    /// A hint for a value that YAML reads differently from what was meant.
    pub(crate) fn find_notation_hint(&self, span: &Range<usize>) -> Option<&'static str> {
        self.converted.as_ref()?;
        let text = &self.input.text;
        // A missing value is at the colon.
        let rest_of_line = text.get(span.end..)?.split('\n').next()?;
        let rest_of_line = rest_of_line.trim_start_matches([':', ' ', '\t']);
        match text.get(span.clone())? {
            "" if rest_of_line.starts_with('#') => Some(
                "in YAML a `#` after a space starts a comment: put the value in quotes, such as \
                 \"#0055ff\"",
            ),
            "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y" | "Y" => {
                Some("in YAML 1.2 this word is text: write `true`")
            }
            "no" | "No" | "NO" | "off" | "Off" | "OFF" | "n" | "N" => {
                Some("in YAML 1.2 this word is text: write `false`")
            }
            _ => None,
        }
    }

    /// How many bytes into the JSON text a part of it starts.
    pub(crate) fn offset_of(&self, part: &str) -> usize {
        (part.as_ptr() as usize).saturating_sub(self.json().as_ptr() as usize)
    }

    fn build_syntax_fault(&self, error: &serde_json::Error) -> SourceFault {
        let text = &self.input.text;
        let line_start: usize = text
            .split_inclusive('\n')
            .take(error.line().saturating_sub(1))
            .map(str::len)
            .sum();
        let at = (line_start + error.column().saturating_sub(1)).min(text.len());
        let at = text.floor_char_boundary(at);
        let width = text[at..].chars().next().map_or(0, char::len_utf8);
        let detail = match text[at..].chars().next() {
            Some(unexpected) if unexpected.is_control() => {
                "the text is not JSON: a line end or control character is not expected here"
                    .to_owned()
            }
            Some(unexpected) if !error.is_eof() => {
                format!("the text is not JSON: `{unexpected}` is not expected here")
            }
            _ => "the text is not JSON: it ends too early".to_owned(),
        };
        SourceFault {
            code: SourceCode::JsonInvalid,
            span: Some(at..at + width),
            detail,
            hint: if error.is_eof() {
                Some("a closing bracket or quote is missing, or the file is truncated")
            } else {
                find_syntax_hint(text, at)
            }
            .map(str::to_owned),
        }
    }
}

/// What was probably meant at the place of a syntax error.
fn find_syntax_hint(text: &str, at: usize) -> Option<&'static str> {
    let before = text[..at].trim_end();
    match text[at..].chars().next() {
        Some('}' | ']') if before.ends_with(',') => Some("remove the comma before it"),
        Some('"') if before.ends_with(['"', '}', ']']) => Some("put a comma before it"),
        Some('\'') => Some("JSON requires double quotes: write `\"`"),
        Some('/' | '#') => Some("JSON has no comments: remove it, or save the file as .yaml"),
        Some('“' | '”' | '„') => Some("replace typographic quotes with `\"`"),
        _ => None,
    }
}

fn empty_fault() -> SourceFault {
    SourceFault {
        code: SourceCode::InputEmpty,
        span: None,
        detail: "the file is empty".to_owned(),
        hint: Some("write `{}` for a config with all defaults".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use widget_core::json::escape_token;

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
            "[-+0-9.eExob_:#&*!|>~ ]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec(("\\PC{0,6}", inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// Every pointer into a value, with the value there.
    fn pointers(value: &Value, at: &str, found: &mut Vec<(String, Value)>) {
        found.push((at.to_owned(), value.clone()));
        match value {
            Value::Object(members) => {
                for (key, value) in members {
                    pointers(value, &format!("{at}/{}", escape_token(key)), found);
                }
            }
            Value::Array(elements) => {
                for (index, value) in elements.iter().enumerate() {
                    pointers(value, &format!("{at}/{index}"), found);
                }
            }
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn json_means_the_same_read_as_yaml(value in json()) {
            let text = format!("{value:#}");
            // YAML does not allow keys of more than 1,024 characters, and these have at most 6.
            let input = Input::new(text, Format::Yaml);
            let document = Document::read(&input).expect("JSON is YAML");
            let read: Value = serde_json::from_str(document.json()).expect("JSON");
            prop_assert_eq!(read, value);
        }

        #[test]
        fn every_pointer_finds_its_value(value in json()) {
            for format in [Format::Json, Format::Yaml] {
                let input = Input::new(format!("{value:#}"), format);
                let document = Document::read(&input).expect("JSON");
                let mut expected = Vec::new();
                pointers(&value, "", &mut expected);
                for (pointer, expected) in expected {
                    let span = document.find(0, &pointer, Part::Value).expect("a place");
                    let found = serde_json::from_str::<Value>(&input.text[span.clone()]);
                    let found = found.map_err(|error| format!("{error}: {}", &input.text[span]));
                    prop_assert_eq!(found, Ok(expected), "{}", pointer);
                }
            }
        }

        #[test]
        fn no_text_makes_reading_panic(
            text in "[-\\[\\]{}:,\"'#&*!|>?%@`~ \n\r\tav1\u{e9}\u{feff}0.<]{0,60}",
        ) {
            for format in [Format::Json, Format::Yaml] {
                let input = Input::new(text.clone(), format);
                if let Ok(document) = Document::read(&input) {
                    let _ = document.read_shape();
                    let _ = document.find(0, "/v1/a/0", Part::Key);
                }
            }
        }
    }
}
