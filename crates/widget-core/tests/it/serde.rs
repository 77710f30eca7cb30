//! The feature `serde`: what is written is read back, and what is read is valid.

use std::fmt;

use serde::{Serialize, de::DeserializeOwned};
use widget_core::{
    config::v1::{Position, Shape, Theme},
    conversation::{EndReason, Mode, Role, Status},
    explain::{Difference, Verdict},
    id::{AgentId, AgentVersionId, ConversationId, OrganizationId, WidgetId},
    origin::{Origin, Scheme},
};

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
    const ID: &str = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b";
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
    check_choices!(Theme, Shape, Position, Scheme, Verdict, Difference);
    check_choices!(Status, Role, Mode, EndReason);
}
