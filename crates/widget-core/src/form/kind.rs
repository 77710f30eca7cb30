//! The kinds of answers that a field accepts, with the limits of each.

use serde_json::Number;

use crate::check::{Keys, example, integer, list, number, optional, record, settings, text};
use crate::finding::Code;

/// The limit on the options of a `select` or `multiselect`.
pub const MAX_OPTIONS: usize = 50;

/// The limit on `max_length`, in characters.
pub const MAX_TEXT: u16 = 4_000;

/// The stars of a `rating` when the field does not say.
pub const DEFAULT_RATING: u8 = 5;

settings! {
    /// The kind of answer that a field accepts.
    pub enum FieldKind {
        /// What kind of answer is accepted.
        tag "type": FieldType,
        /// One line of text.
        Text = "text" (TextLength),
        /// Several lines of text.
        Textarea = "textarea" (TextLength),
        /// An e-mail address.
        Email = "email",
        /// An international telephone number, such as `+34 912 345 678`; stored in E.164.
        Phone = "phone",
        /// An `http` or `https` URL; one without a scheme gets `https://`.
        Url = "url",
        /// A number.
        Number = "number" (NumberRange),
        /// A calendar date, `YYYY-MM-DD`.
        Date = "date",
        /// One of some options.
        Select = "select" (Options),
        /// Any number of some options.
        Multiselect = "multiselect" (Options),
        /// Yes or no; a required one must be yes.
        Checkbox = "checkbox",
        /// A number of stars from 1 on.
        Rating = "rating" {
            /// The highest number of stars.
            max: u8 = DEFAULT_RATING => integer(3, 10),
        },
    }
}

settings! {
    /// How long a text may be, in characters.
    #[derive(Copy, Eq)]
    pub struct TextLength {
        /// The shortest answer, in characters.
        pub min_length: u16 = 0 => integer(0, MAX_TEXT),
        /// The longest answer, in characters.
        pub max_length: u16 = MAX_TEXT => integer(1, MAX_TEXT),
    }
    check = Self::in_order;
}

impl TextLength {
    fn in_order(self, keys: &mut impl Keys) -> Option<Self> {
        let Self {
            min_length,
            max_length,
        } = self;
        if min_length > max_length {
            let detail = format!("`min_length` {min_length} is above `max_length` {max_length}");
            keys.fault("min_length", Code::RangeInvalid, detail);
            return None;
        }
        Some(self)
    }
}

settings! {
    /// Which numbers are accepted.
    #[derive(Eq)]
    pub struct NumberRange {
        /// The smallest number.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub min: Option<Number> = None => optional(number(false)),
        /// The largest number.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub max: Option<Number> = None => optional(number(false)),
        /// Numbers are this far from each other, counted from `min` or 0.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub step: Option<Number> = None => optional(number(true)),
    }
    check = Self::in_order;
}

impl NumberRange {
    fn in_order(self, keys: &mut impl Keys) -> Option<Self> {
        if let (Some(min), Some(max)) = (&self.min, &self.max)
            && min.as_f64() > max.as_f64()
        {
            let detail = format!("`min` {min} is above `max` {max}");
            keys.fault("min", Code::RangeInvalid, detail);
            return None;
        }
        Some(self)
    }
}

settings! {
    /// The options of a `select` or `multiselect`.
    #[derive(Eq)]
    pub struct Options {
        /// The options in their order, with values of their own.
        pub options: Vec<SelectOption> => list(record(), 1, MAX_OPTIONS).unique("value"),
    }
}

settings! {
    /// One option of a `select` or `multiselect`.
    #[derive(Eq)]
    pub struct SelectOption {
        /// What is stored.
        pub value: String => example(text(1, None), "sales"),
        /// What is shown.
        pub label: String => example(text(1, None), "Sales"),
    }
}
