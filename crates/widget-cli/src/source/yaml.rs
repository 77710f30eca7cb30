//! Converts YAML to JSON text, with a mark for each value that says where it came from. All other
//! code, above all the rules of `widget-core`, then reads JSON text only: numbers keep every digit,
//! and a duplicate key is still duplicate, for the rules to reject.

use std::{collections::HashMap, ops::Range};

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::fault::{SourceCode, SourceFault};

/// Maximum size of the JSON text of one YAML file. With aliases of aliases a page of YAML can
/// expand to gigabytes; 16 MiB is 256 times the largest config.
const MAX_JSON_BYTES: usize = 16 * 1024 * 1024;

/// JSON text that means the same as a YAML text.
#[derive(Debug)]
pub(crate) struct Converted {
    pub(crate) json: String,
    marks: Vec<Mark>,
}

/// The place in the YAML text of the key or value that starts at one byte of the JSON text.
#[derive(Debug, Clone)]
struct Mark {
    json: usize,
    source: Range<usize>,
}

impl Converted {
    /// The bytes of the YAML text behind the key or value that starts at this byte of the JSON
    /// text.
    pub(crate) fn source_of(&self, json: usize) -> Option<Range<usize>> {
        let first = self.marks.partition_point(|mark| mark.json < json);
        let mark = self.marks.get(first)?;
        (mark.json == json).then(|| mark.source.clone())
    }
}

/// Converts the one document of a YAML text; `None` when there is no document in it.
pub(crate) fn convert(text: &str) -> Result<Option<Converted>, SourceFault> {
    let bytes = ByteIndex::new(text);
    let mut writer = Writer::default();
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let at = bytes.of(error.marker().index());
            SourceFault {
                code: SourceCode::YamlInvalid,
                span: Some(at..at),
                detail: format!("the text is not YAML: {}", error.info()),
                hint: None,
            }
        })?;
        let span = bytes.range(span);
        match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return Err(SourceFault {
                        code: SourceCode::YamlDocumentRepeated,
                        span: Some(span),
                        detail: "a second YAML document starts here; a file may contain one"
                            .to_owned(),
                        hint: Some(
                            "put each widget into its own file, or write one list of widgets"
                                .to_owned(),
                        ),
                    });
                }
            }
            Event::Alias(id) => writer.alias(id, span)?,
            Event::Scalar(value, style, anchor, tag) => {
                writer.scalar(&value, style, anchor, tag.as_deref(), span)?;
            }
            Event::SequenceStart(anchor, tag) => writer.open(b'[', anchor, tag.as_deref(), span)?,
            Event::MappingStart(anchor, tag) => writer.open(b'{', anchor, tag.as_deref(), span)?,
            Event::SequenceEnd | Event::MappingEnd => writer.close(&span),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
    }
    Ok((documents > 0).then_some(Converted {
        json: writer.json,
        marks: writer.marks,
    }))
}

/// Turns the parser's character positions into byte positions.
struct ByteIndex {
    /// Start of each character; empty when all are one byte long.
    starts: Vec<usize>,
    length: usize,
}

impl ByteIndex {
    fn new(text: &str) -> Self {
        let starts = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(start, _)| start).collect()
        };
        Self {
            starts,
            length: text.len(),
        }
    }

    fn of(&self, character: usize) -> usize {
        if self.starts.is_empty() {
            character.min(self.length)
        } else {
            self.starts.get(character).copied().unwrap_or(self.length)
        }
    }

    fn range(&self, span: Span) -> Range<usize> {
        let start = self.of(span.start.index());
        start..self.of(span.end.index()).max(start)
    }
}

#[derive(Default)]
struct Writer {
    json: String,
    marks: Vec<Mark>,
    open: Vec<Frame>,
    /// The JSON text of each anchored value that is complete.
    anchors: HashMap<usize, Range<usize>>,
}

struct Frame {
    is_mapping: bool,
    /// Children written so far: keys and values both count in a mapping.
    children: usize,
    anchor: usize,
    mark: usize,
}

