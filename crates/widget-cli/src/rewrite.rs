//! Updates the configs in a text to their current version and changes nothing else: comments,
//! order, spaces and line ends stay. Every rewritten text is read again before it is returned.

use std::ops::Range;

use serde::Serialize;
use serde_json::Value;
use widget_core::config::Config;

use crate::{
    source::{
        document::Document,
        input::{Format, Input},
    },
    subject::{Kind, Located, LocatedList, Subject, find_subjects},
};

/// A text in which all configs are current.
#[derive(Debug)]
pub(crate) struct Rewritten {
    pub(crate) text: String,
    /// How many configs were not current.
    pub(crate) changed: usize,
}

/// Why a text was not rewritten.
#[derive(Debug)]
pub(crate) enum RewriteError {
    /// It has faults.
    Faults(LocatedList),
    /// It is valid, but its notation cannot be changed here.
    Unchangeable,
}

/// Updates every config in an input to the current version.
pub(crate) fn rewrite(input: &Input, kind: Option<Kind>) -> Result<Rewritten, RewriteError> {
    let one = |located: Located| RewriteError::Faults(located.into());
    let document = Document::read(input).map_err(|fault| one(fault.into()))?;
    let subjects = find_subjects(&document, kind).map_err(|fault| one(fault.into()))?;
    let (wanted, faults) = build_wanted(&subjects);
    if !faults.is_empty() {
        return Err(RewriteError::Faults(faults));
    }
    let mut text = input.text.clone();
    let mut changed = 0;
    // From the last to the first, so that the places of earlier ones stay valid.
    for (subject, config) in subjects.iter().zip(&wanted).rev() {
        let Some((config, json)) = config.as_ref().zip(subject.config_json()) else {
            continue;
        };
        let Ok(before) = serde_json::from_str::<Value>(json) else {
            continue;
        };
        let after = config.to_value();
        if after == before {
            continue;
        }
        let place = subject
            .config_span()
            .and_then(|span| Place::of(&text, span, input.format))
            .ok_or(RewriteError::Unchangeable)?;
        let inside = only_wrapped(&after, &before);
        text = place.replace(&text, inside, &after);
        changed += 1;
    }
    if changed > 0 && !means(&text, input.format, kind, &wanted) {
        return Err(RewriteError::Unchangeable);
    }
    Ok(Rewritten { text, changed })
}

/// What each subject's config should be; `None` for a record without one.
fn build_wanted(subjects: &[Subject<'_>]) -> (Vec<Option<Config>>, LocatedList) {
    let mut faults = LocatedList::default();
    let configs = subjects
        .iter()
        .map(|subject| match Config::parse(subject.config_json()?) {
            Ok(config) => Some(config.migrated()),
            Err(error) => {
                faults.append(subject.locate_all(error.findings()));
                None
            }
        })
        .collect();
    (configs, faults)
}

/// Whether a text contains exactly these configs.
fn means(text: &str, format: Format, kind: Option<Kind>, wanted: &[Option<Config>]) -> bool {
    let input = Input::new(text.to_owned(), format);
    let Ok(document) = Document::read(&input) else {
        return false;
    };
    find_subjects(&document, kind).is_ok_and(|subjects| {
        subjects.len() == wanted.len()
            && subjects.iter().zip(wanted).all(|(subject, wanted)| {
                let found: Option<Value> = subject
                    .config_json()
                    .and_then(|json| serde_json::from_str(json).ok());
                found == wanted.as_ref().map(Config::to_value)
            })
    })
}

/// The key that was put around the document, when nothing else changed.
fn only_wrapped<'v>(after: &'v Value, before: &Value) -> Option<&'v str> {
    let after = after.as_object()?;
    let (key, value) = after.iter().next()?;
    (after.len() == 1 && value == before).then_some(key.as_str())
}

/// The place of a config in a text, and the notation around it.
#[derive(Debug)]
struct Place {
    span: Range<usize>,
    /// White space before the line on which the config ends, or before its first key in a YAML
    /// block.
    indent: String,
    /// One more level.
    unit: String,
    line_end: &'static str,
    style: Style,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Brackets: JSON, and YAML written like it.
    Brackets { quoted_keys: bool },
    /// YAML by indentation.
    Block,
}

