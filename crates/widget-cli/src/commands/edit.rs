//! `widget edit`: a widget as a text in the editor.

mod merge;

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

use clap::Args;
use serde_json::{Value, value::RawValue};
use widget_api::{Widget, WidgetPatch};
use widget_core::{
    doctor::quote_for_shell,
    finding::{Code, Finding},
    id::WidgetId,
};

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self, Session,
        change::{self, PendingChange, overlap},
        profile::variable,
        prompt,
        proposal::{ChangeOptions, Current},
        reference::{Reference, Target, require_readable, title_of},
    },
    printer::{Printer, RED, printable},
    record::{RECORD_KEYS, read_record},
    source::{
        document::Document,
        input::{Format, Input},
        members::Members,
    },
    subject::{Kind, LocatedList, Subject, find_subjects},
    suffixes::Suffixes,
};

pub(crate) const HELP: &str = "\
Opens the widget in the editor of $VISUAL, else of $EDITOR, else vi. What is saved is validated: \
faults are shown as comments at the top, and the editor opens again. Then the difference is shown \
and asked for. Keys that are removed stay as they are; an empty file changes nothing.
When the text was not written, it is kept in a file, and --file begins with it again. What others \
changed meanwhile stays; where both changed the same, both are shown and nothing is written.

Examples:
  widget edit 0197a8b2
  EDITOR='code --wait' widget edit 0197a8b2 --format json
  widget edit 0197a8b2 --file /tmp/widget-0197a8b2-Xk3.yaml";

/// The keys of a widget that can be changed.
const EDITABLE: [&str; 5] = [
    "agent_id",
    "agent_version_id",
    "domains",
    "published",
    "config",
];

/// How the first line of the text begins, which names the widget and the revision.
const WIDGET: &str = "# Widget ";

/// How a fault is marked at the top of the text.
const FAULT: &str = "# error: ";

/// Arguments of `edit`.
#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// A widget's id or its beginning, or the address of a page with it
    #[arg(value_name = "WIDGET")]
    pub(crate) widget: String,
    /// The format of the text
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "yaml")]
    pub(crate) format: Format,
    /// Begin with the text in this file, instead of the widget as it is
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// What a person left in the editor.
enum Edited {
    Unchanged,
    Change(Box<WidgetPatch>),
    /// It has faults, and the person did not change them.
    Faulty(LocatedList),
}

/// Edits a widget.
pub(super) fn run(
    arguments: &Edit,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let reference = Reference::parse(&arguments.widget)?;
    reference.require_current()?;
    let editor = find_editor()?;
    let is_json = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "json");
    let format = if arguments.file.as_ref().is_some_and(is_json) {
        Format::Json
    } else {
        arguments.format
    };
    let first = arguments
        .file
        .as_deref()
        .map(|file| {
            fs::read_to_string(file).map_err(|error| {
                Failure::unexpected(format_args!("cannot read `{}`: {error}", file.display()))
            })
        })
        .transpose()?;
    online::run(&global.service, printer, async |session, printer| {
        let before = reference.find_widget(session, printer).await?;
        let before = Current::of(&before, session)?;
        let mut draft = Draft::create(&before, format, first.as_deref(), session)?;
        let patch = match draft.edit(&editor).await? {
            Edited::Unchanged => {
                draft.remove();
                printer.note("the text was not changed; nothing was written")?;
                return Ok(ExitCode::Yes);
            }
            Edited::Change(patch) => *patch,
            Edited::Faulty(faults) => {
                let lines: Vec<String> = faults.iter().map(fault_line).collect();
                return Err(Failure::bad_input(format_args!(
                    "the text is not valid; nothing was written\n  {}",
                    lines.join("\n  ")
                )));
            }
        };
        let patch = match draft.base {
            Some(base) if Some(base) != before.etag.revision() => {
                let rebased = rebase(base, before.value, &patch, session, printer).await?;
                let Some(patch) = rebased else {
                    printer.error(draft.kept())?;
                    return Ok(ExitCode::No);
                };
                patch
            }
            _ => patch,
        };
        let exit = write(before, patch, arguments.change, session, printer).await?;
        if exit == ExitCode::Yes && !arguments.change.dry_run {
            draft.remove();
        } else {
            printer.error(draft.kept())?;
        }
        Ok(exit)
    })
}

