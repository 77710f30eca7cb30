//! `widget preview`: links that show a draft of a widget.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use widget_api::{
    Widget,
    previews::{NewPreview, PreviewDraft},
};
use widget_core::{
    embed::PreviewSite,
    id::{AgentVersionId, PreviewId, WidgetId},
    serve::{MAX_PREVIEW_SECONDS, MIN_PREVIEW_SECONDS},
};

use super::{create, open};
use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self, Session, change, ids,
        proposal::{ChangeOptions, Proposal},
        reference::Reference,
    },
    printer::Printer,
};

pub(crate) const HELP: &str = "\
Prints a link. Whoever has it sees the draft, until it ends; visitors of the sites see nothing of \
it. What is left out is as the widget has it now. Creating a link asks nothing; --replace and --end \
ask.

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
            "it ends {}, or with `widget preview {} --end {}`",
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
        printer.note("no preview")?;
        return Ok(ExitCode::Yes);
    }
    let rows = previews.iter().map(|preview| {
        [
            preview.id.to_string(),
            super::time(preview.updated_at),
            super::time(preview.expires_at),
        ]
    });
    printer.table(["ID", "UPDATED", "ENDS"], rows)?;
    Ok(ExitCode::Yes)
}

/// Changes a preview, as `--replace` and `--end` do.
async fn change<T>(
    (widget_id, preview_id): (WidgetId, PreviewId),
    (effect, done): (&str, &str),
    options: ChangeOptions,
    sent: impl Future<Output = Result<T, widget_api::client::Error>>,
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
    let outcome = proposal.make(sent, session, printer).await?;
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
}