impl Place {
    fn of(text: &str, span: Range<usize>, format: Format) -> Option<Self> {
        let inside = text.get(span.clone())?;
        let style = if inside.starts_with('{') {
            Style::Brackets {
                quoted_keys: format == Format::Json,
            }
        } else if format == Format::Yaml && !inside.starts_with(['&', '!', '*']) {
            Style::Block
        } else {
            return None;
        };
        let line_of = |at: usize| text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let (line, at) = match style {
            Style::Block => (line_of(span.start), span.start),
            Style::Brackets { .. } => (line_of(span.end), span.end),
        };
        let before = &text[line..at];
        let indent = match style {
            // In a list the first key follows `- `, and the others are below it.
            Style::Block => " ".repeat(before.chars().count()),
            Style::Brackets { .. } => leading_space(before).to_owned(),
        };
        let unit = find_indent_unit(text, inside, &indent);
        let end = match style {
            Style::Block => span.start + without_foreign_comments(inside, indent.len()),
            Style::Brackets { .. } => span.end,
        };
        Some(Self {
            span: span.start..end,
            indent,
            unit,
            line_end: if text.contains("\r\n") { "\r\n" } else { "\n" },
            style,
        })
    }

    /// The text with the config under one more key or, when more changed, with the new config.
    fn replace(&self, text: &str, wrapped: Option<&str>, config: &Value) -> String {
        let (start, inside, end) = (
            &text[..self.span.start],
            &text[self.span.clone()],
            &text[self.span.end..],
        );
        let middle = match (self.style, wrapped) {
            (Style::Brackets { quoted_keys }, Some(key)) => {
                let key = if quoted_keys {
                    format!("\"{key}\"")
                } else {
                    key.to_owned()
                };
                self.bracketed(&key, inside)
            }
            (Style::Block, Some(key)) => {
                format!(
                    "{key}:{}{}{}{}",
                    self.line_end,
                    self.indent,
                    self.unit,
                    self.indent_lines(inside)
                )
            }
            (_, None) => self.write_config(config),
        };
        format!("{start}{middle}{end}")
    }

    fn bracketed(&self, key: &str, inside: &str) -> String {
        let Self {
            indent,
            unit,
            line_end,
            ..
        } = self;
        if inside.contains('\n') {
            format!(
                "{{{line_end}{indent}{unit}{key}: {}{line_end}{indent}}}",
                self.indent_lines(inside)
            )
        } else if inside.starts_with("{ ") {
            format!("{{ {key}: {inside} }}")
        } else {
            format!("{{{key}: {inside}}}")
        }
    }

    /// Indents all lines but the first by one level. This does not change values: JSON strings have
    /// one line, and YAML scalars are indented relative to their key.
    fn indent_lines(&self, inside: &str) -> String {
        let mut deeper = String::with_capacity(inside.len() + 64);
        for (number, line) in inside.split_inclusive('\n').enumerate() {
            if number > 0 && !line.trim().is_empty() {
                deeper.push_str(&self.unit);
            }
            deeper.push_str(line);
        }
        deeper
    }

    fn write_config(&self, config: &Value) -> String {
        let mut bytes = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(self.unit.as_bytes());
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
        // A JSON value can always be written.
        let _ = config.serialize(&mut serializer);
        String::from_utf8_lossy(&bytes)
            .lines()
            .collect::<Vec<_>>()
            .join(&format!("{}{}", self.line_end, self.indent))
    }
}

