//! `widget doctor` and the service, which looks at pages by itself, come to the same.

use std::collections::HashMap;

use serde_json::Value;
use widget_api::{WidgetPatch, doctor::DoctorRequest};

use crate::{
    Folder,
    doctor::{Page, Site},
    service::{Service, block_on},
};

/// What only the command finds, as docs/cli.md says: the service has one clock.
const ONLY_COMMAND: &str = "clock_skewed";

/// The pages: the path, the status, headers, HTML with `SNIPPET` for the line of the widget, and
/// the verdict, or nothing for what is a part of another page. The service looks at ten a minute.
const PAGES: [(&str, u16, &[&str], &str, &str); 11] = [
    ("/shown", 200, &[], "<h1>Shop</h1>SNIPPET", "shown"),
    ("/missing", 200, &[], "<h1>Shop</h1>", "not_shown"),
    (
        "/comment",
        200,
        &[],
        "<h1>Shop</h1><!-- SNIPPET -->",
        "not_shown",
    ),
    (
        "/policy",
        200,
        &["Content-Security-Policy: default-src 'self'"],
        "SNIPPET",
        "not_shown",
    ),
    (
        "/isolated",
        200,
        &[
            "Cross-Origin-Embedder-Policy: require-corp",
            "Permissions-Policy: microphone=()",
        ],
        "SNIPPET",
        "shown",
    ),
    (
        "/inserted",
        200,
        &[],
        "<h1>Shop</h1><script>s.src = 'SERVICE/public/embed/ID'</script>",
        "unknown",
    ),
    (
        "/script",
        200,
        &[],
        "<h1>Shop</h1><script src=/chat.js></script>",
        "unknown",
    ),
    (
        "/chat.js",
        200,
        &["Content-Type: text/javascript"],
        "s.src = 'SERVICE/public/embed/ID'",
        "",
    ),
    ("/moved", 302, &["Location: /login"], "", "unknown"),
    ("/login", 200, &["Content-Encoding: UTF-8"], "<form>", ""),
    (
        "/wall",
        403,
        &["cf-mitigated: challenge"],
        "<p>Just a moment",
        "unknown",
    ),
];

/// Each finding that both may have, as the code, the status and who can change it.
fn lines(diagnosis: &Value) -> Vec<String> {
    let findings = diagnosis["findings"].as_array().expect("findings");
    let word = |finding: &Value, name: &str| finding[name].as_str().expect("a text").to_owned();
    let lines = findings.iter().map(|finding| {
        ["code", "status", "for"]
            .map(|name| word(finding, name))
            .join(" ")
    });
    lines
        .filter(|line| !line.starts_with(ONLY_COMMAND))
        .collect()
}

#[test]
fn the_service_and_the_command_come_to_the_same() {
    let mut service = Service::start();
    let widget = service.create_widget("shop", &[]);
    let (id, url) = (widget.id.to_string(), service.url());
    let snippet = format!(r#"<script async src="{url}/public/embed/{id}"></script>"#);
    let fill = |text: &str| {
        text.replace("SNIPPET", &snippet)
            .replace("SERVICE", &url)
            .replace("ID", &id)
    };
    let pages = PAGES.iter().map(|(path, status, headers, html, _)| {
        let headers = headers.iter().map(|header| (*header).to_owned());
        // Some sites send more headers than most clients read.
        let many = (0..130).map(|at| format!("X-Header-{at}: x"));
        let many = many.filter(|_| *path == "/missing");
        let headers = headers.chain(many).collect();
        (*path, (*status, headers, fill(html)))
    });
    let site = Site::serve(pages.collect::<HashMap<_, Page>>());
    let patch = WidgetPatch {
        published: Some(true),
        domains: Some(vec![format!("http://{}", site.address)]),
        ..WidgetPatch::default()
    };
    let client = service.client();
    block_on(client.update_web_widget(widget.id, None, &patch)).expect("it is changed");

    let folder = Folder::new();
    let ask = |arguments: &[&str]| -> Value {
        let mut command = service.command(&folder, arguments);
        let output = command.output().expect("it runs");
        serde_json::from_slice(&output.stdout).expect("one object")
    };
    for (path, .., verdict) in PAGES.iter().filter(|(.., verdict)| !verdict.is_empty()) {
        let page = format!("http://{}{path}", site.address);
        let request = DoctorRequest { page: page.clone() };
        let answer = block_on(client.diagnose_page(widget.id, &request));
        let answer = answer.unwrap_or_else(|error| panic!("{page}: {error}"));
        let answer = serde_json::to_value(answer).expect("it is JSON");
        let own = ask(&["doctor", &id, "--page", &page, "--output", "json"]);
        assert_eq!(answer["verdict"], *verdict, "{page}: {answer:#}");
        for key in ["page", "service", "widget_id", "verdict", "fixes"] {
            assert_eq!(own[key], answer[key], "{page}: {key}");
        }
        assert_eq!(lines(&own), lines(&answer), "{page}");
        // Without the widget, it is the one of the snippet.
        let own = ask(&["doctor", &page, "--output", "json"]);
        assert_eq!(own["verdict"], *verdict, "{page}: {own:#}");
    }
}
