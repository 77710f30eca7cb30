//! `widget conversations list`.

use clap::Args;
use widget_api::{
    conversations::{Conversation, ConversationsQuery},
    unreadable::Listed,
};

use super::filter::{Filter, find_widget};
use crate::{
    exit::ExitCode,
    failure::Failure,
    online::{Session, reference::short_ids},
    printer::{Printer, count},
};

pub(super) const HELP: &str = "\
What was said and sent can be searched with a key that may read it \
(`conversations:read_sensitive`).

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
    /// Only those in which somebody said this text
    #[arg(long, value_name = "TEXT", help_heading = "Filter")]
    text: Option<String>,
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
    let selection = arguments.filter.selection(widget);
    let json = |map: &serde_json::Map<_, _>| (!map.is_empty()).then(|| serde_json::to_string(map));
    let limit = arguments.limit;
    let query = ConversationsQuery {
        limit: Some(limit.saturating_add(1).min(widget_api::MAX_PAGE_LIMIT)),
        web_widget_id: selection.web_widget_id,
        created_after: selection.created_after,
        created_before: selection.created_before,
        is_open: arguments.open.then_some(true),
        text: arguments.text.clone(),
        metadata: json(&selection.metadata)
            .transpose()
            .map_err(Failure::unexpected)?,
        form: json(&selection.form)
            .transpose()
            .map_err(Failure::unexpected)?,
        visitor: selection.visitor,
        ..ConversationsQuery::default()
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
    show(&found, has_more, printer)?;
    Ok(ExitCode::Yes)
}

fn show(
    found: &[Listed<Conversation>],
    has_more: bool,
    printer: &mut Printer,
) -> Result<(), Failure> {
    if printer.is_data() {
        for conversation in found {
            printer.data(conversation)?;
        }
        return Ok(());
    }
    if found.is_empty() {
        return printer.note("no conversation");
    }
    let ids: Vec<String> = found
        .iter()
        .map(|listed| match listed {
            Listed::Readable(conversation) => conversation.id.to_string(),
            Listed::Unreadable(record) => record.id.clone(),
        })
        .collect();
    let shown = if printer.is_table() {
        ids.iter().map(String::as_str).collect()
    } else {
        short_ids(&ids)
    };
    let rows = found.iter().zip(shown).map(|(listed, id)| {
        let Listed::Readable(conversation) = listed else {
            let empty = String::new;
            let state = "unreadable".to_owned();
            return [id.to_owned(), empty(), state, empty(), empty()];
        };
        [
            id.to_owned(),
            crate::commands::time(conversation.created_at),
            super::state(conversation),
            conversation.mode.to_string(),
            conversation
                .active_at
                .map(crate::commands::time)
                .unwrap_or_default(),
        ]
    });
    printer.table(["ID", "BEGAN", "STATE", "MODE", "LAST SAID"], rows)?;
    let number = count(found.len(), "conversation", "conversations");
    let more = if has_more {
        "; there are more, and `--limit` shows them"
    } else {
        ""
    };
    printer.note(format_args!("{number}{more}"))
}
