//! Requests that have to change the same rows stand in line in memory, one after the other.
//!
//! In the database each of them would wait with a connection of its own, until none is left for
//! anybody else.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OwnedMutexGuard;

use super::rate_limits::too_many_at_once;
use crate::{storage::deadline::wait_in_time, web::problem::Problem};

/// Those who stand in one line, the first included; each takes some milliseconds.
const MAX_IN_LINE: u32 = 16;

/// A line for each key.
#[derive(Debug)]
pub struct InLine<K: Hash + Eq + Clone> {
    name: &'static str,
    lines: Mutex<HashMap<K, Line>>,
}

#[derive(Debug, Default)]
struct Line {
    turn: Arc<tokio::sync::Mutex<()>>,
    count: u32,
}

/// A place in a line, and its turn; others move up when it is dropped.
#[derive(Debug)]
pub struct Turn<'a, K: Hash + Eq + Clone> {
    _turn: OwnedMutexGuard<()>,
    _place: Place<'a, K>,
}

#[derive(Debug)]
struct Place<'a, K: Hash + Eq + Clone> {
    lines: &'a InLine<K>,
    key: K,
}

impl<K: Hash + Eq + Clone> InLine<K> {
    /// `name` is that of the limit, in headers and metrics.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            lines: Mutex::default(),
        }
    }

    /// Waits for the others that came before.
    ///
    /// # Errors
    /// 429 `rate_limited` when the line is full, or does not move on in time.
    pub async fn wait(&self, key: &K) -> Result<Turn<'_, K>, Problem> {
        let turn = {
            let mut lines = self.lines();
            let line = lines.entry(key.clone()).or_default();
            if line.count >= MAX_IN_LINE {
                return Err(too_many_at_once(self.name, MAX_IN_LINE));
            }
            line.count += 1;
            Arc::clone(&line.turn)
        };
        // Leaves the line however this ends.
        let place = Place {
            lines: self,
            key: key.clone(),
        };
        Ok(Turn {
            _turn: wait_in_time(turn.lock_owned())
                .await
                .map_err(|error| too_many_at_once(self.name, MAX_IN_LINE).with_cause(error))?,
            _place: place,
        })
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<K, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq + Clone> Drop for Place<'_, K> {
    fn drop(&mut self) {
        let mut lines = self.lines.lines();
        if let Some(line) = lines.get_mut(&self.key) {
            line.count -= 1;
            if line.count == 0 {
                lines.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn a_line_has_an_end_and_is_forgotten() {
        let lines = InLine::new("line");
        let first = lines.wait(&1).await.expect("nobody is there");
        let waits = (0..MAX_IN_LINE).map(|_| lines.wait(&1));
        let waiting = async {
            let answers = join_all(waits.map(async |turn| turn.await.map(drop))).await;
            answers.iter().filter(|answer| answer.is_err()).count()
        };
        let release = async {
            tokio::task::yield_now().await;
            assert!(lines.wait(&2).await.is_ok(), "another line");
            drop(first);
        };
        let (refused, ()) = tokio::join!(waiting, release);
        assert_eq!(refused, 1, "the one that found no place");
        assert!(lines.lines().is_empty());
    }
}
