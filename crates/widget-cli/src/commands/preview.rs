//! `widget preview`: links that show a draft of a widget.

use std::{
    cell::Cell,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use widget_api::{
    Widget,
    client::Error,
    previews::{NewPreview, PreviewDraft},
};
use widget_core::{
    embed::PreviewSite,
    id::{AgentVersionId, PreviewId, WidgetId},
    serve::{MAX_PREVIEW_SECONDS, MIN_PREVIEW_SECONDS, PREVIEW_LIFETIME},
};

use super::{create, open};
use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self, Session, change, ids,
        proposal::{self, ChangeOptions, Proposal},
        reference::Reference,
        short_ids::short_ids,
    },
    printer::{Printer, count},
    table::Column,
};

pub(crate) const HELP: &str = "\
Prints a link. Whoever has it sees the draft, until it ends; visitors of the sites see nothing of \
it. Without --config or --version, that part is as the widget has it now; a config in a file is the \
whole one, and what it leaves out has its default. Creating a link asks nothing; --replace and --end \
ask. When two people replace a draft, the last one wins.

Examples:
  widget preview 0197a8b2 --config draft.yaml
  widget preview 0197a8b2 --version 'June 2026' --for 2h --open
  widget preview 0197a8b2 --config draft.yaml --site phone
  widget preview 0197a8b2 --config draft.yaml --replace 0197b000
  widget preview 0197a8b2 --list
  widget preview 0197a8b2 --end 0197b000";

/// Arguments of `preview`.
#[derive(Debug, Args)]
pub(crate) struct Preview {
    /// A widget's id or its beginning, or the address of a page with it
    #[arg(value_name = "WIDGET")]
    pub(crate) widget: String,
    /// A file with the config of the draft, or a widget with it, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The version of the agent: its number, its label, its id or the beginning of that; it may be
    /// a draft
    #[arg(long, value_name = "VERSION")]
    pub(crate) version: Option<String>,
    /// How long the link lasts, such as `30m`, `2h` or `7d`, at most 30 days [default: a day]
    #[arg(
        long = "for",
        value_name = "DURATION",
        value_parser = parse_life,
        conflicts_with = "replace"
    )]
    pub(crate) seconds: Option<u32>,
    /// The screen on which the link shows the draft, in a frame of that size; the page has links to
    /// the others [default: no frame]
    #[arg(long, value_name = "SCREEN", value_enum, conflicts_with_all = ["replace", "list", "end"])]
    pub(crate) site: Option<Site>,
    /// Open the link in the browser
    #[arg(long, conflicts_with_all = ["replace", "list", "end"])]
    pub(crate) open: bool,
    /// Give an earlier link another draft; open pages follow
    #[arg(long, value_name = "PREVIEW")]
    pub(crate) replace: Option<String>,
    /// List the links that have not ended
    #[arg(long, conflicts_with_all = ["config", "version", "seconds", "replace"])]
    pub(crate) list: bool,
    /// End a link
    #[arg(
        long,
        value_name = "PREVIEW",
        conflicts_with_all = ["config", "version", "seconds", "replace", "list"]
    )]
    pub(crate) end: Option<String>,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// The screens on which a link shows a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Site {
    /// A phone: 390 × 844 pixels
    Phone,
    /// A desktop: 1280 × 800 pixels
    Desktop,
}

impl From<Site> for PreviewSite {
    fn from(site: Site) -> Self {
        match site {
            Site::Phone => Self::Phone,
            Site::Desktop => Self::Desktop,
        }
    }
}

/// The answer to `--replace` and `--end`, for programs.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "ChangedPreview"))]
pub(crate) struct ChangedJson {
    #[cfg_attr(test, schemars(with = "widget_api::schema::Text<WidgetId>"))]
    widget_id: WidgetId,
    #[cfg_attr(
        test,
        schemars(with = "widget_api::schema::Text<widget_core::id::PreviewId>")
    )]
    preview_id: PreviewId,
    written: bool,
}

/// What is shown instead of what the widget has.
struct Draft {
    config: Option<Box<RawValue>>,
    agent_version_id: Option<AgentVersionId>,
}

