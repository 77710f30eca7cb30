//! The record of a widget, its parts, and what is reported about it.
//!
//! Records are written by a derive of their own. They are read through the structs here, which
//! have the same keys and a list of plain texts for the parsing constructors.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error as _},
};
use serde_json::value::RawValue;
use time::OffsetDateTime;

use crate::{
    config::Config,
    embed::HostPagePolicy,
    finding::Finding,
    go_live::{GoLiveReport, VersionSource},
    id::{AgentId, AgentVersionId, OrganizationId, WidgetId},
    origin::{AllowedOrigins, Entry},
    rfc3339,
    seed::WithSuffixes,
    widget::{NewWidget, Widget, WidgetPatch},
};

impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Config {
    /// Reads JSON only: duplicate keys and inexact numbers are visible in its text alone.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(D::Error::custom)
    }
}

impl Serialize for AllowedOrigins {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.entries().serialize(serializer)
    }
}

impl<'de> DeserializeSeed<'de> for WithSuffixes<'_, AllowedOrigins> {
    type Value = AllowedOrigins;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let entries = Vec::<String>::deserialize(deserializer)?;
        AllowedOrigins::parse(&entries, self.suffixes).map_err(D::Error::custom)
    }
}

/// A newer service may add keys, so unknown ones are ignored.
#[derive(Deserialize)]
struct StoredWidget {
    id: WidgetId,
    organization_id: OrganizationId,
    agent_id: AgentId,
    agent_version_id: AgentVersionId,
    domains: Vec<String>,
    published: bool,
    config: Config,
    #[serde(with = "rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "rfc3339")]
    updated_at: OffsetDateTime,
}

impl<'de> DeserializeSeed<'de> for WithSuffixes<'_, Widget> {
    type Value = Widget;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let stored = StoredWidget::deserialize(deserializer)?;
        Ok(Widget {
            id: stored.id,
            organization_id: stored.organization_id,
            agent_id: stored.agent_id,
            agent_version_id: stored.agent_version_id,
            domains: AllowedOrigins::load(&stored.domains, self.suffixes),
            published: stored.published,
            config: stored.config,
            created_at: stored.created_at,
            updated_at: stored.updated_at,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentWidget {
    organization_id: OrganizationId,
    agent_id: AgentId,
    agent_version_id: AgentVersionId,
    #[serde(default)]
    domains: Vec<String>,
    #[serde(default)]
    published: bool,
    #[serde(default)]
    config: Config,
}

impl<'de> DeserializeSeed<'de> for WithSuffixes<'_, NewWidget> {
    type Value = NewWidget;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let sent = SentWidget::deserialize(deserializer)?;
        Ok(NewWidget {
            organization_id: sent.organization_id,
            agent_id: sent.agent_id,
            agent_version_id: sent.agent_version_id,
            domains: AllowedOrigins::parse(&sent.domains, self.suffixes)
                .map_err(D::Error::custom)?,
            published: sent.published,
            config: sent.config,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentPatch {
    #[serde(default, deserialize_with = "present")]
    agent_id: Option<AgentId>,
    #[serde(default, deserialize_with = "present")]
    agent_version_id: Option<AgentVersionId>,
    #[serde(default, deserialize_with = "present")]
    domains: Option<Vec<String>>,
    #[serde(default, deserialize_with = "present")]
    published: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    config: Option<Config>,
}

/// A missing key keeps the value; `null` could mean several things and is refused.
fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

impl<'de> DeserializeSeed<'de> for WithSuffixes<'_, WidgetPatch> {
    type Value = WidgetPatch;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let sent = SentPatch::deserialize(deserializer)?;
        let domains = sent
            .domains
            .map(|entries| AllowedOrigins::parse(&entries, self.suffixes))
            .transpose()
            .map_err(D::Error::custom)?;
        Ok(WidgetPatch {
            agent_id: sent.agent_id,
            agent_version_id: sent.agent_version_id,
            domains,
            published: sent.published,
            config: sent.config,
        })
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> DeserializeSeed<'de> for WithSuffixes<'_, Entry> {
    type Value = Entry;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let text = String::deserialize(deserializer)?;
        Entry::parse(&text, self.suffixes).map_err(D::Error::custom)
    }
}

/// A report as it is written; whether it is live follows from its blockers.
#[derive(Deserialize)]
struct WrittenReport {
    live: bool,
    blockers: Vec<Finding>,
    #[serde(default)]
    version_source: Option<VersionSource>,
    warnings: Vec<Finding>,
    #[serde(default)]
    warnings_total: Option<u64>,
}

impl<'de> Deserialize<'de> for GoLiveReport {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let WrittenReport {
            live,
            blockers,
            version_source,
            warnings,
            warnings_total,
        } = WrittenReport::deserialize(deserializer)?;
        if live != blockers.is_empty() {
            return Err(D::Error::custom(
                "`live` must be true exactly when `blockers` is empty",
            ));
        }
        Ok(Self {
            live,
            blockers,
            version_source,
            warnings,
            warnings_total,
        })
    }
}

impl Serialize for HostPagePolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.lines().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for HostPagePolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let lines = Vec::<String>::deserialize(deserializer)?;
        Self::from_lines(&lines)
            .ok_or_else(|| D::Error::custom("the lines are not the policy of a host page"))
    }
}
