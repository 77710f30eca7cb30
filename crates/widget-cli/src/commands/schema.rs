//! `widget schema`: the JSON Schemas, for editors and other tools. They are the committed,
//! generated files, so that this command needs nothing that generates them.

use crate::{
    cli::{Schema, SchemaName},
    exit::ExitCode,
    failure::Failure,
    printer::Printer,
};

/// Prints a schema, as one line with `--output json`.
pub(super) fn run(arguments: &Schema, printer: &mut Printer) -> Result<ExitCode, Failure> {
    let text = match arguments.which {
        SchemaName::Config => include_str!("../../../../schema/config.schema.json"),
        SchemaName::Widget => include_str!("../../../../schema/widget.schema.json"),
        SchemaName::NewWidget => include_str!("../../../../schema/new-widget.schema.json"),
        SchemaName::WidgetPatch => include_str!("../../../../schema/widget-patch.schema.json"),
        SchemaName::Api => include_str!("../../../../schema/api.schema.json"),
        SchemaName::Outputs => include_str!("../../../../schema/cli.schema.json"),
        SchemaName::Openapi => include_str!("../../../../schema/openapi.json"),
    };
    if printer.is_data() {
        let schema: serde_json::Value = serde_json::from_str(text).map_err(Failure::unexpected)?;
        printer.data(&schema)?;
    } else {
        printer.text(text)?;
    }
    Ok(ExitCode::Yes)
}
