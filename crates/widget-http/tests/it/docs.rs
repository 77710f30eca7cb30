//! The page of the API: it loads nothing, asks for nothing, and every link in it leads somewhere.

use std::{collections::BTreeSet, io::Read as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::read::GzDecoder;
use http::{Method, Request, header};
use http_body_util::BodyExt as _;
use sha2::{Digest, Sha256};
use tower::ServiceExt as _;

use crate::support::{Answer, Service};

/// How large a document may be on its way.
const MAX_BYTES: usize = 150 * 1024;

async fn page(service: &Service, headers: &[(&str, &str)]) -> Answer {
    get(service, "/docs", headers).await
}

async fn get(service: &Service, path: &str, headers: &[(&str, &str)]) -> Answer {
    service.call_with(None, "GET", path, None, headers).await
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    let pieces = text.split(start).skip(1);
    pieces
        .filter_map(|rest| Some(rest.split_once(end)?.0))
        .collect()
}

#[tokio::test]
async fn the_page_may_load_and_send_nothing() {
    let service = Service::start().await;
    let answer = page(&service, &[]).await;
    assert_eq!(answer.status, 200);
    let field = |name: &str| answer.headers[name].to_str().expect("text").to_owned();
    assert_eq!(field("content-type"), "text/html; charset=utf-8");
    assert_eq!(field("x-content-type-options"), "nosniff");
    assert_eq!(field("referrer-policy"), "no-referrer");
    let styles = between(&answer.text, "<style>", "</style>");
    assert_eq!(styles.len(), 1);
    let style = STANDARD.encode(Sha256::digest(styles[0]));
    assert_eq!(
        field("content-security-policy"),
        format!(
            "default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'"
        )
    );
    for absent in [
        "<script", "<form", "<input", "<img", "<iframe", " on", " style=", "src=",
    ] {
        let tags = between(&answer.text, "<", ">");
        let found: Vec<_> = tags
            .iter()
            .filter(|tag| format!("<{tag}").contains(absent))
            .collect();
        assert!(found.is_empty(), "{absent}: {found:?}");
    }
}

#[tokio::test]
async fn every_operation_has_an_address_and_every_link_leads_somewhere() {
    let service = Service::start().await;
    let answer = page(&service, &[]).await;
    let ids = between(&answer.text, " id=\"", "\"");
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "an id is there twice");
    for operation in widget_http::operations() {
        assert!(unique.contains(operation.id), "{}", operation.id);
        for code in operation.all_problems() {
            assert!(
                answer.text.contains(&format!("<code>{code}</code>")),
                "{code}"
            );
        }
    }
    let links = between(&answer.text, "href=\"", "\"");
    assert!(links.len() > 100);
    for link in links {
        let leads_somewhere = match link.strip_prefix('#') {
            Some(id) => unique.contains(id),
            None => ["/openapi.json", "data:,"].contains(&link),
        };
        assert!(leads_somewhere, "{link}");
    }
}

#[tokio::test]
async fn documents_are_small_and_kept_until_they_change() {
    let service = Service::start().await;
    for (path, media_type) in [
        ("/docs", "text/html; charset=utf-8"),
        ("/openapi.json", "application/json"),
    ] {
        let plain = get(&service, path, &[]).await;
        let tag = plain.headers[header::ETAG].to_str().expect("text");
        assert_eq!(plain.headers[header::CACHE_CONTROL], "public, max-age=300");
        assert_eq!(plain.headers[header::VARY], "Accept-Encoding");
        assert_eq!(plain.headers[header::CONTENT_TYPE], media_type);
        assert!(!plain.headers.contains_key(header::CONTENT_ENCODING));
        let known = get(&service, path, &[("if-none-match", tag)]).await;
        assert_eq!((known.status.as_u16(), known.text.as_str()), (304, ""));
        assert_eq!(known.headers[header::ETAG], tag);

        let request = Request::builder()
            .method(Method::GET)
            .uri(path)
            .header(header::ACCEPT_ENCODING, "br, gzip")
            .body(axum::body::Body::empty())
            .expect("a valid request");
        let Ok(response) = service.router.clone().oneshot(request).await;
        assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
        let compressed = response.headers()[header::ETAG].clone();
        assert_ne!(compressed, tag, "other bytes have another tag");
        let bytes = response.into_body().collect().await.expect("a body");
        let bytes = bytes.to_bytes();
        assert!(bytes.len() < MAX_BYTES, "{} bytes", bytes.len());
        let mut text = String::new();
        let mut decoder = GzDecoder::new(&bytes[..]);
        decoder.read_to_string(&mut text).expect("it is gzip");
        assert_eq!(text, plain.text);
    }
}
