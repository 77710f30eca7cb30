//! The demo site: `examples/site`, served from another origin than the service and under a policy
//! as strict as a host page can have.

use std::{
    fs,
    net::{Ipv4Addr, Ipv6Addr},
    thread,
};

use anyhow::{Result, anyhow};
use tiny_http::{Header, Request, Response, Server};

use crate::{stack::Stack, workspace};

/// The front page again, as a site that denies the microphone: to see what its visitors read.
const NO_MICROPHONE: &str = "/no-microphone";

/// The origin of the pages. By name, where the service goes by number: that makes them different
/// sites to a browser, not only different origins.
pub(crate) fn origin(port: u16) -> String {
    format!("http://localhost:{port}")
}

/// A server for this machine on a port (0: a free one).
pub(crate) fn listen(port: u16) -> Result<Server> {
    Server::http((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| anyhow!("cannot listen on port {port}: {error}"))
}

/// Serves the pages with the demo's snippet for as long as this process lives.
pub(crate) fn serve(port: u16, stack: &Stack) -> Result<()> {
    // Browsers may try IPv6 first for `localhost`; no other program may answer there.
    let ipv6 = Server::http((Ipv6Addr::LOCALHOST, port)).ok();
    for server in [Some(listen(port)?), ipv6].into_iter().flatten() {
        let (snippet, policy) = (stack.demo.snippet.clone(), policy(&stack.service));
        thread::spawn(move || {
            for request in server.incoming_requests() {
                answer(request, &snippet, &policy);
            }
        });
    }
    Ok(())
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
    let (file, kind) = match path {
        "/" | NO_MICROPHONE => ("index.html", "text/html; charset=utf-8"),
        "/style.css" => ("style.css", "text/css; charset=utf-8"),
        "/favicon.svg" => ("favicon.svg", "image/svg+xml"),
        _ => {
            let _ = request.respond(Response::empty(404));
            return;
        }
    };
    let text = fs::read_to_string(workspace::root().join("examples/site").join(file));
    let text = text
        .unwrap_or_default()
        .replace("{{WIDGET_SNIPPET}}", snippet);
    let mut headers = vec![
        ("content-type", kind),
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ];
    if path == NO_MICROPHONE {
        headers.push(("permissions-policy", "microphone=()"));
    }
    let headers = headers.into_iter();
    let headers = headers.flat_map(|(name, value)| Header::from_bytes(name, value));
    let response = headers.fold(Response::from_string(text), Response::with_header);
    // A client that disconnects early misses its answer; that is harmless.
    let _ = request.respond(response);
}
