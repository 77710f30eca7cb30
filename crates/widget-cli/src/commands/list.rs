//! `widget list`: the widgets of the organization.

use std::{cell::RefCell, collections::HashMap};

use clap::Args;
use widget_api::{
    Timestamp,
    unreadable::WidgetRecord,
    widgets::{ListedWidget, WidgetsQuery},
};
use widget_core::{
    doctor::quote_for_shell,
    id::AgentVersionId,
    listing::WidgetState,
    origin::{Entry, Origin, SuffixList},
};

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self, Session, advice, ids,
        reference::{id_of, title},
        short_ids, since,
    },
    printer::{OutputFormat, Printer, count, hint_line},
    table::Column,
};

pub(crate) const HELP: &str = "\
Shows the shortest beginning of each id that names one widget, and whole ids where that would take \
many questions; columns are cut and left out to fit the terminal. `--output table` shows everything.

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
    /// Only widgets of this agent: its name, its id or the beginning of that
    #[arg(long, value_name = "AGENT")]
    pub(crate) agent: Option<String>,
    /// Only widgets that pin this version: its id, or with --agent its number, its label or the
    /// beginning of its id
    #[arg(long, value_name = "VERSION")]
    pub(crate) version: Option<String>,
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
    let version: Option<AgentVersionId> = match (&arguments.version, &arguments.agent) {
        (Some(text), None) => Some(text.parse().map_err(|_| {
            Failure::unexpected(format_args!(
                "`--version {}` names a version only together with its agent",
                quote_for_shell(text)
            ))
            .hint("name the agent with `--agent`, or the version by its whole id")
        })?),
        _ => None,
    };
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
        query.agent_version_id = match (&arguments.version, query.agent_id) {
            (Some(text), Some(agent)) => Some(ids::find_version(session, agent, text).await?.id),
            _ => version,
        };
        let widgets = session
            .client
            .list_web_widgets(&query)
            .collect(limit)
            .await?;
        let all: Vec<String> = widgets
            .iter()
            .map(|widget| id_of(widget).to_string())
            .collect();
        let is_part = limit.is_some() || query != whole_list(&query);
        if !arguments.deleted {
            session.seen.note_list(&widgets, !is_part);
        }
        let ids = match printer.format() {
            OutputFormat::Human if is_part => short_ids(&all, query.deleted, session).await,
            OutputFormat::Human => short_ids::short_ids(&all),
            _ => all,
        };
        show(&widgets, ids, printer)?;
        if widgets.is_empty() && !printer.is_data() {
            note_twin(&query, session, printer).await?;
        }
        Ok(ExitCode::Yes)
    })
}

/// Says when widgets are not for the site that was asked for, and are for the same one with `www.`
/// or without it.
async fn note_twin(
    query: &WidgetsQuery,
    session: &Session,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let Some(twin) = query.domain.as_deref().and_then(find_twin) else {
        return Ok(());
    };
    let host = twin.host();
    let query = WidgetsQuery {
        domain: Some(host.to_owned()),
        ..query.clone()
    };
    let found = session.client.list_web_widgets(&query);
    if found.collect(Some(1)).await?.is_empty() {
        return Ok(());
    }
    printer.note(hint_line(&format!(
        "with and without `www.` are different sites: widget list --domain {host}"
    )))
}

fn find_twin(site: &str) -> Option<Origin> {
    let suffixes = SuffixList::builtin();
    let page = Origin::parse_page(site).ok();
    let entry = || match Entry::parse(site, suffixes) {
        Ok(Entry::Exact(origin)) => Some(origin),
        _ => None,
    };
    page.or_else(entry)?.www_twin(suffixes)
}

/// The query that lists all among which an id must be unambiguous.
fn whole_list(query: &WidgetsQuery) -> WidgetsQuery {
    WidgetsQuery {
        limit: query.limit,
        deleted: query.deleted,
        ..WidgetsQuery::default()
    }
}

/// What people are shown of widgets: the beginning of each id, and the title.
pub(super) async fn name_widgets(ids: &[String], session: &Session) -> Vec<String> {
    let titles = RefCell::new(HashMap::new());
    let note = |widget: &WidgetRecord<ListedWidget>| {
        if let Some(title) = title(widget) {
            let title = title.to_owned();
            titles.borrow_mut().insert(id_of(widget).to_string(), title);
        }
    };
    let short = short_ids_noting(ids, None, session, note).await;
    let titles = titles.borrow();
    ids.iter()
        .zip(short)
        .map(|(id, short)| match titles.get(id) {
            Some(title) => format!("{short} \"{title}\""),
            None => short,
        })
        .collect()
}

async fn short_ids(ids: &[String], deleted: Option<bool>, session: &Session) -> Vec<String> {
    short_ids_noting(ids, deleted, session, |_| ()).await
}

/// As [`short_ids()`]; `note` gets every widget that is looked at.
async fn short_ids_noting(
    ids: &[String],
    deleted: Option<bool>,
    session: &Session,
    note: impl Fn(&WidgetRecord<ListedWidget>),
) -> Vec<String> {
    short_ids::short_ids_of_part(ids, async |prefix, most| {
        let query = WidgetsQuery {
            limit: Some(widget_api::MAX_PAGE_LIMIT),
            id_prefix: Some(prefix),
            deleted,
            ..WidgetsQuery::default()
        };
        let pages = session.client.list_web_widgets(&query);
        let found = pages.collect(Some(most)).await?;
        found.iter().for_each(&note);
        Ok(found
            .iter()
            .map(|widget| id_of(widget).to_string())
            .collect())
    })
    .await
}

fn show(
    widgets: &[WidgetRecord<ListedWidget>],
    ids: Vec<String>,
    printer: &mut Printer,
) -> Result<(), Failure> {
    if printer.is_data() {
        for widget in widgets {
            printer.data(widget)?;
        }
        return Ok(());
    }
    if widgets.is_empty() {
        return printer.note("no widgets");
    }
    let in_full = printer.is_table();
    let rows = widgets.iter().zip(ids).map(|(record, id)| {
        let title = title(record).unwrap_or_default().to_owned();
        let (domains, updated_at) = match record {
            WidgetRecord::Readable(listed) => {
                (Some(&listed.widget.domains), Some(listed.widget.updated_at))
            }
            WidgetRecord::Unreadable(widget) => (widget.domains.as_ref(), widget.updated_at),
        };
        [
            id,
            title,
            state(record),
            agent(record),
            join_domains(domains.map_or(&[][..], Vec::as_slice), in_full),
            updated_at.map(super::time).unwrap_or_default(),
        ]
    });
    let columns = [
        Column::whole("ID"),
        Column::cut("TITLE"),
        Column::cut("STATE"),
        Column::cut("AGENT").or_left_out(1),
        Column::cut("DOMAINS").or_left_out(2),
        Column::whole("UPDATED").or_left_out(3),
    ];
    printer.table(columns, rows)?;
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
            let reasons = listed
                .blockers
                .iter()
                .map(|found| advice::words(&found.code));
            format!("blocked: {}", reasons.collect::<Vec<_>>().join(", "))
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
