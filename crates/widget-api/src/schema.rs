//! How values of the domain look in JSON, for the schemas of the bodies: core derives none.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use widget_core::finding::Code;

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
