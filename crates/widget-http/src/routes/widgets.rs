//! Widgets of an organization: create, read, list, change, delete.

use axum::{
    Json,
    extract::{RawQuery, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use time::Duration;
use widget_api::{ProblemCode, Scope};
use widget_core::{
    config::Config,
    id::{AgentId, AgentVersionId, OrganizationId, WidgetId},
    origin::{AllowedOrigins, SuffixList},
    widget::{NewWidget, Widget, WidgetPatch},
};

use crate::{
    openapi::ConfigDocument,
    state::AppState,
    storage::{
        Author, IdempotentRequest, InsertedWidget, StoreError, StoredWidget, WidgetFilter,
        WriteWidgetError,
    },
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        etag,
        extract::{
            BODY_LIMIT, Parsed, PathId, StrictJson, StrictQuery, parse_json, read_body,
            require_json,
        },
        paging,
        problem::{Problem, domains_invalid},
        wire::{self, Text, Timestamp, present},
    },
};

mod brand;
mod close;
mod decision;
mod revisions;

/// Names a request that is to be done once.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// How long such a request is remembered.
const IDEMPOTENCY_MEMORY: Duration = Duration::hours(24);
/// How often a change is repeated on what somebody else has just written.
const ATTEMPTS: usize = 8;

/// What can be wrong with a record that is written.
const RECORD_PROBLEMS: [ProblemCode; 8] = [
    ProblemCode::AgentNotFound,
    ProblemCode::AgentVersionNotFound,
    ProblemCode::ConfigInvalid,
    ProblemCode::ConfigTooDeep,
    ProblemCode::ConfigTooLarge,
    ProblemCode::ConfigTooNew,
    ProblemCode::ConfigUnversioned,
    ProblemCode::DomainsInvalid,
];

/// `/core/web-widgets` and what is below.
pub(crate) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::get(
                "/core/web-widgets",
                "listWebWidgets",
                "Lists widgets, the newest first",
            )
            .scope(Scope::WebWidgetsRead)
            .query::<ListQuery>()
            .answer::<Vec<WidgetBody>>(200, "A page of widgets; the header `Link` names the next.")
            .with(header::LINK)
            .problems([ProblemCode::DomainsInvalid]),
            list,
        )
        .route(
            api::post("/core/web-widgets", "createWebWidget", "Creates a widget")
                .scope(Scope::WebWidgetsManage)
                .header(
                    "Idempotency-Key",
                    "Repeating the request with the same key creates nothing more.",
                )
                .body::<CreateRequest>()
                .answer::<WidgetBody>(201, "The widget.")
                .with(header::ETAG)
                .with(header::LOCATION)
                .problems(RECORD_PROBLEMS)
                .problems([
                    ProblemCode::IdempotencyKeyInvalid,
                    ProblemCode::IdempotencyKeyReused,
                    ProblemCode::Conflict,
                ]),
            create,
        )
        .route(
            api::get("/core/web-widgets/{id}", "getWebWidget", "Reads a widget")
                .scope(Scope::WebWidgetsRead)
                .header("If-None-Match", "The `ETag` of what the caller has.")
                .answer::<WidgetBody>(200, "The widget.")
                .with(header::ETAG)
                .answer_empty(304, "The caller has it.")
                .with(header::ETAG)
                .problems([ProblemCode::NotFound]),
            read,
        )
        .route(
            api::put(
                "/core/web-widgets/{id}",
                "updateWebWidget",
                "Changes the fields that are sent",
            )
            .scope(Scope::WebWidgetsManage)
            .header("If-Match", "The `ETag` of what the change was made from.")
            .body::<UpdateRequest>()
            .answer::<WidgetBody>(200, "The widget.")
            .with(header::ETAG)
            .problems(RECORD_PROBLEMS)
            .problems([
                ProblemCode::NotFound,
                ProblemCode::PreconditionFailed,
                ProblemCode::Conflict,
            ]),
            update,
        )
        .route(
            api::delete(
                "/core/web-widgets/{id}",
                "deleteWebWidget",
                "Deletes a widget",
            )
            .scope(Scope::WebWidgetsManage)
            .header("If-Match", "The `ETag` of what the caller has seen.")
            .answer_empty(204, "It is gone; its conversations stay readable.")
            .problems([
                ProblemCode::NotFound,
                ProblemCode::PreconditionFailed,
                ProblemCode::Conflict,
            ]),
            remove,
        )
        .merge(brand::router())
        .merge(decision::router())
        .merge(revisions::router())
}

