//! Previews of a widget: created, listed, given another draft, ended.

use axum::{Json, extract::State, response::IntoResponse};
use http::{StatusCode, header};
use serde_json::value::RawValue;
use widget_api::{
    FieldError, ProblemCode, Scope,
    previews::{CreatedPreview, NewPreview, Preview, PreviewDraft},
};
use widget_core::{
    config::Config,
    embed,
    finding::Code,
    go_live::{self, PinnedVersion},
    id::{AgentVersionId, PreviewId, WidgetId},
    serve,
    widget::{Widget, WidgetPatch},
};

use super::record::{RECORD_PROBLEMS, require_record};
use crate::{
    routes::directory,
    state::AppState,
    storage::{self, InsertPreviewError, ListedPreview, ReplacePreviewError, ReplacedDraft},
    visitors::previews::PreviewToken,
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::{PathId, PathIds, StrictJson},
        problem::{Problem, record_unreadable},
    },
};

/// `/core/web-widgets/{id}/previews` and what is below.
pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::post(
                "/core/web-widgets/{id}/previews",
                "createPreview",
                "Creates a link that shows a draft of the widget; an `Idempotency-Key` has no \
                 effect, because the link is not stored",
            )
            .scope(Scope::WebWidgetsManage)
            .body::<NewPreview>()
            .answer::<CreatedPreview>(201, "The preview, with its link.")
            .problems(RECORD_PROBLEMS)
            .problems([ProblemCode::NotFound, ProblemCode::PreviewsFull]),
            create,
        )
        .route(
            api::get(
                "/core/web-widgets/{id}/previews",
                "listPreviews",
                "Lists the previews of the widget that have not ended, the newest first",
            )
            .scope(Scope::WebWidgetsRead)
            .answer::<Vec<Preview>>(200, "All of them, without their links.")
            .problems([ProblemCode::NotFound]),
            list,
        )
        .route(
            api::put(
                "/core/web-widgets/{id}/previews/{pid}",
                "replacePreview",
                "Replaces the draft of a preview; open pages follow",
            )
            .scope(Scope::WebWidgetsManage)
            .body::<PreviewDraft>()
            .answer::<Preview>(200, "The preview.")
            .problems(RECORD_PROBLEMS)
            .problems([ProblemCode::NotFound]),
            replace,
        )
        .route(
            api::delete(
                "/core/web-widgets/{id}/previews/{pid}",
                "endPreview",
                "Ends a preview, and the conversations that are open there",
            )
            .scope(Scope::WebWidgetsManage)
            .answer_empty(204, "The link shows nothing anymore.")
            .problems([ProblemCode::NotFound]),
            end,
        )
}

async fn create(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    StrictJson(body): StrictJson<NewPreview>,
) -> Result<impl IntoResponse, Problem> {
    let now = state.now();
    let expires_at = serve::preview_expiry(body.expires_in, now).map_err(|error| {
        let fault = FieldError::new("/expires_in", Code::ValueInvalid, error.to_string());
        Problem::new(
            ProblemCode::BodyInvalid,
            "a value is not allowed; see `errors`",
        )
        .with_error(fault)
    })?;
    let version = body.agent_version_id;
    let (draft, requires_registered) =
        build_draft(&state, &caller, id, body.config.as_deref(), version).await?;
    let token = PreviewToken::generate(state.random.as_ref())?;
    let preview = serve::Preview::new(
        PreviewId::from_uuid(state.new_id()?),
        draft,
        token.hash(),
        expires_at,
    );
    state
        .storage
        .insert_preview(storage::NewPreview {
            preview: &preview,
            api_key_id: &caller.key_id,
            requires_registered,
            now,
        })
        .await?;
    let created = CreatedPreview {
        id: preview.id(),
        url: embed::preview_url(&state.settings.public_url, token.reveal(), body.site),
        expires_at: expires_at.into(),
    };
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, no_store, Json(created)))
}

