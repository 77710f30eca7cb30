//! The laws that hold for any bytes: tried by the fuzz targets for as long as one likes, and by
//! the tests of `widget-core` on the committed corpora.

use widget_core::{
    config::Config,
    origin::{AllowedOrigins, Entry, Origin, SuffixList},
};

/// Each line is an entry; the first is also a request's origin and a page's address.
///
/// # Panics
///
/// When a law is broken.
pub fn origin(data: &[u8]) {
    let suffixes = SuffixList::builtin();
    if let Ok(origin) = Origin::from_header([data]) {
        assert_eq!(origin.as_str().as_bytes(), data, "a tuple is what was sent");
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let entries: Vec<_> = text.lines().collect();
    let stored = AllowedOrigins::load(&entries, suffixes);
    for entry in &entries {
        let tuple = Origin::from_header([entry]);
        match Entry::parse(entry, suffixes) {
            Ok(parsed) => {
                let canonical = parsed.to_text();
                assert_eq!(Entry::parse(&canonical, suffixes), Ok(parsed), "idempotent");
                assert!(
                    canonical.bytes().all(|byte| byte.is_ascii_graphic()
                        && !matches!(byte, b';' | b',' | b'\'' | b'"')),
                    "fit for a header: {canonical}"
                );
            }
            Err(error) => {
                assert!(!error.faults().is_empty());
                if let Ok(tuple) = &tuple
                    && entries.len() == 1
                {
                    assert!(stored.admit(tuple).is_none(), "refused, so never admitted");
                }
            }
        }
        if let Ok(tuple) = tuple {
            assert_eq!(Origin::parse_page(tuple.as_str()), Ok(tuple));
        }
    }
    if let Ok(list) = AllowedOrigins::parse(&entries, suffixes) {
        let again = AllowedOrigins::load(list.entries(), suffixes);
        assert_eq!(again, list, "what is stored is what is read");
        assert_eq!(again.warnings(), list.warnings());
    }
}

/// The bytes are a config document.
///
/// # Panics
///
/// When a law is broken.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match Config::parse(text) {
        Ok(config) => {
            let again = Config::parse(config.as_json()).expect("what is written can be read");
            assert_eq!(again.to_value(), config.to_value(), "value for value");
            assert_eq!(again.warnings(), config.warnings());
            let migrated = config.migrated();
            assert_eq!(migrated.migrated(), migrated, "migrating is idempotent");
            assert_eq!(
                migrated.current(),
                config.current(),
                "and changes no meaning"
            );
        }
        Err(error) => assert!(!error.findings().is_empty()),
    }
}

/// The bytes are a submission to a form with every type of field.
///
/// # Panics
///
/// When a law is broken.
pub fn form(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let config = Config::parse(FORM).expect("the form is a good one");
    let form = &config.current().forms[0];
    match form.validate_text(text) {
        Ok(submission) => {
            let values = submission.into_values();
            let again = form.validate(&serde_json::Value::Object(values.clone()));
            assert_eq!(
                again.expect("what is stored is valid").into_values(),
                values
            );
        }
        Err(faults) => assert!(!faults.is_empty()),
    }
}

const FORM: &str = r#"{"v1": {"forms": [{"id": "all", "name": "All", "title": "All", "submit_label": "Send", "fields": [
    {"id": "text", "type": "text", "label": "Text", "min_length": 2, "max_length": 5},
    {"id": "area", "type": "textarea", "label": "Area", "required": true},
    {"id": "email", "type": "email", "label": "Email"},
    {"id": "phone", "type": "phone", "label": "Phone"},
    {"id": "url", "type": "url", "label": "URL"},
    {"id": "number", "type": "number", "label": "Number", "min": -1, "max": 2.5, "step": 0.5},
    {"id": "date", "type": "date", "label": "Date"},
    {"id": "one", "type": "select", "label": "One", "options": [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]},
    {"id": "many", "type": "multiselect", "label": "Many", "options": [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]},
    {"id": "yes", "type": "checkbox", "label": "Yes"},
    {"id": "stars", "type": "rating", "label": "Stars", "max": 5}
]}]}}"#;
