//! Scripts, styles and documents of the embed: the loader for host pages, the window for its frame.

use axum::{extract::State, response::Response};
use http::{HeaderValue, header};

use crate::{
    causes::with_causes,
    embed_files::{Accepted, OldBuild},
    routes::static_files,
    state::AppState,
    storage::{BuildKind, BuildName},
    visitors::refusals,
    web::{
        api::{self, ApiRouter},
        caller::AddressPrefix,
        cors,
        etag::Known,
        extract::PathIds,
        problem::Problem,
    },
};
use widget_api::ProblemCode;

pub(crate) mod window;

/// The address never changes, the script does: it is revalidated after five minutes, and a stale
/// one may be used for a day while that happens.
const REFRESHED: HeaderValue =
    HeaderValue::from_static("public, max-age=300, stale-while-revalidate=86400");

/// The address changes with the bytes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// The panel script's name that does not change with its bytes.
const CURRENT_PANEL: &str = "panel.js";

/// `/public` and what is below.
pub(crate) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::get(
                "/public/embed/{id}",
                "getLoader",
                "The loader script for host pages",
            )
            .without_storage()
            .answer_as::<String>(200, "The script.", "text/javascript")
            .with(header::ETAG)
            .answer_empty(304, "The caller's version is current.")
            .with(header::ETAG)
            .problems([ProblemCode::EmbedNotBuilt]),
            loader,
        )
        .route(
            api::get(
                "/public/embed/{id}/{file}",
                "getPinnedLoader",
                "The loader script, or the panel script that it loads, under a name that changes with its bytes",
            )
            .answer_as::<String>(200, "The script.", "text/javascript")
            .with(header::ETAG)
            .answer_empty(304, "The caller's version is current.")
            .with(header::ETAG)
            .problems([
                ProblemCode::NotFound,
                ProblemCode::EmbedNotBuilt,
                ProblemCode::RateLimited,
            ]),
            pinned_loader,
        )
        .route(
            api::get(
                "/public/assets/{build}/{file}",
                "getAsset",
                "A script or style sheet of the window",
            )
            .answer_as::<String>(200, "The file.", "text/javascript")
            .with(header::ETAG)
            .answer_empty(304, "The caller's version is current.")
            .with(header::ETAG)
            .problems([
                ProblemCode::NotFound,
                ProblemCode::RateLimited,
            ]),
            asset,
        )
        .merge(window::router())
}

/// The loader. It is the same for every id, so that nothing can be learned from it, and no id is
/// looked up.
async fn loader(
    State(state): State<AppState>,
    encodings: Accepted,
    known: Known,
) -> Result<Response, Problem> {
    find_loader(&state, encodings, &known)
}

/// The loader of this build.
pub(super) fn find_loader(
    state: &AppState,
    encodings: Accepted,
    known: &Known,
) -> Result<Response, Problem> {
    let asset = state.settings.embed.loader(encodings);
    let asset = asset.ok_or_else(refusals::embed_not_built)?;
    Ok(static_files::build_answer(asset, known, REFRESHED))
}

/// What changes its name with its bytes: the loader for pages that pin it by an `integrity`
/// attribute, and the panel script, whose name the other loader knows. Pages and browsers may have
/// those of another release.
async fn pinned_loader(
    State(state): State<AppState>,
    PathIds(_, file): PathIds<String, String>,
    address: AddressPrefix,
    encodings: Accepted,
    known: Known,
) -> Result<Response, Problem> {
    find_pinned(&state, &file, &address, encodings, &known).await
}

/// A script whose name changes with its bytes.
pub(super) async fn find_pinned(
    state: &AppState,
    file: &str,
    address: &AddressPrefix,
    encodings: Accepted,
    known: &Known,
) -> Result<Response, Problem> {
    let embed = &state.settings.embed;
    let gone = || match embed.loader_file() {
        Some(_) => Problem::new(
            ProblemCode::NotFound,
            "this version of the loader is not served anymore; paste the snippet again",
        ),
        None => refusals::embed_not_built(),
    };
    if file == CURRENT_PANEL {
        let asset = embed.panel(encodings).ok_or_else(gone)?;
        return Ok(static_files::build_answer(asset, known, REFRESHED));
    }
    let digits = file.strip_suffix(".js").unwrap_or_default();
    let name = BuildName::parse(BuildKind::Loader, digits)
        .or_else(|| BuildName::parse(BuildKind::Panel, digits))
        .ok_or_else(gone)?;
    let asset = match embed.script(&name, encodings) {
        Some(asset) => Some(asset),
        None => find_old_build(state, &name, address)
            .await?
            .and_then(OldBuild::script),
    };
    let asset = asset.ok_or_else(gone)?;
    Ok(static_files::build_answer(asset, known, FOR_EVER))
}

/// A script or style sheet of the window, of this release or of another.
async fn asset(
    State(state): State<AppState>,
    PathIds(build, file): PathIds<String, String>,
    address: AddressPrefix,
    encodings: Accepted,
    known: Known,
) -> Result<Response, Problem> {
    let missing = || {
        Problem::new(
            ProblemCode::NotFound,
            "this version of the embed has no such file",
        )
    };
    let name = BuildName::parse(BuildKind::Window, &build).ok_or_else(missing)?;
    let asset = match state.settings.embed.window_file(&name, &file, encodings) {
        Some(asset) => Some(asset),
        None => find_old_build(&state, &name, &address)
            .await?
            .and_then(|old| old.window_file(&file, encodings)),
    };
    let asset = asset.ok_or_else(missing)?;
    let mut response = static_files::build_answer(asset, &known, FOR_EVER);
    response.headers_mut().insert(
        cors::RESOURCE_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    Ok(response)
}

/// A build of another release; one that is not in memory counts for the address that asks for it.
async fn find_old_build(
    state: &AppState,
    name: &BuildName,
    address: &AddressPrefix,
) -> Result<Option<OldBuild>, Problem> {
    let builds = &state.embed_builds;
    if !builds.has(name) {
        state.rate_limits.embed_builds.check(address)?;
    }
    let now = state.now();
    let Some(found) = builds.find(state.storage.as_ref(), name, now).await? else {
        return Ok(None);
    };
    if found.is_to_mark {
        let (state, name) = (state.clone(), name.clone());
        tokio::spawn(async move {
            if let Err(error) = state.storage.mark_embed_build(&name, now).await {
                tracing::warn!(
                    error = with_causes(&error),
                    "the use of a build is not noted"
                );
            }
        });
    }
    Ok(Some(found.build))
}