async fn list(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
) -> Result<Json<Vec<Preview>>, Problem> {
    require_record(&state, &caller, id).await?;
    let found = state
        .storage
        .list_previews(&caller.organization_id, id, state.now())
        .await?;
    Ok(Json(found.into_iter().map(build_preview).collect()))
}

async fn replace(
    State(state): State<AppState>,
    caller: Caller,
    PathIds(id, preview): PathIds<WidgetId, PreviewId>,
    StrictJson(body): StrictJson<PreviewDraft>,
) -> Result<Json<Preview>, Problem> {
    let version = body.agent_version_id;
    let (draft, requires_registered) =
        build_draft(&state, &caller, id, body.config.as_deref(), version).await?;
    let replaced = state
        .storage
        .replace_preview(ReplacedDraft {
            id: preview,
            draft: &draft,
            requires_registered,
            now: state.now(),
        })
        .await?;
    Ok(Json(build_preview(replaced)))
}

async fn end(
    State(state): State<AppState>,
    caller: Caller,
    PathIds(id, preview): PathIds<WidgetId, PreviewId>,
) -> Result<StatusCode, Problem> {
    let closed_rooms = state
        .storage
        .end_preview(&caller.organization_id, id, preview, state.now())
        .await?
        .ok_or_else(|| Problem::not_found("preview"))?;
    if closed_rooms > 0 {
        state.room_cleaner.wake();
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The widget as it is now with what the body sets, and whether the registry must have its version.
async fn build_draft(
    state: &AppState,
    caller: &Caller,
    id: WidgetId,
    config: Option<&RawValue>,
    agent_version_id: Option<AgentVersionId>,
) -> Result<(Widget, bool), Problem> {
    let config = config.map(|raw| Config::parse(raw.get())).transpose()?;
    let stored = require_record(state, caller, id).await?;
    let stored = stored
        .readable()
        .map_err(|stored| record_unreadable().with_findings(stored.widget.blockers()))?;
    let patch = WidgetPatch {
        agent_version_id,
        config,
        ..WidgetPatch::default()
    };
    let draft = patch.apply(stored.widget, state.now());
    // The gates are left aside, but somebody has to answer.
    match directory::find_version(state, &draft, false).await? {
        None => Ok((draft, true)),
        Some(version) if version.pinned == PinnedVersion::DirectoryMissing => {
            Err(version_missing(draft.agent_version_id))
        }
        Some(_) => Ok((draft, false)),
    }
}

fn build_preview(listed: ListedPreview) -> Preview {
    Preview {
        id: listed.id,
        agent_version_id: listed.agent_version_id,
        created_at: listed.created_at.into(),
        created_by: listed.created_by,
        updated_at: listed.updated_at.into(),
        expires_at: listed.expires_at.into(),
    }
}

fn version_missing(version: AgentVersionId) -> Problem {
    let fault = FieldError::from(go_live::agent_version_not_found(version));
    let detail = "name a version of the widget's agent; see `errors`";
    Problem::new(ProblemCode::AgentVersionNotFound, detail).with_error(fault)
}

impl From<InsertPreviewError> for Problem {
    fn from(error: InsertPreviewError) -> Self {
        match error {
            InsertPreviewError::WidgetMissing => Self::not_found("widget"),
            InsertPreviewError::VersionMissing(version) => version_missing(version),
            InsertPreviewError::Full(full) => {
                Self::new(ProblemCode::PreviewsFull, full.to_string())
            }
            InsertPreviewError::Store(error) => error.into(),
        }
    }
}

impl From<ReplacePreviewError> for Problem {
    fn from(error: ReplacePreviewError) -> Self {
        match error {
            ReplacePreviewError::Missing => Self::not_found("preview"),
            ReplacePreviewError::VersionMissing(version) => version_missing(version),
            ReplacePreviewError::Store(error) => error.into(),
        }
    }
}
