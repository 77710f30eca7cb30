//! `widget history`: who changed a widget, when, and what.

use std::collections::BTreeSet;

use clap::Args;
use serde_json::Value;
use widget_api::{
    revisions::{Change, Revision, RevisionsQuery},
    unreadable::WidgetRecord,
};
use widget_core::api_key::describe_author;

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self, Session, effects,
        ids::{self, FoundVersion},
        reference::Reference,
    },
    printer::{BOLD, Printer, YELLOW, printable},
};

pub(crate) const HELP: &str = "\
Examples:
  widget history 0197a8b2
  widget history 0197a8b2 --limit 5 --output json

`widget show WIDGET@N` shows revision N.";

/// Where a widget names the version that it pins.
const VERSION: &str = "/agent_version_id";

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
        let versions = if printer.is_data() {
            Vec::new()
        } else {
            find_versions(&revisions, session).await
        };
        for revision in &revisions {
            show(revision, &versions, printer)?;
        }
        Ok(ExitCode::Yes)
    })
}

/// The versions of the agents whose widget pinned another one.
async fn find_versions(revisions: &[Revision], session: &Session) -> Vec<FoundVersion> {
    let pinned_another = |revision: &&Revision| {
        let mut changes = revision.changes.iter();
        changes.any(|change| change.pointer == VERSION)
    };
    let agents: BTreeSet<_> = revisions
        .iter()
        .filter(pinned_another)
        .filter_map(|revision| match &revision.web_widget {
            WidgetRecord::Readable(widget) => Some(widget.agent_id),
            WidgetRecord::Unreadable(_) => None,
        })
        .collect();
    let mut versions = Vec::new();
    for agent in agents {
        versions.extend(ids::known_versions(session, agent).await);
    }
    versions
}

/// `version 1 "June" -> version 3 "August"`, when both are known.
fn name_versions(change: &Change, versions: &[FoundVersion]) -> Option<String> {
    let name = |id: &Option<Value>| {
        let id = id.as_ref()?.as_str()?;
        let known = versions.iter().find(|known| known.id.to_string() == id)?;
        Some(known.describe())
    };
    (change.pointer == VERSION).then_some(())?;
    Some(format!("{} -> {}", name(&change.from)?, name(&change.to)?))
}

fn show(
    revision: &Revision,
    versions: &[FoundVersion],
    printer: &mut Printer,
) -> Result<(), Failure> {
    if printer.is_data() {
        return printer.data(revision);
    }
    let time = revision.created_at.map(super::time);
    let how = match (revision.restored_from, revision.number) {
        (Some(number), _) => format!(", restored from {number}"),
        (None, 1) => "  created".to_owned(),
        (None, _) => String::new(),
    };
    printer.line(format_args!(
        "{BOLD}{}{BOLD:#}  {}  {}{how}",
        revision.number,
        time.as_deref().unwrap_or("at an unknown time"),
        printable(&author(revision)),
    ))?;
    for change in &revision.changes {
        for line in super::change_body_lines(change) {
            printer.line(format_args!("   {line}"))?;
        }
        if let Some(names) = name_versions(change, versions) {
            printer.line(format_args!("     {}", printable(&names)))?;
        }
    }
    for effect in &revision.effects {
        let effect = printable(&effects::noted(effect)).into_owned();
        printer.line(format_args!("   {YELLOW}!{YELLOW:#} {effect}"))?;
    }
    Ok(())
}

/// Whose key wrote a revision, by its name and its id.
pub(super) fn author(revision: &Revision) -> String {
    describe_author(
        revision.api_key_name.as_deref(),
        revision.api_key_id.as_deref(),
    )
}
