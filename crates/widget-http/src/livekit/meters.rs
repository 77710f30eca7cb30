//! How LiveKit answers the calls of this service.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Instant,
};

use http::StatusCode;
use livekit_api::services::{ServiceError, TwirpError};
use widget_core::choices;

use crate::{
    metrics::{Histogram, LabelValue, Metric, Snapshot},
    telemetry::{self, trace::Callee},
};

choices! {
    /// What LiveKit is asked.
    pub enum Call {
        /// To remove a room.
        RemoveRoom = "remove_room",
        /// Which rooms there are.
        ListRooms = "list_rooms",
        /// Who is in a room.
        ListParticipants = "list_participants",
        /// Whether a visitor could join.
        ValidateToken = "validate_token",
    }
}

choices! {
    /// How it answers.
    pub enum CallOutcome {
        /// As asked.
        Ok = "ok",
        /// It does not know the room.
        NotFound = "not_found",
        /// It refuses, or reports an error of its own.
        Rejected = "rejected",
        /// It does not answer.
        Unavailable = "unavailable",
    }
}

/// An answer of LiveKit.
pub(super) trait Answer {
    fn outcome(&self) -> CallOutcome;
}

impl<T> Answer for Result<T, ServiceError> {
    fn outcome(&self) -> CallOutcome {
        use livekit_api::services::{ServerError, ServerErrorCode};
        match self {
            Ok(_) => CallOutcome::Ok,
            Err(ServiceError::Twirp(ServerError::Twirp(error))) => {
                if error.code == ServerErrorCode::NOT_FOUND {
                    CallOutcome::NotFound
                } else {
                    CallOutcome::Rejected
                }
            }
            Err(ServiceError::Twirp(TwirpError::Request(_))) => CallOutcome::Unavailable,
            Err(_) => CallOutcome::Rejected,
        }
    }
}

impl Answer for Result<StatusCode, String> {
    fn outcome(&self) -> CallOutcome {
        match self {
            Ok(status) if status.is_success() => CallOutcome::Ok,
            Ok(StatusCode::NOT_FOUND) => CallOutcome::NotFound,
            Ok(_) => CallOutcome::Rejected,
            Err(_) => CallOutcome::Unavailable,
        }
    }
}

/// Calls by what was asked and how LiveKit answered.
#[derive(Debug, Default)]
pub(crate) struct LiveKitMeters {
    outcomes: [[AtomicU64; CallOutcome::ALL.len()]; Call::ALL.len()],
    durations: [Histogram; Call::ALL.len()],
}

impl LiveKitMeters {
    /// Makes a call and counts how it was answered.
    pub(super) async fn measure<A: Answer>(
        &self,
        call: Call,
        answer: impl Future<Output = A>,
    ) -> A {
        let started = Instant::now();
        let answer = answer.await;
        let outcome = answer.outcome();
        let is_ok = matches!(outcome, CallOutcome::Ok | CallOutcome::NotFound);
        telemetry::note_call(Callee::LiveKit(call.as_str()), started, is_ok);
        self.durations[call as usize].observe(started.elapsed());
        self.outcomes[call as usize][outcome as usize].fetch_add(1, Relaxed);
        answer
    }

    pub(crate) fn write(&self, snapshot: &mut Snapshot) {
        for ((call, outcomes), duration) in
            Call::ALL.iter().zip(&self.outcomes).zip(&self.durations)
        {
            let call = || LabelValue::of(call.as_str());
            for (outcome, count) in CallOutcome::ALL.iter().zip(outcomes) {
                let labels = [call(), LabelValue::of(outcome.as_str())];
                snapshot.count(Metric::LiveKitCalls, labels, count.load(Relaxed));
            }
            snapshot.times(Metric::LiveKitCallDuration, [call()], duration);
        }
    }
}
