//! The page of a preview, and what its loader and its window ask for: the same as on any page,
//! below the address of the link, so that nothing of a draft is served without it.
//!
//! With `?site=…` the page has a frame of the size of a screen, which holds the sample page of the
//! same link, without the note that it is a draft.
//!
//! The loader calls the service at the address from which it was loaded, without `/public/embed/…`:
//! here that is the link. The conversation itself is led by the routes of all others; its ticket
//! says which preview it is of.

use std::sync::LazyLock;

use askama::Template;
use axum::{
    Json,
    extract::{FromRequestParts, RawQuery, State},
    response::{Html, IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};
use url::{Url, form_urlencoded};
use widget_api::{
    ProblemCode,
    previews::{PreviewState, ShownDraft},
    schema,
    visitors::{self, Empty},
};
use widget_core::{
    embed::{self, HashSource, PreviewSite},
    id::WidgetId,
    serve::PreviewProof,
};

use super::{
    embed::{find_loader, find_pinned, window},
    public::{
        launcher,
        page::{PAGE_PROBLEMS, require_preview_admission},
        tickets,
    },
};
use crate::{
    embed_files::Accepted,
    state::AppState,
    telemetry::{PageOf, Unlogged},
    visitors::{
        previews::{PreviewToken, PreviewedWidget},
        refusals,
    },
    web::{
        api::{self, ApiRouter},
        caller::AddressPrefix,
        cors::{CorsFetch, DocumentFetch, JsonOnly, OwnDocumentFetch, PageOrOwnOrigin, PageOrigin},
        etag::Known,
        extract::{StrictJson, path_parameters},
        problem::Problem,
    },
};

/// The style sheet of the page, which stands in it; its hash is in the page's policy, as that of
/// the script is.
const STYLE: &str = include_str!("../../templates/preview.css");

static STYLE_SOURCE: LazyLock<HashSource> = LazyLock::new(|| source_of(STYLE));

fn source_of(text: &str) -> HashSource {
    let hash = STANDARD.encode(Sha256::digest(text));
    HashSource::of_sha256(&hash).expect("a hash in Base64 is one")
}

const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// `/public/preview/{token}` and what is below.
#[expect(clippy::too_many_lines, reason = "one list of routes")]
pub(crate) fn router() -> ApiRouter<AppState> {
    let script = |operation: api::Operation| {
        operation
            .answer_as::<String>(200, "The script.", "text/javascript")
            .with(header::ETAG)
            .answer_empty(304, "The caller's version is current.")
            .with(header::ETAG)
            .problems([
                ProblemCode::NotFound,
                ProblemCode::EmbedNotBuilt,
                ProblemCode::RateLimited,
                ProblemCode::StorageUnavailable,
                ProblemCode::WidgetUnavailable,
            ])
    };
    ApiRouter::new()
        .route(
            api::get(
                "/public/preview/{token}",
                "getPreviewPage",
                "The page that shows a preview to whoever has its link",
            )
            .lenient_query::<PageQuery>()
            .answer_as::<String>(200, "The page.", "text/html")
            .answer_as::<String>(
                404,
                "A page that says that there is no such preview, or that it has ended.",
                "text/html",
            )
            .problems([
                ProblemCode::RateLimited,
                ProblemCode::FetchMetadata,
                ProblemCode::EmbedNotBuilt,
                ProblemCode::StorageUnavailable,
            ]),
            show,
        )
        .route(
            api::get(
                "/public/preview/{token}/state",
                "getPreviewState",
                "Says whether the draft was replaced, for the page that shows it",
            )
            .answer::<PreviewState>(200, "Which draft it is.")
            .problems([
                ProblemCode::WidgetUnavailable,
                ProblemCode::RateLimited,
                ProblemCode::StorageUnavailable,
            ]),
            state_of,
        )
        .route(
            api::get(
                "/public/preview/{token}/draft",
                "getPreviewDraft",
                "The draft as the page that shows it draws it",
            )
            .answer::<ShownDraft>(200, "The draft with every default filled in.")
            .problems(PAGE_PROBLEMS),
            draft,
        )
        .route(
            script(api::get(
                "/public/preview/{token}/public/embed/{id}",
                "getPreviewLoader",
                "The loader script for the page of a preview",
            )),
            loader,
        )
        .route(
            script(api::get(
                "/public/preview/{token}/public/embed/{id}/{file}",
                "getPreviewPanel",
                "The panel script that the loader of a preview loads",
            )),
            panel,
        )
        .route(
            api::get(
                "/public/preview/{token}/core/public/web-widgets/{id}",
                "getPreviewLauncherConfig",
                "What the loader draws on the page of a preview",
            )
            .etag_header("If-None-Match", "The `ETag` of what the caller has.")
            .answer::<visitors::Launcher>(200, "The draft with every default filled in.")
            .with(header::ETAG)
            .answer_empty(304, "The caller's version is current.")
            .with(header::ETAG)
            .problems(PAGE_PROBLEMS),
            launcher_config,
        )
        .route(
            api::post(
                "/public/preview/{token}/core/public/web-widgets/{id}/embed-tickets",
                "createPreviewTicket",
                "Gives a ticket to the page of a preview",
            )
            .body::<Empty>()
            .answer::<visitors::EmbedTicket>(201, "The ticket.")
            .problems(PAGE_PROBLEMS)
            .problems([ProblemCode::FetchMetadata]),
            ticket,
        )
        .route(
            api::get(
                "/public/preview/{token}/public/widget/{id}",
                "getPreviewWindow",
                "The document inside the iframe of a preview",
            )
            .lenient_query::<window::WindowQuery>()
            .answer_as::<String>(200, "The document.", "text/html")
            .answer_as::<String>(
                403,
                "A page that says that the widget is not available.",
                "text/html",
            )
            .problems([
                ProblemCode::RateLimited,
                ProblemCode::FetchMetadata,
                ProblemCode::EmbedNotBuilt,
                ProblemCode::StorageUnavailable,
            ]),
            window_document,
        )
}

/// The token is in every one of these addresses: none of them is indexed, kept, or named to others.
pub(super) fn hide(headers: &mut HeaderMap) {
    for (name, value) in [
        (ROBOTS, "noindex, nofollow"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// What a path below a link names. What is malformed names nothing, exactly as what is unknown.
struct PreviewPath {
    token: PreviewToken,
    widget: Option<WidgetId>,
    /// Whether the path has a place for it.
    has_widget: bool,
    file: String,
}

#[derive(Default, Deserialize)]
struct RawPath {
    token: String,
    id: Option<String>,
    #[serde(default)]
    file: String,
}

impl<S: Send + Sync> FromRequestParts<S> for PreviewPath {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let raw = path_parameters::<RawPath>(parts, state).await;
        let raw = raw.unwrap_or_default();
        let has_widget = raw.id.is_some();
        let widget = raw.id.and_then(|id| id.parse().ok());
        Ok(Self {
            token: PreviewToken::shown(raw.token),
            widget,
            has_widget,
            file: raw.file,
        })
    }
}

impl PreviewPath {
    /// The address of the service as the loader of this preview knows it.
    fn base(&self, state: &AppState) -> Result<Url, Problem> {
        let url = embed::preview_url(&state.settings.public_url, self.token.reveal(), None);
        url.parse().map_err(Problem::internal)
    }
}

/// The preview of a link. One that has ended is found as little as one that never was, by the same
/// statement.
async fn require_preview(
    state: &AppState,
    path: &PreviewPath,
) -> Result<(PreviewedWidget, [u8; 32]), Problem> {
    let hash = path.token.hash();
    let now = state.now();
    let found = state.storage.find_preview_of_token(&hash, now).await?;
    let is_named = |id: WidgetId| !path.has_widget || path.widget == Some(id);
    let found = found.filter(|found| is_named(found.preview.draft().id));
    let found = found.ok_or_else(refusals::unknown_preview)?;
    Ok((found.into(), hash))
}

#[derive(schemars::JsonSchema)]
#[expect(
    dead_code,
    reason = "only its schema is used: the query is read leniently"
)]
struct PageQuery {
    /// The screen on which the sample page is shown, in a frame of that size; any other value
    /// shows the plain page.
    #[schemars(with = "Option<schema::Text<PreviewSite>>")]
    site: Option<PreviewSite>,
    /// Whether the page is in that frame: the page around it has the note that it is a draft.
    framed: Option<bool>,
}

/// How the page shows the preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    /// The sample page with the note that it is a draft.
    Page,
    /// The sample page in the frame of a page that has the note.
    Framed,
    /// The page with that frame.
    Site(PreviewSite),
}

