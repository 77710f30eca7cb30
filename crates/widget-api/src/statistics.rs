//! Bodies of `/core/web-widgets/{id}/statistics`.

use serde::{Deserialize, Serialize};
use widget_core::{
    conversation::EndReason,
    finding::Code,
    statistics::{self, Counter, FIRST_ANSWER_SECONDS, Interval, MAX_RATING},
};

#[cfg(feature = "schemars")]
use crate::schema;
use crate::{Received, Timestamp};

/// Of which time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StatisticsQuery {
    /// The beginning; the default is a week, or a day of hours, before the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// The end; the default is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// How much time one point covers, in UTC: `day`, the default, for at most 400 days, or `hour`
    /// for at most 31 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schemars",
        schemars(with = "Option<schema::Text<Interval>>")
    )]
    pub interval: Option<Interval>,
}

/// Numbers about a widget over some time. Everything about a conversation counts at the time at
/// which it began, also what happens later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Statistics {
    /// When the first point begins.
    pub from: Timestamp,
    /// When the last point ends.
    pub to: Timestamp,
    /// How much time one point covers.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<Interval>"))]
    pub interval: Interval,
    /// All points together.
    pub total: Numbers,
    /// Every point in its order, also those in which nothing happened.
    pub points: Vec<StatisticsPoint>,
}

/// An hour or a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct StatisticsPoint {
    /// When it begins.
    pub starts_at: Timestamp,
    /// What was counted.
    pub numbers: Numbers,
}

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Numbers {
    /// How often a page got the launcher.
    pub launchers_shown: u64,
    /// How often a page got the window.
    pub windows_opened: u64,
    /// Conversations that began.
    pub conversations_started: StartedConversations,
    /// Conversations in which the agent said something.
    pub conversations_answered: u64,
    /// Conversations that are over.
    pub conversations_ended: EndedConversations,
    /// Seconds in which visitors sent their voice.
    pub voice_seconds: u64,
    /// Messages, spoken ones too.
    pub messages: MessageCounts,
    /// How long visitors waited for the first words of the agent, since they joined.
    pub first_answers: FirstAnswers,
    /// What visitors said of their conversations.
    pub feedback: FeedbackCounts,
    /// Visits that were refused, the commonest reason first; each counts for its first reason.
    pub refusals: Vec<RefusalCount>,
}

/// Conversations by how they began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct StartedConversations {
    /// As text.
    pub text: u64,
    /// As voice.
    pub voice: u64,
}

/// Conversations by what ended them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct EndedConversations {
    /// The visitor.
    pub visitor: u64,
    /// The agent, or somebody else with an API key.
    pub agent: u64,
    /// The visitor stayed away longer than they could resume.
    pub idle: u64,
    /// Nobody said anything for too long.
    pub silence: u64,
    /// The maximum length.
    pub max_length: u64,
    /// Nobody joined in time.
    pub never_joined: u64,
    /// The visitor joined after others had used up the budget of the day.
    #[serde(default)]
    pub budget_used_up: u64,
}

impl EndedConversations {
    fn of_mut(&mut self, reason: EndReason) -> &mut u64 {
        match reason {
            EndReason::Visitor => &mut self.visitor,
            EndReason::Agent => &mut self.agent,
            EndReason::Idle => &mut self.idle,
            EndReason::Silence => &mut self.silence,
            EndReason::MaxLength => &mut self.max_length,
            EndReason::NeverJoined => &mut self.never_joined,
            EndReason::BudgetUsedUp => &mut self.budget_used_up,
        }
    }
}

/// Messages by who said them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct MessageCounts {
    /// Visitors.
    pub visitor: u64,
    /// Agents.
    pub agent: u64,
}

/// Times to the first answer, by upper bounds; those of several times add up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct FirstAnswers {
    /// The bound within which half of them came; absent when there were none, or when it is above
    /// the highest bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "u32"))]
    pub p50_seconds: Option<u32>,
    /// The bound within which nine of ten came; absent as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "u32"))]
    pub p90_seconds: Option<u32>,
    /// How many came within each bound and not within the one before; bounds without any are left
    /// out. The bounds are 1, 2, 3, 5, 8, 13, 20, 30, 60, 120, 300 and 900 seconds.
    pub counts: Vec<FirstAnswerCount>,
}

/// How many first answers came within a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct FirstAnswerCount {
    /// The bound; absent for those that took longer than the highest one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "u32"))]
    pub within_seconds: Option<u32>,
    /// How many.
    pub count: u64,
}

/// Feedback after conversations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct FeedbackCounts {
    /// Conversations with feedback.
    pub submitted: u64,
    /// Ratings, the lowest first; those that nobody gave are left out.
    pub ratings: Vec<RatingCount>,
}

/// How often a rating was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct RatingCount {
    /// The number of stars, from 1.
    pub rating: u8,
    /// How often.
    pub count: u64,
}

/// How many visits were refused for a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct RefusalCount {
    /// The stable machine code.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::FieldCode"))]
    pub code: Received<Code>,
    /// How many.
    pub count: u64,
}

impl From<&statistics::Numbers> for Numbers {
    fn from(numbers: &statistics::Numbers) -> Self {
        let of = |counter| numbers.of(counter);
        let mut conversations_ended = EndedConversations::default();
        for reason in EndReason::ALL.iter().copied() {
            *conversations_ended.of_mut(reason) = of(Counter::Ended(reason));
        }
        let ratings = (1..=MAX_RATING).map(|rating| RatingCount {
            rating,
            count: of(Counter::Rating(rating)),
        });
        let refusals = numbers.refused().map(|(code, count)| RefusalCount {
            code: code.into(),
            count,
        });
        let mut refusals: Vec<RefusalCount> = refusals.collect();
        refusals.sort_by_key(|refusal| std::cmp::Reverse(refusal.count));
        Self {
            launchers_shown: of(Counter::LaunchersShown),
            windows_opened: of(Counter::WindowsOpened),
            conversations_started: StartedConversations {
                text: of(Counter::StartedText),
                voice: of(Counter::StartedVoice),
            },
            conversations_answered: of(Counter::Answered),
            conversations_ended,
            voice_seconds: of(Counter::VoiceSeconds),
            messages: MessageCounts {
                visitor: of(Counter::VisitorMessages),
                agent: of(Counter::AgentMessages),
            },
            first_answers: numbers.first_answers().into(),
            feedback: FeedbackCounts {
                submitted: of(Counter::Feedback),
                ratings: ratings.filter(|rating| rating.count > 0).collect(),
            },
            refusals,
        }
    }
}

impl From<&statistics::FirstAnswers> for FirstAnswers {
    fn from(answers: &statistics::FirstAnswers) -> Self {
        let bounds = FIRST_ANSWER_SECONDS.iter().copied().map(Some);
        let counts = bounds.chain([None]).zip(answers.counts());
        let counts = counts.map(|(within_seconds, count)| FirstAnswerCount {
            within_seconds,
            count: *count,
        });
        Self {
            p50_seconds: answers.percentile(50),
            p90_seconds: answers.percentile(90),
            counts: counts.filter(|answers| answers.count > 0).collect(),
        }
    }
}