/// The change of a text that was made from an earlier revision, on top of what others have changed
/// since. `None` where both changed the same, which is shown.
async fn rebase(
    base: i64,
    now: &Widget,
    patch: &WidgetPatch,
    session: &Session,
    printer: &mut Printer,
) -> Result<Option<WidgetPatch>, Failure> {
    let id = now.id;
    let reference = Reference {
        target: Target::Id(id),
        revision: Some(base),
    };
    let found = reference.find_revision(base, session, printer).await;
    let revision = found.map_err(|failure| {
        failure.hint(
            "without the first line of the file, the text replaces what others have changed since",
        )
    })?;
    let before = require_readable(revision.web_widget)?;
    let text = change::apply(&before, patch)?;
    let places = match merge::merge(&before, &text, now)? {
        Ok(patch) => return Ok(Some(patch)),
        Err(places) => places,
    };
    printer.error(format_args!(
        "{RED}error{RED:#}: your text was made from revision {base} of widget {id}, and somebody \
         else has changed the same since; nothing was written\n"
    ))?;
    let shown = |to: &Widget| -> Result<Vec<String>, Failure> {
        let mut changes = change::diff(&before, to)?;
        changes.retain(|change| places.iter().any(|place| overlap(place, &change.pointer)));
        Ok(change::lines_of(&changes, &[]))
    };
    change::show_both(&shown(now)?, &shown(&text)?, printer)?;
    printer
        .error("\nmake your text the same as theirs in these places; the rest can be written")?;
    Ok(None)
}

async fn write(
    before: Current<'_, Widget>,
    patch: WidgetPatch,
    options: ChangeOptions,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let pending = PendingChange {
        before,
        patch,
        effects: Vec::new(),
        done: "is as you edited it",
        options,
    };
    change::write(pending, session, printer).await
}

/// The text in a file that only this user can read. The file stays until nobody needs it, however
/// the command ends.
struct Draft<'s> {
    id: WidgetId,
    path: PathBuf,
    format: Format,
    /// The first line of the text: of what it is.
    header: String,
    /// The revision that the text was made from.
    base: Option<i64>,
    /// The text as it was given to the editor, without comments.
    given: String,
    session: &'s Session,
}

impl<'s> Draft<'s> {
    fn create(
        widget: &Current<'_, Widget>,
        format: Format,
        first: Option<&str>,
        session: &'s Session,
    ) -> Result<Self, Failure> {
        let id = widget.value.id.to_string();
        // Without a revision of its own, a text is about the widget as it is.
        let base = first.and_then(|text| find_base(text, widget.value.id));
        let base = base.or_else(|| widget.etag.revision());
        let fields = merge::fields(widget.value);
        let (format, body) = match format {
            Format::Yaml => match to_yaml(&fields) {
                Some(text) => (Format::Yaml, text),
                None => (Format::Json, to_json(&fields)?),
            },
            Format::Json => (Format::Json, to_json(&fields)?),
        };
        let ending = match format {
            Format::Json => ".json",
            Format::Yaml => ".yaml",
        };
        let revision = base.map(|base| format!("@{base}")).unwrap_or_default();
        let title = title_of(widget.value).map(|title| format!(" {}", Value::from(title)));
        let header = format!("{WIDGET}{id}{revision}{}", title.unwrap_or_default());
        let text = format!(
            "{header}\n# Lines that begin with `#` at the top are ignored. An empty file changes \
             nothing.\n{}",
            first.map_or(&body[..], strip_comments)
        );
        let path =
            create_file(&format!("widget-{}-", &id[..8]), ending, &text).map_err(|error| {
                Failure::unexpected(format_args!("cannot make a file for the editor: {error}"))
            })?;
        let draft = Self {
            id: widget.value.id,
            path,
            format,
            header,
            base,
            given: body,
            session,
        };
        session.note_kept(Some(draft.kept()));
        Ok(draft)
    }

    /// Says where the text is.
    fn kept(&self) -> String {
        format!(
            "your text is kept; `widget edit {} --file {}` begins with it again",
            self.id,
            quote_for_shell(&self.path.to_string_lossy())
        )
    }

