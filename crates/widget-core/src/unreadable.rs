//! A stored widget that this build can read in part only: a newer build wrote it, or it is damaged.

use time::OffsetDateTime;

use crate::{
    config::Config,
    finding::{Code, Finding, FindingList, Findings},
    id::{AgentId, AgentVersionId, OrganizationId, WidgetId},
    origin::{AllowedOrigins, Origin},
    widget::{Widget, WidgetPatch},
};

/// A widget as it is stored: this build can read all of it, or not.
#[derive(Debug, Clone, PartialEq)]
pub enum WidgetRecord {
    /// A valid widget.
    Readable(Box<Widget>),
    /// What can be read of another one.
    Unreadable(Box<UnreadableWidget>),
}

/// A stored widget with at least one field that this build cannot read.
///
/// It is not live. It can be deleted, replaced by a change that has each unreadable field, and
/// restored to a revision.
#[derive(Debug, Clone, PartialEq)]
pub struct UnreadableWidget {
    /// Its id.
    pub id: WidgetId,
    /// The owner.
    pub organization_id: Option<OrganizationId>,
    /// The agent that answers.
    pub agent_id: Option<AgentId>,
    /// The pinned version of it.
    pub agent_version_id: Option<AgentVersionId>,
    /// The sites that may show it.
    pub domains: Option<AllowedOrigins>,
    /// The owner's own gate.
    pub published: Option<bool>,
    /// Look and behavior.
    pub config: Option<Config>,
    /// When the record was made.
    pub created_at: Option<OffsetDateTime>,
    /// When the record was last changed.
    pub updated_at: Option<OffsetDateTime>,
    /// What cannot be read.
    pub unreadable: Vec<UnreadableField>,
}

/// A field of a stored record that this build cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableField {
    /// JSON Pointer from the record's root, such as `/config`.
    pub pointer: String,
    /// What is wrong with it.
    pub cause: String,
    /// The text as it is stored, if it is one.
    pub raw: Option<String>,
}

impl UnreadableField {
    /// `config_unreadable` for the config, `field_unreadable` for any other field.
    #[must_use]
    pub fn code(&self) -> Code {
        if self.pointer == "/config" {
            Code::ConfigUnreadable
        } else {
            Code::FieldUnreadable
        }
    }

    /// The field as a finding.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let name = self.pointer.trim_start_matches('/');
        let detail = format!("the stored `{name}` cannot be read: {}", self.cause);
        let hint = match name {
            "config" => {
                "send a new config, restore a revision, or use the version of the service that wrote it"
            }
            "created_at" | "updated_at" => "save the widget again",
            "agent_id" | "agent_version_id" | "domains" | "published" => {
                "send a new value, or restore a revision"
            }
            _ => "ask the operator of the service",
        };
        Finding::new(self.code(), detail)
            .at(self.pointer.clone())
            .with_hint(hint)
    }
}

impl UnreadableWidget {
    /// The unreadable fields as findings: what keeps the widget from being live.
    #[must_use]
    pub fn blockers(&self) -> FindingList {
        let fields = self.unreadable.iter();
        fields.map(UnreadableField::finding).collect()
    }

    /// The widget after a change that replaces each unreadable field. A time of creation that
    /// cannot be read becomes `now`.
    ///
    /// # Errors
    /// The unreadable fields that the change does not replace.
    pub fn repair(
        &self,
        organization: &OrganizationId,
        patch: &WidgetPatch,
        now: OffsetDateTime,
    ) -> Result<Widget, Findings> {
        let repaired = (|| {
            Some(Widget {
                id: self.id,
                organization_id: organization.clone(),
                agent_id: patch.agent_id.or(self.agent_id)?,
                agent_version_id: patch.agent_version_id.or(self.agent_version_id)?,
                domains: patch.domains.clone().or_else(|| self.domains.clone())?,
                published: patch.published.or(self.published)?,
                config: patch.config.clone().or_else(|| self.config.clone())?,
                created_at: self.created_at.unwrap_or(now),
                updated_at: now,
            })
        })();
        repaired.ok_or_else(|| {
            let is_replaced = |pointer: &str| match pointer {
                "/agent_id" => patch.agent_id.is_some(),
                "/agent_version_id" => patch.agent_version_id.is_some(),
                "/domains" => patch.domains.is_some(),
                "/published" => patch.published.is_some(),
                "/config" => patch.config.is_some(),
                _ => true,
            };
            let left = self.unreadable.iter();
            let left = left.filter(|field| !is_replaced(&field.pointer));
            let left = left.map(UnreadableField::finding).collect();
            Findings::from_list(left).unwrap_or_else(|| {
                Finding::new(Code::FieldUnreadable, "the stored widget cannot be read").into()
            })
        })
    }

    /// The change that makes a widget what this one was, to restore a revision: the times are not a
    /// part of it.
    ///
    /// # Errors
    /// The unreadable fields, when one of those that a change replaces is among them.
    pub fn to_patch(&self) -> Result<WidgetPatch, Findings> {
        let patch = WidgetPatch {
            agent_id: self.agent_id,
            agent_version_id: self.agent_version_id,
            domains: self.domains.clone(),
            published: self.published,
            config: self.config.clone(),
        };
        if patch.is_whole() {
            return Ok(patch);
        }
        let missing = Finding::new(Code::FieldUnreadable, "the stored widget cannot be read");
        Err(Findings::from_list(self.blockers()).unwrap_or_else(|| missing.into()))
    }

