//! Certificates of the service, and proxies on the way to it, with real ones.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread,
};

use expect_test::expect;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, rustls};

use crate::{Folder, outcome, service::block_on};

/// What `GET /core/whoami` is answered with.
const ANSWER: &str = r#"{"organization_id":"acme","api_key":{"id":"k1","name":"tests"},"scopes":[],"expires_at":null,"version":"9.9.9"}"#;

/// A certificate that signs itself.
struct Certificate {
    pem: String,
    der: rustls::pki_types::CertificateDer<'static>,
    key: KeyPair,
}

impl Certificate {
    /// As `openssl req -x509 -newkey rsa -nodes` makes them, with `CA:TRUE`.
    fn new(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let made = params.self_signed(&key).expect("a certificate");
        Self {
            pem: made.pem(),
            der: made.der().clone(),
            key,
        }
    }

    /// A server with this certificate, and its port.
    fn serve(&self) -> u16 {
        let key = rustls::pki_types::PrivateKeyDer::try_from(self.key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![self.der.clone()], key.expect("a key"))
            .expect("a certificate");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        serve(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                // Clients that do not trust it leave.
                if let Ok(stream) = acceptor.accept(stream).await {
                    answer(stream).await;
                }
            }
        })
        .port()
    }
}

/// A server that ends with the process.
fn serve<F: Future<Output = ()> + Send + 'static>(
    handle: impl Fn(TcpStream) -> F + Send + 'static,
) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket of tokio");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        block_on(async {
            let listener = TcpListener::from_std(listener).expect("a socket");
            loop {
                let (stream, _) = listener.accept().await.expect("a client");
                tokio::spawn(handle(stream));
            }
        });
    });
    address
}

