//! What an API key may set for an organization or a widget, below the ceilings of the operator.

use super::{day::DayBudget, voice::RESERVED_MINUTES};
use crate::choice::choices;

choices! {
    /// Who a limit is for.
    ///
    /// In the order in which both are locked, so that no two transactions wait for each other.
    pub enum Owner {
        /// All widgets of an organization together.
        Organization = "organization",
        /// One widget.
        Widget = "widget",
    }
}

choices! {
    /// The limits that an API key can set.
    pub enum LimitName {
        /// See [`Limits::conversations_per_day`].
        ConversationsPerDay = "conversations_per_day",
        /// See [`Limits::voice_minutes_per_day`].
        VoiceMinutesPerDay = "voice_minutes_per_day",
        /// See [`Limits::open_conversations`].
        OpenConversations = "open_conversations",
        /// See [`Limits::new_per_minute`].
        NewPerMinute = "new_per_minute",
    }
}

/// Limits of an organization or a widget; `None` for no limit of its own.
///
/// ```
/// use widget_core::conversation::budget::Limits;
///
/// let ceilings = Limits { conversations_per_day: Some(300), ..Limits::default() };
/// let limits = Limits { conversations_per_day: Some(500), ..Limits::default() };
/// let faults = limits.check(&ceilings).expect_err("it is over the ceiling");
/// assert_eq!(
///     faults[0].to_string(),
///     "`500` is over what the operator of the service allows; use `300` or less"
/// );
/// assert_eq!(limits.under(&ceilings).conversations_per_day, Some(300));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Conversations that may start on one day in UTC.
    pub conversations_per_day: Option<u32>,
    /// Minutes of voice on one day in UTC.
    pub voice_minutes_per_day: Option<u32>,
    /// Conversations that were joined and have not ended.
    pub open_conversations: Option<u32>,
    /// Conversations that may start within a minute, on each node.
    pub new_per_minute: Option<u32>,
}

/// A limit that cannot be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` {fault}")]
pub struct LimitError {
    /// Which one.
    pub name: LimitName,
    /// What it was to be.
    pub value: u32,
    /// What is wrong with it.
    pub fault: LimitFault,
}

/// Why a limit cannot be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitFault {
    /// The operator allows less.
    #[error("is over what the operator of the service allows; use `{ceiling}` or less")]
    OverCeiling {
        /// The most that may be set.
        ceiling: u32,
    },
    /// It would never allow anything.
    #[error("allows nothing; use {}`{min}` or more", if *.or_zero { "`0` for none, or " } else { "" })]
    TooSmall {
        /// The least that has an effect.
        min: u32,
        /// Whether 0 may be set.
        or_zero: bool,
    },
}

impl Limits {
    /// One of them.
    #[must_use]
    pub const fn get(&self, name: LimitName) -> Option<u32> {
        match name {
            LimitName::ConversationsPerDay => self.conversations_per_day,
            LimitName::VoiceMinutesPerDay => self.voice_minutes_per_day,
            LimitName::OpenConversations => self.open_conversations,
            LimitName::NewPerMinute => self.new_per_minute,
        }
    }

    /// Whether these limits may be set where the operator has set `ceilings`.
    ///
    /// # Errors
    ///
    /// Every limit that may not be set.
    pub fn check(&self, ceilings: &Self) -> Result<(), Vec<LimitError>> {
        let faults: Vec<LimitError> = LimitName::ALL
            .iter()
            .filter_map(|name| {
                let value = self.get(*name)?;
                let fault = find_fault(*name, value, ceilings.get(*name))?;
                Some(LimitError {
                    name: *name,
                    value,
                    fault,
                })
            })
            .collect();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }

    /// The limits that apply: the ceilings may have been lowered since these were set.
    #[must_use]
    pub fn under(&self, ceilings: &Self) -> Self {
        let lower = |name| lower(self.get(name), ceilings.get(name));
        Self {
            conversations_per_day: lower(LimitName::ConversationsPerDay),
            voice_minutes_per_day: lower(LimitName::VoiceMinutesPerDay),
            open_conversations: lower(LimitName::OpenConversations),
            new_per_minute: lower(LimitName::NewPerMinute),
        }
    }

    /// Those of a day.
    #[must_use]
    pub const fn day(&self) -> DayBudget {
        DayBudget {
            conversations: self.conversations_per_day,
            voice_minutes: self.voice_minutes_per_day,
        }
    }
}

fn find_fault(name: LimitName, value: u32, ceiling: Option<u32>) -> Option<LimitFault> {
    if let Some(ceiling) = ceiling.filter(|ceiling| value > *ceiling) {
        return Some(LimitFault::OverCeiling { ceiling });
    }
    let (min, or_zero) = match name {
        LimitName::VoiceMinutesPerDay => (RESERVED_MINUTES, true),
        LimitName::NewPerMinute => (1, false),
        LimitName::ConversationsPerDay | LimitName::OpenConversations => return None,
    };
    let fits = value >= min || (or_zero && value == 0);
    (!fits).then_some(LimitFault::TooSmall { min, or_zero })
}

/// The lower one of two limits, each of which may be missing.
pub(super) fn lower(limit: Option<u32>, ceiling: Option<u32>) -> Option<u32> {
    match (limit, ceiling) {
        (Some(limit), Some(ceiling)) => Some(limit.min(ceiling)),
        (limit, ceiling) => limit.or(ceiling),
    }
}
