//! `widget migrate` changes nothing but the config; `widget diff` compares the meaning.

use expect_test::expect;

use crate::{Folder, SHOP};

const OLD: &str = "# the shop\ntheme: dark  # by night\n\nchat:\n  title: Ask\n";

#[test]
fn the_result_of_one_file_is_printed() {
    let folder = Folder::new().with("old.yaml", OLD).with("new.json", "{ }");
    folder.check(
        &["migrate", "old.yaml"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        # the shop
        v1:
          theme: dark  # by night

          chat:
            title: Ask
    "#]],
    );
    folder.check(
        &["migrate", "new.json"],
        &expect![[r#"
        exit 0
        ---- stdout ----
        { }⏎
    "#]],
    );
    folder.check(&["migrate", "old.yaml", "--output", "json"], &expect![[r##"
        exit 0
        ---- stdout ----
        {"path":"old.yaml","changed":true,"written":false,"text":"# the shop\nv1:\n  theme: dark  # by night\n\n  chat:\n    title: Ask\n","errors":[]}
    "##]]);
    folder.check(
        &["migrate", "old.yaml", "new.json"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: the results of 2 files cannot be printed together

            hint: name one file, or use `--check` or `--write`
        "#]],
    );
    folder.check_with_input(
        &["migrate", "-", "--write"],
        OLD,
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: standard input cannot be replaced

            hint: omit `--write` to print the result
        "#]],
    );
    assert_eq!(folder.read("old.yaml"), OLD);
}

#[test]
fn check_lists_and_write_changes() {
    let folder = Folder::new()
        .with("all/old.yaml", OLD)
        .with("all/new.json", "{ }")
        .with("all/mark.json", "\u{feff}{\n\t\"theme\": \"dark\"\n}")
        .with("all/bad.json", "{\"v1\": {\"theme\": 5}}")
        .with("all/list.json", format!("[\n{SHOP}]"));
    folder.check(
        &["migrate", "all", "--check"],
        &expect![[r#"
            exit 1
            ---- stdout ----
            all/mark.json
            all/old.yaml
            ---- stderr ----
            error[type_invalid]: `5` is an integer, but `theme` must be one of `system`, `light`, `dark`
             --> all/bad.json:1:18
              |
            1 | {"v1": {"theme": 5}}
              |                  ^ /config/v1/theme

            2 of 5 files would change
            ✗ 1 file with an error stays unchanged
        "#]],
    );
    folder.check(
        &["migrate", "all", "--write"],
        &expect![[r#"
            exit 1
            ---- stdout ----
            all/mark.json
            all/old.yaml
            ---- stderr ----
            error[type_invalid]: `5` is an integer, but `theme` must be one of `system`, `light`, `dark`
             --> all/bad.json:1:18
              |
            1 | {"v1": {"theme": 5}}
              |                  ^ /config/v1/theme

            2 of 5 files changed
            ✗ 1 file with an error stays unchanged
        "#]],
    );
    expect![[r#"
        # the shop
        v1:
          theme: dark  # by night

          chat:
            title: Ask
    "#]]
    .assert_eq(&folder.read("all/old.yaml"));
    assert_eq!(
        folder.read("all/mark.json"),
        "\u{feff}{\n\t\"v1\": {\n\t\t\"theme\": \"dark\"\n\t}\n}"
    );
    folder.check(
        &["migrate", "all", "--write", "--output", "json"],
        &expect![[r#"
            exit 1
            ---- stdout ----
            {"path":"all/bad.json","changed":false,"written":false,"text":null,"errors":[{"code":"type_invalid","detail":"`5` is an integer, but `theme` must be one of `system`, `light`, `dark`","hint":null,"pointer":"/config/v1/theme","line":1,"column":18,"end_line":1,"end_column":19}]}
            {"path":"all/list.json","changed":false,"written":false,"text":null,"errors":[]}
            {"path":"all/mark.json","changed":false,"written":false,"text":null,"errors":[]}
            {"path":"all/new.json","changed":false,"written":false,"text":null,"errors":[]}
            {"path":"all/old.yaml","changed":false,"written":false,"text":null,"errors":[]}
        "#]],
    );
    let names: Vec<_> = std::fs::read_dir(folder.path().join("all"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(names.len(), 5, "nothing is left behind: {names:?}");
}

#[cfg(unix)]
#[test]
fn permissions_and_links_stay() {
    use std::{fs, os::unix::fs::PermissionsExt};

    let folder = Folder::new().with("real/old.yaml", OLD);
    let file = folder.path().join("real/old.yaml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("permissions");
    std::os::unix::fs::symlink("real/old.yaml", folder.path().join("link.yaml")).expect("a link");
    folder
        .command(&["migrate", "link.yaml", "--write"])
        .assert()
        .success();
    let mode = fs::metadata(&file).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    let link = fs::symlink_metadata(folder.path().join("link.yaml")).expect("there");
    assert!(link.is_symlink());
    assert!(folder.read("real/old.yaml").contains("v1:"));

    let read_only = Folder::new().with("old.yaml", OLD);
    let file = read_only.path().join("old.yaml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o440)).expect("permissions");
    read_only.check(
        &["migrate", "old.yaml", "--write"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error[file_unwritable]: the file cannot be replaced: the file is read-only
            --> old.yaml

            0 of 1 file changed
            ✗ 1 file with an error stays unchanged
        "#]],
    );
}

#[test]
fn differences_by_meaning() {
    let changed = SHOP
        .replace("\"dark\"", "\"light\"")
        .replace(
            "\"https://www.shop.example\", ",
            "\"https://*.shop.example\", ",
        )
        .replace("03:00:00Z\"\n", "04:00:00Z\"\n")
        .replace(
            "\"chat\": {\"title\": \"Ask the shop\"}",
            "\"locale\": \"de\"",
        );
    let folder = Folder::new()
        .with("a.json", SHOP)
        .with("b.json", changed)
        .with(
            "config.yaml",
            "v1:\n  chat: {title: Ask the shop}\n  theme: dark\n",
        )
        .with("old.yaml", OLD)
        .with("bad.json", "{\"v1\": 5}");
    folder.check(
        &["diff", "a.json", "b.json"],
        &expect![[r#"
        exit 1
        ---- stdout ----
        - /domains: "https://www.shop.example"
        + /domains: "https://*.shop.example"
        ~ /config/v1/theme: "dark" -> "light"
        - /config/v1/chat: {"title":"Ask the shop"}
        + /config/v1/locale: "de"
        ---- stderr ----
        5 differences
    "#]],
    );
    folder.check(
        &["diff", "a.json", "b.json", "--output", "json"],
        &expect![[r#"
            exit 1
            ---- stdout ----
            {"pointer":"/domains","change":"removed","from":"https://www.shop.example","to":null}
            {"pointer":"/domains","change":"added","from":null,"to":"https://*.shop.example"}
            {"pointer":"/config/v1/theme","change":"replaced","from":"dark","to":"light"}
            {"pointer":"/config/v1/chat","change":"removed","from":{"title":"Ask the shop"},"to":null}
            {"pointer":"/config/v1/locale","change":"added","from":null,"to":"de"}
        "#]],
    );
    folder.check(
        &["diff", "a.json", "a.json"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        no difference
    "#]],
    );
    folder.check(
        &["diff", "a.json", "config.yaml"],
        &expect![[r#"
            exit 0
            ---- stderr ----
            note: one is a widget and the other a config; only the configs are compared
            no difference
        "#]],
    );
    folder.check(
        &["diff", "old.yaml", "config.yaml"],
        &expect![[r#"
            exit 1
            ---- stdout ----
            ~ /config/v1/chat/title: "Ask" -> "Ask the shop"
            ---- stderr ----
            1 difference
        "#]],
    );
    folder.check(
        &["diff", "bad.json", "config.yaml"],
        &expect![[r#"
            exit 1
            ---- stderr ----
            error[type_invalid]: `v1` is an integer, but it must be an object
             --> bad.json:1:8
              |
            1 | {"v1": 5}
              |        ^ /config/v1

        "#]],
    );
    folder.check(
        &["diff", "-", "-"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: standard input cannot be both inputs
        "#]],
    );
}
