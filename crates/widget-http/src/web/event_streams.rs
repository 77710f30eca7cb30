//! How many event streams there are at once: each asks the database for as long as it lasts.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use http::{HeaderValue, header};
use widget_api::ProblemCode;
use widget_core::id::OrganizationId;

use super::{auth::Caller, problem::Problem};
use crate::metrics::{Metric, Snapshot};

/// Streams of one API key: a person looks at a few conversations at once.
const MAX_OF_KEY: usize = 20;

/// Streams of one organization on this node.
const MAX_OF_ORGANIZATION: usize = 50;

/// Streams of this node: together they ask the database a few hundred times a second.
const MAX_OF_NODE: usize = 200;

/// The streams that are open on this node.
#[derive(Debug, Clone, Default)]
pub struct EventStreams(Arc<Streams>);

#[derive(Debug, Default)]
struct Streams {
    open: Mutex<Open>,
    /// Events that were sent on all of them since the process started.
    sent: AtomicU64,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    of_organizations: HashMap<OrganizationId, usize>,
    of_keys: HashMap<String, usize>,
}

/// A stream may last as long as this lives.
#[derive(Debug)]
pub struct EventStream {
    streams: EventStreams,
    organization: OrganizationId,
    key: String,
}

impl EventStreams {
    /// A place for one more stream.
    ///
    /// # Errors
    /// 429 `event_streams_full` for the key and its organization, 503 `event_streams_exhausted` for
    /// this node.
    pub fn open(&self, caller: &Caller) -> Result<EventStream, Problem> {
        let mut open = self.lock();
        let of_key = open
            .of_keys
            .get(&caller.key_id)
            .copied()
            .unwrap_or_default();
        let of_organization = open.of_organizations.get(&caller.organization_id);
        let of_organization = of_organization.copied().unwrap_or_default();
        let (owner, max) = if of_key >= MAX_OF_KEY {
            ("this key", MAX_OF_KEY)
        } else if of_organization >= MAX_OF_ORGANIZATION {
            ("this organization", MAX_OF_ORGANIZATION)
        } else if open.all >= MAX_OF_NODE {
            let detail = format!(
                "this node has {MAX_OF_NODE} event streams, the maximum; try again in a moment"
            );
            let problem = Problem::new(ProblemCode::EventStreamsExhausted, detail);
            return Err(retry_later(problem));
        } else {
            open.all += 1;
            *open.of_keys.entry(caller.key_id.clone()).or_default() += 1;
            let organization = caller.organization_id.clone();
            *open.of_organizations.entry(organization).or_default() += 1;
            return Ok(EventStream {
                streams: self.clone(),
                organization: caller.organization_id.clone(),
                key: caller.key_id.clone(),
            });
        };
        let detail = format!("{owner} has {max} event streams, the maximum; close one first");
        let problem = Problem::new(ProblemCode::EventStreamsFull, detail);
        Err(retry_later(problem))
    }

    /// Writes how many there are, and how many events they have sent.
    pub(crate) fn write_metrics(&self, snapshot: &mut Snapshot) {
        let open = self.lock().all.try_into().unwrap_or(u64::MAX);
        snapshot.count(Metric::EventStreamsOpen, [], open);
        snapshot.count(Metric::EventsSent, [], self.0.sent.load(Relaxed));
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        let open = self.0.open.lock();
        open.unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventStream {
    /// Notes that an event was sent.
    pub fn note_sent(&self) {
        self.streams.0.sent.fetch_add(1, Relaxed);
    }
}

fn retry_later(problem: Problem) -> Problem {
    problem.with_header(header::RETRY_AFTER, HeaderValue::from_static("5"))
}

impl Drop for EventStream {
    fn drop(&mut self) {
        let mut open = self.streams.lock();
        open.all = open.all.saturating_sub(1);
        let Open {
            of_organizations,
            of_keys,
            ..
        } = &mut *open;
        leave(of_organizations, &self.organization);
        leave(of_keys, &self.key);
    }
}

/// One less; who has none is forgotten.
fn leave<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use widget_api::{Scope, Scopes};

    use super::*;

    fn caller(key: &str, organization: &str) -> Caller {
        Caller {
            key_id: key.to_owned(),
            key_name: String::new(),
            organization_id: organization.parse().expect("an organization"),
            expires_at: None,
            last_used_on: None,
            scopes: [Scope::ConversationsRead].into_iter().collect::<Scopes>(),
        }
    }

    #[test]
    fn streams_are_bounded_for_key_organization_and_node() {
        let streams = EventStreams::default();
        let code = |caller: &Caller| streams.open(caller).map_err(|problem| problem.code());
        let mut open = Vec::new();
        for organization in ["a", "b", "c", "d"] {
            for number in 0..MAX_OF_ORGANIZATION {
                let key = format!("{organization}{}", number / MAX_OF_KEY);
                let caller = caller(&key, organization);
                open.push(code(&caller).expect("it has space"));
                if number == MAX_OF_KEY - 1 {
                    let full = code(&caller).expect_err("the key has no more");
                    assert_eq!(full, ProblemCode::EventStreamsFull);
                }
            }
            let full = code(&caller("other", organization)).expect_err("the organization is full");
            assert_eq!(full, ProblemCode::EventStreamsFull);
        }
        let full = code(&caller("e", "e")).expect_err("the node is full");
        assert_eq!(full, ProblemCode::EventStreamsExhausted);
        open.pop();
        drop(code(&caller("e", "e")).expect("one was closed"));
        open.clear();
        let left = streams.lock();
        assert_eq!(
            (left.all, left.of_keys.len(), left.of_organizations.len()),
            (0, 0, 0)
        );
    }
}
