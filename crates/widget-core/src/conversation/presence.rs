//! Where the visitor is, asked before a limit ends a conversation: the event of their joining or
//! leaving may have been lost.

use time::OffsetDateTime;

use super::{lifecycle::Lifecycle, limits::LifecycleLimits, names::EndReason};

/// Whether the visitor is in the newest room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// They are.
    Present,
    /// They are not.
    Absent,
    /// Nobody answers.
    Unknown,
    /// Nobody can be asked, so that they are where the events say.
    AsReported,
}

impl Lifecycle {
    /// Whether a limit is about to end it that another place of the visitor would have avoided, so
    /// that [`Self::settle`] needs to know where they are.
    #[must_use]
    pub fn depends_on_presence(&self, now: OffsetDateTime, limits: &LifecycleLimits) -> bool {
        self.ends_at(limits)
            .is_some_and(|(at, reason)| at <= now && reason != EndReason::MaxLength)
    }

    /// Ends it if a limit was reached by now and the visitor is where the events say, else corrects
    /// what the events say.
    ///
    /// A visitor who is there although nobody saw them join has joined; one who is gone although
    /// nobody saw them leave is away from now on. While nobody answers, it waits for five minutes
    /// beyond the limit. The maximum length counts wherever the visitor is.
    #[must_use]
    pub fn settle(self, presence: Presence, now: OffsetDateTime, limits: &LifecycleLimits) -> Self {
        let Some((_, reason)) = self.ends_at(limits).filter(|(at, _)| *at <= now) else {
            return self;
        };
        match (reason, presence) {
            (EndReason::NeverJoined | EndReason::Idle, Presence::Present) => {
                self.joined(now).end_by_limits(now, limits)
            }
            (EndReason::Silence, Presence::Absent) => self.left(now).end_by_limits(now, limits),
            (_, Presence::Unknown) if self.may_continue(now, limits) => self,
            _ => self.end_by_limits(now, limits),
        }
    }
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use super::{super::lifecycle::ANSWER_WITHIN, Presence::*, *};
    use crate::conversation::{Role, Status};

    const START: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);

    fn minute(minutes: i64) -> OffsetDateTime {
        START + Duration::minutes(minutes)
    }

    #[test]
    fn the_place_of_the_visitor_decides_between_the_end_and_a_correction() {
        let limits = LifecycleLimits::default();
        let waiting = Lifecycle::created(START);
        let joined = waiting.joined(minute(1));
        let away = joined.left(minute(2));
        for (lifecycle, now, [present, absent, unknown, late]) in [
            // Nothing is due.
            (waiting, minute(2), [None; 4]),
            // Nobody was seen to join within three minutes.
            (
                waiting,
                minute(3),
                [
                    None,
                    Some(EndReason::NeverJoined),
                    None,
                    Some(EndReason::NeverJoined),
                ],
            ),
            // Nobody said anything for ten minutes.
            (
                joined,
                minute(11),
                [
                    Some(EndReason::Silence),
                    None,
                    None,
                    Some(EndReason::Silence),
                ],
            ),
            // Away for half an hour.
            (
                away,
                minute(32),
                [None, Some(EndReason::Idle), None, Some(EndReason::Idle)],
            ),
        ] {
            let reason = |presence, now| {
                let settled = lifecycle.settle(presence, now, &limits);
                settled.end_reason()
            };
            assert_eq!(reason(Present, now), present);
            assert_eq!(reason(Absent, now), absent);
            assert_eq!(reason(Unknown, now), unknown);
            let later = now + ANSWER_WITHIN;
            if unknown != late {
                assert_eq!(reason(Unknown, later - Duration::SECOND), None);
                assert_eq!(reason(Unknown, later), late);
            }
            let is_due = lifecycle.ends_at(&limits).is_some_and(|(at, _)| at <= now);
            assert_eq!(lifecycle.depends_on_presence(now, &limits), is_due);
        }
    }

    #[test]
    fn what_the_lost_events_would_have_said_is_caught_up() {
        let limits = LifecycleLimits::default();
        let found = Lifecycle::created(START).settle(Present, minute(10), &limits);
        assert_eq!(found.status(), Status::InProgress);
        assert_eq!(found.away_since(), None);
        assert_eq!(
            found.activity().map(|seen| seen.joined_at),
            Some(minute(10))
        );

        let gone = found.settle(Absent, minute(20), &limits);
        assert_eq!(gone.away_since(), Some(minute(20)));
        let ended = gone.settle(Absent, minute(50), &limits);
        assert_eq!(ended.end_reason(), Some(EndReason::Idle));
        assert_eq!(ended.ended_at(), Some(minute(50)));

        let back = gone.settle(Present, minute(50), &limits);
        assert_eq!(back.away_since(), None);
    }

    #[test]
    fn the_maximum_length_counts_wherever_the_visitor_is() {
        let limits = LifecycleLimits::default();
        let long = (1..60).fold(Lifecycle::created(START).joined(START), |talk, number| {
            talk.said(Role::Visitor, minute(number), minute(number))
        });
        assert!(!long.depends_on_presence(minute(60), &limits));
        for presence in [Present, Absent, Unknown] {
            let ended = long.settle(presence, minute(60), &limits);
            assert_eq!(ended.end_reason(), Some(EndReason::MaxLength));
            assert_eq!(ended.ended_at(), Some(minute(60)));
        }
        // Also when the sweep comes so late that both limits have passed.
        let away = Lifecycle::created(START).joined(START).left(minute(29));
        let ended = away.settle(Present, minute(60), &limits);
        assert_eq!(ended.end_reason(), Some(EndReason::MaxLength));
    }
}
