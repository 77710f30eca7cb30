//! `widget export`: writes the widgets of a service into a folder, for `plan` and `apply`.

use std::{collections::BTreeSet, fs, path::PathBuf};

use clap::Args;
use serde::Serialize;
use widget_api::{
    Widget,
    unreadable::WidgetRecord,
    widgets::{ListedWidget, WidgetsQuery},
};
use widget_core::id::WidgetId;

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    folder::{self, Folder, FolderFile, HeldWidgets, show_failure},
    online::{
        self, Session,
        reference::{Reference, id_of, require_readable, title},
    },
    printer::{GREEN, Printer, YELLOW, count, printable},
};

pub(crate) const HELP: &str = "\
Writes one file for each widget. A file that has the widget already is changed only where the two
differ: its comments, order and notation stay. Without WIDGET, exports every widget.

Examples:
  widget export widgets/
  widget export widgets/ 0197a8b2 https://shop.example/cart";

/// The longest part of a title that a name of a file has.
const MAX_NAME: usize = 40;

/// Arguments of `export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The folder; it is created if there is none
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Only these: a widget's id or its beginning, or the address of a page with it
    #[arg(value_name = "WIDGET")]
    pub(crate) widgets: Vec<String>,
}

/// One exported widget, for programs.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "ExportedWidget"))]
pub(crate) struct ExportJson {
    /// The widget.
    #[cfg_attr(test, schemars(with = "widget_api::schema::Text<WidgetId>"))]
    widget_id: WidgetId,
    /// Its file.
    path: String,
    /// `created`, `changed` or `equal`.
    file: &'static str,
}

/// Writes widgets into files.
pub(super) fn run(
    arguments: &Export,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let references: Vec<Reference> = arguments
        .widgets
        .iter()
        .map(|text| {
            let reference = Reference::parse(text)?;
            reference.require_current()?;
            Ok(reference)
        })
        .collect::<Result<_, Failure>>()?;
    let path = &arguments.folder;
    fs::create_dir_all(path).map_err(|error| {
        Failure::unexpected(format_args!(
            "cannot create the folder `{}`: {error}",
            path.display()
        ))
    })?;
    // A file with faults may be of a widget that would get a second file.
    let folder = Folder::read(path, printer)?.require_valid()?;
    let mut held = HeldWidgets::read(path)?;
    online::run(&global.service, printer, async |session, printer| {
        let records = find_records(&references, session, printer).await?;
        let mut names: BTreeSet<PathBuf> =
            folder.files.iter().map(|file| file.path.clone()).collect();
        let mut exit = ExitCode::Yes;
        let mut written = 0;
        for (record, revision) in &records {
            match export(record, arguments, &folder, &mut names) {
                Ok(answer) => {
                    held.revisions.insert(answer.widget_id, *revision);
                    written += usize::from(answer.file != "equal");
                    show(&answer, record, printer)?;
                }
                Err(failure) => {
                    exit = exit.max(failure.exit);
                    show_failure(&failure, printer)?;
                }
            }
        }
        if references.is_empty() {
            show_files_without_widget(&folder, &records, printer)?;
        }
        held.write()?;
        printer.note(format_args!(
            "{}, {written} written",
            count(records.len(), "widget", "widgets")
        ))?;
        Ok(exit)
    })
}

/// The widgets whole, with their revisions; a list has them with more keys.
async fn find_records(
    references: &[Reference],
    session: &Session,
    printer: &mut Printer,
) -> Result<Vec<(WidgetRecord, Option<i64>)>, Failure> {
    if references.is_empty() {
        let query = WidgetsQuery {
            limit: Some(widget_api::MAX_PAGE_LIMIT),
            ..WidgetsQuery::default()
        };
        let listed = session
            .client
            .list_web_widgets(&query)
            .collect(None)
            .await?;
        return Ok(listed.into_iter().map(whole).collect());
    }
    let mut records = Vec::new();
    for reference in references {
        let found = reference.find_record(session, printer).await?;
        records.push((found.value, found.etag.and_then(|etag| etag.revision())));
    }
    Ok(records)
}

fn whole(listed: WidgetRecord<ListedWidget>) -> (WidgetRecord, Option<i64>) {
    match listed {
        WidgetRecord::Readable(listed) => {
            (WidgetRecord::Readable(listed.widget), Some(listed.revision))
        }
        WidgetRecord::Unreadable(widget) => (WidgetRecord::Unreadable(widget), None),
    }
}

