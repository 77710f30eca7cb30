//! Every row of the table of `v1`: its limits from both sides, its default, and what it rejects.

use super::*;
use crate::mode::Mode;

/// Values of every type but the one that is right.
fn others(right: &[&str]) -> Vec<Value> {
    let all = [
        ("null", json!(null)),
        ("boolean", json!(true)),
        ("integer", json!(1)),
        ("integer", json!(-1)),
        ("fraction", json!(1.5)),
        ("string", json!("x")),
        ("array", json!([])),
        ("object", json!({})),
    ];
    all.into_iter()
        .filter(|(name, _)| !right.contains(name))
        .map(|(_, value)| value)
        .collect()
}

#[track_caller]
fn rejects_other_types(pointer: &str, right: &[&str]) {
    for value in others(right) {
        rejects(pointer, value, "type_invalid");
    }
}

#[test]
fn integers() {
    for (pointer, least, most) in [
        ("/trigger/size", 32_i64, 96_i64),
        ("/trigger/offset_x", 0, 400),
        ("/trigger/offset_y", 0, 400),
        ("/trigger/z_index", 0, 2_147_483_647),
        ("/chat/width", 280, 640),
        ("/chat/height", 360, 960),
    ] {
        accepts(pointer, json!(least));
        accepts(pointer, json!(most));
        for outside in [least - 1, most + 1, -1, i64::MIN, i64::MAX] {
            rejects(pointer, json!(outside), "value_out_of_range");
        }
        rejects(pointer, json!(u64::MAX), "value_out_of_range");
        // An integer is written as one: JSON Schema would accept 56.0, a reader in a language that
        // keeps the two apart would not.
        let middle = f64::from(u32::try_from(least).expect("small")) + 1.0;
        rejects(pointer, json!(middle), "type_invalid");
        rejects(pointer, json!("40"), "type_invalid");
        rejects_other_types(pointer, &["integer"]);
    }
}

#[test]
fn choices() {
    for (pointer, names) in [
        ("/theme", &["system", "light", "dark"][..]),
        ("/trigger/shape", &["circle", "square"]),
        (
            "/trigger/position",
            &["bottom-right", "bottom-left", "top-right", "top-left"],
        ),
        ("/chat/avatar_shape", &["circle", "square"]),
        ("/default_mode", &["text", "voice"]),
    ] {
        for name in names {
            accepts(pointer, json!(name));
            rejects(pointer, json!(name.to_uppercase()), "value_not_allowed");
            rejects(pointer, json!(format!("{name} ")), "value_not_allowed");
        }
        rejects(pointer, json!(""), "value_not_allowed");
        rejects(pointer, json!("other"), "value_not_allowed");
        rejects_other_types(pointer, &["string"]);
    }
}

#[test]
fn booleans() {
    for pointer in [
        "/modes/text",
        "/modes/voice",
        "/start_conversation_on_toggle",
        "/notice/consent_required",
        "/pre_conversation_show_once",
        "/post_conversation_feedback/enabled",
    ] {
        accepts(pointer, json!(true));
        accepts(pointer, json!(false));
        rejects(pointer, json!("true"), "type_invalid");
        rejects(pointer, json!(0), "type_invalid");
        rejects_other_types(pointer, &["boolean"]);
    }
}

#[test]
fn strings() {
    for (pointer, most, nullable) in [
        ("/trigger/label", 40, true),
        ("/chat/title", 60, false),
        ("/chat/subtitle", 120, false),
        ("/chat/greeting", 500, false),
        ("/chat/placeholder", 120, false),
        ("/notice/text", 300, false),
        ("/fallback/text", 300, false),
        ("/post_conversation_feedback/thank_you_text", 300, false),
    ] {
        accepts(pointer, json!(""));
        accepts(pointer, json!("x".repeat(most)));
        // Characters are counted, not bytes and not UTF-16 units.
        accepts(pointer, json!("🦀".repeat(most)));
        rejects(pointer, json!("x".repeat(most + 1)), "too_long");
        if nullable {
            accepts(pointer, json!(null));
            rejects_other_types(pointer, &["string", "null"]);
        } else {
            rejects_other_types(pointer, &["string"]);
        }
    }
}

