//! The config fixtures, which the schema's and the embed's tests read too.
#![expect(
    clippy::disallowed_methods,
    reason = "the tests read fixtures; the crate itself reads nothing"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use widget_core::config::Config;
use widget_core::finding::{Finding, MAX_FINDINGS};

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// The files of a folder by their name without extension.
fn documents(folder: &str) -> BTreeMap<String, String> {
    let files = fs::read_dir(fixtures().join(folder)).expect("the folder");
    files
        .map(|file| {
            let path = file.expect("a file").path();
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            (name, fs::read_to_string(path).expect("text"))
        })
        .collect()
}

#[derive(Deserialize)]
struct Cases<T> {
    cases: BTreeMap<String, T>,
}

fn cases<T: for<'a> Deserialize<'a>>(file: &str) -> BTreeMap<String, T> {
    let text = fs::read_to_string(fixtures().join(file)).expect("the cases");
    serde_json::from_str::<Cases<T>>(&text).expect("JSON").cases
}

fn places(findings: impl IntoIterator<Item = Finding>) -> Vec<(String, String)> {
    findings
        .into_iter()
        .map(|finding| {
            (
                finding.code.to_string(),
                finding.pointer.unwrap_or_default(),
            )
        })
        .collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Valid {
    #[serde(default)]
    warnings: Vec<(String, String)>,
    stored: Option<Value>,
    #[serde(default)]
    effective: BTreeMap<String, Value>,
}

#[test]
fn valid_documents_are_kept_and_warned_about() {
    let documents = documents("config/valid");
    let cases: BTreeMap<String, Valid> = cases("config/valid.json");
    assert!(
        documents.keys().eq(cases.keys()),
        "a case for each document and none beside"
    );
    for (name, case) in cases {
        let text = &documents[&name];
        let config = Config::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let stored = case
            .stored
            .unwrap_or_else(|| serde_json::from_str(text).expect("JSON"));
        assert_eq!(config.as_json(), stored.to_string(), "{name}");
        assert_eq!(places(config.warnings()), case.warnings, "{name}");
        assert_eq!(Config::from_value(stored), Ok(config.clone()), "{name}");
        let effective = serde_json::to_value(config.current()).expect("JSON");
        for (pointer, value) in case.effective {
            assert_eq!(
                effective.pointer(&pointer),
                Some(&value),
                "{name} at {pointer}"
            );
        }
    }
}

#[derive(Deserialize)]
struct Invalid {
    code: String,
    findings: Vec<Place>,
}

#[derive(Deserialize)]
struct Place {
    code: String,
    pointer: String,
}

#[test]
fn invalid_documents_are_refused_with_every_fault() {
    let documents = documents("config/invalid");
    let cases: BTreeMap<String, Invalid> = cases("config/invalid.json");
    assert!(
        documents.keys().eq(cases.keys()),
        "a case for each document and none beside"
    );
    for (name, case) in cases {
        let error = Config::parse(&documents[&name]).expect_err(&name);
        assert_eq!(error.code().as_str(), case.code, "{name}");
        let mut found = places(error.findings());
        let mut expected: Vec<_> = case
            .findings
            .into_iter()
            .map(|place| (place.code, place.pointer))
            .collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{name}");
        for fault in error.findings() {
            assert!(!fault.detail.ends_with('.'), "{name}: {}", fault.detail);
        }
    }
}

#[derive(Deserialize)]
struct Vectors<'a> {
    #[serde(borrow)]
    vectors: Vec<Vector<'a>>,
}

#[derive(Deserialize)]
struct Vector<'a> {
    id: String,
    note: String,
    expected: String,
    #[serde(borrow)]
    config: &'a RawValue,
    stored: Option<Value>,
    #[serde(default)]
    warning_pointers: Vec<String>,
    #[serde(default)]
    code: String,
    #[serde(default)]
    pointers: Vec<String>,
}

#[test]
fn the_vectors_hold() {
    let text = fs::read_to_string(fixtures().join("config_vectors.json")).expect("the vectors");
    let vectors: Vectors<'_> = serde_json::from_str(&text).expect("JSON");
    assert!(!vectors.vectors.is_empty());
    for vector in vectors.vectors {
        let name = format!("{}: {}", vector.id, vector.note);
        match (vector.expected.as_str(), Config::parse(vector.config.get())) {
            ("accept", Ok(config)) => {
                let sent: Value = serde_json::from_str(vector.config.get()).expect("JSON");
                let stored = vector.stored.unwrap_or(sent);
                assert_eq!(config.as_json(), stored.to_string(), "{name}");
                let pointers: Vec<_> = config
                    .warnings()
                    .into_iter()
                    .filter_map(|warning| warning.pointer)
                    .collect();
                for pointer in vector.warning_pointers {
                    assert!(
                        pointers.contains(&pointer),
                        "{name}: {pointer} not in {pointers:?}"
                    );
                }
            }
            ("reject", Err(error)) => {
                assert_eq!(error.code().as_str(), vector.code, "{name}");
                let found: Vec<_> = error
                    .findings()
                    .into_iter()
                    .filter_map(|fault| fault.pointer)
                    .collect();
                for pointer in vector.pointers {
                    assert!(
                        found
                            .iter()
                            .any(|at| *at == pointer || at.starts_with(&format!("{pointer}/"))),
                        "{name}: {pointer} not in {found:?}"
                    );
                }
            }
            (expected, result) => panic!("{name}: expected {expected}, got {result:?}"),
        }
    }
}

#[test]
fn a_document_full_of_faults_is_answered_with_the_first_hundred() {
    let items = |item: &str, count: usize| vec![item; count].join(",");
    let keys = |count: usize| -> String {
        let keys: Vec<_> = (0..count).map(|key| format!("\"k{key}\":0")).collect();
        keys.join(",")
    };
    // Equal keys, numbers that cannot be kept: faults of the text.
    for text in [
        format!("{{\"v1\":{{{}}}}}", items("\"k\":0", 5_000)),
        format!("{{\"v1\":{{\"k\":[{}]}}}}", items("1e999", 5_000)),
    ] {
        let error = Config::parse(&text).expect_err("faults");
        let findings = error.findings();
        assert_eq!(findings.len(), MAX_FINDINGS);
        assert!(findings.total() >= 4_999, "{}", findings.total());
    }
    // Unknown keys are warnings.
    let text = format!("{{\"v1\":{{{}}},\"extra\":0}}", keys(5_000));
    let config = Config::parse(&text).expect("a valid document");
    let warnings = config.warnings();
    assert_eq!((warnings.len(), warnings.total()), (MAX_FINDINGS, 5_001));
    assert_eq!(warnings[0].pointer.as_deref(), Some("/config/extra"));
    assert_eq!(warnings[1].pointer.as_deref(), Some("/config/v1/k0"));
}
