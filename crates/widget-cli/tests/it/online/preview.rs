//! `widget preview`.

use expect_test::expect;

use crate::{Folder, outcome, service::Service};

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
              SHORT  (ends TIME)
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
    "#]],
    );
    check(
        &["--list"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        no preview
    "#]],
    );
}
