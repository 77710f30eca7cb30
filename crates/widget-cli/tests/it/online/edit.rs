//! `widget edit`, with a script as the editor.

use expect_test::expect;

use serde_json::json;

use crate::{
    Folder, outcome,
    service::{Service, block_on},
};

/// The editor is a script.
#[test]
#[expect(clippy::too_many_lines, reason = "snapshots are long")]
fn edit_a_widget() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let id = id.to_string();
    let temporary = Folder::new();
    let kept = regex::Regex::new(r"--file [^`]*/widget-[^`]*`").expect("a pattern");
    let edit = |script: &str, rest: &[&str], expected: &expect_test::Expect| {
        let folder = Folder::new().with("editor.sh", script);
        let words = ["edit", &id].into_iter().chain(rest.iter().copied());
        let words: Vec<&str> = words.collect();
        let mut command = service.command(&folder, &words);
        command
            .env_remove("VISUAL")
            .env("EDITOR", "sh editor.sh")
            .env("TMPDIR", temporary.path());
        let text = service.masked(&outcome(&mut command));
        expected.assert_eq(&kept.replace_all(&text, "--file KEPT`"));
    };
    let files = || {
        std::fs::read_dir(temporary.path())
            .expect("a folder")
            .count()
    };
    // The text goes to the answer, so that it is seen here.
    edit(
        "cat \"$1\"",
        &[],
        &expect![[r#"
            exit 0
            ---- stdout ----
            # Widget WIDGET-SHOP@1 "Ask shop"
            # Lines that begin with `#` at the top are ignored. An empty file changes nothing.
            agent_id: AGENT-SHOP
            agent_version_id: VERSION-SHOP
            domains:
            - https://shop.example
            published: false
            config:
              v1:
                chat:
                  title: Ask shop
            ---- stderr ----
            the text was not changed; nothing was written
        "#]],
    );
    edit(
        "cat \"$1\"",
        &["--format", "json"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            # Widget WIDGET-SHOP@1 "Ask shop"
            # Lines that begin with `#` at the top are ignored. An empty file changes nothing.
            {
              "agent_id": "AGENT-SHOP",
              "agent_version_id": "VERSION-SHOP",
              "domains": [
                "https://shop.example"
              ],
              "published": false,
              "config": {
                "v1": {
                  "chat": {
                    "title": "Ask shop"
                  }
                }
              }
            }
            ---- stderr ----
            the text was not changed; nothing was written
        "#]],
    );
    edit(
        "sed -i 's/Ask shop/Ask us/' \"$1\"",
        &["--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ~ /config/v1/chat/title: "Ask shop" -> "Ask us"
            ! the widget is not published, so visitors see nothing of it
            ✓ widget WIDGET-SHOP is as you edited it; this is revision 2
        "#]],
    );
    edit(
        "echo > \"$1\"",
        &["--yes"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        the text was not changed; nothing was written
    "#]],
    );
    assert_eq!(files(), 0);
    edit(
        "sed -i 's/Ask us/Ask/' \"$1\"",
        &[],
        &expect![[r#"
            exit 2
            ---- stdout ----
            ~ /config/v1/chat/title: "Ask us" -> "Ask"
            ! the widget is not published, so visitors see nothing of it
            ---- stderr ----
            error: a change needs an answer, and there is no terminal to ask at; nothing was written

            hint: `widget edit WIDGET-SHOP --yes` makes it without asking
            your text is kept; `widget edit WIDGET-SHOP --file KEPT` begins with it again
        "#]],
    );
    edit(
        "sed -i 's/Ask us/Ask/' \"$1\"",
        &["--dry-run"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            ~ /config/v1/chat/title: "Ask us" -> "Ask"
            ! the widget is not published, so visitors see nothing of it
            ---- stderr ----
            nothing was written (--dry-run)
            your text is kept; `widget edit WIDGET-SHOP --file KEPT` begins with it again
        "#]],
    );
    edit(
        "exit 3",
        &["--yes"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: the editor `sh editor.sh` failed (exit status: 3); nothing was written

            hint: set `EDITOR` to the command of your editor
            your text is kept; `widget edit WIDGET-SHOP --file KEPT` begins with it again
        "#]],
    );
    assert_eq!(files(), 3);
    // The second time it shows what is wrong, and the script corrects it.
    edit(
        "if grep '^# error' \"$1\"; then sed -i 's/title: 5/title: Corrected/; s/published: 5/published: false/' \"$1\"; \
         else sed -i 's/title: Ask us/title: 5/; s/published: false/published: 5/' \"$1\"; fi",
        &["--yes"],
        &expect![[r#"
            exit 0
            ---- stdout ----
            # error: /published: `published` must be `true` or `false`, not `5`
            # error: /config/v1/chat/title: `5` is an integer, but `chat.title` must be a string of at most 60 characters
            ~ /config/v1/chat/title: "Ask us" -> "Corrected"
            ! the widget is not published, so visitors see nothing of it
            ✓ widget WIDGET-SHOP is as you edited it; this is revision 3
        "#]],
    );
    edit(
        "printf 'id: 1\\n' >> \"$1\"",
        &["--yes"],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error: the text is not valid; nothing was written
              /id: the key `id` occurs twice (remove one of the two)
              /id: `id` cannot be edited; remove it
              /id: `id` must be a string, not `1`

            hint: your text is kept; `widget edit WIDGET-SHOP --file KEPT` begins with it again
        "#]],
    );
    edit(
        "printf '{' > \"$1\"",
        &["--yes"],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error: the text is not valid; nothing was written
              the text is not YAML: while parsing a node, did not find expected node content

            hint: your text is kept; `widget edit WIDGET-SHOP --file KEPT` begins with it again
        "#]],
    );
    // A text that was kept.
    let folder = Folder::new()
        .with(
            "kept.yaml",
            "# error: old\nconfig: {v1: {chat: {title: Kept}}}\n",
        )
        .with("editor.sh", "true");
    let words = ["edit", &id, "--file", "kept.yaml", "--yes"];
    let mut command = service.command(&folder, &words);
    command.env_remove("VISUAL").env("EDITOR", "sh editor.sh");
    service.check_command(
        &mut command,
        &expect![[r#"
            exit 0
            ---- stdout ----
            ~ /config/v1/chat/title: "Corrected" -> "Kept"
            ! the widget is not published, so visitors see nothing of it
            ✓ widget WIDGET-SHOP is as you edited it; this is revision 4
        "#]],
    );
    // Without an editor and a terminal.
    let mut command = service.command(&folder, &["edit", &id]);
    command.env_remove("VISUAL").env_remove("EDITOR");
    service.check_command(
        &mut command,
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: there is no terminal for an editor

        hint: set `EDITOR`, or use `widget set`
    "#]],
    );
}

/// A text that was kept is about the widget as it was: what others changed since stays.
#[cfg(unix)]
#[test]
fn a_kept_text_leaves_what_others_changed() {
    let mut service = Service::start();
    let id = service.create_widget("shop", &["https://shop.example"]).id;
    let name = id.to_string();
    let folder = Folder::new().with("editor.sh", "sed -i 's/Ask shop/Ask us/' \"$1\"");
    let edit = |rest: &[&str]| {
        let mut command = service.command(&folder, &[&["edit", name.as_str()], rest].concat());
        command
            .env_remove("VISUAL")
            .env("EDITOR", "sh editor.sh")
            .env("TMPDIR", folder.path());
        outcome(&mut command)
    };
    let change = |patch: serde_json::Value| {
        let patch = serde_json::from_value(patch).expect("a patch");
        let changed = block_on(service.client().update_web_widget(id, None, &patch));
        changed.expect("it is changed");
    };
    let now = || {
        let widget = block_on(service.client().get_web_widget(id)).expect("a widget");
        let widget = serde_json::to_value(widget.value).expect("JSON");
        json!([widget["domains"], widget["config"]["v1"]])
    };
    let dry = edit(&["--dry-run"]);
    let kept = crate::kept_text(&dry);

    change(json!({
        "domains": ["https://other.example"],
        "config": {"v1": {"theme": "dark", "chat": {"title": "Ask shop"}}},
    }));
    expect![[r#"
        exit 0
        ---- stdout ----
        ~ /config/v1/chat/title: "Ask shop" -> "Ask us"
        ! the widget is not published, so visitors see nothing of it
        ✓ widget WIDGET-SHOP is as you edited it; this is revision 3
    "#]]
    .assert_eq(&service.masked(&edit(&["--file", kept, "--yes"])));
    let both = json!([
        ["https://other.example"],
        {"theme": "dark", "chat": {"title": "Ask us"}},
    ]);
    assert_eq!(now(), both);

    // Where both changed the same, nothing is written.
    change(json!({"config": {"v1": {"theme": "dark", "chat": {"title": "Ask them"}}}}));
    let theirs = now();
    let text = edit(&["--file", kept, "--yes"]);
    let pattern = regex::Regex::new(r"--file [^`]*/widget-[^`]*`").expect("a pattern");
    expect![[r#"
        exit 1
        ---- stderr ----
        error: your text was made from revision 1 of widget WIDGET-SHOP, and somebody else has changed the same since; nothing was written

        their change:
          ~ /config/v1/chat/title: "Ask shop" -> "Ask them"
        your change:
          ~ /config/v1/chat/title: "Ask shop" -> "Ask us"

        make your text the same as theirs in these places; the rest can be written
        your text is kept; `widget edit WIDGET-SHOP --file KEPT` begins with it again
    "#]].assert_eq(&pattern.replace_all(&service.masked(&text), "--file KEPT`"));
    assert_eq!(now(), theirs);
    let again = std::fs::read_to_string(crate::kept_text(&text)).expect("a text");
    assert!(again.starts_with(&format!("# Widget {id}@1 ")), "{again}");
}