#[test]
fn urls() {
    for pointer in [
        "/trigger/icon_url",
        "/chat/avatar_url",
        "/chat/logo_url",
        "/notice/privacy_url",
        "/fallback/url",
    ] {
        accepts(pointer, json!(null));
        accepts(pointer, json!("https://shop.example/i.png"));
        accepts(pointer, json!("http://localhost:3000/i.png"));
        accepts(pointer, json!("http://127.0.0.1/i.png"));
        for bad in [
            "",
            "shop.example",
            "/i.png",
            "http://shop.example/i.png",
            "javascript:alert(1)",
            "data:image/png;base64,AA==",
            "ftp://shop.example/i.png",
            "mailto:a@shop.example",
        ] {
            rejects(pointer, json!(bad), "url_invalid");
        }
        rejects_other_types(pointer, &["string", "null"]);
    }
}

#[test]
fn colors() {
    for mode in ["light_mode", "dark_mode"] {
        for part in ["background_color", "text_color"] {
            for target in ["user_message", "controls_button"] {
                let pointer = format!("/chat/{mode}/{part}/{target}");
                for good in ["", "#fff", "#FFFFFF", "#1d4Ed8"] {
                    accepts(&pointer, json!(good));
                }
                for bad in [
                    "red",
                    "#ffff",
                    "ffffff",
                    "#12345g",
                    "#ffffffff",
                    "rgb(1,2,3)",
                ] {
                    rejects(&pointer, json!(bad), "color_invalid");
                }
                rejects_other_types(&pointer, &["string"]);
            }
            rejects_other_types(&format!("/chat/{mode}/{part}"), &["object"]);
        }
        rejects_other_types(&format!("/chat/{mode}"), &["object"]);
    }
}

#[test]
fn locale() {
    for good in [
        json!(null),
        json!("en"),
        json!("pt-BR"),
        json!("zh-Hant-TW"),
    ] {
        accepts("/locale", good);
    }
    for bad in ["", "not a tag", "en_US", "english language"] {
        rejects("/locale", json!(bad), "locale_invalid");
    }
    // A one-letter string is a wrong tag, not a wrong type.
    rejects_other_types("/locale", &["string", "null"]);
}

#[test]
fn groups_are_objects() {
    for pointer in [
        "/trigger",
        "/chat",
        "/modes",
        "/notice",
        "/fallback",
        "/post_conversation_feedback",
    ] {
        accepts(pointer, json!({}));
        rejects_other_types(pointer, &["object"]);
    }
    for pointer in ["/pre_conversation_form", "/post_conversation_feedback/form"] {
        accepts(pointer, json!(null));
        rejects_other_types(pointer, &["object", "null"]);
    }
}

#[test]
fn modes() {
    rejects(
        "/modes",
        json!({"text": false, "voice": false}),
        "mode_missing",
    );
    let config = accepts("/modes", json!({"text": false}));
    assert_eq!(config.current().default_mode, Mode::Voice);
    let config = accepts("/modes", json!({"voice": false}));
    assert_eq!(config.current().default_mode, Mode::Text);
    for (modes, default_mode) in [
        (json!({"text": false}), "text"),
        (json!({"voice": false}), "voice"),
        (json!({"text": true, "voice": false}), "voice"),
    ] {
        assert_eq!(
            faults(json!({"modes": modes, "default_mode": default_mode})),
            [("mode_disabled", "/default_mode".to_owned())]
        );
    }
    assert!(faults(json!({"modes": {"text": false}, "default_mode": "voice"})).is_empty());
}

