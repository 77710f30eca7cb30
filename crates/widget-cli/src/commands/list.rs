//! `widget list`: the widgets of the organization.

use clap::Args;
use widget_api::{unreadable::WidgetRecord, widgets::WidgetsQuery};
use widget_core::id::AgentId;

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self,
        reference::{id_of, short_ids, title},
    },
    printer::{Printer, count},
};

pub(crate) const HELP: &str = "\
Shows the shortest beginning of each id that names the widget; `--output table` shows whole ids.

Examples:
  widget list --domain https://shop.example
  widget list --published --limit 20 --output json";

/// How many domains of a widget people are shown.
const MAX_DOMAINS: usize = 2;

/// Arguments of `list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only widgets that list this entry, as the service stores it
    #[arg(long, value_name = "ENTRY")]
    pub(crate) domain: Option<String>,
    /// Only widgets of this agent
    #[arg(long, value_name = "ID")]
    pub(crate) agent: Option<AgentId>,
    /// Only widgets that their owner wants to be shown
    #[arg(long, conflicts_with = "unpublished")]
    pub(crate) published: bool,
    /// Only widgets that their owner does not want to be shown
    #[arg(long)]
    pub(crate) unpublished: bool,
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
    let limit = arguments.limit.map(|limit| limit as usize);
    let page = arguments.limit.unwrap_or(u32::MAX);
    let query = WidgetsQuery {
        limit: Some(page.min(widget_api::MAX_PAGE_LIMIT)),
        domain: arguments.domain.clone(),
        agent_id: arguments.agent,
        published: match (arguments.published, arguments.unpublished) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        },
        deleted: arguments.deleted.then_some(true),
        ..WidgetsQuery::default()
    };
    online::run(&global.service, printer, async |session, printer| {
        let widgets = session
            .client
            .list_web_widgets(&query)
            .collect(limit)
            .await?;
        show(&widgets, printer)?;
        Ok(ExitCode::Yes)
    })
}

fn show(widgets: &[WidgetRecord], printer: &mut Printer) -> Result<(), Failure> {
    if printer.is_data() {
        for widget in widgets {
            printer.data(widget)?;
        }
        return Ok(());
    }
    let ids: Vec<String> = widgets
        .iter()
        .map(|widget| id_of(widget).to_string())
        .collect();
    let shown = if printer.is_table() {
        ids.iter().map(String::as_str).collect()
    } else {
        short_ids(&ids)
    };
    let in_full = printer.is_table();
    let rows = widgets.iter().zip(shown).map(|(widget, id)| {
        let title = title(widget).unwrap_or_default().to_owned();
        let (domains, published, updated) = match widget {
            WidgetRecord::Readable(widget) => (
                Some(&widget.domains),
                Some(widget.published),
                Some(widget.updated_at),
            ),
            WidgetRecord::Unreadable(widget) => {
                (widget.domains.as_ref(), widget.published, widget.updated_at)
            }
        };
        let published = match (widget, published) {
            (WidgetRecord::Unreadable(_), _) => "unreadable",
            (_, Some(true)) => "yes",
            _ => "no",
        };
        [
            id.to_owned(),
            title,
            published.to_owned(),
            join_domains(domains.map_or(&[][..], Vec::as_slice), in_full),
            updated.map(super::time).unwrap_or_default(),
        ]
    });
    if widgets.is_empty() {
        return printer.note("no widget");
    }
    printer.table(["ID", "TITLE", "PUBLISHED", "DOMAINS", "UPDATED"], rows)?;
    printer.note(count(widgets.len(), "widget", "widgets"))
}

fn join_domains(domains: &[String], in_full: bool) -> String {
    let kept = if in_full { domains.len() } else { MAX_DOMAINS };
    let text = domains[..domains.len().min(kept)].join(", ");
    match domains.len().saturating_sub(kept) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}
