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

mod definition;
mod kind;
mod phone;
mod rules;
mod submission;

pub(crate) use definition::{FEEDBACK_KEY, FORMS_KEY, PAGE_KEY};
pub use definition::{Field, FormDefinition, MAX_FIELDS, RESERVED_IDS};
pub use kind::{
    DEFAULT_RATING, FieldKind, FieldType, MAX_OPTIONS, MAX_TEXT, NumberRange, Options,
    SelectOption, TextLength,
};
pub use submission::{SUBMISSION_LIMITS, Submission};
