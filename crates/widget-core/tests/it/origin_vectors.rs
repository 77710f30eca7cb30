//! The shared cases of `fixtures/origin_vectors.json`, as far as they concern this crate.

use serde_json::Value;
use widget_core::{
    embed::WindowPolicy,
    go_live::PinnedVersion,
    origin::{AllowedOrigins, Origin, OriginHeaderError},
    serve,
};

use crate::support::{admits, builtin, fixture, widget};

fn vectors() -> Value {
    serde_json::from_str(&fixture("origin_vectors.json")).expect("the fixture is JSON")
}

fn part(vectors: &Value, name: &str) -> Vec<Value> {
    vectors[name].as_array().expect(name).clone()
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_default()
}

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .map(|items| items.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

/// What the list makes of a page: `allow`, `deny`, or the codes of its refusal.
fn outcome(entries: &[&str], page: &str) -> Result<(Vec<String>, &'static str), Vec<&'static str>> {
    match AllowedOrigins::parse(entries, builtin()) {
        Ok(list) => {
            let verdict = if admits(&list, page) { "allow" } else { "deny" };
            Ok((list.entries().to_vec(), verdict))
        }
        Err(error) => Err(error.iter().map(|finding| finding.code.as_str()).collect()),
    }
}

#[test]
fn single_entries() {
    let vectors = vectors();
    let mut wrong = Vec::new();
    for case in part(&vectors, "vectors") {
        let entry = text(&case, "input_pattern");
        let expected = text(&case, "expected");
        let got = outcome(&[entry], text(&case, "page_origin"));
        let holds = match (&got, expected.strip_prefix("reject:")) {
            (Err(codes), Some(code)) => {
                codes.contains(&code)
                    || texts(&case["alt_codes"])
                        .iter()
                        .any(|code| codes.contains(code))
            }
            (Ok((entries, verdict)), None) => {
                *verdict == expected
                    && case["normalized"]
                        .as_str()
                        .is_none_or(|canonical| entries == &[canonical])
            }
            _ => false,
        };
        if !holds {
            wrong.push(format!("{} {entry:?}: {expected}, got {got:?}", case["id"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn lists() {
    let vectors = vectors();
    for case in part(&vectors, "multi_entry") {
        let got = outcome(&texts(&case["allowlist"]), text(&case, "page_origin"));
        let expected = text(&case, "expected");
        match (got, expected.strip_prefix("reject_list:")) {
            (Err(codes), Some(code)) => assert!(codes.contains(&code), "{case}: {codes:?}"),
            (Ok((entries, verdict)), None) => {
                assert_eq!(verdict, expected, "{case}");
                if case["normalized_list"].is_array() {
                    assert_eq!(entries, texts(&case["normalized_list"]), "{case}");
                }
            }
            (got, _) => panic!("{case}: {got:?}"),
        }
    }
}

#[test]
fn header_fields() {
    let vectors = vectors();
    for case in part(&vectors, "origin_header") {
        let kind = match Origin::from_header(texts(&case["origin_header_values"])) {
            Ok(_) => "tuple",
            Err(OriginHeaderError::Opaque) => "opaque",
            Err(OriginHeaderError::Absent) => "absent",
            Err(OriginHeaderError::Malformed) => "malformed",
            Err(OriginHeaderError::ForeignScheme) => "foreign_scheme",
        };
        assert_eq!(kind, text(&case, "expected_kind"), "{case}");
    }
}

#[test]
fn frame_ancestors() {
    let vectors = vectors();
    for case in part(&vectors, "csp_header") {
        let widget = widget(&texts(&case["allowlist"]));
        let declared = text(&case, "declared").parse::<Origin>().ok();
        let admission = declared
            .as_ref()
            .and_then(|page| serve::admit(&widget, PinnedVersion::Published, page).ok());
        let policy = admission.map_or(WindowPolicy::CLOSED, |it| WindowPolicy::new(it, None));
        let header = policy.to_header_value();
        let directives: Vec<_> = header
            .split(';')
            .map(str::trim)
            .filter(|directive| directive.starts_with("frame-ancestors"))
            .collect();
        assert_eq!(directives, [text(&case, "expected_header")], "{case}");
        assert!(header.starts_with("default-src 'none';"));
    }
}

/// What three browsers did with a source in `frame-ancestors`: wherever they agree to block, so
/// does the decision.
#[test]
fn never_wider_than_browsers() {
    let vectors = vectors();
    for case in part(&vectors["browser_frame_ancestors_matrix"], "cases") {
        let got = outcome(&[text(&case, "frame_ancestors")], text(&case, "embedder"));
        let expected = text(&case, "server_should");
        match (got, expected.strip_prefix("reject:")) {
            _ if expected == "n/a" => {}
            (Err(codes), Some(code)) => assert!(codes.contains(&code), "{case}: {codes:?}"),
            (Ok((_, verdict)), None) => assert_eq!(verdict, expected, "{case}"),
            (got, _) => panic!("{case}: {got:?}"),
        }
    }
}
