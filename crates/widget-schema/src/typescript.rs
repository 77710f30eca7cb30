//! The types of the effective config, for the embed: every default filled in by the service, so
//! a key that has a default is always there.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use widget_core::config::{Config, values::RIGHT_TO_LEFT};
use widget_core::conversation::{metadata::MAX_PAGE_BYTES, token::TOKEN_LIFETIME};
use widget_core::finding::Code;

use crate::bodies::Bodies;

/// The longest line that the embed's formatter leaves alone.
const LINE: usize = 100;

/// The TypeScript types of the records in the schema of the config.
pub(crate) fn config_types(schema: &Value) -> String {
    let definitions = schema["$defs"].as_object().cloned().unwrap_or_default();
    // Serializing plain records into memory cannot fail.
    let defaults = serde_json::to_value(Config::default().for_window()).unwrap_or_default();
    let mut samples = BTreeMap::new();
    collect_samples("ConfigV1", &defaults, &definitions, &mut samples);

    let mut text = String::from(
        "/**\n * The effective config of a widget, version 1, with every default filled in.\n *\n \
         * Generated from the definitions of `widget-core`; change those and run\n \
         * `cargo xtask gen`.\n */\n",
    );
    for (name, definition) in &definitions {
        text.push('\n');
        text.push_str(&comment(definition, ""));
        match definition["oneOf"].as_array() {
            Some(variants) => {
                let names: Vec<String> = variants.iter().map(type_of).collect();
                text.push_str(&union(&format!("export type {name} ="), &names));
            }
            None => text.push_str(&interface(name, definition, samples.get(name.as_str()))),
        }
    }
    text
}

/// The languages that are written from right to left, for the language of a visitor's browser.
pub(crate) fn languages() -> String {
    let names: Vec<String> = RIGHT_TO_LEFT
        .iter()
        .map(|language| format!("'{language}'"))
        .collect();
    format!(
        "/**\n * Generated from `widget_core::config::values`; change that and run\n * `cargo xtask \
         gen`.\n */\n\n/**\n * The primary subtags of languages that are written from right to left, \
         unless a tag names another\n * script.\n */\n{}",
        array("export const RIGHT_TO_LEFT: readonly string[] =", &names)
    )
}

/// The numbers of core that the embed needs before it asks the service.
pub(crate) fn limits() -> String {
    format!(
        "/**\n * Generated from `widget_core::conversation`; change that and run\n * `cargo xtask \
         gen`.\n */\n\n/** How long the service accepts a conversation token without a resume, in \
         milliseconds. */\nexport const TOKEN_LIFETIME = {};\n\n/** How many bytes of JSON a page may \
         send about itself and its visitor. */\nexport const MAX_PAGE_BYTES = {MAX_PAGE_BYTES};\n",
        TOKEN_LIFETIME.whole_milliseconds()
    )
}

/// The codes of findings as a TypeScript union.
pub(crate) fn codes() -> String {
    let names: Vec<String> = Code::ALL.iter().map(|code| format!("'{code}'")).collect();
    format!(
        "/**\n * Generated from `widget_core::finding::Code`; change that and run\n * `cargo xtask \
         gen`.\n */\n\n/** The stable code of a fault, blocker, warning or \
         note. */\n{}",
        union("export type Code =", &names)
    )
}

/// The bodies that the embed sends and gets.
const BODIES: [&str; 13] = [
    "ConversationStart",
    "ConversationResume",
    "EmbedTicket",
    "Joining",
    "VisitorConversation",
    "VisitorMessage",
    "TurnReport",
    "ReportedTurn",
    "FormSubmission",
    "PreviewState",
    "Problem",
    "ProblemCode",
    "ProblemError",
];

/// The TypeScript types of the bodies that the embed sends and gets.
pub(crate) fn body_types(bodies: &Bodies) -> String {
    let mut text = String::from(
        "/**\n * What the embed sends to the service and gets from it.\n *\n * Generated from the \
         bodies of `widget-api`; change those and run\n * `cargo xtask gen`.\n \
         */\nimport type { Code as FieldCode } from './codes';\n",
    );
    for (name, definition) in bodies.named(&BODIES) {
        text.push('\n');
        text.push_str(&comment(definition, ""));
        if definition["enum"].is_array() {
            let names: Vec<String> = names(definition).collect();
            text.push_str(&union(&format!("export type {name} ="), &names));
        } else {
            text.push_str(&interface(name, definition, None));
        }
    }
    text
}

