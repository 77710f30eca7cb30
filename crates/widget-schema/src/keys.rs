//! The tables of keys in `docs/config.md`, from the schema of the config.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

/// The tables stand between these lines.
const START: &str = "<!-- `cargo xtask gen` writes the tables from here -->\n";
const END: &str = "<!-- to here -->\n";

const REFERENCE: &str = "#/$defs/";

/// The document with its tables as the schema has them.
pub(crate) fn replace(document: &str, schema: &Value) -> Result<String> {
    let parts = document.split_once(START).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) = parts.context("the marks of the tables are missing")?;
    let tables = Tables::of(schema)?.text;
    Ok(format!("{before}{START}\n{tables}{END}{after}"))
}

/// The tables, while they are written.
struct Tables<'a> {
    definitions: &'a Map<String, Value>,
    text: String,
}

/// One key of a table.
struct Key<'a> {
    name: String,
    schema: &'a Value,
    required: bool,
}

impl<'a> Tables<'a> {
    fn of(schema: &'a Value) -> Result<Self> {
        let mut tables = Self {
            definitions: schema["$defs"].as_object().context("no definitions")?,
            text: String::new(),
        };
        tables.record("ConfigV1", "The keys of `v1`");
        // Groups of settings are part of the table above; what is left occurs in lists.
        let definitions = tables.definitions;
        for (name, definition) in definitions {
            let heading = format!("`{name}`");
            if definition.get("oneOf").is_some() {
                tables.union(name, definition, &heading);
            } else if tables.is_in_a_list(name) {
                tables.record(name, &heading);
            }
        }
        Ok(tables)
    }

    /// Whether a record is an item of an array, or null instead.
    fn is_in_a_list(&self, name: &str) -> bool {
        let properties = self
            .definitions
            .values()
            .filter_map(|definition| definition["properties"].as_object())
            .flat_map(Map::values);
        let mut references = properties.flat_map(|schema| {
            let alternatives = schema["anyOf"].as_array().into_iter().flatten();
            alternatives.chain([&schema["items"]])
        });
        references.any(|schema| referenced(schema) == Some(name))
    }

    fn record(&mut self, name: &str, heading: &str) {
        let mut keys = Vec::new();
        self.collect("", &self.definitions[name], &mut keys);
        let description = &self.definitions[name]["description"];
        self.heading(heading, description);
        self.text
            .push_str("| key | type | default | allowed | meaning |\n|---|---|---|---|---|\n");
        for key in keys {
            self.row(&key, None);
        }
        self.text.push('\n');
    }

    /// The keys of a record; those of a group of settings with the name of the group in front.
    fn collect(&self, prefix: &str, definition: &'a Value, keys: &mut Vec<Key<'a>>) {
        for (name, schema) in definition["properties"].as_object().into_iter().flatten() {
            let path = format!("{prefix}{name}");
            let group = referenced(schema).map(|name| &self.definitions[name]);
            match group.filter(|group| group.get("properties").is_some()) {
                Some(group) => self.collect(&format!("{path}."), group, keys),
                None => keys.push(Key {
                    name: path,
                    schema,
                    required: is_required(definition, name),
                }),
            }
        }
    }

