//! Bodies of `/core/web-widgets`: the record of a widget, its snippet and its brand.

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use widget_core::{
    id::{AgentId, AgentVersionId, IdPrefix, OrganizationId, WidgetId},
    listing::WidgetState,
};

#[cfg(feature = "schemars")]
use crate::{MAX_PAGE_LIMIT, schema};
use crate::{Timestamp, decisions::Finding, present};

/// A web widget: an agent, the sites that may show it, and its config.
///
/// Sites and config are plain texts and JSON: which of them are valid is decided by the version of
/// the service, not by that of its client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schemars",
    derive(schemars::JsonSchema),
    schemars(description = "A web widget: an agent, the sites that may show it, and its config.")
)]
pub struct Widget {
    /// The id of the widget; a UUID of version 7.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<WidgetId>"))]
    pub id: WidgetId,
    /// The organization that owns the widget; it comes from the credential.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<OrganizationId>"))]
    pub organization_id: OrganizationId,
    /// The agent that visitors talk to.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<AgentId>"))]
    pub agent_id: AgentId,
    /// The version of the agent, pinned: publishing another one changes nothing for visitors.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<AgentVersionId>"))]
    pub agent_version_id: AgentVersionId,
    /// The sites that may show the widget: origins, patterns such as `*.shop.example`, or `*` alone
    /// for any site. With an empty list no site may.
    #[cfg_attr(feature = "schemars", schemars(schema_with = "schema::domains"))]
    pub domains: Vec<String>,
    /// Whether the owner wants the widget to be shown. It is shown only if the agent's version is
    /// published too.
    pub published: bool,
    /// How the widget looks and behaves.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::ConfigDocument"))]
    pub config: Value,
    /// When the widget was created.
    pub created_at: Timestamp,
    /// When the widget was last changed.
    pub updated_at: Timestamp,
    /// When the widget was deleted; absent unless it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// The API key that deleted the widget; absent unless it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_by: Option<String>,
    /// The name of that key; absent when it has none, or is no longer kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_by_name: Option<String>,
}

/// A widget as it was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct WrittenWidget {
    /// The widget.
    #[serde(flatten)]
    pub widget: Widget,
    /// What keeps the pinned version from being shown, such as that it is a draft.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Finding>,
}

/// A widget in a list, with what a table for people shows of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct ListedWidget {
    /// The widget.
    #[serde(flatten)]
    pub widget: Widget,
    /// The title that visitors read; empty when the config has none.
    pub title: String,
    /// Whether visitors see it now; absent when it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<WidgetState>"))]
    pub state: Option<WidgetState>,
    /// What keeps it from being live, as `go-live` reports it.
    pub blockers: Vec<Finding>,
    /// The name of the agent; `null` when the registry does not have it.
    pub agent_name: Option<String>,
    /// The number of the pinned version; `null` when the registry does not have it.
    pub agent_version_number: Option<i64>,
    /// The name of the pinned version for people, if it has one.
    pub agent_version_label: Option<String>,
    /// Counts the changes of the widget from 1.
    pub revision: i64,
}

