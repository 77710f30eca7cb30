//! Forms that a visitor fills in: before the conversation, in the middle of it, as feedback.
//!
//! A [`FormDefinition`] is part of the config, so its faults are faults of the config. What a
//! visitor sends is checked against it by [`FormDefinition::validate`].
//!
//! ```
//! use widget_core::{finding::Code, form::FormDefinition};
//!
//! let form = FormDefinition::default_feedback();
//! let faults = form.validate_text(r#"{"stars": "five"}"#).expect_err("no such field");
//! assert!(faults.iter().any(|fault| fault.code == Code::KeyUnknown));
//! ```

mod rules;
mod submission;

pub use submission::{SUBMISSION_LIMITS, Submission};

use serde::Serialize;
use serde_json::{Number, Value};

use crate::check::{
    Keys, Record, Union, any, boolean, example, identifier, integer, list, number, record, text,
    union,
};
use crate::finding::Code;

/// Ids that a form or field cannot have, because the conversation's custom metadata keeps
/// something else under these names.
pub const RESERVED_IDS: &[&str] = &["page", "user", "forms", "feedback_form"];

/// The most fields that a form can have.
pub const MAX_FIELDS: usize = 30;

/// The most options that a `select` or `multiselect` can have.
pub const MAX_OPTIONS: usize = 50;

/// The longest text that a field can take, in characters.
pub const MAX_TEXT: u16 = 4_000;

/// The stars of a `rating` when the field does not say.
pub const DEFAULT_RATING: u8 = 5;

/// A form: its texts and its fields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FormDefinition {
    /// The id under which the values are stored and by which the agent asks for the form.
    pub id: String,
    /// What the form is called among the owner's forms; not shown to visitors.
    pub name: String,
    /// The heading; empty: none.
    pub title: String,
    /// The text of the button; empty: a localized "Send".
    pub submit_label: String,
    /// The fields in their order, with ids of their own.
    pub fields: Vec<Field>,
}

/// One question of a form.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// The key of the value in a submission.
    pub id: String,
    /// The question.
    pub label: String,
    /// Whether an answer is needed.
    pub required: bool,
    /// An example inside the empty field.
    pub placeholder: String,
    /// A sentence under the field.
    pub help: String,
    /// What is filled in at first; always a value that the field accepts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// What kind of answer is taken, with its limits.
    #[serde(flatten)]
    pub kind: FieldKind,
}

/// The kind of answer that a field takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FieldKind {
    /// One line of text.
    Text(TextLength),
    /// Several lines of text.
    Textarea(TextLength),
    /// An e-mail address, by the rule of HTML's `<input type=email>`.
    Email,
    /// A telephone number: E.164 once spaces are removed.
    Phone,
    /// An absolute `http` or `https` URL.
    Url,
    /// A number.
    Number(NumberRange),
    /// A calendar date, `YYYY-MM-DD`.
    Date,
    /// One of some options.
    Select(Options),
    /// Any number of some options.
    Multiselect(Options),
    /// Yes or no. A required one must be yes.
    Checkbox,
    /// A number of stars from 1 on.
    Rating {
        /// The most stars.
        max: u8,
    },
}

/// How long a text may be, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TextLength {
    /// The shortest text that is taken.
    pub min_length: u16,
    /// The longest text that is taken.
    pub max_length: u16,
}

/// Which numbers are taken.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct NumberRange {
    /// The smallest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// The largest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
    /// Numbers are this far from each other, counted from `min` or 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<Number>,
}

/// The options of a `select` or `multiselect`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Options {
    /// The options in their order, with values of their own.
    pub options: Vec<SelectOption>,
}

/// One option of a `select` or `multiselect`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SelectOption {
    /// What is stored.
    pub value: String,
    /// What is shown.
    pub label: String,
}

impl FormDefinition {
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

impl Record for FormDefinition {
    const NAME: &'static str = "FormDefinition";
    const DOC: &'static [&'static str] = &["A form: its texts and its fields."];

    fn define(keys: &mut Keys<'_>) -> Option<Self> {
        let id = keys.required(
            "id",
            &["The id under which the values are stored and by which the agent asks for the form."],
            &example(identifier(RESERVED_IDS), "contact"),
        );
        let name = keys.optional(
            "name",
            &["What the form is called among the owner's forms; not shown to visitors."],
            &example(text(0, None), "Contact"),
            String::new(),
        );
        let title = keys.optional(
            "title",
            &["The heading; empty: none."],
            &example(text(0, None), "How can we reach you?"),
            String::new(),
        );
        let submit_label = keys.optional(
            "submit_label",
            &["The text of the button; empty: a localized \"Send\"."],
            &example(text(0, None), "Send"),
            String::new(),
        );
        let fields = keys.required(
            "fields",
            &["The fields in their order, with ids of their own."],
            &list(union::<Field>(), 1, MAX_FIELDS).unique("id"),
        );
        Some(Self {
            id: id?,
            name,
            title,
            submit_label,
            fields: fields?,
        })
    }
}

