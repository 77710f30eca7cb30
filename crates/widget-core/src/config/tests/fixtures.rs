//! The shared cases, which TypeScript and the service read too.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::*;
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
    let text = include_str!("../../../../../fixtures/config_vectors.json");
    let vectors: Vectors<'_> = serde_json::from_str(text).expect("the vectors");
    assert!(!vectors.vectors.is_empty());
    for vector in vectors.vectors {
        let name = format!("{}: {}", vector.id, vector.note);
        match (vector.expected.as_str(), Config::parse(vector.config.get())) {
            ("accept", Ok(config)) => {
                let sent: Value = serde_json::from_str(vector.config.get()).expect("JSON");
                let stored = vector.stored.unwrap_or(sent);
                assert_eq!(config.to_json(), stored.to_string(), "{name}");
                let told: Vec<_> = config
                    .warnings()
                    .into_iter()
                    .filter_map(|told| told.pointer)
                    .collect();
                for pointer in vector.warning_pointers {
                    assert!(told.contains(&pointer), "{name}: {pointer} not in {told:?}");
                }
            }
            ("reject", Err(error)) => {
                assert_eq!(error.code(), vector.code, "{name}");
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
