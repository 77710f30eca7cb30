//! `widget history`: who changed a widget, when, and what.

use clap::Args;
use widget_api::revisions::{Revision, RevisionsQuery};

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{self, effects, reference::Reference},
    printer::{BOLD, Printer, YELLOW, printable},
};

pub(crate) const HELP: &str = "\
Examples:
  widget history 0197a8b2
  widget history 0197a8b2 --limit 5 --output json

`widget show WIDGET@N` shows revision N.";

/// Arguments of `history`.
#[derive(Debug, Args)]
pub(crate) struct History {
    /// A widget's id or its beginning, or the address of a page with it
    #[arg(value_name = "WIDGET")]
    pub(crate) widget: String,
    /// At most so many revisions
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 20,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub(crate) limit: u32,
}

/// Shows the history of a widget, the newest first.
pub(super) fn run(
    arguments: &History,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let reference = Reference::parse(&arguments.widget)?;
    reference.require_current()?;
    let query = RevisionsQuery {
        limit: Some(arguments.limit.min(widget_api::MAX_PAGE_LIMIT)),
        before: None,
    };
    online::run(&global.service, printer, async |session, printer| {
        let id = reference.find_id(session, printer).await?;
        let pages = session.client.list_revisions(id, &query);
        let revisions = pages.collect(Some(arguments.limit as usize)).await?;
        for revision in &revisions {
            show(revision, printer)?;
        }
        Ok(ExitCode::Yes)
    })
}

fn show(revision: &Revision, printer: &mut Printer) -> Result<(), Failure> {
    if printer.is_data() {
        return printer.data(revision);
    }
    let time = revision.created_at.map(super::time);
    let key = match (&revision.api_key_name, &revision.api_key_id) {
        (Some(name), Some(id)) => format!("{name} ({id})"),
        (None, Some(id)) => id.clone(),
        _ => "an unknown key".to_owned(),
    };
    let restored = revision
        .restored_from
        .map(|number| format!(", restored from {number}"))
        .unwrap_or_default();
    printer.line(format_args!(
        "{BOLD}{}{BOLD:#}  {}  {}{restored}",
        revision.number,
        time.as_deref().unwrap_or("at an unknown time"),
        printable(&key),
    ))?;
    for line in revision.changes.iter().flat_map(super::change_body_lines) {
        printer.line(format_args!("   {line}"))?;
    }
    for effect in &revision.effects {
        let effect = printable(&effects::noted(effect)).into_owned();
        printer.line(format_args!("   {YELLOW}!{YELLOW:#} {effect}"))?;
    }
    Ok(())
}
