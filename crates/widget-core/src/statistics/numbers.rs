//! What was counted over some time.

use std::collections::BTreeMap;

use super::counter::{Counter, FIRST_ANSWER_SECONDS, MAX_RATING};
use crate::{conversation::EndReason, finding::Code};

/// What was counted of each [`Counter`]; numbers of several times or nodes add up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Numbers {
    plain: [u64; 9],
    first_answers: FirstAnswers,
    ended: [u64; EndReason::ALL.len()],
    ratings: [u64; MAX_RATING as usize],
    refused: BTreeMap<&'static str, (Code, u64)>,
}

impl Numbers {
    /// Adds what was counted.
    pub fn add(&mut self, counter: Counter, amount: u64) {
        let number = match counter {
            Counter::LaunchersShown => &mut self.plain[0],
            Counter::WindowsOpened => &mut self.plain[1],
            Counter::StartedText => &mut self.plain[2],
            Counter::StartedVoice => &mut self.plain[3],
            Counter::Answered => &mut self.plain[4],
            Counter::VoiceSeconds => &mut self.plain[5],
            Counter::VisitorMessages => &mut self.plain[6],
            Counter::AgentMessages => &mut self.plain[7],
            Counter::Feedback => &mut self.plain[8],
            Counter::FirstAnswer(place) => {
                &mut self.first_answers.0[place.min(FIRST_ANSWER_SECONDS.len())]
            }
            Counter::Ended(reason) => &mut self.ended[reason as usize],
            Counter::Rating(stars) => {
                &mut self.ratings[usize::from(stars.clamp(1, MAX_RATING)) - 1]
            }
            Counter::Refused(code) => &mut self.refused.entry(code.as_str()).or_insert((code, 0)).1,
        };
        *number = number.saturating_add(amount);
    }

    /// What was counted of one counter.
    #[must_use]
    pub fn of(&self, counter: Counter) -> u64 {
        match counter {
            Counter::LaunchersShown => self.plain[0],
            Counter::WindowsOpened => self.plain[1],
            Counter::StartedText => self.plain[2],
            Counter::StartedVoice => self.plain[3],
            Counter::Answered => self.plain[4],
            Counter::VoiceSeconds => self.plain[5],
            Counter::VisitorMessages => self.plain[6],
            Counter::AgentMessages => self.plain[7],
            Counter::Feedback => self.plain[8],
            Counter::FirstAnswer(place) => {
                self.first_answers.0[place.min(FIRST_ANSWER_SECONDS.len())]
            }
            Counter::Ended(reason) => self.ended[reason as usize],
            Counter::Rating(stars) => self.ratings[usize::from(stars.clamp(1, MAX_RATING)) - 1],
            Counter::Refused(code) => self
                .refused
                .get(code.as_str())
                .map_or(0, |refused| refused.1),
        }
    }

    /// The times to the first answer.
    #[must_use]
    pub const fn first_answers(&self) -> &FirstAnswers {
        &self.first_answers
    }

    /// Codes with which visits were refused, by name, each with its number.
    pub fn refused(&self) -> impl Iterator<Item = (Code, u64)> {
        self.refused.values().copied()
    }
}

/// How many first answers took how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FirstAnswers([u64; FIRST_ANSWER_SECONDS.len() + 1]);

impl FirstAnswers {
    /// How many there were up to each bound of [`FIRST_ANSWER_SECONDS`] and above the one before;
    /// behind the last bound, those that took longer.
    #[must_use]
    pub const fn counts(&self) -> &[u64; FIRST_ANSWER_SECONDS.len() + 1] {
        &self.0
    }

    /// The bound, in seconds, within which at least this share of them came, in percent; `None`
    /// when there were none, or when it is above the last bound.
    ///
    /// ```
    /// use widget_core::statistics::{Counter, Numbers};
    ///
    /// let mut numbers = Numbers::default();
    /// for seconds in [1, 2, 2, 9] {
    ///     numbers.add(Counter::first_answer(time::Duration::seconds(seconds)), 1);
    /// }
    /// let answers = numbers.first_answers();
    /// assert_eq!((answers.percentile(50), answers.percentile(90)), (Some(2), Some(13)));
    /// ```
    #[must_use]
    pub fn percentile(&self, percent: u8) -> Option<u32> {
        let all: u128 = self.0.iter().copied().map(u128::from).sum();
        if all == 0 {
            return None;
        }
        let needed = (all * u128::from(percent.min(100))).div_ceil(100).max(1);
        let mut counted = 0;
        for (bound, count) in FIRST_ANSWER_SECONDS.iter().zip(&self.0) {
            counted += u128::from(*count);
            if counted >= needed {
                return Some(*bound);
            }
        }
        None
    }
}
