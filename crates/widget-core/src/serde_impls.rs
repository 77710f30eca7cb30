//! Feature `serde`: the domain types as JSON, through `FromStr`, `Display` and the parsing
//! constructors, so that a value that was read is as valid as any other.
//!
//! Types that must be read with a suffix list are in [`seed`](crate::seed).

mod records;

use std::{fmt, marker::PhantomData, str::FromStr};

use crate::finding::Findings;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Reads a string through `FromStr`.
pub(crate) fn deserialize_text<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    struct Text<T>(PhantomData<T>);

    impl<T: FromStr<Err: fmt::Display>> de::Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a string")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Text(PhantomData))
}

/// `Serialize` by `Display`, `Deserialize` by `FromStr`.
macro_rules! as_text {
    ($($name:ty,)*) => {
        $(
            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserialize_text(deserializer)
                }
            }
        )*
    };
}

impl<'de> Deserialize<'de> for Findings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let findings = Vec::deserialize(deserializer)?;
        Self::from_vec(findings)
            .ok_or_else(|| de::Error::invalid_length(0, &"at least one finding"))
    }
}

as_text! {
    crate::id::AgentId,
    crate::id::AgentVersionId,
    crate::id::ConversationId,
    crate::id::OrganizationId,
    crate::id::WidgetId,
    crate::origin::Origin,
}
