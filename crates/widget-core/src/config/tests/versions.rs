//! What a new version needs: its records, one step, and `Current`. Here a `v2` and a `v3` are
//! added inside the test, to show that the chain and its laws do not depend on there being one.

use super::*;
use crate::check::{Context, boolean, choice, integer, read_record, record, settings, text};
use crate::config::migrate::{Document, read};
use crate::config::v1::{Chat, ConfigV1, Modes, Theme};
use crate::config::version::Version;
use crate::finding::FindingList;

settings! {
    /// A window that has been renamed and knows a new key.
    struct Window {
        /// Was `chat.title`.
        pub heading: String = String::new() => text(0, Some(60)),
        /// New: means something else than a `v1` key of that name would.
        pub emoji: bool = true => boolean(),
    }
}

settings! {
    /// A second version: a default has changed, a key moved, another is gone.
    struct ConfigV2 {
        /// The default is another one than that of `v1`.
        pub theme: Theme = Theme::Light => choice(),
        /// As in `v1`.
        pub modes: Modes = Modes::default() => record(),
        /// Was `chat`.
        pub window: Window = Window::default() => record(),
        /// Is still there for unknown keys.
        pub chat: Leftover = Leftover::default() => record(),
    }
}

settings! {
    /// What `v2` still reads under `chat`.
    struct Leftover {
        /// New.
        pub emoji: bool = false => boolean(),
    }
}

impl Version for ConfigV2 {
    const NUMBER: u64 = 2;
    type Previous = ConfigV1;

    fn read(document: &Map<String, Value>, context: &mut Context) -> Self {
        read_record(document, context).unwrap_or_default()
    }

    fn migrate(previous: ConfigV1) -> Self {
        let ConfigV1 {
            theme,
            modes,
            chat: Chat { title, .. },
            ..
        } = previous;
        Self {
            theme,
            modes,
            window: Window {
                heading: title,
                ..Window::default()
            },
            chat: Leftover::default(),
        }
    }

    fn warn(&self, _: &mut Context) {}
}

settings! {
    /// A third version, to show that steps follow one after the other.
    struct ConfigV3 {
        /// The length of the heading of `v2`.
        pub heading_length: u16 = 0 => integer(0, 60),
    }
}

impl Version for ConfigV3 {
    const NUMBER: u64 = 3;
    type Previous = ConfigV2;

    fn read(document: &Map<String, Value>, context: &mut Context) -> Self {
        read_record(document, context).unwrap_or_default()
    }

    fn migrate(previous: ConfigV2) -> Self {
        let length = previous.window.heading.chars().count();
        Self {
            heading_length: u16::try_from(length).unwrap_or(60),
        }
    }

    fn warn(&self, _: &mut Context) {}
}

#[track_caller]
fn document<V: Version>(value: Value) -> Document<V> {
    match read(value, FindingList::new()) {
        Ok(document) => document,
        Err(error) => panic!("{error}"),
    }
}

/// The document after migrating.
fn migrated<V: Version>(document: &Document<V>) -> Value {
    document.migrated().unwrap_or_else(|| document.value())
}

#[test]
fn an_old_document_keeps_its_meaning() {
    let old = document::<ConfigV2>(json!({"v1": {"chat": {"title": "Ask"}}}));
    assert_eq!(old.current.window.heading, "Ask");
    // A missing key means the default of the version in which it is missing.
    assert_eq!(old.current.theme, Theme::System);
    assert_eq!(
        document::<ConfigV2>(json!({"v2": {}})).current.theme,
        Theme::Light
    );
    assert_eq!(document::<ConfigV2>(json!({})).current.theme, Theme::Light);
    let older = document::<ConfigV3>(json!({"chat": {"title": "Ask"}}));
    assert_eq!(older.current.heading_length, 3);
}

#[test]
fn migrating_writes_what_differs_and_carries_what_is_unknown() {
    for (old, new) in [
        (json!({}), json!({})),
        (json!({"v1": {}}), json!({"v2": {"theme": "system"}})),
        (
            json!({"a": 1, "v1": {"theme": "light", "titel": [1.0], "chat": {"x": {}, "title": "A"}}, "v9": 2}),
            json!({"a": 1, "v2": {"window": {"heading": "A"}, "chat": {"x": {}}, "titel": [1.0]}, "v9": 2}),
        ),
        // `emoji` was unknown in `v1` and is known in `v2`: it must not come to life.
        (
            json!({"v1": {"theme": "light", "chat": {"emoji": "yes"}}, "x": 1}),
            json!({"v2": {}, "v1": {"theme": "light", "chat": {"emoji": "yes"}}, "x": 1}),
        ),
        (
            json!({"v1": {"theme": "light", "window": 5}}),
            json!({"v2": {}, "v1": {"theme": "light", "window": 5}}),
        ),
        (
            json!({"v1": {"forms": [{"id": "a", "note": 1,
                "fields": [{"id": "b", "type": "date", "label": "B"}]}]}}),
            json!({"v2": {"theme": "system"}, "v1": {"forms": [{"id": "a", "note": 1,
                "fields": [{"id": "b", "type": "date", "label": "B"}]}]}}),
        ),
    ] {
        let before = document::<ConfigV2>(old);
        let value = migrated(&before);
        assert_eq!(value, new);
        let after = document::<ConfigV2>(value.clone());
        assert_eq!(after.current, before.current, "the meaning is the same");
        assert_eq!(migrated(&after), value, "migrating is idempotent");
    }
}

#[test]
fn a_current_document_is_unchanged() {
    let current = json!({"v1": {"theme": "dark"}, "v2": {"theme": "light", "modes": {}}, "v3": 1});
    let read = document::<ConfigV2>(current.clone());
    assert_eq!(read.current.theme, Theme::Light);
    assert_eq!(migrated(&read), current);
    let codes: Vec<_> = read
        .warnings()
        .iter()
        .map(|finding| finding.code.as_str())
        .collect();
    assert_eq!(codes, ["version_superseded", "version_unknown"]);
}

#[test]
fn an_old_document_is_checked_by_its_own_version() {
    let error = read::<ConfigV2>(
        json!({"v1": {"chat": {"title": 1}, "forms": 2}}),
        FindingList::new(),
    )
    .expect_err("two faults");
    assert_eq!(
        places(error.findings()),
        [
            ("type_invalid", "/config/v1/chat/title".to_owned()),
            ("type_invalid", "/config/v1/forms".to_owned()),
        ]
    );
    let error = read::<ConfigV2>(json!({"v3": {}}), FindingList::new()).expect_err("too new");
    let found = vec!["v3".to_owned()];
    assert_eq!(error, ConfigError::TooNew { found, newest: 2 });
}

#[test]
fn a_document_that_would_not_fit_stays_as_it_is() {
    let padding = "x".repeat(65_520);
    let value = json!({"v1": {"x": padding}});
    let old = document::<ConfigV2>(value.clone());
    assert_eq!(migrated(&old), value);
    assert_eq!(old.current.theme, Theme::System);
}