/// Creates, changes, lists or ends previews.
pub(super) fn run(
    arguments: &Preview,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let reference = Reference::parse(&arguments.widget)?;
    reference.require_current()?;
    let config = match &arguments.config {
        None => None,
        Some(file) => match read_config(file, printer)? {
            Some(config) => Some(config),
            None => return Ok(ExitCode::No),
        },
    };
    online::run(&global.service, printer, async |session, printer| {
        let widget = reference.find_widget(session, printer).await?.value;
        if arguments.list {
            return list(widget.id, session, printer).await;
        }
        if let Some(text) = &arguments.end {
            let id = ids::find_preview(session, widget.id, text).await?;
            let sent = Box::pin(session.client.end_preview(widget.id, id));
            let what = (
                "the link shows nothing anymore, and conversations there end",
                "has ended",
            );
            let options = arguments.change;
            return change((widget.id, id), what, options, sent, session, printer).await;
        }
        let draft = Draft {
            config,
            agent_version_id: find_version(arguments, &widget, session).await?,
        };
        match &arguments.replace {
            Some(text) => {
                let id = ids::find_preview(session, widget.id, text).await?;
                let body = PreviewDraft {
                    config: draft.config,
                    agent_version_id: draft.agent_version_id,
                };
                let sent = Box::pin(session.client.replace_preview(widget.id, id, &body));
                let what = ("open pages of the link follow", "has the new draft");
                let options = arguments.change;
                change((widget.id, id), what, options, sent, session, printer).await
            }
            None => create(&widget, draft, arguments, session, printer).await,
        }
    })
}

fn read_config(file: &Path, printer: &mut Printer) -> Result<Option<Box<RawValue>>, Failure> {
    let Some(draft) = create::read_file(file, None, printer)? else {
        return Ok(None);
    };
    let config = to_raw_value(&draft.config.to_value());
    config.map(Some).map_err(Failure::unexpected)
}

async fn find_version(
    arguments: &Preview,
    widget: &Widget,
    session: &Session,
) -> Result<Option<AgentVersionId>, Failure> {
    match &arguments.version {
        Some(text) => {
            let found = ids::find_version(session, widget.agent_id, text).await?;
            Ok(Some(found.id))
        }
        None => Ok(None),
    }
}

async fn create(
    widget: &Widget,
    draft: Draft,
    arguments: &Preview,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    if arguments.change.dry_run {
        let default = PREVIEW_LIFETIME.whole_seconds().unsigned_abs();
        let life = in_words(arguments.seconds.map_or(default, u64::from));
        let would = format!(
            "would create a link to a draft of widget {}, for {life}",
            widget.id
        );
        proposal::show_lines(&[would], printer)?;
        printer.note("nothing was written (--dry-run)")?;
        return Ok(ExitCode::Yes);
    }
    let body = NewPreview {
        config: draft.config,
        agent_version_id: draft.agent_version_id,
        expires_in: arguments.seconds,
        site: arguments.site.map(Into::into),
    };
    let sent = session.client.create_preview(widget.id, &body);
    let created = session.write("a preview was created", sent).await?;
    if printer.is_data() {
        printer.data(&created)?;
    } else {
        printer.line(&created.url)?;
        printer.note(format_args!(
            "it ends {}; to end it now: `widget preview {} --end {}`",
            super::time(created.expires_at),
            widget.id,
            created.id,
        ))?;
    }
    // The link is there, also without a browser.
    printer.flush()?;
    if arguments.open {
        open::browse(&created.url, session).await?;
    }
    Ok(ExitCode::Yes)
}