    /// Removes the file: the text was written, or there is nothing in it.
    fn remove(self) {
        self.session.note_kept(None);
        // A file too many is no reason to fail.
        let _ = fs::remove_file(&self.path);
    }

    /// Opens the editor until the text is valid, or the person gives up.
    async fn edit(&mut self, editor: &str) -> Result<Edited, Failure> {
        let mut rejected: Option<String> = None;
        loop {
            open_editor(editor, &self.path, self.session).await?;
            let text = self.read()?;
            let body = strip_comments(&text).to_owned();
            if body.trim().is_empty() || body == self.given {
                return Ok(Edited::Unchanged);
            }
            if !text.lines().any(|line| line == self.header) {
                // Without it, the text would be one about the widget as it is later.
                self.write(&format!("{}\n{text}", self.header))?;
            }
            let input = Input::new(body.clone(), self.format);
            let faults = match read_patch(&input) {
                Ok(patch) => return Ok(Edited::Change(Box::new(patch))),
                Err(faults) => faults,
            };
            // The same text again: the person closed the editor to end this.
            if rejected.as_deref() == Some(&body) || !prompt::has_person() && rejected.is_some() {
                return Ok(Edited::Faulty(faults));
            }
            let mut text = format!("{}\n", self.header);
            for fault in faults.iter() {
                text.extend([FAULT, &fault_line(fault).replace('\n', " "), "\n"]);
            }
            text.push_str("#\n# Correct this and save, or close the editor without a change.\n");
            text.push_str(&body);
            self.write(&text)?;
            rejected = Some(body);
        }
    }

    /// Editors replace the file, so it is opened by its name.
    fn read(&self) -> Result<String, Failure> {
        fs::read_to_string(&self.path).map_err(|error| {
            Failure::unexpected(format_args!(
                "cannot read `{}`: {error}",
                self.path.display()
            ))
        })
    }

    fn write(&self, text: &str) -> Result<(), Failure> {
        fs::write(&self.path, text).map_err(|error| {
            Failure::unexpected(format_args!(
                "cannot write `{}`: {error}",
                self.path.display()
            ))
        })
    }
}

/// Creates a file that stays when the process ends.
fn create_file(prefix: &str, suffix: &str, text: &str) -> io::Result<PathBuf> {
    let mut builder = tempfile::Builder::new();
    let mut file = builder.prefix(prefix).suffix(suffix).tempfile()?;
    file.write_all(text.as_bytes())?;
    Ok(file.keep()?.1)
}

fn fault_line(fault: &crate::subject::Located) -> String {
    let pointer = fault.pointer.as_deref().unwrap_or_default();
    let hint = fault.hint.as_ref().map(|hint| format!(" ({hint})"));
    let separator = if pointer.is_empty() { "" } else { ": " };
    format!(
        "{pointer}{separator}{}{}",
        fault.detail,
        hint.unwrap_or_default()
    )
}

/// The revision that a text of this widget was made from, which its first line names.
fn find_base(text: &str, id: WidgetId) -> Option<i64> {
    let mut comments = text.lines().take_while(|line| line.starts_with('#'));
    comments.find_map(|line| {
        let name = line.strip_prefix(WIDGET)?.split(' ').next()?;
        let (widget, base) = name.split_once('@')?;
        (widget == id.to_string()).then(|| base.parse().ok())?
    })
}

/// The text without the comments at its top.
fn strip_comments(text: &str) -> &str {
    let mut rest = text;
    while rest.starts_with('#') {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
    }
    rest
}

fn to_json(fields: &Value) -> Result<String, Failure> {
    let mut text = serde_json::to_string_pretty(fields).map_err(Failure::unexpected)?;
    text.push('\n');
    Ok(text)
}

/// YAML that reads as the same value; `None` when there is a value that YAML does not keep.
fn to_yaml(fields: &Value) -> Option<String> {
    let text = serde_saphyr::to_string(fields).ok()?;
    let text = format!("{}\n", text.trim_end());
    let input = Input::new(text.clone(), Format::Yaml);
    let document = Document::read(&input).ok()?;
    let read: Value = serde_json::from_str(document.json()).ok()?;
    (read == *fields).then_some(text)
}

