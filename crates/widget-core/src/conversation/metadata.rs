//! The custom metadata of a conversation: the answers of the form before it, what the page says
//! about itself and its visitor, and the values of the forms that are sent later.
//!
//! ```
//! use serde_json::json;
//! use widget_core::{config::Config, conversation::metadata};
//!
//! let config = Config::default();
//! let page = json!({"url": "https://shop.example/cart"});
//! let built = metadata::build_metadata(config.current(), None, page.as_object())?;
//! assert_eq!(built["page"]["url"], "https://shop.example/cart");
//! # Ok::<(), metadata::MetadataError>(())
//! ```

use serde_json::{Map, Value};

use crate::{
    config::Current,
    finding::Findings,
    form::{FEEDBACK_KEY, FORMS_KEY, PAGE_KEY},
    json,
};

/// How many bytes of JSON a page may send about itself and its visitor.
pub const MAX_PAGE_BYTES: usize = 4 * 1024;

/// How many bytes of JSON the metadata may have with the forms of a conversation: the form before
/// it, what the page says, and six of the largest forms, or many small ones.
pub const MAX_BYTES: usize = 128 * 1024;

/// The forms of a conversation are more than what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "with this form the conversation's metadata would have {bytes} bytes of JSON; at most \
     {MAX_BYTES} are kept"
)]
pub struct MetadataFull {
    bytes: usize,
}

/// Why a conversation does not start with what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// The answers have faults; the pointers start at the form's values.
    #[error("the form has faults: {0}")]
    FormInvalid(Findings),
    /// There are answers, but the widget has no form before a conversation.
    #[error("this widget asks for no form before a conversation")]
    FormNotExpected,
    /// The page sends more than [`MAX_PAGE_BYTES`].
    #[error("it has {bytes} bytes of JSON; at most {MAX_PAGE_BYTES} are allowed")]
    PageTooLarge {
        /// How many bytes of JSON it has.
        bytes: usize,
    },
}

/// The metadata of a conversation that starts: the values of `form`, a JSON text, by field id, and
/// what the page says under `page`.
///
/// Without `form`, the form before the conversation counts as sent empty.
///
/// # Errors
///
/// [`MetadataError`] when the form has faults or is not expected, or the page sends too much.
pub fn build_metadata(
    config: &Current,
    form: Option<&str>,
    page: Option<&Map<String, Value>>,
) -> Result<Map<String, Value>, MetadataError> {
    let mut metadata = match (&config.pre_conversation_form, form) {
        (Some(definition), form) => definition
            .validate_text(form.unwrap_or("{}"))
            .map_err(MetadataError::FormInvalid)?
            .into_values(),
        (None, None) => Map::new(),
        (None, Some(_)) => return Err(MetadataError::FormNotExpected),
    };
    if let Some(page) = page {
        let page = Value::Object(page.clone());
        let bytes = page.to_string().len();
        if bytes > MAX_PAGE_BYTES {
            return Err(MetadataError::PageTooLarge { bytes });
        }
        metadata.insert(PAGE_KEY.to_owned(), page);
    }
    Ok(metadata)
}

/// Puts the values of a form that was sent in the middle of the conversation into its metadata;
/// they replace those that were sent for the same form before.
///
/// # Errors
///
/// [`MetadataFull`] when it is too much with them.
pub fn insert_form(
    mut metadata: Map<String, Value>,
    form_id: &str,
    values: Value,
) -> Result<Map<String, Value>, MetadataFull> {
    let forms = metadata
        .entry(FORMS_KEY)
        .or_insert_with(|| Value::Object(Map::new()));
    if let Some(forms) = forms.as_object_mut() {
        forms.insert(form_id.to_owned(), values);
    }
    let metadata = Value::Object(metadata);
    let bytes = json::compact_size(&metadata);
    match metadata {
        Value::Object(metadata) if bytes <= MAX_BYTES => Ok(metadata),
        _ => Err(MetadataFull { bytes }),
    }
}

