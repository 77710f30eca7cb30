//! `widget conversations follow`: what happens in a conversation, while it happens.

use std::time::Duration;

use clap::Args;
use serde_json::Value;
use widget_api::events::{ConversationEvent, EventType};
use widget_core::id::ConversationId;

use super::may_return;
use crate::{
    commands::time,
    exit::ExitCode,
    failure::Failure,
    online::{
        Session,
        ids::{self, IdText},
    },
    printer::{Printer, YELLOW, printable},
};

pub(super) const HELP: &str = "\
Begins with what has happened before, and ends with the conversation, or with Ctrl-C. When the \
connection is lost it is made again, and nothing is left out or shown twice.

Examples:
  widget conversations follow 0197c3d4
  widget conversations follow 0197c3d4 --output json      one event a line";

/// How long to wait after an attempt to connect that failed.
const PAUSE: Duration = Duration::from_secs(1);

const WAITING: &str = "waiting for what happens; Ctrl-C ends this";

/// Arguments of `conversations follow`.
#[derive(Debug, Args)]
pub(crate) struct Follow {
    /// A conversation's id or its beginning
    #[arg(value_name = "CONVERSATION")]
    conversation: IdText<ConversationId>,
}

/// Follows a conversation to its end.
pub(super) async fn run(
    arguments: &Follow,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let id = ids::find_conversation(session, &arguments.conversation).await?;
    let mut events = session.client.follow_conversation(id);
    session.follow(WAITING);
    let (mut has_begun, mut is_connected) = (false, true);
    loop {
        match events.next().await {
            Ok(Some(event)) => {
                if !is_connected {
                    session.follow(WAITING);
                }
                (has_begun, is_connected) = (true, true);
                show(&event, printer)?;
                // People and pipes see it now.
                printer.flush()?;
            }
            Ok(None) => return Ok(ExitCode::Yes),
            Err(error) if has_begun && may_return(&error) => {
                if is_connected {
                    let error = error.to_string();
                    printer.note(format_args!("{}; trying again", printable(&error)))?;
                }
                is_connected = false;
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn show(event: &ConversationEvent, printer: &mut Printer) -> Result<(), Failure> {
    if printer.is_data() {
        return printer.data(event);
    }
    if let Some(message) = &event.message {
        return super::show_message(message, printer);
    }
    let what = describe(event);
    let at = event
        .at
        .map(|at| format!("  {}", time(at)))
        .unwrap_or_default();
    let what = printable(&what);
    printer.line(format_args!("{YELLOW}·{YELLOW:#} {what}{at}"))?;
    for line in event.values.iter().flat_map(value_lines) {
        printer.line(format_args!("  {}", printable(&line)))?;
    }
    Ok(())
}

/// What was sent, a line for each field, such as `email: ada@mail.example`. The further lines of a
/// text are below its first.
fn value_lines(values: &Value) -> Vec<String> {
    let Some(fields) = values.as_object() else {
        return vec![values.to_string()];
    };
    let mut lines = Vec::new();
    for (field, value) in fields {
        let text = value_text(value);
        let mut of_text = text.lines();
        lines.push(format!("{field}: {}", of_text.next().unwrap_or_default()));
        lines.extend(of_text.map(|line| format!("  {line}")));
    }
    lines
}

/// A value as its visitor gave it.
fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(several) => {
            let texts: Vec<String> = several.iter().map(value_text).collect();
            texts.join(", ")
        }
        other => other.to_string(),
    }
}

/// What happened, for events without something that was said.
fn describe(event: &ConversationEvent) -> String {
    let mode = event.mode.map(|mode| mode.to_string()).unwrap_or_default();
    match event.r#type.known() {
        Some(EventType::Created) => format!("began ({mode})"),
        Some(EventType::Joined) => "the visitor joined".to_owned(),
        Some(EventType::Mode) => format!("changed to {mode}"),
        Some(EventType::Turn) => "something was said that the key may not read".to_owned(),
        Some(EventType::Form) => {
            let form = event.form_id.as_deref().unwrap_or_default();
            format!("the visitor sent the form `{form}`")
        }
        Some(EventType::Ended) => match event.end_reason {
            Some(reason) => format!("ended: {reason}"),
            None => "ended".to_owned(),
        },
        Some(EventType::Feedback) => "the visitor gave feedback".to_owned(),
        Some(EventType::Erased) => match &event.erased_by {
            Some(by) => format!("erased by {by}"),
            None => "erased".to_owned(),
        },
        // Of a service that is newer than this program.
        None => event.r#type.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::value_lines;

    #[test]
    fn values_have_a_line_for_each_field() {
        let values = json!({
            "rating": 5,
            "comment": "Good\nand fast",
            "topics": ["orders", "returns"],
            "again": true,
        });
        assert_eq!(
            value_lines(&values),
            [
                "rating: 5",
                "comment: Good",
                "  and fast",
                "topics: orders, returns",
                "again: true",
            ]
        );
        assert_eq!(value_lines(&json!([1])), ["[1]"]);
    }
}
