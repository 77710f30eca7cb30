//! SQL of the registry of agents.

use sqlx::QueryBuilder;
use time::OffsetDateTime;
use widget_core::{
    agent,
    id::{AgentId, AgentVersionId, IdPrefix, OrganizationId},
};

use super::{
    Backend, Database, Row,
    row::Columns,
    widgets::{push_page, push_prefix},
};
use crate::storage::{
    agents::{
        Agent, AgentStore, AgentVersion, DeleteAgentError, InsertAgentError, NewAgentVersion,
    },
    driver::micros,
    error::StoreError,
    list_page::{ListPage, Page},
    table::table,
    unreadable::{Listed, StoredRow},
};

table! {
    agent_columns, read_agent from "agents" by "id";
    id: id(AgentId::from_uuid),
    organization_id: parsed(str::parse),
    name: get(),
    created_at: time(),
    => |row| -> Agent {
        Ok(Agent { id, organization_id, name, created_at })
    }
}

table! {
    agent_version_columns, read_agent_version from "agent_versions" by "id";
    id: id(AgentVersionId::from_uuid),
    agent_id: id(AgentId::from_uuid),
    number: get(),
    livekit_agent_name: get(),
    label: get(),
    created_at: time(),
    published_at: optional_time(),
    => |row| -> AgentVersion {
        Ok(AgentVersion { id, agent_id, number, livekit_agent_name, label, created_at, published_at })
    }
}

#[async_trait::async_trait]
impl AgentStore for Backend {
    async fn insert_agent(&self, agent: &Agent) -> Result<(), InsertAgentError> {
        let mut transaction = self.begin().await?;
        let count: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM agents WHERE organization_id = $1")
                .bind(agent.organization_id.as_str())
                .fetch_one(&mut transaction)
                .await
                .map_err(StoreError::from)?;
        agent::require_agent_capacity(count)?;
        sqlx::query(
            "INSERT INTO agents (id, organization_id, name, created_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(agent.id.as_uuid())
        .bind(agent.organization_id.as_str())
        .bind(&agent.name)
        .bind(micros(agent.created_at))
        .execute(&mut transaction)
        .await
        .map_err(StoreError::from)?;
        transaction.commit().await?;
        Ok(())
    }

    async fn list_agents(
        &self,
        organization: &OrganizationId,
        id_prefix: Option<IdPrefix>,
        page: ListPage,
    ) -> Result<Page<Listed<StoredRow<Agent>>>, StoreError> {
        let mut query = QueryBuilder::<Database>::new(concat!(
            "SELECT ",
            agent_columns!(),
            " FROM agents WHERE organization_id = "
        ));
        query.push_bind(organization.as_str());
        if let Some(prefix) = id_prefix {
            push_prefix(&mut query, "id", prefix);
        }
        push_page(&mut query, page, "created_at", "id", page.limit);
        let rows = query.build().fetch_all(self.reader()).await?;
        let rows = Page::of_lookahead(rows, page.limit);
        self.list(&rows, "agents", "created_at", |row| {
            self.unreadable().keep(read_agent(row))
        })
    }

    async fn find_agent(
        &self,
        organization: &OrganizationId,
        id: AgentId,
    ) -> Result<Option<Agent>, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT ",
            agent_columns!(),
            " FROM agents WHERE organization_id = $1 AND id = $2"
        ))
        .bind(organization.as_str())
        .bind(id.as_uuid())
        .fetch_optional(self.reader())
        .await?;
        self.unreadable()
            .noted(row.as_ref().map(read_agent).transpose())
    }

    async fn delete_agent(
        &self,
        organization: &OrganizationId,
        id: AgentId,
    ) -> Result<bool, DeleteAgentError> {
        let done = sqlx::query("DELETE FROM agents WHERE organization_id = $1 AND id = $2")
            .bind(organization.as_str())
            .bind(id.as_uuid())
            .execute(self.writer())
            .await
            .map_err(StoreError::from)
            .map_err(|error| {
                if error.is_dangling() {
                    DeleteAgentError::InUse
                } else {
                    error.into()
                }
            })?;
        Ok(done.rows_affected() > 0)
    }

    async fn insert_agent_version(
        &self,
        organization: &OrganizationId,
        agent: AgentId,
        version: &NewAgentVersion,
    ) -> Result<Option<AgentVersion>, InsertAgentError> {
        let mut transaction = self.begin().await?;
        // Writing the agent's row makes others wait for their number; without it the constraint
        // would refuse the second of two.
        sqlx::query("UPDATE agents SET id = id WHERE organization_id = $1 AND id = $2")
            .bind(organization.as_str())
            .bind(agent.as_uuid())
            .execute(&mut transaction)
            .await
            .map_err(StoreError::from)?;
        let row = sqlx::query(
            concat!("INSERT INTO agent_versions
                 (id, organization_id, agent_id, number, livekit_agent_name, label, created_at)
             SELECT $1, organization_id, id,
                 (SELECT COALESCE(MAX(number), 0) + 1 FROM agent_versions WHERE agent_id = $3), $4, $5, $6
             FROM agents WHERE organization_id = $2 AND id = $3
             RETURNING ", agent_version_columns!()),
        )
        .bind(version.id.as_uuid())
        .bind(organization.as_str())
        .bind(agent.as_uuid())
        .bind(&version.livekit_agent_name)
        .bind(&version.label)
        .bind(micros(version.created_at))
        .fetch_optional(&mut transaction)
        .await
        .map_err(StoreError::from)?;
        let stored = row.as_ref().map(read_agent_version).transpose()?;
        if let Some(stored) = &stored {
            agent::require_version_capacity(stored.number)?;
        }
        transaction.commit().await?;
        Ok(stored)
    }

    async fn list_agent_versions(
        &self,
        organization: &OrganizationId,
        agent: AgentId,
        below: i64,
        limit: u32,
    ) -> Result<Page<Listed<StoredRow<AgentVersion>>>, StoreError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            agent_version_columns!(),
            " FROM agent_versions WHERE organization_id = $1 AND agent_id = $2 AND number < $3
             ORDER BY number DESC LIMIT $4"
        ))
        .bind(organization.as_str())
        .bind(agent.as_uuid())
        .bind(below)
        .bind(i64::from(limit) + 1)
        .fetch_all(self.reader())
        .await?;
        let rows = Page::of_lookahead(rows, limit);
        self.list(&rows, "agent_versions", "number", |row| {
            self.unreadable().keep(read_agent_version(row))
        })
    }

    async fn publish_agent_version(
        &self,
        organization: &OrganizationId,
        agent: AgentId,
        version: AgentVersionId,
        now: OffsetDateTime,
    ) -> Result<Option<AgentVersion>, StoreError> {
        let row = sqlx::query(concat!(
            "UPDATE agent_versions SET published_at = COALESCE(published_at, $4)
             WHERE organization_id = $1 AND agent_id = $2 AND id = $3
             RETURNING ",
            agent_version_columns!()
        ))
        .bind(organization.as_str())
        .bind(agent.as_uuid())
        .bind(version.as_uuid())
        .bind(micros(now))
        .fetch_optional(self.writer())
        .await?;
        row.as_ref().map(read_agent_version).transpose()
    }
}