impl View {
    /// Only a frame goes without the note: somebody may open its address in a tab, and not every
    /// browser says what a document is for.
    fn of(query: Option<&str>, fetch: OwnDocumentFetch) -> Self {
        let query = query.unwrap_or_default();
        let find = |wanted: &str| {
            form_urlencoded::parse(query.as_bytes())
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value)
        };
        if fetch.is_frame && find("framed").is_some_and(|value| value == "true") {
            return Self::Framed;
        }
        match find("site").and_then(|site| site.parse().ok()) {
            Some(site) => Self::Site(site),
            None => Self::Page,
        }
    }
}

/// The note that it is a draft, with links to the other views.
struct Note<'a> {
    token: &'a str,
    expires_at: String,
    expires_at_text: String,
    site: Option<PreviewSite>,
}

#[derive(Template)]
#[template(path = "preview.html")]
struct PreviewPage<'a> {
    note: Option<Note<'a>>,
    token: &'a str,
    widget: WidgetId,
    revision: i64,
    style: &'static str,
    script: &'a str,
}

#[derive(Template)]
#[template(path = "preview-site.html")]
struct SitePage<'a> {
    note: Option<Note<'a>>,
    token: &'a str,
    site: PreviewSite,
    width: u16,
    height: u16,
    style: &'static str,
}

