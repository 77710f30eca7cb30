//! Widgets as code: `export`, `plan` and `apply` with a real service.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::http::Method;
use expect_test::{Expect, expect};
use serde_json::json;
use widget_api::{Widget, WidgetPatch, unreadable::WidgetRecord};

use crate::{
    Folder,
    faults::{FaultServer, Forwarder, problem},
    service::{Service, block_on},
};

/// A service, and a folder that is exported from it again and again.
struct Repository {
    service: Service,
    folder: Folder,
}

impl Repository {
    fn new() -> Self {
        Self {
            service: Service::start(),
            folder: Folder::new(),
        }
    }

    #[track_caller]
    fn check(&self, arguments: &[&str], expected: &Expect) {
        let mut command = self.service.command(&self.folder, arguments);
        self.service.check_command(&mut command, expected);
    }

    /// Runs a command that does what it should.
    #[track_caller]
    fn run(&self, arguments: &[&str]) {
        let output = self.service.command(&self.folder, arguments).output();
        let output = output.expect("it runs");
        assert!(output.status.success(), "{output:?}");
    }

    fn read(&self, name: &str) -> String {
        let text = fs::read_to_string(self.folder.path().join(name)).expect("a file");
        self.service.masked(&text)
    }

    /// Changes the text of a file.
    fn replace(&self, name: &str, from: &str, to: &str) {
        let path = self.folder.path().join(name);
        let text = fs::read_to_string(&path).expect("a file");
        assert!(text.contains(from), "{from} is in {text}");
        fs::write(path, text.replace(from, to)).expect("it is written");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, most of it snapshots")]
fn a_folder_is_exported_changed_and_applied() {
    let mut repository = Repository::new();
    let shop = repository
        .service
        .create_widget("shop", &["https://shop.example"]);
    repository.check(
        &["export", "widgets"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        + widgets/ask-shop.yaml widget WIDGET-SHOP "Ask shop"
        ---- stderr ----
        1 widget, 1 written
    "#]],
    );
    expect![[r#"
        id: WIDGET-SHOP
        agent_id: AGENT-SHOP
        agent_version_id: VERSION-SHOP
        domains:
        - https://shop.example
        published: false
        config:
          v1:
            chat:
              title: Ask shop
    "#]]
    .assert_eq(&repository.read("widgets/ask-shop.yaml"));
    expect![[r#"
        # The widgets that this folder has held, one a line, each with the revision that its file is of.
        # Written by `widget`. `widget apply --prune` deletes those of them that no longer have a file.
        WIDGET-SHOP 1
    "#]]
    .assert_eq(&repository.read("widgets/.widgets-held"));
    repository.check(
        &["plan", "widgets"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        0 to create, 0 to change, 0 to delete, 1 unchanged
    "#]],
    );

    repository.replace(
        "widgets/ask-shop.yaml",
        "- https://shop.example",
        "- https://shop.example # apex\n- https://WWW.shop.example/ # by name",
    );
    repository.replace(
        "widgets/ask-shop.yaml",
        "title: Ask shop",
        "title: Ask us # Ana wants it so",
    );
    repository.check(
        &["plan", "widgets"],
        &expect![[r#"
            exit 1
            ---- stdout ----
            change widgets/ask-shop.yaml widget WIDGET-SHOP "Ask shop"
              + /domains: "https://www.shop.example"
              ~ /config/v1/chat/title: "Ask shop" -> "Ask us"
              ! the widget is not published, so visitors see nothing of it
            ---- stderr ----
            0 to create, 1 to change, 0 to delete, 0 unchanged
        "#]],
    );
    repository.check(&["plan", "widgets", "--output", "json"], &expect![[r#"
        exit 1
        ---- stdout ----
        {"action":"change","widget_id":"WIDGET-SHOP","path":"widgets/ask-shop.yaml","title":"Ask shop","written":false,"changes":[{"pointer":"/domains","change":"replaced","from":["https://shop.example"],"to":["https://shop.example","https://www.shop.example"]},{"pointer":"/config/v1/chat/title","change":"replaced","from":"Ask shop","to":"Ask us"}],"effects":["the widget is not published, so visitors see nothing of it"],"warnings":[],"service_changes":[],"overwritten":[]}
        ---- stderr ----
        change widgets/ask-shop.yaml widget WIDGET-SHOP "Ask shop"
          + /domains: "https://www.shop.example"
          ~ /config/v1/chat/title: "Ask shop" -> "Ask us"
          ! the widget is not published, so visitors see nothing of it
        0 to create, 1 to change, 0 to delete, 0 unchanged
    "#]]);
    repository.check(
        &["apply", "widgets"],
        &expect![[r#"
            exit 2
            ---- stdout ----
            change widgets/ask-shop.yaml widget WIDGET-SHOP "Ask shop"
              + /domains: "https://www.shop.example"
              ~ /config/v1/chat/title: "Ask shop" -> "Ask us"
              ! the widget is not published, so visitors see nothing of it
            ---- stderr ----
            0 to create, 1 to change, 0 to delete, 0 unchanged
            error: a change needs an answer, and there is no terminal to ask at; nothing was written

            hint: `widget apply widgets --yes` makes it without asking
        "#]],
    );
    repository.check(
        &["apply", "widgets", "--dry-run"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            change widgets/ask-shop.yaml widget WIDGET-SHOP "Ask shop"
              + /domains: "https://www.shop.example"
              ~ /config/v1/chat/title: "Ask shop" -> "Ask us"
              ! the widget is not published, so visitors see nothing of it
            ---- stderr ----
            0 to create, 1 to change, 0 to delete, 0 unchanged
            nothing was written (--dry-run)
        "#]],
    );
    repository.check(
        &["apply", "widgets", "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            change widgets/ask-shop.yaml widget WIDGET-SHOP "Ask shop"
              + /domains: "https://www.shop.example"
              ~ /config/v1/chat/title: "Ask shop" -> "Ask us"
              ! the widget is not published, so visitors see nothing of it
            ✓ widgets/ask-shop.yaml widget WIDGET-SHOP "Ask shop" changed
            ---- stderr ----
            0 to create, 1 to change, 0 to delete, 0 unchanged
            warning: no worker named `shop` has joined a room yet
              hint: normal before the first conversation; otherwise compare the worker's name
        "#]],
    );
    repository.check(
        &["apply", "widgets", "--yes"],
        &expect![[r#"
            exit 0
            ---- stderr ----
            0 to create, 0 to change, 0 to delete, 1 unchanged
        "#]],
    );

    // Somebody changes it at the service; the comments stay.
    let patch = WidgetPatch {
        published: Some(true),
        domains: Some(vec!["https://www.shop.example".to_owned()]),
        ..WidgetPatch::default()
    };
    let client = repository.service.client();
    block_on(client.update_web_widget(shop.id, None, &patch)).expect("a change");
    repository.check(
        &["export", "widgets"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ~ widgets/ask-shop.yaml widget WIDGET-SHOP "Ask us"
            ---- stderr ----
            1 widget, 1 written
        "#]],
    );
    expect![[r#"
        id: WIDGET-SHOP
        agent_id: AGENT-SHOP
        agent_version_id: VERSION-SHOP
        domains:
        - https://WWW.shop.example/ # by name
        published: true
        config:
          v1:
            chat:
              title: Ask us # Ana wants it so
    "#]]
    .assert_eq(&repository.read("widgets/ask-shop.yaml"));
    repository.check(
        &["plan", "widgets"],
        &expect![[r#"
            exit 0
            ---- stderr ----
            0 to create, 0 to change, 0 to delete, 1 unchanged
        "#]],
    );
}

#[test]
fn a_file_without_an_id_creates_a_widget() {
    let mut repository = Repository::new();
    let shop = repository
        .service
        .create_widget("shop", &["https://shop.example"]);
    let folder = repository.folder.path().to_owned();
    let text = format!(
        "# The second shop.\nagent_id: {}\nagent_version_id: {} # pinned\ndomains: [https://two.example]\n",
        shop.agent_id, shop.agent_version_id
    );
    fs::create_dir(folder.join("widgets")).expect("a folder");
    fs::write(folder.join("widgets/two.yaml"), text).expect("a file");
    repository.check(
        &["plan", "widgets"],
        &expect![[r#"
        exit 1
        ---- stdout ----
        create widgets/two.yaml
        ---- stderr ----
        1 to create, 0 to change, 0 to delete, 0 unchanged
    "#]],
    );
    let mut command = repository
        .service
        .command(&repository.folder, &["apply", "widgets", "--yes"]);
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let written = fs::read_to_string(folder.join("widgets/two.yaml")).expect("a file");
    let id = written
        .lines()
        .find_map(|line| line.strip_prefix("id: "))
        .expect("an id")
        .to_owned();
    repository.service.mask(id, "WIDGET-TWO");
    expect![[r#"
        # The second shop.
        id: WIDGET-TWO
        agent_id: AGENT-SHOP
        agent_version_id: VERSION-SHOP # pinned
        domains: [https://two.example]
    "#]]
    .assert_eq(&repository.read("widgets/two.yaml"));
    repository.check(
        &["plan", "widgets"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        0 to create, 0 to change, 0 to delete, 1 unchanged
    "#]],
    );

    // Without its file it is deleted only on request, and the other widget never.
    fs::remove_file(folder.join("widgets/two.yaml")).expect("it is removed");
    repository.check(
        &["plan", "widgets"],
        &expect![[r#"
            exit 0
            ---- stderr ----
            note: widget WIDGET-TWO no longer has a file here and stays; `--prune` deletes it
            0 to create, 0 to change, 0 to delete, 0 unchanged
        "#]],
    );
    repository.check(
        &["apply", "widgets", "--prune", "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            delete widget WIDGET-TWO
              ! visitors notice nothing of it
            ✓ widget WIDGET-TWO deleted
            ---- stderr ----
            0 to create, 0 to change, 1 to delete, 0 unchanged
        "#]],
    );
    repository.check(
        &["plan", "widgets", "--prune"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        0 to create, 0 to change, 0 to delete, 0 unchanged
    "#]],
    );
    repository.check(
        &["list", "--output", "table", "--quiet"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ID  TITLE  STATE  AGENT  DOMAINS  UPDATED
            WIDGET-SHOP  Ask shop  unpublished  agent of shop 1  https://shop.example  TIME
        "#]],
    );
}

#[test]
fn files_with_errors_write_nothing() {
    let mut repository = Repository::new();
    let shop = repository
        .service
        .create_widget("shop", &["https://shop.example"]);
    let folder = repository.folder.path().join("widgets");
    fs::create_dir(&folder).expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file");
    write("a.yaml", &format!("id: {}\npublished: true\n", shop.id));
    write("b.yaml", &format!("id: {}\n", shop.id));
    write(
        "c.yaml",
        "id: 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b\ndomains: [shop.example/cart]\n",
    );
    write("d.json", "[]");
    repository.check(
        &["apply", "widgets", "--yes"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: `widgets/b.yaml` and `widgets/a.yaml` have the same `id`

        hint: remove one of the files, or the `id` from the one that is a new widget
        error[object_missing]: a file of the folder must hold one widget, and this one holds a list
        --> widgets/d.json

        hint: put each widget into a file of its own

        error: the folder has errors; nothing was written
    "#]],
    );
    for name in ["b.yaml", "c.yaml", "d.json"] {
        fs::remove_file(folder.join(name)).expect("it is removed");
    }
    write("b.yaml", "published: true\n");
    write("c.yaml", "id: 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b\n");
    repository.check(&["apply", "widgets", "--yes"], &expect![[r#"
        exit 1
        ---- stderr ----
        error: `widgets/b.yaml` has no `id`, so it is a new widget, and that needs `agent_id` and `agent_version_id`

        hint: `widget agents list` and `widget agents versions` show their ids
        error: `widgets/c.yaml` is of widget 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b, which this service does not have

        hint: if it was deleted, remove the file, or its `id` for a new widget; `widget whoami` shows whose widgets these are
        error: the folder cannot be applied; nothing was written
    "#]]);
    repository.check(
        &["list", "--output", "table", "--quiet"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ID  TITLE  STATE  AGENT  DOMAINS  UPDATED
            WIDGET-SHOP  Ask shop  unpublished  agent of shop 1  https://shop.example  TIME
        "#]],
    );
    repository.check(
        &["plan", "missing"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: there is no file or folder `missing`
    "#]],
    );
    repository.check(
        &["plan", "widgets/a.yaml"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: `widgets/a.yaml` is a file; name the folder
    "#]],
    );
}

/// Two widgets with files that change them; somebody else changes the second one before the given
/// request for it with a method, counted from 0.
fn check_conflict(method: &'static Method, number: usize, expected: &Expect) -> [Widget; 2] {
    let mut repository = Repository::new();
    let shops = ["one", "two"].map(|name| {
        let widget = repository
            .service
            .create_widget(name, &["https://shop.example"]);
        let text = format!("id: {}\ndomains: [\"https://{name}.example\"]\n", widget.id);
        let path = repository.folder.path().join(format!("{name}.yaml"));
        fs::write(path, text).expect("a file");
        widget
    });
    let client = repository.service.client();
    let (second, seen) = (shops[1].id, Arc::new(AtomicUsize::new(0)));
    let forwarder = Forwarder::start(repository.service.url(), move |request| {
        let is_second = request.uri().path().ends_with(&second.to_string());
        let is_meant = request.method() == method
            && is_second
            && seen.fetch_add(1, Ordering::SeqCst) == number;
        let client = client.clone();
        async move {
            if is_meant {
                let patch = WidgetPatch {
                    published: Some(true),
                    ..WidgetPatch::default()
                };
                let changed = client.update_web_widget(second, None, &patch).await;
                changed.expect("somebody else is faster");
            }
        }
    });
    let mut command = repository
        .service
        .command(&repository.folder, &["apply", ".", "--yes"]);
    command.env("WIDGET_SERVICE", forwarder.url());
    repository.service.check_command(&mut command, expected);
    let client = repository.service.client();
    shops.map(|widget| {
        let now = block_on(client.get_web_widget(widget.id)).expect("a widget");
        match now.value {
            WidgetRecord::Readable(widget) => widget,
            WidgetRecord::Unreadable(widget) => panic!("{widget:?}"),
        }
    })
}

#[test]
fn a_conflict_before_the_first_write_writes_nothing() {
    // The plan has read it once.
    let after = check_conflict(
        &Method::GET,
        1,
        &expect![[r#"
            exit 1
            ---- stdout ----
            change one.yaml widget WIDGET-ONE "Ask one"
              - /domains: "https://shop.example"
              + /domains: "https://one.example"
              ! the widget is not published, so visitors see nothing of it
            change two.yaml widget WIDGET-TWO "Ask two"
              - /domains: "https://shop.example"
              + /domains: "https://two.example"
              ! the widget is not published, so visitors see nothing of it
            ---- stderr ----
            0 to create, 2 to change, 0 to delete, 0 unchanged
            error: somebody else changed two.yaml widget WIDGET-TWO "Ask two" in the meantime
            their change:
              ~ /published: false -> true
            your change:
              - /domains: "https://shop.example"
              + /domains: "https://two.example"

            nothing was written; enter the command again to make your changes on top of theirs
        "#]],
    );
    for widget in after {
        assert_eq!(widget.domains, ["https://shop.example"]);
    }
}

#[test]
fn a_conflict_between_writes_stops_there() {
    let [first, second] = check_conflict(
        &Method::PUT,
        0,
        &expect![[r#"
            exit 1
            ---- stdout ----
            change one.yaml widget WIDGET-ONE "Ask one"
              - /domains: "https://shop.example"
              + /domains: "https://one.example"
              ! the widget is not published, so visitors see nothing of it
            change two.yaml widget WIDGET-TWO "Ask two"
              - /domains: "https://shop.example"
              + /domains: "https://two.example"
              ! the widget is not published, so visitors see nothing of it
            ✓ one.yaml widget WIDGET-ONE "Ask one" changed
            ---- stderr ----
            0 to create, 2 to change, 0 to delete, 0 unchanged
            warning: no worker named `shop` has joined a room yet
              hint: normal before the first conversation; otherwise compare the worker's name
            error: somebody else changed two.yaml widget WIDGET-TWO "Ask two" in the meantime; 1 of 2 changes were written before, the others were not
            their change:
              ~ /published: false -> true
            your change:
              - /domains: "https://shop.example"
              + /domains: "https://two.example"

            hint: `widget plan .` shows what is left
        "#]],
    );
    assert_eq!(first.domains, ["https://one.example"]);
    assert_eq!(second.domains, ["https://shop.example"]);
}

#[test]
fn a_service_that_fails_is_one_sentence() {
    let faulty = FaultServer::always(|| problem(503, "storage_unavailable", "try again"));
    let folder = Folder::new();
    let file = "id: 0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b\npublished: true\n";
    fs::write(folder.path().join("a.yaml"), file).expect("a file");
    for command in [&["plan", "."][..], &["apply", ".", "--yes"]] {
        let mut command = faulty.command(command);
        command.args(["--timeout", "1"]).current_dir(folder.path());
        let output = command.output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(error.matches("error").count(), 1, "{error}");
    }
    let text = fs::read_to_string(folder.path().join("a.yaml")).expect("a file");
    assert_eq!(text, file);
}

/// A file behind a link that is not followed is not one that was removed.
#[cfg(unix)]
#[test]
fn links_that_are_not_followed_are_errors() {
    let mut repository = Repository::new();
    repository
        .service
        .create_widget("shop", &["https://shop.example"]);
    repository.check(
        &["export", "real"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        + real/ask-shop.yaml widget WIDGET-SHOP "Ask shop"
        ---- stderr ----
        1 widget, 1 written
    "#]],
    );
    let folder = repository.folder.path();
    fs::create_dir(folder.join("widgets")).expect("a folder");
    fs::rename(
        folder.join("real/.widgets-held"),
        folder.join("widgets/.widgets-held"),
    )
    .expect("it is moved");
    std::os::unix::fs::symlink("../real", folder.join("widgets/real")).expect("a link");
    repository.check(
        &["plan", "widgets", "--prune"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: `widgets/real` is a link to a folder, or not a file that can be read

        hint: replace it with a file or a folder, or remove it; links to files are followed
    "#]],
    );
    fs::remove_file(folder.join("widgets/real")).expect("it is removed");
    std::os::unix::fs::symlink("missing", folder.join("widgets/a.yaml")).expect("a link");
    repository.check(
        &["plan", "widgets", "--prune"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: `widgets/a.yaml` is a link to a folder, or not a file that can be read

        hint: replace it with a file or a folder, or remove it; links to files are followed
    "#]],
    );
}

/// The widget of a file is not deleted because the name of the file is not read.
#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf_8_are_errors() {
    use std::os::unix::ffi::OsStrExt;

    let mut repository = Repository::new();
    let shop = repository
        .service
        .create_widget("shop", &["https://shop.example"]);
    let widgets = repository.folder.path().join("widgets");
    fs::create_dir(&widgets).expect("a folder");
    fs::write(widgets.join(".widgets-held"), format!("{}\n", shop.id)).expect("a file");
    let name = std::ffi::OsStr::from_bytes(b"sh\xffop.yaml");
    fs::write(widgets.join(name), format!("id: {}\n", shop.id)).expect("a file");
    repository.check(
        &["apply", "widgets", "--prune", "--yes"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: the name of `widgets/sh�op.yaml` is not UTF-8

        hint: rename it, or remove it
    "#]],
    );
    block_on(repository.service.client().get_web_widget(shop.id)).expect("it is there");
}

/// What somebody changes at the service after the folder was written is shown, and undone only on
/// request.
#[test]
#[expect(clippy::too_many_lines, reason = "one story, most of it snapshots")]
fn changes_at_the_service_are_not_undone_unseen() {
    let mut repository = Repository::new();
    let shop = repository
        .service
        .create_widget("shop", &["https://shop.example"]);
    let key = repository
        .service
        .create_key("ana", &["web_widgets:manage"]);
    let ana = repository.service.client_with(key);
    let change = |patch: WidgetPatch| {
        block_on(ana.update_web_widget(shop.id, None, &patch)).expect("a change");
    };
    let title = |title: &str| WidgetPatch {
        config: serde_json::value::to_raw_value(&json!({"v1": {"chat": {"title": title}}})).ok(),
        ..WidgetPatch::default()
    };
    repository.run(&["export", "widgets"]);
    expect![[r#"
        # The widgets that this folder has held, one a line, each with the revision that its file is of.
        # Written by `widget`. `widget apply --prune` deletes those of them that no longer have a file.
        WIDGET-SHOP 1
    "#]].assert_eq(&repository.read("widgets/.widgets-held"));

    // Another value: nothing is undone.
    change(WidgetPatch {
        published: Some(true),
        ..WidgetPatch::default()
    });
    repository.replace(
        "widgets/ask-shop.yaml",
        "published: false",
        "published: true",
    );
    repository.replace("widgets/ask-shop.yaml", "title: Ask shop", "title: Ask us");
    repository.check(
        &["apply", "widgets", "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            change widgets/ask-shop.yaml widget WIDGET-SHOP "Ask shop"
              ~ /config/v1/chat/title: "Ask shop" -> "Ask us"
              ! changed at the service since this folder was written:
                  revision 2, TIME, by ana (KEY-ana)
                    ~ /published: false -> true
              ! visitors see the change on the next page that they load
            ✓ widgets/ask-shop.yaml widget WIDGET-SHOP "Ask shop" changed
            ---- stderr ----
            0 to create, 1 to change, 0 to delete, 0 unchanged
            warning: no worker named `shop` has joined a room yet
              hint: normal before the first conversation; otherwise compare the worker's name
        "#]],
    );

    // The same value.
    change(title("Ask Ana"));
    change(title("Ask\n::error::Ana"));
    repository.replace("widgets/ask-shop.yaml", "title: Ask us", "title: Ask them");
    repository.check(
        &["plan", "widgets"],
        &expect![[r#"
        exit 1
        ---- stdout ----
        change widgets/ask-shop.yaml widget WIDGET-SHOP "Ask\n::error::Ana"
          ~ /config/v1/chat/title: "Ask\n::error::Ana" -> "Ask them"
          ! changed at the service since this folder was written:
              revision 5, TIME, by ana (KEY-ana)
                ~ /config/v1/chat/title: "Ask Ana" -> "Ask\n::error::Ana"
              revision 4, TIME, by ana (KEY-ana)
                ~ /config/v1/chat/title: "Ask us" -> "Ask Ana"
          ! visitors see the change on the next page that they load
        ---- stderr ----
        0 to create, 1 to change, 0 to delete, 0 unchanged
    "#]],
    );
    repository.check(
        &["plan", "widgets", "--output", "json", "--quiet"],
        &expect![[r#"
            exit 1
            ---- stdout ----
            {"action":"change","widget_id":"WIDGET-SHOP","path":"widgets/ask-shop.yaml","title":"Ask\n::error::Ana","written":false,"changes":[{"pointer":"/config/v1/chat/title","change":"replaced","from":"Ask\n::error::Ana","to":"Ask them"}],"effects":["visitors see the change on the next page that they load"],"warnings":[],"service_changes":[{"revision":5,"created_at":"TIME","api_key_id":"KEY-ana","api_key_name":"ana","changes":[{"pointer":"/config/v1/chat/title","change":"replaced","from":"Ask Ana","to":"Ask\n::error::Ana"}]},{"revision":4,"created_at":"TIME","api_key_id":"KEY-ana","api_key_name":"ana","changes":[{"pointer":"/config/v1/chat/title","change":"replaced","from":"Ask us","to":"Ask Ana"}]}],"overwritten":["/config/v1/chat/title"]}
        "#]],
    );
    repository.check(&["apply", "widgets", "--yes"], &expect![[r#"
        exit 1
        ---- stdout ----
        change widgets/ask-shop.yaml widget WIDGET-SHOP "Ask\n::error::Ana"
          ~ /config/v1/chat/title: "Ask\n::error::Ana" -> "Ask them"
          ! changed at the service since this folder was written:
              revision 5, TIME, by ana (KEY-ana)
                ~ /config/v1/chat/title: "Ask Ana" -> "Ask\n::error::Ana"
              revision 4, TIME, by ana (KEY-ana)
                ~ /config/v1/chat/title: "Ask us" -> "Ask Ana"
          ! visitors see the change on the next page that they load
        ---- stderr ----
        0 to create, 1 to change, 0 to delete, 0 unchanged
        error: this would undo what was changed at the service since the folder was written; nothing was written
          widgets/ask-shop.yaml widget WIDGET-SHOP "Ask\n::error::Ana": `/config/v1/chat/title`

        hint: commit the folder, then run `widget export widgets` to take over the state of the service; `--overwrite` undoes what was changed there
    "#]]);
    // Only looking ends the same way, and programs get the plan.
    repository.check(
        &["apply", "widgets", "--dry-run", "--output", "json", "--quiet"],
        &expect![[r#"
            exit 1
            ---- stdout ----
            {"action":"change","widget_id":"WIDGET-SHOP","path":"widgets/ask-shop.yaml","title":"Ask\n::error::Ana","written":false,"changes":[{"pointer":"/config/v1/chat/title","change":"replaced","from":"Ask\n::error::Ana","to":"Ask them"}],"effects":["visitors see the change on the next page that they load"],"warnings":[],"service_changes":[{"revision":5,"created_at":"TIME","api_key_id":"KEY-ana","api_key_name":"ana","changes":[{"pointer":"/config/v1/chat/title","change":"replaced","from":"Ask Ana","to":"Ask\n::error::Ana"}]},{"revision":4,"created_at":"TIME","api_key_id":"KEY-ana","api_key_name":"ana","changes":[{"pointer":"/config/v1/chat/title","change":"replaced","from":"Ask us","to":"Ask Ana"}]}],"overwritten":["/config/v1/chat/title"]}
            ---- stderr ----
            error: this would undo what was changed at the service since the folder was written; nothing was written
              widgets/ask-shop.yaml widget WIDGET-SHOP "Ask\n::error::Ana": `/config/v1/chat/title`

            hint: commit the folder, then run `widget export widgets` to take over the state of the service; `--overwrite` undoes what was changed there
        "#]],
    );
    repository.check(
        &["apply", "widgets", "--yes", "--overwrite"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            change widgets/ask-shop.yaml widget WIDGET-SHOP "Ask\n::error::Ana"
              ~ /config/v1/chat/title: "Ask\n::error::Ana" -> "Ask them"
              ! changed at the service since this folder was written:
                  revision 5, TIME, by ana (KEY-ana)
                    ~ /config/v1/chat/title: "Ask Ana" -> "Ask\n::error::Ana"
                  revision 4, TIME, by ana (KEY-ana)
                    ~ /config/v1/chat/title: "Ask us" -> "Ask Ana"
              ! visitors see the change on the next page that they load
            ✓ widgets/ask-shop.yaml widget WIDGET-SHOP "Ask\n::error::Ana" changed
            ---- stderr ----
            0 to create, 1 to change, 0 to delete, 0 unchanged
            warning: no worker named `shop` has joined a room yet
              hint: normal before the first conversation; otherwise compare the worker's name
        "#]],
    );
    repository.check(
        &["plan", "widgets"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        0 to create, 0 to change, 0 to delete, 1 unchanged
    "#]],
    );

    // Changed there and changed back.
    change(title("Ask Ana"));
    change(title("Ask them"));
    repository.replace(
        "widgets/ask-shop.yaml",
        "title: Ask them",
        "title: Ask us all",
    );
    repository.check(
        &["apply", "widgets", "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            change widgets/ask-shop.yaml widget WIDGET-SHOP "Ask them"
              ~ /config/v1/chat/title: "Ask them" -> "Ask us all"
              ! changed at the service since this folder was written:
                  revision 8, TIME, by ana (KEY-ana)
                    ~ /config/v1/chat/title: "Ask Ana" -> "Ask them"
                  revision 7, TIME, by ana (KEY-ana)
                    ~ /config/v1/chat/title: "Ask them" -> "Ask Ana"
              ! visitors see the change on the next page that they load
            ✓ widgets/ask-shop.yaml widget WIDGET-SHOP "Ask them" changed
            ---- stderr ----
            0 to create, 1 to change, 0 to delete, 0 unchanged
            warning: no worker named `shop` has joined a room yet
              hint: normal before the first conversation; otherwise compare the worker's name
        "#]],
    );

    // A deletion undoes every change.
    change(title("Ask Ana"));
    fs::remove_file(repository.folder.path().join("widgets/ask-shop.yaml")).expect("removed");
    repository.check(
        &["apply", "widgets", "--yes"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        note: widget WIDGET-SHOP "Ask Ana" no longer has a file here and stays; `--prune` deletes it
        0 to create, 0 to change, 0 to delete, 0 unchanged
    "#]],
    );
    repository.check(&["apply", "widgets", "--yes", "--prune"], &expect![[r#"
        exit 1
        ---- stdout ----
        delete widget WIDGET-SHOP "Ask Ana"
          ! changed at the service since this folder was written:
              revision 10, TIME, by ana (KEY-ana)
                ~ /config/v1/chat/title: "Ask us all" -> "Ask Ana"
          ! visitors stop seeing it within 5 s
        ---- stderr ----
        0 to create, 0 to change, 1 to delete, 0 unchanged
        error: this would undo what was changed at the service since the folder was written; nothing was written
          widget WIDGET-SHOP "Ask Ana": `/config/v1/chat/title`

        hint: commit the folder, then run `widget export widgets` to take over the state of the service; `--overwrite` undoes what was changed there
    "#]]);
    repository.check(
        &["apply", "widgets", "--yes", "--prune", "--overwrite"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            delete widget WIDGET-SHOP "Ask Ana"
              ! changed at the service since this folder was written:
                  revision 10, TIME, by ana (KEY-ana)
                    ~ /config/v1/chat/title: "Ask us all" -> "Ask Ana"
              ! visitors stop seeing it within 5 s
            ✓ widget WIDGET-SHOP "Ask Ana" deleted
            ---- stderr ----
            0 to create, 0 to change, 1 to delete, 0 unchanged
        "#]],
    );
}

/// A creation whose answer was lost is not made twice, unless its widget was deleted.
#[test]
fn the_same_file_creates_one_widget() {
    let mut repository = Repository::new();
    let shop = repository
        .service
        .create_widget("shop", &["https://shop.example"]);
    let path = repository.folder.path().join("two.yaml");
    let text = format!(
        "agent_id: {}\nagent_version_id: {}\n",
        shop.agent_id, shop.agent_version_id
    );
    let create = || {
        fs::write(&path, &text).expect("a file");
        repository.run(&["apply", ".", "--yes"]);
        let written = fs::read_to_string(&path).expect("a file");
        let id = written.lines().find_map(|line| line.strip_prefix("id: "));
        id.expect("an id").parse().expect("an id")
    };
    let id = create();
    assert_eq!(create(), id);
    let client = repository.service.client();
    block_on(client.delete_web_widget(id, None)).expect("it is deleted");
    assert_ne!(create(), id);
    // Another file with the same content is another widget.
    fs::write(repository.folder.path().join("three.yaml"), &text).expect("a file");
    repository.run(&["apply", ".", "--yes"]);
    let listed = client.list_web_widgets(&widget_api::widgets::WidgetsQuery::default());
    assert_eq!(block_on(listed.collect(None)).expect("a list").len(), 3);
}

/// A link can lead to a secret, or to what has no end.
#[cfg(unix)]
#[test]
fn what_a_link_leads_to_is_not_shown() {
    use std::os::unix::fs::symlink;

    let mut repository = Repository::new();
    repository
        .service
        .create_widget("shop", &["https://shop.example"]);
    let folder = repository.folder.path().join("widgets");
    fs::create_dir(&folder).expect("a folder");
    for secret in ["s3cret: x\n", "s3cret\n", "{s3cret\n", "[\"s3cret\"]"] {
        let target = repository.folder.path().join("secret");
        fs::write(&target, secret).expect("a file");
        symlink(&target, folder.join("a.yaml")).expect("a link");
        symlink(&target, folder.join("b.json")).expect("a link");
        for arguments in [
            &["plan", "widgets"][..],
            &["plan", "widgets", "--output", "json"],
            &["validate", "widgets"],
            &["validate", "widgets/a.yaml", "--output", "json"],
        ] {
            let mut command = repository.service.command(&repository.folder, arguments);
            let output = crate::outcome(&mut command);
            assert!(output.contains("so what is in it is not shown"), "{output}");
            assert!(!output.contains("s3cret"), "{output}");
        }
        fs::remove_file(folder.join("a.yaml")).expect("it is removed");
        fs::remove_file(folder.join("b.json")).expect("it is removed");
    }
    for target in ["/dev/zero", "../secret"] {
        symlink(target, folder.join(".widgets-held")).expect("a link");
        let mut command = repository
            .service
            .command(&repository.folder, &["plan", "widgets"]);
        assert_eq!(
            crate::outcome(&mut command),
            "exit 2\n---- stderr ----\nerror: cannot read `widgets/.widgets-held`: it is a link, or \
             not a file; remove it, and restore it as a file\n"
        );
        fs::remove_file(folder.join(".widgets-held")).expect("it is removed");
    }
    fs::write(folder.join(".widgets-held"), "s3cret\n").expect("a file");
    repository.check(&["plan", "widgets"], &expect![[r#"
        exit 1
        ---- stderr ----
        error: line 1 of `widgets/.widgets-held` is not the id of a widget, with or without the number of a revision

        hint: each line has one id; remove what is something else
    "#]]);
}

/// `plan` only reads: it works in a folder in which nothing can be written. `apply` says before it
/// asks which file cannot get the id of its widget.
#[test]
fn a_read_only_file_is_found_by_apply() {
    let mut repository = Repository::new();
    let shop = repository
        .service
        .create_widget("shop", &["https://shop.example"]);
    let path = repository.folder.path().join("two.yaml");
    let text = format!(
        "agent_id: {}\nagent_version_id: {}\n",
        shop.agent_id, shop.agent_version_id
    );
    fs::write(&path, &text).expect("a file");
    let mut permissions = fs::metadata(&path).expect("a file").permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).expect("it is read-only");
    repository.check(
        &["plan", "."],
        &expect![[r#"
            exit 1
            ---- stdout ----
            create two.yaml
            ---- stderr ----
            1 to create, 0 to change, 0 to delete, 0 unchanged
        "#]],
    );
    repository.check(
        &["apply", ".", "--yes"],
        &expect![[r#"
            exit 2
            ---- stdout ----
            create two.yaml
            ---- stderr ----
            1 to create, 0 to change, 0 to delete, 0 unchanged
            error: the id of the new widget cannot be written into `two.yaml`, so it is not created: the file is read-only
            error: the folder cannot be applied; nothing was written
        "#]],
    );
    assert_eq!(fs::read_to_string(&path).expect("a file"), text);
    let listed = repository.service.client();
    let listed = listed.list_web_widgets(&widget_api::widgets::WidgetsQuery::default());
    assert_eq!(block_on(listed.collect(None)).expect("a list").len(), 1);
}