/// The body of `POST /core/web-widgets`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "NewWidget")]
struct CreateRequest {
    /// The agent that visitors talk to.
    agent_id: Parsed<AgentId>,
    /// The version of the agent, pinned: publishing another one changes nothing for visitors.
    agent_version_id: Parsed<AgentVersionId>,
    /// The sites that may show the widget: origins, patterns such as `*.shop.example`, or `*` alone
    /// for any site. An empty list admits none.
    #[serde(default)]
    #[schemars(schema_with = "domains_schema")]
    domains: Vec<String>,
    /// Whether the owner wants the widget to be shown. It is shown only if the agent's version is
    /// published too.
    #[serde(default)]
    published: bool,
    /// How the widget looks and behaves.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "ConfigDocument", default = "no_config")]
    config: Option<Box<RawValue>>,
}

/// The body of `PUT /core/web-widgets/{id}`: only the fields that are sent change, each is replaced
/// whole.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "WidgetPatch")]
struct UpdateRequest {
    /// The agent that visitors talk to.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Parsed<AgentId>")]
    agent_id: Option<Parsed<AgentId>>,
    /// The version of the agent, pinned: publishing another one changes nothing for visitors.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Parsed<AgentVersionId>")]
    agent_version_id: Option<Parsed<AgentVersionId>>,
    /// The sites that may show the widget.
    #[serde(default, deserialize_with = "present")]
    #[schemars(schema_with = "domains_schema")]
    domains: Option<Vec<String>>,
    /// Whether the owner wants the widget to be shown.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "bool")]
    published: Option<bool>,
    /// How the widget looks and behaves.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "ConfigDocument")]
    config: Option<Box<RawValue>>,
}

/// What a list of sites looks like; which entries are taken is for core to say.
fn domains_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "array",
        "items": {
            "type": "string",
            "examples": ["https://shop.example", "https://*.shop.example", "*"],
        },
        "maxItems": AllowedOrigins::MAX_ENTRIES,
    })
}

