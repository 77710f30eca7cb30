//! Reads JSON and query strings into plain types. What does not fit is a [`Fault`](fault::Fault),
//! which has the code and the place of what is wrong.
//!
//! Serde's types report a fault by calling one of the methods of [`serde::de::Error`], such as
//! `missing_field`. `serde_json` turns each call into an English sentence, and nothing may decide
//! by a sentence; crates that find the place, such as `serde_path_to_error`, keep that error.
//! So `Fault` implements that trait and keeps the kind as a code. A deserializer chooses the type
//! of its errors, which is why the deserializers are here, too. They are thin:
//!
//! - `json` checks once with `serde_json` that the whole text is JSON. After that it lets
//!   `serde_json` take one value apart at a time, its members and items as texts, and reads those
//!   when the type asks for them. The first byte of a text says which type of JSON it is.
//! - `query` reads a query string as an object of texts, each parsed as what is asked for.
//! - `whole` reads whole numbers for both.
//! - `members` gives the members of either to the type. A fault gets its place on the way out: each
//!   level puts its key or index in front of the pointer.
//!
//! The first fault ends the reading: a type that lacks a part cannot be made. What core checks
//! (domains, config, forms, turns) is read as text here and reports all of its faults at once.
//!
//! Knows nothing of HTTP: [`extract`](super::extract) makes problems out of faults.

mod fault;
mod json;
mod members;
mod query;
mod whole;

