//! `widget conversations export`: everything that is stored, in a file that is whole or not there.

use std::{
    fs,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use serde::Serialize;
use tempfile::NamedTempFile;
use widget_api::erasures::ExportRequest;

use super::filter::{Selected, Selection, note_messages, nothing_fits};
use crate::{
    exit::ExitCode,
    failure::Failure,
    online::Session,
    printer::{GREEN, Printer, count},
};

pub(super) const HELP: &str = "\
Writes one JSON object a line: the conversation with what the visitor sent, and every turn. The \
file appears when everything is in it, and only you can read it.

Examples:
  widget conversations export 0197c3d4 --to conversation.jsonl
  widget conversations export --visitor a@b.example --to visitor.jsonl";

/// Arguments of `conversations export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The file to write
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Replace the file if there is one
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    selected: Selected,
}

/// The answer for programs.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Export"))]
pub(crate) struct ExportedFileJson {
    file: PathBuf,
    conversations: usize,
}

/// Exports conversations.
pub(super) async fn run(
    arguments: &Export,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let to = &arguments.to;
    if !arguments.force && fs::symlink_metadata(to).is_ok() {
        return Err(exists(to));
    }
    let folder = match to.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let cannot = |error: std::io::Error| {
        Failure::unexpected(format_args!("cannot write `{}`: {error}", to.display()))
    };
    let selection = arguments.selected.find(session, printer).await?;
    // Its name is free until the end: a run that fails leaves nothing.
    let file = NamedTempFile::new_in(folder).map_err(cannot)?;
    let mut output = BufWriter::new(file);
    let mut number = 0;
    match selection {
        Selection::Ids(ids) => {
            for id in ids {
                let export = session.client.export_conversation(id).await?;
                let line = serde_json::to_string(&export).map_err(Failure::unexpected)?;
                writeln!(output, "{line}").map_err(cannot)?;
                number += 1;
            }
        }
        Selection::Filter(filter) => {
            let request = ExportRequest { filter: *filter };
            let mut chunks = session.client.export_conversations(&request).await?;
            let mut is_start = true;
            while let Some(chunk) = chunks.next().await? {
                for part in chunk.split_inclusive(|byte| *byte == b'\n') {
                    // Spaces before a line only say that the service still searches.
                    let part = if is_start {
                        part.trim_ascii_start()
                    } else {
                        part
                    };
                    output.write_all(part).map_err(cannot)?;
                    let is_whole = part.ends_with(b"\n");
                    number += usize::from(is_whole);
                    is_start = is_whole || (is_start && part.is_empty());
                }
            }
        }
    }
    if number == 0 {
        return Err(nothing_fits("no file was written"));
    }
    let file = output
        .into_inner()
        .map_err(|error| cannot(error.into_error()))?;
    file.as_file().sync_all().map_err(cannot)?;
    if arguments.force {
        file.persist(to).map_err(|error| cannot(error.error))?;
    } else {
        file.persist_noclobber(to).map_err(|error| {
            if error.error.kind() == std::io::ErrorKind::AlreadyExists {
                exists(to)
            } else {
                cannot(error.error)
            }
        })?;
    }
    if printer.is_data() {
        printer.data(&ExportedFileJson {
            file: to.clone(),
            conversations: number,
        })?;
    } else {
        printer.line(format_args!(
            "{GREEN}✓{GREEN:#} {} in `{}`",
            count(number, "conversation is", "conversations are"),
            to.display()
        ))?;
    }
    let Selected { filter, widget, .. } = &arguments.selected;
    note_messages(filter.visitor.as_deref(), widget.as_deref(), printer)?;
    Ok(ExitCode::Yes)
}

fn exists(file: &Path) -> Failure {
    Failure::bad_input(format_args!("`{}` exists", file.display())).hint("`--force` replaces it")
}
