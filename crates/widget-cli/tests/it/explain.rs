//! `widget explain` and `widget snippet`: why it is not shown, and what to paste.

use expect_test::expect;

use crate::{Folder, SHOP};

fn shop() -> Folder {
    Folder::new().with("shop.json", SHOP)
}

#[test]
fn a_page_that_is_listed() {
    shop().check(
        &[
            "explain",
            "shop.json",
            "--page",
            "https://www.shop.example/cart?x=1",
        ],
        &expect![[r#"
            exit 0
            ---- stdout ----
            Widget 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b is shown on https://www.shop.example

              ✓ the page's origin is `https://www.shop.example`
              ✓ the widget is `0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b`
              ✓ the widget is published
              ✓ the pinned version `0197a8b2-0000-7000-8000-000000000002` is a published one of the agent
                (assumed, because the file does not say it; set it with `--agent-version`)
              ✓ `https://www.shop.example` is allowed by the entry `https://www.shop.example`

            note: when the page is itself inside a frame of another site, the window stays blank: browsers check every page around it

            hint: if the page has its own policies, `--service URL` prints what they must allow
        "#]],
    );
}

#[test]
fn a_page_that_is_nearly_listed() {
    shop().check(
        &[
            "explain",
            "shop.json",
            "--page",
            "shop.example",
            "--service",
            "https://widgets.example",
        ],
        &expect![[r#"
            exit 1
            ---- stdout ----
            Widget 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b is not shown on https://shop.example

              ✓ the page's origin is `https://shop.example`
              ✓ the widget is `0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b`
              ✓ the widget is published
              ✓ the pinned version `0197a8b2-0000-7000-8000-000000000002` is a published one of the agent
                (assumed, because the file does not say it; set it with `--agent-version`)
              ✗ `https://shop.example` is not on the list of domains

            nearest: `https://www.shop.example` is listed, `https://shop.example` is not: with and without `www.` are different sites

            hint: add `https://shop.example`

            If the page has its own policies, they must allow:

              script-src https://widgets.example
              connect-src https://widgets.example
              frame-src https://widgets.example
              Permissions-Policy: microphone=(self "https://widgets.example"), autoplay=(self "https://widgets.example")
        "#]],
    );
}

#[test]
fn the_state_of_the_version_can_be_given() {
    shop().check(
        &[
            "explain",
            "shop.json",
            "--page",
            "https://www.shop.example",
            "--agent-version",
            "draft",
        ],
        &expect![[r#"
            exit 1
            ---- stdout ----
            Widget 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b is not shown on https://www.shop.example

              ✓ the page's origin is `https://www.shop.example`
              ✓ the widget is `0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b`
              ✓ the widget is published
              ✗ the version `0197a8b2-0000-7000-8000-000000000002` is a draft
              ✓ `https://www.shop.example` is allowed by the entry `https://www.shop.example`

            hint: publish the version, or pin one that is published
        "#]],
    );
}

#[test]
fn json_is_what_the_api_returns() {
    shop().check(
        &[
            "explain",
            "shop.json",
            "--page",
            "https://shop.example",
            "--service",
            "https://widgets.example",
            "--output",
            "json",
        ],
        &expect![[r#"
            exit 1
            ---- stdout ----
            {"widget_id":"0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b","page":"https://shop.example","verdict":"not_shown","origin":"https://shop.example","code":"origin_not_listed","steps":[{"code":"origin","ok":true,"detail":"the page's origin is `https://shop.example`"},{"code":"widget_found","ok":true,"detail":"the widget is `0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b`"},{"code":"published","ok":true,"detail":"the widget is published"},{"code":"version_published","ok":true,"detail":"the pinned version `0197a8b2-0000-7000-8000-000000000002` is a published one of the agent"},{"code":"origin_not_listed","ok":false,"detail":"`https://shop.example` is not on the list of domains","hint":"add `https://shop.example`"}],"nearest":{"entry":"https://www.shop.example","pointer":"/domains/0","difference":"www","detail":"`https://www.shop.example` is listed, `https://shop.example` is not: with and without `www.` are different sites"},"hint":"add `https://shop.example`","notes":[{"code":"framed_page","detail":"when the page is itself inside a frame of another site, the window stays blank: browsers check every page around it","hint":"open the page by itself"}],"host_page_policy":["script-src https://widgets.example","connect-src https://widgets.example","frame-src https://widgets.example","Permissions-Policy: microphone=(self \"https://widgets.example\"), autoplay=(self \"https://widgets.example\")"],"assumptions":["the pinned agent version is published"]}
        "#]],
    );
}

#[test]
fn one_of_a_list_is_selected_by_its_id() {
    let other = SHOP.replace("9a0b", "9a0c").replace("true", "false");
    let folder = Folder::new().with("all.json", format!("[{SHOP},{other}]"));
    let page = ["--page", "https://www.shop.example"];
    folder.check(
        &[&["explain", "all.json"], &page[..]].concat(),
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: `all.json` contains 2 widgets

            hint: select one with `--id`
        "#]],
    );
    folder.check(
        &[
            &[
                "explain",
                "all.json",
                "--id",
                "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0c",
            ],
            &page[..],
        ]
        .concat(),
        &expect![[r#"
            exit 1
            ---- stdout ----
            Widget 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0c is not shown on https://www.shop.example

              ✓ the page's origin is `https://www.shop.example`
              ✓ the widget is `0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0c`
              ✗ the widget is not published
              ✓ the pinned version `0197a8b2-0000-7000-8000-000000000002` is a published one of the agent
                (assumed, because the file does not say it; set it with `--agent-version`)
              ✓ `https://www.shop.example` is allowed by the entry `https://www.shop.example`

            hint: set `published` to true
        "#]],
    );
    folder.check(
        &[&["explain", "all.json", "--id", "x"], &page[..]].concat(),
        &expect![[r#"
            exit 1
            ---- stderr ----
            error: `all.json` contains no widget with the id `x`

            hint: it contains 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b, 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0c
        "#]],
    );
}

#[test]
fn an_invalid_widget_is_not_explained() {
    let folder = Folder::new().with("shop.json", SHOP.replace("https://*.acme", "https://*"));
    folder.check(
        &["explain", "shop.json", "--page", "https://shop.example"],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error[wildcard_public_suffix]: `*.example` would allow sites of different owners
             --> shop.json:6:43
              |
            6 |   "domains": ["https://www.shop.example", "https://*.example"],
              |                                           ^^^^^^^^^^^^^^^^^^^ /domains/1

            hint: list your own sites there one by one, without `*`

        "#]],
    );
}

#[test]
fn a_config_is_rejected() {
    let folder = Folder::new().with("config.json", "{}");
    folder.check(
        &["explain", "config.json", "--page", "https://shop.example"],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error: `config.json` contains a config and not a whole widget

            hint: save the widget as the API returns it: GET /core/web-widgets/{id}
        "#]],
    );
}

#[test]
fn an_error_of_the_api_is_rejected() {
    let problem = r#"{"type":"about:blank","title":"Not found","status":404,"code":"widget_not_found","detail":"…"}"#;
    Folder::new().check_with_input(
        &["explain", "-", "--page", "https://shop.example"],
        problem,
        &expect![[r#"
            exit 1
            ---- stderr ----
            error[problem_document]: this is an error that the API returned (404 widget_not_found), not a widget
            --> <stdin>

            hint: repeat the request, and save the answer when it is a widget

        "#]],
    );
}

#[test]
fn invalid_addresses() {
    let folder = shop();
    folder.check(
        &["explain", "shop.json", "--page", ""],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: a value is required for '--page <URL>' but none was supplied

        For more information, try '--help'.
    "#]],
    );
    folder.check(
        &["explain", "shop.json", "--page", "shop exmple"],
        &expect![[r#"
            exit 1
            ---- stdout ----
            Widget 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b is not shown on shop exmple

              ✗ the page's address cannot be read: the address contains a space
              ✓ the widget is `0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b`
              ✓ the widget is published
              ✓ the pinned version `0197a8b2-0000-7000-8000-000000000002` is a published one of the agent
                (assumed, because the file does not say it; set it with `--agent-version`)
        "#]],
    );
    folder.check(
        &[
            "explain",
            "shop.json",
            "--page",
            "https://shop.example",
            "--service",
            "ftp://x",
        ],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: `--service`: `ftp://x` must begin with `https://` or `http://`, such as `https://widgets.example`

            hint: use the address under which browsers reach the service, which is its `WIDGET_PUBLIC_URL`
        "#]],
    );
}

#[test]
fn snippets() {
    let folder = shop().with("draft.json", SHOP.replace("true", "false"));
    let service = ["--service", "https://widgets.example/"];
    folder.check(
        &[&["snippet", "shop.json"], &service[..]].concat(),
        &expect![[r#"
            exit 0
            ---- stdout ----
            <script async src="https://widgets.example/public/embed/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b"></script>
        "#]],
    );
    folder.check(
        &[&["snippet", "draft.json"], &service[..]].concat(),
        &expect![[r#"
            exit 0
            ---- stdout ----
            <script async src="https://widgets.example/public/embed/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b"></script>
            ---- stderr ----
            note: the widget is not published; the line shows nothing until `widget publish 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b`
        "#]],
    );
    folder.check(
        &[
            &["snippet", "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b"],
            &service[..],
            &["--output", "json"],
        ]
        .concat(),
        &expect![[r#"
            exit 0
            ---- stdout ----
            {"widget_id":"0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b","html":"<script async src=\"https://widgets.example/public/embed/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b\"></script>"}
        "#]],
    );
    folder.check(
        &[
            &["snippet", "shop.json"],
            &service[..],
            &[
                "--file-name",
                "3f2a9c.js",
                "--integrity",
                "sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC",
            ],
        ]
        .concat(),
        &expect![[r#"
            exit 0
            ---- stdout ----
            <script async src="https://widgets.example/public/embed/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b/3f2a9c.js" integrity="sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC" crossorigin="anonymous"></script>
        "#]],
    );
    folder.check(
        &[
            &["snippet", "shop.json"],
            &service[..],
            &["--file-name", "3f2a9c.js", "--integrity", "md5-x"],
        ]
        .concat(),
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: `--integrity md5-x` is not the hash of a script

            hint: use `sha384-` and the hash in base64, as `GET /core/web-widgets/{id}/snippet` returns it
        "#]],
    );
    folder.check(
        &["snippet", "shop.json"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: this command asks a service, and you are not logged in

            hint: `widget login` asks for the service and a key; in scripts, set `WIDGET_SERVICE` and `WIDGET_API_KEY`
        "#]],
    );
    folder.check(
        &["snippet", "shop.json", "--service", "not a host"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: `--service`: `https://not a host` cannot be the address of a service; use one such as `https://widgets.example`

            hint: use the address under which browsers reach the service, which is its `WIDGET_PUBLIC_URL`
        "#]],
    );
}

/// A list that is newer than the one compiled in: `acme.example` has customers on its subdomains.
const NEWER_LIST: &str = "// ===BEGIN ICANN DOMAINS===\nexample\n// ===END ICANN DOMAINS===\n\
    // ===BEGIN PRIVATE DOMAINS===\nacme.example\n// ===END PRIVATE DOMAINS===\n";

/// The entries that `explain` advises to add for a page.
#[track_caller]
fn advised(folder: &Folder, page: &str, list: &[&str]) -> Vec<String> {
    let arguments = ["explain", "page.json", "--page", page, "--output", "json"];
    let output = folder.command(&[&arguments, list].concat()).output();
    let json: serde_json::Value =
        serde_json::from_slice(&output.expect("a run").stdout).expect("JSON");
    let hint = json["hint"].as_str().expect("a hint");
    let quoted = hint.split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

#[test]
fn no_advice_is_refused_by_the_suffix_list_in_use() {
    let listed = SHOP.replace("https://*.acme.example", "https://a.acme.example");
    let folder = Folder::new()
        .with("page.json", listed)
        .with("list.dat", NEWER_LIST);
    let valid = |entry: &str, list: &[&str]| {
        let widget = SHOP.replace("https://*.acme.example", entry);
        let folder = Folder::new()
            .with("widget.json", widget)
            .with("list.dat", NEWER_LIST);
        let mut command = folder.command(&[&["validate", "widget.json"], list].concat());
        command.output().expect("a run").status.success()
    };
    let newer = ["--suffix-list", "list.dat"];
    let page = "https://b.acme.example";
    let pattern = "https://*.acme.example";

    assert_eq!(advised(&folder, page, &[]), [page, pattern]);
    assert!(valid(pattern, &[]));
    assert!(!valid(pattern, &newer));

    for page in [
        page,
        "https://c.b.acme.example",
        "https://d.a.acme.example",
        "http://acme.example",
    ] {
        let advised = advised(&folder, page, &newer);
        assert!(!advised.is_empty(), "{page}");
        for entry in advised {
            assert!(valid(&entry, &newer), "{page}: {entry}");
        }
    }
}

/// A record of the shop with further members.
fn shop_with(members: &str) -> Folder {
    let record = SHOP.trim_end().strip_suffix('}').expect("an object");
    Folder::new().with("shop.json", format!("{record}, {members}}}"))
}

#[test]
fn a_deleted_widget_and_each_hint() {
    let folder = shop_with(r#""deleted_at": "2026-11-28T13:00:42.899073Z", "deleted_by": "Iz-R5""#);
    folder.check(
        &["explain", "shop.json", "--page", "https://www.shop.exmple"],
        &expect![[r#"
            exit 1
            ---- stdout ----
            Widget 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b is not shown on https://www.shop.exmple

              ✓ the page's origin is `https://www.shop.exmple`
              ✓ the widget is `0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b`
              ✗ the widget was deleted on 2026-11-28
              ✓ the widget is published
              ✓ the pinned version `0197a8b2-0000-7000-8000-000000000002` is a published one of the agent
                (assumed, because the file does not say it; set it with `--agent-version`)
              ✗ `https://www.shop.exmple` is not on the list of domains

            nearest: `https://www.shop.example` is listed, `https://www.shop.exmple` is not: the spelling differs

            hint: restore the widget with `POST /core/web-widgets/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b/restore`, and publish it again

            hint: check the spelling of the page, because `https://www.shop.example` is listed; only if this is your site, add `https://www.shop.exmple`
        "#]],
    );
    folder.check(
        &["validate", "shop.json"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        ✓ 1 file is valid; 1 warning (`widget lint` shows them)
    "#]],
    );
    folder.check(
        &[
            "explain",
            "shop.json",
            "--page",
            "https://www.shop.example",
            "--output",
            "json",
        ],
        &expect![[r#"
            exit 1
            ---- stdout ----
            {"widget_id":"0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b","page":"https://www.shop.example","verdict":"not_shown","origin":"https://www.shop.example","code":"widget_deleted","steps":[{"code":"origin","ok":true,"detail":"the page's origin is `https://www.shop.example`"},{"code":"widget_found","ok":true,"detail":"the widget is `0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b`"},{"code":"widget_deleted","ok":false,"detail":"the widget was deleted on 2026-11-28","hint":"restore the widget with `POST /core/web-widgets/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b/restore`, and publish it again"},{"code":"published","ok":true,"detail":"the widget is published"},{"code":"version_published","ok":true,"detail":"the pinned version `0197a8b2-0000-7000-8000-000000000002` is a published one of the agent"},{"code":"origin_listed","ok":true,"detail":"`https://www.shop.example` is allowed by the entry `https://www.shop.example`"}],"nearest":null,"hint":"restore the widget with `POST /core/web-widgets/0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b/restore`, and publish it again","notes":[{"code":"framed_page","detail":"when the page is itself inside a frame of another site, the window stays blank: browsers check every page around it","hint":"open the page by itself"}],"host_page_policy":null,"assumptions":["the pinned agent version is published"]}
        "#]],
    );
}

#[test]
fn the_warnings_of_a_write_say_the_state_of_the_version() {
    let folder = shop_with(r#""warnings": [{"code": "agent_version_draft", "detail": "…"}]"#);
    let explain = ["explain", "shop.json", "--page", "https://www.shop.example"];
    folder.check(
        &explain,
        &expect![[r#"
        exit 1
        ---- stdout ----
        Widget 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b is not shown on https://www.shop.example

          ✓ the page's origin is `https://www.shop.example`
          ✓ the widget is `0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b`
          ✓ the widget is published
          ✗ the version `0197a8b2-0000-7000-8000-000000000002` is a draft
          ✓ `https://www.shop.example` is allowed by the entry `https://www.shop.example`

        hint: publish the version, or pin one that is published
    "#]],
    );
    folder.check(
        &[&explain[..], &["--agent-version", "published"]].concat(),
        &expect![[r#"
            exit 0
            ---- stdout ----
            Widget 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b is shown on https://www.shop.example

              ✓ the page's origin is `https://www.shop.example`
              ✓ the widget is `0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b`
              ✓ the widget is published
              ✓ the pinned version `0197a8b2-0000-7000-8000-000000000002` is a published one of the agent
              ✓ `https://www.shop.example` is allowed by the entry `https://www.shop.example`

            note: when the page is itself inside a frame of another site, the window stays blank: browsers check every page around it

            hint: if the page has its own policies, `--service URL` prints what they must allow
        "#]],
    );
    shop_with(r#""warnings": "none""#).check(&explain, &expect![[r#"
        exit 1
        ---- stderr ----
        error[type_invalid]: `warnings` must be a list of warnings, as the API returns it, not `"none"`
          --> shop.json:11:15
           |
        11 | , "warnings": "none"}
           |               ^^^^^^ /warnings

    "#]]);
}

#[test]
fn a_history_is_not_a_widget() {
    let entry =
        format!(r#"{{"number": 1, "created_at": "2026-11-28T13:00:42Z", "web_widget": {SHOP}}}"#);
    let folder = Folder::new().with("history.json", format!("[{entry}, {entry}]"));
    folder.check(
        &[
            "explain",
            "history.json",
            "--page",
            "https://www.shop.example",
        ],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error[history_document]: this is the history of a widget; save the `web_widget` of one entry
            --> history.json

            hint: for the newest entry: `jq '.[0].web_widget' FILE > widget.json`

        "#]],
    );
}

#[test]
fn an_id_is_not_a_file() {
    shop().check(
        &[
            "explain",
            "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b",
            "--page",
            "https://www.shop.example",
        ],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: this command asks a service, and you are not logged in

            hint: `widget login` asks for the service and a key; in scripts, set `WIDGET_SERVICE` and `WIDGET_API_KEY`
        "#]],
    );
}

#[test]
fn a_name_that_looks_alike_and_a_file() {
    let folder = shop();
    folder.check(
        &["explain", "shop.json", "--page", "https://www.sh0p.example"],
        &expect![[r#"
            exit 1
            ---- stdout ----
            Widget 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b is not shown on https://www.sh0p.example

              ✓ the page's origin is `https://www.sh0p.example`
              ✓ the widget is `0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b`
              ✓ the widget is published
              ✓ the pinned version `0197a8b2-0000-7000-8000-000000000002` is a published one of the agent
                (assumed, because the file does not say it; set it with `--agent-version`)
              ✗ `https://www.sh0p.example` is not on the list of domains

            nearest: `https://www.shop.example` is listed, `https://www.sh0p.example` is not: the page's name only looks alike and is another site

            hint: open the page under the name that is listed, `https://www.shop.example`
        "#]],
    );
    folder.check(
        &["explain", "shop.json", "--page", "file:///tmp/shop.html"],
        &expect![[r#"
            exit 1
            ---- stdout ----
            Widget 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b is not shown on file:///tmp/shop.html

              ✗ the page's address cannot be read: the scheme `file` cannot hold a page with a widget; only `https` and `http` can
              ✓ the widget is `0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b`
              ✓ the widget is published
              ✓ the pinned version `0197a8b2-0000-7000-8000-000000000002` is a published one of the agent
                (assumed, because the file does not say it; set it with `--agent-version`)

            hint: the page must be served by a web server: write `https://` and its host
        "#]],
    );
}

#[test]
fn a_service_has_a_host_of_its_own() {
    let folder = shop();
    let service = "https://shop.example/widgets";
    folder.check(
        &["snippet", "shop.json", "--service", service],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: `--service`: `https://shop.example/widgets` must have nothing after its host; use `https://shop.example`, a host of the service's own

            hint: use the address under which browsers reach the service, which is its `WIDGET_PUBLIC_URL`
        "#]],
    );
    folder.check(
        &[
            "explain",
            "shop.json",
            "--page",
            "a.example",
            "--service",
            service,
        ],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: `--service`: `https://shop.example/widgets` must have nothing after its host; use `https://shop.example`, a host of the service's own

            hint: use the address under which browsers reach the service, which is its `WIDGET_PUBLIC_URL`
        "#]],
    );
}

#[test]
fn a_widget_that_the_service_could_not_read() {
    let unreadable = r#"[{"pointer": "/config", "code": "config_unreadable", "detail": "x"}]"#;
    let widget =
        format!(r#"{{"id": "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b", "unreadable": {unreadable}}}"#);
    Folder::new().with("widget.json", widget).check(
        &[
            "explain",
            "widget.json",
            "--page",
            "https://www.shop.example",
        ],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error[config_unreadable]: the service could not read `/config`: x
             --> widget.json:1:1
              |
            1 | {"id": "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b", "unreadable": [{"pointer": "/config", "code": "config_unreadable",...
              | ^ /config

            hint: restore a revision, or send the field again with `PATCH`

            error[key_missing]: the record has no `agent_id`, and every widget needs one
             --> widget.json:1:1
              |
            1 | {"id": "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b", "unreadable": [{"pointer": "/config", "code": "config_unreadable",...
              | ^ /agent_id

            error[key_missing]: the record has no `agent_version_id`, and every widget needs one
             --> widget.json:1:1
              |
            1 | {"id": "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b", "unreadable": [{"pointer": "/config", "code": "config_unreadable",...
              | ^ /agent_version_id

        "#]],
    );
}
