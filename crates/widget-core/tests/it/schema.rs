//! The JSON Schema comes from the definitions that read a config, so it describes just the keys
//! that are read. Whether it judges documents as core does is tested in `widget-schema`, which has
//! a validator.

use serde_json::{Value, json};
use widget_core::config::{Config, json_schema};

/// The schema that another one refers to, or itself.
fn resolved<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => root
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{reference} leads nowhere")),
        None => schema,
    }
}

/// Every key of `value` is among the properties of its schema, with a description and its default.
fn check_described(value: &Value, schema: &Value, root: &Value, place: &str) {
    let Value::Object(members) = value else {
        return;
    };
    let record = resolved(schema, root);
    let properties = record["properties"].as_object().expect(place);
    assert_eq!(
        properties.keys().collect::<Vec<_>>(),
        members.keys().collect::<Vec<_>>(),
        "{place}"
    );
    for (key, member) in members {
        let property = &properties[key];
        let place = format!("{place}.{key}");
        assert!(property["description"].is_string(), "{place}");
        if let Some(default) = property.get("default") {
            assert_eq!(default, member, "{place}");
        }
        check_described(member, property, root, &place);
    }
}

#[test]
fn every_key_of_the_effective_config_is_described() {
    let schema = json_schema();
    let defaults = serde_json::to_value(Config::default().current()).expect("JSON");
    check_described(&defaults, &schema["properties"]["v1"], &schema, "v1");
}

#[test]
fn every_definition_is_referred_to_and_every_reference_leads_to_one() {
    fn collect<'a>(schema: &'a Value, references: &mut Vec<&'a str>) {
        match schema {
            Value::Object(members) => {
                for (key, member) in members {
                    match member {
                        Value::String(reference) if key == "$ref" => references.push(reference),
                        other => collect(other, references),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
            _ => {}
        }
    }
    let schema = json_schema();
    let mut references = Vec::new();
    collect(&schema, &mut references);
    let mut referred: Vec<_> = references
        .into_iter()
        .map(|reference| reference.strip_prefix("#/$defs/").expect(reference))
        .collect();
    referred.sort_unstable();
    referred.dedup();
    let definitions = schema["$defs"].as_object().expect("definitions");
    let mut defined: Vec<_> = definitions.keys().map(String::as_str).collect();
    defined.sort_unstable();
    assert_eq!(referred, defined);
}

#[test]
fn limits_are_those_that_are_checked() {
    let schema = json_schema();
    let at = |pointer: &str| schema.pointer(pointer).unwrap_or(&Value::Null).clone();
    for (pointer, value) in [
        ("/$defs/Trigger/properties/size/minimum", 32),
        ("/$defs/Trigger/properties/size/maximum", 96),
        ("/$defs/Trigger/properties/z_index/maximum", 2_147_483_647),
        ("/$defs/Chat/properties/title/maxLength", 60),
        ("/$defs/ConfigV1/properties/forms/maxItems", 20),
        ("/$defs/FormDefinition/properties/fields/minItems", 1),
        ("/$defs/FormDefinition/properties/fields/maxItems", 30),
        ("/$defs/RatingField/properties/max/minimum", 3),
        ("/$defs/RatingField/properties/max/maximum", 10),
    ] {
        assert_eq!(at(pointer), value, "{pointer}");
    }
    assert_eq!(
        at("/$defs/ConfigV1/allOf").as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(at("/$defs/Modes/not/required"), json!(["text", "voice"]));
}
