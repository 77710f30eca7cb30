//! The public addresses behind an nginx that keeps answers, configured as `docs/scale.md` says: no
//! page ever gets the answer to another one.

use std::{net::SocketAddr, path::Path, process::Stdio};

use futures_util::future::join_all;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
};

use super::{
    livekit::{free_tcp_port, within},
    support::{SHOP, Visitor},
};
use crate::support::{Service, id};

const OTHER: &str = "https://other.example";
const UNLISTED: &str = "https://unlisted.example";

/// Rounds in which every page asks at the same time.
const ROUNDS: usize = 20;

/// nginx in front of a service, ended with the test.
struct Cache {
    address: SocketAddr,
    _server: Child,
    _directory: tempfile::TempDir,
}

/// An answer as a page sees it.
#[derive(Debug)]
struct Seen {
    status: u16,
    head: String,
    body: String,
}

impl Cache {
    async fn start(service: SocketAddr) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let folder = directory.path();
        let port = free_tcp_port().await;
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration(folder, service, port)).expect("it can be written");
        let program = std::env::var_os("NGINX").unwrap_or_else(|| "nginx".into());
        let server = Command::new(&program)
            .arg("-p")
            .arg(folder)
            .arg("-c")
            .arg(&file)
            .args(["-e", "stderr"])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "{} cannot be started ({error}): the service is also tested behind it.\n  \
                     install it with: sudo apt-get install -y nginx-light\n  \
                     or name the program in NGINX",
                    program.display()
                )
            });
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        within(async { while TcpStream::connect(address).await.is_err() {} }).await;
        Self {
            address,
            _server: server,
            _directory: directory,
        }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Seen {
        let mut request = format!("GET {path} HTTP/1.1\r\nHost: cache\r\nConnection: close\r\n");
        for (name, value) in headers {
            request.extend([name, ": ", value, "\r\n"]);
        }
        request.push_str("\r\n");
        let answer = async {
            let mut stream = TcpStream::connect(self.address).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        let answer = within(answer).await.expect("nginx answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        Seen {
            status: head[9..12].parse().expect("a status"),
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        }
    }
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// The documented configuration, with the addresses and folders of this test.
fn configuration(folder: &Path, service: SocketAddr, port: u16) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scale.md");
    let page = std::fs::read_to_string(page).expect("the page can be read");
    let (_, block) = page.split_once("```nginx\n").expect("a block for nginx");
    let (block, _) = block.split_once("```").expect("it ends");
    let replaced = [
        ("server 127.0.0.1:8080;", format!("server {service};")),
        ("listen 443 ssl;", format!("listen 127.0.0.1:{port};")),
        (
            "/var/cache/nginx/widgets",
            folder.join("cache").display().to_string(),
        ),
    ];
    let mut block = block.to_owned();
    for (documented, here) in replaced {
        assert!(block.contains(documented), "`{documented}` is in {block}");
        block = block.replace(documented, &here);
    }
    let block = block
        .lines()
        .filter(|line| !line.contains("ssl_certificate"));
    format!(
        "daemon off; master_process off; pid nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{}\n}}\n",
        block.collect::<Vec<_>>().join("\n")
    )
}

#[tokio::test]
async fn no_page_gets_the_answer_to_another_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let service = Service::start().await;
    let cache = Cache::start(listener.local_addr().expect("it has one")).await;
    let router = service.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let visitor = Visitor::of(&service, json!({})).await;
    let path = visitor.path("");

    // Each with the headers that it sends, and the page that may read a successful answer.
    let own = [("sec-fetch-site", "same-origin")];
    let [shop, other, unlisted] = [SHOP, OTHER, UNLISTED].map(|page| [("origin", page)]);
    let pages: [(&[(&str, &str)], u16); 5] = [
        (&shop, 200),
        (&other, 200),
        (&unlisted, 403),
        (&own, 403),
        (&[], 403),
    ];
    let mut kept = 0;
    for _ in 0..ROUNDS {
        let asked = pages.iter().flat_map(|page| [page; 4]);
        let answers = asked.map(async |(headers, status)| {
            let seen = cache.get(&path, headers).await;
            assert_eq!(seen.status, *status, "{headers:?}: {seen:?}");
            let page = headers.iter().find(|(name, _)| *name == "origin");
            let page = page.map(|(_, page)| *page);
            let readable = seen.header("access-control-allow-origin");
            assert_eq!(readable, page, "{headers:?}: {seen:?}");
            assert_eq!(seen.body.contains(&id(&visitor.widget)), *status == 200);
            let is_kept = seen.header("x-cache-status") == Some("hit");
            assert!(
                !is_kept || *status == 200,
                "only successes are kept: {seen:?}"
            );
            usize::from(is_kept)
        });
        kept += join_all(answers).await.into_iter().sum::<usize>();
    }
    assert!(kept > 0, "nothing was answered from the cache");

    // A query is part of no address of a launcher config, and is not kept.
    for _ in 0..2 {
        let seen = cache.get(&format!("{path}?x=1"), &shop).await;
        assert_eq!(
            (seen.status, seen.header("x-cache-status")),
            (200, Some("bypass"))
        );
    }

    // Closed: once the time of what is kept is over, it is gone for each page.
    let closed = json!({"published": false});
    let widget = format!("/core/web-widgets/{}", id(&visitor.widget));
    service.put(&widget, &closed).await.json(200);
    for page in [&shop, &other] {
        within(async { while cache.get(&path, page).await.status == 200 {} }).await;
    }
}