impl AsRef<Self> for Widget {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl AsRef<Widget> for ListedWidget {
    fn as_ref(&self) -> &Widget {
        &self.widget
    }
}

impl From<widget_core::widget::Widget> for Widget {
    fn from(widget: widget_core::widget::Widget) -> Self {
        Self {
            id: widget.id,
            organization_id: widget.organization_id,
            agent_id: widget.agent_id,
            agent_version_id: widget.agent_version_id,
            domains: widget.domains.entries().to_vec(),
            published: widget.published,
            config: widget.config.to_value(),
            created_at: widget.created_at.into(),
            updated_at: widget.updated_at.into(),
            deleted_at: None,
            deleted_by: None,
            deleted_by_name: None,
        }
    }
}

/// A widget to create.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewWidget {
    /// The agent that visitors talk to.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<AgentId>"))]
    pub agent_id: AgentId,
    /// The version of the agent, pinned: publishing another one changes nothing for visitors.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<AgentVersionId>"))]
    pub agent_version_id: AgentVersionId,
    /// The sites that may show the widget: origins, patterns such as `*.shop.example`, or `*` alone
    /// for any site. With an empty list no site may.
    #[serde(default)]
    #[cfg_attr(feature = "schemars", schemars(schema_with = "schema::domains"))]
    pub domains: Vec<String>,
    /// Whether the owner wants the widget to be shown. It is shown only if the agent's version is
    /// published too.
    #[serde(default)]
    pub published: bool,
    /// How the widget looks and behaves. It is kept as text: duplicate keys and inexact
    /// numbers are visible only there.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(
        feature = "schemars",
        schemars(
            with = "schema::ConfigDocument",
            extend("default" = {}),
            description = "How the widget looks and behaves."
        )
    )]
    pub config: Option<Box<RawValue>>,
}

/// A change of a widget: only the fields that are sent change, each is replaced whole.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WidgetPatch {
    /// The agent that visitors talk to.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<AgentId>"))]
    pub agent_id: Option<AgentId>,
    /// The version of the agent, pinned: publishing another one changes nothing for visitors.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<AgentVersionId>"))]
    pub agent_version_id: Option<AgentVersionId>,
    /// The sites that may show the widget.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schemars", schemars(schema_with = "schema::domains"))]
    pub domains: Option<Vec<String>>,
    /// Whether the owner wants the widget to be shown.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "bool"))]
    pub published: Option<bool>,
    /// How the widget looks and behaves.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::ConfigDocument"))]
    pub config: Option<Box<RawValue>>,
}

/// Which widgets to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WidgetsQuery {
    /// The number of widgets in an answer: 1 to 200, the default is 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(range(min = 1, max = MAX_PAGE_LIMIT)))]
    pub limit: Option<u32>,
    /// Where to continue, as the `Link` of the answer before says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Only widgets whose id begins so: four hexadecimal digits or more, with or without hyphens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schemars",
        schemars(with = "Option<schema::Text<IdPrefix>>")
    )]
    pub id_prefix: Option<IdPrefix>,
    /// Only widgets with this text in the title that visitors read, in upper or lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Only widgets of this agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "Option<schema::Text<AgentId>>"))]
    pub agent_id: Option<AgentId>,
    /// Only widgets that pin this version of an agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schemars",
        schemars(with = "Option<schema::Text<AgentVersionId>>")
    )]
    pub agent_version_id: Option<AgentVersionId>,
    /// Only widgets that their owner wants to be shown, or only the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<bool>,
    /// Only widgets that are published and not live, or only the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<bool>,
    /// Only widgets for this site. An origin or the address of a page: those that list it or allow
    /// it by a pattern or `*`. A host without a scheme: the same under any scheme and port. A
    /// pattern, or `*`: those that list exactly this entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Only widgets that were changed after this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_after: Option<Timestamp>,
    /// With `true`, widgets that were deleted, the last deleted first, instead of the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<bool>,
}

/// Where to look for a brand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BrandRequest {
    /// A domain or the address of a page.
    pub domain: String,
}

/// What a website shows of its brand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Brand {
    /// The name of the site.
    pub name: Option<String>,
    /// Its colors, the most characteristic first.
    pub colors: Vec<String>,
    /// The address of a logo.
    pub logo_url: Option<String>,
    /// The address of an icon.
    pub icon_url: Option<String>,
    /// The widget's own config with the brand in it, ready to be sent as a change; nothing has been
    /// written yet.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::ConfigDocument"))]
    pub config: Value,
}

/// The HTML to paste into a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Snippet {
    /// One line of HTML.
    pub html: String,
    /// For pages that pin the bytes of the script; such a page is edited for each new loader.
    pub html_with_integrity: Option<String>,
}
