//! Erasing conversations: one at once, or all that a filter selects in a job.

use axum::{
    Json,
    extract::{Request, State},
    response::IntoResponse,
};
use http::{HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use widget_api::{
    ProblemCode, Scope,
    erasures::{ConversationSelection, ErasureJob, ErasureRequest, ErasureStatus},
};
use widget_core::{
    conversation::{ErasedBy, Erasure, selection::Selection},
    finding::Findings,
    id::{ConversationId, ErasureJobId},
};

use crate::{
    causes::with_causes,
    routes::idempotency::{self, idempotency_key},
    state::AppState,
    storage::{self, CreateJobError, NewErasureJob, RepeatableRequest},
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::{PathId, parse_json, read_body, require_json},
        problem::Problem,
    },
};

/// Bytes of a filter.
pub(super) const BODY_LIMIT: usize = 64 * 1024;

pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::delete(
                "/core/conversations/{id}",
                "eraseConversation",
                "Erases a conversation; a repetition changes nothing",
            )
            .scope(Scope::ConversationsManage)
            .answer_empty(204, "Nothing that was said or sent is left of it.")
            .problems([ProblemCode::NotFound]),
            erase,
        )
        .route(
            idempotency::describe(api::post(
                "/core/conversations/erase",
                "eraseConversations",
                "Erases the conversations that a filter selects, or counts them",
            ))
            .scope(Scope::ConversationsManage)
            .body::<ErasureRequest>()
            .answer::<ErasureJob>(202, "The job that does it.")
            .with(header::LOCATION)
            .problems([ProblemCode::SelectionInvalid]),
            begin,
        )
        .route(
            api::get(
                "/core/erasure-jobs/{id}",
                "getErasureJob",
                "Reads a job that erases conversations",
            )
            .scope(Scope::ConversationsManage)
            .answer::<ErasureJob>(200, "The job.")
            .problems([ProblemCode::NotFound]),
            read,
        )
}

async fn erase(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<ConversationId>,
) -> Result<StatusCode, Problem> {
    let erasure = Erasure {
        at: state.now(),
        by: ErasedBy::ApiKey(caller.key_id),
    };
    let organization = Some(&caller.organization_id);
    let limits = &state.lifecycle_limits;
    let is_known = state
        .storage
        .erase_conversation(organization, id, &erasure, limits)
        .await?;
    if !is_known {
        return Err(Problem::not_found("conversation"));
    }
    state.room_cleaner.wake();
    // In the background if somebody is in the way; what was committed stays so.
    if let Err(error) = state.storage.empty_log().await {
        tracing::debug!(
            error = with_causes(&error),
            "the log of the database is not emptied yet"
        );
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn begin(
    State(state): State<AppState>,
    caller: Caller,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    require_json(request.headers())?;
    let key = idempotency_key(request.headers())?;
    let bytes = read_body(request.into_body(), BODY_LIMIT).await?;
    let body: ErasureRequest = parse_json(&bytes)?;
    let selection = serde_json::to_string(&body.filter).map_err(Problem::internal)?;
    select(body.filter)?;
    let now = state.now();
    let request = key.map(|key| RepeatableRequest {
        key,
        hash: Sha256::new()
            .chain_update("erase conversations\n")
            .chain_update(&bytes)
            .finalize()
            .into(),
        now,
        forget_before: now - idempotency::MEMORY,
    });
    let job = NewErasureJob {
        id: ErasureJobId::from_uuid(state.new_id()?),
        organization_id: caller.organization_id,
        api_key_id: caller.key_id,
        selection,
        dry_run: body.dry_run,
        created_at: now,
    };
    let created = state
        .storage
        .create_erasure_job(&job, request.as_ref())
        .await?;
    let location = format!("/core/erasure-jobs/{}", created.id);
    let location = HeaderValue::try_from(location).map_err(Problem::internal)?;
    let body = Json(build_job(&created));
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], body))
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<ErasureJobId>,
) -> Result<Json<ErasureJob>, Problem> {
    let found = state
        .storage
        .find_erasure_job(&caller.organization_id, id)
        .await?;
    let job = found.ok_or_else(|| Problem::not_found("job"))?;
    Ok(Json(build_job(&job)))
}

fn build_job(job: &storage::ErasureJob) -> ErasureJob {
    let status = match job.finished_at {
        None => ErasureStatus::Running,
        Some(_) => ErasureStatus::Completed,
    };
    ErasureJob {
        id: job.id,
        status: status.into(),
        dry_run: job.dry_run,
        matched: job.matched,
        erased: job.erased,
        created_at: job.created_at.into(),
        finished_at: job.finished_at.map(Into::into),
    }
}

/// What a filter selects, if it selects by anything.
pub(super) fn select(filter: ConversationSelection) -> Result<Selection, Problem> {
    Selection::try_from(filter).map_err(|findings: Findings| {
        let in_body = findings.into_list().map(|finding| {
            let below = finding.pointer.as_deref().unwrap_or_default();
            let place = format!("/filter{below}");
            finding.at(place)
        });
        let detail = "the filter was rejected; see `errors`";
        Problem::new(ProblemCode::SelectionInvalid, detail).with_findings(in_body)
    })
}

impl From<CreateJobError> for Problem {
    fn from(error: CreateJobError) -> Self {
        match error {
            CreateJobError::KeyReused => idempotency::key_reused(),
            CreateJobError::Store(error) => error.into(),
        }
    }
}
