//! The JSON Schema of records and unions, from the same definitions that read them.

use serde_json::{Map, Value, json};

use super::keys::{Keys, Record, Union};

/// The schemas of the named records, by name, in the order in which they are first used.
pub(crate) type Definitions = Map<String, Value>;

/// The lines of a doc comment as one paragraph.
pub(crate) fn paragraph(lines: &[&str]) -> String {
    let words: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    words.join(" ")
}

/// The schema of a record, put among the definitions.
pub(super) fn describe_record<T: Record>(definitions: &mut Definitions) {
    if definitions.contains_key(T::NAME) {
        return;
    }
    definitions.insert(T::NAME.to_owned(), Value::Null);
    let schema = described(T::DOC, definitions, Map::new(), Vec::new(), |keys| {
        let _ = T::define(keys);
    });
    let mut schema = schema;
    T::refine_schema(&mut schema);
    definitions.insert(T::NAME.to_owned(), Value::Object(schema));
}

/// The schema of a union and of each of its variants, put among the definitions.
pub(super) fn describe_union<T: Union>(definitions: &mut Definitions) {
    if definitions.contains_key(T::NAME) {
        return;
    }
    definitions.insert(T::NAME.to_owned(), Value::Null);
    let mut variants = Vec::new();
    for (tag, doc) in T::VARIANTS {
        let name = format!("{}{}", pascal_case(tag), T::NAME);
        let mut properties = Map::new();
        properties.insert(
            T::TAG.to_owned(),
            json!({"description": T::TAG_DOC, "const": tag}),
        );
        let schema = described(&[doc], definitions, properties, vec![T::TAG], |keys| {
            let _ = T::define(Some(tag), keys);
        });
        variants.push(json!({"$ref": format!("#/$defs/{name}")}));
        definitions.insert(name, Value::Object(schema));
    }
    let union = json!({"description": paragraph(T::DOC), "oneOf": variants});
    definitions.insert(T::NAME.to_owned(), union);
}

fn described(
    doc: &[&str],
    definitions: &mut Definitions,
    mut properties: Map<String, Value>,
    mut required: Vec<&'static str>,
    define: impl FnOnce(&mut Keys<'_>),
) -> Map<String, Value> {
    define(&mut Keys::describing(
        &mut properties,
        &mut required,
        definitions,
    ));
    let mut schema = Map::new();
    schema.insert("description".to_owned(), Value::String(paragraph(doc)));
    schema.insert("type".to_owned(), json!("object"));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema
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
    let mut schema = Map::new();
    schema.insert("$ref".to_owned(), json!(format!("#/$defs/{name}")));
    schema
}
