//! `widget set` and `widget unset`.

use expect_test::expect;

use crate::{Folder, service::Service};

#[test]
#[expect(clippy::too_many_lines, reason = "snapshots are long")]
fn set_and_unset() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let id = id.to_string();
    let title = "/config/v1/chat/title=Hi there";
    service.check(&["set", &id, title], &expect![[r#"
        exit 2
        ---- stdout ----
        ~ /config/v1/chat/title: "Ask shop" -> "Hi there"
        ! the widget is not published, so visitors see nothing of it
        ---- stderr ----
        error: a change needs an answer, and there is no terminal to ask at; nothing was written

        hint: `widget set WIDGET-SHOP '/config/v1/chat/title=Hi there' --yes` makes it without asking
    "#]]);
    service.check(
        &["set", &id, "/config/v1/trigger=null", "--yes"],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error: this is not valid; nothing was written
              /config/v1/trigger: `trigger` must be an object, not `null`

            hint: to remove it, so that it has its default: widget unset WIDGET-SHOP /config/v1/trigger
        "#]],
    );
    service.check(
        &[
            "set",
            &id,
            title,
            "/config/v1/theme=dark",
            "/config/v1/suggested_questions=[\"Where?\"]",
            "/config/v1/suggested_questions/-=When?",
            "--yes",
        ],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ~ /config/v1/chat/title: "Ask shop" -> "Hi there"
            + /config/v1/theme: "dark"
            + /config/v1/suggested_questions: ["Where?","When?"]
            ! the widget is not published, so visitors see nothing of it
            ✓ widget WIDGET-SHOP has these values; this is revision 2
        "#]],
    );
    service.check(
        &["set", &id, title, "--yes"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        widget WIDGET-SHOP has these values already; nothing was written
    "#]],
    );
    service.check(&["set", &id, "/config/v1/chat/title=24", "--yes"], &expect![[r#"
        exit 1
        ---- stderr ----
        error: this is not valid; nothing was written
          /config/v1/chat/title: `24` is an integer, but `chat.title` must be a string of at most 60 characters

        hint: to set the text `24`, add `--text`
    "#]]);
    let arguments = ["set", &id, "/config/v1/chat/title=24", "--text", "--yes"];
    service.check(
        &arguments,
        &expect![[r#"
            exit 0
            ---- stdout ----
            ~ /config/v1/chat/title: "Hi there" -> "24"
            ! the widget is not published, so visitors see nothing of it
            ✓ widget WIDGET-SHOP has these values; this is revision 3
        "#]],
    );
    service.check(
        &["set", &id, "/config/v1/theme=Dark", "/config/v1/chat=1", "--yes"],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error: this is not valid; nothing was written
              /config/v1/theme: `"Dark"` is not allowed; `theme` must be one of `system`, `light`, `dark`
                hint: did you mean `dark`?
              /config/v1/chat: `1` is an integer, but `chat` must be an object
        "#]],
    );
    service.check(
        &["set", &id, "/v1/theme=dark", "--yes"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: `/v1/theme` is not a value of a widget

        hint: did you mean `/config/v1/theme`?
    "#]],
    );
    service.check(
        &["set", &id, "/published=yes", "--yes"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: this is not valid; nothing was written
          /published: `"yes"` must be `true` or `false`
    "#]],
    );
    service.check(
        &["set", &id, "/id=1", "--yes"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: `/id` cannot be changed

        hint: `widget create --file FILE` makes a copy
    "#]],
    );
    service.check(
        &["set", &id, "/domains/-=a.example", "--yes"],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error: `/domains/-` cannot be changed by itself: it is in the list of domains

            hint: `widget domains WIDGET-SHOP add`, `remove` and `list` are for it
        "#]],
    );
    service.check(
        &["set", &id, "/config/v1/theme"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: `/config/v1/theme` has no value; write it as `POINTER=VALUE`

        hint: `widget unset` removes values
    "#]],
    );
    service.check(
        &[
            "unset",
            &id,
            "/config/v1/theme",
            "/config/v1/suggested_questions/0",
            "--yes",
        ],
        &expect![[r#"
            exit 0
            ---- stdout ----
            - /config/v1/theme: "dark"
            ~ /config/v1/suggested_questions/0: "Where?" -> "When?"
            - /config/v1/suggested_questions/1: "When?"
            ! the widget is not published, so visitors see nothing of it
            ✓ widget WIDGET-SHOP no longer has these values; this is revision 4
        "#]],
    );
    service.check(
        &["unset", &id, "/config/v1/theme", "--yes"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: this is not valid; nothing was written
          /config/v1/theme: there is no value at this place
    "#]],
    );
    service.check(
        &["unset", &id, "/published", "--yes"],
        &expect![[r#"
        exit 1
        ---- stderr ----
        error: `/published` cannot be removed

        hint: `widget unpublish WIDGET-SHOP` sets it to `false`
    "#]],
    );
    service.check(
        &["set", &id, "/published=true", "/domains=[\"A.example\"]", "--yes", "--output", "json"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            {"widget_id":"WIDGET-SHOP","written":true,"revision":5,"changes":[{"pointer":"/domains","change":"replaced","from":["https://shop.example"],"to":["https://a.example"]},{"pointer":"/published","change":"replaced","from":false,"to":true}],"effects":["visitors of 1 listed site see it within 5 s"],"warnings":[{"code":"twin_missing","pointer":"/domains/0","detail":"`https://a.example` is listed, `https://www.a.example` is not; they are different sites","hint":"add `https://www.a.example` if the page can be reached there too"},{"code":"agent_worker_missing","pointer":"/agent_version_id","detail":"no worker named `shop` has joined a room yet","hint":"normal before the first conversation; otherwise compare the worker's name"}]}
            ---- stderr ----
            - /domains: "https://shop.example"
            + /domains: "https://a.example"
            ~ /published: false -> true
            ! visitors of 1 listed site see it within 5 s
            warning: `https://a.example` is listed, `https://www.a.example` is not; they are different sites
              hint: add `https://www.a.example` if the page can be reached there too: `widget domains WIDGET-SHOP add https://www.a.example`
        "#]],
    );
    service.check(
        &["set", &format!("{id}@1"), title],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: this command works on the widget as it is now, and not on revision 1

        hint: leave out the `@` and the number
    "#]],
    );
    service.check(
        &["set", "01", title],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error: `01` is not the beginning of an id; use 4 to 32 hexadecimal digits, with or without hyphens
        "#]],
    );
}

/// A misspelled key is valid and does nothing: it is shown before the question.
#[test]
fn misspelled_keys() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let id = id.to_string();
    let set = ["set", &id, "/config/v1/chat/titel=Hi"];
    service.check(
        &set,
        &expect![[r#"
        exit 2
        ---- stdout ----
        + /config/v1/chat/titel: "Hi"
        ! the widget is not published, so visitors see nothing of it
        ---- stderr ----
        warning: `titel` is not a key of `chat`; did you mean `title`?
          hint: rename it to `title`
        error: a change needs an answer, and there is no terminal to ask at; nothing was written

        hint: `widget set WIDGET-SHOP /config/v1/chat/titel=Hi --yes` makes it without asking
    "#]],
    );
    service.check(
        &[&set[..], &["--yes"]].concat(),
        &expect![[r#"
            exit 0
            ---- stdout ----
            + /config/v1/chat/titel: "Hi"
            ! the widget is not published, so visitors see nothing of it
            ✓ widget WIDGET-SHOP has these values; this is revision 2
            ---- stderr ----
            warning: `titel` is not a key of `chat`; did you mean `title`?
              hint: rename it to `title`
        "#]],
    );
    // It is known now.
    service.check(
        &["set", &id, "/config/v1/theme=dark", "--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            + /config/v1/theme: "dark"
            ! the widget is not published, so visitors see nothing of it
            ✓ widget WIDGET-SHOP has these values; this is revision 3
        "#]],
    );
    let create = [
        "create",
        "--agent",
        "agent of shop",
        "--file",
        "new.yaml",
        "--dry-run",
    ];
    let folder = Folder::new().with("new.yaml", "v1: {thme: dark}\n");
    service.check_command(
        &mut service.command(&folder, &create),
        &expect![[r#"
        exit 0
        ---- stdout ----
        + /agent_id: "AGENT-SHOP"
        + /agent_version_id: "VERSION-SHOP"
        + /domains: []
        + /published: false
        + /config/v1: {"thme":"dark"}
        ! the widget is not published, so visitors see nothing of it
        ---- stderr ----
        warning: the list of domains is empty: it allows no site, so the widget is shown nowhere
          hint: add the address of the page, such as `https://shop.example`
        warning: `thme` is not a key of `v1`; did you mean `theme`?
          hint: rename it to `theme`
        nothing was written (--dry-run)
    "#]],
    );
    let mut edit = service.command(&folder, &["edit", &id, "--yes"]);
    let editor = "sed -i 's/theme: dark/theem: dark/'";
    edit.env("EDITOR", editor).env_remove("VISUAL");
    service.check_command(
        &mut edit,
        &expect![[r#"
            exit 0
            ---- stdout ----
            - /config/v1/theme: "dark"
            + /config/v1/theem: "dark"
            ! the widget is not published, so visitors see nothing of it
            ✓ widget WIDGET-SHOP is as you edited it; this is revision 4
            ---- stderr ----
            warning: `theem` is not a key of `v1`; did you mean `theme`?
              hint: rename it to `theme`
        "#]],
    );
}
