//! The removal of rooms from one LiveKit deployment.

use std::sync::{Mutex, MutexGuard, PoisonError};

use livekit_api::services::{ServerError, ServerErrorCode, ServiceError};
use time::{Duration, OffsetDateTime};
use tokio::sync::Notify;

use super::{client::LiveKit, meters::Call, names::RoomName};

impl LiveKit {
    /// Removes a room and everybody in it; a room that LiveKit does not know counts as removed.
    ///
    /// # Errors
    /// When LiveKit does not answer or reports an error; the caller retries later.
    pub async fn remove_room(&self, name: &str) -> Result<(), ServiceError> {
        let answer = self.rooms.delete_room(name);
        match self.meters.measure(Call::RemoveRoom, answer).await {
            Err(ServiceError::Twirp(ServerError::Twirp(error)))
                if error.code == ServerErrorCode::NOT_FOUND =>
            {
                Ok(())
            }
            answer => answer,
        }
    }
}

impl LiveKit {
    /// Whether LiveKit has a room of this name.
    pub(super) async fn has_room(&self, name: &RoomName) -> Result<bool, ServiceError> {
        let names = vec![name.as_str().to_owned()];
        let answer = self.rooms.list_rooms(names);
        let rooms = self.meters.measure(Call::ListRooms, answer).await?;
        Ok(!rooms.is_empty())
    }
}

/// Wakes the background task that removes rooms, so that it need not wait for its next turn, and
/// slows it down while LiveKit removes none.
#[derive(Debug, Default)]
pub struct RoomCleaner {
    woken: Notify,
    outage: Mutex<Option<Outage>>,
}

/// How it stands while LiveKit removes no room.
#[derive(Debug, Clone, Copy)]
struct Outage {
    failures: u32,
    failed_at: OffsetDateTime,
    reported_at: OffsetDateTime,
}

/// The longest pause between two attempts while LiveKit removes no room.
const MAX_PAUSE: Duration = Duration::MINUTE;

/// The pause between two reports that it removes none.
const REPORT_INTERVAL: Duration = Duration::MINUTE;

impl Outage {
    /// One second, doubled with each failure.
    fn pause(self) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(6);
        (Duration::SECOND * 2_i32.pow(doublings)).min(MAX_PAUSE)
    }

    /// Whether it may be tried again; also when the clock was set back.
    fn is_over(self, now: OffsetDateTime) -> bool {
        !(Duration::ZERO..self.pause()).contains(&(now - self.failed_at))
    }
}

impl RoomCleaner {
    /// Reports that storage has a room to remove.
    pub fn wake(&self) {
        self.woken.notify_one();
    }

    /// Waits until [`RoomCleaner::wake`] is called, or returns at once if it was called before.
    pub async fn woken(&self) {
        self.woken.notified().await;
    }

    /// How many rooms to try at once: `max`, or one after LiveKit removed none, to find out
    /// whether it does again; `None` during the pause until then.
    pub(crate) fn batch(&self, now: OffsetDateTime, max: usize) -> Option<usize> {
        match *self.outage() {
            None => Some(max),
            Some(outage) => outage.is_over(now).then_some(1),
        }
    }

    /// Notes that LiveKit removed a room.
    pub(crate) fn note_success(&self) {
        *self.outage() = None;
    }

    /// Notes that LiveKit removed none of those that were tried; returns whether to report that.
    pub(crate) fn note_failure(&self, now: OffsetDateTime) -> bool {
        let mut outage = self.outage();
        let before = *outage;
        let is_silent = before.is_some_and(|before| {
            (Duration::ZERO..REPORT_INTERVAL).contains(&(now - before.reported_at))
        });
        *outage = Some(Outage {
            failures: before.map_or(0, |before| before.failures).saturating_add(1),
            failed_at: now,
            reported_at: match before {
                Some(before) if is_silent => before.reported_at,
                _ => now,
            },
        });
        !is_silent
    }

    fn outage(&self) -> MutexGuard<'_, Option<Outage>> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn an_outage_is_probed_with_one_room_after_longer_and_longer_pauses() {
        let cleaner = RoomCleaner::default();
        let mut now = datetime!(2026-01-01 12:00 UTC);
        assert_eq!(cleaner.batch(now, 50), Some(50));
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            cleaner.note_failure(now);
            now += Duration::seconds(pause) - Duration::MICROSECOND;
            assert_eq!(cleaner.batch(now, 50), None);
            now += Duration::MICROSECOND;
            assert_eq!(cleaner.batch(now, 50), Some(1));
            assert_eq!(cleaner.batch(now - Duration::HOUR, 50), Some(1));
        }
        cleaner.note_success();
        assert_eq!(cleaner.batch(now, 50), Some(50));
    }

    #[test]
    fn an_outage_is_reported_once_a_minute() {
        let cleaner = RoomCleaner::default();
        let start = datetime!(2026-01-01 12:00 UTC);
        let reported: Vec<i64> = (0..150)
            .filter(|second| cleaner.note_failure(start + Duration::seconds(*second)))
            .collect();
        assert_eq!(reported, [0, 60, 120]);
    }
}