/// What a widget has when no config is sent.
fn no_config() -> serde_json::Value {
    serde_json::json!({})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[derive(schemars::JsonSchema)]
struct ListQuery {
    /// Widgets in an answer: 1 to 200, 50 when not told.
    #[schemars(range(min = 1, max = paging::MAXIMUM_LIMIT))]
    limit: Option<u32>,
    /// Where to go on, as the `Link` of the answer before says.
    cursor: Option<String>,
    /// Only widgets of this agent.
    agent_id: Option<Parsed<AgentId>>,
    /// Only widgets that their owner wants to be shown, or only the others.
    published: Option<bool>,
    /// Only widgets that list this entry.
    domain: Option<String>,
}

/// A web widget: an agent, the sites that may show it, and its config.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Widget")]
struct WidgetBody {
    /// The id of the widget; a UUID of version 7.
    id: Text<WidgetId>,
    /// The organization that owns the widget; it comes from the credential.
    organization_id: Text<OrganizationId>,
    /// The agent that visitors talk to.
    agent_id: Text<AgentId>,
    /// The version of the agent, pinned: publishing another one changes nothing for visitors.
    agent_version_id: Text<AgentVersionId>,
    /// The sites that may show the widget: origins, patterns such as `*.shop.example`, or `*` alone
    /// for any site. An empty list admits none.
    #[schemars(schema_with = "domains_schema")]
    domains: Vec<String>,
    /// Whether the owner wants the widget to be shown. It is shown only if the agent's version is
    /// published too.
    published: bool,
    /// How the widget looks and behaves.
    #[schemars(with = "ConfigDocument")]
    config: Box<RawValue>,
    /// When the widget was created.
    created_at: Timestamp,
    /// When the widget was last changed.
    updated_at: Timestamp,
}

impl TryFrom<Widget> for WidgetBody {
    type Error = StoreError;

    fn try_from(widget: Widget) -> Result<Self, StoreError> {
        Ok(Self {
            id: Text(widget.id),
            organization_id: Text(widget.organization_id),
            agent_id: Text(widget.agent_id),
            agent_version_id: Text(widget.agent_version_id),
            domains: widget.domains.entries().to_vec(),
            published: widget.published,
            config: wire::raw("web_widgets", &widget.id, widget.config.to_json())?,
            created_at: Timestamp(widget.created_at),
            updated_at: Timestamp(widget.updated_at),
        })
    }
}

/// A widget with its entity tag.
fn answer(status: StatusCode, stored: StoredWidget) -> Result<Response, Problem> {
    let tag = etag::of_revision(stored.revision);
    Ok((
        status,
        [(header::ETAG, tag)],
        Json(WidgetBody::try_from(stored.widget)?),
    )
        .into_response())
}

async fn create(
    State(state): State<AppState>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    require_json(request.headers())?;
    let key = idempotency_key(request.headers())?;
    let bytes = read_body(request.into_body(), BODY_LIMIT).await?;
    let body: CreateRequest = parse_json(&bytes)?;
    let (domains, config) =
        parse_documents(Some(&body.domains), body.config.as_deref(), &state.suffixes)?;
    let new = NewWidget {
        organization_id: caller.organization_id.clone(),
        agent_id: body.agent_id.0,
        agent_version_id: body.agent_version_id.0,
        domains: domains.unwrap_or_default(),
        published: body.published,
        config: config.unwrap_or_default(),
    };
    let author = Author {
        api_key_id: &caller.key_id,
        restored_from: None,
    };
    let now = state.now();
    let widget = new.into_widget(WidgetId::from_uuid(state.new_id()?), now);
    let request = match key {
        None => None,
        Some(key) => Some(IdempotentRequest {
            key,
            hash: Sha256::digest(&bytes).into(),
            answer: to_json(widget.clone())?,
            now,
            forget_before: now - IDEMPOTENCY_MEMORY,
        }),
    };
    let (body, id) = match state
        .storage
        .insert_widget(&widget, author, request.as_ref())
        .await?
    {
        InsertedWidget::New(stored) => (to_json(stored.widget)?, widget.id),
        InsertedWidget::Again(answer) => {
            let id = first_id(&answer).map_err(Problem::internal)?;
            (answer, id)
        }
    };
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (header::ETAG, etag::of_revision(1)),
        (
            header::LOCATION,
            HeaderValue::try_from(format!("/core/web-widgets/{id}")).map_err(Problem::internal)?,
        ),
    ];
    Ok((StatusCode::CREATED, headers, body).into_response())
}

fn to_json(widget: Widget) -> Result<String, Problem> {
    serde_json::to_string(&WidgetBody::try_from(widget)?).map_err(Problem::internal)
}

/// The caller's name for a request that it may repeat: 1 to 255 printable ASCII characters.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    if values.next().is_none() && (1..=255).contains(&text.len()) {
        return Ok(Some(text.to_owned()));
    }
    Err(Problem::new(
        ProblemCode::IdempotencyKeyInvalid,
        "send one `Idempotency-Key` of 1 to 255 printable ASCII characters",
    ))
}

/// The id in an answer that was kept.
fn first_id(answer: &str) -> Result<WidgetId, serde_json::Error> {
    #[derive(Deserialize)]
    struct Kept {
        id: Parsed<WidgetId>,
    }
    serde_json::from_str::<Kept>(answer).map(|kept| kept.id.0)
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let stored = find(&state, &caller, id).await?;
    let tag = etag::of_revision(stored.revision);
    if etag::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    answer(StatusCode::OK, stored)
}

async fn list(
    State(state): State<AppState>,
    caller: Caller,
    RawQuery(raw): RawQuery,
    StrictQuery(query): StrictQuery<ListQuery>,
) -> Result<impl IntoResponse, Problem> {
    let page = paging::page(query.limit, query.cursor.as_deref())?;
    let domain = query
        .domain
        .map(|entry| AllowedOrigins::parse(&[entry], &state.suffixes))
        .transpose()
        .map_err(domains_invalid)?;
    let filter = WidgetFilter {
        agent_id: query.agent_id.map(|id| id.0),
        published: query.published,
        domain: domain.and_then(|domain| domain.entries().first().cloned()),
    };
    let mut stored = state
        .storage
        .list_widgets(
            &caller.organization_id,
            &filter,
            paging::with_lookahead(page),
        )
        .await?;
    let url = &state.settings.public_url;
    let key = |stored: &StoredWidget| (stored.widget.created_at, stored.widget.id.as_uuid());
    let headers = paging::link_next(
        &mut stored,
        page,
        url,
        "/core/web-widgets",
        raw.as_deref(),
        key,
    );
    let bodies: Result<Vec<WidgetBody>, StoreError> = stored
        .into_iter()
        .map(|stored| WidgetBody::try_from(stored.widget))
        .collect();
    Ok((headers, Json(bodies?)))
}

