//! The demo site: `examples/site`, served from another origin than the service and under a policy
//! as strict as a host page can have.

use std::{
    fs,
    net::{Ipv4Addr, Ipv6Addr},
    path::{Component, Path, PathBuf},
    thread,
};

use anyhow::{Result, anyhow};
use tiny_http::{Header, Request, Response, Server};

use crate::workspace;

/// The front page again, as a site that denies the microphone: to see what its visitors read.
const NO_MICROPHONE: &str = "/no-microphone";

/// Where the site's pages say that the snippet goes.
const MARK: &str = "{{WIDGET_SNIPPET}}";

/// The site, listening; requests wait until it serves.
pub(crate) struct Site {
    port: u16,
    listeners: Vec<Server>,
}

impl Site {
    /// Listens on `localhost`.
    pub(crate) fn listen(port: u16) -> Result<Self> {
        let listener = listen(port)?;
        // Browsers may try IPv6 first for `localhost`; no other program may answer there.
        let other = Server::http((Ipv6Addr::LOCALHOST, port)).ok();
        Ok(Self {
            port,
            listeners: std::iter::once(listener).chain(other).collect(),
        })
    }

    /// The origin of the pages. By name, where the service goes by number: that makes them
    /// different sites to a browser, not only different origins.
    pub(crate) fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Serves the pages with the snippet for as long as this process lives.
    pub(crate) fn serve(self, snippet: &str, service: &str) {
        for listener in self.listeners {
            let (snippet, policy) = (snippet.to_owned(), policy(service));
            thread::spawn(move || {
                for request in listener.incoming_requests() {
                    answer(request, &snippet, &policy);
                }
            });
        }
    }
}

/// A server for this machine on a port (0: a free one).
pub(crate) fn listen(port: u16) -> Result<Server> {
    Server::http((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| anyhow!("cannot listen on port {port}: {error}"))
}

/// The whole policy of the host page: what the embed needs and nothing else beyond the page's own
/// style and images.
fn policy(service: &str) -> String {
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; \
         script-src {service}; connect-src {service}; frame-src {service}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'"
    )
}

fn answer(request: Request, snippet: &str, policy: &str) {
    let path = request.url().split(['?', '#']).next().unwrap_or_default();
    let without_microphone = path == NO_MICROPHONE;
    let file = find_file(if without_microphone { "/" } else { path });
    // A client that disconnects early misses its answer; that is harmless.
    let _ = match file.and_then(|file| Some((kind(&file), fs::read(file).ok()?))) {
        None => {
            request.respond(Response::from_string("there is no such page").with_status_code(404))
        }
        Some((kind, mut body)) => {
            if kind.starts_with("text/html") {
                body = String::from_utf8_lossy(&body).replace(MARK, snippet).into();
            }
            let mut headers = vec![
                ("content-type", kind),
                ("content-security-policy", policy),
                ("x-content-type-options", "nosniff"),
                ("cache-control", "no-store"),
            ];
            if without_microphone {
                headers.push(("permissions-policy", "microphone=()"));
            }
            let mut response = Response::from_data(body);
            for header in headers
                .into_iter()
                .filter_map(|(name, value)| Header::from_bytes(name, value).ok())
            {
                response.add_header(header);
            }
            request.respond(response)
        }
    };
}

/// The file that a path names, inside the site's folder only.
fn find_file(path: &str) -> Option<PathBuf> {
    let relative = Path::new(path.trim_start_matches('/'));
    relative
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
        .then_some(())?;
    let file = workspace::root().join("examples/site").join(relative);
    Some(if file.is_dir() {
        file.join("index.html")
    } else {
        file
    })
}

fn kind(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside_the_site() {
        assert_eq!(find_file("/../agent/agent.py"), None);
        assert_eq!(find_file("/a/../../../Cargo.toml"), None);
        assert!(find_file("/").is_some_and(|path| path.ends_with("examples/site/index.html")));
        assert!(
            find_file("/style.css").is_some_and(|path| path.ends_with("examples/site/style.css"))
        );
    }
}
