//! Changes values in a text and nothing else: comments, order and notation of the rest stay. Every
//! edited text is read again before it is returned.

mod json;

use std::str::FromStr;

use serde::Serialize;
use serde_json::{Map, Value};
use similar::{Algorithm, DiffOp, capture_diff_slices};
use yaml_edit::{Document as YamlDocument, Mapping, Sequence, YamlNode};

use super::{
    document::Document,
    input::{Format, Input},
};

/// The text with `wanted` in it, an object. `None` when its notation cannot be changed, such as a
/// value that is an alias.
pub(crate) fn edit(input: &Input, wanted: &Map<String, Value>) -> Option<String> {
    let current = read(input)?;
    if current == *wanted {
        return Some(input.text.clone());
    }
    let verified = |text: Option<String>| {
        let edited = Input::new(text?, input.format);
        (read(&edited)? == *wanted).then_some(edited.text)
    };
    match input.format {
        Format::Json => verified(json::edit(&input.text, &current, wanted)),
        // Some texts cannot be moved into other values unless they are quoted.
        Format::Yaml => [NewValues::Blocks, NewValues::Quoted]
            .into_iter()
            .find_map(|notation| verified(edit_yaml(&input.text, &current, wanted, notation))),
    }
}

/// The notation of values that were not in the text before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NewValues {
    /// By indentation, with quotes where they are needed.
    Blocks,
    /// As in JSON.
    Quoted,
}

/// A value as a text in YAML by indentation, with a line end.
pub(crate) fn to_yaml(value: &impl Serialize) -> Option<String> {
    let text = serde_saphyr::to_string(value).ok()?;
    Some(format!("{}\n", text.trim_end()))
}

fn read(input: &Input) -> Option<Map<String, Value>> {
    let document = Document::read(input).ok()?;
    serde_json::from_str(document.json()).ok()
}

fn edit_yaml(
    text: &str,
    current: &Map<String, Value>,
    wanted: &Map<String, Value>,
    notation: NewValues,
) -> Option<String> {
    // The editor writes line ends of its own kind.
    let is_crlf = text.contains("\r\n");
    let text = text.replace("\r\n", "\n");
    let (start, content, end) = split_document(&text);
    let document = YamlDocument::from_str(content).ok()?;
    notation.change_mapping(&document.as_mapping()?, current, wanted)?;
    let mut edited = format!("{start}{document}");
    if !edited.ends_with('\n') {
        edited.push('\n');
    }
    edited.push_str(end);
    Some(if is_crlf {
        edited.replace('\n', "\r\n")
    } else {
        edited
    })
}

/// What stands before the content of a document (comments and directives up to `---`), the content,
/// and what follows it (`...`). The editor knows the content only.
fn split_document(text: &str) -> (&str, &str, &str) {
    let is_empty = |line: &str| matches!(line.trim_start().as_bytes(), [] | [b'#', ..]);
    let is_marker = |line: &str, marker| {
        let rest = line.strip_prefix(marker);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
    };
    let mut at = 0;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        if line.starts_with('%') || is_empty(line) {
            continue;
        }
        if is_marker(line, "---") && is_empty(&line["---".len()..]) {
            start = at;
        }
        break;
    }
    let content = &text[start..];
    let mut at = 0;
    let end = content
        .split_inclusive('\n')
        .find_map(|line| {
            let found = at;
            at += line.len();
            is_marker(line, "...").then_some(found)
        })
        .unwrap_or(content.len());
    (&text[..start], &content[..end], &content[end..])
}

impl NewValues {
    fn change_mapping(
        self,
        mapping: &Mapping,
        current: &Map<String, Value>,
        wanted: &Map<String, Value>,
    ) -> Option<()> {
        for key in current.keys().filter(|key| !wanted.contains_key(*key)) {
            mapping.remove(key.as_str())?;
        }
        for (position, (key, value)) in wanted.iter().enumerate() {
            match current.get(key) {
                Some(before) if before == value => {}
                Some(before) => {
                    let node = mapping.get(key.as_str());
                    if !self.change_inside(node.as_ref(), before, value) {
                        mapping.set(key.as_str(), self.build_node(value)?);
                    }
                }
                None => mapping.insert_at_index(position, key.as_str(), self.build_node(value)?),
            }
        }
        Some(())
    }

