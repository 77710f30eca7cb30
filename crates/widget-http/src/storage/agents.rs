//! The registry of agents and their versions.

use time::OffsetDateTime;
use widget_core::{
    agent::RegistryFull,
    id::{AgentId, AgentVersionId, IdPrefix, OrganizationId},
};

use super::{
    error::StoreError,
    list_page::{ListPage, Page},
    unreadable::{Listed, StoredRow},
};

/// An agent of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its id.
    pub id: AgentId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// What its owner calls it.
    pub name: String,
    /// When it was created.
    pub created_at: OffsetDateTime,
}

/// A version of an agent: a draft until it is published, immutable from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentVersion {
    /// Its id.
    pub id: AgentVersionId,
    /// Its agent.
    pub agent_id: AgentId,
    /// Counts the versions of one agent from 1.
    pub number: i64,
    /// Name under which LiveKit dispatches the worker.
    pub livekit_agent_name: String,
    /// What its owner calls it.
    pub label: Option<String>,
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// When it was published.
    pub published_at: Option<OffsetDateTime>,
}

/// A version to be created; storage assigns its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAgentVersion {
    /// Its id.
    pub id: AgentVersionId,
    /// Name under which LiveKit dispatches the worker.
    pub livekit_agent_name: String,
    /// What its owner calls it.
    pub label: Option<String>,
    /// When it was created.
    pub created_at: OffsetDateTime,
}

/// Why an agent or a version was not stored.
#[derive(Debug, thiserror::Error)]
pub enum InsertAgentError {
    /// There are as many as there may be.
    #[error(transparent)]
    Full(#[from] RegistryFull),
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an agent was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteAgentError {
    /// A widget points at it or at one of its versions.
    #[error("a widget points at this agent")]
    InUse,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Agents and versions; every method looks at one organization only.
#[async_trait::async_trait]
pub trait AgentStore {
    /// Stores a new agent. Of several at once a few more than allowed may be stored.
    ///
    /// # Errors
    /// [`InsertAgentError`]
    async fn insert_agent(&self, agent: &Agent) -> Result<(), InsertAgentError>;

    /// Agents of the organization, newest first; those whose id begins so.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list_agents(
        &self,
        organization: &OrganizationId,
        id_prefix: Option<IdPrefix>,
        page: ListPage,
    ) -> Result<Page<Listed<StoredRow<Agent>>>, StoreError>;

    /// One agent.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_agent(
        &self,
        organization: &OrganizationId,
        id: AgentId,
    ) -> Result<Option<Agent>, StoreError>;

    /// Deletes an agent with its versions; `false` when there is none.
    ///
    /// # Errors
    /// [`DeleteAgentError`]
    async fn delete_agent(
        &self,
        organization: &OrganizationId,
        id: AgentId,
    ) -> Result<bool, DeleteAgentError>;

    /// Stores a new version under the next number; nothing when there is no such agent.
    ///
    /// # Errors
    /// [`InsertAgentError`]
    async fn insert_agent_version(
        &self,
        organization: &OrganizationId,
        agent: AgentId,
        version: &NewAgentVersion,
    ) -> Result<Option<AgentVersion>, InsertAgentError>;

    /// Versions of an agent with a number below `below`, newest first; none also when there is no
    /// such agent. The position of each is its number.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list_agent_versions(
        &self,
        organization: &OrganizationId,
        agent: AgentId,
        below: i64,
        limit: u32,
    ) -> Result<Page<Listed<StoredRow<AgentVersion>>>, StoreError>;

    /// Publishes a version and returns it; publishing again keeps the first time.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn publish_agent_version(
        &self,
        organization: &OrganizationId,
        agent: AgentId,
        version: AgentVersionId,
        now: OffsetDateTime,
    ) -> Result<Option<AgentVersion>, StoreError>;
}
