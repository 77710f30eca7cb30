//! The registry of agents: what widgets can point at.

use axum::{
    Json,
    extract::{Path, State},
    response::IntoResponse,
};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use widget_api::{FieldError, ProblemCode, Scope};
use widget_core::{
    agent::{self, MAX_NAME_CHARACTERS},
    id::{AgentId, AgentVersionId},
};

use crate::{
    state::AppState,
    storage::{Agent, AgentVersion, NewAgentVersion},
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::{PathId, StrictJson},
        problem::Problem,
        wire::{Text, Timestamp},
    },
};

/// `/core/agents` and what is below.
pub(crate) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::get(
                "/core/agents",
                "listAgents",
                "Lists the agents of the organization",
            )
            .scope(Scope::AgentsRead)
            .answer::<Vec<AgentBody>>(200, "The agents."),
            list,
        )
        .route(
            api::post("/core/agents", "createAgent", "Registers an agent")
                .scope(Scope::AgentsManage)
                .body::<AgentRequest>()
                .answer::<AgentBody>(201, "The agent.")
                .with(header::LOCATION),
            create,
        )
        .route(
            api::get("/core/agents/{id}", "getAgent", "Reads an agent")
                .scope(Scope::AgentsRead)
                .answer::<AgentBody>(200, "The agent.")
                .problems([ProblemCode::NotFound]),
            read,
        )
        .route(
            api::delete(
                "/core/agents/{id}",
                "deleteAgent",
                "Deletes an agent that no widget points at",
            )
            .scope(Scope::AgentsManage)
            .answer_empty(204, "It is gone.")
            .problems([ProblemCode::NotFound, ProblemCode::AgentInUse]),
            remove,
        )
        .route(
            api::get(
                "/core/agents/{id}/versions",
                "listAgentVersions",
                "Lists the versions of an agent",
            )
            .scope(Scope::AgentsRead)
            .answer::<Vec<VersionBody>>(200, "The versions.")
            .problems([ProblemCode::NotFound]),
            list_versions,
        )
        .route(
            api::post(
                "/core/agents/{id}/versions",
                "createAgentVersion",
                "Adds a draft version",
            )
            .scope(Scope::AgentsManage)
            .body::<VersionRequest>()
            .answer::<VersionBody>(201, "The version.")
            .problems([ProblemCode::NotFound, ProblemCode::Conflict]),
            create_version,
        )
        .route(
            api::post(
                "/core/agents/{id}/versions/{version_id}/publish",
                "publishAgentVersion",
                "Publishes a version; again changes nothing",
            )
            .scope(Scope::AgentsManage)
            .answer::<VersionBody>(200, "The version.")
            .problems([ProblemCode::NotFound]),
            publish,
        )
}

/// An agent to register.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "NewAgent")]
struct AgentRequest {
    /// What people call it.
    #[schemars(length(min = 1, max = MAX_NAME_CHARACTERS))]
    name: String,
}

/// An agent that widgets can point at.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Agent")]
struct AgentBody {
    /// Names the agent.
    id: Text<AgentId>,
    /// What people call it.
    name: String,
    /// When it was registered.
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

/// A version to add to an agent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "NewAgentVersion")]
struct VersionRequest {
    /// The name under which the worker registers at LiveKit.
    #[schemars(length(min = 1, max = MAX_NAME_CHARACTERS))]
    livekit_agent_name: String,
    /// What people call the version.
    #[serde(default)]
    #[schemars(length(min = 1, max = MAX_NAME_CHARACTERS))]
    label: Option<String>,
}

/// A version of an agent; published, it never changes.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "AgentVersion")]
struct VersionBody {
    /// Names the version; widgets pin it.
    id: Text<AgentVersionId>,
    /// The agent.
    agent_id: Text<AgentId>,
    /// Counts the versions of the agent from 1.
    number: i64,
    /// Widgets serve only with a published one.
    status: VersionStatus,
    /// The name under which the worker registers at LiveKit.
    livekit_agent_name: String,
    /// What people call the version.
    label: Option<String>,
    /// When it was added.
    created_at: Timestamp,
    /// When it was published.
    published_at: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
#[derive(schemars::JsonSchema)]
#[schemars(inline)]
enum VersionStatus {
    Draft,
    Published,
}

impl From<AgentVersion> for VersionBody {
    fn from(version: AgentVersion) -> Self {
        Self {
            id: Text(version.id),
            agent_id: Text(version.agent_id),
            number: version.number,
            status: if version.published_at.is_some() {
                VersionStatus::Published
            } else {
                VersionStatus::Draft
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
    let agents = state.storage.list_agents(&caller.organization_id).await?;
    Ok(Json(agents.into_iter().map(AgentBody::from).collect()))
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<AgentId>,
) -> Result<Json<AgentBody>, Problem> {
    let agent = state
        .storage
        .find_agent(&caller.organization_id, id)
        .await?
        .ok_or_else(|| Problem::not_found("agent"))?;
    Ok(Json(agent.into()))
}

async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<AgentId>,
) -> Result<StatusCode, Problem> {
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
    let organization = &caller.organization_id;
    let versions = state
        .storage
        .list_agent_versions(organization, agent)
        .await?;
    if versions.is_empty()
        && state
            .storage
            .find_agent(organization, agent)
            .await?
            .is_none()
    {
        return Err(Problem::not_found("agent"));
    }
    Ok(Json(versions.into_iter().map(VersionBody::from).collect()))
}

async fn publish(
    State(state): State<AppState>,
    caller: Caller,
    Path((agent, version)): Path<(String, String)>,
) -> Result<Json<VersionBody>, Problem> {
    let (Ok(agent), Ok(version)) = (agent.parse(), version.parse()) else {
        return Err(Problem::not_found("agent version"));
    };
    let published = state
        .storage
        .publish_agent_version(&caller.organization_id, agent, version, state.now())
        .await?;
    state.public_widgets.forget_all();
    published
        .map(|version| Json(version.into()))
        .ok_or_else(|| Problem::not_found("agent version"))
}

/// A name out of the body, where it stands at `pointer`.
fn name(pointer: &str, text: &str) -> Result<String, Problem> {
    agent::parse_name(text).map_err(|error| {
        Problem::new(
            ProblemCode::BodyInvalid,
            "a value is out of range; see `errors`",
        )
        .with_error(FieldError::new(pointer, error.code(), error.to_string()))
    })
}
