//! `widget pin`, `restore`, `delete` and `undelete`.

use expect_test::expect;
use widget_api::agents::{AgentVersion, NewAgentVersion};

use crate::{
    Folder, outcome,
    service::{Service, block_on},
};

/// Adds a version to the agent of a widget.
fn create_version(
    service: &mut Service,
    widget: &widget_api::Widget,
    label: &str,
    is_published: bool,
) -> AgentVersion {
    let client = service.client();
    let version = NewAgentVersion {
        livekit_agent_name: "shop".to_owned(),
        label: Some(label.to_owned()),
    };
    let version = block_on(async {
        let version = client.create_agent_version(widget.agent_id, &version).await;
        let version = version.expect("a version");
        if is_published {
            let published = client.publish_agent_version(widget.agent_id, version.id);
            published.await.expect("it is published");
        }
        version
    });
    service.mask(version.id.to_string(), format!("VERSION-{label}"));
    version
}

#[test]
#[expect(clippy::too_many_lines, reason = "snapshots are long")]
fn pin_a_version() {
    let mut service = Service::start();
    let widget = service.create_widget("shop", &["https://shop.example"]);
    let id = widget.id.to_string();
    create_version(&mut service, &widget, "may", true);
    let draft = create_version(&mut service, &widget, "june", false);
    let shown = outcome(&mut service.command(&Folder::new(), &["show", &id]));
    let newer = "version 2 \"may\" is newer and published";
    assert!(shown.contains(newer), "{shown}");
    service.check(
        &["pin", &id, "--newest", "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ~ /agent_version_id: "VERSION-SHOP" -> "VERSION-may"
            ! the widget is not published, so visitors see nothing of it
            ! version 2 "may" instead of version 1
            ✓ widget WIDGET-SHOP has version 2 "may"; this is revision 2
            ---- stderr ----
            warning: no worker named `shop` has joined a room yet
              hint: normal before the first conversation; otherwise compare the worker's name
        "#]],
    );
    service.check(
        &["pin", &id, "--newest", "--yes"],
        &expect![[r#"
            exit 0
            ---- stderr ----
            widget WIDGET-SHOP has version 2 "may" already; nothing was written
        "#]],
    );
    let shown = outcome(&mut service.command(&Folder::new(), &["show", &id]));
    assert!(!shown.contains("newer"), "{shown}");
    service.check(
        &["history", &id, "--limit", "1"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        2  TIME  tests (KEY-tests)
           ~ /agent_version_id: "VERSION-SHOP" -> "VERSION-may"
             version 1 -> version 2 "may"
    "#]],
    );
    service.check(
        &["pin", &id, "june", "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ~ /agent_version_id: "VERSION-may" -> "VERSION-june"
            ! the widget is not published, so visitors see nothing of it
            ! version 3 "june" instead of version 2 "may"
            ! the version is a draft: the widget is not shown until `widget agents publish AGENT-SHOP VERSION-june`
            ✓ widget WIDGET-SHOP has version 3 "june"; this is revision 3
            ---- stderr ----
            warning: the version `VERSION-june` is a draft
              hint: publish the version, or pin one that is published: `widget agents publish AGENT-SHOP VERSION-june` or `widget pin WIDGET-SHOP --newest`
            warning: no worker named `shop` has joined a room yet
              hint: normal before the first conversation; otherwise compare the worker's name
        "#]],
    );
    service.check(
        &["pin", &id, &draft.id.to_string(), "--yes"],
        &expect![[r#"
            exit 0
            ---- stderr ----
            widget WIDGET-SHOP has version 3 "june" already; nothing was written
        "#]],
    );
    let text = outcome(&mut service.command(&Folder::new(), &["pin", &id, "july"]));
    assert!(
        text.contains("has no version `july`") && text.contains("\"may\"  (published)"),
        "{text}"
    );
    // All ids of one minute begin so.
    let text = outcome(&mut service.command(&Folder::new(), &["pin", &id, &id[..4]]));
    assert!(
        text.contains("names 3 versions; use more of the id of one"),
        "{text}"
    );
    service.check(
        &["pin", &id, "2", "--dry-run"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ~ /agent_version_id: "VERSION-june" -> "VERSION-may"
            ! the widget is not published, so visitors see nothing of it
            ! version 2 "may" instead of version 3 "june"
            ---- stderr ----
            nothing was written (--dry-run)
        "#]],
    );
    service.check(
        &["pin", &id, "JUNE", "--dry-run"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        widget WIDGET-SHOP has version 3 "june" already; nothing was written
    "#]],
    );
    // Each command that names a version finds it in the same way, and says the same of others.
    service.create_widget("blog", &[]);
    for (arguments, expected) in [
        (
            &["agents", "publish", "agent of shop", "jun", "--dry-run"][..],
            expect![[r#"
                exit 1
                ---- stderr ----
                error: agent AGENT-SHOP has no version `jun`

                hint: did you mean `june`?
                `widget agents versions AGENT-SHOP` shows them:
                  SHORT  3  "june"  (draft)
                  SHORT  2  "may"  (published)
                  SHORT  1  (published)
            "#]],
        ),
        (
            &[
                "create",
                "--agent",
                "agent of shop",
                "--version",
                "9",
                "--dry-run",
            ],
            expect![[r#"
                exit 1
                ---- stderr ----
                error: agent AGENT-SHOP has no version `9`

                hint: `widget agents versions AGENT-SHOP` shows them:
                  SHORT  3  "june"  (draft)
                  SHORT  2  "may"  (published)
                  SHORT  1  (published)
            "#]],
        ),
        (
            &["list", "--agent", "agent of shop", "--version", "mai"],
            expect![[r#"
                exit 1
                ---- stderr ----
                error: agent AGENT-SHOP has no version `mai`

                hint: did you mean `may`?
                `widget agents versions AGENT-SHOP` shows them:
                  SHORT  3  "june"  (draft)
                  SHORT  2  "may"  (published)
                  SHORT  1  (published)
            "#]],
        ),
        (
            &["preview", &id, "--version", "jule"],
            expect![[r#"
            exit 1
            ---- stderr ----
            error: agent AGENT-SHOP has no version `jule`

            hint: did you mean `june`?
            `widget agents versions AGENT-SHOP` shows them:
              SHORT  3  "june"  (draft)
              SHORT  2  "may"  (published)
              SHORT  1  (published)
        "#]],
        ),
        (
            &["agents", "versions", "agent of shp", "--output", "json"],
            expect![[r#"
                exit 1
                ---- stderr ----
                error: there is no agent `agent of shp`

                hint: did you mean `agent of shop`?
                `widget agents list` shows them:
                  SHORT  "agent of blog"
                  SHORT  "agent of shop"
            "#]],
        ),
        (
            &["list", "--agent", "agent of stop"],
            expect![[r#"
            exit 1
            ---- stderr ----
            error: there is no agent `agent of stop`

            hint: did you mean `agent of shop`?
            `widget agents list` shows them:
              SHORT  "agent of blog"
              SHORT  "agent of shop"
        "#]],
        ),
    ] {
        let text = outcome(&mut service.command(&Folder::new(), arguments));
        expected.assert_eq(&service.masked(&text));
    }
    // Without the right to see versions an id is enough, and nothing else.
    let key = service.create_key("manager", &["web_widgets:manage"]);
    let pin = |version: &str, expected: &expect_test::Expect| {
        let folder = Folder::new();
        let mut command = service.command(&folder, &["pin", &id, version, "--yes"]);
        service.check_command(command.env("WIDGET_API_KEY", &key), expected);
    };
    pin(
        "may",
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: this needs a key with the scope `agents:read`

        hint: `widget whoami` shows what the key may do
    "#]],
    );
    pin(
        &widget.agent_version_id.to_string(),
        &expect![[r#"
            exit 0
            ---- stdout ----
            ~ /agent_version_id: "VERSION-june" -> "VERSION-SHOP"
            ! the widget is not published, so visitors see nothing of it
            ✓ widget WIDGET-SHOP has the version VERSION-SHOP; this is revision 4
            ---- stderr ----
            warning: no worker named `shop` has joined a room yet
              hint: normal before the first conversation; otherwise compare the worker's name
        "#]],
    );
}

#[test]
fn restore_a_revision() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let id = id.to_string();
    let folder = Folder::new();
    let set = ["set", &id, "/config/v1/theme=dark", "--yes"];
    assert!(outcome(&mut service.command(&folder, &set)).starts_with("exit 0"));
    service.check(
        &["restore", &format!("{id}@1"), "--dry-run"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            - /config/v1/theme: "dark"
            ! the widget is not published, so visitors see nothing of it
            ---- stderr ----
            nothing was written (--dry-run)
        "#]],
    );
    service.check(
        &["restore", &format!("{id}@1"), "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            - /config/v1/theme: "dark"
            ! the widget is not published, so visitors see nothing of it
            ✓ widget WIDGET-SHOP is as in revision 1; this is revision 3
        "#]],
    );
    service.check(
        &["restore", &format!("{id}@1"), "--yes"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        widget WIDGET-SHOP is as in revision 1 already; nothing was written
    "#]],
    );
    service.check(
        &["restore", &format!("{id}@9"), "--yes"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: widget WIDGET-SHOP has no revision 9

        hint: `widget history WIDGET-SHOP` shows its revisions
    "#]],
    );
    service.check(
        &["restore", &id, "--yes"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: `WIDGET-SHOP` does not say which revision to restore

            hint: add it as `@N`, such as `@3`; `widget history WIDGET-SHOP` shows the revisions
        "#]],
    );
    service.check(
        &["history", &id, "--limit", "1"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        3  TIME  tests (KEY-tests), restored from 1
           - /config/v1/theme: "dark"
    "#]],
    );
}

#[test]
fn delete_and_undelete() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let id = id.to_string();
    service.check(
        &["delete", &id],
        &expect![[r#"
            exit 2
            ---- stdout ----
            ! widget WIDGET-SHOP "Ask shop" is deleted
            ! visitors notice nothing of it
            ---- stderr ----
            error: a change needs an answer, and there is no terminal to ask at; nothing was written

            hint: `widget delete WIDGET-SHOP --yes` makes it without asking
        "#]],
    );
    service.check(
        &["delete", &id, "--dry-run"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ! widget WIDGET-SHOP "Ask shop" is deleted
            ! visitors notice nothing of it
            ---- stderr ----
            nothing was written (--dry-run)
        "#]],
    );
    service.check(
        &["delete", &id, "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ! widget WIDGET-SHOP "Ask shop" is deleted
            ! visitors notice nothing of it
            ✓ widget WIDGET-SHOP is deleted
            ---- stderr ----
            `widget undelete WIDGET-SHOP` brings it back
        "#]],
    );
    // A deleted widget cannot be changed or looked at.
    service.check(
        &["delete", &id, "--yes"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: widget WIDGET-SHOP was deleted

        hint: `widget undelete WIDGET-SHOP` brings it back
    "#]],
    );
    service.check(
        &["set", &id, "/config/v1/theme=dark", "--yes"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: widget WIDGET-SHOP was deleted

        hint: `widget undelete WIDGET-SHOP` brings it back
    "#]],
    );
    service.check(
        &["undelete", "ffff", "--yes"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: no deleted widget has the id `ffff`

        hint: `widget list --deleted` shows the deleted widgets
    "#]],
    );
    service.check(
        &["undelete", &id[..8], "--dry-run"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        ! widget WIDGET-SHOP "Ask shop" comes back, unpublished
        ---- stderr ----
        nothing was written (--dry-run)
    "#]],
    );
    service.check(&["undelete", &id, "--yes", "--output", "json"], &expect![[r#"
        exit 0
        ---- stdout ----
        {"widget_id":"WIDGET-SHOP","written":true,"effects":["widget WIDGET-SHOP \"Ask shop\" comes back, unpublished"]}
        ---- stderr ----
        ! widget WIDGET-SHOP "Ask shop" comes back, unpublished
    "#]]);
    service.check(
        &["undelete", &id, "--yes"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: no deleted widget has the id `WIDGET-SHOP`

        hint: `widget list --deleted` shows the deleted widgets
    "#]],
    );
}
