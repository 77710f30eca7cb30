//! The demo site: `examples/site`, served from another origin than the service and under a policy
//! as strict as a host page can have.

use std::{
    fs,
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Result;

use crate::{
    server::{self, Request, Response},
    workspace,
};

/// The front page once more, as a site that lets nobody have the microphone: to see what its
/// visitors are told.
const NO_MICROPHONE: &str = "/no-microphone";

/// Where the site's pages say that the snippet goes.
const MARK: &str = "{{WIDGET_SNIPPET}}";

/// The site while it is served.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) port: u16,
    snippet: Arc<Mutex<String>>,
}

impl Site {
    /// Serves the site on a port (0: a free one) for as long as this process lives.
    ///
    /// # Errors
    /// When the port is taken.
    pub(crate) fn serve(port: u16, service: &str) -> Result<Self> {
        let snippet = Arc::new(Mutex::new(String::new()));
        let shared = Arc::clone(&snippet);
        let policy = policy(service);
        let port = server::serve(port, move |request| {
            let snippet = shared
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            page(request, &snippet, &policy)
        })?;
        Ok(Self { port, snippet })
    }

    /// Puts the snippet into the pages from now on.
    pub(crate) fn embed(&self, snippet: &str) {
        snippet.clone_into(&mut self.snippet.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The origin of the pages. By name, where the service goes by number: that makes them
    /// different sites to a browser, not only different origins.
    pub(crate) fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }
}

/// The whole policy of the host page: what the embed needs and nothing else beyond the page's own
/// style and images.
fn policy(service: &str) -> String {
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; script-src {service}; \
         connect-src {service}; frame-src {service}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'"
    )
}

fn page(request: &Request, snippet: &str, policy: &str) -> Response {
    if !["GET", "HEAD"].contains(&request.method.as_str()) {
        return Response::text("405 Method Not Allowed", "only GET");
    }
    let without_microphone = request.path == NO_MICROPHONE;
    let path = if without_microphone {
        "/"
    } else {
        &request.path
    };
    let Some((kind, mut body)) =
        file(path).and_then(|path| Some((kind(&path), fs::read(path).ok()?)))
    else {
        return Response::text("404 Not Found", "there is no such page");
    };
    if kind.starts_with("text/html") {
        body = String::from_utf8_lossy(&body)
            .replace(MARK, snippet)
            .into_bytes();
    }
    let mut headers = vec![
        ("content-type", kind.to_owned()),
        ("content-security-policy", policy.to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("cache-control", "no-store".to_owned()),
    ];
    if without_microphone {
        headers.push(("permissions-policy", "microphone=()".to_owned()));
    }
    Response {
        status: "200 OK",
        headers,
        body,
    }
}

/// The file that a path names, inside the site's folder only.
fn file(path: &str) -> Option<PathBuf> {
    let relative = Path::new(path.trim_start_matches('/'));
    relative
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
        .then_some(())?;
    let file = workspace::root().join("examples/site").join(relative);
    if path.ends_with('/') || file.is_dir() {
        Some(file.join("index.html"))
    } else {
        Some(file)
    }
}

fn kind(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg") => "image/jpeg",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside_the_site() {
        assert_eq!(file("/../agent/agent.py"), None);
        assert_eq!(file("/a/../../../Cargo.toml"), None);
        assert!(file("/").is_some_and(|path| path.ends_with("examples/site/index.html")));
        assert!(file("/style.css").is_some_and(|path| path.ends_with("examples/site/style.css")));
    }
}
