//! Which inputs are read, and what happens when they cannot be.

use expect_test::expect;

use crate::{Folder, SHOP, WIDGET};

#[test]
fn folders_patterns_and_several_files() {
    let folder = Folder::new()
        .with("configs/a.json", "{}")
        .with("configs/deeper/b.yaml", "v1: {theme: blue}\n")
        .with("configs/deeper/c.yml", "{}")
        .with("configs/.hidden/d.json", "no")
        .with("configs/node_modules/e.json", "no")
        .with("configs/readme.txt", "no")
        .with("other.json", SHOP);
    folder.check(
        &["validate", "configs", "other.json", "configs/a.json"],
        &expect![[r#"
            exit 1
            ---- stdout ----
            error[value_not_allowed]: `"blue"` is not allowed; `theme` must be one of `system`, `light`, `dark`
             --> configs/deeper/b.yaml:1:13
              |
            1 | v1: {theme: blue}
              |             ^^^^ /config/v1/theme

            ---- stderr ----
            ✗ 1 error in 1 of 4 files; 1 warning (`widget lint` shows them)
        "#]],
    );
    folder.check(
        &["validate", "configs/**/*.yml", "-q"],
        &expect![[r#"
        exit 0
    "#]],
    );
    folder.check(
        &["validate", "configs/*.toml"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: no file matches `configs/*.toml`

            hint: `*` matches any part of a name, and `**` any folders
        "#]],
    );
    folder.check(&["validate", "configs/[.json"], &expect![[r#"
        exit 2
        ---- stderr ----
        error: `configs/[.json` is not a pattern: Pattern syntax error near position 8: invalid range pattern
    "#]]);
    folder.check(
        &["validate", "other.jsn"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: there is no file or folder `other.jsn`

        hint: did you mean `other.json`?
    "#]],
    );
    folder.check(
        &["validate", "nowhere/at-all"],
        &expect![[r#"
        exit 2
        ---- stderr ----
        error: there is no file or folder `nowhere/at-all`
    "#]],
    );
    folder.check(
        &["explain", "configs", "--page", "x.example"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: `configs` is a folder; name one file in it
        "#]],
    );
}

#[test]
fn an_empty_folder_is_an_error() {
    let folder = Folder::new().with("empty/readme.md", "");
    folder.check(
        &["validate", "empty"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: the folder `empty` contains no .json, .yaml or .yml file
        "#]],
    );
}

#[test]
fn unsuitable_texts() {
    let folder = Folder::new()
        .with("a-empty.json", "")
        .with("b-space.yaml", " \n# only a comment\n")
        .with(
            "c-latin1.json",
            b"{\n \"v1\": {\"chat\": {\"title\": \"Gr\xfc\xdfe\"}}}",
        )
        .with("d-utf16.json", b"\xff\xfe{\0}\0")
        .with("e-mark.json", b"\xef\xbb\xbf{\"v1\": {\"theme\": 5}}")
        .with("l-number.json", "5")
        .with(
            "m-escape.json",
            "{\"v1\": {\"theme\": \"\\u001b[31m\u{202e}\", \"\u{7f}\": 1}}",
        )
        .with(
            "n-crlf.json",
            "{\r\n  \"v1\": {\r\n    \"theme\": 1\r\n  }\r\n}\r\n",
        );
    folder.check(&["validate", "."], &expect![[r#"
        exit 1
        ---- stdout ----
        error[input_empty]: the file is empty
        --> a-empty.json

        hint: write `{}` for a config with all defaults

        error[input_empty]: the file is empty
        --> b-space.yaml

        hint: write `{}` for a config with all defaults

        error[encoding_invalid]: line 2 contains bytes that are not UTF-8
        --> c-latin1.json

        hint: save the file as UTF-8 in your editor

        error[encoding_invalid]: the text is UTF-16, and must be UTF-8
        --> d-utf16.json

        hint: save the file as UTF-8 in your editor

        error[type_invalid]: `5` is an integer, but `theme` must be one of `system`, `light`, `dark`
         --> e-mark.json:1:18
          |
        1 | {"v1": {"theme": 5}}
          |                  ^ /config/v1/theme

        error[object_missing]: a widget or a config must be an object
         --> l-number.json:1:1
          |
        1 | 5
          | ^

        error[value_not_allowed]: `"\u001b[31m\u{202e}"` is not allowed; `theme` must be one of `system`, `light`, `dark`
         --> m-escape.json:1:18
          |
        1 | {"v1": {"theme": "\u001b[31m�", "␡": 1}}
          |                  ^^^^^^^^^^^^^ /config/v1/theme

        error[type_invalid]: `1` is an integer, but `theme` must be one of `system`, `light`, `dark`
         --> n-crlf.json:3:14
          |
        3 |     "theme": 1
          |              ^ /config/v1/theme

        ---- stderr ----
        ✗ 8 errors in 8 of 8 files
    "#]]);
}

#[test]
fn syntax_errors() {
    let folder = Folder::new()
        .with("f-comma.json", "{\"v1\": {\"theme\": \"dark\",}}")
        .with("g-quotes.json", "{“v1”: {}}")
        .with("h-cut.json", "{\"v1\": {\"chat\": {\"tit")
        .with("i-comment.json", "{\n  // ours\n  \"v1\": {}}")
        .with("j-tabs.yaml", "v1:\n\ttheme: dark\n")
        .with("k-two.yaml", "v1: {}\n---\nv1: {}\n");
    folder.check(
        &["validate", "."],
        &expect![[r#"
            exit 1
            ---- stdout ----
            error[json_invalid]: the text is not JSON: `}` is not expected here
             --> f-comma.json:1:25
              |
            1 | {"v1": {"theme": "dark",}}
              |                         ^

            hint: remove the comma before it

            error[json_invalid]: the text is not JSON: `“` is not expected here
             --> g-quotes.json:1:2
              |
            1 | {“v1”: {}}
              |  ^

            hint: replace typographic quotes with `"`

            error[json_invalid]: the text is not JSON: it ends too early
             --> h-cut.json:1:21
              |
            1 | {"v1": {"chat": {"tit
              |                     ^

            hint: a closing bracket or quote is missing, or the file is truncated

            error[json_invalid]: the text is not JSON: `/` is not expected here
             --> i-comment.json:2:3
              |
            2 |   // ours
              |   ^

            hint: JSON has no comments: remove it, or save the file as .yaml

            error[yaml_invalid]: the text is not YAML: tabs disallowed within this context (block indentation)
             --> j-tabs.yaml:2:2
              |
            2 |     theme: dark
              |     ^

            error[yaml_document_repeated]: a second YAML document starts here; a file may contain one
             --> k-two.yaml:2:1
              |
            2 | ---
              | ^^^

            hint: put each widget into its own file, or write one list of widgets

            ---- stderr ----
            ✗ 6 errors in 6 of 6 files
        "#]],
    );
}

#[test]
fn a_long_line_is_shortened() {
    let text = format!(
        "{{\"v1\": {{\"suggested_questions\": [{}], \"theme\": \"blue\", \"locale\": \"{}\"}}}}",
        ["\"What does it cost to send this?\""; 20].join(", "),
        "x".repeat(300)
    );
    Folder::new().check_with_input(&["validate", "-"], &text, &expect![[r#"
        exit 1
        ---- stdout ----
        error[too_many]: 20 items are too many; `suggested_questions` must be an array of at most 6 items
         --> <stdin>:1:32
          |
        1 | ...": ["What does it cost to send this?", "W...?", "What does it cost to send this?"], "...
          |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^...^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ /config/v1/suggested_questions

        error[value_not_allowed]: `"blue"` is not allowed; `theme` must be one of `system`, `light`, `dark`
         --> <stdin>:1:743
          |
        1 | ...hat does it cost to send this?"], "theme": "blue", "locale": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
          |                                               ^^^^^^ /config/v1/theme

        error[locale_invalid]: `"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` is not a language tag (A subtag may be eight characters in length at maximum); `locale` must be a BCP 47 language tag such as `en`, `pt-BR` or `zh-Hant`
         --> <stdin>:1:761
          |
        1 | ...": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}}
          |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^...^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ /config/v1/locale

        ---- stderr ----
        ✗ 3 errors in 1 of 1 file
    "#]]);
}

#[cfg(target_os = "linux")]
#[test]
fn an_unreadable_file_does_not_hide_the_others() {
    let folder = Folder::new()
        .with("a.json", "{}")
        .with("c.json", "{\"v1\": {\"theme\": 5}}");
    // A socket cannot be opened as a file, whoever runs the test.
    let socket = folder.path().join("b.json");
    let _socket = std::os::unix::net::UnixListener::bind(socket).expect("a socket");
    folder.check(
        &["validate", "a.json", "b.json", "c.json"],
        &expect![[r#"
            exit 2
            ---- stdout ----
            error[file_unreadable]: the file cannot be read: No such device or address (os error 6)
            --> b.json

            error[type_invalid]: `5` is an integer, but `theme` must be one of `system`, `light`, `dark`
             --> c.json:1:18
              |
            1 | {"v1": {"theme": 5}}
              |                  ^ /config/v1/theme

            ---- stderr ----
            ✗ 2 errors in 2 of 3 files
        "#]],
    );
    folder.check(
        &["explain", "b.json", "--page", "shop.example"],
        &expect![[r#"
            exit 2
            ---- stderr ----
            error: `b.json`: the file cannot be read: No such device or address (os error 6)
        "#]],
    );
}

#[test]
fn a_closed_pipe_does_not_panic() {
    let folder = Folder::new();
    let many = vec!["{\"v1\": {\"theme\": 5}}"; 2000].join(",");
    std::fs::write(folder.path().join("many.json"), format!("[{many}]")).expect("a file");
    let mut child = folder
        .process(WIDGET, &["validate", "many.json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("started");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ended");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(2));
}

/// What is shown as a command can be copied.
#[cfg(unix)]
#[test]
fn names_in_hints_are_quoted() {
    let folder = Folder::new().with("my shop.json", crate::SHOP);
    for (command, hint) in [
        ("doctor", "widget doctor 'my shop.json' --page URL"),
        ("restore", "`widget history 'my shop.json'` shows"),
    ] {
        let text = crate::outcome(&mut folder.command(&[command, "my shop.json"]));
        assert!(text.contains(hint), "{text}");
    }
}
