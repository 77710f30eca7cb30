//! Finds the place in a JSON text that a JSON Pointer (RFC 6901) names. Only called when there is
//! something to report, so that a valid file costs only its parsing.

use std::{borrow::Cow, ops::Range};

use widget_core::json::pointer_tokens;

/// Where a pointer leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The key with its quotes, when the last step went into an object.
    pub(crate) key: Option<Range<usize>>,
    pub(crate) value: Range<usize>,
    /// Whether every step was found; otherwise this is the place of the last one found.
    pub(crate) exact: bool,
}

/// Follows a pointer through a valid JSON text. For a duplicate key it finds the last one.
pub(crate) fn find_place(json: &str, pointer: &str) -> Option<Place> {
    let cursor = Cursor(json);
    let mut start = cursor.skip_space(0);
    let mut key = None;
    let tokens = pointer_tokens(pointer);
    let mut exact = tokens.is_some();
    for step in tokens.unwrap_or_default() {
        let next = match cursor.byte(start) {
            Some(b'{') => cursor
                .member(start, &step)
                .map(|(key, value)| (Some(key), value)),
            Some(b'[') => cursor.element(start, &step).map(|value| (None, value)),
            _ => None,
        };
        let Some((next_key, value)) = next else {
            exact = false;
            break;
        };
        key = next_key;
        start = value;
    }
    let end = cursor.skip_value(start)?;
    Some(Place {
        key,
        value: start..end,
        exact,
    })
}

struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.0.as_bytes().get(at).copied()
    }

    fn skip_space(&self, mut at: usize) -> usize {
        while matches!(self.byte(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            at += 1;
        }
        at
    }

    /// The byte after the string that starts here.
    fn skip_string(&self, at: usize) -> Option<usize> {
        let mut at = at + 1;
        loop {
            match self.byte(at)? {
                b'"' => return Some(at + 1),
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
    }

    /// The byte after the value that starts here. Not recursive, because nesting is not limited.
    fn skip_value(&self, start: usize) -> Option<usize> {
        let mut at = start;
        let mut depth = 0_usize;
        loop {
            match self.byte(at)? {
                b'"' => at = self.skip_string(at)?,
                b'{' | b'[' => {
                    depth += 1;
                    at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    at += 1;
                }
                b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' => {
                    at += 1;
                    continue;
                }
                _ => {
                    while !matches!(
                        self.byte(at),
                        None | Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b'}' | b']')
                    ) {
                        at += 1;
                    }
                }
            }
            if depth == 0 {
                return Some(at);
            }
        }
    }

    /// The key and the start of the value of the last member with this name.
    fn member(&self, object: usize, name: &str) -> Option<(Range<usize>, usize)> {
        let mut found = None;
        let mut at = self.skip_space(object + 1);
        while self.byte(at) == Some(b'"') {
            let key = at..self.skip_string(at)?;
            let value = self.skip_space(self.skip_space(key.end) + 1);
            if self.key_is(&key, name) {
                found = Some((key, value));
            }
            at = self.after_comma(self.skip_value(value)?)?;
        }
        found
    }

    fn element(&self, array: usize, index: &str) -> Option<usize> {
        let index: usize = index.parse().ok()?;
        let mut at = self.skip_space(array + 1);
        for _ in 0..index {
            if self.byte(at) == Some(b']') {
                return None;
            }
            at = self.after_comma(self.skip_value(at)?)?;
        }
        (self.byte(at)? != b']').then_some(at)
    }

    /// The next member or element, or the closing bracket.
    fn after_comma(&self, at: usize) -> Option<usize> {
        let at = self.skip_space(at);
        match self.byte(at)? {
            b',' => Some(self.skip_space(at + 1)),
            _ => Some(at),
        }
    }

    fn key_is(&self, key: &Range<usize>, name: &str) -> bool {
        let Some(quoted) = self.0.get(key.clone()) else {
            return false;
        };
        if !quoted.contains('\\') {
            return quoted.get(1..quoted.len() - 1) == Some(name);
        }
        serde_json::from_str::<Cow<'_, str>>(quoted).is_ok_and(|key| key == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, pointer: &str, key: Option<&str>, value: &str, exact: bool) {
        let place = find_place(json, pointer).expect("a place");
        assert_eq!(
            (
                place.key.map(|key| &json[key]),
                &json[place.value],
                place.exact
            ),
            (key, value, exact),
            "{pointer}"
        );
    }

    #[test]
    fn pointers_lead_to_values() {
        let json = r#" { "v1" : { "trigger": {"size": 31 , "label":"a\"b"}, "list": [ 1, {"x":[]}, "s" ] }, "a/b~": null, "\u0061": true } "#;
        check(json, "", None, json.trim(), true);
        check(json, "/v1/trigger/size", Some("\"size\""), "31", true);
        check(
            json,
            "/v1/trigger/label",
            Some("\"label\""),
            r#""a\"b""#,
            true,
        );
        check(json, "/v1/list/0", None, "1", true);
        check(json, "/v1/list/1/x", Some("\"x\""), "[]", true);
        check(json, "/v1/list/2", None, "\"s\"", true);
        check(json, "/a~1b~0", Some("\"a/b~\""), "null", true);
        check(json, "/a", Some(r#""\u0061""#), "true", true);
    }

    #[test]
    fn a_missing_place_leads_to_the_nearest_parent() {
        let json = r#"{"a":{"b":[1]}}"#;
        check(json, "/a/b/1", Some("\"b\""), "[1]", false);
        check(json, "/a/b/x", Some("\"b\""), "[1]", false);
        check(json, "/a/c/d", Some("\"a\""), r#"{"b":[1]}"#, false);
        check(json, "/a/b/0/c", None, "1", false);
        check("[]", "/0", None, "[]", false);
    }

    #[test]
    fn a_duplicate_key_leads_to_the_last() {
        check(r#"{"a":1,"a":2}"#, "/a", Some("\"a\""), "2", true);
    }

    #[test]
    fn no_text_makes_it_panic_or_overflow() {
        let deep = "[".repeat(200_000);
        for text in [
            "", "{", "[", "\"", "{\"a", "{\"a\"", "{\"a\":", "]", "[1", &deep,
        ] {
            let _ = find_place(text, "/a/0");
            let _ = find_place(text, "/0/a");
        }
    }
}