impl Writer {
    /// Whether the next node is a key; writes the comma or colon before it.
    fn begin(&mut self) -> bool {
        let Some(frame) = self.open.last_mut() else {
            return false;
        };
        let is_key = frame.is_mapping && frame.children.is_multiple_of(2);
        if frame.is_mapping && !is_key {
            self.json.push(':');
        } else if frame.children > 0 {
            self.json.push(',');
        }
        frame.children += 1;
        is_key
    }

    fn mark(&mut self, source: Range<usize>) {
        self.marks.push(Mark {
            json: self.json.len(),
            source,
        });
    }

    fn scalar(
        &mut self,
        value: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: Range<usize>,
    ) -> Result<(), SourceFault> {
        let is_key = self.begin();
        self.mark(span.clone());
        if is_key {
            if value == "<<" && style == ScalarStyle::Plain {
                return Err(SourceFault {
                    code: SourceCode::YamlMergeUnsupported,
                    span: Some(span),
                    detail: "`<<` merges keys only in YAML 1.1; this file is read as YAML 1.2"
                        .to_owned(),
                    hint: Some("write the merged keys here".to_owned()),
                });
            }
            self.json.push_str(&quoted(value));
            return Ok(());
        }
        let start = self.json.len();
        let written = match tagged(tag, style, &span)? {
            Reading::Text => quoted(value),
            Reading::Plain => plain(value, &span)?,
        };
        self.json.push_str(&written);
        self.remember(anchor, start);
        self.check_size(span)
    }

    fn open(
        &mut self,
        bracket: u8,
        anchor: usize,
        tag: Option<&Tag>,
        span: Range<usize>,
    ) -> Result<(), SourceFault> {
        if self.begin() {
            return Err(build_complex_key(span));
        }
        tagged(tag, ScalarStyle::Plain, &span)?;
        self.mark(span);
        self.open.push(Frame {
            is_mapping: bracket == b'{',
            children: 0,
            anchor,
            mark: self.marks.len() - 1,
        });
        self.json.push(char::from(bracket));
        Ok(())
    }

    fn close(&mut self, span: &Range<usize>) {
        let Some(frame) = self.open.pop() else {
            return;
        };
        self.json.push(if frame.is_mapping { '}' } else { ']' });
        if let Some(mark) = self.marks.get_mut(frame.mark) {
            mark.source.end = span.end.max(mark.source.start);
            let start = mark.json;
            self.remember(frame.anchor, start);
        }
    }

    fn alias(&mut self, id: usize, span: Range<usize>) -> Result<(), SourceFault> {
        if self.begin() {
            return Err(build_complex_key(span));
        }
        let Some(anchored) = self.anchors.get(&id).cloned() else {
            return Err(SourceFault {
                code: SourceCode::YamlAliasRecursive,
                span: Some(span),
                detail: "this alias is inside the value that it names".to_owned(),
                hint: Some("write the value instead of the alias".to_owned()),
            });
        };
        self.mark(span.clone());
        let start = self.json.len();
        let marks = self
            .marks
            .partition_point(|mark| mark.json < anchored.start)
            ..self.marks.partition_point(|mark| mark.json < anchored.end);
        for index in marks {
            let copied = self.marks[index].clone();
            self.marks.push(Mark {
                json: copied.json - anchored.start + start,
                ..copied
            });
        }
        self.json.extend_from_within(anchored);
        self.check_size(span)
    }

    fn remember(&mut self, anchor: usize, start: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, start..self.json.len());
        }
    }

    fn check_size(&self, span: Range<usize>) -> Result<(), SourceFault> {
        if self.json.len() <= MAX_JSON_BYTES {
            return Ok(());
        }
        Err(SourceFault {
            code: SourceCode::YamlTooLarge,
            span: Some(span),
            detail: format!(
                "with its aliases expanded this file has more than {} MiB",
                MAX_JSON_BYTES / 1024 / 1024
            ),
            hint: None,
        })
    }
}

