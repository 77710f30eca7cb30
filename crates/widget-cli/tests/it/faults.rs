//! What commands say about a service that is down, slow, refusing, older, newer, or none at all.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use expect_test::{Expect, expect};
use futures_util::stream;
use serde_json::{Value, json};

use crate::{Folder, outcome, service::mask_times};

/// A server that answers every request as the test says; it ends with the process.
pub(crate) struct FaultServer {
    pub(crate) address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl FaultServer {
    /// `answer` gets the number of the request, from 0, and the request.
    pub(crate) fn start<F>(
        answer: impl Fn(usize, Request) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Response> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket of tokio");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        let router = Router::new().fallback(move |request: Request| {
            let answer = answer.clone();
            let number = counter.fetch_add(1, Ordering::SeqCst);
            async move { answer(number, request).await }
        });
        thread::spawn(move || {
            crate::service::block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
                axum::serve(listener, router).await.expect("it serves");
            });
        });
        Self { address, requests }
    }

    /// The same answer to every request.
    pub(crate) fn always(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> Self {
        Self::start(move |_, _| std::future::ready(answer()))
    }

    /// How many requests there were.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> assert_cmd::Command {
        command_at(self.address, arguments)
    }

    #[track_caller]
    pub(crate) fn check(&self, arguments: &[&str], expected: &Expect) {
        check_at(self.address, arguments, expected);
    }
}

fn command_at(address: SocketAddr, arguments: &[&str]) -> assert_cmd::Command {
    let folder = Folder::new();
    let mut command = folder.command(arguments);
    command
        .env("WIDGET_SERVICE", format!("http://{address}"))
        .env("WIDGET_API_KEY", "ak_test.secret")
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

#[track_caller]
fn check_at(address: SocketAddr, arguments: &[&str], expected: &Expect) {
    let text = outcome(&mut command_at(address, arguments));
    expected.assert_eq(&mask_times(&text.replace(&address.to_string(), "SERVICE")));
}

/// An answer of the service's own kind.
pub(crate) fn problem(status: u16, code: &str, detail: &str) -> Response {
    let body = json!({
        "type": "about:blank", "title": "", "status": status, "detail": detail, "code": code,
        "request_id": "r1", "new_key": 1,
    });
    let status = StatusCode::from_u16(status).expect("a status");
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        "application/problem+json".parse().expect("a value"),
    );
    (status, headers, body.to_string()).into_response()
}

fn whoami() -> Value {
    json!({
        "organization_id": "acme",
        "api_key": {"id": "k1", "name": "tests"},
        "scopes": ["web_widgets:read"],
        "expires_at": null,
        "version": "9.9.9",
    })
}

#[test]
fn down() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    check_at(
        address,
        &["whoami"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: cannot connect to `http://SERVICE`: Connection refused (os error 111)

        hint: check the address of the service, and that it runs
    "#]],
    );
}

#[test]
fn unknown_host() {
    let folder = Folder::new();
    let mut command = folder.command(&["whoami"]);
    command
        .env("WIDGET_SERVICE", "http://widgets.invalid")
        .env("WIDGET_API_KEY", "ak_test.secret");
    let text = outcome(&mut command);
    assert!(
        text.starts_with(
            "exit 2\n---- stderr ----\nerror: the host `widgets.invalid` cannot be found"
        ),
        "{text}"
    );
}

