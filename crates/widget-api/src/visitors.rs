//! Bodies of `/core/public/web-widgets/{id}`: for the loader on a host page and for the window.

use std::{borrow::Cow, collections::BTreeMap, ops::Not};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};
use widget_core::{
    config::LauncherConfig,
    conversation::{Mode, Role, Status, transcript},
    id::{ConversationId, WidgetId},
};

use crate::Timestamp;
#[cfg(feature = "schemars")]
use {
    crate::schema,
    widget_core::conversation::turns::{MAX_ID_CHARACTERS, ReportLimits},
};

/// What the loader draws on the host page. A client that is older than the service reads the config
/// as a `Value`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schemars",
    derive(schemars::JsonSchema),
    schemars(
        rename = "Launcher",
        description = "What the loader draws on the host page."
    )
)]
pub struct Launcher<C = LauncherConfig> {
    /// The widget.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<WidgetId>"))]
    pub id: WidgetId,
    /// The part of the config that the launcher draws.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::LauncherDocument"))]
    pub config: C,
    /// What the launcher itself says, by language: that the window is not there, try again, close,
    /// and what the number of new messages is.
    pub words: BTreeMap<Cow<'static, str>, [Cow<'static, str>; 4]>,
}

/// Nothing to send: the request itself is the question.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Empty {}

/// Proof of the page on which a widget runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct EmbedTicket {
    /// The ticket: for this widget on this page, once.
    pub ticket: String,
    /// When the ticket expires.
    pub expires_at: Timestamp,
    /// The address of the window for this page.
    pub window_url: String,
}

/// What a visitor brings to a conversation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConversationStart {
    /// Values of the form before the conversation, by field id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "Option<Map<String, Value>>"))]
    pub form: Option<Box<RawValue>>,
    /// What the page says about itself and its visitor: at most 4 KiB of JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_metadata: Option<Map<String, Value>>,
    /// Whether the visitor types or speaks; the default is in the config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "Option<schema::Text<Mode>>"))]
    pub mode: Option<Mode>,
}

/// What a window sends to resume a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConversationResume {
    /// A new embed ticket of the same page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Whether the visitor types or speaks; the default is what it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "Option<schema::Text<Mode>>"))]
    pub mode: Option<Mode>,
    /// Whether the visitor only went to another page of the site, which the agent's worker reads
    /// with the transcript.
    #[serde(default)]
    pub page_changed: bool,
    /// Whether the visitor has written something that waits for the agent, which the agent's worker
    /// reads with the transcript.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub message_waiting: bool,
}

/// Everything that a window needs to join, with the names that LiveKit's clients expect from a
/// token server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Joining {
    /// The conversation with what was said so far.
    pub conversation: VisitorConversation,
    /// Lets the window continue this conversation; a resume replaces it.
    pub conversation_token: String,
    /// The address of LiveKit.
    pub server_url: String,
    /// Lets the visitor join the room.
    pub participant_token: String,
    /// The room; each resume has another one.
    pub room_name: String,
    /// When the conversation token expires.
    pub expires_at: Timestamp,
}

/// A conversation as its own visitor sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct VisitorConversation {
    /// Identifies the conversation.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<ConversationId>"))]
    pub id: ConversationId,
    /// The state of the conversation.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<Status>"))]
    pub status: Status,
    /// Whether it has not ended: decide by this, not by the status.
    pub is_open: bool,
    /// Whether the visitor types or speaks.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<Mode>"))]
    pub mode: Mode,
    /// When it was created.
    pub created_at: Timestamp,
    /// What was said so far, the oldest first.
    pub messages: Vec<VisitorMessage>,
}

/// A turn as the visitor sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct VisitorMessage {
    /// Identifies the message within its conversation.
    pub id: String,
    /// Who said it.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<Role>"))]
    pub role: Role,
    /// What was said.
    pub text: String,
    /// When it was said.
    pub created_at: Timestamp,
}

impl From<transcript::Message> for VisitorMessage {
    fn from(message: transcript::Message) -> Self {
        Self {
            id: message.id,
            role: message.role,
            text: message.text,
            created_at: message.created_at.into(),
        }
    }
}

/// A conversation that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct EndedConversation {
    /// Identifies the conversation.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<ConversationId>"))]
    pub id: ConversationId,
    /// The state of the conversation.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<Status>"))]
    pub status: Status,
}

/// The visitor may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct ReservedVoice {
    /// Until when minutes are reserved, which the service extends while the visitor speaks; missing
    /// where voice is not limited, and before the visitor has joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved_until: Option<Timestamp>,
}

/// Turns that a window saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TurnReport {
    /// The turns.
    #[cfg_attr(feature = "schemars", schemars(length(max = ReportLimits::WINDOW.max_turns)))]
    pub messages: Vec<ReportedTurn>,
}

/// A turn that a window saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReportedTurn {
    /// Identifies the turn within the conversation.
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

/// The number of turns that were new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct TurnsReported {
    /// How many turns were new.
    pub added: u64,
}

/// The values of a form or of the feedback.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FormSubmission {
    /// Values by field id.
    #[cfg_attr(feature = "schemars", schemars(with = "Map<String, Value>"))]
    pub data: Box<RawValue>,
}

/// A form as it was stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct SubmittedForm {
    /// The form.
    pub form_id: String,
    /// Values by field id, as they were stored.
    pub data: Map<String, Value>,
}

/// The feedback as it was stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct SubmittedFeedback {
    /// Values by field id, as they were stored.
    pub data: Map<String, Value>,
}
