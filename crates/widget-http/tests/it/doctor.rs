//! What the service finds on pages that it fetches, and which pages it never fetches.

use std::{
    io::Write as _,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use widget_api::Scope;

use crate::support::{Service, id};

/// A site that answers every request in the same way.
async fn site(answer: impl FnOnce(SocketAddr) -> Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    let answer = answer(address);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 2048];
            // Whoever hangs up in the middle is not answered.
            if stream
                .read(&mut request)
                .await
                .is_ok_and(|length| length > 0)
            {
                let _ = stream.write_all(&answer).await;
            }
        }
    });
    format!("http://{address}")
}

fn page(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

async fn start() -> Service {
    Service::start_with(|settings| settings.brand_from_private_addresses = true).await
}

/// A published widget for a site, and the line for its pages.
async fn widget_for(service: &Service, domains: &[&str]) -> (String, String) {
    let widget = service
        .widget(json!({"published": true, "domains": domains}))
        .await;
    let path = format!("/core/web-widgets/{}", id(&widget));
    let snippet = service.get(&format!("{path}/snippet")).await.json(200);
    let html = snippet["html"].as_str().expect("a line").to_owned();
    (path, html)
}

async fn diagnose(service: &Service, path: &str, page: &str) -> Value {
    let body = json!({"page": page});
    service
        .post(&format!("{path}/doctor"), &body)
        .await
        .json(200)
}

/// What was found apart from what is fine, and LiveKit, which these services do not have.
fn found(diagnosis: &Value) -> Vec<String> {
    let findings = diagnosis["findings"].as_array().expect("findings");
    findings
        .iter()
        .filter(|finding| finding["status"] != "ok" && finding["code"] != "livekit_unreachable")
        .map(|finding| {
            format!(
                "{} {} {}",
                finding["code"].as_str().expect("a code"),
                finding["status"].as_str().expect("a status"),
                finding["for"].as_str().expect("somebody")
            )
        })
        .collect()
}

fn finding<'a>(diagnosis: &'a Value, code: &str) -> &'a Value {
    let findings = diagnosis["findings"].as_array().expect("findings");
    let mut found = findings.iter().filter(|finding| finding["code"] == code);
    found.next().expect("a finding of this code")
}

#[tokio::test]
async fn pages_are_fetched_and_looked_at() {
    let service = start().await;
    let (path, snippet) = widget_for(&service, &["*"]).await;
    let shown = site(|_| page("", snippet.as_bytes())).await;
    let diagnosis = diagnose(&service, &path, &format!("{shown}/cart?session=secret")).await;
    assert_eq!(found(&diagnosis), [""; 0]);
    assert_eq!(diagnosis["page"], format!("{shown}/cart?…"));
    assert_eq!(
        path,
        format!(
            "/core/web-widgets/{}",
            diagnosis["widget_id"].as_str().expect("an id")
        )
    );
    let first = &diagnosis["findings"][0];
    assert_eq!(
        (&first["code"], &first["status"], &first["evidence"]),
        (&json!("page_unreachable"), &json!("ok"), &Value::Null)
    );

    let zipped = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(snippet.as_bytes()).expect("memory");
        encoder.finish().expect("memory")
    };
    let zipped = site(|_| page("content-encoding: gzip\r\n", &zipped)).await;
    assert_eq!(found(&diagnose(&service, &path, &zipped).await), [""; 0]);

    let policy = "set-cookie: session=secret\r\ncontent-security-policy: script-src 'nonce-secret' 'self'\r\n";
    let strict = site(|_| page(policy, snippet.as_bytes())).await;
    let diagnosis = diagnose(&service, &path, &strict).await;
    assert_eq!(found(&diagnosis), ["csp_script_blocked fail site"]);
    assert!(!diagnosis.to_string().contains("secret"), "{diagnosis}");

    let moved = site(|_| {
        format!(
            "HTTP/1.1 301 Moved\r\nlocation: {shown}/?token=secret\r\ncontent-length: 0\r\n\r\n"
        )
        .into_bytes()
    })
    .await;
    let diagnosis = diagnose(&service, &path, &moved).await;
    // The site where it ends is listed.
    assert_eq!(found(&diagnosis), [""; 0]);
    assert!(diagnosis.to_string().contains("page_redirected"));
    assert!(!diagnosis.to_string().contains("secret"), "{diagnosis}");

    let empty = site(|_| page("", b"<p>Welcome")).await;
    let diagnosis = diagnose(&service, &path, &empty).await;
    assert_eq!(found(&diagnosis), ["snippet_missing fail site"]);
    assert_eq!(diagnosis["verdict"], "not_shown");

    let script = "document.head.append(Object.assign(document.createElement('script'), {src: 'https://widgets.example/public/embed/' + id}))";
    let scripts = site(|_| page("", script.as_bytes())).await;
    let inserted = format!("<p>Welcome<script src='{scripts}/app.js'></script>");
    let inserted = site(|_| page("", inserted.as_bytes())).await;
    let diagnosis = diagnose(&service, &path, &inserted).await;
    assert_eq!(found(&diagnosis), ["snippet_by_script unknown site"]);
}

