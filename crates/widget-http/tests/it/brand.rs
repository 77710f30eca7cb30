//! Auto-brand: what is read from a site, and what is never read.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::support::{Service, id};

/// A site that answers every request with the same bytes; whoever speaks TLS to it fails.
async fn site(answer: impl Fn(SocketAddr) -> String) -> SocketAddr {
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
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    });
    address
}

fn page(media_type: &str, html: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{html}",
        html.len()
    )
}

const SHOP: &str = r##"<!doctype html><title>Shop</title><meta property="og:site_name" content="The Shop">
<meta name="theme-color" content="#c02050"><link rel="icon" href="https://cdn.example/icon.png">"##;

async fn widget(service: &Service) -> String {
    let widget = service
        .widget(json!({"config": {"v1": {"theme": "dark", "chat": {"subtitle": "kept"}}}}))
        .await;
    format!("/core/web-widgets/{}", id(&widget))
}

#[tokio::test]
async fn a_brand_is_read_and_put_into_the_config() {
    let service =
        Service::start_with(|settings| settings.brand_from_private_addresses = true).await;
    let path = widget(&service).await;
    let shop = site(|_| page("text/html; charset=utf-8", SHOP)).await;
    let moved = site(|_| {
        format!("HTTP/1.1 302 Found\r\nlocation: http://{shop}/home\r\ncontent-length: 0\r\n\r\n")
    })
    .await;
    for domain in [
        shop.to_string(),
        format!("http://{shop}/"),
        moved.to_string(),
    ] {
        let answer = service
            .post(&format!("{path}/auto-brand"), &json!({"domain": domain}))
            .await;
        let brand = answer.json(200);
        assert_eq!(
            (&brand["name"], &brand["colors"], &brand["icon_url"]),
            (
                &json!("The Shop"),
                &json!(["#c02050"]),
                &json!("https://cdn.example/icon.png")
            ),
            "{domain}"
        );
        let config = &brand["config"]["v1"];
        assert_eq!(
            (&config["theme"], &config["chat"]["subtitle"]),
            (&json!("dark"), &json!("kept"))
        );
        assert_eq!(config["chat"]["title"], "The Shop");
        service
            .put(&path, &json!({"config": brand["config"]}))
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn an_answer_that_is_not_a_page_has_no_brand() {
    let service =
        Service::start_with(|settings| settings.brand_from_private_addresses = true).await;
    let path = format!("{}/auto-brand", widget(&service).await);
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        listener.local_addr().expect("it listens")
    };
    let sites = [
        closed,
        site(|own| {
            format!(
                "HTTP/1.1 302 Found\r\nlocation: http://{own}/again\r\ncontent-length: 0\r\n\r\n"
            )
        })
        .await,
        site(|_| {
            "HTTP/1.1 302 Found\r\nlocation: file:///etc/passwd\r\ncontent-length: 0\r\n\r\n"
                .to_owned()
        })
        .await,
        site(|_| page("application/json", SHOP)).await,
        site(|_| page("text/html", "<p>nothing</p>")).await,
        site(|_| page("text/html", SHOP).replace("200 OK", "500 Oh")).await,
        site(|_| "not HTTP at all".to_owned()).await,
    ];
    for site in sites {
        let answer = service
            .post(&path, &json!({"domain": site.to_string()}))
            .await;
        answer.problem(404, "brand_not_found");
    }
}

/// A site that redirects so often before it shows itself.
async fn far_away(redirects: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 2048];
            let length = stream.read(&mut request).await.unwrap_or_default();
            let head = String::from_utf8_lossy(&request[..length]).into_owned();
            let path = head
                .strip_prefix("GET /")
                .and_then(|rest| rest.split_once(' '));
            let Some((path, _)) = path else { continue };
            let at: usize = path.parse().unwrap_or_default();
            let answer = if at < redirects {
                let next = at + 1;
                format!("HTTP/1.1 302 Found\r\nlocation: /{next}\r\ncontent-length: 0\r\n\r\n")
            } else {
                page("text/html", SHOP)
            };
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

#[tokio::test]
async fn few_redirects_are_followed() {
    let service =
        Service::start_with(|settings| settings.brand_from_private_addresses = true).await;
    let path = format!("{}/auto-brand", widget(&service).await);
    for (redirects, is_found) in [(5, true), (6, false)] {
        let domain = far_away(redirects).await.to_string();
        let answer = service.post(&path, &json!({"domain": domain})).await;
        if is_found {
            answer.json(200);
        } else {
            answer.problem(404, "brand_not_found");
        }
    }
}

#[tokio::test]
async fn an_organization_reads_few_sites_a_minute() {
    let service = Service::start().await;
    let path = format!("{}/auto-brand", widget(&service).await);
    let body = json!({"domain": "127.0.0.1"});
    for _ in 0..10 {
        let answer = service.post(&path, &body).await;
        answer.problem(404, "brand_not_found");
    }
    let refused = service.post(&path, &body).await;
    refused.problem(429, "rate_limited");
}

#[tokio::test]
async fn private_addresses_are_never_read() {
    let service = Service::start().await;
    let path = format!("{}/auto-brand", widget(&service).await);
    let shop = site(|_| page("text/html", SHOP)).await;
    for domain in [
        shop.to_string(),
        format!("localhost:{}", shop.port()),
        "127.0.0.1".to_owned(),
        "http://[::1]/".to_owned(),
    ] {
        let answer = service.post(&path, &json!({"domain": domain})).await;
        let body: Value = answer.problem(404, "brand_not_found");
        assert!(
            !body.to_string().contains("127.0.0.1"),
            "the answer reveals nothing of the network: {body}"
        );
    }
    for domain in ["", "a b", "https://"] {
        let answer = service.post(&path, &json!({"domain": domain})).await;
        let body = answer.problem(422, "domain_invalid");
        assert_eq!(body["errors"][0]["pointer"], "/domain");
    }
}