#[test]
fn suggested_questions() {
    accepts("/suggested_questions", json!([]));
    accepts(
        "/suggested_questions",
        json!(["a", "b", "c", "d", "e", "x".repeat(120)]),
    );
    rejects(
        "/suggested_questions",
        json!(["a", "b", "c", "d", "e", "f", "g"]),
        "too_many",
    );
    rejects_other_types("/suggested_questions", &["array"]);
    assert_eq!(
        faults(json!({"suggested_questions": ["", "ok", "x".repeat(121), 1, null]})),
        [
            ("too_short", "/suggested_questions/0".to_owned()),
            ("too_long", "/suggested_questions/2".to_owned()),
            ("type_invalid", "/suggested_questions/3".to_owned()),
            ("type_invalid", "/suggested_questions/4".to_owned()),
        ]
    );
}

#[test]
fn quick_actions() {
    let action = |action: Value| json!([{"id": "a", "label": "A", "action": action}]);
    for good in [
        json!({"type": "send_message", "text": "Hello"}),
        json!({"type": "open_url", "url": "https://shop.example/"}),
        json!({"type": "open_url", "url": "mailto:help@shop.example"}),
        json!({"type": "open_url", "url": "tel:+34912345678"}),
        json!({"type": "start_voice"}),
        json!({"type": "show_form", "form_id": "contact"}),
    ] {
        accepts("/quick_actions", action(good));
    }
    for (bad, code, below) in [
        (json!({}), "key_missing", "/type"),
        (json!({"type": "other"}), "value_not_allowed", "/type"),
        (json!({"type": 1}), "type_invalid", "/type"),
        (json!({"type": "send_message"}), "key_missing", "/text"),
        (
            json!({"type": "send_message", "text": ""}),
            "too_short",
            "/text",
        ),
        (
            json!({"type": "send_message", "text": null}),
            "type_invalid",
            "/text",
        ),
        (json!({"type": "open_url"}), "key_missing", "/url"),
        (
            json!({"type": "open_url", "url": "http://shop.example/"}),
            "url_invalid",
            "/url",
        ),
        (
            json!({"type": "open_url", "url": "javascript:1"}),
            "url_invalid",
            "/url",
        ),
        (
            json!({"type": "open_url", "url": null}),
            "type_invalid",
            "/url",
        ),
        (json!({"type": "show_form"}), "key_missing", "/form_id"),
        (json!("start_voice"), "type_invalid", ""),
        (json!(null), "type_invalid", ""),
    ] {
        assert_eq!(
            faults(json!({"quick_actions": action(bad)})),
            [(code, format!("/quick_actions/0/action{below}"))]
        );
    }
    let start = json!({"type": "start_voice"});
    let many: Vec<Value> = (0..9)
        .map(|index| json!({"id": format!("a{index}"), "label": "x".repeat(40), "action": start}))
        .collect();
    accepts("/quick_actions", json!(many[..8]));
    rejects("/quick_actions", json!(many), "too_many");
    rejects_other_types("/quick_actions", &["array"]);
    assert_eq!(
        faults(json!({"quick_actions": [
            {"id": "a", "label": "x".repeat(41), "action": start},
            {"id": "a", "label": "", "action": start},
            {"label": 1},
            "x",
        ]})),
        [
            ("too_long", "/quick_actions/0/label".to_owned()),
            ("too_short", "/quick_actions/1/label".to_owned()),
            ("key_missing", "/quick_actions/2/id".to_owned()),
            ("type_invalid", "/quick_actions/2/label".to_owned()),
            ("key_missing", "/quick_actions/2/action".to_owned()),
            ("type_invalid", "/quick_actions/3".to_owned()),
            ("id_duplicate", "/quick_actions/1/id".to_owned()),
        ]
    );
}

