//! What a conversation counts as.

use time::{Duration, OffsetDateTime};

use super::counter::Counter;
use crate::{conversation::EndReason, mode::Mode};

/// What is known of a conversation, whose content may be erased afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversationFacts {
    /// Whether it began as text or as voice.
    pub mode: Mode,
    /// When the visitor joined first.
    pub joined_at: Option<OffsetDateTime>,
    /// When the agent said its first words.
    pub answered_at: Option<OffsetDateTime>,
    /// Messages of the visitor.
    pub visitor_messages: u64,
    /// Messages of the agent.
    pub agent_messages: u64,
    /// How long the visitor sent their voice.
    pub voice: Duration,
    /// Why it ended, if it has.
    pub end_reason: Option<EndReason>,
}

impl ConversationFacts {
    /// What it adds to each counter; nothing to those that are left out.
    #[must_use]
    pub fn counts(&self) -> Vec<(Counter, u64)> {
        let started = match self.mode {
            Mode::Text => Counter::StartedText,
            Mode::Voice => Counter::StartedVoice,
        };
        let voice = u64::try_from(self.voice.whole_seconds()).unwrap_or_default();
        let mut counts = vec![
            (started, 1),
            (Counter::VoiceSeconds, voice),
            (Counter::VisitorMessages, self.visitor_messages),
            (Counter::AgentMessages, self.agent_messages),
            (Counter::Answered, u64::from(self.agent_messages > 0)),
        ];
        if let (Some(joined), Some(answered)) = (self.joined_at, self.answered_at) {
            // The clock of whoever reported the answer may be behind.
            counts.push((Counter::first_answer(answered - joined), 1));
        }
        if let Some(reason) = self.end_reason {
            counts.push((Counter::Ended(reason), 1));
        }
        counts.retain(|(_, amount)| *amount > 0);
        counts
    }
}
