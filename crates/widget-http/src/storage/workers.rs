//! Workers that join rooms, by the names under which they register with LiveKit.

use time::OffsetDateTime;
use widget_core::{go_live::WorkerActivity, id::OrganizationId};

use super::error::StoreError;

/// Which workers join rooms.
#[async_trait::async_trait]
pub trait WorkerStore {
    /// Notes that the worker of a room has joined it; at most once an hour for each name. Nothing
    /// is noted for a room of another service.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn note_worker(&self, room: &str, now: OffsetDateTime) -> Result<(), StoreError>;

    /// What is known of the workers of an organization with a name.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_worker_activity(
        &self,
        organization: &OrganizationId,
        livekit_agent_name: &str,
        now: OffsetDateTime,
    ) -> Result<WorkerActivity, StoreError>;
}
