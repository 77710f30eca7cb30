//! JSON Pointers to the values of a widget, out of the schema of configs.

use serde_json::Value;
use widget_core::json::escape_token;

/// The schema that `widget schema` prints.
const SCHEMA: &str = include_str!("../../../../schema/config.schema.json");

/// Every value of a config, with what it is for. Lists are values as a whole.
pub(super) fn of_config() -> Vec<(String, String)> {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap_or_default();
    let mut found = Vec::new();
    collect("/config", &schema, &schema, &mut found);
    found
}

fn collect(pointer: &str, node: &Value, schema: &Value, found: &mut Vec<(String, String)>) {
    // A reference may stand beside a description.
    let target = node["$ref"].as_str().and_then(|reference| {
        let place = reference.strip_prefix('#')?;
        schema.pointer(place)
    });
    let properties = target.unwrap_or(node)["properties"].as_object();
    let Some(properties) = properties else {
        let description = node["description"].as_str().unwrap_or_default();
        found.push((pointer.to_owned(), description.to_owned()));
        return;
    };
    for (name, value) in properties {
        let name = escape_token(name);
        collect(&format!("{pointer}/{name}"), value, schema, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_names_every_value() {
        let found = of_config();
        let find = |pointer: &str| found.iter().find(|(known, _)| known == pointer);
        assert_eq!(
            find("/config/v1/chat/title"),
            Some(&(
                "/config/v1/chat/title".to_owned(),
                "The heading.".to_owned()
            ))
        );
        assert!(find("/config/v1/suggested_questions").is_some());
        assert!(find("/config/v1/chat").is_none());
    }
}
