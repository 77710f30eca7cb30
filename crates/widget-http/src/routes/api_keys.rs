//! API keys of an organization, managed by its other keys; and who the caller is.

use axum::{
    Json,
    extract::{RawQuery, State},
    response::IntoResponse,
};
use http::{StatusCode, header};
use std::str::FromStr;
use widget_api::{
    FieldError, ProblemCode, Scope,
    api_keys::{ApiKey, ApiKeyName, ApiKeysQuery, CreatedApiKey, NewApiKey, Whoami},
};
use widget_core::{agent, api_key, finding::Code};

use crate::{
    state::AppState,
    storage::{self, CreateKeyError, ListedApiKey},
    web::{
        api::{self, ApiRouter},
        auth::{self, ApiKeySecret, Caller},
        extract::{PathId, StrictJson, StrictQuery},
        paging::{self, JsonList},
        problem::Problem,
    },
};

/// `/core/api-keys` and `/core/whoami`.
pub(crate) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::get(
                "/core/api-keys",
                "listApiKeys",
                "Lists the API keys of the organization, the newest first",
            )
            .scope(Scope::ApiKeysManage)
            .query::<ApiKeysQuery>()
            .answer::<Vec<ApiKey>>(200, "A page of keys; the header `Link` names the next.")
            .with(header::LINK),
            list,
        )
        .route(
            api::post(
                "/core/api-keys",
                "createApiKey",
                "Creates an API key that may do what the caller may, or less; an `Idempotency-Key` \
                 has no effect, because the secret is not stored",
            )
            .scope(Scope::ApiKeysManage)
            .body::<NewApiKey>()
            .answer::<CreatedApiKey>(201, "The key, with its secret.")
            .problems([ProblemCode::ApiKeysFull, ProblemCode::RateLimited]),
            create,
        )
        .route(
            api::delete(
                "/core/api-keys/{key_id}",
                "deleteApiKey",
                "Revokes an API key, and the keys that it created; another key than the caller's \
                 own only with `api_keys:manage`",
            )
            .any_key()
            .answer_empty(204, "The key is revoked; repeating it changes nothing.")
            .problems([ProblemCode::NotFound, ProblemCode::InsufficientScope]),
            remove,
        )
        .route(
            api::get(
                "/core/whoami",
                "whoami",
                "Says who the caller is, and what its key may do",
            )
            .any_key()
            .answer::<Whoami>(200, "The key of the request."),
            whoami,
        )
}

/// The public part of a key in a path.
#[derive(Debug)]
struct KeyId(String);

impl FromStr for KeyId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        auth::is_plain(text)
            .then(|| Self(text.to_owned()))
            .ok_or(())
    }
}

fn build_key(listed: ListedApiKey, now: time::OffsetDateTime) -> ApiKey {
    let ListedApiKey { key, creator_name } = listed;
    ApiKey {
        status: key.status(now),
        id: key.id,
        name: key.name,
        scopes: key.scopes.into(),
        created_at: key.created_at.into(),
        created_by: key.created_by.map(|id| ApiKeyName {
            id,
            name: creator_name,
        }),
        expires_at: key.expires_at.map(Into::into),
        revoked_at: key.revoked_at.map(Into::into),
        last_used_on: key.last_used_on.map(|day| day.to_string()),
    }
}

async fn list(
    State(state): State<AppState>,
    caller: Caller,
    RawQuery(raw): RawQuery,
    StrictQuery(query): StrictQuery<ApiKeysQuery>,
) -> Result<impl IntoResponse, Problem> {
    let page = paging::parse_page(query.limit, query.cursor.as_deref())?;
    let found = state
        .storage
        .list_api_keys_of(&caller.organization_id, page)
        .await?;
    let url = &state.settings.public_url;
    let headers = paging::link_next(&found, url, "/core/api-keys", raw.as_deref());
    let now = state.now();
    // One that cannot be read is of no use to anybody; the log has it.
    let keys = found.into_iter().filter_map(|row| row.item);
    Ok((headers, JsonList::of(keys.map(|key| build_key(key, now)))?))
}