async fn list(id: WidgetId, session: &Session, printer: &mut Printer) -> Result<ExitCode, Failure> {
    let previews = session.client.list_previews(id).await?;
    if printer.is_data() {
        for preview in &previews {
            printer.data(preview)?;
        }
        return Ok(ExitCode::Yes);
    }
    if previews.is_empty() {
        printer.note("no previews")?;
        return Ok(ExitCode::Yes);
    }
    let ids: Vec<String> = previews
        .iter()
        .map(|preview| preview.id.to_string())
        .collect();
    let shown = if printer.is_table() {
        ids
    } else {
        short_ids(&ids)
    };
    let rows = previews.iter().zip(shown).map(|(preview, id)| {
        [
            id,
            super::time(preview.updated_at),
            super::time(preview.expires_at),
        ]
    });
    let columns = [
        Column::whole("ID"),
        Column::whole("UPDATED").or_left_out(1),
        Column::whole("ENDS"),
    ];
    printer.table(columns, rows)?;
    Ok(ExitCode::Yes)
}

/// Changes a preview, as `--replace` and `--end` do.
async fn change<T>(
    (widget_id, preview_id): (WidgetId, PreviewId),
    (effect, done): (&str, &str),
    options: ChangeOptions,
    sent: impl Future<Output = Result<T, Error>>,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let proposal = Proposal {
        lines: vec![change::effect_line(effect)],
        warnings: Vec::new(),
        question: "Write this?",
        done: &format!("preview {preview_id} {done}"),
        options,
    };
    let is_missing = Cell::new(false);
    let sent = async {
        let answer = sent.await;
        is_missing.set(answer.as_ref().is_err_and(Error::is_not_found));
        answer
    };
    let outcome = proposal.make(sent, session, printer).await;
    let outcome = outcome.map_err(|failure| {
        if is_missing.get() {
            failure.hint(format_args!(
                "`widget preview {widget_id} --list` shows those that have not ended"
            ))
        } else {
            failure
        }
    })?;
    let Some(written) = outcome.into_written()? else {
        return Ok(ExitCode::No);
    };
    if printer.is_data() {
        printer.data(&ChangedJson {
            widget_id,
            preview_id,
            written,
        })?;
    }
    Ok(ExitCode::Yes)
}

/// How long a link lasts, such as `2 hours`: in the largest unit of which it is a multiple.
fn in_words(seconds: u64) -> String {
    let units = [
        (24 * 60 * 60, "day", "days"),
        (60 * 60, "hour", "hours"),
        (60, "minute", "minutes"),
    ];
    let unit = units
        .into_iter()
        .find(|(unit, ..)| seconds.is_multiple_of(*unit));
    let (unit, one, many) = unit.unwrap_or((1, "second", "seconds"));
    let number = usize::try_from(seconds / unit).unwrap_or(usize::MAX);
    count(number, one, many)
}

/// Reads how long a link lasts: `30m`, `2h`, `7d`, or a number of seconds. For clap, which shows
/// the error.
fn parse_life(text: &str) -> Result<u32, String> {
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => Some(seconds),
        Err(_) => humantime::parse_duration(text)
            .ok()
            .map(|life| life.as_secs()),
    };
    let seconds = seconds.ok_or("write how long, such as `30m`, `2h` or `7d`")?;
    u32::try_from(seconds)
        .ok()
        .filter(|seconds| (MIN_PREVIEW_SECONDS..=MAX_PREVIEW_SECONDS).contains(seconds))
        .ok_or_else(|| {
            format!(
                "a link lasts from {}m to {}d",
                MIN_PREVIEW_SECONDS / 60,
                MAX_PREVIEW_SECONDS / (24 * 60 * 60)
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_are_read_as_people_write_them() {
        for (text, expected) in [
            ("30m", 1800),
            ("2h", 7200),
            ("7d", 604_800),
            ("3600", 3600),
            ("1h 30m", 5400),
        ] {
            assert_eq!(parse_life(text), Ok(expected), "{text}");
        }
        for text in ["", "30", "31d", "soon", "99999999999y"] {
            assert!(parse_life(text).is_err(), "{text}");
        }
    }

    #[test]
    fn lives_are_written_as_people_say_them() {
        for (seconds, expected) in [
            (86_400, "1 day"),
            (7200, "2 hours"),
            (5400, "90 minutes"),
            (61, "61 seconds"),
        ] {
            assert_eq!(in_words(seconds), expected);
        }
    }
}
