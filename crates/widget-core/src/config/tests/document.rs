//! The document as a whole: versions, unknown keys, size, depth, and what its text can hide.

use super::*;

#[track_caller]
fn error(text: &str) -> ConfigError {
    Config::parse(text).expect_err(text)
}

#[track_caller]
fn codes_and_places(text: &str) -> Vec<(&'static str, String)> {
    places(error(text).findings())
}

#[test]
fn the_empty_document_is_every_default() {
    let config = Config::parse("{}").expect("valid");
    assert_eq!(config, Config::default());
    assert_eq!(config.as_json(), "{}");
    let explicit = Config::parse(r#"{"v1":{}}"#).expect("valid");
    assert_eq!(explicit.current(), config.current());
    assert_eq!(explicit.as_json(), r#"{"v1":{}}"#);
}

#[test]
fn only_an_object_is_a_document() {
    for text in ["[]", "null", "1", "\"v1\"", "true", "[{\"v1\":{}}]"] {
        assert_eq!(
            codes_and_places(text),
            [("type_invalid", "/config".to_owned())],
            "{text}"
        );
        assert_eq!(error(text).code(), Code::ConfigInvalid);
    }
    for value in ["[]", "null", "1", "\"\"", "true"] {
        let text = format!(r#"{{"v1":{value}}}"#);
        assert_eq!(
            codes_and_places(&text),
            [("type_invalid", "/config/v1".to_owned())],
            "{text}"
        );
    }
}

#[test]
fn text_that_is_not_json_has_a_place() {
    assert_eq!(
        codes_and_places("{\"v1\":"),
        [("json_invalid", "/config".to_owned())]
    );
    assert!(error("{\n \"v1\": nul}").to_string().contains("line 2"));
}

#[test]
fn unknown_keys_and_versions_are_kept_and_reported() {
    let text = r#"{"x-note":"kept","v9":{"a":[1,2.0,1e2]},"v1":{"zz":{"a":[1,{"b":null}]},"theme":"light","chat":{"titel":"x"}},"v01":1,"V1":{}}"#;
    let config = Config::parse(text).expect("valid");
    assert_eq!(config.as_json(), text.replace("1e2", "100.0"));
    assert_eq!(config.migrated(), config);
    let reported: Vec<String> = config
        .warnings()
        .into_iter()
        .map(|finding| {
            format!(
                "{} {} {}",
                finding.code.as_str(),
                finding.pointer.unwrap_or_default(),
                finding.detail
            )
        })
        .collect();
    expect_test::expect![[r#"
        key_unknown /config/x-note `x-note` is not a version and has no effect
        version_unknown /config/v9 `v9` is kept and not read, the newest version of this build is `v1`
        key_unknown /config/v01 `v01` is not a version and has no effect; did you mean `v1`?
        key_unknown /config/V1 `V1` is not a version and has no effect; did you mean `v1`?
        key_unknown /config/v1/chat/titel `titel` is not a key of `chat`; did you mean `title`?
        key_unknown /config/v1/zz `zz` is not a key of `v1`"#]]
    .assert_eq(&reported.join("\n"));
}

#[test]
fn unversioned_documents() {
    let config = Config::parse(r#"{"trigger":{"size":40},"theme":"dark"}"#).expect("valid");
    assert_eq!(
        config.as_json(),
        r#"{"v1":{"trigger":{"size":40},"theme":"dark"}}"#
    );
    let config = Config::parse(r#"{"chat":{"titel":1}}"#).expect("valid");
    assert_eq!(
        config.warnings()[0].pointer.as_deref(),
        Some("/config/v1/chat/titel")
    );
    for text in [
        r#"{"theme":"dark","color":"red"}"#,
        r#"{"v0":{}}"#,
        r#"{"v":{}}"#,
        r#"{"V1":{"theme":"dark"}}"#,
        r#"{"v01":{}}"#,
        r#"{"v1.0":{}}"#,
        r#"{"v-1":{}}"#,
        r#"{"v１":{}}"#,
        r#"{"":{}}"#,
        r#"{"version":1,"theme":"dark"}"#,
    ] {
        assert_eq!(error(text).code(), Code::ConfigUnversioned, "{text}");
        assert_eq!(
            codes_and_places(text),
            [("config_unversioned", "/config".to_owned())]
        );
    }
    // A fault points to where the value would be in the record.
    for (text, code, pointer) in [
        (
            r#"{"trigger":{"size":1}}"#,
            "value_out_of_range",
            "/config/v1/trigger/size",
        ),
        (
            r#"{"theme":"dark","theme":"light"}"#,
            "key_duplicate",
            "/config/v1/theme",
        ),
    ] {
        assert_eq!(codes_and_places(text), [(code, pointer.to_owned())]);
    }
}

#[test]
fn newer_documents_are_rejected() {
    for text in [
        r#"{"v2":{}}"#,
        r#"{"v2":{"theme":"Dark"},"v10":[]}"#,
        r#"{"v2":1,"theme":"dark"}"#,
        r#"{"v99999999999999999999999999":{}}"#,
        r#"{"v2":{"a":1,"a":2}}"#,
    ] {
        let error = error(text);
        assert_eq!(error.code(), Code::ConfigTooNew, "{text}");
        assert_eq!(
            places(error.findings()),
            [("config_too_new", "/config".to_owned())]
        );
        assert!(error.to_string().contains("`v1`"), "{error}");
    }
    let found = vec!["v10".to_owned(), "v2".to_owned()];
    assert_eq!(
        error(r#"{"v10":{},"v2":{}}"#),
        ConfigError::TooNew { found, newest: 1 }
    );
}

#[test]
fn all_faults_are_reported_at_once() {
    assert_eq!(
        codes_and_places(
            r#"{"v1":{"theme":"x","trigger":{"size":1e400,"size":"x","offset_x":-1,"z_index":1e400},
                "chat":{"title":null,"title":""},"note":123456789012345678901234567890}}"#
        ),
        [
            ("number_inexact", "/config/v1/trigger/size".to_owned()),
            ("key_duplicate", "/config/v1/trigger/size".to_owned()),
            ("number_inexact", "/config/v1/trigger/z_index".to_owned()),
            ("key_duplicate", "/config/v1/chat/title".to_owned()),
            ("number_inexact", "/config/v1/note".to_owned()),
            ("value_not_allowed", "/config/v1/theme".to_owned()),
            (
                "value_out_of_range",
                "/config/v1/trigger/offset_x".to_owned()
            ),
        ]
    );
    assert_eq!(
        codes_and_places(r#"{"v1":{},"v1":{}}"#),
        [("key_duplicate", "/config/v1".to_owned())]
    );
}

/// The reader puts an empty object in place of one with such a key, and `{}` is a valid document.
#[test]
fn a_key_that_is_not_text_is_a_fault_at_every_depth() {
    for (text, pointer) in [
        (r#"{"\ud800":1}"#, "/config"),
        (r#"{"\ud800":1,"v1":{"theme":"dark"}}"#, "/config"),
        (r#"{"v1":{"\udc00":1,"theme":"dark"}}"#, "/config/v1"),
        (r#"{"v1":{"chat":{"\ud800":1}}}"#, "/config/v1/chat"),
        (r#"{"v1":{"zz":[{"\ud800":1}]}}"#, "/config/v1/zz/0"),
        (r#"{"v1":{},"v9":{"\ud800":1}}"#, "/config/v9"),
        (r#"{"chat":{"\ud800":1}}"#, "/config/v1/chat"),
    ] {
        assert_eq!(
            codes_and_places(text),
            [("string_invalid", pointer.to_owned())],
            "{text}"
        );
    }
}

#[test]
fn numbers_of_unknown_keys_are_kept_exactly() {
    for number in [
        "0",
        "-0.0",
        "1.0",
        "0.1",
        "1e+20",
        "18446744073709551615",
        "-9223372036854775808",
    ] {
        let text = format!(r#"{{"v1":{{"x":{number}}}}}"#);
        let config = Config::parse(&text).expect("kept");
        assert_eq!(config.as_json(), text);
        assert_eq!(Config::parse(config.as_json()), Ok(config));
    }
}

#[test]
fn depth_counts_the_document_itself() {
    // The document and `v1` are two; `levels` more are inside.
    let nested = |levels: usize| {
        format!(
            r#"{{"v1":{{"x":{}1{}}}}}"#,
            "[".repeat(levels),
            "]".repeat(levels)
        )
    };
    assert!(Config::parse(&nested(14)).is_ok());
    for levels in [15, 126, 127, 128, 100_000, 1_000_000] {
        let error = error(&nested(levels));
        assert_eq!(error, ConfigError::TooDeep { depth: levels + 2 });
        assert_eq!(
            places(error.findings()),
            [("config_too_deep", "/config".to_owned())]
        );
    }
    let deep = (0..100_000).fold(json!(1), |inner, _| Value::Array(vec![inner]));
    assert_eq!(
        Config::from_value(deep),
        Err(ConfigError::TooDeep { depth: 100_000 })
    );
}

#[test]
fn size_is_that_of_the_stored_document() {
    let sized = |bytes: usize| format!(r#"{{"v1":{{"x":"{}"}}}}"#, "x".repeat(bytes - 15));
    assert_eq!(sized(65_536).len(), 65_536);
    assert!(Config::parse(&sized(65_536)).is_ok());
    assert_eq!(
        error(&sized(65_537)),
        ConfigError::TooLarge { bytes: 65_537 }
    );
    assert_eq!(error(&sized(65_537)).code(), Code::ConfigTooLarge);
    let spacious = sized(65_536).replace(':', &format!(":{}", " ".repeat(100_000)));
    assert!(Config::parse(&spacious).is_ok());
    let value: Value = serde_json::from_str(&sized(65_537)).expect("JSON");
    assert_eq!(
        Config::from_value(value),
        Err(ConfigError::TooLarge { bytes: 65_537 })
    );
}

/// A document without a version is stored with one, which is 7 bytes and a level more.
#[test]
fn the_limits_hold_for_an_unversioned_document_as_it_is_stored() {
    let sized = |bytes: usize| format!(r#"{{"chat":{{"x":"{}"}}}}"#, "x".repeat(bytes - 17));
    assert_eq!(sized(65_529).len(), 65_529);
    let config = Config::parse(&sized(65_529)).expect("as large as allowed");
    assert_eq!(config.as_json().len(), 65_536);
    let value: Value = serde_json::from_str(&sized(65_529)).expect("JSON");
    assert_eq!(config.to_value(), json!({"v1": value}));
    for bytes in [65_530, 65_536] {
        let too_large = ConfigError::TooLarge { bytes: bytes + 7 };
        assert_eq!(error(&sized(bytes)), too_large);
        let value: Value = serde_json::from_str(&sized(bytes)).expect("JSON");
        assert_eq!(Config::from_value(value), Err(too_large));
    }

    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"chat":{{"x":{open}{close}}}}}"#)
    };
    let config = Config::parse(&nested(13)).expect("as deep as allowed");
    assert_eq!(Config::parse(config.as_json()), Ok(config));
    assert_eq!(error(&nested(14)), ConfigError::TooDeep { depth: 17 });
}

/// Items of lists are written out with their defaults, so less can become more.
#[test]
fn without_what_is_unread_a_document_can_still_be_read_back() {
    let label = "l".repeat(30);
    let fields: Vec<Value> = (0..30)
        .map(|field| json!({"id": format!("f{field}"), "type": "email", "label": label}))
        .collect();
    let forms = |count: usize| -> Vec<Value> {
        (0..count)
            .map(|form| json!({"id": format!("form{form}"), "fields": fields}))
            .collect()
    };
    let few = json!({"v1": {"forms": forms(1), "zz": 1}});
    let served = Config::from_value(few).expect("valid").without_unread();
    assert_eq!(served.to_value()["v1"].get("zz"), None);

    let many = json!({"v1": {"forms": forms(20), "zz": 1}});
    let config = Config::from_value(many.clone()).expect("valid");
    let served = config.clone().without_unread();
    assert_eq!(served.current(), config.current());
    assert_eq!(served.to_value(), many);
}

#[test]
fn sentences_of_whole_documents() {
    let reported: Vec<String> = [
        r#"{"color":1,"theme":"dark"}"#,
        r#"{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1}"#,
        r#"{"v2":{}}"#,
        "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]",
    ]
    .into_iter()
    .map(|text| error(text).to_string())
    .collect();
    expect_test::expect![[r#"
        `config` has no version key, and `color` is not a key of `v1`; settings belong under `v1`
        `config` has no version key, and `a`, `b`, `c`, `d`, `e` and 2 more are not keys of `v1`; settings belong under `v1`
        `config` is newer than this build: it has `v2`, and the newest known version is `v1`
        `config` is 17 levels deep; at most 16 are allowed"#]]
    .assert_eq(&reported.join("\n"));
}
