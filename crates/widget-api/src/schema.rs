//! Schemas of the parts of bodies whose types are core's: core derives none.

use std::{borrow::Cow, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, transform::transform_subschemas};
use serde_json::{Map, Value};
use widget_core::{
    agent::VersionStatus,
    api_key::KeyStatus,
    config,
    conversation::{EndReason, Mode, Reporter, Role, Status},
    doctor::{Audience, CheckStatus, PageVerdict},
    effects::EffectCode,
    embed::PreviewSite,
    explain::{Difference, Verdict},
    finding::Code,
    go_live::VersionSource,
    id::{
        AgentId, AgentVersionId, ConversationId, ErasureJobId, IdPrefix, OrganizationId, PreviewId,
        WidgetId,
    },
    listing::WidgetState,
    origin::AllowedOrigins,
    statistics::Interval,
};

/// Every code that core reports, as one named schema.
#[derive(Debug)]
pub struct FieldCode;

impl JsonSchema for FieldCode {
    fn schema_name() -> Cow<'static, str> {
        "FieldCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The stable machine code of one fault.",
            "type": "string",
            "enum": Code::ALL,
        })
    }
}

/// A `T` of core, which is a text in JSON.
#[derive(Debug)]
pub struct Text<T>(PhantomData<T>);

/// A type of core that is a text in JSON.
pub trait Described {
    /// The schema of the text.
    fn described() -> Schema;
}

impl<T: Described> JsonSchema for Text<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        std::any::type_name::<T>().into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        T::described()
    }
}

/// An id that is a UUID.
#[must_use]
pub fn uuid() -> Schema {
    json_schema!({
        "type": "string",
        "format": "uuid",
        "pattern": "^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$",
        "examples": ["0197d1c0-7d30-7c2a-8a5d-0a4c2f6f4a01"],
    })
}

macro_rules! identifiers {
    ($($name:ident),*) => {
        $(impl Described for $name {
            fn described() -> Schema {
                uuid()
            }
        })*
    };
}

identifiers!(
    AgentId,
    AgentVersionId,
    ConversationId,
    ErasureJobId,
    PreviewId,
    WidgetId
);

impl Described for IdPrefix {
    fn described() -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^-*([0-9A-Fa-f]-*){4,32}$",
            "examples": ["0197d1c0"],
        })
    }
}

impl Described for OrganizationId {
    fn described() -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
            "examples": ["acme"],
        })
    }
}

macro_rules! choices {
    ($($name:ident),*) => {
        $(impl Described for $name {
            fn described() -> Schema {
                json_schema!({"type": "string", "enum": Self::ALL})
            }
        })*
    };
}

choices!(
    Audience,
    CheckStatus,
    Difference,
    EffectCode,
    EndReason,
    Interval,
    KeyStatus,
    Mode,
    PageVerdict,
    PreviewSite,
    Reporter,
    Role,
    Status,
    Verdict,
    VersionSource,
    VersionStatus,
    WidgetState
);

/// A list of sites; which entries are allowed is decided by core.
pub(crate) fn domains(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": {
            "type": "string",
            "examples": ["https://shop.example", "https://*.shop.example", "*"],
        },
        "maxItems": AllowedOrigins::MAX_ENTRIES,
    })
}

/// The config of a widget, as core describes it.
#[derive(Debug)]
pub struct ConfigDocument;

impl JsonSchema for ConfigDocument {
    fn schema_name() -> Cow<'static, str> {
        "Config".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        merge(config::json_schema(), generator)
    }
}

/// The launcher's part of a config, as core describes it.
#[derive(Debug)]
pub struct LauncherDocument;

impl JsonSchema for LauncherDocument {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "LauncherConfig".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = merge(config::launcher_json_schema(), generator);
        schema.remove("title");
        schema
    }
}

/// A document's schema, with its definitions put among those of the generator.
fn merge(document: Value, generator: &mut SchemaGenerator) -> Schema {
    let mut schema = Schema::try_from(document).unwrap_or_default();
    schema.remove("$schema");
    let definitions = match schema.remove("$defs") {
        Some(Value::Object(definitions)) => definitions,
        _ => Map::new(),
    };
    let path = generator.settings().definitions_path.clone();
    for (name, definition) in definitions {
        let mut definition = Schema::try_from(definition).unwrap_or_default();
        move_references(&mut definition, &path);
        generator
            .definitions_mut()
            .insert(name, definition.to_value());
    }
    move_references(&mut schema, &path);
    schema
}

/// Makes references into `$defs` point to where definitions are here.
fn move_references(schema: &mut Schema, path: &str) {
    if let Some(Value::String(reference)) = schema.get_mut("$ref")
        && let Some(name) = reference.strip_prefix("#/$defs/")
    {
        *reference = format!("#{path}/{name}");
    }
    transform_subschemas(
        &mut |schema: &mut Schema| move_references(schema, path),
        schema,
    );
}