#[tokio::test]
async fn answers_are_read_as_browsers_read_them() {
    let service = start().await;
    let (path, snippet) = widget_for(&service, &["*"]).await;
    let control = site(|_| page("x-odd: a\u{1b}[31mb\u{7}\r\n", snippet.as_bytes())).await;
    assert_eq!(found(&diagnose(&service, &path, &control).await), [""; 0]);

    let nowhere = site(|_| {
        b"HTTP/1.1 302 Found\r\ncontent-type: text/html\r\ncontent-length: 0\r\n\r\n".to_vec()
    })
    .await;
    let diagnosis = diagnose(&service, &path, &nowhere).await;
    assert_eq!(
        found(&diagnosis),
        ["page_status fail site", "snippet_missing unknown site"]
    );

    let circle = site(|_| {
        b"HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            .to_vec()
    })
    .await;
    let diagnosis = diagnose(&service, &path, &circle).await;
    assert_eq!(found(&diagnosis), ["page_unreachable fail site"]);
    let detail = diagnosis["findings"][0]["detail"].as_str().expect("text");
    assert!(detail.contains("in a circle"), "{detail}");

    let unclosed = snippet.replace("</script>", "<p>x");
    let unclosed = site(|_| page("", unclosed.as_bytes())).await;
    let diagnosis = diagnose(&service, &path, &unclosed).await;
    assert_eq!(found(&diagnosis), ["snippet_inert fail site"]);
    let fixes = diagnosis["fixes"].as_array().expect("fixes");
    assert_eq!(fixes.len(), 1);
    assert_eq!(
        fixes[0],
        json!({
            "code": "snippet_inert",
            "detail": "add `</script>` after the tag",
            "command": null,
            "for": "site"
        })
    );
}

#[tokio::test]
async fn the_decision_of_the_service_is_a_part_of_it() {
    let service = start().await;
    let (path, snippet) = widget_for(&service, &["https://www.shop.example"]).await;
    let shop = site(|_| page("", snippet.as_bytes())).await;
    let diagnosis = diagnose(&service, &path, &shop).await;
    assert_eq!(found(&diagnosis), ["origin_not_listed fail widget"]);
    // It was never for this page.
    assert!(!diagnosis.to_string().contains("wrote revision"));
    for change in [json!({"domains": ["*"]}), json!({"published": false})] {
        service.put(&path, &change).await.expect(200);
    }
    let diagnosis = diagnose(&service, &path, &shop).await;
    assert_eq!(found(&diagnosis), ["not_published fail widget"]);
    let since = format!("it was for `{shop}` until ");
    let evidence = finding(&diagnosis, "not_published")["evidence"]
        .as_str()
        .expect("evidence");
    assert!(evidence.contains(&since), "{evidence}");
    assert!(evidence.contains(" wrote revision 3; see "), "{evidence}");
}

#[tokio::test]
async fn pinned_scripts_are_compared_with_those_of_the_service() {
    let service = start().await;
    let (path, _) = widget_for(&service, &["*"]).await;
    let snippet = service.get(&format!("{path}/snippet")).await.json(200);
    let pinned = snippet["html_with_integrity"]
        .as_str()
        .expect("the embed is built");
    let good = site(|_| page("", pinned.as_bytes())).await;
    assert_eq!(found(&diagnose(&service, &path, &good).await), [""; 0]);
    let changed = pinned.replace("sha384-", "sha384-A");
    let bad = site(|_| page("", changed.as_bytes())).await;
    assert_eq!(
        found(&diagnose(&service, &path, &bad).await),
        ["integrity_unknown fail site"]
    );
}

#[tokio::test]
async fn what_cannot_be_read_here_is_unknown() {
    let service = start().await;
    let (path, _) = widget_for(&service, &["*"]).await;
    for answer in [
        page("content-encoding: br\r\n", b"x"),
        b"HTTP/1.1 302 Found\r\nlocation: /next\r\ncontent-length: 0\r\n\r\n".to_vec(),
        // It hangs up.
        Vec::new(),
    ] {
        let scripts = site(|_| answer).await;
        let page = page(
            "",
            format!("<p>x<script src='{scripts}/a.js'></script>").as_bytes(),
        );
        let shop = site(|_| page).await;
        let diagnosis = diagnose(&service, &path, &shop).await;
        assert_eq!(found(&diagnosis), ["snippet_by_script unknown site"]);
    }
}

