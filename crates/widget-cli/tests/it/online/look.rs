//! Commands that look at widgets of the service, or at them and at files.

use expect_test::expect;

use crate::{Folder, outcome, service::Service};

#[test]
fn explain_pages() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let id = id.to_string();
    let folder = Folder::new();
    let publish = ["publish", &id, "--yes"];
    assert!(outcome(&mut service.command(&folder, &publish)).starts_with("exit 0"));
    let page = "https://www.shop.example/cart";
    service.check(&["explain", &id, "--page", page], &expect![[r#"
        exit 1
        ---- stdout ----
        Widget WIDGET-SHOP is not shown on https://www.shop.example

          ✓ the page's origin is `https://www.shop.example`
          ✓ the widget is `WIDGET-SHOP`
          ✓ the widget is published
          ✓ the pinned version `VERSION-SHOP` is a published one of the agent
          ✗ `https://www.shop.example` is not on the list of domains

        nearest: `https://shop.example` is listed, `https://www.shop.example` is not: with and without `www.` are different sites

        hint: `widget domains WIDGET-SHOP add https://www.shop.example` adds it
    "#]]);
    service.check(&["explain", &id, "--page", "https://shop.example"], &expect![[r#"
        exit 0
        ---- stdout ----
        Widget WIDGET-SHOP is shown on https://shop.example

          ✓ the page's origin is `https://shop.example`
          ✓ the widget is `WIDGET-SHOP`
          ✓ the widget is published
          ✓ the pinned version `VERSION-SHOP` is a published one of the agent
          ✓ `https://shop.example` is allowed by the entry `https://shop.example`

        note: when the page is itself inside a frame of another site, the window stays blank: browsers check every page around it

        note: no worker named `shop` has joined a room yet

        If the page has its own policies, they must allow:

          script-src http://SERVICE
          connect-src http://SERVICE
          frame-src http://SERVICE
          Permissions-Policy: microphone=(self "http://SERVICE"), autoplay=(self "http://SERVICE")
    "#]]);
    let first = format!("{id}@1");
    service.check(
        &["explain", &first, "--page", "https://shop.example"],
        &expect![[r#"
            exit 1
            ---- stdout ----
            Widget WIDGET-SHOP is not shown on https://shop.example

              ✓ the page's origin is `https://shop.example`
              ✓ the widget is `WIDGET-SHOP`
              ✗ the widget is not published
              ✓ the pinned version `VERSION-SHOP` is a published one of the agent
                (assumed, because a revision does not say it; set it with `--agent-version`)
              ✓ `https://shop.example` is allowed by the entry `https://shop.example`

            hint: set `published` to true
        "#]],
    );
    service.check(
        &["explain", &id, "--page", page, "--output", "json"],
        &expect![[r#"
            exit 1
            ---- stdout ----
            {"widget_id":"WIDGET-SHOP","page":"https://www.shop.example/cart","verdict":"not_shown","origin":"https://www.shop.example","code":"origin_not_listed","steps":[{"code":"origin","ok":true,"detail":"the page's origin is `https://www.shop.example`"},{"code":"widget_found","ok":true,"detail":"the widget is `WIDGET-SHOP`"},{"code":"published","ok":true,"detail":"the widget is published"},{"code":"version_published","ok":true,"detail":"the pinned version `VERSION-SHOP` is a published one of the agent"},{"code":"origin_not_listed","ok":false,"detail":"`https://www.shop.example` is not on the list of domains","hint":"add `https://www.shop.example`"}],"nearest":{"entry":"https://shop.example","pointer":"/domains/0","difference":"www","detail":"`https://shop.example` is listed, `https://www.shop.example` is not: with and without `www.` are different sites"},"hint":"add `https://www.shop.example`","notes":[{"code":"framed_page","detail":"when the page is itself inside a frame of another site, the window stays blank: browsers check every page around it","hint":"open the page by itself"},{"code":"agent_worker_missing","pointer":"/agent_version_id","detail":"no worker named `shop` has joined a room yet","hint":"normal before the first conversation; otherwise compare the worker's name"}],"host_page_policy":["script-src http://SERVICE","connect-src http://SERVICE","frame-src http://SERVICE","Permissions-Policy: microphone=(self \"http://SERVICE\"), autoplay=(self \"http://SERVICE\")"],"assumptions":[]}
        "#]],
    );
    service.check(
        &["explain", &id, "--page", page, "--agent-version", "draft"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: `--agent-version` is for files, and `WIDGET-SHOP` is not one that exists
        "#]],
    );
    service.check(
        &["explain", &id],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: `--page` is missing: only the address of a page says which page is meant

            hint: add its address: `widget explain WIDGET-SHOP --page URL`
        "#]],
    );
}

#[test]
fn differences() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let id = id.to_string();
    let folder = Folder::new()
        .with("shop.yaml", "v1:\n  chat: {title: Ask shop}\n")
        .with("faulty.yaml", "v1:\n  theme: Dark\n");
    let set = ["set", &id, "/config/v1/theme=dark", "--yes"];
    assert!(outcome(&mut service.command(&folder, &set)).starts_with("exit 0"));
    let (first, second) = (format!("{id}@1"), format!("{id}@2"));
    service.check(
        &["diff", &first, &second],
        &expect![[r#"
        exit 1
        ---- stdout ----
        + /config/v1/theme: "dark"
        ---- stderr ----
        1 difference
    "#]],
    );
    service.check(
        &["diff", &second, &id],
        &expect![[r#"
        exit 0
        ---- stderr ----
        no difference
    "#]],
    );
    service.check(
        &["diff", &first, &id, "--output", "json"],
        &expect![[r#"
        exit 1
        ---- stdout ----
        {"pointer":"/config/v1/theme","change":"added","from":null,"to":"dark"}
    "#]],
    );
    service.check(
        &["diff", &first, &format!("{id}@9")],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: widget WIDGET-SHOP has no revision 9

        hint: `widget history WIDGET-SHOP` shows its revisions
    "#]],
    );
    let check = |arguments: &[&str], expected: &expect_test::Expect| {
        service.check_command(&mut service.command(&folder, arguments), expected);
    };
    check(
        &["diff", &id, "shop.yaml"],
        &expect![[r#"
        exit 1
        ---- stdout ----
        - /config/v1/theme: "dark"
        ---- stderr ----
        note: one is a widget and the other a config; only the configs are compared
        1 difference
    "#]],
    );
    check(
        &["diff", &id, "faulty.yaml"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error[value_not_allowed]: `"Dark"` is not allowed; `theme` must be one of `system`, `light`, `dark`
         --> faulty.yaml:2:10
          |
        2 |  theme: Dark
          |  ^^^^ /config/v1/theme

        hint: did you mean `dark`?

    "#]],
    );
}

#[test]
fn check_widgets() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let id = id.to_string();
    let folder = Folder::new().with("shop.yaml", "v1: {}\n");
    service.check(
        &["validate", &id],
        &expect![[r#"
        exit 0
        ---- stderr ----
        ✓ 1 widget is valid; 1 warning (`widget lint` shows them)
    "#]],
    );
    service.check(&["lint", &format!("{id}@1")], &expect![[r#"
        exit 0
        ---- stdout ----
        warning[twin_missing]: `https://shop.example` is listed, `https://www.shop.example` is not; they are different sites
         --> WIDGET-SHOP@1:7:5
          |
        7 |  "https://shop.example"
          |  ^^^^^^^^^^^^^^^^^^^^^^ /domains/0

        hint: add `https://www.shop.example` if the page can be reached there too

        ---- stderr ----
        ✓ 1 widget is valid; 1 warning
    "#]]);
    let mixed = ["validate", "shop.yaml", &id];
    service.check_command(
        &mut service.command(&folder, &mixed),
        &expect![[r#"
        exit 0
        ---- stderr ----
        ✓ 2 inputs are valid; 1 warning (`widget lint` shows them)
    "#]],
    );
    service.check(
        &["validate", "missing.json"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: there is no file or folder `missing.json`
    "#]],
    );
}

#[test]
fn snippets() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let id = id.to_string();
    service.check(
        &["snippet", &id],
        &expect![[r#"
            exit 0
            ---- stdout ----
            <script async src="http://SERVICE/public/embed/WIDGET-SHOP"></script>
            ---- stderr ----
            note: the widget is not published; the line shows nothing until `widget publish WIDGET-SHOP`
        "#]],
    );
    service.check(&["snippet", &id, "--output", "json", "--quiet"], &expect![[r#"
        exit 0
        ---- stdout ----
        {"widget_id":"WIDGET-SHOP","html":"<script async src=\"http://SERVICE/public/embed/WIDGET-SHOP\"></script>"}
    "#]]);
    let hash = regex::Regex::new(r#"/[0-9a-f]{16,}\.js|sha384-[^"]+"#).expect("a pattern");
    let folder = Folder::new();
    let mut command = service.command(&folder, &["snippet", &id, "--with-integrity", "--quiet"]);
    let text = service.masked(&outcome(&mut command));
    expect![[r#"
        exit 0
        ---- stdout ----
        <script async src="http://SERVICE/public/embed/WIDGET-SHOPHASH" integrity="HASH" crossorigin="anonymous"></script>
    "#]].assert_eq(&hash.replace_all(&text, "HASH"));
}

/// The browser is a script that writes what it gets.
#[test]
fn open_a_site() {
    let mut service = Service::start();
    let shop = service.create_widget("shop", &["https://*.shop.example", "https://b.example"]);
    let none = service.create_widget("none", &["https://*.shop.example"]);
    let (shop, none) = (shop.id.to_string(), none.id.to_string());
    let folder = Folder::new();
    service.check(
        &["open", &shop, "--print"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        https://b.example/
    "#]],
    );
    service.check(
        &["open", &none, "--print"],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error: widget WIDGET-NONE lists no site that can be opened

            hint: name a page: `widget open WIDGET-NONE https://shop.example/cart`
        "#]],
    );
    service.check(
        &["open", &none, "a.shop.example/x", "--print"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        https://a.shop.example/x
    "#]],
    );
    service.check(
        &["open", &none, "ftp://a.example", "--print"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: `ftp://a.example` is not the address of a page

        hint: write one such as `https://shop.example/cart`
    "#]],
    );
    #[cfg(unix)]
    {
        let mut command = service.command(&folder, &["open", &shop]);
        command.env("BROWSER", folder.browser());
        service.check_command(
            &mut command,
            &expect![[r#"
            exit 0
            ---- stderr ----
            opened https://b.example/
        "#]],
        );
        assert_eq!(folder.opened(), "https://b.example/");
    }
}