#[derive(Template)]
#[template(path = "preview-ended.html")]
struct EndedPage {
    style: &'static str,
}

async fn show(
    State(state): State<AppState>,
    path: PreviewPath,
    fetch: OwnDocumentFetch,
    address: AddressPrefix,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    state.rate_limits.documents.check(&address)?;
    let view = View::of(query.as_deref(), fetch);
    match draw(&state, &path, view).await {
        Err(problem) if problem.code() == ProblemCode::WidgetUnavailable => Ok(say_ended(problem)),
        answer => answer,
    }
}

async fn draw(state: &AppState, path: &PreviewPath, view: View) -> Result<Response, Problem> {
    let (preview, hash) = require_preview(state, path).await?;
    let kept = &preview.stored.preview;
    let grant = kept.open(PreviewProof::Token(&hash), state.now());
    let grant = grant.ok_or_else(refusals::unknown_preview)?;
    let token = path.token.reveal();
    let end = kept.expires_at();
    let note = |site| -> Result<Note<'_>, Problem> {
        Ok(Note {
            token,
            expires_at: end.format(&Rfc3339).map_err(Problem::internal)?,
            expires_at_text: as_words(end),
            site,
        })
    };
    let note = match view {
        View::Page => Some(note(None)?),
        View::Framed => None,
        View::Site(site) => return draw_site(token, site, note(Some(site))?),
    };
    let script = state.settings.embed.preview_page();
    let script = script.ok_or_else(refusals::embed_not_built)?;
    let script = std::str::from_utf8(&script).map_err(Problem::internal)?;
    let page = PreviewPage {
        note,
        token,
        widget: kept.draft().id,
        revision: preview.stored.revision,
        style: STYLE,
        script,
    };
    let policy = embed::preview_page_policy(grant, &source_of(script), &STYLE_SOURCE);
    let page = page.render().map_err(Problem::internal)?;
    Ok(document(StatusCode::OK, &policy, page))
}

fn draw_site(token: &str, site: PreviewSite, note: Note<'_>) -> Result<Response, Problem> {
    let (width, height) = site.size();
    let page = SitePage {
        note: Some(note),
        token,
        site,
        width,
        height,
        style: STYLE,
    };
    let policy = embed::preview_site_policy(&STYLE_SOURCE);
    let page = page.render().map_err(Problem::internal)?;
    Ok(document(StatusCode::OK, &policy, page))
}

/// A time for people, until the script of the page writes it as they are used to.
fn as_words(time: OffsetDateTime) -> String {
    let format =
        format_description!("[month repr:long] [day padding:none], [year], [hour]:[minute] UTC");
    time.to_offset(time::UtcOffset::UTC)
        .format(&format)
        .unwrap_or_default()
}

