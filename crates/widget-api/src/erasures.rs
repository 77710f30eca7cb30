//! Bodies of erasing, exporting and keeping conversations.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use widget_core::{
    conversation::selection::{Criteria, Selection},
    finding::Findings,
    id::{ErasureJobId, WidgetId},
};

use crate::{
    Received, Timestamp,
    conversations::{Conversation, Message},
    present,
    words::words,
};
#[cfg(feature = "schemars")]
use {crate::schema, widget_core::conversation::retention::MAX_DAYS};

/// For how many days the outcome of a job can be read.
pub const JOB_DAYS: i64 = 30;

/// Which conversations are meant: those that fit everything that is named, exactly. At least one
/// must be named.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConversationSelection {
    /// Those of this widget.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<WidgetId>"))]
    pub web_widget_id: Option<WidgetId>,
    /// Those that began after this time.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "Timestamp"))]
    pub created_after: Option<Timestamp>,
    /// Those that began before this time.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "Timestamp"))]
    pub created_before: Option<Timestamp>,
    /// Those with these values in their custom metadata, by JSON Pointer (RFC 6901), such as
    /// `/email` for a field of the form before the conversation, or `/page/context/user/id`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// Those with these values of fields in one form: the one before the conversation, one in the
    /// middle of it, or the feedback.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub form: Map<String, Value>,
    /// Those with this text as a whole value anywhere in their custom metadata: what conversations
    /// of one visitor share. Nothing proves that they are of the same person.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub visitor: Option<String>,
}

impl TryFrom<ConversationSelection> for Selection {
    type Error = Findings;

    fn try_from(body: ConversationSelection) -> Result<Self, Findings> {
        let mut criteria = Criteria::default();
        criteria.web_widget_id = body.web_widget_id;
        criteria.created_after = body.created_after.map(Into::into);
        criteria.created_before = body.created_before.map(Into::into);
        criteria.metadata = body.metadata;
        criteria.form = body.form;
        criteria.visitor = body.visitor;
        Self::new(criteria)
    }
}

/// Conversations to erase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ErasureRequest {
    /// Which ones.
    pub filter: ConversationSelection,
    /// Only count them.
    #[serde(default)]
    pub dry_run: bool,
}

/// Conversations to export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ExportRequest {
    /// Which ones.
    pub filter: ConversationSelection,
}

words! {
    /// Where a job stands.
    pub enum ErasureStatus {
        /// It looks for conversations, also after a restart.
        Running = "running",
        /// It has erased or counted them all.
        Completed = "completed",
    }
}

/// A job that erases conversations, or counts them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct ErasureJob {
    /// Identifies the job.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<ErasureJobId>"))]
    pub id: ErasureJobId,
    /// Whether it is done.
    pub status: Received<ErasureStatus>,
    /// Whether it only counts.
    pub dry_run: bool,
    /// How many conversations fit so far.
    pub matched: i64,
    /// How many of them were erased.
    pub erased: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was done.
    pub finished_at: Option<Timestamp>,
}

/// Everything that is stored about a conversation and its visitor.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct ConversationExport {
    /// The conversation; its `custom_metadata` has the values of its forms, what the page said, and
    /// the feedback.
    pub conversation: Conversation,
    /// Origin of the page that embeds the widget.
    pub origin: String,
    /// Every turn that was reported, by the worker and by the window.
    pub messages: Vec<Message>,
}

/// For how many days content is kept after a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RetentionChange {
    /// That many; `null`: what the organization or the service says.
    #[cfg_attr(feature = "schemars", schemars(range(min = 1, max = MAX_DAYS)))]
    pub days: Option<u32>,
}

/// For how long content is kept after a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Retention {
    /// The days that are set here, if any are.
    pub days: Option<u32>,
    /// The longest time that the service allows, in seconds.
    pub max_seconds: Option<i64>,
    /// The shortest of all times that are set, in seconds: what happens. `null`: content is kept
    /// until somebody erases it.
    pub effective_seconds: Option<i64>,
}