fn leading_space(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The length of a block without the comments at its end that are less indented: they belong to
/// what follows.
fn without_foreign_comments(block: &str, indent: usize) -> usize {
    let mut end = block.len();
    while let Some(newline) = block[..end].rfind('\n') {
        let line = &block[newline + 1..end];
        let is_foreign = line.trim().is_empty()
            || line.trim_start().starts_with('#') && leading_space(line).len() < indent;
        if !is_foreign {
            break;
        }
        end = newline;
    }
    block[..end].trim_end().len()
}

/// The additional indentation of the first line inside the config, or two spaces.
fn find_indent_unit(text: &str, inside: &str, indent: &str) -> String {
    let deeper_than = |line: &str, indent: &str| {
        let space = leading_space(line);
        let more = space.strip_prefix(indent)?;
        (!more.is_empty() && !line.trim().is_empty()).then(|| more.to_owned())
    };
    inside
        .lines()
        .skip(1)
        .find_map(|line| deeper_than(line, indent))
        .or_else(|| text.lines().find_map(|line| deeper_than(line, "")))
        .filter(|unit| unit.len() <= 8)
        .unwrap_or_else(|| "  ".to_owned())
}

#[cfg(test)]
#[expect(
    clippy::needless_raw_string_hashes,
    reason = "expect-test writes its snapshots so"
)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_makes_it_panic(
            text in "[-\\[\\]{}:,\"'#&*!|>?%@`~ \n\r\tav1\u{e9}\u{feff}0.<]{0,60}",
        ) {
            for format in [Format::Json, Format::Yaml] {
                let _ = rewrite(&Input::new(text.clone(), format), None);
            }
        }
    }

    #[track_caller]
    fn check(format: Format, text: &str, expected: &Expect) {
        let input = Input::new(text.to_owned(), format);
        let rewritten = rewrite(&input, None).expect("rewritten");
        expected.assert_eq(&rewritten.text);
        let again = Input::new(rewritten.text.clone(), format);
        assert_eq!(rewrite(&again, None).expect("again").changed, 0);
    }

    #[test]
    fn json_keeps_its_layout() {
        check(
            Format::Json,
            "{\n    \"theme\" : \"dark\",\n\n    \"chat\": { \"title\": \"a\\nb\" }\n}\n",
            &expect![[r#"
                {
                    "v1": {
                        "theme" : "dark",

                        "chat": { "title": "a\nb" }
                    }
                }
            "#]],
        );
        check(
            Format::Json,
            r#"{"theme":"dark"}"#,
            &expect![[r#"{"v1": {"theme":"dark"}}"#]],
        );
        check(
            Format::Json,
            "{\n\t\"published\": true,\n\t\"config\": {\n\t\t\"theme\": \"dark\"\n\t},\n\t\"domains\": [ ]\n}",
            &expect![[r#"
                {
                	"published": true,
                	"config": {
                		"v1": {
                			"theme": "dark"
                		}
                	},
                	"domains": [ ]
                }"#]],
        );
    }

    #[test]
    fn lists_are_rewritten_entry_by_entry() {
        check(
            Format::Json,
            r#"[{"theme": "dark"}, {"v1": {}}, { "locale": "de" }]"#,
            &expect![[r#"[{"v1": {"theme": "dark"}}, {"v1": {}}, { "v1": { "locale": "de" } }]"#]],
        );
    }

    #[test]
    fn yaml_keeps_its_comments() {
        check(
            Format::Yaml,
            "# our shop\ntheme: dark   # by night\n\n# the window\nchat:\n  title: >\n    two\n    lines\n",
            &expect![[r#"
                # our shop
                v1:
                  theme: dark   # by night

                  # the window
                  chat:
                    title: >
                      two
                      lines
            "#]],
        );
        check(
            Format::Yaml,
            "published: true\nconfig:\n    theme: dark\n    locale: de\n# who\nagent_id: x\n",
            &expect![[r#"
                published: true
                config:
                    v1:
                        theme: dark
                        locale: de
                # who
                agent_id: x
            "#]],
        );
        check(
            Format::Yaml,
            "config: {theme: dark}\n",
            &expect![[r#"
                config: {v1: {theme: dark}}
            "#]],
        );
        check(
            Format::Yaml,
            "- theme: dark\n  locale: de\n- theme: light\n",
            &expect![[r#"
                - v1:
                    theme: dark
                    locale: de
                - v1:
                    theme: light
            "#]],
        );
    }

    #[test]
    fn line_ends_stay() {
        let input = Input::new(
            "{\r\n  \"theme\": \"dark\"\r\n}\r\n".to_owned(),
            Format::Json,
        );
        assert_eq!(
            rewrite(&input, None).expect("rewritten").text,
            "{\r\n  \"v1\": {\r\n    \"theme\": \"dark\"\r\n  }\r\n}\r\n"
        );
    }

    #[test]
    fn current_configs_are_unchanged() {
        for text in ["{}", "{ \"v1\" : { } }", "{\"v1\":{\"unknown\":1}}"] {
            let input = Input::new(text.to_owned(), Format::Json);
            let rewritten = rewrite(&input, None).expect("rewritten");
            assert_eq!((rewritten.text.as_str(), rewritten.changed), (text, 0));
        }
    }

    #[test]
    fn an_anchored_block_is_rejected() {
        let input = Input::new(
            "published: true\nconfig: &c\n  theme: dark\n".to_owned(),
            Format::Yaml,
        );
        assert!(matches!(
            rewrite(&input, None),
            Err(RewriteError::Unchangeable)
        ));
    }
}
