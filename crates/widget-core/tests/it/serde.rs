//! The feature `serde`: what is written is read back, and what is read is valid.

use std::fmt;

use serde::{
    Serialize,
    de::{DeserializeOwned, DeserializeSeed},
};
use serde_json::{Value, json};
use widget_core::{
    config::{
        Config,
        v1::{Position, Shape, Theme},
    },
    conversation::{EndReason, Mode, Reporter, Role, Status},
    embed::PreviewSite,
    explain::{self, Difference, Explanation, Verdict},
    finding::{Code, Finding, Findings},
    go_live::{self, GoLiveReport, PinnedVersion},
    id::{AgentId, AgentVersionId, ConversationId, OrganizationId, WidgetId},
    origin::{AllowedOrigins, Entry, Origin, Scheme, SuffixList},
    seed::WithSuffixes,
    widget::{NewWidget, Widget, WidgetPatch},
};

use crate::support::{builtin, origin, widget};

const ID: &str = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b";
const AGENT: &str = "0197a8b2-6c1e-7d3f-8a4b-000000000002";
const VERSION: &str = "0197a8b2-6c1e-7d3f-8a4b-000000000003";

/// `good` reads as the same text; each of `bad` is refused with a message that names it.
#[track_caller]
fn check_text<T>(good: &str, bad: &[&str])
where
    T: Serialize + DeserializeOwned + fmt::Display + fmt::Debug,
{
    let json = serde_json::Value::from(good);
    let read: T = serde_json::from_value(json.clone()).expect(good);
    assert_eq!(read.to_string(), good);
    assert_eq!(serde_json::to_value(&read).expect("a string"), json);
    for bad in bad {
        let error = serde_json::from_value::<T>((*bad).into()).expect_err(bad);
        assert!(error.to_string().contains(&format!("`{bad}`")), "{error}");
    }
    let error = serde_json::from_str::<T>("7").expect_err("not a string");
    assert!(error.to_string().contains("expected a string"), "{error}");
}

#[test]
fn ids_are_their_text() {
    const BAD: &[&str] = &["", "7", "0197a8b26c1e7d3f8a4b5c6d7e8f9a0b"];
    check_text::<WidgetId>(ID, BAD);
    check_text::<AgentId>(ID, BAD);
    check_text::<AgentVersionId>(ID, BAD);
    check_text::<ConversationId>(ID, BAD);
    check_text::<OrganizationId>("acme", &["", "-a", "a b"]);
}

#[test]
fn origins_are_their_canonical_text() {
    check_text::<Origin>(
        "https://shop.example",
        &[
            "",
            "null",
            "shop.example",
            "https://Shop.example",
            "https://shop.example/",
            "https://shop.example:443",
            "ftp://shop.example",
            "https://*.shop.example",
        ],
    );
}

#[test]
fn choices_are_their_names() {
    macro_rules! check_choices {
        ($($choice:ty),*) => {
            $(
                for value in <$choice>::ALL {
                    check_text::<$choice>(value.as_str(), &["", "other"]);
                }
            )*
        };
    }
    check_choices!(
        Theme,
        Shape,
        Position,
        Scheme,
        Verdict,
        Difference,
        PinnedVersion,
        PreviewSite
    );
    check_choices!(Status, Role, Reporter, Mode, EndReason);
}

fn read<T>(json: &Value) -> Result<T, String>
where
    T: 'static,
    for<'de> WithSuffixes<'static, T>: DeserializeSeed<'de, Value = T>,
{
    let text = json.to_string();
    let seed = WithSuffixes::<T>::new(SuffixList::builtin());
    seed.deserialize(&mut serde_json::Deserializer::from_str(&text))
        .map_err(|error| error.to_string())
}

