//! What is found on pages: each kind of snippet, policy and script.

use std::{collections::HashMap, fmt::Write as _};

use expect_test::expect;
use serde_json::Value;
use widget_api::unreadable::WidgetRecord;

use super::{Setting, Site, problems};
use crate::service::block_on;

/// Each page with what is wrong with it, in one word.
#[test]
#[expect(clippy::too_many_lines, reason = "one list of pages")]
fn everything_is_found() {
    const PLAIN: &[&str] = &[];
    let pages: &[(&'static str, &[&str], &str, &str)] = &[
        (
            "/none",
            PLAIN,
            "<h1>Shop</h1><script src=/jquery.js></script>",
            "not_shown: snippet_missing fail",
        ),
        (
            "/twice",
            PLAIN,
            "SNIPPET SNIPPET",
            "shown: snippet_duplicate warn",
        ),
        (
            "/comment",
            PLAIN,
            "<h1>Shop</h1><!-- SNIPPET -->",
            "not_shown: snippet_commented_out fail",
        ),
        (
            "/consent",
            PLAIN,
            "<script type=text/plain data-cookieconsent=marketing src=SERVICE/public/embed/ID></script>",
            "not_shown: snippet_inert fail",
        ),
        (
            "/copied",
            PLAIN,
            "<script src=/wp-content/cache/min/1/public/embed/ID></script>",
            "not_shown: snippet_copied fail",
        ),
        (
            "/rocket",
            PLAIN,
            "<script type=1f3a-text/javascript src=SERVICE/public/embed/ID></script><script src=/cdn-cgi/scripts/7d0fa10a/cloudflare-static/rocket-loader.min.js data-cf-settings='1f3a-|49' defer></script>",
            "shown: snippet_delayed warn",
        ),
        (
            "/header",
            &["Content-Security-Policy: script-src 'self'"],
            "SNIPPET",
            "not_shown: csp_script_blocked fail",
        ),
        (
            "/meta",
            PLAIN,
            "<head><meta http-equiv=Content-Security-Policy content=\"connect-src 'self'\">SNIPPET",
            "not_shown: csp_connect_blocked fail",
        ),
        (
            "/two",
            &[
                "Content-Security-Policy: default-src * 'unsafe-inline'",
                "Content-Security-Policy: frame-src 'self'",
            ],
            "SNIPPET",
            "not_shown: csp_frame_blocked fail",
        ),
        (
            "/strict",
            &["Content-Security-Policy: script-src 'nonce-abc' 'strict-dynamic' http:"],
            "SNIPPET",
            "not_shown: csp_script_blocked fail",
        ),
        (
            "/nonce",
            &["Content-Security-Policy: script-src 'nonce-abc' 'strict-dynamic'"],
            "<script nonce=abc src=SERVICE/public/embed/ID></script>",
            "shown",
        ),
        (
            "/hash",
            &["Content-Security-Policy: script-src 'sha256-AAAA'"],
            "SNIPPET",
            "not_shown: csp_script_blocked fail",
        ),
        (
            "/frame",
            &[
                "Content-Security-Policy: default-src 'self'; script-src SERVICE; connect-src SERVICE",
            ],
            "SNIPPET",
            "not_shown: csp_frame_blocked fail",
        ),
        (
            "/child",
            &["Content-Security-Policy: child-src 'self'"],
            "SNIPPET",
            "not_shown: csp_frame_blocked fail",
        ),
        (
            "/child-ok",
            &[
                "Content-Security-Policy: child-src SERVICE; script-src SERVICE; connect-src SERVICE",
            ],
            "SNIPPET",
            "shown",
        ),
        (
            "/sandbox",
            &["Content-Security-Policy: sandbox allow-scripts"],
            "SNIPPET",
            "not_shown: csp_sandboxed fail",
        ),
        (
            "/report",
            &["Content-Security-Policy-Report-Only: default-src 'none'"],
            "SNIPPET",
            "shown",
        ),
        (
            "/permissions",
            &["Permissions-Policy: microphone=(), autoplay=(self)"],
            "SNIPPET",
            "shown: permissions_policy_microphone warn, permissions_policy_autoplay warn",
        ),
        (
            "/isolated",
            &["Cross-Origin-Embedder-Policy: require-corp"],
            "SNIPPET",
            "shown",
        ),
        (
            "/framed",
            &["Content-Security-Policy: frame-ancestors 'self' https://portal.example"],
            "SNIPPET",
            "shown: page_frame_only warn",
        ),
        (
            "/wrapper",
            PLAIN,
            "<iframe src='http://127.0.0.1:9/shop'></iframe>",
            "not_shown: snippet_missing fail, page_frame_only fail",
        ),
        (
            "/error",
            &["503"],
            "<h1>Just a moment</h1>",
            "unknown: page_status fail, snippet_missing unknown",
        ),
        (
            "/json",
            &["Content-Type: application/json"],
            "{}",
            "not_shown: page_not_html fail",
        ),
        (
            "/moved",
            &["302", "Location: /twice"],
            "",
            "shown: snippet_duplicate warn",
        ),
        (
            "/application",
            PLAIN,
            "<div id=root></div><script type=module src=/assets/index.js></script>",
            "unknown: snippet_by_script unknown",
        ),
        (
            "/manager",
            PLAIN,
            "<h1>Shop</h1><script>(function(w,d,s,l,i){w[l]=w[l]||[];w[l].push({'gtm.start':1})})(window,document,'script','dataLayer','GTM-1')</script>",
            "unknown: snippet_by_script unknown",
        ),
        (
            "/bundle.js",
            &["Content-Type: text/javascript"],
            "s.src = service + '/public/embed/' + id",
            "not_shown: page_not_html fail",
        ),
        (
            "/bundle",
            PLAIN,
            "<h1>Shop</h1><script src=/bundle.js></script>",
            "unknown: snippet_by_script unknown",
        ),
        (
            "/integrity",
            PLAIN,
            "<script src=SERVICE/public/embed/ID integrity=sha384-bad crossorigin></script>",
            "not_shown: integrity_unknown fail",
        ),
        (
            "/other",
            PLAIN,
            "<script src=SERVICE/public/embed/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b></script>",
            "not_shown: widget_unavailable fail",
        ),
        (
            "/hidden",
            PLAIN,
            "<script src=SERVICE/public/embed/ID data-hidden></script>",
            "shown: snippet_missing warn",
        ),
        (
            "/unclosed",
            PLAIN,
            "<h1>Shop</h1><script async src=SERVICE/public/embed/ID></p></body></html>",
            "not_shown: snippet_inert fail",
        ),
        (
            "/swallowed",
            PLAIN,
            "<h1>Shop</h1><script src=/jquery.js>SNIPPET",
            "not_shown: snippet_inert fail",
        ),
        (
            "/svg",
            PLAIN,
            "<svg>SNIPPET</svg>",
            "not_shown: snippet_inert fail",
        ),
        (
            "/blocker",
            PLAIN,
            "<script src=https://consent.cookiebot.com/uc.js data-blockingmode=auto></script>SNIPPET",
            "shown: snippet_inert warn",
        ),
        (
            "/malformed",
            &["Permissions-Policy: microphone=(), camera 'none'"],
            "SNIPPET",
            "shown",
        ),
        (
            "/refresh",
            &["Refresh: 0; url=https://www.shop.example/"],
            "SNIPPET",
            "shown: page_redirected warn",
        ),
        (
            "/credentials",
            PLAIN,
            "<script crossorigin=use-credentials src=SERVICE/public/embed/ID></script>",
            "not_shown: integrity_unknown fail",
        ),
        (
            "/integrity-policy",
            &["Integrity-Policy: blocked-destinations=(script)"],
            "SNIPPET",
            "not_shown: integrity_unknown fail",
        ),
        (
            "/download",
            &["Content-Disposition: attachment"],
            "SNIPPET",
            "not_shown: page_not_html fail",
        ),
        (
            "/xml",
            &["Content-Type: application/xhtml+xml"],
            "<html xmlns='http://www.w3.org/1999/xhtml'><body>SNIPPET</body></html>",
            "not_shown: snippet_inert fail",
        ),
        (
            "/nowhere-to",
            &["302"],
            "SNIPPET",
            "unknown: page_status fail",
        ),
        (
            "/circle",
            &["302", "Location: /circle"],
            "",
            "unknown: page_unreachable fail",
        ),
        (
            "/control",
            &["X-Odd: a\u{1b}[31mb\u{7}"],
            "SNIPPET",
            "shown",
        ),
        (
            "/inner",
            PLAIN,
            "<h1>Chat</h1><iframe src=/twice></iframe>",
            "shown: snippet_missing warn",
        ),
        (
            "/password",
            &["401", "WWW-Authenticate: Basic realm=staging"],
            "",
            "unknown: page_status fail, snippet_missing unknown",
        ),
    ];
    let served: Vec<_> = pages
        .iter()
        .map(|(path, headers, html, _)| (*path, *headers, *html))
        .collect();
    let setting = Setting::new(&served);
    let (mut found, mut expected) = (String::new(), String::new());
    for (path, _, _, findings) in pages {
        let _ = writeln!(expected, "{path} {findings}");
        let url = setting.site.url(path);
        let text = setting.anonymous(&["doctor", &url, "--output", "json"]);
        let json = text.split("---- stdout ----\n").nth(1).unwrap_or_default();
        let json: Value = serde_json::from_str(json).unwrap_or_else(|_| panic!("{path}: {text}"));
        let text_of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let verdict = text_of(&json["verdict"]);
        let exit = if verdict == "shown" {
            "exit 0\n"
        } else {
            "exit 1\n"
        };
        assert!(text.starts_with(exit), "{path}: {text}");
        let problems = problems(&json);
        let separator = if problems.is_empty() { "" } else { ": " };
        let _ = writeln!(found, "{path} {verdict}{separator}{problems}");
    }
    pretty(&found, &expected);
}

#[track_caller]
fn pretty(found: &str, expected: &str) {
    let differences: Vec<_> = found
        .lines()
        .zip(expected.lines())
        .filter(|(found, expected)| found != expected)
        .map(|(found, expected)| format!("found    {found}\nexpected {expected}\n"))
        .collect();
    assert!(differences.is_empty(), "{}", differences.concat());
}

#[test]
fn scripts_of_the_page_are_read() {
    let scripts: Vec<_> = (0..40)
        .map(|at| format!("<script src=/{at}.js></script>"))
        .collect();
    let many = format!(
        "<h1>Shop</h1>{}<script src=/late.js></script>",
        scripts.concat()
    );
    let copy =
        "<h1>Shop</h1><script async src=/FILE data-web-widget=ID data-service=SERVICE></script>";
    let (missing, page, other) = (
        copy.replace("FILE", "gone.js"),
        copy.replace("FILE", "page.js"),
        copy.replace("FILE", "late.js"),
    );
    let setting = Setting::new(&[
        ("/many", &[], &many),
        (
            "/late.js",
            &["Content-Type: text/javascript"],
            "s.src = 'SERVICE/public/embed/ID'",
        ),
        ("/page.js", &[], "<!doctype html><p>Shop"),
        ("/missing", &[], &missing),
        ("/page", &[], &page),
        ("/other", &[], &other),
        (
            "/path",
            &[],
            "<h1>Shop</h1><script async src=/public/embed/ID></script>",
        ),
    ]);
    for (path, expected) in [
        ("/many", "unknown: snippet_by_script unknown"),
        ("/missing", "not_shown: snippet_copied fail"),
        ("/page", "not_shown: snippet_copied fail"),
        ("/other", "unknown: snippet_copied unknown"),
        ("/path", "not_shown: snippet_inert fail"),
    ] {
        let url = setting.site.url(path);
        let text = setting.anonymous(&["doctor", &url, "--output", "json"]);
        let start = text.find('{').expect("JSON");
        let json = &text[start..];
        let json = json.split("\n----").next().unwrap_or(json);
        let diagnosis: Value = serde_json::from_str(json.trim()).expect("JSON");
        let found = problems(&diagnosis);
        let verdict = diagnosis["verdict"].as_str().unwrap_or_default();
        assert_eq!(format!("{verdict}: {found}"), expected, "{path}: {text}");
    }
}

#[test]
fn one_of_several_widgets_is_enough() {
    let mut setting = Setting::new(&[]);
    let url = setting.service.url();
    let line = |id: &str| format!("<script async src=\"{url}/public/embed/{id}\"></script>");
    let dead = setting.service.create_widget("dead", &[]);
    let client = setting.service.client();
    block_on(client.delete_web_widget(dead.id, None)).expect("it is deleted");
    let deleted = widget_api::widgets::WidgetsQuery {
        deleted: Some(true),
        ..Default::default()
    };
    let deleted = block_on(client.list_web_widgets(&deleted).next()).expect("an answer");
    let deleted = deleted
        .expect("a page")
        .into_iter()
        .find_map(|record| match record {
            WidgetRecord::Readable(widget) => widget.widget.deleted_at,
            WidgetRecord::Unreadable(widget) => widget.deleted_at,
        });
    let day = time::OffsetDateTime::from(deleted.expect("a time")).date();
    setting.service.mask(day.to_string(), "DAY");
    let dead = dead.id.to_string();
    let short = dead.get(..8).expect("long enough");
    setting.service.mask(short, "SHORT");
    let dead = line(&dead);
    let pages = HashMap::from([
        (
            "/two",
            (
                200,
                Vec::new(),
                format!("<h1>Shop</h1>{dead}{}", line(&setting.id)),
            ),
        ),
        ("/dead", (200, Vec::new(), format!("<h1>Shop</h1>{dead}"))),
    ]);
    setting.site = Site::serve(pages);
    let own = format!("http://{}", setting.site.address);
    setting.service.mask(&own, "http://SITE");
    setting.patch(true, &[&own]);
    setting.check_anonymous("/two", &expect![[r#"
        exit 0
        ---- stdout ----
        http://SITE/two → widget SHORT (http://SERVICE)
          ✓ the page loads and has the snippet once
          ! the page also has the widget `WIDGET-DEAD`, which the service does not show here  site owner
            <script async src="http://SERVICE/public/embed/WIDGET-DEAD">
            hint: remove that tag, or see with a key what is wrong: `widget doctor WIDGET-DEAD --page URL`
          ✓ the service shows the widget on http://SITE
          ✓ no policy of the page is in the way
          ✓ the service answers
          ! the service has no LiveKit, so that no conversation can begin  operator
            hint: set `LIVEKIT_URL` and its key where the service runs
    "#]]);
    setting.check("/two", &expect![[r#"
        exit 0
        ---- stdout ----
        http://SITE/two → widget SHORT "Ask shop" (acme, http://SERVICE)
          ✓ the page loads and has the snippet once
          ! the page also has the widget `WIDGET-DEAD`, which the service does not show here  site owner
            <script async src="http://SERVICE/public/embed/WIDGET-DEAD">
            hint: remove that tag, or see with a key what is wrong: `widget doctor WIDGET-DEAD --page URL`
          ✓ the service shows the widget on http://SITE
          ! no worker named `shop` has joined a room yet  operator
            hint: normal before the first conversation; otherwise compare the worker's name
          ✓ no policy of the page is in the way
          ✓ the service answers
          ! the service has no LiveKit, so that no conversation can begin  operator
            hint: set `LIVEKIT_URL` and its key where the service runs
    "#]]);
    setting.check(
        "/dead",
        &expect![[r#"
        exit 1
        ---- stdout ----
        http://SITE/dead → widget SHORT (http://SERVICE)
          ✓ the page loads and has the snippet once
          ✗ the widget was deleted on DAY  widget owner
            hint: `widget undelete WIDGET-DEAD` brings it back
          ✓ no policy of the page is in the way
          ✓ the service answers
        Fix: widget undelete WIDGET-DEAD
    "#]],
    );
    let secret = own.replace("http://", "http://ann:secret@");
    expect![[r#"
        exit 2
        ---- stderr ----
        error: `http://SITE` is not the address of a page: the address contains a user name; leave it out
    "#]].assert_eq(&setting.anonymous(&["doctor", &secret]));
}

#[test]
fn a_dead_service_before_the_right_one_is_no_fault() {
    let old = "<script src='http://127.0.0.1:9/public/embed/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0c'>\
               </script>";
    let both = format!("<p>Shop</p>{old}SNIPPET");
    let alone = format!("<p>Shop</p>{old}");
    let setting = Setting::new(&[("/both", &[], both.as_str()), ("/alone", &[], &alone)]);
    setting.check_anonymous(
        "/both",
        &expect![[r#"
        exit 0
        ---- stdout ----
        http://SITE/both → widget SHORT (http://SERVICE)
          ✓ the page loads and has the snippet once
          ! the snippet uses the service `http://127.0.0.1:9`, not `http://SERVICE`  site owner
            <script src='http://127.0.0.1:9/public/embed/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0c'>
            hint: remove that tag
          ✓ the service shows the widget on http://SITE
          ✓ no policy of the page is in the way
          ✓ the service answers
          ! the service has no LiveKit, so that no conversation can begin  operator
            hint: set `LIVEKIT_URL` and its key where the service runs
    "#]],
    );
    setting.check_anonymous("/alone", &expect![[r#"
        exit 1
        ---- stdout ----
        http://SITE/alone → widget 0197a8b2 (http://127.0.0.1:9)
          ✓ the page loads and has the snippet once
          ✓ no policy of the page is in the way
          ✗ the service `http://127.0.0.1:9` does not work from here: its script cannot be loaded: Connection refused (os error 111)  operator
            hint: check that the service runs, and that http://127.0.0.1:9/healthz answers
        Fix: check that the service runs, and that http://127.0.0.1:9/healthz answers
    "#]]);
    // Elsewhere, neither shows one.
    setting.patch(true, &["https://other.example"]);
    setting.check_anonymous("/both", &expect![[r#"
        exit 1
        ---- stdout ----
        http://SITE/both → widget 0197a8b2 (http://127.0.0.1:9)
          ✓ the page loads and has the snippet once
          ✓ the page also has the widget `WIDGET-SHOP`  site owner
            <script async src="http://SERVICE/public/embed/WIDGET-SHOP">
            hint: to look at that one: `widget doctor WIDGET-SHOP --page URL`
          ✓ no policy of the page is in the way
          ✗ the service `http://127.0.0.1:9` does not work from here: its script cannot be loaded: Connection refused (os error 111)  operator
            hint: check that the service runs, and that http://127.0.0.1:9/healthz answers
        Fix: check that the service runs, and that http://127.0.0.1:9/healthz answers
    "#]]);
}
