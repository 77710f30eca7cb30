//! The committed files are current, and the schemas agree with core on every fixture.

use std::collections::BTreeMap;

use jsonschema::{Registry, Validator};
use serde::Deserialize;
use serde_json::json;
use widget_core::config::Config;

use super::*;

fn fixtures(path: &str) -> PathBuf {
    workspace().join("fixtures").join(path)
}

/// The documents of a folder by name; a text that a usual parser changes is read as it sees it.
fn documents(folder: &str) -> BTreeMap<String, Value> {
    fs::read_dir(fixtures(folder))
        .expect("the folder")
        .map(|file| {
            let path = file.expect("a file").path();
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            // No number of the fixtures is read as infinite: a validator would not see it at all.
            let text = fs::read_to_string(&path)
                .expect("text")
                .replace("1e400", "1e300");
            (name, serde_json::from_str(&text).expect("JSON"))
        })
        .collect()
}

fn bodies() -> Bodies {
    Bodies::new(
        &openapi(&workspace()).expect("the document"),
        &config::json_schema(),
    )
}

fn config_validator() -> Validator {
    jsonschema::draft202012::new(&config::json_schema()).expect("a schema")
}

/// A validator of a schema that refers to the config's.
#[track_caller]
fn validates(schema: &Value, instance: &Value) -> bool {
    let registry = Registry::new()
        .add(
            "https://schema.example/config.schema.json",
            config::json_schema(),
        )
        .expect("a schema")
        .prepare()
        .expect("schemas");
    jsonschema::options()
        .with_base_uri("https://schema.example/widget.schema.json")
        .with_registry(&registry)
        .build(schema)
        .expect("a schema")
        .is_valid(instance)
}

#[test]
fn committed_files_are_current() {
    assert_eq!(
        find_stale(&workspace()).expect("the document"),
        [""; 0],
        "run `cargo xtask gen`"
    );
}

#[test]
fn schemas_are_valid_by_their_own_rules() {
    let bodies = bodies();
    let alone = ["Widget", "NewWidget", "WidgetPatch"].map(|name| bodies.alone(name));
    for schema in [config::json_schema(), bodies.all()].iter().chain(&alone) {
        assert!(jsonschema::meta::is_valid(schema), "{}", schema["title"]);
    }
}

#[test]
fn every_key_says_what_it_is() {
    let schema = config::json_schema();
    for (name, definition) in schema["$defs"].as_object().expect("definitions") {
        assert!(definition["description"].is_string(), "{name}");
        for (key, property) in definition["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].is_string(), "{name}.{key}");
        }
    }
}

#[test]
fn the_tables_have_every_key() {
    let schema = config::json_schema();
    let document = read(&workspace(), CONFIG_DOCUMENT).expect("the document");
    let tables = keys::replace(&document, &schema).expect("tables");
    for (name, definition) in schema["$defs"].as_object().expect("definitions") {
        for (key, property) in definition["properties"].as_object().into_iter().flatten() {
            // A group of settings has no row of its own, only its keys have.
            let referenced = property["$ref"].as_str();
            let group = referenced.and_then(|reference| schema.pointer(&reference[1..]));
            if group.is_some_and(|group| group.get("properties").is_some()) {
                continue;
            }
            let row = ["`", "."].iter().any(|before| {
                tables.lines().any(|line| {
                    line.starts_with("| `") && line.contains(&format!("{before}{key}` |"))
                })
            });
            assert!(row, "{name}.{key}");
        }
    }
    for section in [
        "QuickAction",
        "Action",
        "FormDefinition",
        "Field",
        "SelectOption",
    ] {
        assert!(tables.contains(&format!("### `{section}`")), "{section}");
    }
    assert!(keys::replace("# A document without the marks", &schema).is_err());
}

#[test]
fn defaults_and_examples_are_valid() {
    let schema = config::json_schema();
    let definitions = &schema["$defs"];
    let mut tried = 0;
    for (name, definition) in definitions.as_object().expect("definitions") {
        for (key, property) in definition["properties"].as_object().into_iter().flatten() {
            let mut alone = property.clone();
            alone["$defs"] = definitions.clone();
            let validator = jsonschema::draft202012::new(&alone).expect("a schema");
            let examples = property["examples"].as_array().into_iter().flatten();
            for value in examples.chain(property.get("default")) {
                assert!(validator.is_valid(value), "{name}.{key}: {value}");
                tried += 1;
            }
        }
    }
    assert!(tried > 50, "{tried} values");
    for example in schema["examples"].as_array().expect("examples") {
        assert!(Config::from_value(example.clone()).is_ok(), "{example}");
    }
}