/// Puts the values of the feedback form into the metadata.
pub fn insert_feedback(metadata: &mut Map<String, Value>, values: Value) {
    metadata.insert(FEEDBACK_KEY.to_owned(), values);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        config::Config,
        finding::{Code, Finding},
    };

    /// A page that has so many bytes of JSON.
    fn page_of(bytes: usize) -> Value {
        json!({"text": "x".repeat(bytes - r#"{"text":""}"#.len())})
    }

    #[test]
    fn the_form_and_the_page_have_their_places() {
        let none = Config::default();
        let fields = |required: bool| {
            let field = json!({"id": "email", "type": "email", "label": "E-mail",
                "required": required});
            let form = json!({"id": "before", "fields": [field]});
            let config = json!({"v1": {"pre_conversation_form": form}});
            Config::from_value(config).expect("a valid config")
        };
        let (optional, required) = (fields(false), fields(true));
        // Which faults a form has is the matter of the form's own tests.
        let form_invalid =
            || MetadataError::FormInvalid(Finding::new(Code::JsonInvalid, "any fault").into());
        let mail = r#"{"email": "a@b.example"}"#;
        for (config, form, page, expected) in [
            (&none, None, None, Ok(json!({}))),
            (&none, Some("{}"), None, Err(MetadataError::FormNotExpected)),
            (
                &none,
                None,
                Some(json!({"a": 1})),
                Ok(json!({"page": {"a": 1}})),
            ),
            (
                &none,
                None,
                Some(page_of(4096)),
                Ok(json!({"page": page_of(4096)})),
            ),
            (
                &none,
                None,
                Some(page_of(4097)),
                Err(MetadataError::PageTooLarge { bytes: 4097 }),
            ),
            (&optional, None, None, Ok(json!({}))),
            (&required, None, None, Err(form_invalid())),
            (&required, Some("{}"), None, Err(form_invalid())),
            (&required, Some("{"), None, Err(form_invalid())),
            (
                &required,
                Some(r#"{"page": {}}"#),
                None,
                Err(form_invalid()),
            ),
            (
                &required,
                Some(mail),
                Some(json!({"a": 1})),
                Ok(json!({"email": "a@b.example", "page": {"a": 1}})),
            ),
        ] {
            let page = page.as_ref().and_then(Value::as_object);
            let built = build_metadata(config.current(), form, page);
            let built = built.map(Value::Object).map_err(|error| match error {
                MetadataError::FormInvalid(_) => form_invalid(),
                other => other,
            });
            assert_eq!(built, expected, "{form:?}");
        }
    }

    #[test]
    fn later_forms_have_their_own_places() {
        let mut metadata = Map::new();
        metadata.insert("email".to_owned(), json!("a@b.example"));
        for (form, values) in [
            ("contact", json!({"name": "A"})),
            ("order", json!({"number": 1})),
            ("contact", json!({"name": "B"})),
        ] {
            metadata = insert_form(metadata, form, values).expect("little");
        }
        insert_feedback(&mut metadata, json!({"rating": 5}));
        assert_eq!(
            Value::Object(metadata),
            json!({
                "email": "a@b.example",
                "forms": {"contact": {"name": "B"}, "order": {"number": 1}},
                "feedback_form": {"rating": 5},
            })
        );
    }

    #[test]
    fn no_field_can_replace_what_has_its_own_place() {
        for key in [PAGE_KEY, FORMS_KEY, FEEDBACK_KEY] {
            let form = json!({"id": "before", "fields": [
                {"id": key, "type": "text", "label": "Page"}]});
            let config = json!({"v1": {"pre_conversation_form": form}});
            assert!(Config::from_value(config).is_err(), "{key}");
        }
    }

    #[test]
    fn forms_fill_the_metadata() {
        let form = |bytes: usize| Value::String("x".repeat(bytes - r#"{"forms":{"a":""}}"#.len()));
        let inserted = |bytes| insert_form(Map::new(), "a", form(bytes));
        let largest = inserted(MAX_BYTES).expect("it fits");
        assert_eq!(Value::Object(largest).to_string().len(), MAX_BYTES);
        let full = inserted(MAX_BYTES + 1).expect_err("a byte too much");
        assert!(full.to_string().contains("131073"), "{full}");
    }
}