#[test]
fn forms_are_checked_where_they_are() {
    let form = |id: &str| {
        json!({"id": id, "name": "n", "title": "t", "submit_label": "s",
        "fields": [{"id": "email", "type": "email", "label": "E-mail"}]})
    };
    accepts(
        "/forms",
        json!((0..20).map(|n| form(&format!("f{n}"))).collect::<Vec<_>>()),
    );
    rejects(
        "/forms",
        json!((0..21).map(|n| form(&format!("f{n}"))).collect::<Vec<_>>()),
        "too_many",
    );
    rejects_other_types("/forms", &["array"]);
    let doubled = faults(json!({"forms": [form("a"), form("b"), form("a")]}));
    assert_eq!(doubled, [("id_duplicate", "/forms/2/id".to_owned())]);
    for pointer in ["/pre_conversation_form", "/post_conversation_feedback/form"] {
        accepts(pointer, form("a"));
        let reserved = faults(with(pointer, form("feedback_form")));
        assert_eq!(reserved, [("id_reserved", format!("{pointer}/id"))]);
    }
}

#[test]
fn every_default_is_filled_in() {
    let palette = json!({
        "background_color": {"user_message": "", "controls_button": ""},
        "text_color": {"user_message": "", "controls_button": ""},
    });
    assert_eq!(
        serde_json::to_value(Config::default().current()).expect("JSON"),
        json!({
            "theme": "system",
            "locale": null,
            "trigger": {
                "shape": "circle", "size": 56, "position": "bottom-right", "offset_x": 20,
                "offset_y": 20, "z_index": 2_147_483_000_u32, "icon_url": null, "label": null,
            },
            "chat": {
                "title": "", "subtitle": "", "greeting": "", "placeholder": "",
                "avatar_url": null, "logo_url": null, "avatar_shape": "circle", "width": 400,
                "height": 640, "light_mode": palette, "dark_mode": palette,
            },
            "modes": {"text": true, "voice": true},
            "default_mode": "text",
            "start_conversation_on_toggle": false,
            "suggested_questions": [],
            "quick_actions": [],
            "notice": {"text": null, "privacy_url": null, "consent_required": false},
            "fallback": {"text": null, "url": null},
            "pre_conversation_form": null,
            "pre_conversation_show_once": true,
            "forms": [],
            "post_conversation_feedback": {"enabled": false, "thank_you_text": "", "form": null},
        })
    );
}

