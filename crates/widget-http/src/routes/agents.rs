//! The registry of agents: what widgets can point at.

use axum::{
    Json, Router,
    extract::{Path, State},
    response::IntoResponse,
    routing::{get, post},
};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use widget_core::id::{AgentId, AgentVersionId};

use crate::{
    auth::{Caller, Scope},
    extract::{PathId, StrictJson},
    problem::{FieldError, Problem},
    state::AppState,
    storage::{Agent, AgentVersion, NewAgentVersion},
    wire::{Text, Timestamp},
};

/// Characters of a name or label at most.
const MAXIMUM_NAME: usize = 200;

/// `/core/agents` and what is below.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route("/core/agents", get(list).post(create))
        .route("/core/agents/{id}", get(read).delete(remove))
        .route(
            "/core/agents/{id}/versions",
            get(list_versions).post(create_version),
        )
        .route(
            "/core/agents/{id}/versions/{version_id}/publish",
            post(publish),
        )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgentRequest {
    name: String,
}

#[derive(Serialize)]
struct AgentBody {
    id: Text<AgentId>,
    name: String,
    created_at: Timestamp,
}

impl From<Agent> for AgentBody {
    fn from(agent: Agent) -> Self {
        Self {
            id: Text(agent.id),
            name: agent.name,
            created_at: Timestamp(agent.created_at),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionRequest {
    livekit_agent_name: String,
    #[serde(default)]
    label: Option<String>,
}

#[derive(Serialize)]
struct VersionBody {
    id: Text<AgentVersionId>,
    agent_id: Text<AgentId>,
    number: i64,
    status: &'static str,
    livekit_agent_name: String,
    label: Option<String>,
    created_at: Timestamp,
    published_at: Option<Timestamp>,
}

impl From<AgentVersion> for VersionBody {
    fn from(version: AgentVersion) -> Self {
        Self {
            id: Text(version.id),
            agent_id: Text(version.agent_id),
            number: version.number,
            status: if version.published_at.is_some() {
                "published"
            } else {
                "draft"
            },
            livekit_agent_name: version.livekit_agent_name,
            label: version.label,
            created_at: Timestamp(version.created_at),
            published_at: version.published_at.map(Timestamp),
        }
    }
}

async fn create(
    State(state): State<AppState>,
    caller: Caller,
    StrictJson(body): StrictJson<AgentRequest>,
) -> Result<impl IntoResponse, Problem> {
    caller.require(Scope::AgentsManage)?;
    let name = name("/name", &body.name)?;
    let id = AgentId::from_uuid(state.new_id()?);
    let agent = Agent {
        id,
        organization_id: caller.organization_id,
        name,
        created_at: state.now(),
    };
    state.storage.insert_agent(&agent).await?;
    let location = [(header::LOCATION, format!("/core/agents/{id}"))];
    Ok((StatusCode::CREATED, location, Json(AgentBody::from(agent))))
}

async fn list(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<Vec<AgentBody>>, Problem> {
    caller.require(Scope::AgentsRead)?;
    let agents = state.storage.agents(&caller.organization_id).await?;
    Ok(Json(agents.into_iter().map(AgentBody::from).collect()))
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<AgentId>,
) -> Result<Json<AgentBody>, Problem> {
    caller.require(Scope::AgentsRead)?;
    let agent = state
        .storage
        .agent(&caller.organization_id, id)
        .await?
        .ok_or_else(|| Problem::not_found("agent"))?;
    Ok(Json(agent.into()))
}

async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<AgentId>,
) -> Result<StatusCode, Problem> {
    caller.require(Scope::AgentsManage)?;
    if state
        .storage
        .delete_agent(&caller.organization_id, id)
        .await?
    {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("agent"))
    }
}

async fn create_version(
    State(state): State<AppState>,
    caller: Caller,
    PathId(agent): PathId<AgentId>,
    StrictJson(body): StrictJson<VersionRequest>,
) -> Result<impl IntoResponse, Problem> {
    caller.require(Scope::AgentsManage)?;
    let version = NewAgentVersion {
        id: AgentVersionId::from_uuid(state.new_id()?),
        livekit_agent_name: name("/livekit_agent_name", &body.livekit_agent_name)?,
        label: body
            .label
            .as_deref()
            .map(|label| name("/label", label))
            .transpose()?,
        created_at: state.now(),
    };
    let version = state
        .storage
        .insert_agent_version(&caller.organization_id, agent, &version)
        .await?
        .ok_or_else(|| Problem::not_found("agent"))?;
    Ok((StatusCode::CREATED, Json(VersionBody::from(version))))
}

async fn list_versions(
    State(state): State<AppState>,
    caller: Caller,
    PathId(agent): PathId<AgentId>,
) -> Result<Json<Vec<VersionBody>>, Problem> {
    caller.require(Scope::AgentsRead)?;
    let organization = &caller.organization_id;
    let versions = state.storage.agent_versions(organization, agent).await?;
    if versions.is_empty() && state.storage.agent(organization, agent).await?.is_none() {
        return Err(Problem::not_found("agent"));
    }
    Ok(Json(versions.into_iter().map(VersionBody::from).collect()))
}

async fn publish(
    State(state): State<AppState>,
    caller: Caller,
    Path((agent, version)): Path<(String, String)>,
) -> Result<Json<VersionBody>, Problem> {
    caller.require(Scope::AgentsManage)?;
    let (Ok(agent), Ok(version)) = (agent.parse(), version.parse()) else {
        return Err(Problem::not_found("agent version"));
    };
    let published = state
        .storage
        .publish_agent_version(&caller.organization_id, agent, version, state.now())
        .await?;
    state.visitor.widgets.forget_all();
    published
        .map(|version| Json(version.into()))
        .ok_or_else(|| Problem::not_found("agent version"))
}

/// A name as it is kept: without outer white space, neither empty nor too long.
fn name(pointer: &str, text: &str) -> Result<String, Problem> {
    let text = text.trim();
    let length = text.chars().count();
    if (1..=MAXIMUM_NAME).contains(&length) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    let detail = format!(
        "this has {length} characters; 1 to {MAXIMUM_NAME} without control characters are allowed"
    );
    Err(
        Problem::unprocessable("body_invalid", "a value is out of range; see `errors`")
            .with_error(FieldError::new(pointer, "invalid_value", detail)),
    )
}
