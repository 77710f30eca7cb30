//! Bodies of `/core/web-widgets/{id}/previews`: links that show a draft of a widget.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use widget_core::{
    config::{LauncherConfig, WindowConfig},
    embed::PreviewSite,
    id::{AgentVersionId, PreviewId},
};

#[cfg(feature = "schemars")]
use crate::schema;
use crate::{Timestamp, present};
#[cfg(feature = "schemars")]
use widget_core::serve::{MAX_PREVIEW_SECONDS, MIN_PREVIEW_SECONDS};

/// A preview to create. What is left out is as the widget has it now, and stays so when the widget
/// changes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPreview {
    /// How the widget looks and behaves in the preview.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::ConfigDocument"))]
    pub config: Option<Box<RawValue>>,
    /// The version of the widget's agent that answers in the preview; it may be a draft.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<AgentVersionId>"))]
    pub agent_version_id: Option<AgentVersionId>,
    /// The seconds until the preview ends: 60 to 2592000 (30 days), the default is 86400 (a day).
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(
        feature = "schemars",
        schemars(
            with = "u32",
            range(min = MIN_PREVIEW_SECONDS, max = MAX_PREVIEW_SECONDS)
        )
    )]
    pub expires_in: Option<u32>,
    /// The screen on which the link shows the draft: the sample page in a frame of the size of a
    /// phone (390 × 844) or of a desktop (1280 × 800); by default the plain page. It is not
    /// stored, and the page has links to the others.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<PreviewSite>"))]
    pub site: Option<PreviewSite>,
}

/// Another draft for a preview. What is left out is as the widget has it now.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PreviewDraft {
    /// How the widget looks and behaves in the preview.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::ConfigDocument"))]
    pub config: Option<Box<RawValue>>,
    /// The version of the widget's agent that answers in the preview; it may be a draft.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<AgentVersionId>"))]
    pub agent_version_id: Option<AgentVersionId>,
}

/// A preview that was created, with its link, which is shown only here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct CreatedPreview {
    /// Names the preview for its owner; opens nothing.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<PreviewId>"))]
    pub id: PreviewId,
    /// The link: whoever has it sees the draft.
    pub url: String,
    /// When the preview ends.
    pub expires_at: Timestamp,
}

/// A preview without its link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Preview {
    /// Names the preview for its owner; opens nothing.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<PreviewId>"))]
    pub id: PreviewId,
    /// The version of the agent that answers in the preview.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<AgentVersionId>"))]
    pub agent_version_id: AgentVersionId,
    /// When the preview was created.
    pub created_at: Timestamp,
    /// The API key that created it.
    pub created_by: String,
    /// When its draft was last replaced.
    pub updated_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What an open page of a preview asks for again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct PreviewState {
    /// Counts the drafts of the preview from 1.
    pub revision: i64,
}

/// A draft as the page that shows it draws it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct ShownDraft {
    /// The part of the config that the launcher draws.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::LauncherDocument"))]
    pub launcher: LauncherConfig,
    /// The config as the window has it, with every default filled in.
    #[cfg_attr(
        feature = "schemars",
        schemars(with = "serde_json::Map<String, serde_json::Value>")
    )]
    pub window: WindowConfig,
}
