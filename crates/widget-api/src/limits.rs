//! Bodies of `/core/organization/limits` and `/core/web-widgets/{id}/limits`.

use serde::{Deserialize, Serialize};
use widget_core::conversation::budget::{DayUse, Limits};

use crate::Timestamp;

/// Limits of an organization or a widget. One that is missing or `null` is not set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LimitValues {
    /// Conversations that may start on one day in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversations_per_day: Option<u32>,
    /// Minutes of voice on one day in UTC: 0 for none, or at least 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice_minutes_per_day: Option<u32>,
    /// Conversations that were joined and have not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_conversations: Option<u32>,
    /// Conversations that may start within a minute, on each node: at least 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_per_minute: Option<u32>,
}

/// The limits of an organization or a widget, and what was used of them today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct OwnerLimits {
    /// What was set.
    pub limits: LimitValues,
    /// What the operator of the service allows at most; it also applies where nothing was set.
    pub ceilings: LimitValues,
    /// What was used of the limits of this day.
    pub today: TodaysUse,
}

/// What was used on the present day in UTC. Where nothing is limited, nothing is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct TodaysUse {
    /// Conversations.
    pub conversations: UsedAndReserved,
    /// Seconds of voice, each call rounded up.
    pub voice_seconds: UsedAndReserved,
    /// When the day ends and everything may be used again.
    pub resets_at: Timestamp,
}

/// What of a limit is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct UsedAndReserved {
    /// Used up.
    pub used: i64,
    /// Conversations that wait for their visitor, who keep nobody out, or seconds set aside for
    /// running calls.
    pub reserved: i64,
}

impl From<LimitValues> for Limits {
    fn from(values: LimitValues) -> Self {
        Self {
            conversations_per_day: values.conversations_per_day,
            voice_minutes_per_day: values.voice_minutes_per_day,
            open_conversations: values.open_conversations,
            new_per_minute: values.new_per_minute,
        }
    }
}

impl From<Limits> for LimitValues {
    fn from(limits: Limits) -> Self {
        Self {
            conversations_per_day: limits.conversations_per_day,
            voice_minutes_per_day: limits.voice_minutes_per_day,
            open_conversations: limits.open_conversations,
            new_per_minute: limits.new_per_minute,
        }
    }
}

impl From<DayUse> for UsedAndReserved {
    fn from(DayUse { used, reserved }: DayUse) -> Self {
        Self { used, reserved }
    }
}
