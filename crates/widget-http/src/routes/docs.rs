//! The description of the API as a page. It loads nothing and has no field: keys belong in no page.

use std::sync::OnceLock;

use axum::response::Response;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

use crate::{
    embed_files::Accepted,
    openapi::page,
    routes::static_files::Document,
    state::AppState,
    web::{
        api::{self, ApiRouter},
        etag::Known,
    },
};

/// The page, made when it is first asked for.
static PAGE: OnceLock<Page> = OnceLock::new();

struct Page {
    document: Document,
    policy: HeaderValue,
}

impl Page {
    fn of(document: &str) -> Self {
        let document = serde_json::from_str(document).unwrap_or_default();
        let style = STANDARD.encode(Sha256::digest(page::STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'"
        );
        Self {
            document: Document::new(page::render(&document), "text/html; charset=utf-8"),
            policy: HeaderValue::try_from(policy).expect("a policy is ASCII"),
        }
    }
}

/// `/docs`, which shows what `document` writes.
pub(crate) fn router(document: fn() -> String) -> ApiRouter<AppState> {
    ApiRouter::new().route(
        api::get("/docs", "getDocs", "This document as a page for people")
            .without_storage()
            .answer_as::<String>(200, "The page.", "text/html")
            .with(header::ETAG)
            .answer_empty(304, "The caller's version is current.")
            .with(header::ETAG),
        async move |encodings: Accepted, known: Known| show(document, encodings, &known),
    )
}

fn show(document: fn() -> String, encodings: Accepted, known: &Known) -> Response {
    let page = PAGE.get_or_init(|| Page::of(&document()));
    let mut response = page.document.answer(encodings, known);
    if response.status() == StatusCode::OK {
        let fields = response.headers_mut();
        fields.insert(header::CONTENT_SECURITY_POLICY, page.policy.clone());
        fields.insert(
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        );
    }
    response
}
