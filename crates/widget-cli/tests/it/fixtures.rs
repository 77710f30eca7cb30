//! The shared fixtures, read from files in both notations.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::Folder;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

fn fixture(name: &str) -> Value {
    serde_json::from_slice(&fs::read(fixtures().join(name)).expect("a fixture")).expect("JSON")
}

#[test]
fn config_vectors() {
    let vectors = fixture("config_vectors.json");
    let vectors = vectors["vectors"].as_array().expect("vectors");
    let mut folder = Folder::new();
    for vector in vectors {
        let id = vector["id"].as_str().expect("an id");
        let config = &vector["config"];
        let bare = format!("{config:#}");
        let agent = "0197a8b2-0000-7000-8000-000000000001";
        let record = format!("config: {config}\nagent_id: {agent}\nagent_version_id: {agent}\n");
        folder = folder.with(&format!("{id}.yaml"), record);
        // A bare array would be a list of configs.
        if config.is_object() {
            folder = folder.with(&format!("{id}.json"), bare);
        }
    }
    let answers = lint(&folder, ".");
    for vector in vectors {
        let id = vector["id"].as_str().expect("an id");
        for notation in ["json", "yaml"] {
            if vector["config"].is_object() || notation == "yaml" {
                check(vector, &answers[&format!("{id}.{notation}")]);
            }
        }
    }
}

/// The JSON answer for each file, by its name.
fn lint(folder: &Folder, path: &str) -> HashMap<String, Value> {
    let output = folder
        .command(&["lint", path, "--output", "json"])
        .output()
        .expect("a run");
    String::from_utf8(output.stdout)
        .expect("UTF-8")
        .lines()
        .map(|line| {
            let answer: Value = serde_json::from_str(line).expect("JSON");
            let path = Path::new(answer["path"].as_str().expect("a path"));
            let name = path.file_name().expect("a name").to_str().expect("UTF-8");
            (name.to_owned(), answer)
        })
        .collect()
}

#[test]
fn configs_valid_and_invalid() {
    for (name, key, expected) in [
        ("valid", "warnings", "warnings"),
        ("invalid", "errors", "findings"),
    ] {
        let cases = fixture(&format!("config/{name}.json"));
        let cases = cases["cases"].as_object().expect("cases");
        let folder = fixtures().join("config").join(name);
        let answers = lint(&Folder::new(), folder.to_str().expect("UTF-8"));
        for (case, result) in cases {
            let file = format!("{case}.json");
            // An array is a list of configs, not a config.
            if fs::read(folder.join(&file))
                .expect("a case")
                .starts_with(b"[")
            {
                continue;
            }
            let answer = &answers[&file];
            assert_eq!(answer["valid"], name == "valid", "{case}");
            assert_eq!(
                codes(&answer[key]),
                codes(&result[expected]),
                "{case}: {answer}"
            );
        }
    }
}

/// The codes of findings, sorted; a fixture contains a finding as an object or as a pair.
fn codes(findings: &Value) -> Vec<&str> {
    let mut codes: Vec<_> = findings
        .as_array()
        .into_iter()
        .flatten()
        .map(|finding| {
            let code = finding.get("code").or_else(|| finding.get(0));
            code.and_then(Value::as_str).expect("a code")
        })
        .collect();
    codes.sort_unstable();
    codes
}

#[track_caller]
fn check(vector: &Value, answer: &Value) {
    let accepted = vector["expected"] == "accept";
    assert_eq!(answer["valid"], accepted, "{vector} {answer}");
    let (wanted, found) = if accepted {
        (&vector["warning_pointers"], &answer["warnings"])
    } else {
        (&vector["pointers"], &answer["errors"])
    };
    let found: Vec<_> = found
        .as_array()
        .expect("findings")
        .iter()
        .map(|finding| {
            assert!(finding["line"].is_u64(), "{vector}: {finding} has no line");
            finding["pointer"].as_str().unwrap_or_default()
        })
        .collect();
    for pointer in wanted.as_array().into_iter().flatten() {
        let pointer = pointer.as_str().expect("a pointer");
        assert!(
            found.iter().any(|found| found.starts_with(pointer)),
            "{vector}: {pointer} is not in {found:?}"
        );
    }
}
