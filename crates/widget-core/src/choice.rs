//! Closed sets of names: one macro makes the enum, its names, and both ways between them.
//!
//! Every set of names in this crate's public interface has `ALL`, `as_str`, `Display` and
//! [`FromStr`]:
//!
//! ```
//! use widget_core::config::v1::Theme;
//!
//! assert_eq!("dark".parse(), Ok(Theme::Dark));
//! assert_eq!(Theme::Dark.to_string(), "dark");
//! let error = "red".parse::<Theme>().expect_err("not a theme");
//! assert_eq!(error.to_string(), "`red` must be one of `system`, `light`, `dark`");
//! ```

use std::{fmt, str::FromStr};

#[cfg(feature = "serde")]
#[doc(hidden)]
pub use crate::text::deserialize_text;
use crate::text::shortened;

/// A text is not one of a closed set of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChoiceError {
    given: String,
    names: &'static [&'static str],
}

impl ChoiceError {
    #[doc(hidden)]
    #[must_use]
    pub fn of<T: Choice>(given: &str) -> Self {
        Self {
            given: shortened(given).into_owned(),
            names: T::NAMES,
        }
    }

    /// The names that would have been accepted.
    #[must_use]
    pub const fn names(&self) -> &'static [&'static str] {
        self.names
    }
}

impl fmt::Display for ChoiceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` must be {}", self.given, one_of(self.names))
    }
}

impl std::error::Error for ChoiceError {}

/// A type whose values are a closed set of names.
#[doc(hidden)]
pub trait Choice: FromStr<Err = ChoiceError> + 'static {
    /// Every name, in the order of the definition.
    const NAMES: &'static [&'static str];
}

/// Names for a sentence: one of `a`, `b`.
pub(crate) fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("one of {}", quoted.join(", "))
}

/// Defines an enum whose variants have names; also for the crate of the API's bodies.
///
/// `Serialize` is there without the feature `serde` too: the typed config is compared with its
/// defaults through it.
#[doc(hidden)]
#[macro_export]
macro_rules! choices {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)*
        }

        impl $name {
            /// Every variant, in the order of the definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::choice::ChoiceError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err($crate::choice::ChoiceError::of::<Self>(text)),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        $crate::deserialize_choice!($name);

        impl $crate::choice::Choice for $name {
            const NAMES: &'static [&'static str] = &[$($text),*];
        }
    };
}

/// `Deserialize` by `FromStr`, with the feature `serde` of this crate, not of the one that uses it.
#[cfg(feature = "serde")]
#[doc(hidden)]
#[macro_export]
macro_rules! deserialize_choice {
    ($name:ident) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::choice::deserialize_text(deserializer)
            }
        }
    };
}

#[cfg(not(feature = "serde"))]
#[doc(hidden)]
#[macro_export]
macro_rules! deserialize_choice {
    ($name:ident) => {};
}

pub(crate) use choices;