impl Union for Field {
    const NAME: &'static str = "Field";
    const DOC: &'static [&'static str] = &["One question of a form."];
    const TAG: &'static str = "type";
    const TAG_DOC: &'static str = "What kind of answer is taken.";
    const VARIANTS: &'static [(&'static str, &'static str)] = &[
        ("text", "One line of text."),
        ("textarea", "Several lines of text."),
        ("email", "An e-mail address."),
        (
            "phone",
            "A telephone number in E.164 once spaces are removed, such as `+34 912 345 678`.",
        ),
        ("url", "An absolute `http` or `https` URL."),
        ("number", "A number."),
        ("date", "A calendar date, `YYYY-MM-DD`."),
        ("select", "One of some options."),
        ("multiselect", "Any number of some options."),
        ("checkbox", "Yes or no; a required one must be yes."),
        ("rating", "A number of stars from 1 on."),
    ];

    fn define(tag: Option<&'static str>, keys: &mut Keys<'_>) -> Option<Self> {
        let id = keys.required(
            "id",
            &["The key of the value in a submission."],
            &example(identifier(RESERVED_IDS), "email"),
        );
        let label = keys.required(
            "label",
            &["The question."],
            &example(text(1, None), "Your e-mail address"),
        );
        let required = keys.optional(
            "required",
            &["Whether an answer is needed."],
            &boolean(),
            false,
        );
        let placeholder = keys.optional(
            "placeholder",
            &["An example inside the empty field."],
            &text(0, None),
            String::new(),
        );
        let help = keys.optional(
            "help",
            &["A sentence under the field."],
            &text(0, None),
            String::new(),
        );
        let kind = match tag? {
            "text" => define_length(keys).map(FieldKind::Text),
            "textarea" => define_length(keys).map(FieldKind::Textarea),
            "email" => Some(FieldKind::Email),
            "phone" => Some(FieldKind::Phone),
            "url" => Some(FieldKind::Url),
            "number" => define_range(keys).map(FieldKind::Number),
            "date" => Some(FieldKind::Date),
            "select" => define_options(keys).map(FieldKind::Select),
            "multiselect" => define_options(keys).map(FieldKind::Multiselect),
            "checkbox" => Some(FieldKind::Checkbox),
            _ => Some(FieldKind::Rating {
                max: keys.optional(
                    "max",
                    &["The most stars."],
                    &integer(3_u8, 10),
                    DEFAULT_RATING,
                ),
            }),
        };
        let default = keys.maybe(
            "default",
            &["What is filled in at first: a value that the field accepts."],
            &any(match tag? {
                "number" => "number",
                "rating" => "integer",
                "checkbox" => "boolean",
                "multiselect" => "array",
                _ => "string",
            }),
        );
        let kind = kind?;
        let default = default.and_then(|value| match kind.check(&value) {
            Ok(answer) => answer,
            Err(refusal) => {
                keys.fault(
                    "default",
                    refusal.code,
                    format!("the field does not accept its default: {}", refusal.detail),
                );
                None
            }
        });
        Some(Self {
            id: id?,
            label: label?,
            required,
            placeholder,
            help,
            default,
            kind,
        })
    }
}

fn define_length(keys: &mut Keys<'_>) -> Option<TextLength> {
    let min_length = keys.optional(
        "min_length",
        &["The shortest answer, in characters."],
        &integer(0, MAX_TEXT),
        0,
    );
    let max_length = keys.optional(
        "max_length",
        &["The longest answer, in characters."],
        &integer(1, MAX_TEXT),
        MAX_TEXT,
    );
    if min_length > max_length {
        keys.fault(
            "min_length",
            Code::RangeInvalid,
            format!("`min_length` {min_length} is above `max_length` {max_length}"),
        );
        return None;
    }
    Some(TextLength {
        min_length,
        max_length,
    })
}

fn define_range(keys: &mut Keys<'_>) -> Option<NumberRange> {
    let min = keys.maybe("min", &["The smallest number."], &number(false));
    let max = keys.maybe("max", &["The largest number."], &number(false));
    let step = keys.maybe(
        "step",
        &["Numbers are this far from each other, counted from `min` or 0."],
        &number(true),
    );
    if let (Some(least), Some(most)) = (&min, &max)
        && least.as_f64() > most.as_f64()
    {
        keys.fault(
            "min",
            Code::RangeInvalid,
            format!("`min` {least} is above `max` {most}"),
        );
        return None;
    }
    Some(NumberRange { min, max, step })
}

fn define_options(keys: &mut Keys<'_>) -> Option<Options> {
    let options = keys.required(
        "options",
        &["The options in their order, with values of their own."],
        &list(record::<SelectOption>(), 1, MAX_OPTIONS).unique("value"),
    )?;
    Some(Options { options })
}

impl Record for SelectOption {
    const NAME: &'static str = "SelectOption";
    const DOC: &'static [&'static str] = &["One option of a `select` or `multiselect`."];

    fn define(keys: &mut Keys<'_>) -> Option<Self> {
        let value = keys.required(
            "value",
            &["What is stored."],
            &example(text(1, None), "sales"),
        );
        let label = keys.required(
            "label",
            &["What is shown."],
            &example(text(1, None), "Sales"),
        );
        Some(Self {
            value: value?,
            label: label?,
        })
    }
}
