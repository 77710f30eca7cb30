//! Everything that is counted, with the name under which it is stored.

use std::{fmt, str::FromStr};

use crate::{conversation::EndReason, finding::Code, text::shortened};

/// Upper bounds of the times to a first answer that are distinguished, in seconds; longer ones are
/// counted together.
pub const FIRST_ANSWER_SECONDS: [u32; 12] = [1, 2, 3, 5, 8, 13, 20, 30, 60, 120, 300, 900];

/// The highest rating that a form can ask for.
pub const MAX_RATING: u8 = 10;

/// Something that is counted.
///
/// Its text is the name under which it is stored, so it never changes:
///
/// ```
/// use widget_core::{conversation::EndReason, statistics::Counter};
///
/// assert_eq!(Counter::Ended(EndReason::Idle).to_string(), "ended/idle");
/// assert_eq!("first_answer/5".parse(), Ok(Counter::FirstAnswer(3)));
/// assert!("first_answer/4".parse::<Counter>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counter {
    /// Launcher configs that a page got, unchanged ones too.
    LaunchersShown,
    /// Documents of the window that a page got.
    WindowsOpened,
    /// Conversations that began as text.
    StartedText,
    /// Conversations that began as voice.
    StartedVoice,
    /// Conversations in which the agent said something.
    Answered,
    /// Seconds in which visitors sent their voice.
    VoiceSeconds,
    /// Messages of visitors.
    VisitorMessages,
    /// Messages of agents.
    AgentMessages,
    /// First answers of agents, by the place of the upper bound in [`FIRST_ANSWER_SECONDS`];
    /// behind the last one, those that took longer.
    FirstAnswer(usize),
    /// Conversations that ended for a reason.
    Ended(EndReason),
    /// Conversations after which the visitor sent the feedback form.
    Feedback,
    /// Ratings of this many stars, 1 to [`MAX_RATING`].
    Rating(u8),
    /// Visits that were refused with a code.
    Refused(Code),
}

/// A text is not the name of a counter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a counter")]
pub struct CounterError(String);

impl Counter {
    /// The counter of a first answer that took this long.
    #[must_use]
    pub fn first_answer(took: time::Duration) -> Self {
        let bounds = FIRST_ANSWER_SECONDS.iter();
        let place = bounds
            .take_while(|bound| took > time::Duration::seconds(i64::from(**bound)))
            .count();
        Self::FirstAnswer(place)
    }

    /// The name, and what distinguishes it from others of the same name.
    fn name(self) -> &'static str {
        match self {
            Self::LaunchersShown => "launchers_shown",
            Self::WindowsOpened => "windows_opened",
            Self::StartedText => "started/text",
            Self::StartedVoice => "started/voice",
            Self::Answered => "answered",
            Self::VoiceSeconds => "voice_seconds",
            Self::VisitorMessages => "messages/visitor",
            Self::AgentMessages => "messages/agent",
            Self::FirstAnswer(_) => FIRST_ANSWER,
            Self::Ended(_) => ENDED,
            Self::Feedback => "feedback",
            Self::Rating(_) => RATING,
            Self::Refused(_) => REFUSED,
        }
    }
}

const PLAIN: [Counter; 9] = [
    Counter::LaunchersShown,
    Counter::WindowsOpened,
    Counter::StartedText,
    Counter::StartedVoice,
    Counter::Answered,
    Counter::VoiceSeconds,
    Counter::VisitorMessages,
    Counter::AgentMessages,
    Counter::Feedback,
];
const FIRST_ANSWER: &str = "first_answer/";
const ENDED: &str = "ended/";
const RATING: &str = "rating/";
const REFUSED: &str = "refused/";
const LONGER: &str = "longer";

impl fmt::Display for Counter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())?;
        match self {
            Self::FirstAnswer(place) => match FIRST_ANSWER_SECONDS.get(*place) {
                Some(bound) => bound.fmt(formatter),
                None => formatter.write_str(LONGER),
            },
            Self::Ended(reason) => formatter.write_str(reason.as_str()),
            Self::Rating(stars) => stars.fmt(formatter),
            Self::Refused(code) => formatter.write_str(code.as_str()),
            _ => Ok(()),
        }
    }
}

impl FromStr for Counter {
    type Err = CounterError;

    fn from_str(text: &str) -> Result<Self, CounterError> {
        if let Some(plain) = PLAIN.iter().find(|counter| counter.name() == text) {
            return Ok(*plain);
        }
        let parsed = if let Some(bound) = text.strip_prefix(FIRST_ANSWER) {
            first_answer_of(bound)
        } else if let Some(reason) = text.strip_prefix(ENDED) {
            reason.parse().ok().map(Self::Ended)
        } else if let Some(stars) = text.strip_prefix(RATING) {
            let stars = stars.parse().ok();
            stars
                .filter(|stars| (1..=MAX_RATING).contains(stars))
                .map(Self::Rating)
        } else if let Some(code) = text.strip_prefix(REFUSED) {
            code.parse().ok().map(Self::Refused)
        } else {
            None
        };
        parsed.ok_or_else(|| CounterError(shortened(text).into_owned()))
    }
}

fn first_answer_of(bound: &str) -> Option<Counter> {
    if bound == LONGER {
        return Some(Counter::FirstAnswer(FIRST_ANSWER_SECONDS.len()));
    }
    let bound: u32 = bound.parse().ok()?;
    let place = FIRST_ANSWER_SECONDS
        .iter()
        .position(|known| *known == bound);
    place.map(Counter::FirstAnswer)
}