#[test]
fn defaults_that_depend_on_others() {
    let config = accepts("/trigger", json!({"shape": "square"}));
    assert_eq!(config.current().chat.avatar_shape, v1::Shape::Square);
    let config =
        Config::parse(r#"{"v1":{"trigger":{"shape":"square"},"chat":{"avatar_shape":"circle"}}}"#)
            .expect("valid");
    assert_eq!(config.current().chat.avatar_shape, v1::Shape::Circle);
    for (background, text) in [
        ("#ffffff", "#111111"),
        ("#000", "#ffffff"),
        ("#ffd400", "#111111"),
    ] {
        let pointer = "/chat/dark_mode/background_color/user_message";
        let config = accepts(pointer, json!(background));
        let palette = &config.current().chat.dark_mode;
        assert_eq!(palette.text_color.user_message.to_string(), text);
        assert_eq!(palette.text_color.controls_button.to_string(), "");
        assert!(config.warnings().is_empty());
    }
}

#[test]
fn valid_documents_with_warnings() {
    assert!(warnings(json!({"theme": "dark"})).is_empty());
    let form = json!({"id": "contact", "fields": [{"id": "a", "type": "text", "label": "A"}]});
    for (v1, code, pointer) in [
        (
            json!({"chat": {"light_mode": {"background_color": {"user_message": "#fff"},
                "text_color": {"user_message": "#eee"}}}}),
            "contrast_low",
            "/chat/light_mode/text_color/user_message",
        ),
        (
            json!({"chat": {"dark_mode": {"text_color": {"controls_button": "#2450d0"}}}}),
            "contrast_low",
            "/chat/dark_mode/text_color/controls_button",
        ),
        (
            json!({"quick_actions": [{"id": "a", "label": "A",
                "action": {"type": "show_form", "form_id": "contact"}}]}),
            "form_not_found",
            "/quick_actions/0/action/form_id",
        ),
        (
            json!({"modes": {"voice": false}, "quick_actions": [{"id": "a", "label": "A",
                "action": {"type": "start_voice"}}]}),
            "voice_disabled",
            "/quick_actions/0/action",
        ),
        (
            json!({"modes": {"text": false}, "quick_actions": [{"id": "a", "label": "A",
                "action": {"type": "send_message", "text": "Hi"}}]}),
            "text_disabled",
            "/quick_actions/0/action",
        ),
        (
            json!({"modes": {"text": false}, "suggested_questions": ["Why?"]}),
            "text_disabled",
            "/suggested_questions",
        ),
        (
            json!({"suggested_questions": ["Why?", "How?", "Why?"]}),
            "question_duplicate",
            "/suggested_questions/2",
        ),
        (
            json!({"post_conversation_feedback": {"thank_you_text": "Thanks"}}),
            "feedback_disabled",
            "/post_conversation_feedback",
        ),
        (
            json!({"start_conversation_on_toggle": true, "notice": {"consent_required": true}}),
            "start_delayed",
            "/start_conversation_on_toggle",
        ),
        (
            json!({"start_conversation_on_toggle": true, "pre_conversation_form": form}),
            "start_delayed",
            "/start_conversation_on_toggle",
        ),
        (
            json!({"trigger": {"icon_url": "http://localhost/i.png"}}),
            "url_loopback",
            "/trigger/icon_url",
        ),
        (
            json!({"forms": [{"id": "a", "fields": [
                {"id": "b", "type": "text", "label": "B", "options": []}]}]}),
            "key_unknown",
            "/forms/0/fields/0/options",
        ),
    ] {
        assert_eq!(warnings(v1), [(code, pointer.to_owned())]);
    }
    let known = json!({"forms": [form], "quick_actions": [{"id": "a", "label": "A",
        "action": {"type": "show_form", "form_id": "contact"}}]});
    assert!(warnings(known).is_empty());
}

#[test]
fn sentences_name_the_value_and_what_is_allowed() {
    let sentences = |v1: Value| -> Vec<String> {
        let error = Config::from_value(json!({"v1": v1})).expect_err("faults");
        error
            .findings()
            .into_iter()
            .map(|fault| match fault.hint {
                Some(hint) => format!("{} ({hint})", fault.detail),
                None => fault.detail,
            })
            .collect()
    };
    expect_test::expect![[r#"
        `"Dark"` is not allowed; `theme` must be one of `system`, `light`, `dark` (did you mean `dark`?)
        `"not a tag"` is not a language tag (A subtag may be eight characters in length at maximum); `locale` must be a BCP 47 language tag such as `en`, `pt-BR` or `zh-Hant`
        `31` is out of range; `trigger.size` must be an integer from 32 to 96
        `56.5` is a number with a fraction or exponent, but `trigger.offset_x` must be an integer from 0 to 400
        61 characters are too many; `chat.title` must be a string of at most 60 characters
        `"http://a.example"` is not encrypted; `chat.logo_url` must be an `https` URL, or an `http` URL on loopback, without user name and password
        `chat.light_mode` must be an object, not `null`
        7 items are too many; `suggested_questions` must be an array of at most 6 items
        `id` is missing in `quick_actions.0`; it must be a string of 1 to 64 characters
        `label` is missing in `quick_actions.0`; it must be a string of 1 to 40 characters
        `type` is missing in `quick_actions.0.action`; it must be one of `send_message`, `open_url`, `start_voice`, `show_form`
        `text` and `voice` are both false, at least one must be true"#]]
    .assert_eq(
        &sentences(json!({
            "theme": "Dark",
            "locale": "not a tag",
            "trigger": {"size": 31, "offset_x": 56.5},
            "chat": {"title": "x".repeat(61), "logo_url": "http://a.example", "light_mode": null},
            "suggested_questions": ["a", "b", "c", "d", "e", "f", "g"],
            "quick_actions": [{"action": {}}],
            "modes": {"text": false, "voice": false},
        }))
        .join("\n"),
    );
}
