//! Holds every answer with `--output json` that a test looks at to `schema/cli.schema.json`.

use std::{ffi::OsStr, sync::LazyLock};

use serde_json::{Value, json};

/// The schemas, where keys that they do not describe are faults: other programs must accept new
/// ones, and this one must not have any that are not written down.
static SCHEMAS: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../../../schema/cli.schema.json");
    let mut schemas = serde_json::from_str(text).expect("JSON");
    close(&mut schemas);
    schemas
});

fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let is_open = !members.contains_key("additionalProperties");
            if is_open && members.get("type") == Some(&json!("object")) {
                let properties = members.get("properties");
                if properties.is_some_and(|properties| properties != &json!({})) {
                    members.insert("additionalProperties".to_owned(), json!(false));
                }
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// Checks the answer of a command, if it is JSON.
#[track_caller]
pub(crate) fn check<'a>(arguments: impl Iterator<Item = &'a OsStr>, answer: &[u8]) {
    let arguments: Vec<&str> = arguments.filter_map(OsStr::to_str).collect();
    let is_json = arguments.contains(&"--output=json")
        || arguments
            .windows(2)
            .any(|pair| pair == ["--output", "json"]);
    if !is_json {
        return;
    }
    let command = find_command(&arguments)
        .unwrap_or_else(|| panic!("`src/outputs.rs` does not describe {arguments:?}"));
    let mut schema = SCHEMAS["properties"][command].clone();
    schema["$defs"] = SCHEMAS["$defs"].clone();
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let text = std::str::from_utf8(answer).expect("UTF-8");
    for line in text.lines() {
        let object: Value = serde_json::from_str(line).expect("one JSON object a line");
        let faults: Vec<String> = validator
            .iter_errors(&object)
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{command}: {line}\n{faults:#?}");
    }
}

/// The commands that answer with JSON, in the order of the schemas.
pub(crate) fn described() -> Vec<&'static str> {
    let commands = SCHEMAS["properties"].as_object().expect("commands");
    commands.keys().map(String::as_str).collect()
}

/// The name of a command, as the schemas have it; `domains W add` is `domains add`.
fn find_command(arguments: &[&str]) -> Option<&'static str> {
    let commands = SCHEMAS["properties"].as_object().expect("commands");
    // Values of options may stand before the command.
    arguments.iter().enumerate().find_map(|(place, first)| {
        let rest = &arguments[place + 1..];
        let is_meant = |command: &&String| match command.split_once(' ') {
            Some((group, second)) => group == *first && rest.contains(&second),
            None => command == first,
        };
        commands.keys().find(is_meant).map(String::as_str)
    })
}
