//! `widget list`: the widgets of the organization.

use clap::Args;
use widget_api::{
    Timestamp,
    unreadable::WidgetRecord,
    widgets::{ListedWidget, WidgetsQuery},
};
use widget_core::{id::AgentId, listing::WidgetState};

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self,
        ids::{self, IdText, VersionText},
        reference::{id_of, short_ids, title},
        since,
    },
    printer::{Printer, count},
};

pub(crate) const HELP: &str = "\
Shows the shortest beginning of each id that names the widget; `--output table` shows whole ids.

Examples:
  widget list --domain https://shop.example
  widget list --blocked --updated-after 7d
  widget list --published --limit 20 --output json";

/// How many domains of a widget people are shown.
const MAX_DOMAINS: usize = 2;

/// Arguments of `list`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option")]
pub(crate) struct List {
    /// Only widgets for this site: an address, a host, or an entry with `*`
    #[arg(long, value_name = "SITE")]
    pub(crate) domain: Option<String>,
    /// Only widgets with this text in their title
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// Only widgets of this agent: its id, or the beginning of it
    #[arg(long, value_name = "AGENT")]
    pub(crate) agent: Option<IdText<AgentId>>,
    /// Only widgets that pin this version: its id, or with --agent its number
    #[arg(long, value_name = "VERSION")]
    pub(crate) version: Option<VersionText>,
    /// Only widgets that their owner wants to be shown
    #[arg(long, conflicts_with = "unpublished")]
    pub(crate) published: bool,
    /// Only widgets that their owner does not want to be shown
    #[arg(long)]
    pub(crate) unpublished: bool,
    /// Only widgets that are published, and that something else keeps from being live
    #[arg(long, conflicts_with = "unpublished")]
    pub(crate) blocked: bool,
    /// Only widgets that were changed after this time, such as `7d` ago
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    pub(crate) updated_after: Option<Timestamp>,
    /// Widgets that were deleted, instead of the others
    #[arg(long)]
    pub(crate) deleted: bool,
    /// At most so many
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
}

/// Lists widgets, page by page.
pub(super) fn run(
    arguments: &List,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    if let (Some(VersionText::Number(number)), None) = (arguments.version, &arguments.agent) {
        return Err(Failure::unexpected(format_args!(
            "`--version {number}` is a number, which names a version only together with its agent"
        ))
        .hint("name the agent with `--agent`, or the version by its id"));
    }
    let limit = arguments.limit.map(|limit| limit as usize);
    let page = arguments.limit.unwrap_or(u32::MAX);
    let mut query = WidgetsQuery {
        limit: Some(page.min(widget_api::MAX_PAGE_LIMIT)),
        domain: arguments.domain.clone(),
        title: arguments.title.clone(),
        published: match (arguments.published, arguments.unpublished) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        },
        blocked: arguments.blocked.then_some(true),
        updated_after: arguments.updated_after,
        deleted: arguments.deleted.then_some(true),
        ..WidgetsQuery::default()
    };
    online::run(&global.service, printer, async |session, printer| {
        if let Some(agent) = &arguments.agent {
            query.agent_id = Some(ids::find_agent(session, agent).await?);
        }
        query.agent_version_id = match (arguments.version, query.agent_id) {
            (Some(VersionText::Id(id)), _) => Some(id),
            (Some(version), Some(agent)) => Some(ids::find_version(session, agent, version).await?),
            _ => None,
        };
        let widgets = session
            .client
            .list_web_widgets(&query)
            .collect(limit)
            .await?;
        show(&widgets, printer)?;
        Ok(ExitCode::Yes)
    })
}

fn show(widgets: &[WidgetRecord<ListedWidget>], printer: &mut Printer) -> Result<(), Failure> {
    if printer.is_data() {
        for widget in widgets {
            printer.data(widget)?;
        }
        return Ok(());
    }
    if widgets.is_empty() {
        return printer.note("no widget");
    }
    let ids: Vec<String> = widgets
        .iter()
        .map(|widget| id_of(widget).to_string())
        .collect();
    let in_full = printer.is_table();
    let shown = if in_full {
        ids.iter().map(String::as_str).collect()
    } else {
        short_ids(&ids)
    };
    let rows = widgets.iter().zip(shown).map(|(record, id)| {
        let title = title(record).unwrap_or_default().to_owned();
        let (domains, updated_at) = match record {
            WidgetRecord::Readable(listed) => {
                (Some(&listed.widget.domains), Some(listed.widget.updated_at))
            }
            WidgetRecord::Unreadable(widget) => (widget.domains.as_ref(), widget.updated_at),
        };
        [
            id.to_owned(),
            title,
            state(record),
            agent(record),
            join_domains(domains.map_or(&[][..], Vec::as_slice), in_full),
            updated_at.map(super::time).unwrap_or_default(),
        ]
    });
    let names = ["ID", "TITLE", "STATE", "AGENT", "DOMAINS", "UPDATED"];
    printer.table(names, rows)?;
    printer.note(count(widgets.len(), "widget", "widgets"))
}

/// Whether visitors see a widget, and why not when its owner wants it.
fn state(record: &WidgetRecord<ListedWidget>) -> String {
    let listed = match record {
        WidgetRecord::Unreadable(_) => return "unreadable".to_owned(),
        WidgetRecord::Readable(listed) => listed,
    };
    match listed.state {
        None => "deleted".to_owned(),
        Some(WidgetState::Blocked) => {
            let codes = listed.blockers.iter().map(|found| found.code.to_string());
            format!("blocked: {}", codes.collect::<Vec<_>>().join(", "))
        }
        Some(state) => state.to_string(),
    }
}

/// The agent and its pinned version, as people know them.
fn agent(record: &WidgetRecord<ListedWidget>) -> String {
    let WidgetRecord::Readable(listed) = record else {
        return String::new();
    };
    let name = listed.agent_name.clone();
    let name = name.unwrap_or_else(|| listed.widget.agent_id.to_string());
    match (listed.agent_version_number, &listed.agent_version_label) {
        (Some(number), Some(label)) => format!("{name} {number} ({label})"),
        (Some(number), None) => format!("{name} {number}"),
        (None, _) => name,
    }
}

fn join_domains(domains: &[String], in_full: bool) -> String {
    let kept = if in_full { domains.len() } else { MAX_DOMAINS };
    let text = domains[..domains.len().min(kept)].join(", ");
    match domains.len().saturating_sub(kept) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}
