//! The schemas of what the API accepts and answers, read from the OpenAPI document: there each is
//! one of many, here an editor or a test finds them by themselves.

use serde_json::{Map, Value, json};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// The name of the config's schema in the document.
const CONFIG: &str = "Config";
/// The config's schema, beside those that refer to it.
const CONFIG_FILE: &str = "config.schema.json";
const COMPONENTS: &str = "#/components/schemas/";

/// The bodies by name; what belongs to the config is referred to in its own file.
#[derive(Debug)]
pub(crate) struct Bodies(Map<String, Value>);

impl Bodies {
    /// Reads the bodies from the document; `config` is the config's own schema.
    pub(crate) fn new(openapi: &Value, config: &Value) -> Self {
        let of_config = |name: &str| name == CONFIG || config["$defs"].get(name).is_some();
        let components = openapi["components"]["schemas"].as_object();
        let bodies = components
            .into_iter()
            .flatten()
            .filter(|(name, _)| !of_config(name))
            .map(|(name, schema)| (name.clone(), moved(schema, &of_config)))
            .collect();
        Self(bodies)
    }

    /// All bodies in one schema; each is found at `#/$defs/<name>`.
    pub(crate) fn all(&self) -> Value {
        json!({
            "$schema": DIALECT,
            "title": "Web Widgets API",
            "description": "What the API accepts and answers; each body is a definition.",
            "$defs": self.0,
        })
    }

    /// One body as a schema of its own; one that no other body is a part of.
    pub(crate) fn alone(&self, name: &str) -> Value {
        let mut schema = Map::new();
        schema.insert("$schema".to_owned(), json!(DIALECT));
        schema.insert("title".to_owned(), json!(name));
        if let Some(Value::Object(body)) = self.0.get(name) {
            schema.extend(body.clone());
        }
        // A record in a file is of a widget that is not deleted; who deleted one is only answered.
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.retain(|key, _| !["deleted_at", "deleted_by"].contains(&key.as_str()));
        }
        Value::Object(schema)
    }

    /// The bodies of these names, in this order.
    pub(crate) fn named<'a>(
        &'a self,
        names: &'a [&'static str],
    ) -> impl Iterator<Item = (&'static str, &'a Value)> {
        names
            .iter()
            .filter_map(|name| Some((*name, self.0.get(*name)?)))
    }
}

/// The schema with its references as they are outside of the OpenAPI document.
fn moved(schema: &Value, of_config: &impl Fn(&str) -> bool) -> Value {
    match schema {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| {
                let reference = value.as_str().filter(|_| key == "$ref");
                let name = reference.and_then(|reference| reference.strip_prefix(COMPONENTS));
                let value = match name {
                    Some(CONFIG) => json!(CONFIG_FILE),
                    Some(name) if of_config(name) => json!(format!("{CONFIG_FILE}#/$defs/{name}")),
                    Some(name) => json!(format!("#/$defs/{name}")),
                    None => moved(value, of_config),
                };
                (key.clone(), value)
            })
            .collect(),
        Value::Array(items) => items.iter().map(|item| moved(item, of_config)).collect(),
        plain => plain.clone(),
    }
}
