//! Scripts, styles and documents of the embed: the loader for host pages, the window for its frame.

use axum::{
    body::Body,
    extract::Path,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::{
    embed_files::{self, Accepted, Asset},
    state::AppState,
    visitors::refusals,
    web::{
        api::{self, ApiRouter},
        etag,
        problem::Problem,
    },
};
use widget_api::ProblemCode;

mod window;

/// The address never changes, the script does: it is revalidated after five minutes, and a stale
/// one may be used for a day while that happens.
const REFRESHED: HeaderValue =
    HeaderValue::from_static("public, max-age=300, stale-while-revalidate=86400");

/// The address changes with the bytes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// The panel script's name that does not change with its bytes.
const CURRENT_PANEL: &str = "panel.js";

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// `/public` and what is below.
pub(crate) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::get(
                "/public/embed/{id}",
                "getLoader",
                "The loader script for host pages",
            )
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
            .problems([ProblemCode::NotFound, ProblemCode::EmbedNotBuilt]),
            pinned_loader,
        )
        .route(
            api::get(
                "/public/assets/{file}",
                "getAsset",
                "A script or style sheet of the window",
            )
            .answer_as::<String>(200, "The file.", "text/javascript")
            .with(header::ETAG)
            .answer_empty(304, "The caller's version is current.")
            .with(header::ETAG)
            .problems([ProblemCode::NotFound]),
            asset,
        )
        .merge(window::router())
}

/// The loader. It is the same for every id, so that nothing can be learned from it, and no id is
/// looked up.
async fn loader(headers: HeaderMap) -> Result<Response, Problem> {
    let asset = embed_files::loader(accepted(&headers)).ok_or_else(refusals::embed_not_built)?;
    Ok(readable_anywhere(build_answer(asset, &headers, REFRESHED)))
}

/// What changes its name with its bytes: the loader for pages that pin it by an `integrity`
/// attribute, and the panel script, whose name the other loader knows. A browser may still have a
/// loader of an earlier build; that one then asks for the panel script as it is now.
async fn pinned_loader(
    Path((_, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let loader = embed_files::loader_file().ok_or_else(refusals::embed_not_built)?;
    let panel = embed_files::panel_name().ok_or_else(refusals::embed_not_built)?;
    let encodings = accepted(&headers);
    let (asset, caching) = if file == loader.file_name {
        (embed_files::pinned_loader(encodings), FOR_EVER)
    } else if file == panel {
        (embed_files::panel(encodings), FOR_EVER)
    } else if file == CURRENT_PANEL {
        (embed_files::panel(encodings), REFRESHED)
    } else {
        (None, REFRESHED)
    };
    let gone = || {
        Problem::new(
            ProblemCode::NotFound,
            "this version of the loader is not served any more; paste the snippet again",
        )
    };
    Ok(readable_anywhere(build_answer(
        asset.ok_or_else(gone)?,
        &headers,
        caching,
    )))
}

/// A script or style sheet of the window.
async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let missing = || {
        Problem::new(
            ProblemCode::NotFound,
            "this version of the embed has no such file",
        )
    };
    let asset = embed_files::window_file(&file, accepted(&headers)).ok_or_else(missing)?;
    let mut response = build_answer(asset, &headers, FOR_EVER);
    response
        .headers_mut()
        .insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    Ok(response)
}

fn accepted(headers: &HeaderMap) -> Accepted {
    let named: Vec<&str> = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    Accepted::parse(&named.join(","))
}

fn build_answer(asset: Asset, headers: &HeaderMap, caching: HeaderValue) -> Response {
    let tag = etag::of_hash(&asset.hash);
    let is_known = etag::is_known(headers, &tag);
    let mut response = Response::new(if is_known {
        Body::empty()
    } else {
        Body::from(owned(asset.bytes))
    });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let fields = response.headers_mut();
    fields.insert(header::ETAG, tag);
    fields.insert(header::CACHE_CONTROL, caching);
    fields.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if !is_known {
        fields.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(asset.media_type),
        );
        fields.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        if let Some(encoding) = asset.encoding {
            fields.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
    }
    response
}

/// Bytes inside the binary are handed on without a copy.
fn owned(bytes: std::borrow::Cow<'static, [u8]>) -> bytes::Bytes {
    match bytes {
        std::borrow::Cow::Borrowed(bytes) => bytes::Bytes::from_static(bytes),
        std::borrow::Cow::Owned(bytes) => bytes.into(),
    }
}

/// For `<script>` on any page, with `integrity` (which needs CORS) and under
/// `Cross-Origin-Embedder-Policy`.
fn readable_anywhere(mut response: Response) -> Response {
    let fields = response.headers_mut();
    fields.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    fields.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    response.into_response()
}