#[test]
fn a_widget_is_read_as_it_was_written() {
    let json = json!({
        "id": ID,
        "organization_id": "acme",
        "agent_id": AGENT,
        "agent_version_id": VERSION,
        "domains": ["https://shop.example", "https://*.shop.example"],
        "published": true,
        "config": {"v1": {"theme": "dark", "unknown": [1, 2.5]}},
        "created_at": "2026-01-31T09:30:00Z",
        "updated_at": "2026-01-31T09:30:00.000001Z",
    });
    let widget: Widget = read(&json).expect("a widget");
    assert_eq!(serde_json::to_value(&widget).expect("JSON"), json);

    // Fields that a newer service adds are not faults of a record.
    let mut newer = json.clone();
    newer["tags"] = json!([]);
    assert_eq!(read::<Widget>(&newer), Ok(widget));

    // What was accepted by an older list stays readable and admits nothing.
    let mut older = json;
    older["domains"] = json!(["https://*.github.io"]);
    let widget: Widget = read(&older).expect("a stored widget");
    assert_eq!(
        widget.domains.warnings()[0].code,
        Code::WildcardPublicSuffix
    );
}

#[test]
fn what_an_owner_sends_is_judged() {
    let json = json!({"organization_id": "acme", "agent_id": AGENT, "agent_version_id": VERSION});
    let new: NewWidget = read(&json).expect("the rest has defaults");
    assert_eq!(new.domains, AllowedOrigins::default());
    let mut whole = json.clone();
    whole["domains"] = json!([]);
    whole["published"] = json!(false);
    whole["config"] = json!({});
    assert_eq!(serde_json::to_value(&new).expect("JSON"), whole);
    assert_eq!(read(&whole), Ok(new));

    let patch = json!({"agent_id": AGENT, "agent_version_id": VERSION, "domains": ["https://shop.example"], "config": {"v1": {}}});
    let read_patch: WidgetPatch = read(&patch).expect("a patch");
    assert_eq!(serde_json::to_value(&read_patch).expect("JSON"), patch);

    for (key, value, message) in [
        (
            "domains",
            json!(["*.github.io"]),
            "sites of different owners",
        ),
        ("config", json!({"v1": {"theme": "red"}}), "theme"),
        ("published", json!(null), "expected a boolean"),
        ("agent_id", json!("7"), "`7` is not an id"),
        ("tags", json!([]), "unknown field `tags`"),
    ] {
        let error = read::<WidgetPatch>(&json!({key: value})).expect_err(key);
        assert!(error.contains(message), "{error}");
        let mut sent = json.clone();
        sent[key] = value;
        let error = read::<NewWidget>(&sent).expect_err(key);
        assert!(error.contains(message), "{error}");
    }
    let error = read::<AllowedOrigins>(&json!(["*.github.io"])).expect_err("a public suffix");
    assert!(error.contains("/domains/0"), "{error}");
}

#[test]
fn faults_that_only_the_text_of_a_config_shows_are_found() {
    let text = r#"{"v1": {"theme": "dark", "theme": "light"}}"#;
    let error = serde_json::from_str::<Config>(text).expect_err("a duplicate key");
    assert!(error.to_string().contains("occurs twice"), "{error}");
}

#[track_caller]
fn check_time(text: &str, expected: Option<&str>) {
    let time = widget_core::rfc3339::deserialize(Value::from(text)).ok();
    let shown = time.map(|time| {
        widget_core::rfc3339::serialize(&time, serde_json::value::Serializer).expect(text)
    });
    assert_eq!(shown, expected.map(Value::from), "{text}");
}

