//! Scripts and documents of the embed, which must have been built.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use sha2::{Digest, Sha384};
use widget_http::embed_files::EmbedFiles;

use super::support::{SHOP, Visitor, with_livekit};
use crate::support::{Answer, Service, id};

/// What the tests rely on.
const BUILT: &str = "the embed is built: `cargo xtask test embed` builds it";

async fn window(service: &Service, widget: &str, query: &str, headers: &[(&str, &str)]) -> Answer {
    service
        .call_with(
            None,
            "GET",
            &format!("/public/widget/{widget}{query}"),
            None,
            headers,
        )
        .await
}

#[tokio::test]
async fn the_loader_is_the_same_for_all() {
    let service = Service::start().await;
    let widget = id(&service.widget(json!({})).await);
    let ask = async |path: &str, headers: &[(&str, &str)]| {
        service.call_with(None, "GET", path, None, headers).await
    };
    let first = ask(&format!("/public/embed/{widget}"), &[]).await;
    first.expect(200);
    let file = EmbedFiles::BuiltIn.loader_file().expect(BUILT);
    for (path, headers) in [
        ("/public/embed/not-an-id", vec![]),
        (
            "/public/embed/0197a3c0-0000-7000-8000-00000000ffff",
            vec![("referer", "https://evil.example/")],
        ),
    ] {
        let other = ask(path, &headers).await;
        assert_eq!(
            (other.text.as_str(), other.header("etag")),
            (first.text.as_str(), first.header("etag"))
        );
    }
    for (name, value) in [
        (
            "cache-control",
            "public, max-age=300, stale-while-revalidate=86400",
        ),
        ("cross-origin-resource-policy", "cross-origin"),
        ("access-control-allow-origin", "*"),
        ("content-type", "text/javascript; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(first.header(name), value);
    }
    let known = ask(
        &format!("/public/embed/{widget}"),
        &[("if-none-match", first.header("etag"))],
    )
    .await;
    known.expect(304);

    let pinned = ask(
        &format!("/public/embed/{widget}/{}.js", file.name.hash()),
        &[],
    )
    .await;
    let integrity = STANDARD.encode(Sha384::digest(&pinned.expect(200).text));
    assert_eq!(file.integrity, format!("sha384-{integrity}"));
    assert_eq!(
        pinned.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    ask(&format!("/public/embed/{widget}/0123.js"), &[])
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn the_loader_names_its_panel_script_by_hash() {
    let service = Service::start().await;
    let widget = id(&service.widget(json!({})).await);
    let panel = EmbedFiles::BuiltIn.panel_name().expect(BUILT);
    let file = format!("{}.js", panel.hash());
    let ask = async |name: &str| {
        let path = format!("/public/embed/{widget}{name}");
        service.call_with(None, "GET", &path, None, &[]).await
    };
    let loader = ask("").await;
    assert!(
        loader.text.contains(&file),
        "the loader has another panel script"
    );
    let hashed = ask(&format!("/{file}")).await;
    let current = ask("/panel.js").await;
    assert_eq!(hashed.expect(200).text, current.expect(200).text);
    // A page can read why a script is not there, too.
    for path in ["/0123456789abcdef.js", "/x.js", "/a/b"] {
        let missing = ask(path).await;
        assert_eq!(missing.status, 404, "{path}");
        assert_eq!(missing.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(
            missing.header("cross-origin-resource-policy"),
            "cross-origin"
        );
    }
    for (answer, caching) in [
        (&hashed, "public, max-age=31536000, immutable"),
        (
            &current,
            "public, max-age=300, stale-while-revalidate=86400",
        ),
    ] {
        assert_eq!(answer.header("cache-control"), caching);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(
            answer.header("cross-origin-resource-policy"),
            "cross-origin"
        );
        assert_eq!(
            answer.header("content-type"),
            "text/javascript; charset=utf-8"
        );
    }
}

#[tokio::test]
async fn the_window_may_be_framed_by_the_declared_page_only() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(
        &service,
        json!({"v1": {"locale": "ar", "chat": {"title": "</script><b>"}}}),
    )
    .await;
    let query = "?o=https%3A%2F%2Fshop.example";
    let answer = window(
        &service,
        &id(&visitor.widget),
        query,
        &[("sec-fetch-dest", "iframe")],
    )
    .await;
    answer.expect(200);
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(
        policy.ends_with("frame-ancestors https://shop.example"),
        "{policy}"
    );
    assert!(
        policy.contains("connect-src 'self' wss://livekit.example https://livekit.example"),
        "{policy}"
    );
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("cross-origin-embedder-policy", "credentialless"),
        ("content-type", "text/html; charset=utf-8"),
    ] {
        assert_eq!(answer.header(name), value);
    }
    assert!(!answer.headers.contains_key("x-frame-options"));
    assert!(answer.text.contains(r#"<html lang="ar" dir="rtl">"#));
    assert_eq!(
        answer.text.matches("</script>").count(),
        2,
        "the title has not ended the element: {}",
        answer.text
    );
    let script = EmbedFiles::BuiltIn.window_files().expect(BUILT).script;
    let path = format!("/public/{script}");
    let asset = service.call_with(None, "GET", &path, None, &[]).await;
    asset.expect(200);
    assert_eq!(
        asset.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
}

#[tokio::test]
async fn a_refused_window_is_the_same_page_for_every_reason() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    let live = id(&visitor.widget);
    let closed = id(&service.widget(json!({"published": false})).await);
    let shop = "?o=https%3A%2F%2Fshop.example";
    let mut seen = Vec::new();
    for (widget, query) in [
        ("not-an-id", shop),
        ("0197a3c0-0000-7000-8000-00000000ffff", shop),
        (closed.as_str(), shop),
        (live.as_str(), "?o=https%3A%2F%2Fevil.example"),
        (live.as_str(), "?o=null"),
        (
            live.as_str(),
            "?o=https%3A%2F%2Fshop.example%3Bscript-src%20%2A",
        ),
        (
            live.as_str(),
            "?o=https%3A%2F%2Fshop.example&o=https%3A%2F%2Fshop.example",
        ),
        (live.as_str(), ""),
    ] {
        let answer = window(&service, widget, query, &[]).await;
        answer.expect(403);
        let policy = answer.header("content-security-policy");
        assert!(
            policy.ends_with("frame-ancestors 'none'") && policy.contains("default-src 'none'"),
            "{policy}"
        );
        assert!(!answer.text.contains("<script"), "{}", answer.text);
        let headers: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| *name != "x-request-id")
            .map(|pair| format!("{pair:?}"))
            .collect();
        seen.push((answer.text, headers));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
}

#[tokio::test]
async fn the_window_is_a_document_and_nothing_else() {
    let service = Service::start_with(with_livekit).await;
    let visitor = Visitor::of(&service, json!({})).await;
    for destination in ["script", "image", "embed", "empty"] {
        let headers = [("sec-fetch-dest", destination), ("referer", SHOP)];
        let answer = window(
            &service,
            &id(&visitor.widget),
            "?o=https%3A%2F%2Fshop.example",
            &headers,
        )
        .await;
        answer.problem(403, "fetch_metadata");
    }
}

#[tokio::test]
async fn no_path_leads_out_of_the_assets() {
    let service = Service::start().await;
    for path in [
        "/public/assets/x/..%2Floader.js",
        "/public/assets/..%2f/loader.js",
        "/public/assets/%2e%2e%2f%2e%2e%2f/Cargo.toml",
        "/public/assets/0123456789abcdef0123456789abcdef/nothing.js",
        "/public/assets/0123456789ABCDEF0123456789ABCDEF/nothing.js",
    ] {
        let answer = service.call_with(None, "GET", path, None, &[]).await;
        answer.problem(404, "not_found");
        // During an upgrade another node has the file a moment later.
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
}
