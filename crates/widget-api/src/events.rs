//! What happens in a conversation, as the data of server-sent events.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use widget_core::{
    conversation::{EndReason, Mode, events::Event},
    id::ConversationId,
};

#[cfg(feature = "schemars")]
use crate::schema;
use crate::{Received, Timestamp, conversations::Message, words::words};

words! {
    /// What happened in a conversation.
    pub enum EventType {
        /// A visitor started it.
        Created = "created",
        /// The visitor joined for the first time.
        Joined = "joined",
        /// The visitor changed from text to voice, or back.
        Mode = "mode",
        /// Somebody said something.
        Turn = "turn",
        /// The visitor sent a form in the middle of it.
        Form = "form",
        /// It is over.
        Ended = "ended",
        /// The visitor gave feedback.
        Feedback = "feedback",
        /// Its content was erased.
        Erased = "erased",
    }
}

/// The `data` of a server-sent event. Its `id` goes into `Last-Event-ID` to get what follows; its
/// `event` is the `type` here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct ConversationEvent {
    /// What happened.
    pub r#type: Received<EventType>,
    /// The conversation.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<ConversationId>"))]
    pub conversation_id: ConversationId,
    /// When it happened; absent where that is not stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "Timestamp"))]
    pub at: Option<Timestamp>,
    /// Whether the visitor types or speaks from now on: of `created` and `mode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<Mode>"))]
    pub mode: Option<Mode>,
    /// What was said: of `turn`, for those who may read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "Message"))]
    pub message: Option<Message>,
    /// Which form was sent: of `form`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub form_id: Option<String>,
    /// What was sent, by field id: of `form` and `feedback`, for those who may read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schemars",
        schemars(with = "serde_json::Map<String, Value>")
    )]
    pub values: Option<Value>,
    /// What ended it: of `ended`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<EndReason>"))]
    pub end_reason: Option<EndReason>,
    /// Who erased it, the id of an API key or `retention`: of `erased`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub erased_by: Option<String>,
}

impl ConversationEvent {
    /// The event as a caller sees it who may read what was said and sent, or may not.
    #[must_use]
    pub fn new(conversation_id: ConversationId, event: Event, with_content: bool) -> Self {
        let empty = |r#type: EventType| Self {
            r#type: r#type.into(),
            conversation_id,
            at: None,
            mode: None,
            message: None,
            form_id: None,
            values: None,
            end_reason: None,
            erased_by: None,
        };
        match event {
            Event::Created { at, mode } => Self {
                at: Some(at.into()),
                mode: Some(mode),
                ..empty(EventType::Created)
            },
            Event::Joined { at } => Self {
                at: Some(at.into()),
                ..empty(EventType::Joined)
            },
            Event::Mode { mode } => Self {
                mode: Some(mode),
                ..empty(EventType::Mode)
            },
            Event::Turn { message } => Self {
                at: Some(message.created_at.into()),
                message: with_content.then(|| message.into()),
                ..empty(EventType::Turn)
            },
            Event::Form { form_id, values } => Self {
                form_id: Some(form_id),
                values: with_content.then_some(values),
                ..empty(EventType::Form)
            },
            Event::Ended { at, reason } => Self {
                at: Some(at.into()),
                end_reason: Some(reason),
                ..empty(EventType::Ended)
            },
            Event::Feedback { at, values } => Self {
                at: Some(at.into()),
                values: with_content.then_some(values),
                ..empty(EventType::Feedback)
            },
            Event::Erased { erasure } => Self {
                at: Some(erasure.at.into()),
                erased_by: Some(erasure.by.to_string()),
                ..empty(EventType::Erased)
            },
        }
    }
}
