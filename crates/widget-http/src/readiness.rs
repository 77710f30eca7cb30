//! Whether this node can serve visitors: what `/readyz` reports, and what load balancers act on.

use std::sync::atomic::{AtomicBool, Ordering};

use widget_api::health::{
    DatabasePart, DiskPart, LiveKitPart, MigrationsPart, Readiness, ReadinessParts,
};

use crate::{
    livekit::LiveKit,
    storage::{Storage, StoreError},
};

/// Whether the process is about to stop.
#[derive(Debug, Default)]
pub struct Drain(AtomicBool);

impl Drain {
    /// Reports from now on that the process is about to stop.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is about to stop.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
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
