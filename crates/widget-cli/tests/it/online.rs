//! Commands that ask a service, with a real one.

mod agents;
mod conflicts;
pub(crate) mod conversations;
mod create;
mod domains;
mod edit;
mod interrupt;
mod look;
mod numbers;
mod plans;
mod preview;
mod set;
mod table;
mod tls;
mod versions;

use std::{
    fs,
    sync::{Arc, Mutex},
};

use axum::response::IntoResponse;
use expect_test::expect;
use serde_json::json;
use widget_api::WidgetPatch;

use crate::{
    Folder,
    faults::{FaultServer, Forwarder},
    outcome,
    service::{Service, block_on},
};

#[test]
fn without_a_profile() {
    let folder = Folder::new();
    let mut command = folder.command(&["list"]);
    command.env("XDG_CONFIG_HOME", folder.path());
    expect![[r#"
        exit 2
        ---- stderr ----
        error: this command asks a service, and you are not logged in

        hint: `widget login` asks for the service and a key; in scripts, set `WIDGET_SERVICE` and `WIDGET_API_KEY`
    "#]].assert_eq(&outcome(&mut command));
}

#[test]
fn log_in_and_out() {
    let mut service = Service::start();
    let folder = Folder::new();
    service.mask(folder.path().display().to_string(), "HOME");
    let run = |arguments: &[&str], input: &str, expected: &expect_test::Expect| {
        let mut command = folder.command(arguments);
        command
            .env("XDG_CONFIG_HOME", folder.path())
            .write_stdin(input.to_owned());
        service.check_command(&mut command, expected);
    };
    let url = service.url();
    let key = service.key.clone();
    run(
        &["login", "--service", &url],
        "ak_wrong.key\n",
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: the service does not accept the API key

            hint: it may be of another service, expired or revoked; `widget login` asks for one
        "#]],
    );
    run(
        &["login", "--service", &url],
        &format!("{key}\n"),
        &expect![[r#"
            exit 0
            ---- stderr ----
            ✓ logged in to http://SERVICE as acme with the key tests (KEY-tests); the key is in `HOME/widget/keys/default`, which only you can read
        "#]],
    );
    run(
        &["whoami"],
        "",
        &expect![[r#"
            exit 0
            ---- stdout ----
            organization  acme
            key  tests (KEY-tests)
            scopes  web_widgets:manage, agents:manage, api_keys:manage, conversations:manage, limits:manage
            expires  never
            service  http://SERVICE, version 0.1.0
            profile  default
        "#]],
    );
    run(
        &["profiles"],
        "",
        &expect![[r#"
            exit 0
            ---- stdout ----
            PROFILE  SERVICE  KEY
            default  http://SERVICE  `HOME/widget/keys/default`, which only you can read
        "#]],
    );
    run(
        &["whoami", "--profile", "staging"],
        "",
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: there is no profile `staging`

        hint: there are `default`
    "#]],
    );
    let kept = folder.path().join("widget/keys/default");
    assert_eq!(fs::read_to_string(&kept).expect("a key"), key);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&kept).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    run(
        &["logout"],
        "",
        &expect![[r#"
        exit 0
        ---- stderr ----
        logged out of http://SERVICE; the key stays valid until it is revoked
    "#]],
    );
    assert!(!kept.exists());
    run(
        &["logout"],
        "",
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: there is no profile `default`

        hint: `widget profiles` shows them
    "#]],
    );
}

/// The key of a profile goes to no other service.
#[test]
fn a_profile_is_for_its_service() {
    let service = Service::start();
    let folder = Folder::new();
    let command = |arguments: &[&str]| {
        let mut command = folder.command(arguments);
        command.env("XDG_CONFIG_HOME", folder.path());
        command
    };
    let login = ["login", "--service", &service.url()];
    let text = outcome(command(&login).write_stdin(service.key.clone()));
    assert!(text.starts_with("exit 0\n"), "{text}");
    let mut list = command(&["list"]);
    list.env("WIDGET_SERVICE", "http://127.0.0.1:9");
    service.check_command(&mut list, &expect![[r#"
        exit 2
        ---- stderr ----
        error: `WIDGET_SERVICE` is `http://127.0.0.1:9`, and the key of the profile `default` is only for `http://SERVICE`

        hint: set `WIDGET_API_KEY` to a key of that service, or unset `WIDGET_SERVICE`
    "#]]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "snapshots are long")]
fn look_at_widgets() {
    let mut service = Service::start();
    service.check(
        &["list"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        no widgets
    "#]],
    );
    let shop = service.create_widget("shop", &["https://shop.example"]);
    let blog = service.create_widget(
        "blog",
        &["https://a.example", "https://b.example", "c.example"],
    );
    for (name, id) in [("SHOP", shop.id), ("BLOG", blog.id)] {
        // Both have the same first characters, because they were made in the same minute.
        let id = id.to_string();
        let length = shop
            .id
            .to_string()
            .bytes()
            .zip(blog.id.to_string().bytes())
            .take_while(|(left, right)| left == right)
            .count()
            + 1;
        let short = id[..length.max(8)].to_owned();
        service.mask(short, format!("SHORT-{name}"));
    }
    service.check(
        &["list"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ID  TITLE  STATE  AGENT  DOMAINS  UPDATED
            SHORT-BLOG  Ask blog  unpublished  agent of blog 1  https://a.example, https://b.example and 1 more  TIME
            SHORT-SHOP  Ask shop  unpublished  agent of shop 1  https://shop.example  TIME
            ---- stderr ----
            2 widgets
        "#]],
    );
    service.check(
        &["list", "--output", "table", "--limit", "1"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ID  TITLE  STATE  AGENT  DOMAINS  UPDATED
            WIDGET-BLOG  Ask blog  unpublished  agent of blog 1  https://a.example, https://b.example, https://c.example  TIME
            ---- stderr ----
            1 widget
        "#]],
    );
    service.check(
        &[
            "list",
            "--output",
            "json",
            "--domain",
            "https://shop.example",
        ],
        &expect![[r#"
            exit 0
            ---- stdout ----
            {"id":"WIDGET-SHOP","organization_id":"acme","agent_id":"AGENT-SHOP","agent_version_id":"VERSION-SHOP","domains":["https://shop.example"],"published":false,"config":{"v1":{"chat":{"title":"Ask shop"}}},"created_at":"TIME","updated_at":"TIME","title":"Ask shop","state":"unpublished","blockers":[{"code":"not_published","pointer":"/published","detail":"the widget is not published","hint":"set `published` to true"}],"agent_name":"agent of shop","agent_version_number":1,"agent_version_label":null,"revision":1}
        "#]],
    );
    let id = shop.id.to_string();
    service.check(&["show", &id], &expect![[r#"
        exit 0
        ---- stdout ----
        id  WIDGET-SHOP
        title  Ask shop
        published  no
        domains  https://shop.example
        agent  agent of shop (AGENT-SHOP)
        version  1 (VERSION-SHOP)
        created  TIME
        updated  TIME
        config  {
                     "v1": {
                       "chat": {
                         "title": "Ask shop"
                       }
                     }
                   }

        ✗ the widget is not published
          hint: `widget publish WIDGET-SHOP` publishes it
        ! no worker named `shop` has joined a room yet
          hint: normal before the first conversation; otherwise compare the worker's name
        ! `https://shop.example` is listed, `https://www.shop.example` is not; they are different sites
          hint: add `https://www.shop.example` if the page can be reached there too: `widget domains WIDGET-SHOP add https://www.shop.example`
    "#]]);
    service.check(
        &["show", &id, "--output", "yaml"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        ---
        id: WIDGET-SHOP
        organization_id: acme
        agent_id: AGENT-SHOP
        agent_version_id: VERSION-SHOP
        domains:
        - https://shop.example
        published: false
        config:
          v1:
            chat:
              title: Ask shop
        created_at: "TIME"
        updated_at: "TIME"
    "#]],
    );
    service.check(
        &["history", &id],
        &expect![[r#"
            exit 0
            ---- stdout ----
            1  TIME  tests (KEY-tests)  created
        "#]],
    );
    service.check(
        &["show", &format!("{id}@7")],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: widget WIDGET-SHOP has no revision 7

        hint: `widget history WIDGET-SHOP` shows its revisions
    "#]],
    );
    service.check(
        &["show", "ffff"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: no widget has an id that begins with `ffff`

        hint: `widget list` shows the widgets
    "#]],
    );
    // The ids of a part of the list are unambiguous among all.
    let mut short = String::new();
    for title in ["shop", "blog"] {
        let folder = Folder::new();
        let arguments = ["list", "--title", title];
        short += &outcome(&mut service.command(&folder, &arguments));
    }
    expect![[r#"
        exit 0
        ---- stdout ----
        ID  TITLE  STATE  AGENT  DOMAINS  UPDATED
        SHORT-SHOP  Ask shop  unpublished  agent of shop 1  https://shop.example  TIME
        ---- stderr ----
        1 widget
        exit 0
        ---- stdout ----
        ID  TITLE  STATE  AGENT  DOMAINS  UPDATED
        SHORT-BLOG  Ask blog  unpublished  agent of blog 1  https://a.example, https://b.example and 1 more  TIME
        ---- stderr ----
        1 widget
    "#]].assert_eq(&service.masked(&short));
    service.check(&["show", "missing.json"], &expect![[r#"
        exit 2
        ---- stderr ----
        error: `missing.json` is neither a file that exists, nor a widget's id or the beginning of one, nor the address of a page

        hint: `widget list` shows the widgets, and `widget list --title missing.json` those with this in their title
    "#]]);
    // Both begin so.
    service.check(
        &["show", &id[..4]],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: `01a2` is the beginning of 2 widgets' ids; use more of it:
          SHORT-BLOG "Ask blog"
          SHORT-SHOP "Ask shop"
    "#]],
    );
    // One digit is wrong.
    let last = if id.ends_with('0') { "1" } else { "0" };
    let wrong = format!("{}{last}", &id[..35]);
    service.mask(wrong.clone(), "WRONG");
    service.check(
        &["show", &wrong],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error: there is no widget WRONG

            hint: did you mean WIDGET-SHOP "Ask shop"?
        "#]],
    );
}

#[test]
fn publish_and_unpublish() {
    let mut service = Service::start();
    let widget = service.create_widget("shop", &["https://shop.example"]);
    let id = widget.id.to_string();
    service.check(
        &["publish", &id],
        &expect![[r#"
            exit 2
            ---- stdout ----
            ~ /published: false -> true
            ! visitors of 1 listed site see it within 5 s
            ---- stderr ----
            error: a change needs an answer, and there is no terminal to ask at; nothing was written

            hint: `widget publish WIDGET-SHOP --yes` makes it without asking
        "#]],
    );
    service.check(
        &["publish", &id, "--dry-run"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ~ /published: false -> true
            ! visitors of 1 listed site see it within 5 s
            ---- stderr ----
            nothing was written (--dry-run)
        "#]],
    );
    service.check(
        &["publish", &id, "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ~ /published: false -> true
            ! visitors of 1 listed site see it within 5 s
            ✓ widget WIDGET-SHOP is published; this is revision 2
            ---- stderr ----
            warning: no worker named `shop` has joined a room yet
              hint: normal before the first conversation; otherwise compare the worker's name
        "#]],
    );
    service.check(
        &["publish", &id, "--yes"],
        &expect![[r#"
            exit 0
            ---- stderr ----
            widget WIDGET-SHOP is published already; nothing was written
        "#]],
    );
    service.check(
        &["unpublish", &id, "--yes", "--output", "json"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            {"widget_id":"WIDGET-SHOP","written":true,"revision":3,"changes":[{"pointer":"/published","change":"replaced","from":true,"to":false}],"effects":["visitors stop seeing it within 5 s"],"warnings":[]}
            ---- stderr ----
            ~ /published: true -> false
            ! visitors stop seeing it within 5 s
        "#]],
    );
    service.check(
        &["history", &id, "--limit", "2"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            3  TIME  tests (KEY-tests)
               ~ /published: true -> false
               ! no site showed it anymore
            2  TIME  tests (KEY-tests)
               ~ /published: false -> true
               ! 1 site showed it
        "#]],
    );

    let reader = service.create_key("reader", &["web_widgets:read"]);
    let folder = Folder::new();
    let mut command = service.command(&folder, &["publish", &id, "--yes"]);
    command.env("WIDGET_API_KEY", reader);
    service.check_command(
        &mut command,
        &expect![[r#"
            exit 2
            ---- stdout ----
            ~ /published: false -> true
            ! visitors of 1 listed site see it within 5 s
            ---- stderr ----
            error: this needs a key with the scope `web_widgets:manage`

            hint: `widget whoami` shows what the key may do
        "#]],
    );
}

/// A page names its widget.
#[test]
fn pages_name_widgets() {
    let mut service = Service::start();
    let widget = service.create_widget("shop", &["https://shop.example"]);
    let html = format!(
        "<html><script async src=\"{}/public/embed/{}\"></script>",
        service.url(),
        widget.id
    );
    let page = crate::faults::FaultServer::start(move |_, request| {
        use axum::response::IntoResponse;
        // No page gets the key.
        let has_key = request.headers().contains_key("authorization");
        let html = if has_key {
            "a key".to_owned()
        } else {
            html.clone()
        };
        let found = request.uri().path() == "/cart";
        std::future::ready(if found {
            axum::response::Html(html).into_response()
        } else {
            axum::response::Html("<html>").into_response()
        })
    });
    service.mask(page.address.to_string(), "PAGE");
    let address = |path: &str| format!("http://{}{path}", page.address);
    service.check(
        &["history", &address("/cart")],
        &expect![[r#"
            exit 0
            ---- stdout ----
            1  TIME  tests (KEY-tests)  created
        "#]],
    );
    service.check(
        &["history", &address("/")],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error: `http://PAGE/` has no snippet of a widget

            hint: a tag manager may add it; `widget list --domain http://PAGE` shows the widgets of this site, and `widget doctor http://PAGE/` what is wrong with the page
        "#]],
    );
}

/// Somebody else is faster between reading and writing.
#[test]
fn a_conflict_writes_nothing() {
    let mut service = Service::start();
    let widget = service.create_widget("shop", &["https://shop.example"]);
    let upstream = service.client();
    let id = widget.id;
    // Stands between the command and the service, and changes the widget before the change.
    let proxy = crate::faults::Forwarder::start(service.url(), move |request| {
        let upstream = upstream.clone();
        let is_change = request.method() == "PUT";
        async move {
            if is_change {
                let patch = WidgetPatch {
                    domains: Some(vec!["https://other.example".to_owned()]),
                    ..WidgetPatch::default()
                };
                let changed = upstream.update_web_widget(id, None, &patch).await;
                changed.expect("it is changed");
            }
        }
    });
    let folder = Folder::new();
    let mut command = service.command(&folder, &["publish", &id.to_string(), "--yes"]);
    command.env("WIDGET_SERVICE", proxy.url());
    service.check_command(
        &mut command,
        &expect![[r#"
            exit 1
            ---- stdout ----
            ~ /published: false -> true
            ! visitors of 1 listed site see it within 5 s
            ---- stderr ----
            error: somebody else changed widget WIDGET-SHOP in the meantime; nothing was written

            their change:
              - /domains: "https://shop.example"
              + /domains: "https://other.example"
            your change:
              ~ /published: false -> true

            enter the command again to make your change on top of theirs
        "#]],
    );
    let now = block_on(service.client().get_web_widget(id)).expect("a widget");
    let now = serde_json::to_value(now.value).expect("JSON");
    assert_eq!(now["published"], false);
}

/// What does not fit a terminal is cut or left out; ids are whole.
#[test]
fn lists_fit_the_terminal() {
    let mut service = Service::start();
    let domains = [
        "https://www.shop.example",
        "https://a.example",
        "https://b.example",
    ];
    let widget = service.create_widget("the shop about everything that we sell", &domains);
    let id = widget.id.to_string();
    let folder = Folder::new();
    let publish = ["publish", &id, "--yes"];
    assert!(outcome(&mut service.command(&folder, &publish)).starts_with("exit 0"));
    let mut shown = String::new();
    for width in [80, 120, 200] {
        let mut command = service.command(&folder, &["list"]);
        let text = outcome(command.env("COLUMNS", width.to_string()));
        let text = text.replace(&id[..8], "0197a8b2");
        let text = crate::service::mask_times(&text).replace("TIME", "2026-11-24 09:30:00Z");
        for line in text.lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
        shown += &text;
    }
    expect![[r#"
        exit 0
        ---- stdout ----
        ID        TITLE                 STATE  AGENT                 DOMAINS
        0197a8b2  Ask the shop about …  live   agent of the shop a…  https://www.shop.e…
        ---- stderr ----
        1 widget
        exit 0
        ---- stdout ----
        ID        TITLE                       STATE  AGENT                       DOMAINS                    UPDATED
        0197a8b2  Ask the shop about everyt…  live   agent of the shop about e…  https://www.shop.example…  2026-11-24 09:30:00Z
        ---- stderr ----
        1 widget
        exit 0
        ---- stdout ----
        ID        TITLE                                       STATE  AGENT                                              DOMAINS                                                 UPDATED
        0197a8b2  Ask the shop about everything that we sell  live   agent of the shop about everything that we sell 1  https://www.shop.example, https://a.example and 1 more  2026-11-24 09:30:00Z
        ---- stderr ----
        1 widget
    "#]].assert_eq(&shown);
}

/// A folder is no widget, whatever its name is.
#[test]
fn folders_have_any_name() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let (whole, beginning) = (id.to_string(), id.to_string()[..13].to_owned());
    let folder = Folder::new()
        .with(&format!("{whole}/a.txt"), "")
        .with(&format!("{beginning}/a.txt"), "")
        .with("shops/a.txt", "");
    for name in [&whole, &beginning] {
        let text = outcome(&mut service.command(&folder, &["show", name]));
        assert!(text.starts_with("exit 0\n"), "{text}");
    }
    let text = outcome(&mut service.command(&folder, &["show", "shops"]));
    assert!(
        text.contains("`shops` is a folder; name one file in it"),
        "{text}"
    );
}

/// The service gets no more of the address of a page than it needs.
#[test]
fn secrets_of_a_page_are_not_sent() {
    let mut service = Service::start();
    let widget = service.create_widget("shop", &["https://shop.example"]);
    service.publish(&widget);
    let id = widget.id.to_string();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let proxy = Forwarder::start(service.url(), {
        let asked = Arc::clone(&asked);
        move |request| {
            let address = request.uri().to_string();
            asked.lock().expect("a list").push(address);
            std::future::ready(())
        }
    });
    let folder = Folder::new();
    let long = format!("https://shop.example/cart?secret={}", "a".repeat(3000));
    for page in [
        "https://shop.example/cart?token=secret#secret",
        "https://ann:secret@shop.example/cart?token=secret",
        &long,
    ] {
        let mut command = service.command(&folder, &["explain", &id, "--page", page]);
        command.env("WIDGET_SERVICE", proxy.url());
        let text = outcome(&mut command);
        assert!(text.starts_with("exit 0\n"), "{text}");
    }
    let asked = asked.lock().expect("a list");
    let mut explained = asked.iter().filter(|address| address.contains("/explain"));
    assert_eq!(explained.clone().count(), 3, "{asked:?}");
    assert!(
        explained.all(|address| !address.contains("secret")),
        "{asked:?}"
    );
}

/// Programs get the faults of a file in the form that is written down, from every command.
#[test]
fn invalid_files_are_shown_to_programs() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let id = id.to_string();
    let config = r#"{"v1": {"theme": 5}}"#;
    let folder = Folder::new()
        .with("config.json", config)
        .with(
            "widget.json",
            format!(r#"{{"id": "{id}", "config": {config}}}"#),
        )
        .with(
            "widgets/a.json",
            format!(r#"{{"id": "{id}", "config": {config}}}"#),
        );
    let agent = "agent of shop";
    let commands: [&[&str]; 4] = [
        &["create", "--agent", agent, "--file", "widget.json", "--yes"],
        &["preview", &id, "--config", "config.json"],
        &["export", "widgets"],
        &["doctor", "widget.json", "--page", "http://127.0.0.1:9/"],
    ];
    for arguments in commands {
        let arguments = [arguments, &["--output", "json"]].concat();
        let text = outcome(&mut service.command(&folder, &arguments));
        assert!(text.contains(r#""valid":false"#), "{arguments:?}: {text}");
    }
}

/// The name of a key is shown as a text, whatever is in it.
#[test]
fn names_of_keys_are_printable() {
    let server = FaultServer::start(|_, _| {
        let whoami = json!({
            "organization_id": "acme", "api_key": {"id": "k1", "name": "te\u{1b}[2Jsts"},
            "scopes": [], "expires_at": null, "version": "9.9.9",
        });
        std::future::ready(axum::Json(whoami).into_response())
    });
    let folder = Folder::new();
    let url = format!("http://{}", server.address);
    let mut command = folder.command(&["login", "--service", &url]);
    let text = outcome(command.write_stdin("ak_test.secret\n"));
    assert!(text.starts_with("exit 0\n"), "{text}");
    assert!(text.contains("the key te\\u{1b}[2Jsts (k1)"), "{text}");
}
