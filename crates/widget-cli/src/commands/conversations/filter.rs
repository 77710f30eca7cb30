//! Which conversations are meant, as options.

use clap::Args;
use serde_json::{Map, Value};
use widget_api::{
    Timestamp, conversations::ConversationsQuery, erasures::ConversationSelection,
    unreadable::Listed,
};
use widget_core::{
    doctor::quote_for_shell,
    id::{ConversationId, WidgetId},
    json::escape_token,
};

use crate::{
    failure::Failure,
    online::{Session, ids::IdText, reference::Reference, since},
    printer::{Printer, hint_line},
};

/// Options that select conversations: those that fit everything that is named.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filter")]
pub(super) struct Filter {
    /// Only those with this value of a field of the form before the conversation, or, as
    /// `/page/context/KEY=VALUE`, of what the page passes on; can be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub(super) metadata: Vec<(String, String)>,
    /// Only those with this value of a field in one form; can be repeated
    #[arg(long, value_name = "FIELD=VALUE", value_parser = parse_pair)]
    pub(super) form: Vec<(String, String)>,
    /// Only those with this text as a whole value anywhere in what was sent; an e-mail address in
    /// upper or lower case
    #[arg(long, value_name = "TEXT")]
    pub(super) visitor: Option<String>,
    /// Only those in which somebody said this text, in upper or lower case
    #[arg(long, value_name = "TEXT")]
    pub(super) text: Option<String>,
    /// Only those that began after this time, such as `7d` ago
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    pub(super) since: Option<Timestamp>,
    /// Only those that began before this time
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    pub(super) until: Option<Timestamp>,
}

/// Conversations by their ids, or those that a filter selects.
#[derive(Debug, Args)]
pub(super) struct Selected {
    /// The conversations: ids, or their beginnings
    #[arg(value_name = "CONVERSATION")]
    pub(super) conversations: Vec<IdText<ConversationId>>,
    /// Only those of this widget: its id or its beginning, or the address of a page with it
    #[arg(long, value_name = "WIDGET", help_heading = "Filter")]
    pub(super) widget: Option<String>,
    #[command(flatten)]
    pub(super) filter: Filter,
}

/// What a person selected.
pub(super) enum Selection {
    Ids(Vec<ConversationId>),
    Filter(Box<ConversationSelection>),
}

impl Filter {
    fn is_empty(&self) -> bool {
        self.metadata.is_empty()
            && self.form.is_empty()
            && self.visitor.is_none()
            && self.text.is_none()
            && self.since.is_none()
            && self.until.is_none()
    }

    /// The question for a list of those that fit.
    pub(super) fn query(&self, widget: Option<WidgetId>) -> Result<ConversationsQuery, Failure> {
        let selection = self.selection(widget);
        let json = |map: &Map<String, Value>| {
            let text = (!map.is_empty()).then(|| serde_json::to_string(map));
            text.transpose().map_err(Failure::unexpected)
        };
        Ok(ConversationsQuery {
            web_widget_id: selection.web_widget_id,
            created_after: selection.created_after,
            created_before: selection.created_before,
            metadata: json(&selection.metadata)?,
            form: json(&selection.form)?,
            visitor: selection.visitor,
            text: self.text.clone(),
            ..ConversationsQuery::default()
        })
    }

    /// The filter as jobs of the service read it: without the text, for which they do not look.
    fn selection(&self, widget: Option<WidgetId>) -> ConversationSelection {
        ConversationSelection {
            web_widget_id: widget,
            created_after: self.since,
            created_before: self.until,
            metadata: metadata_of(&self.metadata),
            form: object_of(&self.form),
            visitor: self.visitor.clone(),
        }
    }
}

