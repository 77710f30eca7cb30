//! The description of the API as a page. It loads nothing and has no field: keys belong in no page.

use std::{io::Write as _, sync::OnceLock};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

use crate::{
    embed_files::Accepted,
    openapi::page,
    state::AppState,
    web::{
        api::{self, ApiRouter},
        etag,
    },
};

/// The page, made when it is first asked for.
static PAGE: OnceLock<Page> = OnceLock::new();

/// An upgrade is seen after five minutes.
const CACHING: HeaderValue = HeaderValue::from_static("public, max-age=300");

struct Page {
    html: Bytes,
    gzip: Option<Bytes>,
    tag: HeaderValue,
    policy: HeaderValue,
}

impl Page {
    fn of(document: &str) -> Self {
        let document = serde_json::from_str(document).unwrap_or_default();
        let html = page::render(&document);
        let style = STANDARD.encode(Sha256::digest(page::STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'"
        );
        Self {
            tag: etag::of_hash(&Sha256::digest(&html).into()),
            gzip: compress(html.as_bytes()).ok().map(Bytes::from),
            html: html.into(),
            policy: HeaderValue::try_from(policy).expect("a policy is ASCII"),
        }
    }
}

fn compress(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// `/docs`, which shows what `document` writes.
pub(crate) fn router(document: fn() -> String) -> ApiRouter<AppState> {
    ApiRouter::new().route(
        api::get("/docs", "getDocs", "This document as a page for people")
            .answer_as::<String>(200, "The page.", "text/html")
            .with(header::ETAG)
            .answer_empty(304, "The caller's version is current.")
            .with(header::ETAG),
        async move |headers: HeaderMap| show(document, &headers),
    )
}

fn show(document: fn() -> String, headers: &HeaderMap) -> impl IntoResponse + use<> {
    let page = PAGE.get_or_init(|| Page::of(&document()));
    let accepts_gzip = Accepted::of(headers).gzip();
    let compressed = page.gzip.as_ref().filter(|_| accepts_gzip);
    let is_known = etag::is_known(headers, &page.tag);
    let mut response = Response::new(match (is_known, compressed) {
        (true, _) => Body::empty(),
        (false, Some(gzip)) => Body::from(gzip.clone()),
        (false, None) => Body::from(page.html.clone()),
    });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let text = HeaderValue::from_static;
    let fields = response.headers_mut();
    fields.insert(header::ETAG, page.tag.clone());
    fields.insert(header::CACHE_CONTROL, CACHING);
    fields.insert(header::VARY, text("Accept-Encoding"));
    if !is_known {
        fields.insert(header::CONTENT_TYPE, text("text/html; charset=utf-8"));
        fields.insert(header::CONTENT_SECURITY_POLICY, page.policy.clone());
        fields.insert(header::X_CONTENT_TYPE_OPTIONS, text("nosniff"));
        fields.insert(header::REFERRER_POLICY, text("no-referrer"));
        if compressed.is_some() {
            fields.insert(header::CONTENT_ENCODING, text("gzip"));
        }
    }
    response
}