fn build_complex_key(span: Range<usize>) -> SourceFault {
    SourceFault {
        code: SourceCode::YamlKeyUnsupported,
        span: Some(span),
        detail: "a key must be plain text, not a list, a mapping or an alias".to_owned(),
        hint: None,
    }
}

/// How a scalar is to be read.
enum Reading {
    Text,
    Plain,
}

fn tagged(
    tag: Option<&Tag>,
    style: ScalarStyle,
    span: &Range<usize>,
) -> Result<Reading, SourceFault> {
    let by_style = if style == ScalarStyle::Plain {
        Reading::Plain
    } else {
        Reading::Text
    };
    let Some(tag) = tag else {
        return Ok(by_style);
    };
    match (tag.is_yaml_core_schema(), tag.suffix.as_str()) {
        (true, "str") => Ok(Reading::Text),
        (true, "int" | "float" | "bool" | "null") => Ok(Reading::Plain),
        (true, "map" | "seq") => Ok(by_style),
        (false, "") if tag.handle == "!" => Ok(Reading::Text),
        _ => Err(SourceFault {
            code: SourceCode::YamlTagUnsupported,
            span: Some(span.clone()),
            detail: format!("the tag `{tag}` is not supported"),
            hint: Some("remove the tag".to_owned()),
        }),
    }
}

/// A plain scalar by the core schema of YAML 1.2 (<https://yaml.org/spec/1.2.2/#103-core-schema>).
fn plain(value: &str, span: &Range<usize>) -> Result<String, SourceFault> {
    match value {
        "" | "~" | "null" | "Null" | "NULL" => return Ok("null".to_owned()),
        "true" | "True" | "TRUE" => return Ok("true".to_owned()),
        "false" | "False" | "FALSE" => return Ok("false".to_owned()),
        _ => {}
    }
    let unsigned = value.strip_prefix(['+', '-']).unwrap_or(value);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(value, ".nan" | ".NaN" | ".NAN") {
        return Err(SourceFault {
            code: SourceCode::YamlNumberUnsupported,
            span: Some(span.clone()),
            detail: format!("`{value}` is a number that JSON does not support"),
            hint: Some("put it in quotes to write it as text".to_owned()),
        });
    }
    Ok(based(value)
        .or_else(|| decimal(value))
        .unwrap_or_else(|| quoted(value)))
}

/// Octal and hexadecimal numbers: `0o17` and `0x1F`.
fn based(value: &str) -> Option<String> {
    let (digits, radix) = match value.get(..2)? {
        "0o" => (&value[2..], 8),
        "0x" => (&value[2..], 16),
        _ => return None,
    };
    let plain = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    let number = u128::from_str_radix(digits, radix).ok()?;
    plain.then(|| number.to_string())
}