async fn update(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    headers: HeaderMap,
    StrictJson(body): StrictJson<UpdateRequest>,
) -> Result<Response, Problem> {
    let (domains, config) = parse_documents(
        body.domains.as_deref(),
        body.config.as_deref(),
        &state.suffixes,
    )?;
    let patch = WidgetPatch {
        agent_id: body.agent_id.map(|id| id.0),
        agent_version_id: body.agent_version_id.map(|id| id.0),
        domains,
        published: body.published,
        config,
    };
    write(&state, &caller, id, &headers, &patch, None).await
}

/// Changes a widget as it is by now, again and again while somebody else changes it at the same
/// time.
async fn write(
    state: &AppState,
    caller: &Caller,
    id: WidgetId,
    headers: &HeaderMap,
    patch: &WidgetPatch,
    restored_from: Option<i64>,
) -> Result<Response, Problem> {
    let author = Author {
        api_key_id: &caller.key_id,
        restored_from,
    };
    for _ in 0..ATTEMPTS {
        let now = state.now();
        let stored = find(state, caller, id).await?;
        etag::require_match(headers, &etag::of_revision(stored.revision))?;
        let changed = patch.clone().apply(stored.widget, now);
        match state
            .storage
            .update_widget(&changed, stored.revision, author)
            .await
        {
            Ok(updated) => {
                close::after_change(state, id, updated.closed_rooms);
                return answer(StatusCode::OK, updated.stored);
            }
            Err(WriteWidgetError::Stale) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(WriteWidgetError::Stale.into())
}

async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let stored = find(&state, &caller, id).await?;
    etag::require_match(&headers, &etag::of_revision(stored.revision))?;
    let revision = etag::is_conditional(&headers).then_some(stored.revision);
    let closed_rooms = match state
        .storage
        .delete_widget(&caller.organization_id, id, revision, state.now())
        .await
    {
        Ok(Some(closed_rooms)) => closed_rooms,
        Ok(None) => return Err(Problem::not_found("widget")),
        // It had the revision asked for a moment ago: let the condition speak.
        Err(WriteWidgetError::Stale) if revision.is_some() => {
            let stored = find(&state, &caller, id).await?;
            etag::require_match(&headers, &etag::of_revision(stored.revision))?;
            return Err(WriteWidgetError::Stale.into());
        }
        Err(error) => return Err(error.into()),
    };
    close::after_change(&state, id, closed_rooms);
    Ok(StatusCode::NO_CONTENT)
}

/// The caller's widget; one of another organization is as unknown as one that never was.
async fn find(state: &AppState, caller: &Caller, id: WidgetId) -> Result<StoredWidget, Problem> {
    state
        .storage
        .find_widget(&caller.organization_id, id)
        .await?
        .ok_or_else(|| Problem::not_found("widget"))
}

/// Domains and config out of a body, every fault of both told at once.
fn parse_documents(
    domains: Option<&[String]>,
    config: Option<&RawValue>,
    suffixes: &SuffixList,
) -> Result<(Option<AllowedOrigins>, Option<Config>), Problem> {
    let domains = domains
        .map(|entries| AllowedOrigins::parse(entries, suffixes))
        .transpose();
    let config = config.map(|raw| Config::parse(raw.get())).transpose();
    match (domains, config) {
        (Ok(domains), Ok(config)) => Ok((domains, config)),
        (Err(domains), Ok(_)) => Err(domains_invalid(domains)),
        (Ok(_), Err(config)) => Err(config.into()),
        (Err(domains), Err(config)) => Err(Problem::from(config).with_findings(domains)),
    }
}