pub(crate) use self::{json::from_json, query::from_query};

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::{Map, Value, value::RawValue};
    use widget_api::{FieldError, Received};
    use widget_core::finding::Code;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        name: String,
        #[serde(default)]
        count: Option<u32>,
        #[serde(default)]
        is_open: bool,
        #[serde(default)]
        parts: Vec<Part>,
        #[serde(default)]
        raw: Option<Box<RawValue>>,
        #[serde(default)]
        other: Map<String, Value>,
        #[serde(default)]
        color: Option<Color>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Part {
        id: widget_core::id::AgentId,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Color {
        Red,
        Blue,
    }

    #[track_caller]
    fn check(text: &str, pointer: &str, code: Code, detail: &str) {
        let fault: FieldError = from_json::<Body>(text.as_bytes()).expect_err(text).into();
        let found = (fault.pointer.as_str(), fault.code, fault.detail.as_str());
        assert_eq!(found, (pointer, code.into(), detail), "{text}");
    }

    #[test]
    fn what_fits_is_read_as_serde_json_reads_it() {
        let text = r#" {"name": "a\u00e4", "count": 3, "is_open": true,
            "parts": [{"id": "0197d1c0-7d30-7c2a-8a5d-0a4c2f6f4a01"}], "raw": { "b":1 },
            "other": {"~": [1, -2, 0.5, null, {"x": "y"}]}, "color": "blue"} "#;
        let body: Body = from_json(text.as_bytes()).expect("it fits");
        assert_eq!((body.name.as_str(), body.count), ("aä", Some(3)));
        assert!(body.is_open);
        let id = "0197d1c0-7d30-7c2a-8a5d-0a4c2f6f4a01";
        assert_eq!(body.parts[0].id.to_string(), id);
        assert_eq!(body.raw.expect("sent").get(), r#"{ "b":1 }"#);
        let expected: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(Value::Object(body.other), expected["other"]);
        assert_eq!(body.color, Some(Color::Blue));
    }

    #[test]
    fn faults_have_their_code_and_place() {
        check("{}", "/name", Code::KeyMissing, "`name` is missing");
        check(
            r#"{"name": "a", "name": "b"}"#,
            "/name",
            Code::KeyDuplicate,
            "`name` occurs twice",
        );
        check(
            r#"{"name": "a", "parts": [{"x/y": 1}]}"#,
            "/parts/0/x~1y",
            Code::KeyUnknown,
            "`x/y` is not a key here; use one of `id`",
        );
        check(
            r#"{"name": "a", "parts": [["x"]]}"#,
            "/parts/0",
            Code::TypeInvalid,
            "must be an object, but is a list",
        );
        check(
            r#"{"name": "a", "is_open": "true"}"#,
            "/is_open",
            Code::TypeInvalid,
            "must be `true` or `false`, but is a string",
        );
        check(
            r#"{"name": null}"#,
            "/name",
            Code::TypeInvalid,
            "must be a string, but is null",
        );
        check(
            r#"{"name": "a", "color": "green"}"#,
            "/color",
            Code::ValueInvalid,
            "`green` is not allowed; use one of `red`, `blue`",
        );
        for (count, code, detail) in [
            (
                "\"3\"",
                Code::TypeInvalid,
                "must be a whole number, but is a string",
            ),
            (
                "false",
                Code::TypeInvalid,
                "must be a whole number, but is a boolean",
            ),
            (
                "-1",
                Code::ValueInvalid,
                "`-1` is negative; use a whole number from 0",
            ),
            ("1.5", Code::ValueInvalid, "`1.5` is not a whole number"),
            ("1e2", Code::ValueInvalid, "`1e2` is not a whole number"),
            (
                "5000000000",
                Code::ValueInvalid,
                "`5000000000` is too large",
            ),
        ] {
            let text = format!(r#"{{"name": "a", "count": {count}}}"#);
            check(&text, "/count", code, detail);
        }
        check(
            "[]",
            "",
            Code::TypeInvalid,
            "must be an object, but is a list",
        );
        let id = r#"{"name": "a", "parts": [{"id": "x"}]}"#;
        let fault: FieldError = from_json::<Body>(id.as_bytes()).expect_err(id).into();
        assert_eq!(
            (fault.pointer.as_str(), fault.code),
            ("/parts/0/id", Code::IdInvalid.into())
        );
    }

    #[test]
    fn what_is_not_json_is_a_fault_of_its_own() {
        let nested = |depth| {
            let (open, close) = ("[".repeat(depth), "]".repeat(depth));
            format!(r#"{{"name": "a", "other": {{"x": {open}{close}}}}}"#)
        };
        from_json::<Body>(nested(100).as_bytes()).expect("not too deep");
        for text in [
            "",
            "{",
            r#"{"name": "\ud800"}"#,
            r#"{"\ud800": 1}"#,
            r#"{"name": "a", "other": {"x": 1e999}}"#,
            r#"{"name": "a"} x"#,
            &nested(200),
            &nested(100_000),
        ] {
            let fault: FieldError = from_json::<Body>(text.as_bytes()).expect_err(text).into();
            assert_eq!(fault.code, Code::JsonInvalid, "{text}");
        }
        let fault = from_json::<Body>(b"{\"name\": \"\xff\"}").expect_err("not UTF-8");
        assert_eq!(FieldError::from(fault).code, Code::JsonInvalid);
    }

    #[test]
    fn parameters_of_a_query_are_read_by_what_is_expected() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Query {
            limit: Option<u32>,
            published: Option<bool>,
            name: Option<String>,
        }
        let query: Query = from_query("limit=3&published=false&name=a+%26").expect("it fits");
        assert_eq!(
            (query.limit, query.published, query.name.as_deref()),
            (Some(3), Some(false), Some("a &"))
        );
        let faults: BTreeMap<&str, (String, Received<Code>)> = [
            "limit=-1",
            "limit=",
            "published=yes",
            "nome=a",
            "limit=1&limit=2",
        ]
        .into_iter()
        .map(|text| {
            let fault: FieldError = from_query::<Query>(text).expect_err(text).into();
            (text, (fault.pointer, fault.code))
        })
        .collect();
        let fault = |pointer: &str, code: Code| (pointer.to_owned(), code.into());
        let expected = BTreeMap::from([
            ("limit=-1", fault("/limit", Code::ValueInvalid)),
            ("limit=", fault("/limit", Code::ValueInvalid)),
            ("published=yes", fault("/published", Code::ValueInvalid)),
            ("nome=a", fault("/nome", Code::KeyUnknown)),
            ("limit=1&limit=2", fault("/limit", Code::KeyDuplicate)),
        ]);
        assert_eq!(faults, expected);
    }
}
