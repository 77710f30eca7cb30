//! `widget restore`: makes a widget what it was.

use clap::Args;
use serde::Serialize;
use widget_api::{
    Widget,
    client::{Error, Tagged},
    unreadable::WidgetRecord,
    widgets::WrittenWidget,
};
use widget_core::{doctor::quote_for_shell, id::WidgetId};

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self, Session,
        change::{self, PendingChange},
        proposal::{ChangeOptions, Current, Outcome, Proposal, revision_of},
        reference::{Reference, require_readable},
    },
    printer::Printer,
};

pub(crate) const HELP: &str = "\
Writes a new revision that is like an earlier one; the history stays as it is. A widget that the \
service cannot read is readable again.

Examples:
  widget history 0197a8b2
  widget restore 0197a8b2@3
  widget restore 0197a8b2@3 --dry-run

`widget undelete` brings a deleted widget back.";

/// Arguments of `restore`.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// A widget's id or its beginning, or the address of a page with it, and @N for revision N
    #[arg(value_name = "WIDGET@N")]
    pub(crate) widget: String,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// The answer for a widget that could not be read, for programs.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "RestoredWidget"))]
pub(crate) struct RestoredJson {
    #[cfg_attr(test, schemars(with = "widget_api::schema::Text<WidgetId>"))]
    widget_id: WidgetId,
    written: bool,
    /// The number of the revision that was written; `null` when nothing was, and when the answer of
    /// the service lost it on the way.
    revision: Option<i64>,
}

/// Restores a revision.
pub(super) fn run(
    arguments: &Restore,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let reference = Reference::parse(&arguments.widget)?;
    let Some(number) = reference.revision else {
        return Err(Failure::unexpected(format_args!(
            "`{}` does not say which revision to restore",
            arguments.widget
        ))
        .hint(format_args!(
            "add it as `@N`, such as `@3`; `widget history {}` shows the revisions",
            quote_for_shell(&arguments.widget)
        )));
    };
    let options = arguments.change;
    online::run(&global.service, printer, async |session, printer| {
        let record = reference.find_record(session, printer).await?;
        let etag = Current::of(&record, session)?.etag;
        let revision = reference.find_revision(number, session, printer).await?;
        let after = require_readable(revision.web_widget)?;
        let before = match &record.value {
            WidgetRecord::Readable(widget) => Current {
                value: widget,
                etag,
            },
            WidgetRecord::Unreadable(_) => {
                let sent = session
                    .client
                    .restore_revision(after.id, number, Some(etag));
                let sent = Box::pin(sent);
                return replace(&after, number, options, sent, session, printer).await;
            }
        };
        let pending = PendingChange {
            before,
            patch: widget_api::WidgetPatch::default(),
            effects: Vec::new(),
            done: &format!("is as in revision {number}"),
            options,
        };
        let sent = session
            .client
            .restore_revision(after.id, number, Some(etag));
        let sent = Box::pin(sent);
        change::write_by(&pending, &after, sent, session, printer).await
    })
}

/// Replaces a widget that cannot be read, so that there is nothing to compare with.
async fn replace(
    after: &Widget,
    number: i64,
    options: ChangeOptions,
    sent: impl Future<Output = Result<Tagged<WrittenWidget>, Error>>,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let id = after.id;
    let effect =
        format!("the widget cannot be read now; it becomes what it was in revision {number}");
    let proposal = Proposal {
        lines: vec![change::effect_line(&effect)],
        warnings: Vec::new(),
        question: "Write this?",
        done: &format!("widget {id} is as in revision {number}"),
        options,
    };
    let outcome = change::make(&proposal, after, sent, session, printer).await?;
    let revision = match &outcome {
        Outcome::Written(written) => revision_of(written),
        Outcome::Shown | Outcome::Declined | Outcome::Conflict(_) => None,
    };
    let Some(written) = outcome.into_written()? else {
        return Ok(ExitCode::No);
    };
    if printer.is_data() {
        printer.data(&RestoredJson {
            widget_id: id,
            written,
            revision,
        })?;
    }
    Ok(ExitCode::Yes)
}
