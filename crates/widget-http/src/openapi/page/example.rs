//! An example of a body, made out of its schema.

use serde_json::{Map, Value, json};

use super::types::name_of;

/// How deep optional fields are shown.
const OPTIONAL_DEPTH: usize = 2;

/// How deep anything is shown: a schema may contain itself.
const MAX_DEPTH: usize = 8;

/// A value that the schema allows.
pub(super) fn example_of(document: &Value, schema: &Value) -> Value {
    build(document, schema, 0)
}

fn build(document: &Value, schema: &Value, depth: usize) -> Value {
    if let Some(example) = schema["examples"].get(0) {
        return example.clone();
    }
    if let Some(name) = name_of(schema) {
        return build(document, &document["components"]["schemas"][name], depth);
    }
    let alternatives = schema["oneOf"].get(0).or_else(|| schema["anyOf"].get(0));
    if let Some(first) = alternatives {
        return build(document, first, depth);
    }
    for given in [&schema["const"], &schema["enum"][0], &schema["default"]] {
        if !given.is_null() && !given.as_array().is_some_and(Vec::is_empty) {
            return given.clone();
        }
    }
    let name = match &schema["type"] {
        Value::Array(types) => types.iter().find_map(|name| name.as_str()),
        name => name.as_str(),
    };
    match name {
        Some("object") => object(document, schema, depth),
        Some("array") if depth < MAX_DEPTH => json!([build(document, &schema["items"], depth + 1)]),
        Some("array") => json!([]),
        Some("string") => string(schema),
        Some("integer") => json!(schema["minimum"].as_i64().unwrap_or(1).max(1)),
        Some("number") => json!(1.5),
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        _ => json!({}),
    }
}

fn object(document: &Value, schema: &Value, depth: usize) -> Value {
    let required = schema["required"].as_array();
    let is_required =
        |name: &str| required.is_some_and(|names| names.iter().any(|item| item == name));
    let properties = schema["properties"].as_object();
    let members = properties.into_iter().flat_map(Map::iter);
    let shown = members.filter(|(name, _)| is_required(name) || depth < OPTIONAL_DEPTH);
    let shown = shown.filter(|_| depth < MAX_DEPTH);
    shown
        .map(|(name, property)| (name.clone(), build(document, property, depth + 1)))
        .collect::<Map<_, _>>()
        .into()
}

fn string(schema: &Value) -> Value {
    json!(match schema["format"].as_str() {
        Some("uuid") => "0197d1c0-7d30-7c2a-8a5d-0a4c2f6f4a01",
        Some("date-time") => "2026-01-31T09:30:00Z",
        Some("uri") => "https://shop.example",
        _ => "text",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader copies an example; what the schema rejects would be worse than none.
    #[test]
    fn every_example_is_what_its_schema_allows() {
        let document: Value = serde_json::from_str(&crate::openapi()).expect("JSON");
        let schemas = document["components"]["schemas"].as_object();
        let mut faults = Vec::new();
        for name in schemas.into_iter().flat_map(Map::keys) {
            let reference = json!({"$ref": format!("#/components/schemas/{name}")});
            let example = example_of(&document, &reference);
            let mut schema = document.clone();
            schema["$ref"] = reference["$ref"].clone();
            let validator = jsonschema::draft202012::options()
                .should_validate_formats(true)
                .build(&schema)
                .expect("a schema");
            for error in validator.iter_errors(&example) {
                faults.push(format!("{name}{}: {error}", error.instance_path()));
            }
        }
        assert!(faults.is_empty(), "{faults:#?}");
    }
}
