//! The rules of the document, by cases and as laws.
#![expect(
    clippy::needless_pass_by_value,
    clippy::needless_raw_string_hashes,
    reason = "`json!(…)` reads better without a borrow, and expect-test writes the hashes"
)]

mod document;
mod edits;
mod laws;
mod table;
mod versions;

use serde_json::{Value, json};

use super::*;
use crate::finding::{Code, Finding};

/// The code and pointer of every finding.
fn places(findings: impl IntoIterator<Item = Finding>) -> Vec<(&'static str, String)> {
    findings
        .into_iter()
        .map(|finding| (finding.code.as_str(), finding.pointer.unwrap_or_default()))
        .collect()
}

/// The faults of a `v1` object, with pointers from it.
#[track_caller]
fn faults(v1: Value) -> Vec<(&'static str, String)> {
    match Config::parse(&json!({"v1": v1}).to_string()) {
        Ok(_) => Vec::new(),
        Err(error) => {
            assert_eq!(error.code(), Code::ConfigInvalid);
            places(error.findings())
                .into_iter()
                .map(|(code, pointer)| {
                    let below = pointer
                        .strip_prefix("/config/v1")
                        .expect("a pointer into v1");
                    (code, below.to_owned())
                })
                .collect()
        }
    }
}

/// A `v1` object with one value at a pointer.
fn with(pointer: &str, value: Value) -> Value {
    pointer
        .rsplit('/')
        .filter(|token| !token.is_empty())
        .fold(value, |inner, token| json!({token: inner}))
}

#[track_caller]
fn rejects(pointer: &str, value: Value, code: &'static str) {
    let expected = vec![(code, pointer.to_owned())];
    assert_eq!(
        faults(with(pointer, value.clone())),
        expected,
        "{pointer}: {value}"
    );
}

#[track_caller]
fn accepts(pointer: &str, value: Value) -> Config {
    let v1 = with(pointer, value);
    match Config::from_value(json!({"v1": v1})) {
        Ok(config) => {
            assert_eq!(config.to_value(), json!({"v1": v1}));
            config
        }
        Err(error) => panic!("{v1}: {error}"),
    }
}

/// The warnings of a `v1` object, with pointers from it.
#[track_caller]
fn warnings(v1: Value) -> Vec<(&'static str, String)> {
    let config = Config::from_value(json!({"v1": v1})).expect("a valid config");
    places(config.warnings())
        .into_iter()
        .map(|(code, pointer)| (code, pointer.replacen("/config/v1", "", 1)))
        .collect()
}
