//! Describing records and unions: [`Keys`] that write the JSON Schema of each key.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::keys::{Keys, Record, Union};
use super::kind::{Definitions, Kind, object};
use crate::choice::Choice;
use crate::finding::Code;

/// The schema of one object, while its keys are asked for.
struct Describer<'a> {
    properties: Map<String, Value>,
    required: Vec<&'static str>,
    definitions: &'a mut Definitions,
}

impl Keys for Describer<'_> {
    fn with_default<K: Kind>(
        &mut self,
        name: &'static str,
        doc: &[&str],
        kind: &K,
        default: K::Value,
    ) -> K::Value
    where
        K::Value: Serialize,
    {
        let written = if kind.has_plain_default() {
            serde_json::to_value(&default).ok()
        } else {
            None
        };
        self.describe(name, doc, kind, written);
        default
    }

    fn required<K: Kind>(
        &mut self,
        name: &'static str,
        doc: &[&str],
        kind: &K,
    ) -> Option<K::Value> {
        self.required.push(name);
        self.describe(name, doc, kind, None);
        None
    }

    fn fault(&mut self, _: &str, _: Code, _: String) {}
}

impl<'a> Describer<'a> {
    fn new(definitions: &'a mut Definitions) -> Self {
        Self {
            properties: Map::new(),
            required: Vec::new(),
            definitions,
        }
    }

    fn describe<K: Kind>(
        &mut self,
        name: &'static str,
        doc: &[&str],
        kind: &K,
        default: Option<Value>,
    ) {
        let mut schema = object(json!({"description": paragraph(doc)}));
        schema.extend(kind.schema(self.definitions));
        if let Some(default) = default {
            schema.insert("default".to_owned(), default);
        }
        self.properties
            .insert(name.to_owned(), Value::Object(schema));
    }

    /// The schema of the object whose keys were asked for.
    fn into_schema(self, doc: &[&str]) -> Map<String, Value> {
        let mut schema = object(json!({"description": paragraph(doc), "type": "object"}));
        if !self.required.is_empty() {
            schema.insert("required".to_owned(), json!(self.required));
        }
        schema.insert("properties".to_owned(), Value::Object(self.properties));
        schema
    }
}

/// The lines of a doc comment as one paragraph.
pub(crate) fn paragraph(lines: &[&str]) -> String {
    let words: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    words.join(" ")
}

/// Puts the schema of a record among the definitions.
pub(super) fn describe_record<T: Record>(definitions: &mut Definitions) {
    if definitions.contains_key(T::NAME) {
        return;
    }
    // Keeps the place in the order of first use.
    definitions.insert(T::NAME.to_owned(), Value::Null);
    let mut describer = Describer::new(definitions);
    let _ = T::define(&mut describer);
    let mut schema = describer.into_schema(T::DOC);
    T::refine_schema(&mut schema);
    definitions.insert(T::NAME.to_owned(), Value::Object(schema));
}

/// Puts the schemas of a union and of each of its variants among the definitions.
pub(super) fn describe_union<T: Union>(definitions: &mut Definitions) {
    if definitions.contains_key(T::NAME) {
        return;
    }
    definitions.insert(T::NAME.to_owned(), Value::Null);
    let mut variants = Vec::new();
    for ((tag, doc), tag_name) in T::VARIANTS.iter().zip(T::Tag::NAMES) {
        let mut describer = Describer::new(definitions);
        let constant = json!({"description": paragraph(T::TAG_DOC), "const": tag_name});
        describer.properties.insert(T::TAG.to_owned(), constant);
        describer.required.push(T::TAG);
        let _ = T::define(Some(*tag), &mut describer);
        let schema = describer.into_schema(doc);
        let name = format!("{}{}", pascal_case(tag_name), T::NAME);
        variants.push(Value::Object(reference(&name)));
        definitions.insert(name, Value::Object(schema));
    }
    let union = json!({"description": paragraph(T::DOC), "oneOf": variants});
    definitions.insert(T::NAME.to_owned(), union);
}

fn pascal_case(name: &str) -> String {
    name.split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(letters)
        })
        .collect()
}

/// The schema that stands for a named record.
pub(super) fn reference(name: &str) -> Map<String, Value> {
    object(json!({"$ref": format!("#/$defs/{name}")}))
}