/// A decimal number as JSON writes it, digit for digit: no plus sign, no leading zeros, digits
/// around the point.
fn decimal(value: &str) -> Option<String> {
    let unsigned = value.strip_prefix(['+', '-']).unwrap_or(value);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && fraction.is_none_or(str::is_empty) {
        return None;
    }
    if !digits(whole) || !fraction.is_none_or(digits) {
        return None;
    }
    let mut json = String::with_capacity(value.len() + 2);
    if value.starts_with('-') {
        json.push('-');
    }
    let significant = whole.trim_start_matches('0');
    json.push_str(if significant.is_empty() {
        "0"
    } else {
        significant
    });
    if let Some(fraction) = fraction {
        json.push('.');
        json.push_str(if fraction.is_empty() { "0" } else { fraction });
    }
    if let Some(exponent) = exponent {
        let power = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if power.is_empty() || !digits(power) {
            return None;
        }
        json.push('e');
        json.push_str(exponent);
    }
    Some(json)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(yaml: &str, json: &str) {
        let converted = convert(yaml).expect("YAML").expect("a document");
        assert_eq!(converted.json, json);
        serde_json::from_str::<&serde_json::value::RawValue>(&converted.json).expect("JSON");
    }

    #[track_caller]
    fn check_rejected(yaml: &str, code: SourceCode, marked: &str) {
        let fault = convert(yaml).expect_err("a fault");
        assert_eq!(
            (fault.code, &yaml[fault.span.expect("a place")]),
            (code, marked)
        );
    }

    #[test]
    fn yaml_becomes_the_json_that_it_means() {
        check(
            "v1:\n  theme: dark\n  chat: {title: 'It''s us', width: 400}\n  suggested_questions:\n  - a\n  - \"b\"\n",
            r#"{"v1":{"theme":"dark","chat":{"title":"It's us","width":400},"suggested_questions":["a","b"]}}"#,
        );
        check("a: &x {b: 1}\nc: *x\n", r#"{"a":{"b":1},"c":{"b":1}}"#);
        check("a: 1\na: 2\n", r#"{"a":1,"a":2}"#);
        check("[]", "[]");
        check("{}", "{}");
        check("a: |\n  x\n  y\n", r#"{"a":"x\ny\n"}"#);
    }

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        for (yaml, json) in [
            ("~", "null"),
            ("True", "true"),
            ("yes", "\"yes\""),
            ("012", "12"),
            ("+1", "1"),
            ("-0", "-0"),
            (".5", "0.5"),
            ("5.", "5.0"),
            ("1e3", "1e3"),
            ("1e400", "1e400"),
            ("0x1F", "31"),
            ("0o17", "15"),
            ("0x", "\"0x\""),
            ("1_000", "\"1_000\""),
            ("1e", "\"1e\""),
            (".", "\".\""),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
            ("!!str 5", "\"5\""),
            ("2026-11-24", "\"2026-11-24\""),
        ] {
            check(yaml, json);
        }
    }

    #[test]
    fn what_json_cannot_represent_is_rejected_with_its_place() {
        check_rejected("a: .nan\n", SourceCode::YamlNumberUnsupported, ".nan");
        check_rejected("a: !date 5\n", SourceCode::YamlTagUnsupported, "!date 5");
        check_rejected("? [a]\n: 1\n", SourceCode::YamlKeyUnsupported, "[");
        check_rejected("a: &x [*x]\n", SourceCode::YamlAliasRecursive, "*x");
        check_rejected("<<: {a: 1}\n", SourceCode::YamlMergeUnsupported, "<<");
        check_rejected("a: 1\n---\nb: 2\n", SourceCode::YamlDocumentRepeated, "---");
        check_rejected("a: [1\n", SourceCode::YamlInvalid, "");
    }

    #[test]
    fn aliases_of_aliases_are_limited() {
        let mut yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let alias = format!("*a{}", level - 1);
            let tenfold = [alias.as_str(); 10].join(", ");
            yaml.extend([format!("a{level}: &a{level} [{tenfold}]\n")]);
        }
        assert_eq!(
            convert(&yaml).expect_err("too large").code,
            SourceCode::YamlTooLarge
        );
    }

    #[test]
    fn marks_lead_back_to_the_source() {
        let yaml = "ä: &x ö\nb: [*x, 56]\n";
        let converted = convert(yaml).expect("YAML").expect("a document");
        assert_eq!(converted.json, r#"{"ä":"ö","b":["ö",56]}"#);
        let source = |json: &str, nth: usize| {
            let at = converted
                .json
                .match_indices(json)
                .nth(nth)
                .expect("there")
                .0;
            &yaml[converted.source_of(at).expect("a mark")]
        };
        assert_eq!(source("\"ä\"", 0), "ä");
        assert_eq!(source("\"ö\"", 0), "&x ö");
        assert_eq!(source("\"ö\"", 1), "*x");
        assert_eq!(source("56", 0), "56");
        assert_eq!(source("[", 0), "[*x, 56]");
    }
}
