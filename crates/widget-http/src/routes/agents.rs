//! The registry of agents: what widgets can point at.

use axum::{
    Json,
    extract::{RawQuery, State},
    response::IntoResponse,
};
use http::{HeaderMap, StatusCode, header};
use widget_api::{
    FieldError, ProblemCode, Scope,
    agents::{Agent, AgentVersion, AgentVersionsQuery, AgentsQuery, NewAgent, NewAgentVersion},
    unreadable::Listed,
};
use widget_core::{
    agent::{self, VersionStatus},
    id::{AgentId, AgentVersionId},
};

use super::{directory::require_registry, listed::build_listed};
use crate::{
    state::AppState,
    storage,
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::{PathId, PathIds, StrictJson, StrictQuery},
        paging::{self, JsonList},
        problem::Problem,
    },
};

/// `/core/agents` and what is below.
pub(crate) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::get(
                "/core/agents",
                "listAgents",
                "Lists the agents of the organization, the newest first",
            )
            .scope(Scope::AgentsRead)
            .query::<AgentsQuery>()
            .answer::<Vec<Listed<Agent>>>(
                200,
                "A page of agents; the header `Link` names the next.",
            )
            .with(header::LINK),
            list,
        )
        .route(
            api::post("/core/agents", "createAgent", "Registers an agent")
                .scope(Scope::AgentsManage)
                .body::<NewAgent>()
                .answer::<Agent>(201, "The agent.")
                .with(header::LOCATION)
                .problems([
                    ProblemCode::RegistryFull,
                    ProblemCode::AgentDirectoryConfigured,
                ]),
            create,
        )
        .route(
            api::get("/core/agents/{id}", "getAgent", "Reads an agent")
                .scope(Scope::AgentsRead)
                .answer::<Agent>(200, "The agent.")
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
            .answer_empty(204, "The agent is deleted.")
            .problems([
                ProblemCode::NotFound,
                ProblemCode::AgentInUse,
                ProblemCode::AgentDirectoryConfigured,
            ]),
            remove,
        )
        .route(
            api::get(
                "/core/agents/{id}/versions",
                "listAgentVersions",
                "Lists the versions of an agent, the newest first",
            )
            .scope(Scope::AgentsRead)
            .query::<AgentVersionsQuery>()
            .answer::<Vec<Listed<AgentVersion>>>(
                200,
                "A page of versions; the header `Link` names the next.",
            )
            .with(header::LINK)
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
            .body::<NewAgentVersion>()
            .answer::<AgentVersion>(201, "The version.")
            .problems([
                ProblemCode::NotFound,
                ProblemCode::Conflict,
                ProblemCode::RegistryFull,
                ProblemCode::AgentDirectoryConfigured,
            ]),
            create_version,
        )
        .route(
            api::post(
                "/core/agents/{id}/versions/{version_id}/publish",
                "publishAgentVersion",
                "Publishes a version; a repetition changes nothing",
            )
            .scope(Scope::AgentsManage)
            .answer::<AgentVersion>(200, "The version.")
            .problems([ProblemCode::NotFound, ProblemCode::AgentDirectoryConfigured]),
            publish,
        )
}

fn build_agent(agent: storage::Agent) -> Agent {
    Agent {
        id: agent.id,
        name: agent.name,
        created_at: agent.created_at.into(),
    }
}

fn build_version(version: storage::AgentVersion) -> AgentVersion {
    AgentVersion {
        id: version.id,
        agent_id: version.agent_id,
        number: version.number,
        status: VersionStatus::of(version.published_at),
        livekit_agent_name: version.livekit_agent_name,
        label: version.label,
        created_at: version.created_at.into(),
        published_at: version.published_at.map(Into::into),
    }
}

