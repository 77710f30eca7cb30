//! Who is connected: how many in all, for each prefix and for each network, and who has waited
//! longest without a request.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::limits::ConnectionLimits;
use crate::web::caller::AddressPrefix;

/// Least time between two log lines about connections that were closed or refused.
const REPORT_INTERVAL: Duration = Duration::from_mins(1);

/// How many times as many connections an IPv6 /48 may have as one prefix.
const PREFIXES_OF_NETWORK: usize = 4;

/// Numbers for operators.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Connections that are open.
    pub open: usize,
    /// Idle connections that were closed to make room for another.
    pub evicted: u64,
    /// Connections that were refused because all others were in a request.
    pub refused: u64,
    /// Connections that were closed because the client took too long.
    pub timed_out: u64,
}

/// Every connection of one listener.
#[derive(Debug)]
pub(super) struct Registry {
    total: usize,
    per_prefix: usize,
    /// One permit for each connection until its socket is closed, which is later than its entry is
    /// removed: the number of files is bounded, too.
    sockets: Arc<Semaphore>,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    next: u64,
    connections: HashMap<u64, Entry>,
    /// Connections without a request, by when they began to wait.
    waiting: BTreeMap<u64, u64>,
    groups: HashMap<Group, Members>,
    counts: Counts,
    reported: Option<(Instant, Counts)>,
}

#[derive(Debug)]
struct Entry {
    prefix: Option<AddressPrefix>,
    /// Key in `waiting`; none during a request.
    waits_since: Option<u64>,
    evicted: Arc<Notify>,
}

/// Connections that are limited together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Group {
    /// Those of one prefix.
    Prefix(AddressPrefix),
    /// Those of one IPv6 /48: one caller often has many prefixes.
    Network(AddressPrefix),
}

impl Group {
    /// The groups of a connection from this prefix; without one it counts only in the total.
    fn all_of(prefix: Option<AddressPrefix>) -> impl Iterator<Item = Self> {
        let network = prefix.and_then(AddressPrefix::network);
        prefix
            .map(Self::Prefix)
            .into_iter()
            .chain(network.map(Self::Network))
    }

    fn max(self, per_prefix: usize) -> usize {
        match self {
            Self::Prefix(_) => per_prefix,
            Self::Network(_) => per_prefix.saturating_mul(PREFIXES_OF_NETWORK),
        }
    }
}

#[derive(Debug, Default)]
struct Members {
    count: usize,
    /// Keys in `waiting`.
    waiting: BTreeSet<u64>,
}

impl Registry {
    pub(super) fn new(limits: &ConnectionLimits) -> Self {
        let total = limits.total.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            total,
            per_prefix: limits.per_prefix.max(1),
            sockets: Arc::new(Semaphore::new(total)),
            entries: Mutex::default(),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.lock().counts()
    }

    /// A slot for another connection; where there is none, the one that has waited longest gives
    /// its own, and nobody does while all others are in a request.
    pub(super) async fn admit(self: &Arc<Self>, prefix: Option<AddressPrefix>) -> Option<Slot> {
        let (id, evicted) = self.enter(prefix)?;
        let socket = Arc::clone(&self.sockets).acquire_owned().await;
        let slot = Slot {
            registry: Arc::clone(self),
            id,
            evicted,
            socket: socket.ok(),
        };
        Some(slot)
    }

