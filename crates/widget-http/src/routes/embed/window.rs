//! The document inside the iframe. Browsers send no `Origin` with a navigation, so the browser
//! itself enforces who may frame it: the policy names exactly the page that was declared, when the
//! widget's list admits it.

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    response::{Html, IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use url::form_urlencoded;
use widget_api::ProblemCode;
use widget_core::{
    config::values::Direction, embed::WindowPolicy, finding::Code, origin::Origin, serve::Admission,
};

use crate::{
    embed_files::WindowFiles,
    routes::public::page::{
        IsCounted, PublicPath, count_without_origin, require_visit, require_widget,
    },
    state::AppState,
    telemetry::PageOf,
    visitors::{
        public_widgets::{AdmittedWidget, WindowTexts},
        refusals,
    },
    web::{
        api::{self, ApiRouter},
        caller::AddressPrefix,
        cors::DocumentFetch,
        problem::Problem,
    },
};

/// Lets a host page with `Cross-Origin-Embedder-Policy` frame the window, which then needs the same
/// of its own; `credentialless` still loads avatars from servers that know nothing of this.
const EMBEDDER_POLICY: (HeaderName, HeaderValue) = (
    HeaderName::from_static("cross-origin-embedder-policy"),
    HeaderValue::from_static("credentialless"),
);
const RESOURCE_POLICY: (HeaderName, HeaderValue) = (
    HeaderName::from_static("cross-origin-resource-policy"),
    HeaderValue::from_static("cross-origin"),
);

/// The headers of the window that a page with `Cross-Origin-Embedder-Policy` asks for.
pub(crate) fn isolation_headers() -> [(HeaderName, HeaderValue); 2] {
    [EMBEDDER_POLICY, RESOURCE_POLICY]
}

#[derive(Template)]
#[template(path = "window.html")]
struct WindowPage<'a> {
    language: &'a str,
    direction: Direction,
    title: &'a str,
    files: WindowFiles,
    data: String,
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedPage;

pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new().route(
        api::get(
            "/public/widget/{id}",
            "getWindow",
            "The document inside the iframe",
        )
        .lenient_query::<WindowQuery>()
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
        ]),
        show,
    )
}

#[derive(schemars::JsonSchema)]
#[expect(
    dead_code,
    reason = "only its schema is used: the query is read leniently"
)]
pub(in crate::routes) struct WindowQuery {
    /// The origin of the page that frames the document.
    o: String,
}

async fn show(
    State(state): State<AppState>,
    path: PublicPath,
    is_counted: IsCounted,
    _: DocumentFetch,
    address: AddressPrefix,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    state.rate_limits.documents.check(&address)?;
    refuse_with_page(open(&state, &path, query.as_deref(), is_counted).await)
}

/// Visitors get a page instead of a refusal.
pub(in crate::routes) fn refuse_with_page(
    answer: Result<Response, Problem>,
) -> Result<Response, Problem> {
    match answer {
        Err(problem) if problem.status() == StatusCode::FORBIDDEN => Ok(refuse(problem)),
        answer => answer,
    }
}

async fn open(
    state: &AppState,
    path: &PublicPath,
    query: Option<&str>,
    is_counted: IsCounted,
) -> Result<Response, Problem> {
    let origin = match declared_origin(query) {
        Ok(origin) => origin,
        Err(problem) => {
            count_without_origin(state, path, Code::OriginMalformed, is_counted).await;
            return Err(problem);
        }
    };
    let widget = require_widget(state, path).await?;
    let admission = require_visit(state, &widget, &origin, is_counted).await?;
    let document = draw(state, &admission)?;
    if is_counted.0 {
        let id = widget.stored.widget.id;
        state.visits.count_window(id, state.now());
    }
    Ok(document)
}

/// The document for a page that was admitted.
pub(in crate::routes) fn draw(
    state: &AppState,
    admission: &AdmittedWidget<'_>,
) -> Result<Response, Problem> {
    let files = state
        .settings
        .embed
        .window_files()
        .ok_or_else(refusals::embed_not_built)?;
    let page = render(admission, files)?;
    let livekit = state.livekit.as_ref();
    let livekit = livekit.map(|livekit| livekit.public_url().server());
    let policy = WindowPolicy::new(**admission, livekit);
    Ok(document(StatusCode::OK, &policy, page))
}

