//! Widgets of an organization: create, read, list, change, delete.

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use widget_api::{
    NewWidget, ProblemCode, Scope, WidgetPatch, unreadable::WidgetRecord, widgets::WrittenWidget,
};
use widget_core::{id::WidgetId, widget};

use parse::{parse_documents, parse_patch};

use super::idempotency::{self, idempotency_key};
use crate::{
    routes::directory,
    state::AppState,
    storage::{
        Author, IdempotentRequest, InsertedWidget, RepeatableRequest, StoredWidget,
        WriteWidgetError,
    },
    web::{
        api::{self, ApiRouter, Operation},
        auth::Caller,
        etag,
        extract::{BODY_LIMIT, PathId, StrictJson, parse_json, read_body, require_json},
        problem::Problem,
    },
};

mod aside;
mod brand;
mod close;
mod decision;
mod deleted;
mod doctor;
mod effects;
mod list;
mod parse;
mod previews;
mod record;
mod revisions;

use record::{RECORD_PROBLEMS, build_answer, build_written, change, require_record};

/// `/core/web-widgets` and what is below.
pub(crate) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            idempotency::describe(api::post(
                "/core/web-widgets",
                "createWebWidget",
                "Creates a widget",
            ))
            .scope(Scope::WebWidgetsManage)
            .body::<NewWidget>()
            .answer::<WrittenWidget>(201, "The widget.")
            .with(header::ETAG)
            .with(header::LOCATION)
            .problems(RECORD_PROBLEMS)
            .problems([ProblemCode::RegistryFull]),
            create,
        )
        .route(
            api::get("/core/web-widgets/{id}", "getWebWidget", "Reads a widget")
                .scope(Scope::WebWidgetsRead)
                .etag_header("If-None-Match", "The `ETag` of what the caller has.")
                .answer::<WidgetRecord>(200, "The widget.")
                .with(header::ETAG)
                .answer_empty(304, "The caller's version is current.")
                .with(header::ETAG)
                .problems([ProblemCode::NotFound]),
            read,
        )
        .route(
            describe_update(
                api::put,
                "updateWebWidget",
                "Changes the fields that are sent",
            ),
            update,
        )
        .route(
            describe_update(
                api::patch,
                "patchWebWidget",
                "Changes the fields that are sent, as `PUT` does",
            ),
            update,
        )
        .route(
            api::delete(
                "/core/web-widgets/{id}",
                "deleteWebWidget",
                "Deletes a widget",
            )
            .scope(Scope::WebWidgetsManage)
            .etag_header("If-Match", "The `ETag` of what the caller has seen.")
            .answer_empty(
                204,
                "The widget is deleted and can be restored; its conversations stay readable.",
            )
            .problems([
                ProblemCode::NotFound,
                ProblemCode::PreconditionFailed,
                ProblemCode::Conflict,
            ]),
            remove,
        )
        .merge(brand::router())
        .merge(decision::router())
        .merge(deleted::router())
        .merge(doctor::router())
        .merge(effects::router())
        .merge(list::router())
        .merge(previews::router())
        .merge(revisions::router())
}

/// A change by either method.
fn describe_update(
    method: fn(&'static str, &'static str, &'static str) -> Operation,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    method("/core/web-widgets/{id}", id, summary)
        .scope(Scope::WebWidgetsManage)
        .etag_header("If-Match", "The `ETag` of what the change was made from.")
        .body::<WidgetPatch>()
        .answer::<WrittenWidget>(
            200,
            "The widget; the `ETag` is the one before when nothing changed.",
        )
        .with(header::ETAG)
        .problems(RECORD_PROBLEMS)
        .problems([
            ProblemCode::NotFound,
            ProblemCode::PreconditionFailed,
            ProblemCode::Conflict,
        ])
}

async fn create(
    State(state): State<AppState>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    require_json(request.headers())?;
    let key = idempotency_key(request.headers())?;
    let bytes = read_body(request.into_body(), BODY_LIMIT).await?;
    let body: NewWidget = parse_json(&bytes)?;
    let (domains, config) =
        parse_documents(Some(&body.domains), body.config.as_deref(), &state.suffixes)?;
    let new = widget::NewWidget {
        organization_id: caller.organization_id.clone(),
        agent_id: body.agent_id,
        agent_version_id: body.agent_version_id,
        domains: domains.unwrap_or_default(),
        published: body.published,
        config: config.unwrap_or_default(),
    };
    let now = state.now();
    let widget = new.into_widget(WidgetId::from_uuid(state.new_id()?), now);
    let version = directory::find_version(&state, &widget, false).await?;
    let author = Author {
        api_key_id: &caller.key_id,
        restored_from: None,
        directory: version.as_ref(),
    };
    let request = key.map(|key| IdempotentRequest {
        request: RepeatableRequest {
            key,
            hash: Sha256::digest(&bytes).into(),
            now,
            forget_before: now - idempotency::MEMORY,
        },
        build_answer: &to_json,
    });
    let (body, id) = match state
        .storage
        .insert_widget(&widget, author, request.as_ref())
        .await?
    {
        InsertedWidget::New(stored) => {
            // A repetition gets the same answer, so that it says nothing of workers.
            let worker = match request {
                Some(_) => None,
                None => directory::find_worker_warning(&state, &stored).await?,
            };
            let body = serde_json::to_string(&build_written(&stored, worker));
            (body.map_err(Problem::internal)?, widget.id)
        }
        InsertedWidget::Again(answer) => {
            let id = first_id(&answer)?;
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

fn to_json(stored: &StoredWidget) -> serde_json::Result<String> {
    serde_json::to_string(&build_written(stored, None))
}

/// The id in an answer that was stored.
fn first_id(answer: &str) -> Result<WidgetId, Problem> {
    #[derive(Deserialize)]
    struct Kept {
        id: WidgetId,
    }
    let kept: Result<Kept, _> = serde_json::from_str(answer);
    kept.map(|kept| kept.id).map_err(|error| {
        Problem::new(
            ProblemCode::RecordUnreadable,
            "the answer to the first request with this `Idempotency-Key` cannot be read; look for the widget in the list",
        )
        .with_cause(error)
    })
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let stored = require_record(&state, &caller, id).await?;
    let tag = etag::of_revision(stored.revision);
    if etag::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    Ok(build_answer(
        stored.revision,
        WidgetRecord::from(stored.widget),
    ))
}

async fn update(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    headers: HeaderMap,
    StrictJson(body): StrictJson<WidgetPatch>,
) -> Result<Response, Problem> {
    let patch = parse_patch(&body, &state)?;
    change(&state, &caller, id, &headers, &patch, None).await
}

async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let stored = require_record(&state, &caller, id).await?;
    etag::require_match(&headers, &etag::of_revision(stored.revision))?;
    let revision = etag::is_conditional(&headers).then_some(stored.revision);
    let closed_rooms = match state
        .storage
        .delete_widget(
            &caller.organization_id,
            id,
            revision,
            &caller.key_id,
            state.now(),
        )
        .await
    {
        Ok(Some(closed_rooms)) => closed_rooms,
        Ok(None) => return Err(Problem::not_found("widget")),
        // It had the expected revision a moment ago, so the condition is checked again.
        Err(WriteWidgetError::Stale) if revision.is_some() => {
            let stored = require_record(&state, &caller, id).await?;
            etag::require_match(&headers, &etag::of_revision(stored.revision))?;
            return Err(WriteWidgetError::Stale.into());
        }
        Err(error) => return Err(error.into()),
    };
    close::after_change(&state, id, closed_rooms);
    Ok(StatusCode::NO_CONTENT)
}
