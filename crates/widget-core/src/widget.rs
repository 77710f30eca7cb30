//! The record: one embeddable widget of an organization.
//!
//! Every field's type admits only valid values, so all fields are public; a record that exists is
//! a valid one.
//! Whether it may serve is another question: see [`go_live`](crate::go_live).
//!
//! ```
//! use widget_core::widget::{NewWidget, WidgetPatch};
//! # let agent = "0197a8b2-6c1e-7d3f-8a4b-000000000002".parse()?;
//! # let version = "0197a8b2-6c1e-7d3f-8a4b-000000000003".parse()?;
//! # let id = "0197a8b2-6c1e-7d3f-8a4b-000000000001".parse()?;
//! # let now = time::macros::datetime!(2026-01-01 00:00 UTC);
//!
//! let widget = NewWidget::new("acme".parse()?, agent, version).into_widget(id, now);
//! assert!(!widget.published && widget.domains.is_empty());
//!
//! let patch = WidgetPatch { published: Some(true), ..WidgetPatch::default() };
//! let later = now + time::Duration::HOUR;
//! assert_eq!(patch.apply(widget, later).updated_at, later);
//! # Ok::<(), widget_core::id::IdError>(())
//! ```

use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    config::{self, Change, ChangeKind, Config},
    id::{AgentId, AgentVersionId, OrganizationId, WidgetId},
    origin::AllowedOrigins,
};

/// A stored widget.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Widget {
    /// Names the widget in the snippet and in every address.
    pub id: WidgetId,
    /// The owner.
    pub organization_id: OrganizationId,
    /// The agent that answers.
    pub agent_id: AgentId,
    /// The version of the agent that answers; pinned, so that publishing another one changes
    /// nothing for visitors.
    pub agent_version_id: AgentVersionId,
    /// The sites that may show it.
    pub domains: AllowedOrigins,
    /// The owner's own gate.
    pub published: bool,
    /// Look and behavior.
    pub config: Config,
    /// When the record was made, in UTC.
    #[cfg_attr(feature = "serde", serde(with = "crate::rfc3339"))]
    pub created_at: OffsetDateTime,
    /// When the record was last changed, in UTC.
    #[cfg_attr(feature = "serde", serde(with = "crate::rfc3339"))]
    pub updated_at: OffsetDateTime,
}

impl Widget {
    /// The same widget with what the decision and browsers need, and nothing else: no unknown keys
    /// of the config, no warnings. For callers that only serve it.
    #[must_use]
    pub fn into_served(self) -> Self {
        Self {
            domains: self.domains.without_warnings(),
            config: self.config.without_unread(),
            ..self
        }
    }

    /// Whether its owner wants it to be shown anywhere: it is published, and for at least one site.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.published && !self.domains.is_empty()
    }

    /// An upper bound of the memory that a [served](Self::into_served) widget holds beside its own
    /// size, in bytes.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        const ORGANIZATION: usize = 128;
        ORGANIZATION + self.domains.heap_bytes() + self.config.heap_bytes()
    }
}

/// A widget that has no id yet.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct NewWidget {
    /// The owner, from the credential.
    pub organization_id: OrganizationId,
    /// The agent that answers.
    pub agent_id: AgentId,
    /// The pinned version of it.
    pub agent_version_id: AgentVersionId,
    /// The sites that may show it; the empty list shows it nowhere.
    pub domains: AllowedOrigins,
    /// The owner's own gate, closed unless opened.
    pub published: bool,
    /// Look and behavior; the default is all defaults.
    pub config: Config,
}

impl NewWidget {
    /// A closed widget without sites and with the default look.
    #[must_use]
    pub fn new(
        organization_id: OrganizationId,
        agent_id: AgentId,
        agent_version_id: AgentVersionId,
    ) -> Self {
        Self {
            organization_id,
            agent_id,
            agent_version_id,
            domains: AllowedOrigins::default(),
            published: false,
            config: Config::default(),
        }
    }

    /// The record, made under the given id at the given time.
    #[must_use]
    pub fn into_widget(self, id: WidgetId, now: OffsetDateTime) -> Widget {
        Widget {
            id,
            organization_id: self.organization_id,
            agent_id: self.agent_id,
            agent_version_id: self.agent_version_id,
            domains: self.domains,
            published: self.published,
            config: self.config,
            created_at: now,
            updated_at: now,
        }
    }
}

/// A change: the fields given are replaced whole, the others stay.
///
/// Id, organization and time of creation cannot change.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct WidgetPatch {
    /// Another agent.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub agent_id: Option<AgentId>,
    /// Another pinned version.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub agent_version_id: Option<AgentVersionId>,
    /// Another list of sites.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub domains: Option<AllowedOrigins>,
    /// Open or close the owner's gate.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub published: Option<bool>,
    /// Another config document.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub config: Option<Config>,
}

