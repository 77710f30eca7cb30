//! Changes that cannot be made: somebody else was faster, or the widget cannot be read.

use expect_test::expect;
use serde_json::json;
use widget_api::WidgetPatch;

use crate::{
    Folder,
    faults::{Delivery, FaultServer, Forwarder},
    outcome,
    service::{Service, block_on},
};

/// Somebody else is faster: nothing is written, and a text that was edited is kept.
#[test]
fn conflicts_write_nothing() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let name = id.to_string();
    let folder = Folder::new().with("editor.sh", "sed -i 's/Ask shop/Ask us/' \"$1\"");
    let first = format!("{name}@1");
    let dark = ["set", &name, "/config/v1/theme=dark", "--yes"];
    assert!(outcome(&mut service.command(&folder, &dark)).starts_with("exit 0"));
    let commands: [&[&str]; 5] = [
        &["set", &name, "/config/v1/theme=light", "--yes"],
        &["domains", &name, "add", "b.example", "--yes"],
        &["edit", &name, "--yes"],
        &["restore", &first, "--yes"],
        &["delete", &name, "--yes"],
    ];
    for (number, arguments) in commands.into_iter().enumerate() {
        let upstream = service.client();
        let proxy = Forwarder::start(service.url(), move |request| {
            let upstream = upstream.clone();
            let is_change = request.method() != "GET";
            async move {
                if is_change {
                    let patch = WidgetPatch {
                        domains: Some(vec![format!("https://other-{number}.example")]),
                        ..WidgetPatch::default()
                    };
                    let changed = upstream.update_web_widget(id, None, &patch).await;
                    changed.expect("it is changed");
                }
            }
        });
        let mut command = service.command(&folder, arguments);
        command
            .env("WIDGET_SERVICE", proxy.url())
            .env_remove("VISUAL")
            .env("EDITOR", "sh editor.sh")
            .env("TMPDIR", folder.path());
        let text = outcome(&mut command);
        assert!(text.starts_with("exit 1\n"), "{arguments:?}: {text}");
        assert!(
            text.contains("somebody else changed widget") && text.contains("nothing was written"),
            "{arguments:?}: {text}"
        );
        let (_, shown) = text.split_once("their change:\n").expect("their change");
        assert!(
            shown.contains(&format!("+ /domains: \"https://other-{number}.example\""))
                && shown.contains("\nyour change:\n"),
            "{arguments:?}: {text}"
        );
        let now = block_on(service.client().get_web_widget(id)).expect("a widget");
        let now = serde_json::to_value(now.value).expect("JSON");
        assert_eq!(
            now["domains"],
            json!([format!("https://other-{number}.example")])
        );
        assert_eq!(now["config"]["v1"]["theme"], "dark", "{arguments:?}");
        assert_eq!(now["config"]["v1"]["chat"]["title"], "Ask shop");
        assert_eq!(text.contains("your text is kept"), arguments[0] == "edit");
    }
}