/// The origin of the host page, which is in the window's own address. If it is not the page that
/// frames the window, the window's policy forbids that page, and browsers show nothing.
pub(in crate::routes) fn declared_origin(query: Option<&str>) -> Result<Origin, Problem> {
    let mut declared = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .filter(|(name, _)| name == "o")
        .map(|(_, value)| value);
    match (declared.next(), declared.next()) {
        (Some(only), None) => only.parse().map_err(|_| refusals::unknown_widget()),
        _ => Err(refusals::unknown_widget()),
    }
}

fn render(admission: &AdmittedWidget<'_>, files: WindowFiles) -> Result<String, Problem> {
    let texts = admission.window(build_texts);
    let id = admission.widget().id;
    let origin = inside_script(&Value::from(admission.origin().as_str()));
    let config = &texts.config;
    // Only the page of a preview may replace the config.
    let preview = match admission.preview_id() {
        Some(_) => r#""preview":true,"#,
        None => "",
    };
    let page = WindowPage {
        language: &texts.language,
        direction: texts.direction,
        title: &texts.title,
        files,
        data: format!(r#"{{"widget_id":"{id}","origin":{origin},{preview}"config":{config}}}"#),
    };
    page.render().map_err(Problem::internal)
}

/// What the document says of the widget: much work, and the same on every page.
fn build_texts(admission: &Admission<'_>) -> WindowTexts {
    let config = admission.widget().config.for_window();
    WindowTexts {
        language: config.language().into(),
        direction: config.direction(),
        title: config.title().into(),
        config: inside_script(&json!(config)).into(),
    }
}

/// JSON that cannot end the script element it stands in, nor begin a comment there.
fn inside_script(data: &Value) -> String {
    data.to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

/// A page without anything of the widget, the same for every reason; the reason goes to the log.
fn refuse(problem: Problem) -> Response {
    let page = RefusedPage.render().unwrap_or_default();
    let mut response = document(StatusCode::FORBIDDEN, &WindowPolicy::CLOSED, page);
    response.extensions_mut().insert(PageOf(problem));
    response
}

fn document(status: StatusCode, policy: &WindowPolicy<'_>, page: String) -> Response {
    let mut response = (status, [EMBEDDER_POLICY, RESOURCE_POLICY], Html(page)).into_response();
    let policy = HeaderValue::try_from(policy.to_header_value());
    let fields = response.headers_mut();
    // An origin is ASCII without separators, so that the policy is always a header.
    fields.insert(
        header::CONTENT_SECURITY_POLICY,
        policy.unwrap_or(HeaderValue::from_static("default-src 'none'")),
    );
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    fields.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn config_cannot_leave_its_script_element() {
        let data = json!({"title": "</script><script>alert(1)</script><!-- &"});
        let text = inside_script(&data);
        assert!(!text.contains(['<', '>', '&']), "{text}");
        assert_eq!(
            serde_json::from_str::<Value>(&text).expect("still JSON"),
            data
        );
    }

    #[test]
    fn exactly_one_serialized_origin_is_declared() {
        let declared = |query| {
            declared_origin(Some(query))
                .map(|origin| origin.to_string())
                .ok()
        };
        assert_eq!(
            declared("o=https%3A%2F%2Fshop.example"),
            Some("https://shop.example".to_owned())
        );
        for query in [
            "",
            "o=",
            "o=null",
            "o=https%3A%2F%2Fshop.example%2F",
            "o=https%3A%2F%2FShop.example",
            "o=https%3A%2F%2Fshop.example%3Bscript-src%20*",
            "o=https%3A%2F%2Fa.example&o=https%3A%2F%2Fb.example",
        ] {
            assert_eq!(declared(query), None, "{query}");
        }
        assert!(declared_origin(None).is_err());
    }
}