async fn create(
    State(state): State<AppState>,
    caller: Caller,
    StrictJson(body): StrictJson<NewApiKey>,
) -> Result<impl IntoResponse, Problem> {
    let now = state.now();
    let name = agent::parse_name(&body.name)
        .map_err(|error| invalid("/name", error.code(), error.to_string()))?;
    if body.scopes.is_empty() {
        let detail = "a key needs at least one scope";
        return Err(invalid("/scopes", Code::ValueInvalid, detail.to_owned()));
    }
    caller.scopes.grants(&body.scopes).map_err(|missing| {
        let missing = missing.join(" ");
        let detail = format!(
            "a key can only give scopes that it has, and this one lacks `{missing}`; leave them \
             out, or create the key on the command line of the service"
        );
        auth::insufficient_scope(detail, &missing)
    })?;
    let wanted = body.expires_at.map(Into::into);
    let expires_at = api_key::expiry_of_created(wanted, caller.expires_at, now)
        .map_err(|error| invalid("/expires_at", Code::ValueInvalid, error.to_string()))?;
    let secret = ApiKeySecret::generate(state.random.as_ref())?;
    let key = storage::ApiKey {
        id: secret.id().to_owned(),
        organization_id: caller.organization_id.clone(),
        name,
        scopes: body.scopes,
        secret_hash: secret.secret_hash(),
        created_at: now,
        expires_at,
        revoked_at: None,
        created_by: Some(caller.key_id.clone()),
        last_used_on: None,
    };
    // Each locks the row of its creator.
    let turn = state.key_creations.wait(&caller.organization_id).await?;
    state.storage.create_api_key(&key, &caller.key_id).await?;
    drop(turn);
    tracing::info!(
        key.id = key.id,
        creator.id = caller.key_id,
        "created an API key"
    );
    let creator_name = Some(caller.key_name).filter(|name| !name.is_empty());
    let body = CreatedApiKey {
        key: build_key(ListedApiKey { key, creator_name }, now),
        api_key: secret.reveal(),
    };
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, no_store, Json(body)))
}

/// Every key may end itself; another one only the keys that could have created it, so that nobody
/// stops a program that may do more.
async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    PathId(KeyId(id)): PathId<KeyId>,
) -> Result<StatusCode, Problem> {
    if id != caller.key_id {
        caller.require(Scope::ApiKeysManage)?;
        let key = state.storage.find_api_key(&id).await?;
        let key = key
            .filter(|key| key.organization_id == caller.organization_id)
            .ok_or_else(|| Problem::not_found("API key"))?;
        caller.scopes.grants(&key.scopes).map_err(|missing| {
            let missing = missing.join(" ");
            let detail = format!(
                "a key can only delete a key whose scopes it has, and this one lacks `{missing}`; \
                 use a key that has them, or `widget-http key revoke`"
            );
            auth::insufficient_scope(detail, &missing)
        })?;
    }
    let created = state
        .storage
        .revoke_api_key(&id, state.now())
        .await?
        .ok_or_else(|| Problem::not_found("API key"))?;
    tracing::info!(
        key.id = id,
        by.id = caller.key_id,
        created,
        "revoked an API key, and those that it created"
    );
    Ok(StatusCode::NO_CONTENT)
}

async fn whoami(caller: Caller) -> Json<Whoami> {
    Json(Whoami {
        organization_id: caller.organization_id,
        api_key: ApiKeyName {
            id: caller.key_id,
            name: Some(caller.key_name).filter(|name| !name.is_empty()),
        },
        scopes: caller.scopes.into(),
        expires_at: caller.expires_at.map(Into::into),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

fn invalid(pointer: &str, code: Code, detail: String) -> Problem {
    let summary = "a value is not allowed; see `errors`";
    Problem::new(ProblemCode::BodyInvalid, summary)
        .with_error(FieldError::new(pointer, code, detail))
}

impl From<CreateKeyError> for Problem {
    fn from(error: CreateKeyError) -> Self {
        match error {
            CreateKeyError::CreatorEnded => auth::key_ended(),
            CreateKeyError::Full(full) => Self::new(ProblemCode::ApiKeysFull, full.to_string()),
            CreateKeyError::Store(error) => error.into(),
        }
    }
}