/// A widget that the service cannot read: it can be deleted and restored, and not changed.
#[test]
fn unreadable_widgets() {
    let id = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b";
    let server = FaultServer::start(move |_, request| {
        use axum::response::IntoResponse;
        let path = request.uri().path();
        let readable = json!({
            "id": id, "organization_id": "acme", "domains": [], "published": false, "config": {},
            "agent_id": id, "agent_version_id": id,
            "created_at": "2026-11-24T03:00:00Z", "updated_at": "2026-11-24T03:00:00Z",
        });
        let body = if path.ends_with("/revisions") {
            json!([{
                "number": 1, "created_at": null, "api_key_id": null, "api_key_name": null,
                "restored_from": null, "changes": [], "effects": [], "web_widget": readable,
            }])
        } else if path.ends_with("/restore") {
            readable
        } else if path.contains("web-widgets") {
            json!({"id": id, "unreadable": [
                {"pointer": "/config", "code": "config_unreadable", "detail": "too new", "raw": "{"},
            ]})
        } else {
            json!([])
        };
        let tag = [("ETag", "\"r1\"")];
        std::future::ready((tag, axum::Json(body)).into_response())
    });
    server.check(&["set", id, "/config/v1/theme=dark", "--yes"], &expect![[r#"
        exit 1
        ---- stderr ----
        error: the service cannot read `/config` of widget 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b

        hint: `widget history 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b` shows revisions that can be restored
    "#]]);
    server.check(
        &["edit", id, "--yes"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: there is no terminal for an editor

        hint: set `EDITOR`, or use `widget set`
    "#]],
    );
    server.check(
        &["restore", &format!("{id}@1"), "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ! the widget cannot be read now; it becomes what it was in revision 1
            ✓ widget 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b is as in revision 1; this is revision 1
        "#]],
    );
    server.check(
        &["restore", &format!("{id}@1")],
        &expect![[r#"
        exit 2
        ---- stdout ----
        ! the widget cannot be read now; it becomes what it was in revision 1
        ---- stderr ----
        error: a change needs an answer, and there is no terminal to ask at; nothing was written

        hint: `widget restore 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b@1 --yes` makes it without asking
    "#]],
    );
    server.check(
        &["delete", id, "--dry-run"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: `http://SERVICE` was asked to preview the effects of a change (`previewEffects`), and its answer cannot be read: missing field `effects` at line 1 column 138

            hint: the service is of another release than this program: `widget whoami` shows its version, `widget --version` that of this program
        "#]],
    );
}

/// Somebody else changes a widget while it is deleted.
#[test]
fn a_conflict_of_a_deletion_shows_both() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let upstream = service.client();
    let proxy = Forwarder::start(service.url(), move |request| {
        let upstream = upstream.clone();
        let is_change = request.method() == "DELETE";
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
    let mut command = service.command(&folder, &["delete", &id.to_string(), "--yes"]);
    command.env("WIDGET_SERVICE", proxy.url());
    service.check_command(
        &mut command,
        &expect![[r#"
            exit 1
            ---- stdout ----
            ! widget WIDGET-SHOP "Ask shop" is deleted
            ! visitors notice nothing of it
            ---- stderr ----
            error: somebody else changed widget WIDGET-SHOP in the meantime; nothing was written

            their change:
              - /domains: "https://shop.example"
              + /domains: "https://other.example"
            your change:
              ! widget WIDGET-SHOP "Ask shop" is deleted

            enter the command again to make your change on top of theirs
        "#]],
    );
}

/// Behind a proxy that removes the state of a widget, a change could undo that of somebody else.
#[test]
fn nothing_is_changed_without_a_state() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let name = id.to_string();
    let folder = Folder::new()
        .with("widgets/shop.yaml", format!("id: {id}\npublished: true\n"))
        .with("old/.widgets-held", format!("{id}\n"))
        .with("editor.sh", "sed -i 's/Ask shop/Ask us/' \"$1\"");
    let proxy = Forwarder::delivering(service.url(), |_| Delivery::WithoutState);
    service.mask(proxy.url(), "http://PROXY");
    let first = format!("{name}@1");
    let commands: [&[&str]; 8] = [
        &["set", &name, "/config/v1/theme=light", "--yes"],
        &["domains", &name, "add", "b.example", "--yes"],
        &["publish", &name, "--yes"],
        &["edit", &name, "--yes"],
        &["restore", &first, "--yes"],
        &["delete", &name, "--yes"],
        &["apply", "widgets", "--yes"],
        &["apply", "old", "--prune", "--yes"],
    ];
    for arguments in commands {
        let mut command = service.command(&folder, arguments);
        command
            .env("WIDGET_SERVICE", proxy.url())
            .env_remove("VISUAL")
            .env("EDITOR", "sh editor.sh")
            .env("TMPDIR", folder.path());
        let text = service.masked(&outcome(&mut command));
        assert!(text.starts_with("exit 2\n"), "{arguments:?}: {text}");
        let (_, error) = text.split_once("error: ").expect("an error");
        let expected = "the answer of `http://PROXY` has no header `ETag`, so that a change could \
                        undo what somebody else changes at the same time; nothing was written\n\n\
                        hint: a proxy before the service removes the header; its operator can let \
                        it through\n";
        assert_eq!(error, expected, "{arguments:?}");
    }
    let now = block_on(service.client().get_web_widget(id)).expect("a widget");
    assert_eq!(now.etag.and_then(|etag| etag.revision()), Some(1));
}
