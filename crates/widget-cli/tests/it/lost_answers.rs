//! Changes that reach the service while their answer does not reach the command: what was made is
//! found, and what is not known is said.

use std::fs;

use axum::{extract::Request, http::Method};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::{
    Folder,
    faults::{Delivery, FaultServer, Forwarder},
    outcome,
    service::{Service, block_on},
};

/// How long commands wait for an answer that does not come. The other answers must come in time.
const TIMEOUT: &str = "5";

fn is_update(request: &Request) -> bool {
    request.method() == Method::PUT
}

fn is_deletion(request: &Request) -> bool {
    request.method() == Method::DELETE
}

fn is_restoring(request: &Request) -> bool {
    request.method() == Method::POST && request.uri().path().ends_with("/restore")
}

fn is_new_preview(request: &Request) -> bool {
    request.method() == Method::POST && request.uri().path().ends_with("/previews")
}

/// Runs a command whose first request of a kind loses its answer.
#[track_caller]
fn check_losing(
    service: &Service,
    folder: &Folder,
    is_meant: fn(&Request) -> bool,
    arguments: &[&str],
    expected: &Expect,
) {
    let proxy = Forwarder::losing_first(service.url(), is_meant);
    let mut command = service.command(folder, arguments);
    command.env("WIDGET_SERVICE", proxy.url());
    service.check_command(&mut command, expected);
}

