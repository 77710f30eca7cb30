//! `widget snippet`: the line of HTML that shows a widget on a page.

use serde::Serialize;
use widget_core::{embed, id::WidgetId};

use crate::{
    cli::Snippet,
    exit::ExitCode,
    failure::Failure,
    printer::{Printer, YELLOW},
    service::parse_service_url,
    suffixes::Suffixes,
    widget_file,
};

/// The answer as JSON.
#[derive(Serialize)]
struct SnippetJson {
    widget_id: String,
    html: String,
}

/// Prints the snippet of a widget.
pub(super) fn run(arguments: &Snippet, printer: &mut Printer) -> Result<ExitCode, Failure> {
    let service = parse_service_url(&arguments.service)?;
    let named = arguments
        .widget
        .to_str()
        .and_then(|text| text.parse::<WidgetId>().ok());
    let id = match named {
        Some(id) if !arguments.widget.exists() => id,
        _ => {
            let record = widget_file::find_record(
                &arguments.widget,
                arguments.format,
                arguments.id.as_deref(),
                &Suffixes::default(),
                printer,
            )?;
            let Some(record) = record else {
                return Ok(ExitCode::No);
            };
            if !record.widget.published {
                printer.note(format_args!(
                    "{YELLOW}note{YELLOW:#}: the widget is not published; the line shows nothing \
                     until it is"
                ))?;
            }
            record.id.ok_or_else(|| {
                Failure::bad_input(format_args!(
                    "the widget in `{}` has no `id`",
                    arguments.widget.display()
                ))
                .hint("create it through the API first, and save the answer")
            })?
        }
    };
    let html = match (&arguments.file_name, &arguments.integrity) {
        (Some(file_name), Some(integrity)) => {
            check_integrity(integrity)?;
            check_file_name(file_name)?;
            embed::snippet_with_integrity(&service, id, file_name, integrity)
        }
        _ => embed::snippet(&service, id),
    };
    if printer.is_data() {
        printer.data(&SnippetJson {
            widget_id: id.to_string(),
            html,
        })?;
    } else {
        printer.line(html)?;
    }
    Ok(ExitCode::Yes)
}

/// One or more hashes in the form of the Subresource Integrity specification.
fn check_integrity(integrity: &str) -> Result<(), Failure> {
    let is_hash = |part: &str| {
        let (hash, length) = match part.split_once('-') {
            Some(("sha256", hash)) => (hash, 44),
            Some(("sha384", hash)) => (hash, 64),
            Some(("sha512", hash)) => (hash, 88),
            _ => return false,
        };
        hash.len() == length
            && hash
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
    };
    let mut parts = integrity.split_ascii_whitespace().peekable();
    if parts.peek().is_some() && parts.all(is_hash) {
        return Ok(());
    }
    Err(Failure::unexpected(format_args!(
        "`--integrity {integrity}` is not the hash of a script"
    ))
    .hint(
        "use `sha384-` and the hash in base64, as `GET /core/web-widgets/{id}/snippet` returns it",
    ))
}

fn check_file_name(file_name: &str) -> Result<(), Failure> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if file_name.bytes().all(plain) && file_name.strip_suffix(".js").is_some() {
        return Ok(());
    }
    Err(Failure::unexpected(format_args!(
        "`--file-name {file_name}` is not the file name of a script"
    ))
    .hint("use the name without a path, such as `3f2a9c.js`"))
}
