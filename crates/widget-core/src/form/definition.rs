//! A form as the config defines it: its texts and its fields.

use serde_json::{Map, Value};

use super::kind::{DEFAULT_RATING, FieldKind, FieldType, MAX_TEXT, TextLength};
use crate::check::{
    Keys, any, boolean, example, identifier, list, optional, settings, text, union,
};

/// The key of the conversation's custom metadata for what the page says.
pub(crate) const PAGE_KEY: &str = "page";

/// The key for the values of forms in the middle of the conversation, by form id.
pub(crate) const FORMS_KEY: &str = "forms";

/// The key for the values of the feedback form.
pub(crate) const FEEDBACK_KEY: &str = "feedback_form";

/// Ids that a form or field cannot have, because the conversation's custom metadata keeps
/// something else under these names; `user` is reserved for what is known about the visitor.
pub const RESERVED_IDS: &[&str] = &[PAGE_KEY, "user", FORMS_KEY, FEEDBACK_KEY];

/// The limit on the fields of a form.
pub const MAX_FIELDS: usize = 30;

settings! {
    /// A form: its texts and its fields.
    pub struct FormDefinition {
        /// The id under which the values are stored and by which the agent asks for the form.
        pub id: String => example(identifier(RESERVED_IDS), "contact"),
        /// What the form is called among the owner's forms; not shown to visitors.
        pub name: String = String::new() => example(text(0, None), "Contact"),
        /// The heading; empty: none.
        pub title: String = String::new() => example(text(0, None), "How can we reach you?"),
        /// The text of the button; empty: a localized "Send".
        pub submit_label: String = String::new() => example(text(0, None), "Send"),
        /// The fields in their order, with ids of their own.
        pub fields: Vec<Field> => list(union(), 1, MAX_FIELDS).unique("id"),
    }
}

settings! {
    /// One question of a form.
    pub struct Field by tag of kind: FieldKind {
        /// The key of the value in a submission.
        pub id: String => example(identifier(RESERVED_IDS), "email"),
        /// The question.
        pub label: String => example(text(1, None), "Your e-mail address"),
        /// Whether an answer is needed.
        pub required: bool = false => boolean(),
        /// An example inside the empty field.
        pub placeholder: String = String::new() => text(0, None),
        /// A sentence under the field.
        pub help: String = String::new() => text(0, None),
    } then {
        /// What is filled in at first: a value that the field accepts.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub default: Option<Value> = None => optional(any(schema_type(tag))),
    }
    check = Self::with_checked_default;
}

/// The JSON Schema type of the answers.
fn schema_type(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Number => "number",
        FieldType::Rating => "integer",
        FieldType::Checkbox => "boolean",
        FieldType::Multiselect => "array",
        FieldType::Text
        | FieldType::Textarea
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Url
        | FieldType::Date
        | FieldType::Select => "string",
    }
}

impl Field {
    /// The field with its default as a submission would store it.
    fn with_checked_default(mut self, keys: &mut impl Keys) -> Option<Self> {
        if let Some(value) = self.default.take() {
            match self.kind.check(&value) {
                Ok(answer) => self.default = answer,
                Err(rejection) => {
                    let detail = format!(
                        "the field does not accept its default: {}",
                        rejection.detail
                    );
                    keys.fault("default", rejection.code, detail);
                    return None;
                }
            }
        }
        Some(self)
    }
}

impl FormDefinition {
    /// The stars that a visitor gave: the answer to the first question for a rating that has one.
    #[must_use]
    pub fn find_rating(&self, values: &Map<String, Value>) -> Option<u8> {
        let is_rating = |field: &&Field| matches!(field.kind, FieldKind::Rating { .. });
        let mut answers = self.fields.iter().filter(is_rating);
        answers.find_map(|field| values.get(&field.id)?.as_u64()?.try_into().ok())
    }

    /// The feedback form of a widget that defines none: a rating from 1 to 5 and a comment.
    ///
    /// Its texts are empty, which no other form's labels can be: the window localizes them by the
    /// fields' ids, `rating` and `comment`.
    #[must_use]
    pub fn default_feedback() -> Self {
        let field = |id: &str, required, kind| Field {
            id: id.to_owned(),
            label: String::new(),
            required,
            placeholder: String::new(),
            help: String::new(),
            default: None,
            kind,
        };
        Self {
            id: "feedback".to_owned(),
            name: String::new(),
            title: String::new(),
            submit_label: String::new(),
            fields: vec![
                field(
                    "rating",
                    true,
                    FieldKind::Rating {
                        max: DEFAULT_RATING,
                    },
                ),
                field(
                    "comment",
                    false,
                    FieldKind::Textarea(TextLength {
                        min_length: 0,
                        max_length: MAX_TEXT,
                    }),
                ),
            ],
        }
    }
}