    fn change_sequence(
        self,
        sequence: &Sequence,
        current: &[Value],
        wanted: &[Value],
    ) -> Option<()> {
        let texts = |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>();
        let steps = capture_diff_slices(Algorithm::Myers, &texts(current), &texts(wanted));
        // From the last to the first, so that the places of earlier ones stay.
        for step in steps.iter().rev() {
            let (_, before, after) = step.as_tag_tuple();
            if matches!(step, DiffOp::Equal { .. }) {
                continue;
            }
            let mut after = wanted.get(after)?.iter();
            let mut place = before.start;
            for before in current.get(before)? {
                // An object or a list that changes keeps what is in it; anything else would get the
                // comment of another.
                let next = after.as_slice().first();
                let node = sequence.get(place);
                match next {
                    Some(next) if self.change_inside(node.as_ref(), before, next) => {
                        after.next();
                        place += 1;
                    }
                    _ => drop(sequence.remove(place)?),
                }
            }
            for value in after {
                sequence.insert(place, self.build_node(value)?);
                place += 1;
            }
        }
        Some(())
    }

    /// Changes what is inside a value, if it stays an object or a list.
    fn change_inside(self, node: Option<&YamlNode>, before: &Value, after: &Value) -> bool {
        match (node, before, after) {
            (Some(YamlNode::Mapping(mapping)), Value::Object(before), Value::Object(after)) => {
                self.change_mapping(mapping, before, after).is_some()
            }
            (Some(YamlNode::Sequence(sequence)), Value::Array(before), Value::Array(after)) => {
                self.change_sequence(sequence, before, after).is_some()
            }
            _ => false,
        }
    }