impl WidgetPatch {
    /// Whether it replaces every field that it can.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.agent_id.is_some()
            && self.agent_version_id.is_some()
            && self.domains.is_some()
            && self.published.is_some()
            && self.config.is_some()
    }

    /// The record after the change.
    ///
    /// `updated_at` becomes `now` only if something is different, so that a repeated write is
    /// seen to have done nothing: the order of keys in the config, and how a number is written, is
    /// not a difference.
    #[must_use]
    pub fn apply(self, widget: Widget, now: OffsetDateTime) -> Widget {
        let changed = Widget {
            agent_id: self.agent_id.unwrap_or(widget.agent_id),
            agent_version_id: self.agent_version_id.unwrap_or(widget.agent_version_id),
            domains: self.domains.unwrap_or_else(|| widget.domains.clone()),
            published: self.published.unwrap_or(widget.published),
            config: self.config.unwrap_or_else(|| widget.config.clone()),
            ..widget.clone()
        };
        if diff(&widget, &changed).is_empty() {
            widget
        } else {
            Widget {
                updated_at: now,
                ..changed
            }
        }
    }
}

/// The change that makes a widget what this one was: to restore an earlier revision.
impl From<Widget> for WidgetPatch {
    fn from(widget: Widget) -> Self {
        Self {
            agent_id: Some(widget.agent_id),
            agent_version_id: Some(widget.agent_version_id),
            domains: Some(widget.domains),
            published: Some(widget.published),
            config: Some(widget.config),
        }
    }
}

/// What changes from one state of a widget to another: each field that a [`WidgetPatch`] can
/// change as a whole, and the config value by value, as [`config::diff`].
#[must_use]
pub fn diff(from: &Widget, to: &Widget) -> Vec<Change> {
    let fields = |widget: &Widget| {
        let domains: Value = widget
            .domains
            .entries()
            .iter()
            .map(String::as_str)
            .collect();
        [
            ("/agent_id", widget.agent_id.to_string().into()),
            (
                "/agent_version_id",
                widget.agent_version_id.to_string().into(),
            ),
            ("/domains", domains),
            ("/published", widget.published.into()),
        ]
    };
    let pairs = fields(from).into_iter().zip(fields(to));
    let mut changes: Vec<Change> = pairs
        .filter(|(before, now)| before != now)
        .map(|((pointer, from), (_, to))| Change {
            pointer: pointer.to_owned(),
            kind: ChangeKind::Replaced { from, to },
        })
        .collect();
    changes.extend(config::diff(&from.config, &to.config));
    changes
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::origin::SuffixList;

    const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(number: u8) -> T {
        let text = format!("00000000-0000-0000-0000-{number:012}");
        text.parse().expect("an id")
    }

    fn widget() -> Widget {
        let organization = "acme".parse().expect("an organization");
        NewWidget::new(organization, id(2), id(3)).into_widget(id(1), NOW)
    }

    fn patch_of_everything() -> WidgetPatch {
        let domains =
            AllowedOrigins::parse(&["shop.example", "*.shop.example"], SuffixList::builtin());
        WidgetPatch {
            agent_id: Some(id(4)),
            agent_version_id: Some(id(5)),
            domains: Some(domains.expect("a valid list")),
            published: Some(true),
            config: Some(Config::parse(r#"{"v1": {"theme": "dark"}}"#).expect("a valid config")),
        }
    }

    #[test]
    fn every_field_that_can_change_is_compared() {
        let (before, later) = (widget(), NOW + time::Duration::HOUR);
        let after = patch_of_everything().apply(before.clone(), later);
        let lines =
            |from, to| -> Vec<String> { diff(from, to).iter().map(ToString::to_string).collect() };
        assert_eq!(lines(&before, &before), [""; 0]);
        assert_eq!(
            lines(&before, &after),
            [
                r#"~ /agent_id: "00000000-0000-0000-0000-000000000002" -> "00000000-0000-0000-0000-000000000004""#,
                r#"~ /agent_version_id: "00000000-0000-0000-0000-000000000003" -> "00000000-0000-0000-0000-000000000005""#,
                r#"~ /domains: [] -> ["https://shop.example","https://*.shop.example"]"#,
                "~ /published: false -> true",
                r#"+ /config/v1: {"theme":"dark"}"#,
            ]
        );
    }

    #[test]
    fn the_same_config_written_otherwise_is_no_change() {
        let config = |text| WidgetPatch {
            config: Some(Config::parse(text).expect("a valid config")),
            ..WidgetPatch::default()
        };
        let stored = config(r#"{"v1": {"x": 1, "y": [2.5]}}"#).apply(widget(), NOW);
        let later = NOW + time::Duration::HOUR;
        let same = config(r#"{"v1": {"y": [25e-1], "x": 1.0}}"#).apply(stored.clone(), later);
        assert_eq!(same, stored);
        assert_eq!(same.config.as_json(), stored.config.as_json());
        let other = config(r#"{"v1": {"x": 1, "y": [2]}}"#).apply(stored, later);
        assert_eq!(other.updated_at, later);
        // The same double, and still another number.
        let stored = config(r#"{"v1": {"x": 9007199254740992}}"#).apply(other, later);
        let written = config(r#"{"v1": {"x": 9007199254740993}}"#).apply(stored, later);
        assert_eq!(written.config.as_json(), r#"{"v1":{"x":9007199254740993}}"#);
    }

    #[test]
    fn a_widget_as_a_change_is_the_way_back_to_it() {
        let before = widget();
        let after = patch_of_everything().apply(before.clone(), NOW);
        assert_ne!(after, before);
        assert_eq!(WidgetPatch::from(before.clone()).apply(after, NOW), before);
    }
}