#[test]
fn times_are_read_with_any_offset_and_written_in_utc() {
    for (text, expected) in [
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00Z"),
        ("2026-01-31T10:30:00+01:00", "2026-01-31T09:30:00Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
    ] {
        check_time(text, Some(expected));
    }
    for text in [
        "9999-12-31T23:59:59-01:00",
        "0000-01-01T00:00:00+01:00",
        "2026-01-31",
        "2026-02-30T00:00:00Z",
        "2026-01-31T09:30:00",
        "now",
        "",
    ] {
        check_time(text, None);
    }
}

#[test]
fn a_time_may_be_missing() {
    use widget_core::rfc3339::option;

    let time = option::deserialize(Value::from("2026-01-31T09:30:00Z")).expect("a time");
    let shown = option::serialize(&time, serde_json::value::Serializer).expect("a string");
    assert_eq!(shown, "2026-01-31T09:30:00Z");
    assert_eq!(option::deserialize(Value::Null).expect("no time"), None);
    let shown = option::serialize(&None, serde_json::value::Serializer).expect("null");
    assert_eq!(shown, Value::Null);
}

#[test]
fn findings_are_at_least_one() {
    let faults = Findings::from(Finding::new(Code::TooMany, "too many").at("/domains"));
    let json = serde_json::json!([
        {"code": "too_many", "pointer": "/domains", "detail": "too many"}
    ]);
    assert_eq!(serde_json::to_value(&faults).expect("JSON"), json);
    assert_eq!(serde_json::from_value::<Findings>(json).ok(), Some(faults));
    let none = serde_json::from_str::<Findings>("[]").expect_err("an empty list");
    assert!(none.to_string().contains("at least one finding"), "{none}");
}

/// `value` is written as `json` and read back as itself.
#[track_caller]
fn check_value<T>(value: &T, json: &Value)
where
    T: Serialize + DeserializeOwned + PartialEq + fmt::Debug,
{
    assert_eq!(&serde_json::to_value(value).expect("JSON"), json);
    assert_eq!(
        &serde_json::from_value::<T>(json.clone()).expect("a value"),
        value
    );
}

#[test]
fn a_report_is_live_exactly_without_blockers() {
    let closed = go_live::report(&widget(&["https://shop.example"]), PinnedVersion::Draft);
    let blocker = json!({
        "code": "agent_version_draft",
        "pointer": "/agent_version_id",
        "detail": "the version `00000000-0000-0000-0000-000000000003` is a draft",
        "hint": "publish the version, or pin one that is published",
    });
    let twin = json!({
        "code": "twin_missing",
        "pointer": "/domains/0",
        "detail": "`https://shop.example` is listed, `https://www.shop.example` is not; they are different sites",
        "hint": "add `https://www.shop.example` if the page can be reached there too",
    });
    let mut json = json!({
        "live": false, "blockers": [blocker], "version_source": "registry", "warnings": [twin],
    });
    check_value(&closed, &json);
    json["live"] = true.into();
    let error = serde_json::from_value::<GoLiveReport>(json).expect_err("it has a blocker");
    assert!(error.to_string().contains("`blockers`"), "{error}");
}

#[test]
fn an_explanation_is_what_the_service_answers() {
    let explanation = explain::explain(
        Some(&widget(&["https://www.shop.example"])),
        PinnedVersion::Published,
        "https://shop.example/cart",
        &origin("https://widgets.example"),
        builtin(),
    );
    let json = serde_json::to_value(&explanation).expect("JSON");
    check_value(&explanation, &json);
    assert_eq!(json["verdict"], "not_shown");
    assert_eq!(json["nearest"]["difference"], "www");
    assert_eq!(
        json["host_page_policy"],
        json!([
            "script-src https://widgets.example",
            "connect-src https://widgets.example",
            "frame-src https://widgets.example",
            "Permissions-Policy: microphone=(self \"https://widgets.example\"), autoplay=(self \"https://widgets.example\")",
        ])
    );
    let mut forged = json;
    forged["host_page_policy"][1] = "connect-src *".into();
    let error = serde_json::from_value::<Explanation>(forged).expect_err("not a policy");
    assert!(
        error.to_string().contains("policy of a host page"),
        "{error}"
    );
}

#[test]
fn an_entry_is_its_canonical_text() {
    let entry: Entry = read(&json!("*.Shop.example")).expect("an entry");
    assert_eq!(
        serde_json::to_value(&entry).expect("JSON"),
        "https://*.shop.example"
    );
    let error = read::<Entry>(&json!("*.github.io")).expect_err("a public suffix");
    assert!(error.contains("different owners"), "{error}");
}