    /// A new value in YAML.
    fn build_node(self, value: &Value) -> Option<YamlNode> {
        let text = match self {
            Self::Blocks => to_yaml(&Value::from_iter([("value", value.clone())]))?,
            Self::Quoted => format!("value: {value}\n"),
        };
        YamlDocument::from_str(&text).ok()?.get("value")
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(format: Format, text: &str, wanted: &Value, expected: &Expect) {
        let input = Input::new(text.to_owned(), format);
        let edited = edit(&input, wanted.as_object().expect("an object"));
        expected.assert_eq(&edited.unwrap_or_else(|| "unchangeable".to_owned()));
    }

    #[test]
    fn comments_order_and_notation_stay() {
        check(
            Format::Yaml,
            "\
# The shop. Ask Ana before you change it.
config:
  v1:
    theme: 'dark' # as the shop
    chat: {title: Hi, tone: calm}
    # A long one
    trigger:
        label: |
          Ask
          us
domains:
# first the apex
- https://shop.example # apex
- https://old.example # leaves in May
- \"https://www.shop.example\"
published: false
",
            &json!({
                "config": {"v1": {
                    "theme": "light",
                    "chat": {"title": "Hello", "tone": "calm"},
                    "trigger": {"label": "Ask\nus\n", "size": 60},
                    "new": {"a": [1, {"b": null}], "c": "yes: # no"},
                }},
                "domains": [
                    "https://shop.example",
                    "https://www.shop.example",
                    "https://new.example",
                ],
                "published": true,
            }),
            &expect![[r#"
                # The shop. Ask Ana before you change it.
                config:
                  v1:
                    theme: light # as the shop
                    chat: {title: Hello, tone: calm}
                    # A long one
                    trigger:
                        label: |
                          Ask
                          us
                        size: 60
                    new:
                      a:
                      - 1
                      - b: null
                      c: "yes: # no"
                domains:
                # first the apex
                - https://shop.example # apex
                - "https://www.shop.example"
                - https://new.example
                published: true
            "#]],
        );
    }

    #[test]
    fn what_stands_around_the_content_stays() {
        for start in [
            "# ours\n\n---\n",
            "%YAML 1.2\n--- # the shop\n",
            "# ours\n%YAML 1.2\n---\n# and below\n",
            "---\n",
            "# only a comment\n",
        ] {
            for end in ["", "...\n", "...\n# the end\n"] {
                for line_end in ["\n", "\r\n"] {
                    let text = |value| {
                        format!("{start}a: 1 # one\nb: {value}\n{end}").replace('\n', line_end)
                    };
                    let input = Input::new(text(2), Format::Yaml);
                    let wanted = json!({"a": 1, "b": 3});
                    let edited = edit(&input, wanted.as_object().expect("an object"));
                    assert_eq!(edited.as_deref(), Some(&*text(3)));
                }
            }
        }
    }

    #[test]
    fn json_keeps_order_and_spaces() {
        let change = |text: &str, wanted: &Value| {
            let input = Input::new(text.to_owned(), Format::Json);
            let edited = edit(&input, wanted.as_object().expect("an object"));
            edited.unwrap_or_else(|| "unchangeable".to_owned())
        };
        assert_eq!(
            change(
                "{\r\n    \"b\": {\"x\": 1},\r\n    \"a\": 1\r\n}\r\n",
                &json!({"b": {"x": 3}, "a": 2, "c": [1, {"d": null}]}),
            ),
            "{\r\n    \"b\": {\"x\": 3},\r\n    \"a\": 2,\r\n    \"c\": [\r\n        1,\r\n        \
             {\r\n            \"d\": null\r\n        }\r\n    ]\r\n}\r\n"
        );
        assert_eq!(change("{\"b\":1}", &json!({"b": 2})), "{\"b\":2}");
        assert_eq!(
            change("{\"b\":1}", &json!({"a": [1, 2], "b": 1})),
            "{\"a\":[1,2],\"b\":1}"
        );
        assert_eq!(
            change(
                "{ \"b\" : 1, \"l\" : [ 1e0,  2, 3 ] }\n",
                &json!({"id": {"x": 1, "y": 2}, "b": 2, "l": [1.0, 3, 4]})
            ),
            "{ \"id\" : {\"x\" : 1, \"y\" : 2}, \"b\" : 2, \"l\" : [ 1e0, 3,  4 ] }\n"
        );
        assert_eq!(
            change(
                "{\"a\": {}, \"b\": [ ], \"c\": 1}",
                &json!({"a": {"x": 1}, "b": [1]})
            ),
            "{\"a\": {\"x\": 1}, \"b\": [1]}"
        );
    }

    #[test]
    fn an_alias_that_would_change_elsewhere_is_not_changed() {
        check(
            Format::Yaml,
            "a: &x {v: 1}\nb: *x\n",
            &json!({"a": {"v": 2}, "b": {"v": 1}}),
            &expect!["unchangeable"],
        );
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z#: \\n'\"é-]{0,8}".prop_map(Value::from),
            "(yes|no|null|~|1e3|0x1f|- a|a: b|#c|\\* x|&y|true|2026-11-28| lead|trail )"
                .prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                object(inner).prop_map(Value::Object),
            ]
        })
    }

    fn object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
        prop::collection::vec(("[a-e]{1,2}", inner), 0..4)
            .prop_map(|members| members.into_iter().collect())
    }

    proptest! {
        #[test]
        fn an_edited_text_means_what_is_wanted(
            before in object(value()),
            wanted in object(value()),
            format in prop_oneof![Just(Format::Json), Just(Format::Yaml)],
            is_one_line in any::<bool>(),
        ) {
            prop_assume!(!before.is_empty());
            let text = match format {
                Format::Json if is_one_line => Value::Object(before.clone()).to_string(),
                Format::Json => format!("{:#}\n", Value::Object(before.clone())),
                Format::Yaml => to_yaml(&before).expect("text"),
            };
            let input = Input::new(text, format);
            prop_assume!(read(&input).as_ref() == Some(&before));
            let edited = edit(&input, &wanted);
            prop_assert!(edited.is_some(), "{}\n{:#}", input.text, Value::Object(wanted));
        }
    }
}