/// Reads the head of a request.
async fn read_head(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

async fn answer(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin) {
    read_head(&mut stream).await;
    let length = ANSWER.len();
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n";
    let text = format!("{head}Content-Length: {length}\r\n\r\n{ANSWER}");
    // The client may be gone.
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn whoami(folder: &Folder, url: &str) -> assert_cmd::Command {
    let mut command = folder.command(&["whoami", "--timeout", "5"]);
    command
        .env("WIDGET_SERVICE", url)
        .env("WIDGET_API_KEY", "ak_test.secret");
    command
}

#[track_caller]
fn check(certificate: &Certificate, trusted: &str, host: &str, expected: &expect_test::Expect) {
    let port = certificate.serve();
    let folder = Folder::new().with("ca.pem", trusted);
    let mut command = whoami(&folder, &format!("https://{host}:{port}"));
    command.args(["--ca-file", "ca.pem"]);
    let text = outcome(&mut command).replace(&format!(":{port}"), ":PORT");
    expected.assert_eq(&text);
}

/// A page whose certificate is not accepted is not loaded, for a reason in plain words.
#[test]
fn certificates_of_pages_are_checked() {
    let valid = Certificate::new("localhost", |_| {});
    let other = Certificate::new("shop.example", |_| {});
    let expired = Certificate::new("localhost", |params| {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let mut text = String::new();
    for (certificate, trusted) in [(&valid, &other), (&other, &other), (&expired, &expired)] {
        let port = certificate.serve();
        let folder = Folder::new().with("ca.pem", &trusted.pem);
        let url = format!("https://localhost:{port}/");
        let mut command = folder.command(&["doctor", &url, "--timeout", "5"]);
        command.env("XDG_CONFIG_HOME", folder.path());
        command.args(["--ca-file", "ca.pem"]);
        let found = outcome(&mut command).replace(&format!(":{port}"), ":PORT");
        let line = found.lines().find(|line| line.contains('✗'));
        text += line.unwrap_or(&found).trim();
        text.push('\n');
    }
    expect![[r#"
        ✗ the page cannot be loaded: no secure connection can be made: its certificate is not signed by a trusted authority  site owner
        ✗ the page cannot be loaded: no secure connection can be made: its certificate is for `shop.example` and not for `localhost`  site owner
        ✗ the page cannot be loaded: no secure connection can be made: its certificate has expired  site owner
    "#]]
    .assert_eq(&text);
}

#[test]
fn a_listed_certificate_is_trusted() {
    let own = Certificate::new("localhost", |_| {});
    check(
        &own,
        &own.pem,
        "localhost",
        &expect![[r#"
        exit 0
        ---- stdout ----
        organization  acme
        key           tests (k1)
        scopes        none
        expires       never
        service       https://localhost:PORT, version 9.9.9
        profile       none: the environment names service and key
    "#]],
    );
    let no_authority = Certificate::new("localhost", |params| params.is_ca = IsCa::ExplicitNoCa);
    check(
        &no_authority,
        &no_authority.pem,
        "localhost",
        &expect![[r#"
        exit 0
        ---- stdout ----
        organization  acme
        key           tests (k1)
        scopes        none
        expires       never
        service       https://localhost:PORT, version 9.9.9
        profile       none: the environment names service and key
    "#]],
    );
}

#[test]
fn other_certificates_are_refused() {
    let own = Certificate::new("localhost", |_| {});
    let other = Certificate::new("localhost", |_| {});
    // The same name and another key.
    check(
        &own,
        &other.pem,
        "localhost",
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: cannot make a secure connection to `https://localhost:PORT`: its certificate is not signed by a trusted authority

            hint: if it is self-signed or of your own authority, name the certificate with `--ca-file FILE`
        "#]],
    );
    check(
        &own,
        &own.pem,
        "127.0.0.1",
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: cannot make a secure connection to `https://127.0.0.1:PORT`: its certificate is for `localhost` and not for `127.0.0.1`

        hint: `widget login` with the name that the certificate is for
    "#]],
    );
    let named = Certificate::new("widgets.example", |_| {});
    check(
        &named,
        &named.pem,
        "localhost",
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: cannot make a secure connection to `https://localhost:PORT`: its certificate is for `widgets.example` and not for `localhost`

        hint: `widget login` with the name that the certificate is for
    "#]],
    );
    let expired = Certificate::new("localhost", |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    check(
        &expired,
        &expired.pem,
        "localhost",
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: cannot make a secure connection to `https://localhost:PORT`: its certificate has expired

        hint: its operator can renew it; check the clock of this machine, too
    "#]],
    );
    let early = Certificate::new("localhost", |params| {
        params.not_before = date_time_ymd(2190, 1, 1);
        params.not_after = date_time_ymd(2191, 1, 1);
    });
    check(
        &early,
        &early.pem,
        "localhost",
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: cannot make a secure connection to `https://localhost:PORT`: its certificate is not valid yet

        hint: its operator can renew it; check the clock of this machine, too
    "#]],
    );
    check(
        &own,
        "nothing",
        "localhost",
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: the certificates are not in PEM format

        hint: `--ca-file` is a file with certificates in PEM format
    "#]],
    );
    check(
        &own,
        &own.key.serialize_pem(),
        "localhost",
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: the certificates are not in PEM format

        hint: `--ca-file` is a file with certificates in PEM format
    "#]],
    );
}

/// A forward proxy: `CONNECT` for TLS, whole addresses for plain HTTP. It keeps the first lines.
fn start_proxy() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&lines);
    let address = serve(move |mut client| {
        let seen = Arc::clone(&seen);
        async move {
            let head = read_head(&mut client).await;
            let first = head.lines().next().unwrap_or_default().to_owned();
            seen.lock().expect("lines").push(first.clone());
            let mut words = first.split(' ');
            let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            let is_tunnel = method == "CONNECT";
            let host = target.trim_start_matches("http://");
            let host = host.split('/').next().unwrap_or_default();
            let mut server = TcpStream::connect(host).await.expect("the service");
            if is_tunnel {
                let ready = client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
                ready.expect("a client");
            } else {
                let sent = server.write_all(head.as_bytes()).await;
                sent.expect("the service");
            }
            // Ends with either side.
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
    });
    (address, lines)
}

#[test]
fn proxies_of_the_environment_are_used() {
    let (proxy, lines) = start_proxy();
    let plain = serve(answer);
    let certificate = Certificate::new("localhost", |_| {});
    let secure = certificate.serve();
    let folder = Folder::new().with("ca.pem", &certificate.pem);
    let run = |url: &str, name: &str, without: &str| {
        let mut command = whoami(&folder, url);
        command
            .args(["--ca-file", "ca.pem"])
            .env(name, format!("http://{proxy}"))
            .env("NO_PROXY", without);
        let text = outcome(&mut command);
        assert!(text.starts_with("exit 0\n"), "{text}");
        std::mem::take(&mut *lines.lock().expect("lines"))
    };
    let http = format!("http://{plain}");
    let https = format!("https://localhost:{secure}");
    assert_eq!(
        run(&http, "HTTP_PROXY", ""),
        [format!("GET {http}/core/whoami HTTP/1.1")]
    );
    assert_eq!(
        run(&https, "HTTPS_PROXY", ""),
        [format!("CONNECT localhost:{secure} HTTP/1.1")]
    );
    // The proxy of the other scheme, and a service that is left out.
    assert!(run(&https, "HTTP_PROXY", "").is_empty());
    assert!(run(&https, "HTTPS_PROXY", "localhost").is_empty());
    assert!(run(&http, "HTTP_PROXY", "127.0.0.1").is_empty());
}

/// The proxy is down: it is named, because the address of the service is not what is wrong.
#[test]
fn a_proxy_that_is_down_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let proxy = listener.local_addr().expect("an address");
    drop(listener);
    let folder = Folder::new();
    let mut command = whoami(&folder, "http://widgets.invalid");
    command.env("HTTP_PROXY", format!("http://{proxy}"));
    expect![[r#"
        exit 2
        ---- stderr ----
        error: cannot connect to `http://widgets.invalid`: Connection refused (os error 111)

        hint: check the address of the service and that it runs; requests go through the proxy in `HTTP_PROXY`, unless `NO_PROXY` names the service
    "#]]
    .assert_eq(&outcome(&mut command));
}
