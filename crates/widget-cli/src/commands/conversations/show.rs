//! `widget conversations show`: a conversation with its transcript.

use clap::Args;
use serde::Serialize;
use widget_api::{
    ProblemCode,
    conversations::{Conversation, Message},
};
use widget_core::id::ConversationId;

use crate::{
    commands::time,
    exit::ExitCode,
    failure::Failure,
    online::{
        Session,
        ids::{self, IdText},
    },
    printer::Printer,
};

pub(super) const HELP: &str = "\
Examples:
  widget conversations show 0197c3d4
  widget conversations show 0197c3d4 --output json";

/// Arguments of `conversations show`.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// A conversation's id or its beginning
    #[arg(value_name = "CONVERSATION")]
    conversation: IdText<ConversationId>,
}

/// The answer for programs.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "ShownConversation"))]
pub(crate) struct ShowJson {
    conversation: Conversation,
    /// `null` when the key may not read it, and when it was erased.
    messages: Option<Vec<Message>>,
}

/// Shows a conversation.
pub(super) async fn run(
    arguments: &Show,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let id = ids::find_conversation(session, &arguments.conversation).await?;
    let conversation = session.client.get_conversation(id).await?;
    let mut why_not = None;
    let messages = match session.client.get_transcript(id).await {
        Ok(transcript) => Some(transcript.messages),
        Err(error) => {
            why_not = match error.code() {
                Some(ProblemCode::InsufficientScope) => Some(
                    "the key may not read what was said; that is the scope \
                     `conversations:read_sensitive`",
                ),
                Some(ProblemCode::ConversationErased) => Some("what was said was erased"),
                _ => return Err(error.into()),
            };
            None
        }
    };
    if printer.is_data() {
        printer.data(&ShowJson {
            conversation,
            messages,
        })?;
    } else {
        show_fields(&conversation, printer)?;
        for message in messages.iter().flatten() {
            printer.line("")?;
            super::show_message(message, printer)?;
        }
        if messages.is_some_and(|messages| messages.is_empty()) {
            why_not = Some("nothing was said");
        }
    }
    if let Some(text) = why_not {
        printer.note(text)?;
    }
    Ok(ExitCode::Yes)
}

fn show_fields(conversation: &Conversation, printer: &mut Printer) -> Result<(), Failure> {
    let mut fields = vec![
        ("id", conversation.id.to_string()),
        ("widget", conversation.web_widget_id.to_string()),
        ("state", super::state(conversation)),
        ("mode", conversation.mode.to_string()),
        ("agent", conversation.agent_id.to_string()),
        ("version", conversation.agent_version_id.to_string()),
        ("began", time(conversation.created_at)),
    ];
    let times = [
        ("joined", conversation.joined_at),
        ("last said", conversation.active_at),
        ("ended", conversation.ended_at),
        ("erased", conversation.erased_at),
    ];
    fields.extend(
        times
            .into_iter()
            .filter_map(|(name, at)| Some((name, time(at?)))),
    );
    if conversation.preview {
        fields.push(("preview", "yes".to_owned()));
    }
    if let Some(by) = &conversation.erased_by {
        fields.push(("erased by", by.clone()));
    }
    if let Some(metadata) = &conversation.custom_metadata
        && metadata.get() != "{}"
    {
        let value: serde_json::Value =
            serde_json::from_str(metadata.get()).map_err(Failure::unexpected)?;
        let text = serde_json::to_string_pretty(&value).map_err(Failure::unexpected)?;
        fields.push(("sent", text));
    }
    printer.fields(fields)
}