async fn create(
    State(state): State<AppState>,
    caller: Caller,
    StrictJson(body): StrictJson<NewAgent>,
) -> Result<impl IntoResponse, Problem> {
    require_registry(&state)?;
    let name = require_name("/name", &body.name)?;
    let id = AgentId::from_uuid(state.new_id()?);
    let agent = storage::Agent {
        id,
        organization_id: caller.organization_id,
        name,
        created_at: state.now(),
    };
    state.storage.insert_agent(&agent).await?;
    let location = [(header::LOCATION, format!("/core/agents/{id}"))];
    Ok((StatusCode::CREATED, location, Json(build_agent(agent))))
}

async fn list(
    State(state): State<AppState>,
    caller: Caller,
    RawQuery(raw): RawQuery,
    StrictQuery(query): StrictQuery<AgentsQuery>,
) -> Result<impl IntoResponse, Problem> {
    let page = paging::parse_page(query.limit, query.cursor.as_deref())?;
    let found = state
        .storage
        .list_agents(&caller.organization_id, query.id_prefix, page)
        .await?;
    let url = &state.settings.public_url;
    let headers = paging::link_next(&found, url, "/core/agents", raw.as_deref());
    let mut bodies = JsonList::new();
    for row in found {
        bodies.push(&build_listed(row.item, |agent| Ok(build_agent(agent)))?)?;
    }
    Ok((headers, bodies))
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<AgentId>,
) -> Result<Json<Agent>, Problem> {
    let agent = state
        .storage
        .find_agent(&caller.organization_id, id)
        .await?
        .ok_or_else(|| Problem::not_found("agent"))?;
    Ok(Json(build_agent(agent)))
}

async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<AgentId>,
) -> Result<StatusCode, Problem> {
    require_registry(&state)?;
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
    StrictJson(body): StrictJson<NewAgentVersion>,
) -> Result<impl IntoResponse, Problem> {
    require_registry(&state)?;
    let version = storage::NewAgentVersion {
        id: AgentVersionId::from_uuid(state.new_id()?),
        livekit_agent_name: require_name("/livekit_agent_name", &body.livekit_agent_name)?,
        label: body
            .label
            .as_deref()
            .map(|label| require_name("/label", label))
            .transpose()?,
        created_at: state.now(),
    };
    let version = state
        .storage
        .insert_agent_version(&caller.organization_id, agent, &version)
        .await?
        .ok_or_else(|| Problem::not_found("agent"))?;
    Ok((StatusCode::CREATED, Json(build_version(version))))
}

async fn list_versions(
    State(state): State<AppState>,
    caller: Caller,
    PathId(agent): PathId<AgentId>,
    StrictQuery(query): StrictQuery<AgentVersionsQuery>,
) -> Result<impl IntoResponse, Problem> {
    let limit = paging::parse_limit(query.limit)?;
    let organization = &caller.organization_id;
    let versions = state
        .storage
        .list_agent_versions(organization, agent, query.before.unwrap_or(i64::MAX), limit)
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
    let headers = match versions.last() {
        Some(last) if versions.has_more => paging::link_before(
            &state.settings.public_url,
            &format!("/core/agents/{agent}/versions"),
            limit,
            last.position.0,
        ),
        _ => HeaderMap::new(),
    };
    let mut bodies = JsonList::new();
    for row in versions {
        bodies.push(&build_listed(row.item, |version| {
            Ok(build_version(version))
        })?)?;
    }
    Ok((headers, bodies))
}

async fn publish(
    State(state): State<AppState>,
    caller: Caller,
    PathIds(agent, version): PathIds<AgentId, AgentVersionId>,
) -> Result<Json<AgentVersion>, Problem> {
    require_registry(&state)?;
    let published = state
        .storage
        .publish_agent_version(&caller.organization_id, agent, version, state.now())
        .await?;
    state.public_widgets.forget_all();
    published
        .map(|version| Json(build_version(version)))
        .ok_or_else(|| Problem::not_found("agent version"))
}

/// A valid name; `pointer` is its place in the body.
fn require_name(pointer: &str, text: &str) -> Result<String, Problem> {
    agent::parse_name(text).map_err(|error| {
        Problem::new(
            ProblemCode::BodyInvalid,
            "a value is out of range; see `errors`",
        )
        .with_error(FieldError::new(pointer, error.code(), error.to_string()))
    })
}