#[test]
fn slow() {
    let server = FaultServer::start(|_, _| std::future::pending());
    server.check(
        &["whoami", "--timeout", "1"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: `http://SERVICE` did not answer within 1 s

        hint: wait longer with `--timeout SECONDS`
    "#]],
    );
}

#[test]
fn busy() {
    let limited = |seconds: &'static str| {
        move || {
            let mut answer = problem(429, "rate_limited", "too many requests; wait a minute");
            let value = seconds.parse().expect("a value");
            answer.headers_mut().insert(header::RETRY_AFTER, value);
            answer
        }
    };
    // What is asked for ends after the timeout: it is not waited for.
    let server = FaultServer::always(limited("600"));
    server.check(
        &["whoami"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: too many requests; wait a minute

        hint: try again in 600 s
    "#]],
    );
    assert_eq!(server.requests(), 1);

    let server = FaultServer::start(move |number, _| {
        std::future::ready(match number {
            0 => limited("0")(),
            1 => StatusCode::BAD_GATEWAY.into_response(),
            _ => axum::Json(whoami()).into_response(),
        })
    });
    server.check(
        &["whoami"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        organization  acme
        key           tests (k1)
        scopes        web_widgets:read
        expires       never
        service       http://SERVICE, version 9.9.9
        profile       none: the environment names service and key
    "#]],
    );
    assert_eq!(server.requests(), 3);
}

#[test]
fn failing() {
    let server = FaultServer::always(|| problem(500, "internal_error", "the service failed"));
    server.check(
        &["whoami"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: the service failed

        hint: the service's log says more about the request `r1`
    "#]],
    );
    assert_eq!(server.requests(), 1);

    let server = FaultServer::always(|| {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            [(header::CONTENT_TYPE, "text/html")],
            "<h1>503</h1>",
        )
            .into_response()
    });
    server.check(
        &["whoami", "--timeout", "1"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: `http://SERVICE` is not available now (503 Service Unavailable)

        hint: try again in a minute
    "#]],
    );
}

#[test]
fn refusing() {
    let server = FaultServer::always(|| {
        problem(
            401,
            "api_key_invalid",
            "the API key is unknown, expired or revoked",
        )
    });
    server.check(
        &["list"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: the service does not accept the API key

            hint: it may be of another service, expired or revoked; `widget login` asks for one
        "#]],
    );
    let server = FaultServer::always(|| {
        problem(
            403,
            "insufficient_scope",
            "the API key lacks the scope `web_widgets:read`",
        )
    });
    server.check(
        &["list"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: the API key lacks the scope `web_widgets:read`

        hint: `widget whoami` shows what the key may do
    "#]],
    );
}

/// A service that still says who the caller is.
#[test]
fn releases_are_named() {
    let server = FaultServer::start(|_, request| {
        let answer = if request.uri().path() == "/core/whoami" {
            let mut body = whoami();
            body["version"] = json!("0.0.1");
            axum::Json(body).into_response()
        } else {
            problem(404, "path_unknown", "this service has nothing at this path")
        };
        std::future::ready(answer)
    });
    server.check(&["list"], &expect![[r#"
        exit 2
        ---- stderr ----
        error: the service at `http://SERVICE` is older than this program and cannot list widgets (`listWebWidgets`)

        hint: the service is release 0.0.1, and this program is release 0.1.0: update the older one
    "#]]);
}

#[test]
fn older() {
    let server = FaultServer::always(|| {
        problem(404, "path_unknown", "this service has nothing at this path")
    });
    server.check(
        &["whoami"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: the service at `http://SERVICE` is older than this program and cannot say who the caller is (`whoami`)

            hint: ask its operator which release runs there
        "#]],
    );
    // Any server may answer so.
    let server = FaultServer::always(|| StatusCode::NOT_FOUND.into_response());
    server.check(&["whoami"], &expect![[r#"
        exit 2
        ---- stderr ----
        error: `http://SERVICE` was asked to say who the caller is (`whoami`) and answered 404 Not Found, not as a web widget service does

        hint: check the address and the port of the service, or ask its operator which release runs there
    "#]]);
    server.check(&["list"], &expect![[r#"
        exit 2
        ---- stderr ----
        error: `http://SERVICE` was asked to list widgets (`listWebWidgets`) and answered 404 Not Found, not as a web widget service does

        hint: check the address and the port of the service; `widget whoami` shows what answers there
    "#]]);
}

#[test]
fn newer() {
    let server = FaultServer::always(|| {
        let mut body = whoami();
        body["new_key"] = json!({"a": 1});
        body["scopes"] = json!(["web_widgets:read", "moons:read"]);
        axum::Json(body).into_response()
    });
    server.check(
        &["whoami"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            organization  acme
            key           tests (k1)
            scopes        web_widgets:read, moons:read
            expires       never
            service       http://SERVICE, version 9.9.9
            profile       none: the environment names service and key
        "#]],
    );
    let server = FaultServer::always(|| problem(451, "moon_is_full", "the moon is full; wait"));
    server.check(
        &["whoami"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: the moon is full; wait
    "#]],
    );
    let server = FaultServer::always(|| axum::Json(json!({"organization": 1})).into_response());
    server.check(&["whoami"], &expect![[r#"
        exit 2
        ---- stderr ----
        error: `http://SERVICE` was asked to say who the caller is (`whoami`), and its answer cannot be read: missing field `organization_id` at line 1 column 18

        hint: the service is of another release than this program: ask its operator which one runs there; `widget --version` shows that of this program
    "#]]);
    server.check(&["list"], &expect![[r#"
        exit 2
        ---- stderr ----
        error: `http://SERVICE` was asked to list widgets (`listWebWidgets`), and its answer cannot be read: invalid type: map, expected a sequence at line 1 column 0

        hint: the service is of another release than this program: `widget whoami` shows its version, `widget --version` that of this program
    "#]]);
}

#[test]
fn another_program() {
    let server = FaultServer::always(|| axum::response::Html("<h1>Hello</h1>").into_response());
    server.check(&["whoami"], &expect![[r#"
        exit 2
        ---- stderr ----
        error: `http://SERVICE` is not a web widget service: it answered 200 with an HTML page

        hint: check the address of the service; `widget login` asks for it, and `WIDGET_SERVICE` comes before that
    "#]]);
}

/// The key does not go where a redirect points.
#[test]
fn redirects_are_not_followed() {
    let other = FaultServer::always(|| axum::Json(whoami()).into_response());
    let target = format!("http://{}/core/whoami", other.address);
    let server = FaultServer::always(move || {
        (StatusCode::FOUND, [(header::LOCATION, target.clone())]).into_response()
    });
    let text = outcome(&mut server.command(&["whoami"]));
    let text = text.replace(&server.address.to_string(), "SERVICE");
    let text = text.replace(&other.address.to_string(), "OTHER");
    expect![[r#"
        exit 2
        ---- stderr ----
        error: `http://SERVICE` redirects to `http://OTHER/core/whoami`, and API keys follow no redirects

        hint: `widget login` with the address to which it redirects
    "#]].assert_eq(&text);
    assert_eq!((server.requests(), other.requests()), (1, 0));
}

/// What the client gets of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The answer without what names the state of a record.
    WithoutState,
    Whole,
    /// The service cannot read its own record.
    Unreadable,
    /// The connection breaks.
    Lost,
    /// Nothing, however long it waits.
    Never,
}

/// Forwards to a real service, after the test did something for each request.
pub(crate) struct Forwarder(FaultServer);

impl Forwarder {
    pub(crate) fn start<F>(
        upstream: String,
        before: impl Fn(&Request) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send,
    {
        let http = reqwest::Client::new();
        Self(FaultServer::start(move |_, request| {
            let waiting = before(&request);
            let (http, upstream) = (http.clone(), upstream.clone());
            async move {
                waiting.await;
                forward(&http, &upstream, request).await
            }
        }))
    }

    /// Every request reaches the service; `delivery` says what becomes of the answer to it.
    pub(crate) fn delivering(
        upstream: String,
        delivery: impl Fn(&Request) -> Delivery + Clone + Send + Sync + 'static,
    ) -> Self {
        let http = reqwest::Client::new();
        Self(FaultServer::start(move |_, request| {
            let delivery = delivery(&request);
            let (http, upstream) = (http.clone(), upstream.clone());
            async move {
                let answer = forward(&http, &upstream, request).await;
                match delivery {
                    Delivery::Whole => answer,
                    Delivery::WithoutState => {
                        let mut answer = answer;
                        answer.headers_mut().remove(header::ETAG);
                        answer
                    }
                    Delivery::Unreadable => problem(
                        409,
                        "record_unreadable",
                        "what is stored of this record cannot be read by this release",
                    ),
                    Delivery::Lost => break_off(),
                    Delivery::Never => std::future::pending().await,
                }
            }
        }))
    }

    /// Loses the answer to the first request that is meant.
    pub(crate) fn losing_first(
        upstream: String,
        is_meant: impl Fn(&Request) -> bool + Clone + Send + Sync + 'static,
    ) -> Self {
        let lost = Arc::new(AtomicBool::new(false));
        Self::delivering(upstream, move |request| {
            if is_meant(request) && !lost.swap(true, Ordering::SeqCst) {
                Delivery::Lost
            } else {
                Delivery::Whole
            }
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.0.address)
    }
}

async fn forward(http: &reqwest::Client, upstream: &str, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .expect("a body");
    let mut headers = parts.headers;
    headers.remove(header::HOST);
    let answer = http
        .request(parts.method, format!("{upstream}{}", parts.uri))
        .headers(headers)
        .body(body)
        .send()
        .await
        .expect("an answer");
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    headers.remove(header::TRANSFER_ENCODING);
    (status, headers, answer.bytes().await.expect("a body")).into_response()
}

/// An answer that ends before it is complete.
fn break_off() -> Response {
    let broken = Err::<Vec<u8>, _>(io::Error::from(io::ErrorKind::ConnectionReset));
    Body::from_stream(stream::iter([broken])).into_response()
}