/// The answer to a link that shows nothing, whether or not it ever did.
fn say_ended(problem: Problem) -> Response {
    let style = &*STYLE_SOURCE;
    let policy = format!(
        "default-src 'none'; style-src {style}; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    let page = EndedPage { style: STYLE }.render().unwrap_or_default();
    let mut response = document(StatusCode::NOT_FOUND, &policy, page);
    response.extensions_mut().insert(PageOf(problem));
    response
}

fn document(status: StatusCode, policy: &str, page: String) -> Response {
    let mut response = (status, Html(page)).into_response();
    let fields = response.headers_mut();
    // Hashes and origins are ASCII without separators, so that the policy is always a header.
    fields.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'")),
    );
    fields.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// Asked for by every open page again and again, so that it is neither logged nor counted.
async fn state_of(
    State(state): State<AppState>,
    path: PreviewPath,
    address: AddressPrefix,
) -> Result<Response, Problem> {
    state.rate_limits.preview_states.check(&address)?;
    let (hash, now) = (path.token.hash(), state.now());
    let revision = state.storage.find_preview_revision(&hash, now).await?;
    let revision = revision.ok_or_else(refusals::unknown_preview)?;
    let mut response = Json(PreviewState { revision }).into_response();
    response.extensions_mut().insert(Unlogged);
    Ok(response)
}

/// For pages whose draft was replaced, in place of what loader and window got first.
async fn draft(
    State(state): State<AppState>,
    path: PreviewPath,
    PageOrOwnOrigin(origin): PageOrOwnOrigin,
    address: AddressPrefix,
) -> Result<Json<ShownDraft>, Problem> {
    state.rate_limits.configs.check(&address)?;
    let (preview, hash) = require_preview(&state, &path).await?;
    let proof = PreviewProof::Token(&hash);
    let admission = require_preview_admission(&state, &preview, proof, &origin).await?;
    let config = &admission.widget().config;
    Ok(Json(ShownDraft {
        launcher: config.for_launcher(),
        window: config.for_window(),
    }))
}

async fn loader(
    State(state): State<AppState>,
    path: PreviewPath,
    address: AddressPrefix,
    encodings: Accepted,
    known: Known,
) -> Result<Response, Problem> {
    state.rate_limits.documents.check(&address)?;
    require_preview(&state, &path).await?;
    find_loader(&state, encodings, &known)
}

async fn panel(
    State(state): State<AppState>,
    path: PreviewPath,
    address: AddressPrefix,
    encodings: Accepted,
    known: Known,
) -> Result<Response, Problem> {
    state.rate_limits.documents.check(&address)?;
    require_preview(&state, &path).await?;
    find_pinned(&state, &path.file, &address, encodings, &known).await
}

async fn launcher_config(
    State(state): State<AppState>,
    path: PreviewPath,
    PageOrOwnOrigin(origin): PageOrOwnOrigin,
    address: AddressPrefix,
    known: Known,
) -> Result<Response, Problem> {
    state.rate_limits.configs.check(&address)?;
    let (preview, hash) = require_preview(&state, &path).await?;
    let proof = PreviewProof::Token(&hash);
    let admission = require_preview_admission(&state, &preview, proof, &origin).await?;
    Ok(launcher::answer(&admission, &known))
}

async fn ticket(
    State(state): State<AppState>,
    path: PreviewPath,
    PageOrigin(origin): PageOrigin,
    _: JsonOnly,
    _: CorsFetch,
    address: AddressPrefix,
    StrictJson(Empty {}): StrictJson<Empty, 1024>,
) -> Result<(StatusCode, Json<visitors::EmbedTicket>), Problem> {
    state.rate_limits.tickets.check(&address)?;
    let (preview, hash) = require_preview(&state, &path).await?;
    let proof = PreviewProof::Token(&hash);
    let admission = require_preview_admission(&state, &preview, proof, &origin).await?;
    tickets::issue(&state, &admission, &path.base(&state)?).await
}

async fn window_document(
    State(state): State<AppState>,
    path: PreviewPath,
    _: DocumentFetch,
    address: AddressPrefix,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    state.rate_limits.documents.check(&address)?;
    let open = async || {
        let origin = window::declared_origin(query.as_deref())?;
        let (preview, hash) = require_preview(&state, &path).await?;
        let proof = PreviewProof::Token(&hash);
        let admission = require_preview_admission(&state, &preview, proof, &origin).await?;
        window::draw(&state, &admission)
    };
    window::refuse_with_page(open().await)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::embed_files::EmbedFiles;

    #[test]
    fn an_end_is_in_words() {
        let end = datetime!(2026-02-03 01:05 +2);
        assert_eq!(as_words(end), "February 2, 2026, 23:05 UTC");
    }

    #[test]
    fn what_stands_in_the_page_cannot_end_its_element() {
        let script = EmbedFiles::default().preview_page();
        let script = script.expect("the embed is built, as the tests of the service need it");
        for text in [&script[..], STYLE.as_bytes()] {
            let text = String::from_utf8_lossy(text);
            assert!(!text.contains("</") && !text.contains("<!--"), "{text}");
        }
    }
}