impl Selected {
    /// Finds what is meant; with neither ids nor a filter it is nothing.
    pub(super) async fn find(
        &self,
        session: &Session,
        printer: &mut Printer,
    ) -> Result<Selection, Failure> {
        let has_filter = self.widget.is_some() || !self.filter.is_empty();
        if has_filter && !self.conversations.is_empty() {
            return Err(Failure::unexpected(
                "conversations are named by ids or by a filter, not by both",
            )
            .hint("leave out the ids, or the options of the filter"));
        }
        if !has_filter && self.conversations.is_empty() {
            return Err(Failure::unexpected("no conversation is named").hint(
                "name conversations by their ids, or by a filter such as `--widget WIDGET` or \
                 `--visitor a@b.example`",
            ));
        }
        if has_filter {
            let widget = find_widget(self.widget.as_deref(), session, printer).await?;
            if self.filter.text.is_some() {
                return self.find_by_text(widget, session).await;
            }
            return Ok(Selection::Filter(Box::new(self.filter.selection(widget))));
        }
        let mut ids = Vec::with_capacity(self.conversations.len());
        for conversation in &self.conversations {
            let id = crate::online::ids::find_conversation(session, conversation).await?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(Selection::Ids(ids))
    }
}

impl Selected {
    /// Looks for a text, which only lists do.
    async fn find_by_text(
        &self,
        widget: Option<WidgetId>,
        session: &Session,
    ) -> Result<Selection, Failure> {
        let query = ConversationsQuery {
            limit: Some(widget_api::MAX_PAGE_LIMIT),
            ..self.filter.query(widget)?
        };
        let found = session.client.list_conversations(&query);
        let ids: Vec<_> = found
            .collect(None)
            .await?
            .into_iter()
            .map(|listed| match listed {
                Listed::Readable(conversation) => Ok(conversation.id),
                Listed::Unreadable(record) => record
                    .id
                    .parse()
                    .map_err(|_| Failure::unexpected(format_args!("`{}` is not an id", record.id))),
            })
            .collect::<Result<_, _>>()?;
        if ids.is_empty() {
            return Err(nothing_fits("nothing was done"));
        }
        Ok(Selection::Ids(ids))
    }
}

/// Says that a filter selects nothing: what a visitor asked for was probably written otherwise.
pub(super) fn nothing_fits(done: &str) -> Failure {
    Failure::bad_input(format_args!("no conversation fits; {done}")).hint(
        "values are compared whole; `--visitor TEXT` looks in everything that was sent, and `widget \
         conversations list --text TEXT` for a part of what was said",
    )
}

/// Says how to find what a visitor only wrote in a message, which no filter selects.
pub(super) fn note_messages(
    visitor: Option<&str>,
    widget: Option<&str>,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let Some(text) = visitor.filter(|_| !printer.is_data()) else {
        return Ok(());
    };
    // Other widgets may be for other customers.
    let widget = widget.map(|widget| format!(" {}", quote_for_shell(widget)));
    printer.note(hint_line(&format!(
        "to find it in messages too: `widget conversations list{} --text {}`",
        widget.unwrap_or_default(),
        quote_for_shell(text)
    )))
}

/// Finds the widget that an argument names, if there is one.
pub(super) async fn find_widget(
    text: Option<&str>,
    session: &Session,
    printer: &mut Printer,
) -> Result<Option<WidgetId>, Failure> {
    let Some(text) = text else {
        return Ok(None);
    };
    let reference = Reference::parse(text)?;
    reference.require_current()?;
    reference.find_id(session, printer).await.map(Some)
}

/// The filter's metadata: keys are JSON Pointers there.
fn metadata_of(pairs: &[(String, String)]) -> Map<String, Value> {
    let pointer = |key: &str| match key.strip_prefix('/') {
        Some(_) => key.to_owned(),
        None => format!("/{}", escape_token(key)),
    };
    pairs
        .iter()
        .map(|(key, value)| (pointer(key), Value::from(value.as_str())))
        .collect()
}

fn object_of(pairs: &[(String, String)]) -> Map<String, Value> {
    pairs
        .iter()
        .map(|(key, value)| (key.clone(), Value::from(value.as_str())))
        .collect()
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write a name, `=` and the value, such as `email=a@b.example`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_have_a_name() {
        let pair = |key: &str, value: &str| Ok((key.to_owned(), value.to_owned()));
        assert_eq!(parse_pair("email=a=b"), pair("email", "a=b"));
        assert_eq!(parse_pair("email="), pair("email", ""));
        assert!(parse_pair("email").is_err());
        assert!(parse_pair("=a").is_err());
    }

    #[test]
    fn names_become_pointers() {
        let pairs = [("email", "a"), ("/page/user", "b"), ("a/b~c", "d")];
        let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let metadata = Value::Object(metadata_of(&pairs));
        assert_eq!(
            metadata,
            serde_json::json!({"/email": "a", "/page/user": "b", "/a~1b~0c": "d"})
        );
    }
}
