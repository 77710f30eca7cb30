//! `widget snippet`: the line of HTML that shows a widget on a page.

use serde::Serialize;
use url::Url;
use widget_core::{embed, id::WidgetId, origin::Origin};

use crate::{
    cli::Snippet,
    exit::ExitCode,
    failure::Failure,
    printer::{Printer, YELLOW},
    suffixes::Suffixes,
    widget_file,
};

/// The answer as programs get it.
#[derive(Serialize)]
struct SnippetJson {
    widget_id: String,
    html: String,
}

/// Prints the snippet of a widget.
pub(super) fn run(arguments: &Snippet, printer: &mut Printer) -> Result<ExitCode, Failure> {
    let service = service_url(&arguments.service)?;
    let named = arguments
        .widget
        .to_str()
        .and_then(|text| text.parse::<WidgetId>().ok());
    let id = match named {
        Some(id) if !arguments.widget.exists() => id,
        _ => {
            let chosen = widget_file::choose(
                &arguments.widget,
                arguments.format,
                arguments.id.as_deref(),
                &Suffixes::default(),
                printer,
            )?;
            let Some(chosen) = chosen else {
                return Ok(ExitCode::No);
            };
            if !chosen.record.widget.published {
                printer.note(format_args!(
                    "{YELLOW}note{YELLOW:#}: the widget is not published; the line shows nothing until it is"
                ))?;
            }
            chosen.record.id.ok_or_else(|| {
                Failure::bad_input(format_args!(
                    "the widget in `{}` has no `id`",
                    arguments.widget.display()
                ))
                .hint("create it through the API first, and save what the API answers")
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
    if printer.is_json() {
        printer.json(&SnippetJson {
            widget_id: id.to_string(),
            html,
        })?;
    } else {
        printer.line(html)?;
    }
    Ok(ExitCode::Yes)
}

/// The service's address. Without a scheme `https` is meant, as for pages.
fn service_url(text: &str) -> Result<Url, Failure> {
    let refused = || {
        Failure::unexpected(format_args!(
            "`--service {text}` is not the address of a service"
        ))
        .hint("give the address under which browsers reach it, such as `https://widgets.example`")
    };
    // The origin is read by the stricter rules of pages: a URL parser alone takes nearly anything
    // for a host.
    let origin = Origin::parse_page(text).map_err(|_| refused())?;
    let written = if text.contains("://") {
        text.trim().to_owned()
    } else {
        format!("https://{}", text.trim())
    };
    let url = Url::parse(&written).map_err(|_| refused())?;
    if url.origin().ascii_serialization() == origin.as_str() {
        Ok(url)
    } else {
        Err(refused())
    }
}

/// One or more hashes as the specification of Subresource Integrity writes them.
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
        "`--integrity {integrity}` is no hash for a script"
    ))
    .hint(
        "write `sha384-` and the hash in base64, as `GET /core/web-widgets/{id}/snippet` tells it",
    ))
}

fn check_file_name(file_name: &str) -> Result<(), Failure> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if file_name.bytes().all(plain) && file_name.strip_suffix(".js").is_some() {
        return Ok(());
    }
    Err(Failure::unexpected(format_args!(
        "`--file-name {file_name}` is no name of a script"
    ))
    .hint("give the name alone, such as `3f2a9c.js`"))
}
