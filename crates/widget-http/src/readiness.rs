//! Whether this node can serve visitors: what `/readyz` reports, and what load balancers act on.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;
use widget_api::health::{
    DatabasePart, DiskPart, LiveKitPart, MigrationsPart, Readiness, ReadinessParts,
};

use crate::{
    livekit::LiveKit,
    storage::{Storage, StoreError},
};

/// Whether the process is about to stop.
#[derive(Debug, Default)]
pub struct Drain {
    begun: AtomicBool,
    changed: Notify,
}

impl Drain {
    /// Reports from now on that the process is about to stop.
    pub fn begin(&self) {
        self.begun.store(true, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    /// Whether it is about to stop.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// Resolves when the process is about to stop.
    pub async fn begun(&self) {
        loop {
            let changed = self.changed.notified();
            if self.begun.load(Ordering::SeqCst) {
                break;
            }
            changed.await;
        }
    }
}

/// Asks the database, and takes of LiveKit what its last check found.
pub(crate) async fn report(
    drain: &Drain,
    storage: &dyn Storage,
    livekit: Option<&LiveKit>,
) -> Readiness {
    let (database, disk) = match storage.ping().await {
        Ok(()) => (DatabasePart::Ok, DiskPart::Ok),
        Err(StoreError::ReadOnly(_)) => (DatabasePart::ReadOnly, DiskPart::Unknown),
        Err(StoreError::Full(_)) => (DatabasePart::Ok, DiskPart::Full),
        Err(_) => (DatabasePart::Unavailable, DiskPart::Unknown),
    };
    let migrations = match storage.pending_migrations().await {
        Ok(pending) if pending.is_empty() => MigrationsPart::Ok,
        Ok(_) => MigrationsPart::Pending,
        Err(_) => MigrationsPart::Unknown,
    };
    let livekit = livekit.map_or(LiveKitPart::NotConfigured, LiveKit::condition);
    let parts = ReadinessParts {
        database,
        migrations,
        livekit,
        disk,
    };
    Readiness::new(parts, drain.has_begun())
}