/// The client repeats the change, which is then a conflict with itself.
#[test]
fn a_change_that_was_made_is_found() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let name = id.to_string();
    let folder = Folder::new().with(
        "shops/shop.yaml",
        format!("id: {id}\ndomains: [\"https://two.example\"]\n"),
    );
    let check = |is_meant: fn(&Request) -> bool, arguments: &[&str], expected: &Expect| {
        check_losing(&service, &folder, is_meant, arguments, expected);
    };
    check(
        is_update,
        &["set", &name, "/config/v1/theme=dark", "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            + /config/v1/theme: "dark"
            ! the widget is not published, so visitors see nothing of it
            ✓ widget WIDGET-SHOP has these values; this is revision 2
        "#]],
    );
    check(
        is_update,
        &["publish", &name, "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ~ /published: false -> true
            ! visitors of 1 listed site see it within 5 s
            ✓ widget WIDGET-SHOP is published; this is revision 3
        "#]],
    );
    check(
        is_restoring,
        &["restore", &format!("{name}@1"), "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ~ /published: true -> false
            - /config/v1/theme: "dark"
            ! visitors stop seeing it within 5 s
            ✓ widget WIDGET-SHOP is as in revision 1; this is revision 4
        "#]],
    );
    check(
        is_update,
        &["apply", "shops", "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            change shops/shop.yaml widget WIDGET-SHOP "Ask shop"
              - /domains: "https://shop.example"
              + /domains: "https://two.example"
              ! the widget is not published, so visitors see nothing of it
            ✓ shops/shop.yaml widget WIDGET-SHOP "Ask shop" changed
            ---- stderr ----
            0 to create, 1 to change, 0 to delete, 0 unchanged
        "#]],
    );
    // Each was made once.
    let now = block_on(service.client().get_web_widget(id)).expect("a widget");
    assert_eq!(now.etag.and_then(|etag| etag.revision()), Some(5));
    let held = fs::read_to_string(folder.path().join("shops/.widgets-held")).expect("a file");
    assert!(held.ends_with(&format!("\n{id} 5\n")), "{held}");
}

/// A deletion that is repeated finds nothing left to delete.
#[test]
fn a_deletion_that_was_made_is_done() {
    let mut service = Service::start();
    let shop = service.create_widget("shop", &["https://shop.example"]).id;
    let blog = service.create_widget("blog", &["https://blog.example"]).id;
    let (shop, blog) = (shop.to_string(), blog.to_string());
    let folder = Folder::new().with("blogs/.widgets-held", format!("{blog}\n"));
    let mut command = service.command(&folder, &["preview", &shop, "--output", "json"]);
    let created = command.output().expect("a run");
    let created: Value = serde_json::from_slice(&created.stdout).expect("JSON");
    let preview = created["id"].as_str().expect("an id").to_owned();
    service.mask(preview.clone(), "PREVIEW");
    let check = |arguments: &[&str], expected: &Expect| {
        check_losing(&service, &folder, is_deletion, arguments, expected);
    };
    check(
        &["preview", &shop, "--end", &preview, "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ! the link shows nothing anymore, and conversations there end
            ✓ preview PREVIEW has ended
        "#]],
    );
    check(
        &["delete", &shop, "--yes"],
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
    check(
        &["apply", "blogs", "--prune", "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            delete widget WIDGET-BLOG "Ask blog"
              ! visitors notice nothing of it
            ✓ widget WIDGET-BLOG "Ask blog" deleted
            ---- stderr ----
            0 to create, 0 to change, 1 to delete, 0 unchanged
        "#]],
    );
    service.check(
        &["list"],
        &expect![[r#"
            exit 0
            ---- stderr ----
            no widgets
        "#]],
    );
}

/// Without an answer to a change nobody knows whether it was made; a command shows it.
#[test]
fn a_change_without_an_answer_may_have_been_made() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let name = id.to_string();
    let folder = Folder::new();
    let proxy = Forwarder::delivering(service.url(), |request| {
        if is_update(request) || is_deletion(request) {
            Delivery::Never
        } else {
            Delivery::Whole
        }
    });
    service.mask(proxy.url(), "http://PROXY");
    let check = |arguments: &[&str], expected: &Expect| {
        let mut command = service.command(&folder, arguments);
        command
            .args(["--timeout", TIMEOUT])
            .env("WIDGET_SERVICE", proxy.url());
        service.check_command(&mut command, expected);
    };
    check(
        &["set", &name, "/config/v1/theme=dark", "--yes"],
        &expect![[r#"
            exit 2
            ---- stdout ----
            + /config/v1/theme: "dark"
            ! the widget is not published, so visitors see nothing of it
            ---- stderr ----
            error: `http://PROXY` did not answer within 5 s; the change may have been made

            hint: `widget history WIDGET-SHOP` shows whether it was made; wait longer with `--timeout SECONDS`
        "#]],
    );
    check(
        &["delete", &name, "--yes"],
        &expect![[r#"
            exit 2
            ---- stdout ----
            ! widget WIDGET-SHOP "Ask shop" is deleted
            ! visitors notice nothing of it
            ---- stderr ----
            error: `http://PROXY` did not answer within 5 s; the change may have been made

            hint: `widget show WIDGET-SHOP` shows whether it was made; wait longer with `--timeout SECONDS`
        "#]],
    );
}

/// A link is shown only in the answer, so that its creation is not repeated.
#[test]
fn a_preview_without_an_answer_may_have_been_created() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let name = id.to_string();
    let folder = Folder::new();
    let proxy = Forwarder::losing_first(service.url(), is_new_preview);
    let mut command = service.command(&folder, &["preview", &name]);
    command.env("WIDGET_SERVICE", proxy.url());
    let text = service.masked(&outcome(&mut command));
    assert!(text.starts_with("exit 2\n"), "{text}");
    let hint = "hint: `widget preview WIDGET-SHOP --list` shows whether it was made";
    assert!(
        text.contains("; the change may have been made\n") && text.contains(hint),
        "{text}"
    );
    let previews = block_on(service.client().list_previews(id)).expect("a list");
    assert_eq!(previews.len(), 1);
}

/// `apply` does not say of the change without an answer that it was not made.
#[test]
fn apply_says_what_is_not_known() {
    let mut service = Service::start();
    let mut folder = Folder::new();
    let ids = ["one", "two", "zoo"].map(|name| {
        let id = service.create_widget(name, &["https://shop.example"]).id;
        (name, id)
    });
    for (name, id) in ids {
        let text = format!("id: {id}\ndomains: [\"https://{name}.example\"]\n");
        folder = folder.with(&format!("{name}.yaml"), text);
    }
    let second = ids[1].1.to_string();
    let proxy = Forwarder::delivering(service.url(), move |request| {
        if is_update(request) && request.uri().path().ends_with(&second) {
            Delivery::Never
        } else {
            Delivery::Whole
        }
    });
    service.mask(proxy.url(), "http://PROXY");
    let mut command = service.command(&folder, &["apply", ".", "--yes", "--timeout", TIMEOUT]);
    command.env("WIDGET_SERVICE", proxy.url());
    service.check_command(
        &mut command,
        &expect![[r#"
            exit 2
            ---- stdout ----
            change one.yaml widget WIDGET-ONE "Ask one"
              - /domains: "https://shop.example"
              + /domains: "https://one.example"
              ! the widget is not published, so visitors see nothing of it
            change two.yaml widget WIDGET-TWO "Ask two"
              - /domains: "https://shop.example"
              + /domains: "https://two.example"
              ! the widget is not published, so visitors see nothing of it
            change zoo.yaml widget WIDGET-ZOO "Ask zoo"
              - /domains: "https://shop.example"
              + /domains: "https://zoo.example"
              ! the widget is not published, so visitors see nothing of it
            ✓ one.yaml widget WIDGET-ONE "Ask one" changed
            ---- stderr ----
            0 to create, 3 to change, 0 to delete, 0 unchanged
            warning: no worker named `shop` has joined a room yet
              hint: normal before the first conversation; otherwise compare the worker's name
            error: stopped: 1 of 3 changes were written before, it is not known whether two.yaml widget WIDGET-TWO "Ask two" was written, the others were not
            error: `http://PROXY` did not answer within 5 s; the change may have been made

            hint: `widget history WIDGET-TWO` shows whether it was made; wait longer with `--timeout SECONDS`
        "#]],
    );
    // What was written is held, with its revision.
    let held = fs::read_to_string(folder.path().join(".widgets-held")).expect("a file");
    assert!(held.contains(&format!("\n{} 2\n", ids[0].1)), "{held}");
}

/// Nobody reads what `apply` says: it makes all changes, or none.
#[cfg(unix)]
#[test]
fn apply_ends_without_a_reader() {
    let mut service = Service::start();
    let mut folder = Folder::new();
    let ids = ["one", "two", "zoo"].map(|name| {
        let widget = service.create_widget(name, &["https://shop.example"]);
        (name, widget.id)
    });
    for (name, id) in ids {
        let text = format!("id: {id}\ndomains: [\"https://{name}.example\"]\n");
        folder = folder.with(&format!("{name}.yaml"), text);
    }
    let apply = |output: &str| {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let arguments = ["apply", ".", "--yes", "--output", output];
        let mut command = folder.process(crate::WIDGET, &arguments);
        let ended = command
            .env("WIDGET_SERVICE", service.url())
            .env("WIDGET_API_KEY", &service.key)
            .stdout(writer)
            .output()
            .expect("a run");
        assert_eq!(ended.status.code(), Some(2));
        service.masked(&String::from_utf8_lossy(&ended.stderr))
    };
    let revisions = || {
        ids.map(|(_, id)| {
            let now = block_on(service.client().get_web_widget(id)).expect("a widget");
            now.etag.and_then(|etag| etag.revision())
        })
    };
    // For people the plan comes first, and nobody sees it.
    apply("human");
    assert_eq!(revisions(), [Some(1); 3]);
    let shown = apply("json");
    assert_eq!(revisions(), [Some(2); 3], "{shown}");
    let (_, error) = shown.split_once("error: ").expect("an error");
    expect![[r#"
        cannot write the output: Broken pipe (os error 32); this was written: one.yaml widget WIDGET-ONE "Ask one" changed; two.yaml widget WIDGET-TWO "Ask two" changed; zoo.yaml widget WIDGET-ZOO "Ask zoo" changed
    "#]].assert_eq(error);
}

/// A change was made, also when its answer is one that this program cannot read.
#[test]
fn a_change_with_an_unreadable_answer_was_sent() {
    let id = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b";
    let server = FaultServer::start(move |_, request| {
        use axum::response::IntoResponse;
        let widget = json!({
            "id": id, "organization_id": "acme", "domains": [], "published": false, "config": {},
            "agent_id": id, "agent_version_id": id,
            "created_at": "2026-11-24T03:00:00Z", "updated_at": "2026-11-24T03:00:00Z",
        });
        let body = if is_update(&request) {
            json!({"id": id})
        } else if request.uri().path().ends_with("/effects") {
            json!({"effects": [], "conversations_open": 0})
        } else {
            widget
        };
        let tag = [("ETag", "\"r1\"")];
        std::future::ready((tag, axum::Json(body)).into_response())
    });
    server.check(
        &["set", id, "/config/v1/theme=dark", "--yes"],
        &expect![[r#"
            exit 2
            ---- stdout ----
            + /config/v1: {"theme":"dark"}
            ! the widget is not published, so visitors see nothing of it
            ---- stderr ----
            error: `http://SERVICE` was asked to change a widget (`updateWebWidget`), and its answer cannot be read: missing field `organization_id` at line 1 column 45; the change may have been made

            hint: `widget history 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b` shows whether it was made; the service is of another release than this program: `widget whoami` shows its version, `widget --version` that of this program
        "#]],
    );
}
