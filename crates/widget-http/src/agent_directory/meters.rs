//! How the agent directory answers.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use widget_core::{agent_directory::Answer, choices};

use crate::metrics::{Histogram, LabelValue, Metric, Snapshot};

choices! {
    /// What it answers.
    pub enum QuestionOutcome {
        /// With a version.
        Version = "version",
        /// There is none.
        Unknown = "unknown",
        /// Not at all, or with something else.
        Failed = "failed",
    }
}

/// Questions by how they were answered.
#[derive(Debug, Default)]
pub(crate) struct DirectoryMeters {
    outcomes: [AtomicU64; QuestionOutcome::ALL.len()],
    durations: Histogram,
}

impl DirectoryMeters {
    /// Counts a question.
    pub(super) fn count<T, E>(&self, outcome: &Result<(Answer, T), E>, took: Duration) {
        let outcome = match outcome {
            Ok((Answer::Version(_), _)) => QuestionOutcome::Version,
            Ok((Answer::Unknown, _)) => QuestionOutcome::Unknown,
            Err(_) => QuestionOutcome::Failed,
        };
        self.outcomes[outcome as usize].fetch_add(1, Relaxed);
        self.durations.observe(took);
    }

    pub(crate) fn write(&self, snapshot: &mut Snapshot) {
        for (outcome, count) in QuestionOutcome::ALL.iter().zip(&self.outcomes) {
            let labels = [LabelValue::of(outcome.as_str())];
            snapshot.count(Metric::DirectoryQuestions, labels, count.load(Relaxed));
        }
        snapshot.times(Metric::DirectoryQuestionDuration, [], &self.durations);
    }
}