    /// A table of the variants, and one of the keys with the variants that have them.
    fn union(&mut self, name: &str, definition: &'a Value, heading: &str) {
        self.heading(heading, &definition["description"]);
        let variants: Vec<&Value> = definition["oneOf"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|variant| self.definitions.get(referenced(variant)?))
            .collect();
        self.text.push_str("| `type` | meaning |\n|---|---|\n");
        let mut keys: Vec<(Key<'a>, Vec<String>)> = Vec::new();
        for variant in &variants {
            let tag = code(&variant["properties"]["type"]["const"]);
            let meaning = cell(&variant["description"]);
            let _ = writeln!(self.text, "| {tag} | {meaning} |");
            for (name, schema) in variant["properties"].as_object().into_iter().flatten() {
                if name == "type" {
                    continue;
                }
                let same = |(key, _): &&mut (Key<'_>, _)| key.name == *name && key.schema == schema;
                if let Some((_, of)) = keys.iter_mut().find(same) {
                    of.push(tag.clone());
                    continue;
                }
                let key = Key {
                    name: name.clone(),
                    schema,
                    required: is_required(variant, name),
                };
                keys.push((key, vec![tag.clone()]));
            }
        }
        let _ = writeln!(
            self.text,
            "\n| key of {name} | with the type | type | default | allowed | meaning |\n\
             |---|---|---|---|---|---|"
        );
        for (key, of) in keys {
            let of = if of.len() == variants.len() {
                "every".to_owned()
            } else {
                of.join(", ")
            };
            self.row(&key, Some(&of));
        }
        self.text.push('\n');
    }

    fn heading(&mut self, heading: &str, description: &Value) {
        let description = description.as_str().unwrap_or_default();
        let _ = writeln!(self.text, "### {heading}\n\n{description}\n");
    }

    fn row(&mut self, key: &Key<'_>, of: Option<&str>) {
        let Key {
            name,
            schema,
            required,
        } = key;
        let default = match schema.get("default") {
            Some(default) => code(default),
            None if *required => "required".to_owned(),
            None => "none".to_owned(),
        };
        let of = of.map(|of| format!(" {of} |")).unwrap_or_default();
        let _ = writeln!(
            self.text,
            "| `{name}` |{of} {} | {default} | {} | {} |",
            type_of(schema),
            allowed(schema).join(", "),
            cell(&schema["description"]),
        );
    }
}

fn is_required(definition: &Value, key: &str) -> bool {
    let required = definition["required"].as_array().into_iter().flatten();
    required.into_iter().any(|name| name == key)
}

/// The name of the definition that a schema refers to.
fn referenced(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix(REFERENCE)
}

/// The type of a value, in words.
fn type_of(schema: &Value) -> String {
    if let Some(name) = referenced(schema) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(alternatives) = schema["anyOf"].as_array() {
        let types: Vec<String> = alternatives.iter().map(type_of).collect();
        return types.join(" or ");
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => format!("array of {}", type_of(&schema["items"])),
        Value::String(name) => name.clone(),
        Value::Array(names) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            names.join(" or ")
        }
        _ => "string".to_owned(),
    }
}

/// What is allowed beyond the type, in words.
fn allowed(schema: &Value) -> Vec<String> {
    let mut rules = Vec::new();
    if let Some(names) = schema["enum"].as_array() {
        rules.push(codes(names));
    }
    if let Some(comment) = schema["$comment"].as_str() {
        rules.push(comment.to_owned());
    }
    if let Some(names) = schema["not"]["enum"].as_array() {
        rules.push(format!("none of {}", codes(names)));
    }
    if let (Some(minimum), Some(maximum)) = (schema.get("minimum"), schema.get("maximum")) {
        rules.push(format!("{minimum} to {maximum}"));
    }
    if let Some(minimum) = schema.get("exclusiveMinimum") {
        rules.push(format!("above {minimum}"));
    }
    for (minimum, maximum, unit) in [
        ("minLength", "maxLength", "characters"),
        ("minItems", "maxItems", "items"),
    ] {
        match (schema.get(minimum), schema.get(maximum)) {
            (Some(minimum), Some(maximum)) => rules.push(format!("{minimum} to {maximum} {unit}")),
            (None, Some(maximum)) => rules.push(format!("at most {maximum} {unit}")),
            (Some(_), None) => rules.push("not empty".to_owned()),
            (None, None) => {}
        }
    }
    let of_items = schema.get("items").map(allowed).unwrap_or_default();
    rules.extend(of_items.iter().map(|rule| format!("each {rule}")));
    rules
}

/// A value as code.
fn code(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() => format!("`{text}`"),
        value => format!("`{value}`"),
    }
}

fn codes(values: &[Value]) -> String {
    let names: Vec<String> = values.iter().map(code).collect();
    names.join(", ")
}

/// A text fit for a cell.
fn cell(text: &Value) -> String {
    text.as_str().unwrap_or_default().replace('|', "\\|")
}
