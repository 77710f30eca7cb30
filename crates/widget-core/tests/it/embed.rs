//! What is handed to host pages and browsers, to the byte.

use serde_json::json;
use url::Url;
use uuid::Uuid;
use widget_core::{
    config::Config,
    embed::{self, HashSource, HostPagePolicy, LiveKitServer, PreviewSite, WindowPolicy},
    go_live::PinnedVersion,
    id::{PreviewId, WidgetId},
    origin::Origin,
    serve::{self, Admission, EmbedTicket, Preview, PreviewProof},
    widget::Widget,
};

use crate::support::{at, origin, widget};

#[track_caller]
fn admit<'a>(widget: &'a Widget, page: &'a Origin) -> Admission<'a> {
    serve::admit(widget, PinnedVersion::Published, page).expect("an admission")
}

/// The policy of the window of an admitted page, with this config.
fn header_with(config: Config) -> String {
    let widget = Widget {
        config,
        ..widget(&["https://shop.example"])
    };
    let page = origin("https://shop.example");
    WindowPolicy::new(admit(&widget, &page), None).to_header_value()
}

fn id() -> WidgetId {
    "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b"
        .parse()
        .expect("an id")
}

#[track_caller]
fn check_snippet(public_url: &str, expected: &str) {
    let url: Url = public_url.parse().expect("a URL");
    assert_eq!(embed::snippet(&url, id()), expected);
}

#[test]
fn snippets() {
    check_snippet(
        "https://widgets.example",
        r#"<script async src="https://widgets.example/public/embed/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b"></script>"#,
    );
    check_snippet(
        "http://127.0.0.1:8080/",
        r#"<script async src="http://127.0.0.1:8080/public/embed/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b"></script>"#,
    );
    check_snippet(
        "https://example.com/widgets/?a=b#c",
        r#"<script async src="https://example.com/widgets/public/embed/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b"></script>"#,
    );
    check_snippet(
        "https://example.com/a&b'",
        r#"<script async src="https://example.com/a&amp;b'/public/embed/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b"></script>"#,
    );
}

#[test]
fn snippet_with_pinned_bytes() {
    let url: Url = "https://widgets.example".parse().expect("a URL");
    assert_eq!(
        embed::snippet_with_integrity(&url, id(), "3f2a.js", r#"sha384-a"b<c>"#),
        r#"<script async src="https://widgets.example/public/embed/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b/3f2a.js" integrity="sha384-a&quot;b&lt;c&gt;" crossorigin="anonymous"></script>"#
    );
}

#[test]
fn livekit_servers() {
    for (url, expected) in [
        (
            "wss://livekit.example",
            "wss://livekit.example https://livekit.example",
        ),
        (
            "ws://127.0.0.1:7880",
            "ws://127.0.0.1:7880 http://127.0.0.1:7880",
        ),
        (
            "https://livekit.example:443/rtc?x",
            "wss://livekit.example https://livekit.example",
        ),
        (
            "http://livekit.example:7880/",
            "ws://livekit.example:7880 http://livekit.example:7880",
        ),
    ] {
        let server = LiveKitServer::parse(url).expect(url);
        assert_eq!(server.to_string(), expected);
        assert!(expected.ends_with(server.origin().as_str()));
    }
    for url in [
        "",
        "livekit.example",
        "ftp://livekit.example",
        "wss://",
        "wss://a;b",
        "wss://a b",
        "wss://*.livekit.example",
        "ws://live_kit:7880",
        "ws://[::1]:7880",
        "wss://livekit.example.",
    ] {
        let error = LiveKitServer::parse(url).expect_err(url);
        assert!(error.to_string().contains(&format!("`{url}`")));
    }
    let error = LiveKitServer::parse("wss://user:secret@livekit.example").expect_err("a user");
    assert!(error.to_string().starts_with("`…@livekit.example` is not"));
}

#[test]
fn the_window_of_an_admitted_page() {
    let widget = widget(&["https://*.shop.example:8443"]);
    let page = origin("https://m.shop.example:8443");
    let livekit = LiveKitServer::parse("wss://livekit.example").expect("an address");
    let policy = WindowPolicy::new(admit(&widget, &page), Some(&livekit));
    assert_eq!(
        policy.to_header_value(),
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; \
         connect-src 'self' wss://livekit.example https://livekit.example; \
         media-src 'self' blob:; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; frame-ancestors https://m.shop.example:8443"
    );
}

#[test]
fn a_closed_page() {
    assert_eq!(
        WindowPolicy::CLOSED.to_header_value(),
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; \
         connect-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; frame-ancestors 'none'"
    );
}

fn hash(digit: char) -> HashSource {
    let hash = format!("{}=", String::from(digit).repeat(43));
    HashSource::of_sha256(&hash).expect("a hash")
}

#[test]
fn the_page_of_a_preview_is_framed_by_the_service_alone() {
    let id = PreviewId::from_uuid(Uuid::from_u128(7));
    let preview = Preview::new(id, widget(&[]), [7; 32], at(9));
    let grant = preview.open(PreviewProof::Token(&[7; 32]), at(0));
    let policy = embed::preview_page_policy(grant.expect("a grant"), &hash('a'), &hash('b'));
    let (script, style) = ("a".repeat(43), "b".repeat(43));
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; script-src 'self' 'sha256-{script}='; \
             style-src 'sha256-{style}='; img-src 'self' https: data:; connect-src 'self'; \
             frame-src 'self'; base-uri 'none'; form-action 'none'; \
             require-trusted-types-for 'script'; frame-ancestors 'self'"
        )
    );
}

