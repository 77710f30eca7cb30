//! Changes of single values, and the difference of two documents.

use super::*;

#[track_caller]
fn config(text: &str) -> Config {
    Config::parse(text).expect("valid")
}

const DOCUMENT: &str = r#"{"x":1,"v1":{"zz":[1.0,{"~a/b":2}],"theme":"light","suggested_questions":["a","b"]},"v7":{}}"#;

#[test]
fn the_rest_is_untouched() {
    for (pointer, value, text) in [
        (
            "/config/v1/theme",
            json!("dark"),
            DOCUMENT.replace("light", "dark"),
        ),
        (
            "/config/v1/zz/1/~0a~1b",
            json!(3),
            DOCUMENT.replace(":2", ":3"),
        ),
        (
            "/config/v1/suggested_questions/-",
            json!("c"),
            DOCUMENT.replace(r#""b"]"#, r#""b","c"]"#),
        ),
        (
            "/config/v1/suggested_questions/1",
            json!("c"),
            DOCUMENT.replace(r#""b"]"#, r#""c"]"#),
        ),
        (
            "/config/v1/chat/light_mode/text_color/user_message",
            json!("#000"),
            DOCUMENT.replace(
                r#""b"]"#,
                r##""b"],"chat":{"light_mode":{"text_color":{"user_message":"#000"}}}"##,
            ),
        ),
    ] {
        let edited = config(DOCUMENT).set(pointer, value).expect("valid");
        assert_eq!(edited.as_json(), text);
    }
    let edited = Config::default()
        .set("/config/v1/theme", json!("dark"))
        .expect("valid");
    assert_eq!(edited.as_json(), r#"{"v1":{"theme":"dark"}}"#);
    for (pointer, text) in [
        (
            "/config/v1/theme",
            DOCUMENT.replace(r#""theme":"light","#, ""),
        ),
        ("/config/v1/zz/0", DOCUMENT.replace("1.0,", "")),
        ("/config/x", DOCUMENT.replace(r#""x":1,"#, "")),
        ("/config", "{}".to_owned()),
    ] {
        assert_eq!(
            config(DOCUMENT).remove(pointer).expect("valid").as_json(),
            text
        );
    }
}

#[test]
fn a_pointer_without_a_place_is_rejected() {
    for pointer in [
        "",
        "/",
        "theme",
        "/v1/theme",
        "/config/v1/theme/x",
        "/config/v1/suggested_questions/3",
        "/config/v1/suggested_questions/01",
        "/config/v1/suggested_questions/x",
        "/config/~2",
        "/configx/v1",
    ] {
        let error = config(DOCUMENT).set(pointer, json!(1)).expect_err(pointer);
        assert_eq!(
            places(error.findings()),
            [("pointer_invalid", pointer.to_owned())]
        );
    }
    for pointer in [
        "/config/v1/locale",
        "/config/v1/suggested_questions/-",
        "/config/v1/theme/x",
        "/config/v1/suggested_questions/2",
        "/config/v2/x",
    ] {
        let error = config(DOCUMENT).remove(pointer).expect_err(pointer);
        assert_eq!(
            places(error.findings()),
            [("pointer_invalid", pointer.to_owned())]
        );
    }
}

#[test]
fn a_place_in_a_missing_array_is_rejected_by_its_name() {
    for (pointer, name, array) in [
        ("/config/v1/forms/0/title", "forms", "/config/v1/forms"),
        ("/config/v1/forms/-", "forms", "/config/v1/forms"),
        ("/config/v1/x/a~1b/1", "a/b", "/config/v1/x/a~1b"),
    ] {
        let error = config(DOCUMENT)
            .set(pointer, json!("x"))
            .expect_err(pointer);
        let detail = format!("the array `{name}` is missing; set the whole array at `{array}`");
        let findings = error.findings();
        assert_eq!(findings[0].detail, detail);
        assert_eq!(places(findings), [("pointer_invalid", pointer.to_owned())]);
    }
}

/// Objects on the way are made when they are missing, so a long pointer would make many of them.
#[test]
fn a_pointer_has_no_more_levels_than_a_document() {
    let at = |levels: usize| format!("/config/v1{}", "/x".repeat(levels - 1));
    assert!(config(DOCUMENT).set(&at(16), json!(1)).is_ok());
    let error = config(DOCUMENT).set(&at(16), json!([])).expect_err("deep");
    assert_eq!(error.code(), Code::ConfigTooDeep);
    for levels in [17, 200_000] {
        let pointer = at(levels);
        let expected = vec![("pointer_invalid", pointer.clone())];
        for error in [
            config(DOCUMENT).set(&pointer, json!(1)),
            config(DOCUMENT).remove(&pointer),
        ] {
            let error = error.expect_err("too long");
            assert_eq!(places(error.findings()), expected);
        }
    }
}

#[test]
fn the_result_is_checked() {
    let error = config(DOCUMENT)
        .set("/config/v1/theme", json!("Dark"))
        .expect_err("fault");
    assert_eq!(
        places(error.findings()),
        [("value_not_allowed", "/config/v1/theme".to_owned())]
    );
    let error = config(DOCUMENT).remove("/config/v1").expect_err("fault");
    assert_eq!(error.code(), Code::ConfigTooNew);
    let deep = (0..100_000).fold(json!(1), |inner, _| Value::Array(vec![inner]));
    let error = config(DOCUMENT)
        .set("/config/v1/x", deep)
        .expect_err("too deep");
    assert_eq!(error.code(), Code::ConfigTooDeep);
}

/// Values that are valid only together.
#[test]
fn only_the_result_of_several_edits_is_checked() {
    let set = |pointer: &str, value| Edit::Set {
        pointer: pointer.to_owned(),
        value,
    };
    let edits = || {
        [
            set("/config/v1/chat", json!(1)),
            set("/config/v1/chat", json!({"title": "Hi"})),
            Edit::Remove {
                pointer: "/config/x".to_owned(),
            },
        ]
    };
    let edited = config(DOCUMENT).edit(edits()).expect("valid");
    let expected = DOCUMENT
        .replace(r#""x":1,"#, "")
        .replace(r#""b"]"#, r#""b"],"chat":{"title":"Hi"}"#);
    assert_eq!(edited.as_json(), expected);
    let error = config(DOCUMENT)
        .edit(edits().into_iter().take(1))
        .expect_err("a fault");
    assert_eq!(
        error.findings()[0].pointer.as_deref(),
        Some("/config/v1/chat")
    );
}

/// Between two valid documents there can be none that is valid.
#[test]
fn differences_are_made_together() {
    let from = config(r#"{"v1":{"default_mode":"text","modes":{"text":true,"voice":false}}}"#);
    let to = config(r#"{"v1":{"default_mode":"voice","modes":{"text":false,"voice":true}}}"#);
    let changes = || diff(&from, &to).into_iter();
    assert_eq!(from.edit(changes().map(Edit::from)), Ok(to.clone()));
    let first = changes().take(1).map(Edit::from);
    let error = from.edit(first).expect_err("a mode that is off");
    assert_eq!(
        places(error.findings()),
        [("mode_disabled", "/config/v1/default_mode".to_owned())]
    );
}

#[test]
fn differences_are_a_list() {
    let changed = config(
        r#"{"v1":{"suggested_questions":["a"],"zz":[1,{"~a/b":2}],"theme":"dark","locale":null},"x":1,"v7":{"a":[]}}"#,
    );
    let reported: Vec<String> = diff(&config(DOCUMENT), &changed)
        .iter()
        .map(ToString::to_string)
        .collect();
    expect_test::expect![[r#"
        ~ /config/v1/theme: "light" -> "dark"
        - /config/v1/suggested_questions/1: "b"
        + /config/v1/locale: null
        + /config/v7/a: []"#]]
    .assert_eq(&reported.join("\n"));
    assert!(diff(&changed, &changed).is_empty());
}
