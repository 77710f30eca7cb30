//! Feature `serde`: the domain types as JSON, through `FromStr`, `Display` and the parsing
//! constructors, so that a value that was read is as valid as any other.
//!
//! Types that must be read with a suffix list are in [`seed`](crate::seed).

mod records;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::finding::{Code, Finding, Findings};
use crate::text::deserialize_text_or;

/// `Serialize` by `Display`, `Deserialize` by `FromStr`; `code` is that of a text that is refused.
macro_rules! as_text {
    ($code:expr; $($name:ty,)*) => {
        $(
            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserialize_text_or($code.as_str(), deserializer)
                }
            }
        )*
    };
}

impl<'de> Deserialize<'de> for Findings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let findings = Vec::<Finding>::deserialize(deserializer)?;
        Self::from_list(findings.into_iter().collect())
            .ok_or_else(|| de::Error::invalid_length(0, &"at least one finding"))
    }
}

as_text! {
    Code::OriginMalformed;
    crate::origin::Origin,
}

as_text! {
    Code::IdInvalid;
    crate::id::AgentId,
    crate::id::AgentVersionId,
    crate::id::ConversationId,
    crate::id::ErasureJobId,
    crate::id::IdPrefix,
    crate::id::OrganizationId,
    crate::id::PreviewId,
    crate::id::WidgetId,
}
