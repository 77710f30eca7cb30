//! Bodies of `/core/web-widgets/{id}/revisions`: the history of a widget.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use widget_core::{
    config,
    effects::{self, EffectCode},
};

#[cfg(feature = "schemars")]
use crate::{MAX_PAGE_LIMIT, schema};
use crate::{Received, Timestamp, present, unreadable::WidgetRecord, words::words};

/// Which revisions to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RevisionsQuery {
    /// The number of revisions in an answer: 1 to 200, the default is 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(range(min = 1, max = MAX_PAGE_LIMIT)))]
    pub limit: Option<u32>,
    /// Only revisions older than this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
}

/// The state of a widget at one time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Revision {
    /// Counts the revisions of the widget from 1.
    pub number: i64,
    /// When it was written; `null` when that cannot be read.
    pub created_at: Option<Timestamp>,
    /// The API key that wrote it; `null` for what is older than the history.
    pub api_key_id: Option<String>,
    /// The name of that key; `null` when it has none, or is no longer kept.
    pub api_key_name: Option<String>,
    /// The revision that was restored, if this one came from a restore.
    pub restored_from: Option<i64>,
    /// The differences from the revision before; empty for the first, and when one of the two
    /// cannot be read.
    pub changes: Vec<Change>,
    /// What it did to visitors.
    #[serde(default)]
    pub effects: Vec<Effect>,
    /// How many conversations had not ended when it was written; `null` for what is older than this
    /// count.
    pub conversations_open: Option<i64>,
    /// The widget as it was.
    pub web_widget: WidgetRecord,
}

/// One of the things that a change does to visitors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Effect {
    /// What it does.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<EffectCode>"))]
    pub code: Received<EffectCode>,
    /// The entries of `domains` that it is about, of `went_live` and `stopped` all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// The number of conversations, of `conversations_ended`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "u64"))]
    pub count: Option<u64>,
}

impl From<effects::Effect> for Effect {
    fn from(effect: effects::Effect) -> Self {
        Self {
            code: effect.code.into(),
            domains: effect.domains,
            count: effect.count,
        }
    }
}

/// What a change would do to visitors now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct ChangeEffects {
    /// What it would do; nothing when visitors would not notice.
    pub effects: Vec<Effect>,
    /// How many conversations have not ended.
    pub conversations_open: i64,
}

/// One value that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Change {
    /// JSON Pointer into the record.
    pub pointer: String,
    /// What happened to the value.
    pub change: ChangeKind,
    /// The value before.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub from: Option<Value>,
    /// The value after.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub to: Option<Value>,
}

words! {
    /// What happened to a value.
    pub enum ChangeKind {
        /// The value was not there before.
        Added = "added",
        /// The value is not there anymore.
        Removed = "removed",
        /// The value is another one.
        Replaced = "replaced",
    }
}

impl From<config::Change> for Change {
    fn from(change: config::Change) -> Self {
        let (kind, from, to) = match change.kind {
            config::ChangeKind::Added(to) => (ChangeKind::Added, None, Some(to)),
            config::ChangeKind::Removed(from) => (ChangeKind::Removed, Some(from), None),
            config::ChangeKind::Replaced { from, to } => {
                (ChangeKind::Replaced, Some(from), Some(to))
            }
        };
        Self {
            pointer: change.pointer,
            change: kind,
            from,
            to,
        }
    }
}