#[test]
fn valid_documents_are_valid_by_the_schema() {
    let validator = config_validator();
    for (name, document) in documents("config/valid") {
        let faults: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{name}: {faults:?}");
        let stored = Config::from_value(document).expect("valid").to_value();
        assert!(validator.is_valid(&stored), "{name} as stored");
    }
}

#[derive(Deserialize)]
struct Cases {
    cases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
struct Case {
    findings: Vec<Value>,
    schema_accepts: Option<String>,
}

#[test]
fn invalid_documents_are_refused_by_both_or_the_reason_is_known() {
    let text = fs::read_to_string(fixtures("config/invalid.json")).expect("the cases");
    let cases: Cases = serde_json::from_str(&text).expect("JSON");
    let validator = config_validator();
    for (name, document) in documents("config/invalid") {
        let case = &cases.cases[&name];
        match (validator.is_valid(&document), &case.schema_accepts) {
            (true, None) => panic!("{name} is valid by the schema, and no reason is given"),
            (false, Some(reason)) => panic!("{name} is refused in spite of: {reason}"),
            (true, Some(_)) => {}
            (false, None) => {
                // Not only refused: for each place where core finds a fault, or above it, so does
                // the schema.
                let places: Vec<String> = validator
                    .iter_errors(&document)
                    .map(|error| format!("/config{}", error.instance_path()))
                    .collect();
                for finding in &case.findings {
                    let pointer = finding["pointer"].as_str().expect("a pointer");
                    assert!(
                        places
                            .iter()
                            .any(|place| pointer.starts_with(place.as_str())),
                        "{name}: {pointer} not in {places:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_effective_defaults_are_a_document_too() {
    // Except for what is localized when it is left out, and cannot be null in a document.
    let mut defaults = serde_json::to_value(Config::default().current()).expect("JSON");
    for group in ["notice", "fallback"] {
        let group = defaults[group].as_object_mut().expect("an object");
        assert_eq!(group.remove("text"), Some(Value::Null));
    }
    assert!(config_validator().is_valid(&json!({"v1": defaults})));
}

/// Every reference of the document leads somewhere, and every field says what it is.
#[test]
fn the_openapi_document_is_whole() {
    let document = openapi(&workspace()).expect("the document");
    let schemas = document["components"]["schemas"]
        .as_object()
        .expect("schemas");
    for (name, schema) in schemas {
        assert!(schema["description"].is_string(), "{name}");
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            // What is referred to says for itself what it is.
            let described = ["description", "$ref"].map(|member| property[member].is_string());
            assert!(described.contains(&true), "{name}.{key}");
        }
    }
    let text = document.to_string();
    let references: Vec<&str> = text
        .split("\"$ref\":\"#")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(references.len() > 100, "{}", references.len());
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
    let mut ids: Vec<&str> = document["paths"]
        .as_object()
        .expect("paths")
        .values()
        .flat_map(|methods| methods.as_object().expect("methods").values())
        .map(|operation| operation["operationId"].as_str().expect("an id"))
        .collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "two operations have one id");
}

#[test]
fn records_and_bodies() {
    let bodies = bodies();
    let [widget, new_widget, widget_patch] =
        ["Widget", "NewWidget", "WidgetPatch"].map(|name| bodies.alone(name));
    let id = "0197d1c0-7d30-7c2a-8a5d-0a4c2f6f4a01";
    let record = json!({
        "id": id, "organization_id": "acme", "agent_id": id, "agent_version_id": id,
        "domains": ["https://shop.example"], "published": true, "config": {"v1": {}},
        "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-01-31T09:30:00Z",
    });
    assert!(validates(&widget, &record));
    let mut faulty = record.clone();
    faulty["config"] = json!({"v1": {"theme": "Dark"}});
    assert!(!validates(&widget, &faulty), "the config is looked into");

    let body = json!({"agent_id": id, "agent_version_id": id});
    assert!(validates(&new_widget, &body));
    assert!(!validates(&new_widget, &json!({"agent_id": id})));
    assert!(!validates(
        &new_widget,
        &json!({"agent_id": id, "agent_version_id": id, "x": 1})
    ));
    assert!(validates(&widget_patch, &json!({})));
    assert!(validates(&widget_patch, &json!({"published": false})));
    assert!(!validates(&widget_patch, &json!({"id": id})));
    assert!(!validates(&widget_patch, &json!({"published": null})));
}
