//! `widget schema`: the JSON Schemas, for editors and other tools.

use widget_core::config;

use crate::{
    cli::{Schema, SchemaName},
    exit::ExitCode,
    failure::Failure,
    printer::Printer,
};

/// Prints a schema, as one line with `--output json`.
pub(super) fn run(arguments: &Schema, printer: &mut Printer) -> Result<ExitCode, Failure> {
    let schema = match arguments.which {
        SchemaName::Config => config::json_schema(),
    };
    if printer.is_json() {
        printer.json(&schema)?;
    } else {
        printer.line(format_args!("{schema:#}"))?;
    }
    Ok(ExitCode::Yes)
}
