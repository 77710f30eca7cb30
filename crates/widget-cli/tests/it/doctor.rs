//! `widget doctor` on pages that a test serves, with a real service.

mod address;
mod keys;
mod network;
mod pages;
mod service;

use std::{
    collections::HashMap,
    fmt::Write as _,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener},
    thread,
};

use expect_test::Expect;
use serde_json::Value;
use widget_api::WidgetPatch;

use crate::{
    Folder, outcome,
    service::{Service, block_on},
};

/// A site with pages: each path with the headers and the HTML of its answer.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
}

/// A page: the status, headers, and HTML.
pub(crate) type Page = (u16, Vec<String>, String);

impl Site {
    pub(crate) fn serve(pages: HashMap<&'static str, Page>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it listens");
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { break };
                let mut line = String::new();
                let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
                // Whoever hangs up in the middle is not answered.
                if reader.read_line(&mut line).is_err() {
                    continue;
                }
                let mut header = String::new();
                while reader.read_line(&mut header).is_ok_and(|length| length > 2) {
                    header.clear();
                }
                let path = line.split(' ').nth(1).unwrap_or_default();
                let path = path.split('?').next().unwrap_or_default();
                let missing = (404, Vec::new(), "<p>Not found".to_owned());
                let (status, headers, html) = pages.get(path).unwrap_or(&missing);
                let mut head = format!("HTTP/1.1 {status} Answer\r\nConnection: close\r\n");
                if !headers
                    .iter()
                    .any(|header| header.starts_with("Content-Type"))
                {
                    head += "Content-Type: text/html; charset=utf-8\r\n";
                }
                for header in headers {
                    let _ = write!(head, "{header}\r\n");
                }
                let _ = write!(head, "Content-Length: {}\r\n\r\n", html.len());
                let _ = stream.write_all(head.as_bytes());
                let _ = stream.write_all(html.as_bytes());
            }
        });
        Self { address }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// A service with a published widget, and a site whose pages may show it.
struct Setting {
    service: Service,
    site: Site,
    folder: Folder,
    id: String,
}

impl Setting {
    /// `pages` have `SNIPPET` for the line of the widget, `ID` and `SERVICE` for its parts.
    fn new(pages: &[(&'static str, &[&str], &str)]) -> Self {
        let mut service = Service::start();
        let widget = service.create_widget("shop", &[]);
        let id = widget.id.to_string();
        let url = service.url();
        let snippet = format!(r#"<script async src="{url}/public/embed/{id}"></script>"#);
        let fill = |text: &str| {
            text.replace("SNIPPET", &snippet)
                .replace("SERVICE", &url)
                .replace("ID", &id)
        };
        let pages = pages.iter().map(|(path, headers, html)| {
            let (status, headers) = match headers {
                [first, rest @ ..] if first.parse::<u16>().is_ok() => {
                    (first.parse().expect("a status"), rest)
                }
                headers => (200, *headers),
            };
            let headers = headers.iter().map(|header| fill(header)).collect();
            (*path, (status, headers, fill(html)))
        });
        let site = Site::serve(pages.collect());
        service.mask(format!("http://{}", site.address), "http://SITE");
        service.mask(site.address.to_string(), "SITE");
        service.mask(format!("localhost:{}", site.address.port()), "LOCALHOST");
        service.mask(id.get(..8).expect("long enough"), "SHORT");
        service.mask(
            url.strip_prefix("http://").expect("a scheme").to_owned(),
            "SERVICE",
        );
        let setting = Self {
            service,
            site,
            folder: Folder::new(),
            id,
        };
        let own = format!("http://{}", setting.site.address);
        setting.patch(true, &[&own]);
        setting
    }

    fn patch(&self, published: bool, domains: &[&str]) {
        let patch = WidgetPatch {
            published: Some(published),
            domains: Some(domains.iter().map(|entry| (*entry).to_owned()).collect()),
            ..WidgetPatch::default()
        };
        let id = self.id.parse().expect("an id");
        let client = self.service.client();
        block_on(client.update_web_widget(id, None, &patch)).expect("it is changed");
    }

    /// Without a profile and without a key.
    fn anonymous(&self, arguments: &[&str]) -> String {
        let mut command = self.folder.command(arguments);
        command.env("XDG_CONFIG_HOME", self.folder.path());
        self.service.masked(&outcome(&mut command))
    }

    #[track_caller]
    fn check_anonymous(&self, path: &str, expected: &Expect) {
        expected.assert_eq(&self.anonymous(&["doctor", &self.site.url(path)]));
    }

    #[track_caller]
    fn check(&self, path: &str, expected: &Expect) {
        let url = self.site.url(path);
        let mut command = self.service.command(&self.folder, &["doctor", &url]);
        self.service.check_command(&mut command, expected);
    }
}

/// The codes of what is not fine, each with its status. These services have no LiveKit.
fn problems(diagnosis: &Value) -> String {
    let findings = diagnosis["findings"].as_array().expect("findings");
    let problems = findings.iter().filter_map(|finding| {
        let word = |name: &str| finding[name].as_str().expect("a text");
        let (code, status) = (word("code"), word("status"));
        (status != "ok" && code != "livekit_unreachable").then(|| format!("{code} {status}"))
    });
    problems.collect::<Vec<_>>().join(", ")
}
