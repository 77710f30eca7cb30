//! The schemas of the widget record and of what the management API takes for it. What the record
//! holds beside the config is few and plain, so it is written out here.

use serde_json::{Map, Value, json};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
const CONFIG: &str = "config.schema.json";

/// A widget as it is stored and answered.
pub(crate) fn widget() -> Value {
    let mut properties = Map::new();
    properties.insert(
        "id".to_owned(),
        uuid("The id of the widget; a UUID of version 7."),
    );
    properties.insert(
        "organization_id".to_owned(),
        json!({
            "description": "The organization that owns the widget; it comes from the credential.",
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
            "examples": ["acme"],
        }),
    );
    properties.extend(settable());
    for (name, description) in [
        ("created_at", "When the widget was created."),
        ("updated_at", "When the widget was last changed."),
    ] {
        properties.insert(
            name.to_owned(),
            json!({
                "description": description,
                "type": "string",
                "format": "date-time",
                "examples": ["2026-01-31T09:30:00Z"],
            }),
        );
    }
    let required: Vec<&String> = properties.keys().collect();
    json!({
        "$schema": DIALECT,
        "title": "Widget",
        "description": "A web widget: an agent, the sites that may show it, and its config.",
        "type": "object",
        "required": required,
        "properties": properties,
    })
}

/// The body that creates a widget.
pub(crate) fn new_widget() -> Value {
    let mut properties = settable();
    for (name, default) in [
        ("domains", json!([])),
        ("published", json!(false)),
        ("config", json!({})),
    ] {
        if let Some(Value::Object(property)) = properties.get_mut(name) {
            property.insert("default".to_owned(), default);
        }
    }
    json!({
        "$schema": DIALECT,
        "title": "NewWidget",
        "description": "The body of POST /core/web-widgets.",
        "type": "object",
        "required": ["agent_id", "agent_version_id"],
        "properties": properties,
        "additionalProperties": false,
    })
}

/// The body that changes a widget.
pub(crate) fn widget_patch() -> Value {
    json!({
        "$schema": DIALECT,
        "title": "WidgetPatch",
        "description": "The body of PUT /core/web-widgets/{id}: only the fields that are sent \
                        change, each is replaced whole.",
        "type": "object",
        "properties": settable(),
        "additionalProperties": false,
    })
}

/// What an owner decides about a widget.
fn settable() -> Map<String, Value> {
    let mut properties = Map::new();
    properties.insert(
        "agent_id".to_owned(),
        uuid("The agent that visitors talk to."),
    );
    properties.insert(
        "agent_version_id".to_owned(),
        uuid(
            "The version of the agent, pinned: publishing another one changes nothing for \
             visitors.",
        ),
    );
    properties.insert(
        "domains".to_owned(),
        json!({
            "description": "The sites that may show the widget: origins, patterns such as \
                            `*.shop.example`, or `*` alone for any site. An empty list admits \
                            none.",
            "type": "array",
            "items": {
                "type": "string",
                "examples": ["https://shop.example", "https://*.shop.example", "*"],
            },
            "maxItems": 100,
        }),
    );
    properties.insert(
        "published".to_owned(),
        json!({
            "description": "Whether the owner wants the widget to be shown. It is shown only if \
                            the agent's version is published too.",
            "type": "boolean",
        }),
    );
    properties.insert("config".to_owned(), json!({"$ref": CONFIG}));
    properties
}

fn uuid(description: &str) -> Value {
    json!({
        "description": description,
        "type": "string",
        "format": "uuid",
        "pattern": "^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$",
        "examples": ["0197d1c0-7d30-7c2a-8a5d-0a4c2f6f4a01"],
    })
}
