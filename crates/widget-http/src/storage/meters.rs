//! What storage counts: connections, waits, failures, and what happened to conversations.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use time::OffsetDateTime;
use widget_core::{
    choices,
    conversation::{EndReason, ErasedBy, Lifecycle},
};

use super::driver::Failure;
use crate::metrics::{Histogram, LabelValue, Metric, Snapshot};

choices! {
    /// Why a conversation was erased.
    pub enum ErasureCause {
        /// The holder of a key named it.
        Request = "request",
        /// A job selected it.
        Job = "job",
        /// Its time to be kept was over.
        Retention = "retention",
    }
}

impl ErasureCause {
    /// Outside of jobs.
    pub(super) const fn of(by: &ErasedBy) -> Self {
        match by {
            ErasedBy::ApiKey(_) => Self::Request,
            ErasedBy::Retention => Self::Retention,
        }
    }
}

choices! {
    /// Which connections they are.
    pub enum PoolName {
        /// Those that write, or all where there is one pool.
        Writer = "writer",
        /// Those that only read.
        Reader = "reader",
    }
}

/// A pool of connections at this moment.
#[derive(Debug)]
pub struct PoolState<'a> {
    pub(super) name: PoolName,
    pub(super) idle: usize,
    pub(super) size: u32,
    pub(super) max: u32,
    pub(super) meters: &'a PoolMeters,
}

impl PoolState<'_> {
    pub(crate) fn write(&self, snapshot: &mut Snapshot) {
        let name = || LabelValue::of(self.name.as_str());
        let size = u64::from(self.size);
        let idle = u64::try_from(self.idle).unwrap_or(u64::MAX).min(size);
        for (state, count) in [("idle", idle), ("used", size - idle)] {
            let labels = [name(), LabelValue::of(state)];
            snapshot.count(Metric::DatabaseConnections, labels, count);
        }
        let max = u64::from(self.max);
        snapshot.count(Metric::DatabaseConnectionsMax, [name()], max);
        let waiting = self.meters.waiting.load(Relaxed);
        snapshot.count(Metric::DatabaseWaiting, [name()], waiting);
        snapshot.times(Metric::DatabaseWait, [name()], &self.meters.waits);
        let statements = &self.meters.statements;
        snapshot.times(Metric::DatabaseStatementDuration, [name()], statements);
    }
}

/// What one pool counts.
#[derive(Debug, Default)]
pub(super) struct PoolMeters {
    waiting: AtomicU64,
    waits: Histogram,
    pub(super) statements: Histogram,
}

impl PoolMeters {
    /// Measures how long a connection is waited for, also when nobody waits to the end.
    pub(super) async fn wait<F: Future>(&self, acquired: F) -> F::Output {
        struct Waiting<'a>(&'a PoolMeters, tokio::time::Instant);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.waiting.fetch_sub(1, Relaxed);
                self.0.waits.observe(self.1.elapsed());
            }
        }
        self.waiting.fetch_add(1, Relaxed);
        let _waiting = Waiting(self, tokio::time::Instant::now());
        acquired.await
    }
}

/// Something that happened to a conversation; counted once it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Started,
    Resumed,
    Joined,
    Ended(EndReason),
    Erased(ErasureCause),
    /// The agent said its first words so long after the visitor joined.
    FirstAnswer(Duration),
}

impl Change {
    /// What it means that `before` became `after`.
    pub(super) fn between(before: &Lifecycle, after: &Lifecycle) -> [Option<Self>; 2] {
        let is_joined = before.activity().is_none() && after.activity().is_some();
        let ended = after.end_reason().filter(|_| before.is_open());
        [is_joined.then_some(Self::Joined), ended.map(Self::Ended)]
    }

    /// A first answer at this time.
    pub(super) fn first_answer(lifecycle: &Lifecycle, at: OffsetDateTime) -> Option<Self> {
        let joined_at = lifecycle.activity()?.joined_at;
        // Of whoever reported it: their clock may be behind.
        let after = Duration::try_from(at - joined_at).unwrap_or_default();
        Some(Self::FirstAnswer(after))
    }
}

/// What storage counts since the process started.
#[derive(Debug, Default)]
pub struct StorageMeters {
    failures: [AtomicU64; Failure::NAMES.len()],
    started: AtomicU64,
    resumed: AtomicU64,
    joined: AtomicU64,
    ended: [AtomicU64; EndReason::ALL.len()],
    erased: [AtomicU64; ErasureCause::ALL.len()],
    first_answers: Histogram,
}

impl StorageMeters {
    pub(super) fn count(&self, change: Change) {
        let counter = match change {
            Change::Started => &self.started,
            Change::Resumed => &self.resumed,
            Change::Joined => &self.joined,
            Change::Ended(reason) => &self.ended[reason as usize],
            Change::Erased(cause) => &self.erased[cause as usize],
            Change::FirstAnswer(after) => return self.first_answers.observe(after),
        };
        counter.fetch_add(1, Relaxed);
    }

    /// Counts a statement's failure, if it failed.
    pub(super) fn note<T>(&self, outcome: &Result<T, sqlx::Error>) {
        if let Err(error) = outcome {
            self.failures[Failure::of(error).place()].fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn write(&self, snapshot: &mut Snapshot) {
        for (name, count) in Failure::NAMES.iter().zip(&self.failures) {
            let labels = [LabelValue::of(name)];
            snapshot.count(Metric::DatabaseErrors, labels, count.load(Relaxed));
        }
        for (metric, count) in [
            (Metric::ConversationsStarted, &self.started),
            (Metric::ConversationsResumed, &self.resumed),
            (Metric::ConversationsJoined, &self.joined),
        ] {
            snapshot.count(metric, [], count.load(Relaxed));
        }
        for (reason, count) in EndReason::ALL.iter().zip(&self.ended) {
            let labels = [reason.status().as_str(), reason.as_str()].map(LabelValue::of);
            snapshot.count(Metric::ConversationsEnded, labels, count.load(Relaxed));
        }
        for (cause, count) in ErasureCause::ALL.iter().zip(&self.erased) {
            let labels = [LabelValue::of(cause.as_str())];
            snapshot.count(Metric::ConversationsErased, labels, count.load(Relaxed));
        }
        snapshot.times(Metric::FirstAnswer, [], &self.first_answers);
    }
}
