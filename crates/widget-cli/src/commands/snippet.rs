//! `widget snippet`: the line of HTML that shows a widget on a page.

use std::path::Path;

use serde::Serialize;
use widget_api::unreadable::WidgetRecord;
use widget_core::{
    embed::{self, PublicUrl},
    id::WidgetId,
};

use crate::{
    cli::{Global, Snippet},
    exit::ExitCode,
    failure::Failure,
    online::{
        self,
        reference::{Reference, id_of},
    },
    printer::{Printer, YELLOW, printable_lines},
    service::parse_service_url,
    suffixes::Suffixes,
    widget_file,
};

/// The answer as JSON.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "SnippetLine"))]
pub(crate) struct SnippetJson {
    widget_id: String,
    html: String,
}

/// Prints the snippet of a widget: as the service says it, or for a service that is not asked.
pub(super) fn run(
    arguments: &Snippet,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    match &arguments.service {
        Some(service) => print_for(&parse_service_url(service)?, arguments, printer),
        None => ask(arguments, global, printer),
    }
}

fn ask(arguments: &Snippet, global: &Global, printer: &mut Printer) -> Result<ExitCode, Failure> {
    let reference = Reference::parse(&arguments.widget)?;
    reference.require_current()?;
    online::run(&global.service, printer, async |session, printer| {
        let record = reference.find_record(session, printer).await?.value;
        let id = id_of(&record);
        if matches!(&record, WidgetRecord::Readable(widget) if !widget.published) {
            note_unpublished(Some(id), printer)?;
        }
        let snippet = session.client.get_snippet(id).await?;
        let html = if arguments.with_integrity {
            snippet.html_with_integrity.ok_or_else(|| {
                Failure::bad_input("the service has no script with a hash")
                    .hint("leave out `--with-integrity`")
            })?
        } else {
            snippet.html
        };
        print(id, html, printer)
    })
}

fn print_for(
    service: &PublicUrl,
    arguments: &Snippet,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let file = Path::new(&arguments.widget);
    let id = match arguments.widget.parse::<WidgetId>() {
        Ok(id) if !file.exists() => id,
        _ => {
            let record = widget_file::find_record(
                file,
                arguments.format,
                arguments.id.as_deref(),
                &Suffixes::default(),
                printer,
            )?;
            let Some(record) = record else {
                return Ok(ExitCode::No);
            };
            if !record.widget.published {
                note_unpublished(record.id, printer)?;
            }
            record.id.ok_or_else(|| {
                Failure::bad_input(format_args!(
                    "the widget in `{}` has no `id`",
                    arguments.widget
                ))
                .hint("create it first, with `widget create --file`")
            })?
        }
    };
    let html = match (&arguments.file_name, &arguments.integrity) {
        (Some(file_name), Some(integrity)) => {
            check_integrity(integrity)?;
            check_file_name(file_name)?;
            embed::snippet_with_integrity(service, id, file_name, integrity)
        }
        _ => embed::snippet(service, id),
    };
    print(id, html, printer)
}

fn note_unpublished(id: Option<WidgetId>, printer: &mut Printer) -> Result<(), Failure> {
    let until = match id {
        Some(id) => format!("`widget publish {id}`"),
        None => "it is".to_owned(),
    };
    printer.note(format_args!(
        "{YELLOW}note{YELLOW:#}: the widget is not published; the line shows nothing until {until}"
    ))
}

fn print(id: WidgetId, html: String, printer: &mut Printer) -> Result<ExitCode, Failure> {
    if printer.is_data() {
        printer.data(&SnippetJson {
            widget_id: id.to_string(),
            html,
        })?;
    } else {
        printer.line(printable_lines(&html))?;
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
