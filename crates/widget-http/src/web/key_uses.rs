//! The days on which API keys are used: noted in memory by requests, and written without them.
//!
//! A key is written at most once a day: a request reads the day with the key, and what this node
//! has tried to write today it does not try again.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use time::{Date, OffsetDateTime, UtcOffset};

use crate::{
    storage::{Storage, StoreError},
    web::auth::Caller,
};

/// How many keys are remembered; the uses of further ones are noted by later requests.
const MAX_KEYS: usize = 10_000;

/// The keys whose last use is not written yet, or was written while their requests began.
#[derive(Debug, Default)]
pub struct KeyUses(Mutex<HashMap<String, Use>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Use {
    day: Date,
    is_written: bool,
}

impl KeyUses {
    /// Notes a request of this caller, unless its day is known.
    pub fn note(&self, caller: &Caller, now: OffsetDateTime) {
        let day = now.to_offset(UtcOffset::UTC).date();
        if caller.last_used_on >= Some(day) {
            return;
        }
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = uses.get(&caller.key_id).map(|noted| noted.day);
        let has_room = known.is_some() || uses.len() < MAX_KEYS;
        if known < Some(day) && has_room {
            let is_written = false;
            uses.insert(caller.key_id.clone(), Use { day, is_written });
        }
    }

    /// Writes what is noted, and forgets the days before; returns how many keys were written.
    ///
    /// # Errors
    /// [`StoreError`]; the rest is written the next time.
    pub async fn write(
        &self,
        storage: &dyn Storage,
        now: OffsetDateTime,
    ) -> Result<usize, StoreError> {
        let today = now.to_offset(UtcOffset::UTC).date();
        let due: Vec<(String, Date)> = {
            let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            uses.retain(|_, noted| !noted.is_written || noted.day >= today);
            let due = uses.iter().filter(|(_, noted)| !noted.is_written);
            due.map(|(id, noted)| (id.clone(), noted.day)).collect()
        };
        let mut written = 0;
        for (id, day) in due {
            // Another node may have been first.
            written += usize::from(storage.note_key_use(&id, day).await?);
            let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(noted) = uses.get_mut(&id).filter(|noted| noted.day == day) {
                noted.is_written = true;
            }
        }
        Ok(written)
    }
}