/// Writes one widget into its file, or into a new one.
fn export(
    record: &WidgetRecord,
    arguments: &Export,
    folder: &Folder,
    names: &mut BTreeSet<PathBuf>,
) -> Result<ExportJson, Failure> {
    let widget = require_readable(record.clone())?;
    let widget_id = widget.id;
    let cannot = |path: &PathBuf, why: &dyn std::fmt::Display| {
        Failure::unexpected(format_args!(
            "widget {widget_id} cannot be written into `{}`: {why}",
            path.display()
        ))
    };
    let known = folder
        .files
        .iter()
        .find(|file| file.id() == Some(widget_id));
    let (path, text, done) = if let Some(file) = known {
        let (_, changes) = file.find_changes(&widget)?;
        let text = file.with_widget(&widget, &changes).ok_or_else(|| {
            Failure::bad_input(format_args!(
                "`{}` cannot be changed without losing its comments",
                file.name()
            ))
            .hint("write the file without anchors, tags and aliases, or remove it and export again")
        })?;
        let done = if file.is_text(&text) {
            "equal"
        } else {
            "changed"
        };
        (file.path.clone(), text, done)
    } else {
        let path = new_path(arguments, &widget, title(record), names);
        let text = folder::new_text(&widget)
            .ok_or_else(|| cannot(&path, &"it cannot be written as YAML"))?;
        (path, text, "created")
    };
    if done != "equal" {
        folder::write(&path, &text).map_err(|error| cannot(&path, &error))?;
    }
    Ok(ExportJson {
        widget_id,
        path: path.display().to_string(),
        file: done,
    })
}

/// A name that no file has, from the title.
fn new_path(
    arguments: &Export,
    widget: &Widget,
    title: Option<&str>,
    names: &mut BTreeSet<PathBuf>,
) -> PathBuf {
    let id = widget.id.to_string();
    let words = file_name(title.unwrap_or_default());
    let to_path = |name: String| arguments.folder.join(format!("{name}.yaml"));
    let candidates = [
        if words.is_empty() {
            None
        } else {
            Some(words.clone())
        },
        Some(format!(
            "{}-{}",
            if words.is_empty() { "widget" } else { &words },
            &id[..8]
        )),
        Some(id.clone()),
    ];
    let path = candidates
        .into_iter()
        .flatten()
        .map(to_path)
        .find(|path| !names.contains(path) && !path.exists())
        .unwrap_or_else(|| to_path(id));
    names.insert(path.clone());
    path
}

/// A title as the name of a file: lower-case letters and digits of ASCII, with hyphens between.
fn file_name(title: &str) -> String {
    let mut name = String::new();
    for character in title.chars() {
        if character.is_ascii_alphanumeric() {
            name.push(character.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
        if name.len() == MAX_NAME {
            break;
        }
    }
    name.trim_end_matches('-').to_owned()
}

fn show(answer: &ExportJson, record: &WidgetRecord, printer: &mut Printer) -> Result<(), Failure> {
    if printer.is_data() {
        return printer.data(answer);
    }
    let (color, mark) = match answer.file {
        "equal" => return Ok(()),
        "created" => (GREEN, "+"),
        _ => (YELLOW, "~"),
    };
    let title = title(record).map_or_else(String::new, |title| format!(" \"{title}\""));
    printer.line(format_args!(
        "{color}{mark}{color:#} {}",
        printable(&format!(
            "{} widget {}{title}",
            answer.path, answer.widget_id
        ))
    ))
}

fn show_files_without_widget(
    folder: &Folder,
    records: &[(WidgetRecord, Option<i64>)],
    printer: &mut Printer,
) -> Result<(), Failure> {
    let ids: BTreeSet<WidgetId> = records.iter().map(|(record, _)| id_of(record)).collect();
    let is_gone = |file: &&FolderFile| file.id().is_some_and(|id| !ids.contains(&id));
    for file in folder.files.iter().filter(is_gone) {
        printer.note(format_args!(
            "{YELLOW}note{YELLOW:#}: `{}` is of a widget that the service does not have; remove \
             the file if it was deleted",
            printable(&file.name())
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn titles_become_names() {
        for (title, expected) in [
            ("Ask the shop!", "ask-the-shop"),
            ("  Häuser & Gärten ", "h-user-g-rten"),
            ("../../etc/passwd", "etc-passwd"),
            ("日本語", ""),
            (
                "a very long title that never ends at all, or",
                "a-very-long-title-that-never-ends-at-all",
            ),
        ] {
            assert_eq!(file_name(title), expected, "{title}");
        }
    }
}
