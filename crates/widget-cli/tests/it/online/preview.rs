//! `widget preview`.

use expect_test::expect;

use crate::{
    Folder,
    faults::{FaultServer, problem},
    outcome,
    service::Service,
};

#[test]
#[expect(clippy::too_many_lines, reason = "snapshots are long")]
fn links_of_drafts() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let id = id.to_string();
    let folder = Folder::new()
        .with("draft.yaml", "v1: {chat: {title: Draft}}\n")
        .with("faulty.yaml", "v1: {theme: Dark}\n");
    let run = |service: &Service, arguments: &[&str]| {
        let words: Vec<&str> = ["preview", &id]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        outcome(&mut service.command(&folder, &words))
    };
    let created = run(&service, &["--config", "draft.yaml", "--output", "json"]);
    let body = created.lines().nth(2).expect("an answer");
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    let (preview, url) = (&body["id"], &body["url"]);
    let preview = preview.as_str().expect("an id").to_owned();
    let url = url.as_str().expect("a link").to_owned();
    assert!(url.starts_with(&service.url()), "{url}");
    service.mask(preview.clone(), "PREVIEW");
    service.mask(preview.get(..8).expect("long enough"), "PREVIEW");
    service.mask(url, "LINK");
    expect![[r#"
        exit 0
        ---- stdout ----
        {"id":"PREVIEW","url":"LINK","expires_at":"TIME"}
    "#]]
    .assert_eq(&service.masked(&created));
    let check = |arguments: &[&str], expected: &expect_test::Expect| {
        let words: Vec<&str> = ["preview", &id]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        service.check_command(&mut service.command(&folder, &words), expected);
    };
    check(
        &["--list"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ID  UPDATED  ENDS
            PREVIEW  TIME  TIME
        "#]],
    );
    check(
        &["--config", "faulty.yaml"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error[value_not_allowed]: `"Dark"` is not allowed; `theme` must be one of `system`, `light`, `dark`
         --> faulty.yaml:1:13
          |
        1 | v1: {theme: Dark}
          |  ^^^^ /config/v1/theme

        hint: did you mean `dark`?

    "#]],
    );
    check(
        &["--for", "1"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: invalid value '1' for '--for <DURATION>': a link lasts from 1m to 30d

        For more information, try '--help'.
    "#]],
    );
    check(
        &["--for", "soon"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: invalid value 'soon' for '--for <DURATION>': write how long, such as `30m`, `2h` or `7d`

        For more information, try '--help'.
    "#]],
    );
    for screen in ["phone", "desktop"] {
        let text = run(&service, &["--site", screen, "--output", "json"]);
        let body = text.lines().nth(2).expect("an answer");
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        let url = body["url"].as_str().expect("a link");
        assert!(url.ends_with(&format!("?site={screen}")), "{url}");
        let ended = run(
            &service,
            &["--end", body["id"].as_str().expect("an id"), "--yes"],
        );
        assert!(ended.starts_with("exit 0"), "{ended}");
    }
    check(
        &["--site", "tablet"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: invalid value 'tablet' for '--site <SCREEN>'
          [possible values: phone, desktop]

        For more information, try '--help'.
    "#]],
    );
    let ends = |life: &str| {
        let text = run(&service, &["--for", life, "--output", "json"]);
        let body = text.lines().nth(2).expect("an answer");
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        let ended = run(
            &service,
            &["--end", body["id"].as_str().expect("an id"), "--yes"],
        );
        assert!(ended.starts_with("exit 0"), "{ended}");
        body["expires_at"].as_str().expect("a time").to_owned()
    };
    // RFC 3339 in UTC sorts as text.
    assert!(ends("30m") < ends("2h") && ends("2h") < ends("7d"));
    check(
        &["--dry-run"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        would create a link to a draft of widget WIDGET-SHOP, for 1 day
        ---- stderr ----
        nothing was written (--dry-run)
    "#]],
    );
    check(
        &["--dry-run", "--for", "90m"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        would create a link to a draft of widget WIDGET-SHOP, for 90 minutes
        ---- stderr ----
        nothing was written (--dry-run)
    "#]],
    );
    check(
        &["--replace", &preview],
        &expect![[r#"
        exit 2
        ---- stdout ----
        ! open pages of the link follow
        ---- stderr ----
        error: a change needs an answer, and there is no terminal to ask at; nothing was written

        hint: `widget preview WIDGET-SHOP --replace PREVIEW --yes` makes it without asking
    "#]],
    );
    check(
        &["--replace", &preview, "--yes"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        ! open pages of the link follow
        ✓ preview PREVIEW has the new draft
    "#]],
    );
    check(
        &["--end", "ffffffff", "--yes"],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error: widget WIDGET-SHOP has no preview `ffffffff`

            hint: `widget preview WIDGET-SHOP --list` shows them:
              PREVIEW  (ends TIME)
        "#]],
    );
    check(
        &["--end", &preview[..13], "--yes", "--output", "json"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            {"widget_id":"WIDGET-SHOP","preview_id":"PREVIEW","written":true}
            ---- stderr ----
            ! the link shows nothing anymore, and conversations there end
        "#]],
    );
    check(
        &["--end", &preview, "--yes"],
        &expect![[r#"
        exit 1
        ---- stdout ----
        ! the link shows nothing anymore, and conversations there end
        ---- stderr ----
        error: there is no such preview in this organization

        hint: `widget preview WIDGET-SHOP --list` shows those that have not ended
    "#]],
    );
    check(
        &["--replace", &preview, "--yes"],
        &expect![[r#"
        exit 1
        ---- stdout ----
        ! open pages of the link follow
        ---- stderr ----
        error: there is no such preview in this organization

        hint: `widget preview WIDGET-SHOP --list` shows those that have not ended
    "#]],
    );
    check(
        &["--list"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        no previews
    "#]],
    );
}

/// What a person sees who creates a link, and what the browser gets.
#[cfg(unix)]
#[test]
fn a_link_is_shown_and_opened() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let folder = Folder::new();
    let browser = folder.browser();
    let mut command = service.command(&folder, &["preview", &id.to_string(), "--open"]);
    let text = outcome(command.env("BROWSER", &browser));
    let link = folder.opened();
    let preview = text
        .split("--end ")
        .nth(1)
        .and_then(|rest| rest.get(..36))
        .unwrap_or_else(|| panic!("no preview in {text}"))
        .to_owned();
    assert!(link.starts_with(&service.url()), "{link}");
    service.mask(link, "LINK");
    service.mask(preview, "PREVIEW");
    expect![[r#"
        exit 0
        ---- stdout ----
        LINK
        ---- stderr ----
        it ends TIME; to end it now: `widget preview WIDGET-SHOP --end PREVIEW`
    "#]]
    .assert_eq(&service.masked(&text));
}

/// Every way to change a preview, one after the other.
fn run_all(service: &Service, id: &str, build: impl Fn(&[&str]) -> assert_cmd::Command) -> String {
    let preview = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b";
    let commands: [&[&str]; 3] = [
        &["preview", id],
        &["preview", id, "--replace", preview, "--yes"],
        &["preview", id, "--end", preview, "--yes"],
    ];
    let texts = commands.map(|arguments| service.masked(&outcome(&mut build(arguments))));
    texts.concat()
}

#[test]
fn previews_need_a_key_and_a_service() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let id = id.to_string();
    let folder = Folder::new();
    let reader = service.create_key("reader", &["web_widgets:read"]);
    let shown = run_all(&service, &id, |arguments| {
        let mut command = service.command(&folder, arguments);
        command.env("WIDGET_API_KEY", &reader);
        command
    });
    expect![[r#"
        exit 2
        ---- stderr ----
        error: this needs a key with the scope `web_widgets:manage`

        hint: `widget whoami` shows what the key may do
        exit 2
        ---- stdout ----
        ! open pages of the link follow
        ---- stderr ----
        error: this needs a key with the scope `web_widgets:manage`

        hint: `widget whoami` shows what the key may do
        exit 2
        ---- stdout ----
        ! the link shows nothing anymore, and conversations there end
        ---- stderr ----
        error: this needs a key with the scope `web_widgets:manage`

        hint: `widget whoami` shows what the key may do
    "#]]
    .assert_eq(&shown);

    service.kill();
    let shown = run_all(&service, &id, |arguments| {
        let mut command = service.command(&folder, arguments);
        command.args(["--timeout", "5"]);
        command
    });
    expect![[r#"
        exit 2
        ---- stderr ----
        error: cannot connect to `http://SERVICE`: Connection refused (os error 111)

        hint: check the address of the service, and that it runs
        exit 2
        ---- stderr ----
        error: cannot connect to `http://SERVICE`: Connection refused (os error 111)

        hint: check the address of the service, and that it runs
        exit 2
        ---- stderr ----
        error: cannot connect to `http://SERVICE`: Connection refused (os error 111)

        hint: check the address of the service, and that it runs
    "#]]
    .assert_eq(&shown);
}

/// The service answers what is read, and fails at the change.
#[test]
fn previews_of_a_service_that_fails() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let id = id.to_string();
    let failing = FaultServer::start({
        let id = id.clone();
        move |_, request| {
            use axum::response::IntoResponse;
            std::future::ready(if request.method() == "GET" {
                axum::Json(serde_json::json!({
                    "id": id, "organization_id": "acme", "domains": [], "published": false,
                    "config": {}, "agent_id": id, "agent_version_id": id,
                    "created_at": "2026-11-24T03:00:00Z", "updated_at": "2026-11-24T03:00:00Z",
                }))
                .into_response()
            } else {
                problem(500, "internal_error", "the service failed")
            })
        }
    });
    let shown = run_all(&service, &id, |arguments| failing.command(arguments));
    expect![[r#"
        exit 2
        ---- stderr ----
        error: the service failed; the change may have been made

        hint: `widget preview WIDGET-SHOP --list` shows whether it was made; the service's log says more about the request `r1`
        exit 2
        ---- stdout ----
        ! open pages of the link follow
        ---- stderr ----
        error: the service failed; the change may have been made

        hint: `widget preview WIDGET-SHOP --list` shows whether it was made; the service's log says more about the request `r1`
        exit 2
        ---- stdout ----
        ! the link shows nothing anymore, and conversations there end
        ---- stderr ----
        error: the service failed; the change may have been made

        hint: `widget preview WIDGET-SHOP --list` shows whether it was made; the service's log says more about the request `r1`
    "#]]
    .assert_eq(&shown);
}