#[tokio::test]
async fn one_page_has_a_bound_of_requests() {
    const MAX_REQUESTS: usize = widget_core::doctor::MAX_REQUESTS;
    let service = start().await;
    let (path, _) = widget_for(&service, &["*"]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 2048];
            let length = stream.read(&mut request).await.unwrap_or_default();
            count.fetch_add(1, Ordering::Relaxed);
            let large = vec![b'x'; 2 << 20];
            let answer = if request[..length].starts_with(b"GET /large") {
                page("", &large)
            } else {
                b"HTTP/1.1 302 Found\r\nlocation: /next\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".to_vec()
            };
            let _ = stream.write_all(&answer).await;
        }
    });
    for (name, least, most) in [
        ("moved", MAX_REQUESTS - 1, MAX_REQUESTS - 1),
        ("large", 3, 8),
    ] {
        asked.store(0, Ordering::Relaxed);
        let tags = (0..90).map(|at| format!("<script src='http://{address}/{name}{at}'></script>"));
        let page = page("", format!("<p>x{}", tags.collect::<String>()).as_bytes());
        let shop = site(|_| page).await;
        let diagnosis = diagnose(&service, &path, &shop).await;
        assert_eq!(found(&diagnosis), ["snippet_by_script unknown site"]);
        let asked = asked.load(Ordering::Relaxed);
        assert!((least..=most).contains(&asked), "{name}: {asked}");
    }
}

#[tokio::test]
async fn private_addresses_are_never_fetched() {
    let service = Service::start().await;
    let (path, snippet) = widget_for(&service, &["*"]).await;
    let shop = site(|_| page("", snippet.as_bytes())).await;
    for page in [
        shop.clone(),
        shop.replace("127.0.0.1", "localhost"),
        "http://[::1]/".to_owned(),
        "https://shop.example:8443/".to_owned(),
    ] {
        let diagnosis = diagnose(&service, &path, &page).await;
        let found = found(&diagnosis);
        assert_eq!(found[0], "page_unreachable fail site", "{page}");
        assert_eq!(diagnosis["verdict"], "unknown");
        assert!(!diagnosis["findings"].to_string().contains("refused"));
    }
}

#[tokio::test]
async fn bad_requests_are_refused() {
    let service = start().await;
    let (path, _) = widget_for(&service, &["*"]).await;
    let path = format!("{path}/doctor");
    for page in [
        "",
        "a b",
        "https://",
        "ftp://shop.example",
        "https://u:p@shop.example",
    ] {
        let answer = service.post(&path, &json!({"page": page})).await;
        let body = answer.problem(422, "domain_invalid");
        assert_eq!(body["errors"][0]["pointer"], "/page");
    }
    let missing = "/core/web-widgets/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b/doctor";
    let answer = service
        .post(missing, &json!({"page": "shop.example"}))
        .await;
    answer.problem(404, "not_found");

    let weak = service.new_key("acme", &[Scope::ConversationsRead]).await;
    let body = json!({"page": "shop.example"});
    let body = body.to_string();
    let answer = service
        .call_with(Some(&weak), "POST", &path, Some(&body), &[])
        .await;
    answer.problem(403, "insufficient_scope");
}

#[tokio::test]
async fn ten_pages_a_minute_are_looked_at() {
    let service = start().await;
    let (path, _) = widget_for(&service, &["*"]).await;
    let empty = site(|_| page("", b"<p>Welcome")).await;
    let body = json!({"page": empty});
    let mut looked_at = 0;
    // One more is allowed every six seconds.
    let refused = loop {
        let answer = service.post(&format!("{path}/doctor"), &body).await;
        if answer.status != 200 {
            break answer;
        }
        looked_at += 1;
        assert!(looked_at < 100, "nothing is refused");
    };
    assert!(looked_at >= 10, "{looked_at}");
    refused.problem(429, "rate_limited");
    assert_eq!(
        refused.header("ratelimit-policy"),
        "\"diagnoses\";q=10;w=60"
    );
    // That of another organization is its own.
    let other = service.new_key("other", &[Scope::WebWidgetsRead]).await;
    let body = body.to_string();
    let answer = service
        .call_with(
            Some(&other),
            "POST",
            &format!("{path}/doctor"),
            Some(&body),
            &[],
        )
        .await;
    answer.problem(404, "not_found");
}
