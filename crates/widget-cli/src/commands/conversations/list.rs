//! `widget conversations list`.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use serde_json::Value;
use widget_api::{
    conversations::{Conversation, ConversationsQuery},
    unreadable::Listed,
};
use widget_core::conversation::selection;

use super::filter::{Filter, find_widget};
use crate::{
    exit::ExitCode,
    failure::Failure,
    online::{Session, ids, short_ids},
    printer::{OutputFormat, Printer, count},
    table::Column,
};

pub(super) const HELP: &str = "\
A key that may read what was said and sent (`conversations:read_sensitive`) can search it, and \
is shown who each visitor is, where an e-mail address or a name was sent, and what was said first.

Examples:
  widget conversations list 0197a8b2 --since 7d --open
  widget conversations list --text refund --visitor a@b.example";

/// Arguments of `conversations list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those of this widget: its id or its beginning, or the address of a page with it
    #[arg(value_name = "WIDGET")]
    widget: Option<String>,
    /// At most so many
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 50,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    limit: u32,
    /// Only those that have not ended
    #[arg(long, help_heading = "Filter")]
    open: bool,
    #[command(flatten)]
    filter: Filter,
}

/// Lists conversations.
pub(super) async fn run(
    arguments: &List,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let widget = find_widget(arguments.widget.as_deref(), session, printer).await?;
    let limit = arguments.limit;
    let query = ConversationsQuery {
        limit: Some(limit.saturating_add(1).min(widget_api::MAX_PAGE_LIMIT)),
        is_open: arguments.open.then_some(true),
        ..arguments.filter.query(widget)?
    };
    let limit = limit as usize;
    // One more, to say whether there are more.
    let mut found = session
        .client
        .list_conversations(&query)
        .collect(Some(limit.saturating_add(1)))
        .await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    if printer.is_data() {
        for conversation in &found {
            printer.data(conversation)?;
        }
        return Ok(ExitCode::Yes);
    }
    let all: Vec<String> = found.iter().map(id_of).collect();
    let ids = match printer.format() {
        OutputFormat::Human => short_ids(&all, session).await,
        _ => all,
    };
    let widgets = match widget {
        Some(_) => None,
        None => Some(name_widgets(&found, session, printer).await),
    };
    show(&found, ids, widgets.as_ref(), has_more, printer)?;
    Ok(ExitCode::Yes)
}

/// What people are shown of the widgets of conversations, by their ids.
async fn name_widgets(
    found: &[Listed<Conversation>],
    session: &Session,
    printer: &Printer,
) -> BTreeMap<String, String> {
    let ids: BTreeSet<String> = found
        .iter()
        .filter_map(|listed| match listed {
            Listed::Readable(conversation) => Some(conversation.web_widget_id.to_string()),
            Listed::Unreadable(_) => None,
        })
        .collect();
    let ids: Vec<String> = ids.into_iter().collect();
    if printer.is_table() {
        return ids.iter().map(|id| (id.clone(), id.clone())).collect();
    }
    let named = crate::commands::list::name_widgets(&ids, session).await;
    ids.into_iter().zip(named).collect()
}

fn id_of(listed: &Listed<Conversation>) -> String {
    match listed {
        Listed::Readable(conversation) => conversation.id.to_string(),
        Listed::Unreadable(record) => record.id.clone(),
    }
}

/// A list is only a part of all conversations, among which an id must be unambiguous.
async fn short_ids(ids: &[String], session: &Session) -> Vec<String> {
    short_ids::short_ids_of_part(ids, async |prefix, most| {
        let pages = ids::list_conversations(session, prefix);
        let found = pages.collect(Some(most)).await?;
        Ok(found.iter().map(id_of).collect())
    })
    .await
}

/// Shows the conversations: over several widgets also whose each is, and with a key that may read
/// it, who the visitor is and what was said first.
fn show(
    found: &[Listed<Conversation>],
    ids: Vec<String>,
    widgets: Option<&BTreeMap<String, String>>,
    has_more: bool,
    printer: &mut Printer,
) -> Result<(), Failure> {
    if found.is_empty() {
        return printer.note("no conversations");
    }
    let rows = found.iter().zip(ids).map(|(listed, id)| {
        let Listed::Readable(conversation) = listed else {
            let state = "unreadable".to_owned();
            let mut cells = [Some(id), None, Some(state)].into_iter();
            return std::array::from_fn(|_| cells.next().flatten().unwrap_or_default());
        };
        let widget = widgets.map(|widgets| {
            let widget = conversation.web_widget_id.to_string();
            widgets.get(&widget).cloned().unwrap_or(widget)
        });
        [
            id,
            crate::commands::time(conversation.created_at),
            super::state(conversation),
            conversation.mode.to_string(),
            conversation
                .active_at
                .map(crate::commands::time)
                .unwrap_or_default(),
            widget.unwrap_or_default(),
            find_visitor(conversation).unwrap_or_default(),
            conversation.first_words.clone().unwrap_or_default(),
        ]
    });
    let columns = [
        Column::whole("ID"),
        Column::whole("BEGAN"),
        Column::cut("STATE"),
        Column::whole("MODE").or_left_out(2),
        Column::whole("LAST SAID").or_left_out(3),
        Column::cut("WIDGET").or_left_out(1).if_any(),
        Column::cut("VISITOR").or_left_out(0).if_any(),
        Column::cut("FIRST WORDS").if_any(),
    ];
    printer.table(columns, rows)?;
    let number = count(found.len(), "conversation", "conversations");
    let hint = if has_more {
        "; there are more, and `--limit` shows them"
    } else {
        ""
    };
    printer.note(format_args!("{number}{hint}"))
}

/// Who the visitor is, from what was sent.
fn find_visitor(conversation: &Conversation) -> Option<String> {
    let metadata = conversation.custom_metadata.as_ref()?;
    let metadata: Value = serde_json::from_str(metadata.get()).ok()?;
    selection::find_visitor(&metadata).map(str::to_owned)
}