/// Finds for each record what it is when nothing is set, by walking the defaults.
fn collect_samples<'a>(
    name: &str,
    sample: &'a Value,
    definitions: &'a Map<String, Value>,
    samples: &mut BTreeMap<String, &'a Map<String, Value>>,
) {
    let Value::Object(sample) = sample else {
        return;
    };
    samples.insert(name.to_owned(), sample);
    let properties = definitions
        .get(name)
        .and_then(|record| record["properties"].as_object());
    for (key, property) in properties.into_iter().flatten() {
        if let (Some(referred), Some(value)) = (reference(property), sample.get(key)) {
            collect_samples(referred, value, definitions, samples);
        }
    }
}

fn interface(name: &str, definition: &Value, sample: Option<&&Map<String, Value>>) -> String {
    let mut text = format!("export interface {name} {{\n");
    let required = definition["required"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let properties = definition["properties"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    for (key, property) in &properties {
        let default = sample.and_then(|sample| sample.get(key));
        let is_there = default.is_some()
            || property.get("default").is_some()
            || required.iter().any(|name| name == key);
        let mut kind = type_of(property);
        match default {
            Some(Value::Null) if !kind.contains("null") => kind.push_str(" | null"),
            // The service replaces null by this default.
            Some(default) if !default.is_null() => kind = kind.replace(" | null", ""),
            _ => {}
        }
        text.push_str(&comment(property, "  "));
        let mark = if is_there { "" } else { "?" };
        text.extend(["  ", key, mark, ": ", &kind, ";\n"]);
    }
    text.push_str("}\n");
    text
}

/// The type of a value with this schema.
fn type_of(schema: &Value) -> String {
    if let Some(name) = reference(schema) {
        return name.to_owned();
    }
    if let Some(constant) = schema["const"].as_str() {
        return format!("'{constant}'");
    }
    if schema["enum"].is_array() {
        return names(schema).collect::<Vec<_>>().join(" | ");
    }
    if let Some(variants) = schema["anyOf"].as_array() {
        let types: Vec<String> = variants.iter().map(type_of).collect();
        return types.join(" | ");
    }
    match &schema["type"] {
        Value::String(name) => plain_type(name, schema),
        Value::Array(names) => {
            let types: Vec<String> = names
                .iter()
                .filter_map(Value::as_str)
                .map(|name| plain_type(name, schema))
                .collect();
            types.join(" | ")
        }
        _ => "unknown".to_owned(),
    }
}

/// The texts of an enumeration as TypeScript literals.
fn names(schema: &Value) -> impl Iterator<Item = String> {
    let names = schema["enum"].as_array();
    names
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(|name| format!("'{name}'"))
}

fn plain_type(name: &str, schema: &Value) -> String {
    match name {
        "integer" | "number" => "number".to_owned(),
        "array" => match type_of(&schema["items"]) {
            items if items.contains(' ') => format!("({items})[]"),
            items => format!("{items}[]"),
        },
        "object" => "Record<string, unknown>".to_owned(),
        name => name.to_owned(),
    }
}

fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/$defs/")
}

/// A union as the embed's formatter writes it: on one line if it fits.
fn union(start: &str, names: &[String]) -> String {
    let line = format!("{start} {};\n", names.join(" | "));
    if line.trim_end().len() <= LINE {
        return line;
    }
    let variants: Vec<String> = names.iter().map(|name| format!("  | {name}")).collect();
    format!("{start}\n{};\n", variants.join("\n"))
}

/// An array as the embed's formatter writes it: on one line if it fits.
fn array(start: &str, items: &[String]) -> String {
    let line = format!("{start} [{}];\n", items.join(", "));
    if line.trim_end().len() <= LINE {
        return line;
    }
    let items: Vec<String> = items.iter().map(|item| format!("  {item},")).collect();
    format!("{start} [\n{}\n];\n", items.join("\n"))
}

/// The description as a comment, broken into lines.
fn comment(schema: &Value, indent: &str) -> String {
    let Some(description) = schema["description"].as_str() else {
        return String::new();
    };
    let line = format!("{indent}/** {description} */\n");
    if line.trim_end().len() <= LINE {
        return line;
    }
    let mut lines = Vec::new();
    let mut current = String::new();
    for word in description.split(' ') {
        let length = indent.len() + " * ".len() + current.len() + " ".len() + word.len();
        if length > LINE && !current.is_empty() {
            lines.push(format!("{indent} *{current}\n"));
            current.clear();
        }
        current.extend([" ", word]);
    }
    lines.push(format!("{indent} *{current}\n"));
    format!("{indent}/**\n{}{indent} */\n", lines.concat())
}