/// Reads the change out of the text, with every fault.
fn read_patch(input: &Input) -> Result<WidgetPatch, LocatedList> {
    let document = Document::read(input)?;
    let subjects = find_subjects(&document, Some(Kind::Widget))?;
    let [subject] = &subjects[..] else {
        let detail = "the text must be one widget, and is a list".to_owned();
        let code = crate::source::fault::SourceCode::ObjectMissing;
        return Err(crate::subject::Located::whole(code, detail, None).into());
    };
    let record = read_record(&subject.members, &Suffixes::default());
    let mut faults = record.faults;
    for key in RECORD_KEYS.iter().filter(|key| !EDITABLE.contains(key)) {
        if subject.members.has(key) {
            let detail = format!("`{key}` cannot be edited; remove it");
            faults.push(Finding::new(Code::KeyUnknown, detail).at(format!("/{key}")));
        }
    }
    if faults.total() > 0 {
        return Err(subject.locate_all(faults));
    }
    Ok(build_patch(&subject.members, subject, &record.widget))
}

fn build_patch(
    members: &Members<'_>,
    subject: &Subject<'_>,
    widget: &widget_core::widget::Widget,
) -> WidgetPatch {
    let config = subject.config_json();
    let config = config.and_then(|text| RawValue::from_string(text.to_owned()).ok());
    WidgetPatch {
        agent_id: members.has("agent_id").then_some(widget.agent_id),
        agent_version_id: members
            .has("agent_version_id")
            .then_some(widget.agent_version_id),
        domains: members
            .has("domains")
            .then(|| widget.domains.entries().to_vec()),
        published: members.has("published").then_some(widget.published),
        config,
    }
}

/// The command of the editor, as a shell reads it.
fn find_editor() -> Result<String, Failure> {
    if let Some(editor) = variable("VISUAL").or_else(|| variable("EDITOR")) {
        return Ok(editor);
    }
    if prompt::has_person() {
        return Ok(if cfg!(windows) { "notepad" } else { "vi" }.to_owned());
    }
    Err(Failure::unexpected("there is no terminal for an editor")
        .hint("set `EDITOR`, or use `widget set`"))
}

/// As `git` does: the command may have arguments, and the name of the file may have spaces.
#[cfg(not(windows))]
fn build_command(editor: &str, file: &Path) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{editor} \"$@\""), "sh"])
        .arg(file);
    command
}

#[cfg(windows)]
fn build_command(editor: &str, file: &Path) -> Command {
    use std::os::windows::process::CommandExt as _;

    let mut command = Command::new("cmd");
    command.raw_arg(arguments_of_cmd(editor, file));
    command
}

/// With `/S`, `cmd` removes the first and the last quote and leaves the others as they are, so that
/// the command may have arguments and both may have spaces.
#[cfg(any(windows, test))]
fn arguments_of_cmd(editor: &str, file: &Path) -> std::ffi::OsString {
    let mut arguments = std::ffi::OsString::from(format!("/S /C \"{editor} \""));
    arguments.push(file);
    arguments.push("\"\"");
    arguments
}

async fn open_editor(editor: &str, file: &Path, session: &Session) -> Result<(), Failure> {
    let mut command = build_command(editor, file);
    let ended = tokio::task::spawn_blocking(move || command.status());
    let status = session.away(ended).await.map_err(Failure::unexpected)?;
    let failed = |what: String| {
        Failure::unexpected(format_args!("the editor `{}` {what}", printable(editor)))
            .hint("set `EDITOR` to the command of your editor")
    };
    match status {
        Ok(status) if ExitStatus::success(&status) => Ok(()),
        Ok(status) => Err(failed(format!("failed ({status}); nothing was written"))),
        Err(error) => Err(failed(format!("cannot be started: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editors_have_arguments_on_windows() {
        let file = Path::new(r"C:\Ann B\widget.yaml");
        for (editor, arguments) in [
            (
                "code --wait",
                r#"/S /C "code --wait "C:\Ann B\widget.yaml"""#,
            ),
            (
                r#""C:\Program Files\code.exe" --wait"#,
                r#"/S /C ""C:\Program Files\code.exe" --wait "C:\Ann B\widget.yaml"""#,
            ),
        ] {
            assert_eq!(arguments_of_cmd(editor, file), arguments);
        }
    }
}
