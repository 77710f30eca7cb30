//! What can be diagnosed: a page, a widget on a page, and what is said where there is no page.

use std::net::TcpListener;

use expect_test::{Expect, expect};

use super::Setting;
use crate::outcome;

#[test]
fn for_a_widget() {
    let mut setting = Setting::new(&[
        ("/cart", &[], "<h1>Cart</h1>SNIPPET"),
        (
            "/foreign",
            &[],
            "<script src=http://127.0.0.1:9/public/embed/ID></script>",
        ),
    ]);
    let other = setting.service.create_widget("other", &[]);
    let run = |widget: &str, path: &str, expected: &Expect| {
        let url = setting.site.url(path);
        let arguments = ["doctor", widget, "--page", &url];
        let mut command = setting.service.command(&setting.folder, &arguments);
        setting.service.check_command(&mut command, expected);
    };
    run(
        &other.id.to_string(),
        "/cart",
        &expect![[r#"
            exit 1
            ---- stdout ----
            http://SITE/cart → widget SHORT "Ask other" (acme, http://SERVICE)
              ✓ the page loads
              ✗ the page has the snippet of the widget `WIDGET-SHOP`, not of `WIDGET-OTHER`  site owner
                <script async src="http://SERVICE/public/embed/WIDGET-SHOP">
                hint: paste this line into the page: <script async src="http://SERVICE/public/embed/WIDGET-OTHER"></script>
              ✗ the widget is not published  widget owner
                hint: set `published` to true
              ✗ the list of domains is empty, so `http://SITE` is not on it  widget owner
                hint: add `http://SITE`
              ! no worker named `shop` has joined a room yet  operator
                hint: normal before the first conversation; otherwise compare the worker's name
              ✓ no policy of the page is in the way
              ✓ the service answers
            Fix: paste this line into the page: <script async src="http://SERVICE/public/embed/WIDGET-OTHER"></script>
            Also:
              - widget publish WIDGET-OTHER
              - widget domains WIDGET-OTHER add http://SITE
        "#]],
    );
    run(
        &setting.id,
        "/foreign",
        &expect![[r#"
            exit 1
            ---- stdout ----
            http://SITE/foreign → widget SHORT "Ask shop" (acme, http://SERVICE)
              ✓ the page loads
              ✗ the snippet uses the service `http://127.0.0.1:9`, not `http://SERVICE`  site owner
                <script src=http://127.0.0.1:9/public/embed/WIDGET-SHOP>
                hint: paste this line into the page: <script async src="http://SERVICE/public/embed/WIDGET-SHOP"></script>
              ✓ the service shows the widget on http://SITE
              ! no worker named `shop` has joined a room yet  operator
                hint: normal before the first conversation; otherwise compare the worker's name
              ✓ no policy of the page is in the way
              ✓ the service answers
              ! the service has no LiveKit, so that no conversation can begin  operator
                hint: set `LIVEKIT_URL` and its key where the service runs
            Fix: paste this line into the page: <script async src="http://SERVICE/public/embed/WIDGET-SHOP"></script>
        "#]],
    );
    let mut command = setting
        .service
        .command(&setting.folder, &["doctor", &setting.id]);
    setting.service.check_command(
        &mut command,
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: name the page on which the widget should be shown

            hint: widget doctor WIDGET-SHOP --page URL
        "#]],
    );
    let mut command = setting
        .service
        .command(&setting.folder, &["doctor", "http://a b/"]);
    setting.service.check_command(
        &mut command,
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: `http://a b/` is not the address of a page: the address contains a space

            hint: use the address in the visitor's address bar
        "#]],
    );
}

/// What is said where there is no page.
#[test]
fn failures_are_in_plain_words() {
    let setting = Setting::new(&[("/cart", &[], "SNIPPET")]);
    let https = format!("https://{}/cart", setting.site.address);
    expect![[r#"
        exit 1
        ---- stdout ----
        SITE/cart → no widget
          ✗ the page cannot be loaded: it ends the connection before it is secure; the address may be one for `http://`  site owner
            hint: check that the site runs, and that the address has the right scheme and port
        Fix: check that the site runs, and that the address has the right scheme and port
    "#]]
    .assert_eq(&setting.anonymous(&["doctor", &https]));
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let silent = format!("http://{}/", silent.local_addr().expect("it listens"));
    let text = setting.anonymous(&["doctor", &silent, "--timeout", "1"]);
    expect![[r#"
        exit 1
        ---- stdout ----
        SILENT/ → no widget
          ✗ the page cannot be loaded: it takes more than 1 s  site owner
            hint: open the address in a browser; if it is slow there, too, correct the site first
        Fix: open the address in a browser; if it is slow there, too, correct the site first
    "#]]
    .assert_eq(&text.replace(&silent, "SILENT/"));
}

#[test]
fn every_code_is_in_the_manual() {
    let page = include_str!("../../../../../docs/cli.md");
    let rows = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(code, _)| code);
    let listed: Vec<_> = rows
        .filter(|code| {
            code.parse()
                .is_ok_and(|code| widget_core::doctor::CODES.contains(&code))
        })
        .collect();
    let codes: Vec<_> = widget_core::doctor::CODES
        .iter()
        .map(|code| code.as_str())
        .collect();
    assert_eq!(listed, codes);
}

/// A reference by the address of a page reads the same snippets.
#[test]
fn a_page_names_its_widget() {
    let setting = Setting::new(&[
        (
            "/cart",
            &[],
            "<!-- <script src=http://127.0.0.1:9/public/embed/ID> -->SNIPPET",
        ),
        ("/comment", &[], "<!-- SNIPPET -->"),
    ]);
    let url = setting.site.url("/cart");
    let mut command = setting.service.command(&setting.folder, &["show", &url]);
    let text = outcome(&mut command);
    assert!(
        text.starts_with("exit 0\n") && text.contains(&setting.id),
        "{text}"
    );
    let url = setting.site.url("/comment");
    let mut command = setting.service.command(&setting.folder, &["show", &url]);
    setting.service.check_command(
        &mut command,
        &expect![[r#"
            exit 1
            ---- stderr ----
            error: `http://SITE/comment` has no snippet of a widget

            hint: a tag manager may add it; `widget list --domain http://SITE` shows the widgets of this site, and `widget doctor http://SITE/comment` what is wrong with the page
        "#]],
    );
}
