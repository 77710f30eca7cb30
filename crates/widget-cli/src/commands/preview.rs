//! `widget preview`: links that show a draft of a widget.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use widget_api::{
    Widget,
    previews::{NewPreview, PreviewDraft},
};
use widget_core::id::{AgentVersionId, PreviewId, WidgetId};

use super::{create, open, pin};
use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self, Session,
        change::{self, ChangeOptions, Decision},
        reference::Reference,
    },
    printer::{GREEN, Printer},
};

pub(crate) const HELP: &str = "\
Prints a link. Whoever has it sees the draft, until it ends; visitors of the sites see nothing of \
it. What is left out is as the widget has it now. Creating a link asks nothing; --replace and --end \
ask.

Examples:
  widget preview 0197a8b2 --config draft.yaml
  widget preview 0197a8b2 --version 'June 2026' --for 3600 --open
  widget preview 0197a8b2 --config draft.yaml --replace 0197b000-6c1e-7d3f-8a4b-5c6d7e8f9a0b
  widget preview 0197a8b2 --list";

/// Arguments of `preview`.
#[derive(Debug, Args)]
pub(crate) struct Preview {
    /// A widget's id or its beginning, or the address of a page with it
    #[arg(value_name = "WIDGET")]
    pub(crate) widget: String,
    /// A file with the config of the draft, or a widget with it, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The version of the agent: its id, the beginning of it, or its label; it may be a draft
    #[arg(long, value_name = "VERSION")]
    pub(crate) version: Option<String>,
    /// The seconds until the link ends, 60 to 2592000 [default: 86400, a day]
    #[arg(long = "for", value_name = "SECONDS", conflicts_with = "replace")]
    pub(crate) seconds: Option<u32>,
    /// Open the link in the browser
    #[arg(long, conflicts_with_all = ["replace", "list", "end"])]
    pub(crate) open: bool,
    /// Give an earlier link another draft; open pages follow
    #[arg(long, value_name = "ID")]
    pub(crate) replace: Option<PreviewId>,
    /// List the links that have not ended
    #[arg(long, conflicts_with_all = ["config", "version", "seconds", "replace"])]
    pub(crate) list: bool,
    /// End a link
    #[arg(
        long,
        value_name = "ID",
        conflicts_with_all = ["config", "version", "seconds", "replace", "list"]
    )]
    pub(crate) end: Option<PreviewId>,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
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
        if let Some(id) = arguments.end {
            let sent = Box::pin(session.client.end_preview(widget.id, id));
            let what = Changed {
                widget: widget.id,
                preview: id,
                effect: "the link shows nothing any more, and conversations there end",
                done: "has ended",
            };
            return what.make(arguments.change, sent, session, printer).await;
        }
        let draft = Draft {
            config,
            agent_version_id: find_version(arguments, &widget, session).await?,
        };
        match arguments.replace {
            Some(id) => {
                let body = PreviewDraft {
                    config: draft.config,
                    agent_version_id: draft.agent_version_id,
                };
                let sent = Box::pin(session.client.replace_preview(widget.id, id, &body));
                let what = Changed {
                    widget: widget.id,
                    preview: id,
                    effect: "open pages of the link follow",
                    done: "has the new draft",
                };
                what.make(arguments.change, sent, session, printer).await
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
        Some(text) => Ok(Some(
            pin::find_version(text, widget.agent_id, session).await?,
        )),
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
    };
    let sent = session.client.create_preview(widget.id, &body);
    let created = session.write("a preview was created", sent).await?;
    if printer.is_data() {
        printer.data(&created)?;
    } else {
        printer.line(&created.url)?;
        printer.note(format_args!(
            "preview {} ends {}",
            created.id,
            super::time(created.expires_at)
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

/// A change of a preview.
struct Changed<'c> {
    widget: WidgetId,
    preview: PreviewId,
    effect: &'c str,
    done: &'c str,
}

impl Changed<'_> {
    async fn make<T>(
        self,
        options: ChangeOptions,
        sent: impl Future<Output = Result<T, widget_api::client::Error>>,
        session: &Session,
        printer: &mut Printer,
    ) -> Result<ExitCode, Failure> {
        change::show(&[], &[self.effect.to_owned()], printer)?;
        let decision = change::confirm(options, "Write this?", session, printer).await?;
        let written = match decision {
            Decision::No => return Ok(ExitCode::No),
            Decision::DryRun => false,
            Decision::Go => {
                session.check_interrupted()?;
                let done = format!("preview {} {}", self.preview, self.done);
                session.write(&done, sent).await?;
                if !printer.is_data() {
                    printer.line(format_args!("{GREEN}✓{GREEN:#} {done}"))?;
                }
                true
            }
        };
        if printer.is_data() {
            printer.data(&ChangedJson {
                widget_id: self.widget,
                preview_id: self.preview,
                written,
            })?;
        } else if !written {
            printer.note("nothing was written (--dry-run)")?;
        }
        Ok(ExitCode::Yes)
    }
}
