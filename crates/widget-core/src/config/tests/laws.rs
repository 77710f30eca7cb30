//! The laws of the document, for documents that were generated.

use proptest::prelude::*;

use super::*;
use crate::json;

/// Any JSON that a config may hold: not too deep, finite numbers.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// A `v1` object: keys that are known with good values, keys that are known with any value,
/// and unknown keys.
fn v1_object(faulty: bool) -> impl Strategy<Value = Value> {
    let color = || prop_oneof![Just(json!("")), "#[0-9a-f]{6}".prop_map(Value::from)];
    let good = prop_oneof![
        prop_oneof![Just("system"), Just("light"), Just("dark")]
            .prop_map(|theme| ("theme".to_owned(), json!(theme))),
        (32_u32..=96, any::<bool>()).prop_map(|(size, unknown)| {
            let mut trigger = json!({"size": size, "shape": "square"});
            if unknown {
                trigger["shap"] = json!({"a": [size]});
            }
            ("trigger".to_owned(), trigger)
        }),
        (".{0,20}", color(), color()).prop_map(|(title, text, background)| {
            (
                "chat".to_owned(),
                json!({"title": title, "light_mode": {
                "text_color": {"user_message": text},
                "background_color": {"user_message": background}}}),
            )
        }),
        any::<bool>().prop_map(|voice| ("modes".to_owned(), json!({"voice": voice}))),
        prop::collection::vec("[a-z]{1,9}", 0..6)
            .prop_map(|questions| ("suggested_questions".to_owned(), json!(questions))),
        ("[b-z][a-z0-9_]{0,9}", any_json()).prop_map(|(id, unknown)| (
            "forms".to_owned(),
            json!([{"id": format!("a{id}"),
                "fields": [{"id": "email", "type": "email", "label": "E", "unknown": unknown}]}])
        )),
    ];
    let unknown = ("[A-Z]{1,8}", any_json());
    let known = prop::sample::select(crate::check::known_keys::<v1::ConfigV1>());
    let any_value = (known.prop_map(str::to_owned), any_json());
    let entry = if faulty {
        prop_oneof![good, unknown, any_value].boxed()
    } else {
        prop_oneof![good, unknown].boxed()
    };
    prop::collection::vec(entry, 0..8)
        .prop_map(|entries| Value::Object(entries.into_iter().collect()))
}

fn document(faulty: bool) -> impl Strategy<Value = Value> {
    let beside = || prop::collection::vec(("(v[2-9]|[a-z]{2,5})", any_json()), 0..3);
    (beside(), v1_object(faulty), beside()).prop_map(|(before, v1, after)| {
        let mut map: Map<String, Value> = before.into_iter().collect();
        map.insert("v1".to_owned(), v1);
        map.extend(after);
        Value::Object(map)
    })
}

/// The pointers of everything in a value.
fn leaves(value: &Value, pointer: &str, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                leaves(
                    value,
                    &format!("{pointer}/{}", json::escape_token(key)),
                    found,
                );
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, value) in items.iter().enumerate() {
                leaves(value, &format!("{pointer}/{index}"), found);
            }
        }
        leaf => found.push((pointer.to_owned(), leaf.clone())),
    }
}

proptest! {
    #[test]
    fn reading_what_was_written_is_the_identity(value in document(false)) {
        let config = Config::from_value(value.clone()).expect("valid");
        prop_assert_eq!(config.as_json(), value.to_string());
        prop_assert_eq!(Config::parse(config.as_json()), Ok(config));
    }

    #[test]
    fn a_current_document_is_unchanged_by_migrating(value in document(false)) {
        let config = Config::from_value(value.clone()).expect("valid");
        let migrated = config.migrated();
        prop_assert_eq!(migrated.as_json(), value.to_string());
        prop_assert_eq!(config.migrated().migrated(), config.migrated());
    }

    #[test]
    fn nothing_is_lost_by_versioning(value in v1_object(false)) {
        let known = crate::check::known_keys::<v1::ConfigV1>();
        let all_known = value.as_object().expect("an object").keys()
            .all(|key| known.contains(&key.as_str()));
        match Config::from_value(value.clone()) {
            Ok(config) if value == json!({}) => prop_assert_eq!(config.as_json(), "{}"),
            Ok(config) => {
                prop_assert!(all_known);
                prop_assert_eq!(config.as_json(), json!({"v1": value}).to_string());
            }
            Err(error) => {
                prop_assert!(!all_known);
                prop_assert_eq!(error.code(), Code::ConfigUnversioned);
            }
        }
    }

    #[test]
    fn what_is_unknown_survives_an_edit(value in document(false), title in ".{0,60}") {
        let config = Config::from_value(value.clone()).expect("valid");
        let edited = config.set("/config/v1/chat/title", json!(title)).expect("valid");
        let mut before = Vec::new();
        leaves(&value, "", &mut before);
        for (pointer, leaf) in before {
            // An empty `chat` or the old title are what the edit replaces.
            if !matches!(pointer.as_str(), "/v1" | "/v1/chat" | "/v1/chat/title") {
                let edited = edited.to_value();
                prop_assert_eq!(edited.pointer(&pointer), Some(&leaf), "{}", pointer);
            }
        }
        prop_assert_eq!(&edited.current().chat.title, &title);
    }

    #[test]
    fn any_document_is_read_or_refused_with_places(value in document(true)) {
        match Config::parse(&value.to_string()) {
            Ok(config) => {
                prop_assert_eq!(config.as_json(), value.to_string());
                for finding in config.warnings() {
                    let pointer = finding.pointer.expect("a pointer");
                    prop_assert!(pointer.starts_with("/config/"));
                }
            }
            Err(error) => {
                prop_assert_eq!(error.code(), Code::ConfigInvalid);
                let findings = error.findings();
                prop_assert!(!findings.is_empty());
                for fault in findings {
                    let pointer = fault.pointer.expect("a pointer");
                    let inside = pointer.strip_prefix("/config").expect("from the root");
                    let missing = matches!(fault.code, Code::KeyMissing | Code::ModeMissing);
                    prop_assert!(missing || value.pointer(inside).is_some(), "{}", pointer);
                }
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,80}") {
        let _ = Config::parse(&text);
        let _ = Config::parse(&format!("{{\"v1\":{text}}}"));
    }

    #[test]
    fn another_integer_is_a_change(unsigned in 1_u64.., signed in ..-1_i64) {
        let config = |x: Value| Config::from_value(json!({"v1": {"x": x}})).expect("valid");
        for (one, next) in [
            (json!(unsigned), json!(unsigned - 1)),
            (json!(signed), json!(signed + 1)),
        ] {
            prop_assert_eq!(diff(&config(one.clone()), &config(one.clone())), []);
            prop_assert_eq!(diff(&config(one), &config(next)).len(), 1);
        }
    }

    #[test]
    fn changes_turn_one_document_into_the_other(from in document(false), to in document(false)) {
        let from = Config::from_value(from).expect("valid");
        let to = Config::from_value(to).expect("valid");
        let edited = from.edit(diff(&from, &to).into_iter().map(Edit::from));
        prop_assert_eq!(edited.map(|edited| edited.to_value()), Ok(to.to_value()));
    }
}
