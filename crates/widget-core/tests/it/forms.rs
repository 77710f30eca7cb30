//! The form fixtures: a definition and what visitors send for it. The embed's tests read them too.
#![expect(
    clippy::disallowed_methods,
    reason = "the tests read fixtures; the crate itself reads nothing"
)]

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};
use widget_core::config::Config;
use widget_core::form::FormDefinition;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    /// Null: the form of a widget that defines none for feedback.
    form: Option<Value>,
    submissions: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    note: String,
    data: Value,
    stored: Option<Value>,
    #[serde(default)]
    faults: Vec<(String, String)>,
}

fn definition(form: Option<Value>) -> FormDefinition {
    let Some(form) = form else {
        return FormDefinition::default_feedback();
    };
    let config = Config::from_value(json!({"v1": {"forms": [form]}})).expect("a valid form");
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
    config.current().forms[0].clone()
}

#[test]
fn submissions_are_stored_or_refused_with_every_fault() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/forms");
    let mut kinds = 0;
    for file in fs::read_dir(folder).expect("the folder") {
        let path = file.expect("a file").path();
        let text = fs::read_to_string(&path).expect("text");
        let fixture: Fixture = serde_json::from_str(&text).expect("a fixture");
        let form = definition(fixture.form);
        kinds += 1;
        for case in fixture.submissions {
            let name = format!("{}: {} {}", path.display(), case.note, case.data);
            match form.validate(&case.data) {
                Ok(submission) => {
                    let stored = case.stored.unwrap_or_else(|| panic!("{name} is accepted"));
                    let values = Value::Object(submission.into_values());
                    assert_eq!(values.to_string(), stored.to_string(), "{name}");
                    let again = form.validate(&values).expect("what is stored is valid");
                    assert_eq!(Value::Object(again.into_values()), stored, "{name}");
                }
                Err(faults) => {
                    let found: Vec<_> = faults
                        .into_iter()
                        .map(|fault| (fault.code.to_string(), fault.pointer.unwrap_or_default()))
                        .collect();
                    assert_eq!(found, case.faults, "{name}");
                    assert!(case.stored.is_none(), "{name} is refused");
                }
            }
        }
    }
    assert!(kinds >= 11, "a fixture for each type of field");
}

#[test]
fn a_submission_as_text_is_read_strictly() {
    let form = definition(Some(json!({"id": "f", "fields": [
        {"id": "n", "type": "number", "label": "N"}]})));
    let codes = |text: &str| match form.validate_text(text) {
        Ok(_) => Vec::new(),
        Err(faults) => faults
            .into_iter()
            .map(|fault| (fault.code.as_str(), fault.pointer.unwrap_or_default()))
            .collect::<Vec<_>>(),
    };
    assert_eq!(codes(r#"{"n": 1.5}"#), []);
    assert_eq!(
        codes(r#"{"n": 1, "n": 2}"#),
        [("key_duplicate", "/n".to_owned())]
    );
    assert_eq!(
        codes(r#"{"n": 1e400}"#),
        [("number_inexact", "/n".to_owned())]
    );
    assert_eq!(codes("{"), [("json_invalid", String::new())]);
    assert_eq!(
        codes(&"[".repeat(100_000)),
        [("type_invalid", String::new())]
    );
    let large = format!(r#"{{"n": "{}"}}"#, "x".repeat(17_000));
    assert_eq!(codes(&large), [("submission_too_large", String::new())]);
}
