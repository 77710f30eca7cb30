//! `widget validate` and `widget lint`: findings with their place in the text.

use expect_test::expect;

use crate::{Folder, SHOP};

#[test]
fn a_valid_widget() {
    let folder = Folder::new().with("shop.json", SHOP);
    folder.check(
        &["validate", "shop.json"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        ✓ 1 file is valid; 1 warning (`widget lint` shows them)
    "#]],
    );
    folder.check(&["lint", "shop.json"], &expect![[r#"
        exit 0
        ---- stdout ----
        warning[twin_missing]: `https://www.shop.example` is listed, `https://shop.example` is not; they are different sites
         --> shop.json:6:15
          |
        6 |   "domains": ["https://www.shop.example", "https://*.acme.example"],
          |               ^^^^^^^^^^^^^^^^^^^^^^^^^^ /domains/0

        hint: add `https://shop.example` if the page can be reached there too

        ---- stderr ----
        ✓ 1 file is valid; 1 warning
    "#]]);
    folder.check(
        &["lint", "shop.json", "--deny-warnings", "-q"],
        &expect![[r#"
            exit 1
            ---- stdout ----
            warning[twin_missing]: `https://www.shop.example` is listed, `https://shop.example` is not; they are different sites
             --> shop.json:6:15
              |
            6 |   "domains": ["https://www.shop.example", "https://*.acme.example"],
              |               ^^^^^^^^^^^^^^^^^^^^^^^^^^ /domains/0

            hint: add `https://shop.example` if the page can be reached there too

        "#]],
    );
    folder.check(&["lint", "shop.json", "--output", "json"], &expect![[r#"
        exit 0
        ---- stdout ----
        {"path":"shop.json","entry":null,"kind":"widget","id":"0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b","valid":true,"errors":[],"warnings":[{"code":"twin_missing","detail":"`https://www.shop.example` is listed, `https://shop.example` is not; they are different sites","hint":"add `https://shop.example` if the page can be reached there too","pointer":"/domains/0","line":6,"column":15,"end_line":6,"end_column":41}]}
    "#]]);
}

#[test]
fn every_fault_is_shown_at_its_place() {
    let folder = Folder::new().with(
        "bad.json",
        r##"{
  "id": "not-an-id",
  "agent_id": "0197a8b2-0000-7000-8000-000000000001",
  "domain": ["shop.example"],
  "domains": ["https://*.co.uk", 5, "https://ok.example", "shop .example"],
  "published": "true",
  "config": {
    "v1": {
      "theme": "Dark",
      "trigger": {"size": 31},
      "chat": {"title": "a", "title": "b"}
    }
  },
  "created_at": "yesterday"
}
"##,
    );
    folder.check(&["validate", "bad.json"], &expect![[r#"
        exit 1
        ---- stdout ----
        error[key_missing]: the record has no `agent_version_id`, and every widget needs one
         --> bad.json:1:1
          |
        1 | {
          | ^ /agent_version_id

        error[id_invalid]: `not-an-id` is not an id; ids are hyphenated UUIDs such as `0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b`
         --> bad.json:2:9
          |
        2 |   "id": "not-an-id",
          |         ^^^^^^^^^^^ /id

        error[key_unknown]: `domain` is not a key of a widget
         --> bad.json:4:3
          |
        4 |   "domain": ["shop.example"],
          |   ^^^^^^^^ /domain

        hint: did you mean `domains`?

        error[wildcard_public_suffix]: `*.co.uk` would allow sites of different owners
         --> bad.json:5:15
          |
        5 |   "domains": ["https://*.co.uk", 5, "https://ok.example", "shop .example"],
          |               ^^^^^^^^^^^^^^^^^ /domains/0

        hint: list your own sites there one by one, without `*`

        error[type_invalid]: an entry of `domains` must be a string such as `"https://shop.example"`, not `5`
         --> bad.json:5:34
          |
        5 |   "domains": ["https://*.co.uk", 5, "https://ok.example", "shop .example"],
          |                                  ^ /domains/1

        error[control_or_space]: the entry contains a space; write one site per entry
         --> bad.json:5:59
          |
        5 |   "domains": ["https://*.co.uk", 5, "https://ok.example", "shop .example"],
          |                                                           ^^^^^^^^^^^^^^^ /domains/3

        error[type_invalid]: `published` must be `true` or `false`, not `"true"`
         --> bad.json:6:16
          |
        6 |   "published": "true",
          |                ^^^^^^ /published

        error[value_not_allowed]: `"Dark"` is not allowed; `theme` must be one of `system`, `light`, `dark`
         --> bad.json:9:16
          |
        9 |       "theme": "Dark",
          |                ^^^^^^ /config/v1/theme

        hint: did you mean `dark`?

        error[value_out_of_range]: `31` is out of range; `trigger.size` must be an integer from 32 to 96
          --> bad.json:10:27
           |
        10 |       "trigger": {"size": 31},
           |                           ^^ /config/v1/trigger/size

        error[key_duplicate]: the key `title` occurs twice in the same object
          --> bad.json:11:30
           |
        11 |       "chat": {"title": "a", "title": "b"}
           |                              ^^^^^^^ /config/v1/chat/title

        hint: keep one of the two

        error[time_invalid]: `yesterday` is not a time; use RFC 3339, such as `2026-11-24T09:30:00Z`
          --> bad.json:14:17
           |
        14 |   "created_at": "yesterday"
           |                 ^^^^^^^^^^^ /created_at

        ---- stderr ----
        ✗ 11 errors in 1 of 1 file
    "#]]);
}

#[test]
fn yaml_pitfalls() {
    let folder = Folder::new().with(
        "bad.yaml",
        "# our shop
v1:
  chat:
    title: Grüße    # in UTF-8
    light_mode:
      background_color: {user_message: #fff
        }
  modes:
    voice: no
    text: true
  start_conversation_on_toggle: on
  trigger:
    size: 0x1F
",
    );
    folder.check(&["validate", "bad.yaml"], &expect![[r##"
        exit 1
        ---- stdout ----
        error[type_invalid]: `chat.light_mode.background_color.user_message` must be `#rgb` or `#rrggbb`, or an empty string for the default, not `null`
         --> bad.yaml:6:38
          |
        6 |       background_color: {user_message: #fff
          |                                      ^ /config/v1/chat/light_mode/background_color/user_message

        hint: in YAML a `#` after a space starts a comment: put the value in quotes, such as "#0055ff"

        error[type_invalid]: `"no"` is a string, but `modes.voice` must be `true` or `false`
         --> bad.yaml:9:12
          |
        9 |     voice: no
          |            ^^ /config/v1/modes/voice

        hint: in YAML 1.2 this word is text: write `false`

        error[type_invalid]: `"on"` is a string, but `start_conversation_on_toggle` must be `true` or `false`
          --> bad.yaml:11:33
           |
        11 |   start_conversation_on_toggle: on
           |                                 ^^ /config/v1/start_conversation_on_toggle

        hint: in YAML 1.2 this word is text: write `true`

        error[value_out_of_range]: `31` is out of range; `trigger.size` must be an integer from 32 to 96
          --> bad.yaml:13:11
           |
        13 |     size: 0x1F
           |           ^^^^ /config/v1/trigger/size

        ---- stderr ----
        ✗ 4 errors in 1 of 1 file
    "##]]);
}

#[test]
fn warnings_are_shown_by_lint() {
    let folder = Folder::new().with(
        "config.json",
        r##"{"v1": {"titel": "x", "chat": {"light_mode": {"background_color": {"user_message": "#ffffff"}, "text_color": {"user_message": "#cccccc"}}}}}"##,
    );
    folder.check(
        &["validate", "config.json"],
        &expect![[r#"
        exit 0
        ---- stderr ----
        ✓ 1 file is valid; 2 warnings (`widget lint` shows them)
    "#]],
    );
    folder.check(&["lint", "config.json"], &expect![[r##"
        exit 0
        ---- stdout ----
        warning[key_unknown]: `titel` is not a key of `v1`
         --> config.json:1:9
          |
        1 | {"v1": {"titel": "x", "chat": {"light_mode": {"background_color": {"user_message": "#ffffff"}, "text_color": {"us...
          |         ^^^^^^^ /config/v1/titel

        hint: it is kept and has no effect; remove it if it is not for a newer version

        warning[contrast_low]: `#cccccc` on `#ffffff` has a contrast of 1.6:1, WCAG 2.2 AA asks for 4.5:1
         --> config.json:1:127
          |
        1 | ...color": {"user_message": "#cccccc"}}}}}
          |                             ^^^^^^^^^ /config/v1/chat/light_mode/text_color/user_message

        hint: `#767676` is readable there

        ---- stderr ----
        ✓ 1 file is valid; 2 warnings
    "##]]);
    folder.check(
        &[
            "validate",
            "config.json",
            "--deny-warnings",
            "--quiet",
            "--output",
            "json",
        ],
        &expect![[r#"
            exit 1
            ---- stdout ----
            {"path":"config.json","entry":null,"kind":"config","id":null,"valid":true,"errors":[],"warnings":[{"code":"key_unknown","detail":"`titel` is not a key of `v1`","hint":"it is kept and has no effect; remove it if it is not for a newer version","pointer":"/config/v1/titel","line":1,"column":9,"end_line":1,"end_column":16},{"code":"contrast_low","detail":"`#cccccc` on `#ffffff` has a contrast of 1.6:1, WCAG 2.2 AA asks for 4.5:1","hint":"`#767676` is readable there","pointer":"/config/v1/chat/light_mode/text_color/user_message","line":1,"column":127,"end_line":1,"end_column":136}]}
        "#]],
    );
}

#[test]
fn lists_are_checked_entry_by_entry() {
    let folder = Folder::new();
    folder.check_with_input(
        &["validate", "-"],
        r#"[{"v1": {}}, {"v1": {"theme": "blue"}}]"#,
        &expect![[r#"
            exit 1
            ---- stdout ----
            error[value_not_allowed]: `"blue"` is not allowed; `theme` must be one of `system`, `light`, `dark`
             --> <stdin>:1:31
              |
            1 | [{"v1": {}}, {"v1": {"theme": "blue"}}]
              |                               ^^^^^^ /config/v1/theme

            ---- stderr ----
            ✗ 1 error in 1 of 1 file
        "#]],
    );
    folder.check_with_input(
        &["validate", "-", "--output", "json"],
        r#"[{"v1": {}}, {"v1": {"theme": "blue"}}]"#,
        &expect![[r#"
            exit 1
            ---- stdout ----
            {"path":"<stdin>","entry":0,"kind":"config","id":null,"valid":true,"errors":[],"warnings":[]}
            {"path":"<stdin>","entry":1,"kind":"config","id":null,"valid":false,"errors":[{"code":"value_not_allowed","detail":"`\"blue\"` is not allowed; `theme` must be one of `system`, `light`, `dark`","hint":null,"pointer":"/config/v1/theme","line":1,"column":31,"end_line":1,"end_column":37}],"warnings":[]}
        "#]],
    );
    folder.check_with_input(
        &["validate", "-"],
        "[1]",
        &expect![[r#"
            exit 1
            ---- stdout ----
            error[object_missing]: a widget or a config must be an object
             --> <stdin>:1:2
              |
            1 | [1]
              |  ^

            ---- stderr ----
            ✗ 1 error in 1 of 1 file
        "#]],
    );
    folder.check_with_input(
        &["validate", "-"],
        "[]",
        &expect![[r#"
        exit 0
        ---- stderr ----
        ✓ 1 file is valid
    "#]],
    );
}

#[test]
fn newer_and_unversioned_configs() {
    let folder = Folder::new();
    folder.check_with_input(&["validate", "-"], r#"{"v2": {}}"#, &expect![[r#"
        exit 1
        ---- stdout ----
        error[config_too_new]: `config` is newer than this build: it has `v2`, and the newest known version is `v1`
         --> <stdin>:1:1
          |
        1 | {"v2": {}}
          | ^^^^^^^^^^ /config

        hint: use a newer build of this software

        ---- stderr ----
        ✗ 1 error in 1 of 1 file
    "#]]);
    folder.check_with_input(&["validate", "-"], r#"{"color": "red"}"#, &expect![[r#"
        exit 1
        ---- stdout ----
        error[config_unversioned]: `config` has no version key, and `color` is not a key of `v1`; settings belong under `v1`
         --> <stdin>:1:1
          |
        1 | {"color": "red"}
          | ^^^^^^^^^^^^^^^^ /config

        hint: write {"v1":{}}

        ---- stderr ----
        ✗ 1 error in 1 of 1 file
    "#]]);
    folder.check_with_input(
        &["validate", "-"],
        r#"{"theme": "red", "chat": {}}"#,
        &expect![[r#"
            exit 1
            ---- stdout ----
            error[value_not_allowed]: `"red"` is not allowed; `theme` must be one of `system`, `light`, `dark`
             --> <stdin>:1:11
              |
            1 | {"theme": "red", "chat": {}}
              |           ^^^^^ /config/v1/theme

            ---- stderr ----
            ✗ 1 error in 1 of 1 file
        "#]],
    );
}

#[test]
fn numbers_and_depth_are_core_rules() {
    let folder = Folder::new();
    folder.check_with_input(
        &["validate", "-"],
        r#"{"v1": {"x": 1e400}}"#,
        &expect![[r#"
            exit 1
            ---- stdout ----
            error[number_inexact]: `1e400` cannot be kept exactly: integers go from -9223372036854775808 to 18446744073709551615, other numbers have the range and precision of a double
             --> <stdin>:1:14
              |
            1 | {"v1": {"x": 1e400}}
              |              ^^^^^ /config/v1/x

            hint: write it as a string

            ---- stderr ----
            ✗ 1 error in 1 of 1 file
        "#]],
    );
    folder.check_with_input(
        &["validate", "-"],
        "v1:\n  x: 123456789012345678901234567890\n",
        &expect![[r#"
            exit 1
            ---- stdout ----
            error[number_inexact]: `123456789012345678901234567890` cannot be kept exactly: integers go from -9223372036854775808 to 18446744073709551615, other numbers have the range and precision of a double
             --> <stdin>:2:6
              |
            2 |   x: 123456789012345678901234567890
              |      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ /config/v1/x

            hint: write it as a string

            ---- stderr ----
            ✗ 1 error in 1 of 1 file
        "#]],
    );
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    folder.check_with_input(
        &["validate", "-"],
        &format!("{{\"v1\": {{\"x\":\n{deep}\n}}}}"),
        &expect![[r#"
            exit 1
            ---- stdout ----
            error[config_too_deep]: `config` is 5002 levels deep; at most 16 are allowed
             --> <stdin>:1:1
              |
            1 | {"v1": {"x":
              | ^^^^^^^^^^^^ /config

            ---- stderr ----
            ✗ 1 error in 1 of 1 file
        "#]],
    );
}

#[test]
fn the_kind_can_be_given() {
    let folder = Folder::new();
    folder.check_with_input(
        &["validate", "-", "--kind", "widget"],
        "{}",
        &expect![[r#"
            exit 1
            ---- stdout ----
            error[key_missing]: the record has no `agent_id`, and every widget needs one
             --> <stdin>:1:1
              |
            1 | {}
              | ^ /agent_id

            error[key_missing]: the record has no `agent_version_id`, and every widget needs one
             --> <stdin>:1:1
              |
            1 | {}
              | ^ /agent_version_id

            ---- stderr ----
            ✗ 2 errors in 1 of 1 file; 1 warning (`widget lint` shows them)
        "#]],
    );
    folder.check_with_input(
        &["validate", "-", "--kind", "config"],
        r#"{"domains": []}"#,
        &expect![[r#"
            exit 1
            ---- stdout ----
            error[config_unversioned]: `config` has no version key, and `domains` is not a key of `v1`; settings belong under `v1`
             --> <stdin>:1:1
              |
            1 | {"domains": []}
              | ^^^^^^^^^^^^^^^ /config

            hint: write {"v1":{}}

            ---- stderr ----
            ✗ 1 error in 1 of 1 file
        "#]],
    );
}

#[test]
fn equal_entries_do_not_shift_the_place_of_a_warning() {
    let folder = Folder::new();
    folder.check_with_input(
        &["lint", "-"],
        r#"{"agent_id": "0197a8b2-0000-7000-8000-000000000001",
 "agent_version_id": "0197a8b2-0000-7000-8000-000000000002",
 "domains": ["www.shop.example", "shop.example", "https://shop.example/", "http://localhost:3000"]}"#,
        &expect![[r#"
            exit 0
            ---- stdout ----
            warning[loopback_origin]: `http://localhost:3000` is the visitor's own machine: good for development only
             --> <stdin>:3:75
              |
            3 |  "domains": ["www.shop.example", "shop.example", "https://shop.example/", "http://localhost:3000"]}
              |                                                                           ^^^^^^^^^^^^^^^^^^^^^^^ /domains/3

            hint: remove it before the widget goes live

            ---- stderr ----
            ✓ 1 file is valid; 1 warning
        "#]],
    );
}

#[test]
fn a_hundred_findings_are_shown_and_the_others_are_counted() {
    let keys: Vec<_> = (0..250).map(|key| format!("\"k{key}\": 0")).collect();
    let folder = Folder::new().with(
        "config.json",
        format!("{{\"v1\": {{{}}}}}", keys.join(", ")),
    );
    let output = |arguments: &[&str]| {
        let output = folder.command(arguments).output().expect("a run");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (text(output.stdout), text(output.stderr))
    };
    let (shown, summary) = output(&["lint", "config.json"]);
    assert_eq!(shown.matches("warning[key_unknown]").count(), 100);
    assert!(
        shown.ends_with("\nand 150 more warnings in config.json\n\n"),
        "{shown}"
    );
    assert!(summary.contains("250 warnings"), "{summary}");
    let (json, _) = output(&["lint", "config.json", "--output", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(answer["warnings"].as_array().map(Vec::len), Some(100));
    assert_eq!(answer["warnings_total"], 250);
    assert_eq!(answer.get("errors_total"), None);
}

#[test]
fn warnings_of_an_invalid_config_come_later() {
    let folder = Folder::new().with("a.yaml", "v1: {theme: Dark, titel: Ask us}\n");
    folder.check(&["lint", "a.yaml"], &expect![[r#"
        exit 1
        ---- stdout ----
        error[value_not_allowed]: `"Dark"` is not allowed; `theme` must be one of `system`, `light`, `dark`
         --> a.yaml:1:13
          |
        1 | v1: {theme: Dark, titel: Ask us}
          |             ^^^^ /config/v1/theme

        hint: did you mean `dark`?

        ---- stderr ----
        ✗ 1 error in 1 of 1 file
        warnings of a config are shown once it has no errors
    "#]]);
}