    /// Whether the widget, as far as it can be read, does not stop serving pages of this origin:
    /// for conversations that another build, which can read it, has started.
    #[must_use]
    pub fn may_serve(&self, page: &Origin) -> bool {
        self.published != Some(false)
            && self
                .domains
                .as_ref()
                .is_none_or(|domains| domains.admit(page).is_some())
    }
}

impl WidgetRecord {
    /// The id.
    #[must_use]
    pub const fn id(&self) -> WidgetId {
        match self {
            Self::Readable(widget) => widget.id,
            Self::Unreadable(unreadable) => unreadable.id,
        }
    }

    /// The widget, if it can be read.
    #[must_use]
    pub const fn readable(&self) -> Option<&Widget> {
        match self {
            Self::Readable(widget) => Some(widget),
            Self::Unreadable(_) => None,
        }
    }

    /// The record of what was read; `unreadable` names the fields that are missing.
    #[must_use]
    pub fn from_parts(parts: UnreadableWidget) -> Self {
        match parts {
            UnreadableWidget {
                id,
                organization_id: Some(organization_id),
                agent_id: Some(agent_id),
                agent_version_id: Some(agent_version_id),
                domains: Some(domains),
                published: Some(published),
                config: Some(config),
                created_at: Some(created_at),
                updated_at: Some(updated_at),
                unreadable,
            } if unreadable.is_empty() => Self::from(Widget {
                id,
                organization_id,
                agent_id,
                agent_version_id,
                domains,
                published,
                config,
                created_at,
                updated_at,
            }),
            parts => Self::Unreadable(Box::new(parts)),
        }
    }
}

impl From<Widget> for WidgetRecord {
    fn from(widget: Widget) -> Self {
        Self::Readable(Box::new(widget))
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::widget::NewWidget;

    const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

    fn widget() -> Widget {
        let organization = "acme".parse().expect("an organization");
        let agent = AgentId::from_uuid(Uuid::from_u128(2));
        let version = AgentVersionId::from_uuid(Uuid::from_u128(3));
        let id = WidgetId::from_uuid(Uuid::from_u128(1));
        NewWidget::new(organization, agent, version).into_widget(id, NOW)
    }

    fn parts(widget: Widget, unreadable: &[&str]) -> UnreadableWidget {
        let reads = |pointer: &str| !unreadable.contains(&pointer);
        UnreadableWidget {
            id: widget.id,
            organization_id: Some(widget.organization_id),
            agent_id: reads("/agent_id").then_some(widget.agent_id),
            agent_version_id: reads("/agent_version_id").then_some(widget.agent_version_id),
            domains: reads("/domains").then_some(widget.domains),
            published: reads("/published").then_some(widget.published),
            config: reads("/config").then_some(widget.config),
            created_at: reads("/created_at").then_some(widget.created_at),
            updated_at: reads("/updated_at").then_some(widget.updated_at),
            unreadable: unreadable
                .iter()
                .map(|pointer| UnreadableField {
                    pointer: (*pointer).to_owned(),
                    cause: "damaged".to_owned(),
                    raw: None,
                })
                .collect(),
        }
    }

    const FIELDS: [&str; 7] = [
        "/agent_id",
        "/agent_version_id",
        "/domains",
        "/published",
        "/config",
        "/created_at",
        "/updated_at",
    ];

    #[test]
    fn a_record_is_readable_when_every_field_is() {
        let whole = WidgetRecord::from_parts(parts(widget(), &[]));
        assert_eq!(whole, widget().into());
        for field in FIELDS {
            let record = WidgetRecord::from_parts(parts(widget(), &[field]));
            assert_eq!((record.readable(), record.id()), (None, widget().id));
        }
    }

    #[test]
    fn a_change_must_replace_what_cannot_be_read() {
        let organization = widget().organization_id;
        let later = NOW + time::Duration::HOUR;
        for field in FIELDS {
            let broken = parts(widget(), &[field]);
            let whole = broken
                .repair(&organization, &WidgetPatch::from(widget()), later)
                .expect("every field is sent");
            assert_eq!(whole.updated_at, later, "{field}");
            let created_at = if field == "/created_at" { later } else { NOW };
            assert_eq!(whole.created_at, created_at, "{field}");
            let again = broken.repair(&organization, &WidgetPatch::default(), later);
            if field.ends_with("_at") {
                assert!(again.is_ok(), "{field} is not sent");
                assert_eq!(broken.to_patch(), Ok(WidgetPatch::from(widget())));
                continue;
            }
            let left = again.expect_err("the field is not sent");
            assert_eq!(left.len(), 1);
            assert_eq!(left[0].pointer.as_deref(), Some(field));
            let code = if field == "/config" {
                Code::ConfigUnreadable
            } else {
                Code::FieldUnreadable
            };
            assert_eq!(left[0].code, code);
            assert_eq!(broken.blockers().into_vec(), left.clone().into_vec());
            assert_eq!(broken.to_patch(), Err(left));
        }
    }

    #[test]
    fn what_can_be_read_may_end_what_was_started() {
        let suffixes = crate::origin::SuffixList::builtin();
        let listed = Widget {
            domains: AllowedOrigins::parse(&["https://shop.example"], suffixes).expect("a list"),
            published: true,
            ..widget()
        };
        let page: Origin = "https://shop.example".parse().expect("an origin");
        let other: Origin = "https://other.example".parse().expect("an origin");
        let broken = parts(listed.clone(), &["/config"]);
        assert!(broken.may_serve(&page) && !broken.may_serve(&other));
        assert!(parts(listed.clone(), &["/domains"]).may_serve(&other));
        let closed = Widget {
            published: false,
            ..listed
        };
        assert!(!parts(closed, &["/config"]).may_serve(&page));
    }
}
