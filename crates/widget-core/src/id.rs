//! Identifiers as types, so that an agent's id cannot be passed where a widget's is meant.
//!
//! ```
//! use widget_core::id::{AgentId, WidgetId};
//!
//! let id: WidgetId = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b".parse()?;
//! assert_eq!(id.to_string(), "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b");
//! // One id has one spelling.
//! assert!("0197a8b26c1e7d3f8a4b5c6d7e8f9a0b".parse::<AgentId>().is_err());
//! # Ok::<(), widget_core::id::IdError>(())
//! ```

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not a UUID in the hyphenated form, 36 characters.
    #[error(
        "`{0}` is not an id; ids are hyphenated UUIDs such as `0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b`"
    )]
    NotUuid(String),
    /// Not an organization's name.
    #[error(
        "`{0}` is not an organization; use 1 to 64 of letters, digits, `.`, `_` and `-`, first a letter or digit"
    )]
    NotOrganization(String),
    /// Not the beginning of an id.
    #[error(
        "`{0}` is not the beginning of an id; use {min} to {max} hexadecimal digits, with or without hyphens",
        min = IdPrefix::MIN_DIGITS,
        max = IdPrefix::MAX_DIGITS
    )]
    NotPrefix(String),
}

macro_rules! uuid_id {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        ///
        /// Shown in the hyphenated lower-case form; the only form that is read, in either case.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps an existing UUID; making one needs randomness, which is the caller's.
            #[must_use]
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID itself, for storage.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_hyphenated(text).map(Self)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

uuid_id! {
    /// Names one widget; the only id that a host page knows.
    WidgetId
}
uuid_id! {
    /// Names one agent of an organization.
    AgentId
}
uuid_id! {
    /// Names one version of an agent; a widget pins one of these.
    AgentVersionId
}
uuid_id! {
    /// Names one conversation of a visitor with a widget's agent.
    ConversationId
}
uuid_id! {
    /// Names one job that erases conversations.
    ErasureJobId
}
uuid_id! {
    /// Names one preview of a widget for its owner; opens nothing.
    PreviewId
}

/// `Uuid::parse_str` also accepts the simple, braced and URN forms: one id would then have several
/// spellings in addresses, logs and cache keys.
fn parse_hyphenated(text: &str) -> Result<Uuid, IdError> {
    let refused = || IdError::NotUuid(text.chars().take(64).collect());
    if text.len() != uuid::fmt::Hyphenated::LENGTH {
        return Err(refused());
    }
    Uuid::try_parse(text).map_err(|_| refused())
}

/// The beginning of ids, by which a person names one of them.
///
/// ```
/// use widget_core::id::{IdPrefix, WidgetId};
///
/// let id: WidgetId = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b".parse()?;
/// let prefix: IdPrefix = "0197a8b2-6c".parse()?;
/// assert!(prefix.first() <= id.as_uuid() && id.as_uuid() <= prefix.last());
/// # Ok::<(), widget_core::id::IdError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdPrefix {
    value: u128,
    digits: u8,
}

impl IdPrefix {
    /// The fewest digits: fewer would name everything that was made within years.
    pub const MIN_DIGITS: usize = 4;

    /// The most digits: those of a whole id.
    pub const MAX_DIGITS: usize = 32;

    /// The lowest id that begins so.
    #[must_use]
    pub const fn first(self) -> Uuid {
        Uuid::from_u128(self.value)
    }

    /// The highest id that begins so.
    #[must_use]
    pub const fn last(self) -> Uuid {
        let open = match u128::MAX.checked_shr(4 * self.digits as u32) {
            Some(bits) => bits,
            None => 0,
        };
        Uuid::from_u128(self.value | open)
    }

    /// How many hexadecimal digits it has.
    #[must_use]
    pub const fn digits(self) -> u8 {
        self.digits
    }
}

impl FromStr for IdPrefix {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let refused = || IdError::NotPrefix(text.chars().take(64).collect());
        let (mut value, mut digits) = (0_u128, 0_u8);
        for character in text.chars().filter(|character| *character != '-') {
            let digit = character.to_digit(16).ok_or_else(refused)?;
            if usize::from(digits) == Self::MAX_DIGITS {
                return Err(refused());
            }
            value = (value << 4) | u128::from(digit);
            digits += 1;
        }
        if usize::from(digits) < Self::MIN_DIGITS {
            return Err(refused());
        }
        value <<= 4 * (Self::MAX_DIGITS - usize::from(digits));
        Ok(Self { value, digits })
    }
}

