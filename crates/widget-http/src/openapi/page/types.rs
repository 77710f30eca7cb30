//! What a value may be, in words, and the fields of an object.

use serde_json::{Map, Value};

use super::text::{Html, code, inline};

/// A field of an object, or a parameter.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) shape: Html,
    pub(super) is_required: bool,
    pub(super) about: Html,
    /// What the value may be beyond its type.
    pub(super) limits: Vec<Html>,
}

impl Field {
    pub(super) fn new(name: &str, schema: &Value, about: &str, is_required: bool) -> Self {
        Self {
            name: name.to_owned(),
            shape: type_of(schema),
            is_required,
            about: inline(about),
            limits: limits(schema),
        }
    }
}

/// The fields of an object; those of an object inside it have both names.
pub(super) fn fields(schema: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    collect(schema, "", &mut found);
    found
}

fn collect(schema: &Value, parent: &str, found: &mut Vec<Field>) {
    let required = schema["required"].as_array();
    let properties = schema["properties"].as_object();
    for (name, property) in properties.into_iter().flat_map(Map::iter) {
        let is_required = required.is_some_and(|names| names.iter().any(|item| item == name));
        let about = property["description"].as_str().unwrap_or_default();
        let full = format!("{parent}{name}");
        found.push(Field::new(&full, property, about, is_required));
        collect(property, &format!("{full}."), found);
        collect(&property["items"], &format!("{full}[]."), found);
    }
}

/// What a value of the schema is.
pub(super) fn type_of(schema: &Value) -> Html {
    if let Some(name) = name_of(schema) {
        return Html::link_to_body(name);
    }
    if !schema["const"].is_null() {
        return code(&schema["const"].to_string());
    }
    if let Some(values) = schema["enum"].as_array() {
        return Html::join(values.iter().map(|value| code(&value.to_string())), ", ");
    }
    let alternatives = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
    if let Some(alternatives) = alternatives {
        return Html::join(alternatives.iter().map(type_of), " or ");
    }
    match &schema["type"] {
        Value::Array(types) => {
            let types = types.iter().filter_map(Value::as_str);
            Html::join(types.map(|name| of_type(name, schema)), " or ")
        }
        Value::String(name) => of_type(name, schema),
        _ => inline("any value"),
    }
}

fn of_type(name: &str, schema: &Value) -> Html {
    let format = schema["format"].as_str();
    match (name, format) {
        ("array", _) => type_of(&schema["items"]).after("list of "),
        ("object", _) if schema["additionalProperties"].is_object() => {
            type_of(&schema["additionalProperties"]).after("object with values of ")
        }
        ("string", Some("uuid")) => inline("UUID"),
        ("string", Some("date-time")) => inline("time (RFC 3339)"),
        ("string", Some("uri")) => inline("URL"),
        ("string", Some(format)) => inline(&format!("string ({format})")),
        _ => inline(name),
    }
}

/// The name of the schema that it refers to.
pub(super) fn name_of(schema: &Value) -> Option<&str> {
    schema["$ref"]
        .as_str()?
        .strip_prefix("#/components/schemas/")
}

/// The limits of a value, each as a phrase.
fn limits(schema: &Value) -> Vec<Html> {
    let phrase = |keyword: &str, words: &str| {
        let value = &schema[keyword];
        (!value.is_null()).then(|| inline(&format!("{words} `{value}`")))
    };
    let mut found: Vec<Html> = [
        ("default", "default"),
        ("minimum", "at least"),
        ("exclusiveMinimum", "more than"),
        ("maximum", "at most"),
        ("minLength", "characters: at least"),
        ("maxLength", "characters: at most"),
        ("minItems", "items: at least"),
        ("maxItems", "items: at most"),
    ]
    .into_iter()
    .filter_map(|(keyword, words)| phrase(keyword, words))
    .collect();
    // The comment says what the pattern means.
    match (schema["$comment"].as_str(), schema["pattern"].as_str()) {
        (Some(comment), _) => found.push(inline(comment)),
        (None, Some(pattern)) if schema["format"].is_null() => {
            found.push(Html::join([inline("pattern "), code(pattern)], ""));
        }
        _ => {}
    }
    found
}