#[test]
fn the_page_around_the_frame_of_a_preview_runs_nothing() {
    let style = "b".repeat(43);
    assert_eq!(
        embed::preview_site_policy(&hash('b')),
        format!(
            "default-src 'none'; style-src 'sha256-{style}='; img-src data:; frame-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    );
}

#[test]
fn links_of_previews() {
    let url: Url = "https://widgets.example/?a=b".parse().expect("a URL");
    for (site, query) in [
        (None, ""),
        (Some(PreviewSite::Phone), "?site=phone"),
        (Some(PreviewSite::Desktop), "?site=desktop"),
    ] {
        assert_eq!(
            embed::preview_url(&url, "TOKEN", site),
            format!("https://widgets.example/public/preview/TOKEN{query}")
        );
    }
}

#[test]
fn what_a_host_page_must_allow() {
    let service = origin("https://widgets.example");
    let plain = HostPagePolicy::new(&service, &Config::default());
    assert_eq!(
        plain.lines(),
        [
            "script-src https://widgets.example",
            "connect-src https://widgets.example",
            "frame-src https://widgets.example",
            r#"Permissions-Policy: microphone=(self "https://widgets.example"), autoplay=(self "https://widgets.example")"#,
        ]
    );
}

fn with_images() -> Config {
    Config::from_value(json!({"v1": {
        "trigger": {"icon_url": "http://127.0.0.1:9000/icon.png"},
        "chat": {
            "avatar_url": "https://images.example/avatar.png",
            "logo_url": "http://127.0.0.1:9000/logo.png"
        }
    }}))
    .expect("a config")
}

#[test]
fn images_on_loopback_are_allowed_by_origin() {
    let header = header_with(with_images());
    assert!(
        header.contains("; img-src 'self' https: data: http://127.0.0.1:9000; connect-src"),
        "{header}"
    );
}

#[test]
fn the_launchers_icon_is_drawn_by_the_host_page() {
    let service = origin("https://widgets.example");
    let policy = HostPagePolicy::new(&service, &with_images());
    assert_eq!(
        policy.directives().last(),
        Some(&("img-src", &origin("http://127.0.0.1:9000")))
    );
    // What follows the origin may be long, as that of signed addresses is.
    let signed = format!("https://images.example/icon.png?{}", "x".repeat(3000));
    let config = Config::from_value(json!({"v1": {"trigger": {"icon_url": signed}}}));
    let policy = HostPagePolicy::new(&service, &config.expect("a config"));
    assert_eq!(
        policy.directives().last(),
        Some(&("img-src", &origin("https://images.example")))
    );
}

#[test]
fn images_that_no_policy_can_name_are_left_out() {
    let config = Config::from_value(json!({"v1": {
        "trigger": {"icon_url": "http://[::1]:9000/icon.png"},
        "chat": {"logo_url": "http://localhost/logo.png", "avatar_url": "https://localhost/a.png"}
    }}))
    .expect("a config");
    let header = header_with(config.clone());
    assert!(
        header.contains("img-src 'self' https: data: http://localhost;"),
        "{header}"
    );
    let policy = HostPagePolicy::new(&origin("https://widgets.example"), &config);
    assert_eq!(policy.directives().len(), 3);
}

#[test]
fn the_window_of_a_ticket_knows_its_page() {
    let widget = widget(&["https://shop.example:8443"]);
    let page = origin("https://shop.example:8443");
    let url = |text: &str| text.parse::<Url>().expect("a URL");
    let ticket = EmbedTicket::new(&admit(&widget, &page), Uuid::from_u128(7), at(1));
    for service in ["https://widgets.example", "https://widgets.example/?a=b#c"] {
        assert_eq!(
            embed::window_url(&url(service), &ticket),
            format!(
                "https://widgets.example/public/widget/{}?o=https%3A%2F%2Fshop.example%3A8443",
                widget.id
            )
        );
    }
    assert!(
        embed::window_url(&url("https://example.com/chat/"), &ticket)
            .starts_with("https://example.com/chat/public/widget/0")
    );
}
