//! Stored records that this version of the service cannot read: a newer version wrote them, or they
//! are damaged. They are in lists beside the others, and their readable neighbors are untouched.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _, IgnoredAny},
};
use serde_json::{Value, value::RawValue};
use widget_core::{
    finding::Code,
    id::{AgentId, AgentVersionId, OrganizationId, WidgetId},
    unreadable as core,
};

#[cfg(feature = "schemars")]
use crate::schema;
use crate::{Received, Timestamp, Widget};

/// A widget, or what can be read of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schemars",
    derive(schemars::JsonSchema),
    schemars(rename = "{W}Record")
)]
#[serde(untagged)]
pub enum WidgetRecord<W = Widget> {
    /// Known by its member `unreadable`.
    Unreadable(Box<UnreadableWidget>),
    /// A widget.
    Readable(W),
}

/// A stored widget with fields that this version of the service cannot read. It is not live. A
/// change that sends each of them makes it readable, and so does restoring a revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct UnreadableWidget {
    /// The id of the widget; a UUID of version 7.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<WidgetId>"))]
    pub id: WidgetId,
    /// The organization that owns the widget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<OrganizationId>"))]
    pub organization_id: Option<OrganizationId>,
    /// The agent that visitors talk to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<AgentId>"))]
    pub agent_id: Option<AgentId>,
    /// The version of the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<AgentVersionId>"))]
    pub agent_version_id: Option<AgentVersionId>,
    /// The sites that may show the widget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(schema_with = "schema::domains"))]
    pub domains: Option<Vec<String>>,
    /// Whether the owner wants the widget to be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "bool"))]
    pub published: Option<bool>,
    /// How the widget looks and behaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::ConfigDocument"))]
    pub config: Option<Value>,
    /// When the widget was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "Timestamp"))]
    pub created_at: Option<Timestamp>,
    /// When the widget was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "Timestamp"))]
    pub updated_at: Option<Timestamp>,
    /// When the widget was deleted; absent unless it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "Timestamp"))]
    pub deleted_at: Option<Timestamp>,
    /// The API key that deleted the widget; absent unless it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub deleted_by: Option<String>,
    /// The name of that key; absent when it has none, or is no longer kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub deleted_by_name: Option<String>,
    /// The fields that cannot be read.
    pub unreadable: Vec<UnreadableField>,
}

/// A record of a list, or which one it is that cannot be read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(
    feature = "schemars",
    derive(schemars::JsonSchema),
    schemars(rename = "{T}Record")
)]
#[serde(untagged)]
pub enum Listed<T> {
    /// Known by its member `unreadable`.
    Unreadable(UnreadableRecord),
    /// The record.
    Readable(T),
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Listed<T> {
    /// Reads JSON only: records keep parts of it as text, which derived code cannot read here.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Marker {
            unreadable: Option<IgnoredAny>,
        }
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let marker: Marker = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
        let record = match marker.unreadable {
            Some(_) => serde_json::from_str(text.get()).map(Self::Unreadable),
            None => serde_json::from_str(text.get()).map(Self::Readable),
        };
        record.map_err(D::Error::custom)
    }
}

/// A stored record that this version of the service cannot read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct UnreadableRecord {
    /// The id of the record.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<WidgetId>"))]
    pub id: String,
    /// The fields that cannot be read; others may be unreadable, too.
    pub unreadable: Vec<UnreadableField>,
}

/// A stored field that this version of the service cannot read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct UnreadableField {
    /// JSON Pointer into the record.
    pub pointer: String,
    /// `config_unreadable` for the config of a widget, else `field_unreadable`.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::FieldCode"))]
    pub code: Received<Code>,
    /// One sentence that says what is wrong with it.
    pub detail: String,
    /// The text as it is stored, of the fields of widgets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub raw: Option<String>,
}

impl From<core::UnreadableField> for UnreadableField {
    fn from(field: core::UnreadableField) -> Self {
        let finding = field.finding();
        Self {
            pointer: field.pointer,
            code: finding.code.into(),
            detail: finding.detail,
            raw: field.raw,
        }
    }
}

impl From<core::UnreadableWidget> for UnreadableWidget {
    fn from(widget: core::UnreadableWidget) -> Self {
        Self {
            id: widget.id,
            organization_id: widget.organization_id,
            agent_id: widget.agent_id,
            agent_version_id: widget.agent_version_id,
            domains: widget.domains.map(|domains| domains.entries().to_vec()),
            published: widget.published,
            config: widget.config.map(|config| config.to_value()),
            created_at: widget.created_at.map(Into::into),
            updated_at: widget.updated_at.map(Into::into),
            deleted_at: None,
            deleted_by: None,
            deleted_by_name: None,
            unreadable: widget.unreadable.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<core::WidgetRecord> for WidgetRecord {
    fn from(record: core::WidgetRecord) -> Self {
        match record {
            core::WidgetRecord::Readable(widget) => Self::Readable((*widget).into()),
            core::WidgetRecord::Unreadable(widget) => Self::Unreadable(Box::new((*widget).into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversations::Conversation;

    #[test]
    fn lists_have_records_with_parts_that_are_text() {
        let id = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b";
        let text = format!(
            r#"[{{"id": "{id}", "status": "in_progress", "is_open": true, "web_widget_id": "{id}",
            "agent_id": "{id}", "agent_version_id": "{id}", "channel": "webrtc", "mode": "text",
            "created_at": "2026-01-31T09:30:00Z", "joined_at": null, "active_at": null,
            "ended_at": null, "end_reason": null, "custom_metadata": {{"number": 1.00}}}},
            {{"id": "x", "unreadable": []}}]"#
        );
        let listed: Vec<Listed<Conversation>> = serde_json::from_str(&text).expect("a list");
        let [
            Listed::Readable(conversation),
            Listed::Unreadable(UnreadableRecord { id, .. }),
        ] = &listed[..]
        else {
            panic!("{listed:?}");
        };
        assert_eq!(id, "x");
        let metadata = conversation.custom_metadata.as_ref().expect("metadata");
        assert_eq!(metadata.get(), r#"{"number": 1.00}"#);
    }
}