    fn enter(&self, prefix: Option<AddressPrefix>) -> Option<(u64, Arc<Notify>)> {
        let mut entries = self.lock();
        let entered = entries.enter(prefix, self.total, self.per_prefix);
        if entered.is_none() {
            entries.counts.refused += 1;
        }
        entries.report(Instant::now());
        entered
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn counts(&self) -> Counts {
        Counts {
            open: self.connections.len(),
            ..self.counts
        }
    }

    fn enter(
        &mut self,
        prefix: Option<AddressPrefix>,
        total: usize,
        per_prefix: usize,
    ) -> Option<(u64, Arc<Notify>)> {
        for group in Group::all_of(prefix) {
            let same = self.groups.get(&group);
            if let Some(same) = same.filter(|same| same.count >= group.max(per_prefix)) {
                let longest = *same.waiting.first()?;
                self.evict(longest);
            }
        }
        if self.connections.len() >= total {
            let longest = *self.waiting.first_key_value()?.0;
            self.evict(longest);
        }
        let id = self.next;
        self.next += 1;
        let evicted = Arc::new(Notify::new());
        let entry = Entry {
            prefix,
            waits_since: None,
            evicted: Arc::clone(&evicted),
        };
        self.connections.insert(id, entry);
        for group in Group::all_of(prefix) {
            self.groups.entry(group).or_default().count += 1;
        }
        self.wait(id);
        Some((id, evicted))
    }

    /// Closes the connection that waits since `since`.
    fn evict(&mut self, since: u64) {
        let Some(id) = self.waiting.get(&since).copied() else {
            return;
        };
        if let Some(entry) = self.remove(id) {
            entry.evicted.notify_one();
            self.counts.evicted += 1;
        }
    }

    fn wait(&mut self, id: u64) {
        let Some(entry) = self.connections.get_mut(&id) else {
            return;
        };
        let since = self.next;
        self.next += 1;
        entry.waits_since = Some(since);
        self.waiting.insert(since, id);
        for group in Group::all_of(entry.prefix) {
            if let Some(same) = self.groups.get_mut(&group) {
                same.waiting.insert(since);
            }
        }
    }

    /// Whether the connection is still there; if it is, nothing closes it until it waits again.
    fn stop_waiting(&mut self, id: u64) -> bool {
        let Some(entry) = self.connections.get_mut(&id) else {
            return false;
        };
        if let Some(since) = entry.waits_since.take() {
            self.waiting.remove(&since);
            for group in Group::all_of(entry.prefix) {
                if let Some(same) = self.groups.get_mut(&group) {
                    same.waiting.remove(&since);
                }
            }
        }
        true
    }

    fn remove(&mut self, id: u64) -> Option<Entry> {
        self.stop_waiting(id);
        let entry = self.connections.remove(&id)?;
        for group in Group::all_of(entry.prefix) {
            if let Some(same) = self.groups.get_mut(&group) {
                same.count -= 1;
                if same.count == 0 {
                    self.groups.remove(&group);
                }
            }
        }
        Some(entry)
    }

    /// Logs that connections were closed or refused, but not for each of them.
    fn report(&mut self, now: Instant) {
        let counts = self.counts;
        let before = match self.reported {
            Some((at, _)) if now < at + REPORT_INTERVAL => return,
            Some((_, before)) => before,
            None => Counts::default(),
        };
        if (counts.evicted, counts.refused) == (before.evicted, before.refused) {
            return;
        }
        self.reported = Some((now, counts));
        tracing::warn!(
            connections.open = self.connections.len(),
            connections.evicted = counts.evicted - before.evicted,
            connections.refused = counts.refused - before.refused,
            "there are as many connections as allowed, in all or for one address: idle ones were \
             closed, and new ones refused where none was idle"
        );
    }
}

/// The right to one connection, given back when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    registry: Arc<Registry>,
    id: u64,
    evicted: Arc<Notify>,
    /// Dropped last: by then the connection is closed.
    #[expect(dead_code, reason = "held until the connection is closed")]
    socket: Option<OwnedSemaphorePermit>,
}

impl Slot {
    /// Resolves when another connection needs this one's place.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }

    /// Whether a request may begin: not when the connection's place was just given away.
    pub(super) fn begin_request(&self) -> bool {
        self.registry.lock().stop_waiting(self.id)
    }

    /// The request has ended; the connection waits for another.
    pub(super) fn end_request(&self) {
        self.registry.lock().wait(self.id);
    }

    pub(super) fn count_timeout(&self) {
        self.registry.lock().counts.timed_out += 1;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.registry.lock().remove(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_as_many_as_four_of_its_prefixes() {
        let prefix = |text: &str| Some(AddressPrefix::of(text.parse().expect("an address")));
        let mut entries = Entries::default();
        let mut enter = |text: &str| {
            let entered = entries.enter(prefix(text), 1_000, 2);
            let (id, _) = entered?;
            entries.stop_waiting(id);
            Some(id)
        };
        let mut first = None;
        for number in 0..4 {
            let address = format!("2001:db8:1:{number}::1");
            first = first.or(enter(&address));
            assert!(enter(&address).is_some());
            assert_eq!(enter(&address), None, "{address} has two");
        }
        assert_eq!(enter("2001:db8:1:4::1"), None, "the network has eight");
        assert!(enter("2001:db8:2::1").is_some());
        assert!(enter("192.0.2.1").is_some());
        let id = first.expect("it is there");
        assert!(entries.remove(id).is_some());
        let again = entries.enter(prefix("2001:db8:1:4::1"), 1_000, 2);
        assert!(again.is_some(), "one of them has left");
    }
}
