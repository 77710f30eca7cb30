//! Bodies of `/core/agents`: the registry of agents and their versions.

use serde::{Deserialize, Serialize};
use widget_core::{
    agent::VersionStatus,
    id::{AgentId, AgentVersionId, IdPrefix},
};

use crate::Timestamp;
#[cfg(feature = "schemars")]
use {
    crate::{MAX_PAGE_LIMIT, schema},
    widget_core::agent::MAX_NAME_CHARACTERS,
};

/// An agent to register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewAgent {
    /// The name for people.
    #[cfg_attr(feature = "schemars", schemars(length(min = 1, max = MAX_NAME_CHARACTERS)))]
    pub name: String,
}

/// An agent that widgets can point at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Agent {
    /// Identifies the agent.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<AgentId>"))]
    pub id: AgentId,
    /// The name for people.
    pub name: String,
    /// When the agent was registered.
    pub created_at: Timestamp,
}

/// Which agents to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AgentsQuery {
    /// The number of agents in an answer: 1 to 200, the default is 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(range(min = 1, max = MAX_PAGE_LIMIT)))]
    pub limit: Option<u32>,
    /// Where to continue, as the `Link` of the answer before says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Only agents whose id begins so: four hexadecimal digits or more, with or without hyphens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schemars",
        schemars(with = "Option<schema::Text<IdPrefix>>")
    )]
    pub id_prefix: Option<IdPrefix>,
}

/// Which versions of an agent to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AgentVersionsQuery {
    /// The number of versions in an answer: 1 to 200, the default is 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(range(min = 1, max = MAX_PAGE_LIMIT)))]
    pub limit: Option<u32>,
    /// Only versions older than this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
}

/// A version to add to an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewAgentVersion {
    /// The name under which the worker registers with LiveKit.
    #[cfg_attr(feature = "schemars", schemars(length(min = 1, max = MAX_NAME_CHARACTERS)))]
    pub livekit_agent_name: String,
    /// The name of the version for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(length(min = 1, max = MAX_NAME_CHARACTERS)))]
    pub label: Option<String>,
}

/// A version of an agent. It never changes once it is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct AgentVersion {
    /// Identifies the version; widgets pin it.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<AgentVersionId>"))]
    pub id: AgentVersionId,
    /// The agent.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<AgentId>"))]
    pub agent_id: AgentId,
    /// Counts the versions of the agent from 1.
    pub number: i64,
    /// Widgets are shown only with a published version.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<VersionStatus>"))]
    pub status: VersionStatus,
    /// The name under which the worker registers with LiveKit.
    pub livekit_agent_name: String,
    /// The name of the version for people.
    pub label: Option<String>,
    /// When the version was added.
    pub created_at: Timestamp,
    /// When the version was published.
    pub published_at: Option<Timestamp>,
}