impl fmt::Display for IdPrefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = format!("{:032x}", self.value);
        formatter.write_str(all.get(..usize::from(self.digits)).unwrap_or(&all))
    }
}

/// Names the organization that owns a record; comes from the caller's credential, never from a
/// body.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrganizationId(String);

impl OrganizationId {
    /// Longest name, in bytes: as long as the longest DNS label (63) and one more, so that a
    /// name can be used as a key prefix or a metric label anywhere.
    pub const MAX_LENGTH: usize = 64;

    /// The name as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OrganizationId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let bytes = text.as_bytes();
        let starts_well = bytes.first().is_some_and(u8::is_ascii_alphanumeric);
        let plain = bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        if starts_well && plain && bytes.len() <= Self::MAX_LENGTH {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError::NotOrganization(text.chars().take(80).collect()))
        }
    }
}

impl fmt::Display for OrganizationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANONICAL: &str = "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b";

    #[test]
    fn uuid_ids_have_one_spelling() {
        let id: WidgetId = CANONICAL.parse().expect("canonical");
        assert_eq!(id.to_string(), CANONICAL);
        let upper: WidgetId = CANONICAL.to_uppercase().parse().expect("upper case");
        assert_eq!(upper, id);
        assert_eq!(WidgetId::from_uuid(id.as_uuid()), id);
        assert_eq!(Uuid::from(id), id.as_uuid());
        for other in [
            "",
            "not-an-id",
            "0197a8b26c1e7d3f8a4b5c6d7e8f9a0b",
            "{0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b}",
            "urn:uuid:0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b",
            " 197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0b",
            "0197a8b2-6c1e-7d3f-8a4b-5c6d7e8f9a0g",
            "0197a8b26-c1e-7d3f-8a4b-5c6d7e8f9a0b",
        ] {
            assert!(
                matches!(other.parse::<AgentId>(), Err(IdError::NotUuid(_))),
                "{other}"
            );
        }
    }

    #[test]
    fn a_prefix_is_a_range_of_ids() {
        let id = |text: &str| Uuid::parse_str(text).expect(text);
        for (text, shown, first, last) in [
            (
                "0197",
                "0197",
                "01970000-0000-0000-0000-000000000000",
                "0197ffff-ffff-ffff-ffff-ffffffffffff",
            ),
            (
                "0197A8B2-6c1",
                "0197a8b26c1",
                "0197a8b2-6c10-0000-0000-000000000000",
                "0197a8b2-6c1f-ffff-ffff-ffffffffffff",
            ),
            (
                CANONICAL,
                "0197a8b26c1e7d3f8a4b5c6d7e8f9a0b",
                CANONICAL,
                CANONICAL,
            ),
        ] {
            let prefix: IdPrefix = text.parse().expect(text);
            assert_eq!(prefix.to_string(), shown);
            assert_eq!((prefix.first(), prefix.last()), (id(first), id(last)));
            assert_eq!(usize::from(prefix.digits()), shown.len());
        }
        let too_long = format!("{CANONICAL}0");
        for other in ["", "019", "01-9", "019g", "0197 ", "%", too_long.as_str()] {
            let refused = other.parse::<IdPrefix>();
            assert!(matches!(refused, Err(IdError::NotPrefix(_))), "{other}");
        }
    }

    #[test]
    fn organizations_are_short_plain_names() {
        let longest = "a".repeat(64);
        for good in ["acme", "Acme-2.eu_west", "0", longest.as_str()] {
            let organization: OrganizationId = good.parse().expect(good);
            assert_eq!(organization.as_str(), good);
            assert_eq!(organization.to_string(), good);
        }
        for bad in ["", ".acme", "-a", "_a", "a b", "a/b", "ä", &"a".repeat(65)] {
            assert!(bad.parse::<OrganizationId>().is_err(), "{bad}");
        }
    }
}
