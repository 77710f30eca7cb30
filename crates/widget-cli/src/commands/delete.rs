//! `widget delete` and `widget undelete`.

use clap::Args;
use serde::Serialize;
use widget_api::{
    Widget,
    client::Error,
    unreadable::WidgetRecord,
    widgets::{ListedWidget, WidgetsQuery},
};
use widget_core::id::WidgetId;

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self, Session, change, effects,
        proposal::{ChangeOptions, Current, Outcome, Proposal},
        reference::{Reference, Target, id_of, title},
    },
    printer::{Printer, RED, printable},
};

pub(crate) const DELETE_HELP: &str = "\
A deleted widget is shown nowhere, and its conversations end and stay readable. It is kept with its \
history: `widget list --deleted` shows it, and `widget undelete` brings it back.

Examples:
  widget delete 0197a8b2
  widget delete 0197a8b2 --yes";

pub(crate) const UNDELETE_HELP: &str = "\
The widget is not published then; `widget publish` shows it again.

Examples:
  widget list --deleted
  widget undelete 0197a8b2";

/// Arguments of `delete` and `undelete`.
#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// A widget's id or its beginning
    #[arg(value_name = "WIDGET")]
    pub(crate) widget: String,
    #[command(flatten)]
    pub(crate) change: ChangeOptions,
}

/// The answer for programs.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "DeletedWidget"))]
pub(crate) struct DeletedJson {
    #[cfg_attr(test, schemars(with = "widget_api::schema::Text<WidgetId>"))]
    widget_id: WidgetId,
    /// Whether it was written; not with `--dry-run`, and not when it was so already.
    written: bool,
    effects: Vec<String>,
}

/// Deletes a widget.
pub(super) fn delete(
    arguments: &Delete,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let reference = Reference::parse(&arguments.widget)?;
    reference.require_current()?;
    online::run(&global.service, printer, async |session, printer| {
        let record = reference.find_record(session, printer).await?;
        let id = id_of(&record.value);
        let what = describe(&record.value);
        let mut effects = vec![format!("{what} is deleted")];
        effects.append(&mut Box::pin(effects::find_end(id, session)).await?);
        let etag = Current::of(&record, session)?.etag;
        let sent = Box::pin(session.client.delete_web_widget(id, Some(etag)));
        let done = format!("widget {id} is deleted");
        let proposal = Proposal {
            lines: change::lines_of(&[], &effects),
            warnings: Vec::new(),
            question: "Delete this widget?",
            done: &done,
            options: arguments.change,
        };
        let before = match &record.value {
            WidgetRecord::Readable(widget) => Some(widget),
            WidgetRecord::Unreadable(_) => None,
        };
        let exit = make((id, before), effects, proposal, sent, session, printer).await?;
        let is_written = exit == ExitCode::Yes && !arguments.change.dry_run;
        if is_written {
            session.seen.note_deleted(id);
        }
        if is_written && !printer.is_data() {
            printer.note(format_args!("`widget undelete {id}` brings it back"))?;
        }
        Ok(exit)
    })
}

/// Brings a deleted widget back.
pub(super) fn undelete(
    arguments: &Delete,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let reference = Reference::parse(&arguments.widget)?;
    reference.require_current()?;
    online::run(&global.service, printer, async |session, printer| {
        let record = find_deleted(&reference, session).await?;
        let id = id_of(&record);
        let what = describe(&record);
        let sent = Box::pin(session.client.restore_web_widget(id, None));
        let done = format!("widget {id} is back; it is not published");
        let effects = vec![format!("{what} comes back, unpublished")];
        let proposal = Proposal {
            lines: change::lines_of(&[], &effects),
            warnings: Vec::new(),
            question: "Bring it back?",
            done: &done,
            options: arguments.change,
        };
        let exit = make((id, None), effects, proposal, sent, session, printer).await?;
        let is_written = exit == ExitCode::Yes && !arguments.change.dry_run;
        if is_written {
            session.seen.note_list(&[record], false);
        }
        if is_written && !printer.is_data() {
            printer.note(format_args!(
                "`widget publish {id}` shows it to visitors again"
            ))?;
        }
        Ok(exit)
    })
}

/// Makes a change that has no difference to show, of a widget as it was read, if it can be
/// compared with what somebody else makes of it.
async fn make<T>(
    (id, before): (WidgetId, Option<&Widget>),
    effects: Vec<String>,
    proposal: Proposal<'_>,
    sent: impl Future<Output = Result<T, Error>>,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let outcome = proposal.make(sent, session, printer).await?;
    if let Outcome::Conflict(_) = outcome {
        if let Some(before) = before {
            let ours = change::lines_of(&[], effects.get(..1).unwrap_or_default());
            Box::pin(change::show_conflict(before, &ours, session, printer)).await?;
        } else {
            printer.error(format_args!(
                "{RED}error{RED:#}: somebody else changed widget {id} in the meantime; nothing \
                 was written"
            ))?;
        }
        return Ok(ExitCode::No);
    }
    let Some(written) = outcome.into_written()? else {
        return Ok(ExitCode::No);
    };
    if printer.is_data() {
        printer.data(&DeletedJson {
            widget_id: id,
            written,
            effects,
        })?;
    }
    Ok(ExitCode::Yes)
}

fn describe<W: AsRef<Widget>>(record: &WidgetRecord<W>) -> String {
    let id = id_of(record);
    match title(record) {
        Some(title) => format!("widget {id} \"{}\"", printable(title)),
        None => format!("widget {id}"),
    }
}

/// Deleted widgets are found only in their own list.
async fn find_deleted(
    reference: &Reference,
    session: &Session,
) -> Result<WidgetRecord<ListedWidget>, Failure> {
    let beginning = match &reference.target {
        Target::Id(id) => id.to_string(),
        Target::Prefix(prefix) => prefix.clone(),
        _ => {
            return Err(Failure::unexpected(
                "a deleted widget is named by its id or the beginning of one",
            )
            .hint("`widget list --deleted` shows the deleted widgets"));
        }
    };
    let query = WidgetsQuery {
        limit: Some(widget_api::MAX_PAGE_LIMIT),
        id_prefix: Some(beginning.parse().map_err(Failure::bad_input)?),
        deleted: Some(true),
        ..WidgetsQuery::default()
    };
    let pages = session.client.list_web_widgets(&query);
    let mut found = pages.collect(None).await?;
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(
            Failure::bad_input(format_args!("no deleted widget has the id `{beginning}`"))
                .hint("`widget list --deleted` shows the deleted widgets"),
        ),
        number => Err(Failure::bad_input(format_args!(
            "`{beginning}` is the beginning of {number} deleted widgets' ids; use more of it"
        ))
        .hint("`widget list --deleted` shows the deleted widgets")),
    }
}
