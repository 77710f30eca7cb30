//! Bodies of `/core/conversations`: for the owner and for the agent's worker.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use widget_core::{
    conversation::{EndReason, Mode, Reporter, Role, Status, transcript},
    id::{AgentId, AgentVersionId, ConversationId, IdPrefix, WidgetId},
};

use crate::{Received, Timestamp, present, words::words};
#[cfg(feature = "schemars")]
use {
    crate::{MAX_PAGE_LIMIT, schema},
    widget_core::conversation::turns::{MAX_ID_CHARACTERS, ReportLimits},
};

/// Which conversations to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConversationsQuery {
    /// The number of conversations in an answer: 1 to 200, the default is 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(range(min = 1, max = MAX_PAGE_LIMIT)))]
    pub limit: Option<u32>,
    /// Where to continue, as the `Link` of the answer before says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Only those of this widget.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schemars",
        schemars(with = "Option<schema::Text<WidgetId>>")
    )]
    pub web_widget_id: Option<WidgetId>,
    /// Only those with this agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "Option<schema::Text<AgentId>>"))]
    pub agent_id: Option<AgentId>,
    /// Only those with this version of an agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schemars",
        schemars(with = "Option<schema::Text<AgentVersionId>>")
    )]
    pub agent_version_id: Option<AgentVersionId>,
    /// Only those in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "Option<schema::Text<Status>>"))]
    pub status: Option<Status>,
    /// Only those that began after this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_after: Option<Timestamp>,
    /// Only those that began before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_before: Option<Timestamp>,
    /// Only those whose id begins so: four hexadecimal digits or more, with or without hyphens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schemars",
        schemars(with = "Option<schema::Text<IdPrefix>>")
    )]
    pub id_prefix: Option<IdPrefix>,
    /// Only those that have not ended, or only the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_open: Option<bool>,
    /// Only those with this text in a turn of their transcript, in upper or lower case; needs the
    /// scope `conversations:read_sensitive`, as the following do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schemars",
        schemars(length(min = 1, max = MAX_SEARCHED_CHARACTERS))
    )]
    pub text: Option<String>,
    /// Only those with these values in their custom metadata: a JSON object by JSON Pointer, as in
    /// the filter of an erasure, such as `{"/email": "a@b.example"}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    /// Only those with these values of fields in one form: a JSON object, as in the filter of an
    /// erasure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// Only those with this text as a whole value anywhere in their custom metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visitor: Option<String>,
}

/// How many characters of what a visitor said first a list shows.
pub const FIRST_WORDS_CHARACTERS: usize = 120;

/// How many characters a text may have that is looked for.
pub const MAX_SEARCHED_CHARACTERS: usize = 200;

words! {
    /// How a visitor is connected with an agent.
    pub enum Channel {
        /// A room of LiveKit that the visitor's browser joins.
        Webrtc = "webrtc",
    }
}

/// A conversation of a visitor with an agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Conversation {
    /// Identifies the conversation.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<ConversationId>"))]
    pub id: ConversationId,
    /// The state of the conversation.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<Status>"))]
    pub status: Status,
    /// Whether it has not ended: decide by this, not by the status.
    pub is_open: bool,
    /// The widget that the visitor opened.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<WidgetId>"))]
    pub web_widget_id: WidgetId,
    /// The agent.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<AgentId>"))]
    pub agent_id: AgentId,
    /// The version of the agent that was pinned at the start.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<AgentVersionId>"))]
    pub agent_version_id: AgentVersionId,
    /// How the visitor is connected.
    pub channel: Received<Channel>,
    /// Whether the visitor types or speaks.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<Mode>"))]
    pub mode: Mode,
    /// When it was created.
    pub created_at: Timestamp,
    /// When the visitor first joined.
    pub joined_at: Option<Timestamp>,
    /// When something was last said.
    pub active_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What ended it.
    #[cfg_attr(
        feature = "schemars",
        schemars(with = "Option<schema::Text<EndReason>>")
    )]
    pub end_reason: Option<EndReason>,
    /// Whether it was started by the link of a preview, and counts to no budget and no number;
    /// absent otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preview: bool,
    /// What the visitor and the page sent: only for those who may read what was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schemars",
        schemars(with = "serde_json::Map<String, serde_json::Value>")
    )]
    pub custom_metadata: Option<Box<RawValue>>,
    /// How the first message of the visitor begins: in lists only, and only for those who may read
    /// what was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schemars",
        schemars(with = "String", length(max = FIRST_WORDS_CHARACTERS))
    )]
    pub first_words: Option<String>,
    /// When it was erased; nothing that was said or sent is left of it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "Timestamp"))]
    pub erased_at: Option<Timestamp>,
    /// Who erased it: the id of an API key, or `retention`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub erased_by: Option<String>,
}

/// Either `messages`, or the members of one message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewMessages {
    /// Several messages.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(
        feature = "schemars",
        schemars(with = "Vec<NewMessage>", length(max = ReportLimits::WORKER.max_turns))
    )]
    pub messages: Option<Vec<NewMessage>>,
    /// Identifies the message within its conversation.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(
        feature = "schemars",
        schemars(with = "String", length(min = 1, max = MAX_ID_CHARACTERS))
    )]
    pub id: Option<String>,
    /// Who said it.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<Role>"))]
    pub role: Option<Role>,
    /// What was said.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub text: Option<String>,
    /// When it was said; the default is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

/// A turn to append.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// Identifies the message within its conversation.
    #[cfg_attr(
        feature = "schemars",
        schemars(length(min = 1, max = MAX_ID_CHARACTERS))
    )]
    pub id: String,
    /// Who said it.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<Role>"))]
    pub role: Role,
    /// What was said.
    pub text: String,
    /// When it was said; the default is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

/// The number of messages that were new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Appended {
    /// How many messages were new.
    pub added: u64,
}

/// What was said so far.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Transcript {
    /// The state of the conversation.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<Status>"))]
    pub status: Status,
    /// Whether it has not ended: decide by this, not by the status.
    pub is_open: bool,
    /// What the visitor and the page sent.
    #[cfg_attr(
        feature = "schemars",
        schemars(with = "serde_json::Map<String, serde_json::Value>")
    )]
    pub custom_metadata: Box<RawValue>,
    /// The room where the conversation continues; in any other an agent has nothing to do.
    pub room_name: Option<String>,
    /// Whether this room exists only because the visitor went to another page of the site: nobody
    /// was away, and no welcome is needed.
    #[serde(default)]
    pub page_changed: bool,
    /// Whether the visitor had written something when this room was made by a resume: the agent
    /// answers it, and needs to say no welcome first.
    #[serde(default)]
    pub message_waiting: bool,
    /// The turns, the oldest first, each once: those of workers, and of the window those of the
    /// visitor that the workers left out.
    pub messages: Vec<Message>,
}

/// One turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Message {
    /// Identifies the message within its conversation.
    pub id: String,
    /// Who said it.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<Role>"))]
    pub role: Role,
    /// What was said.
    pub text: String,
    /// When it was said.
    pub created_at: Timestamp,
    /// Who reported it; a visitor can report anything.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<Reporter>"))]
    pub reported_by: Reporter,
}

impl From<transcript::Message> for Message {
    fn from(message: transcript::Message) -> Self {
        Self {
            id: message.id,
            role: message.role,
            text: message.text,
            created_at: message.created_at.into(),
            reported_by: message.reported_by,
        }
    }
}
