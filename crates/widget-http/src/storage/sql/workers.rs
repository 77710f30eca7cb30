//! SQL of the workers that join rooms.

use sqlx::Row as _;
use time::{Duration, OffsetDateTime};
use widget_core::{go_live::WorkerActivity, id::OrganizationId};

use super::Backend;
use crate::storage::{
    driver::{micros, nearest_time_of},
    error::StoreError,
    workers::WorkerStore,
};

/// How often a name is written.
const INTERVAL: Duration = Duration::HOUR;

/// How far back conversations are looked for; a list of all would take long.
const LOOK_BACK: Duration = Duration::DAY;

#[async_trait::async_trait]
impl WorkerStore for Backend {
    async fn note_worker(&self, room: &str, now: OffsetDateTime) -> Result<(), StoreError> {
        // Nearly always nothing is to be written, and a read is cheaper.
        let row = sqlx::query(
            "SELECT c.organization_id, c.livekit_agent_name FROM rooms r
             JOIN conversations c ON c.id = r.conversation_id
             LEFT JOIN agent_workers w ON w.organization_id = c.organization_id
                 AND w.livekit_agent_name = c.livekit_agent_name
             WHERE r.name = $1 AND (w.seen_at IS NULL OR w.seen_at <= $2)",
        )
        .bind(room)
        .bind(micros(now - INTERVAL))
        .fetch_optional(self.reader())
        .await?;
        let Some(row) = row else { return Ok(()) };
        let (organization, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        sqlx::query(
            "INSERT INTO agent_workers (organization_id, livekit_agent_name, seen_at)
             VALUES ($1, $2, $3)
             ON CONFLICT (organization_id, livekit_agent_name)
             DO UPDATE SET seen_at = $3 WHERE agent_workers.seen_at <= $4",
        )
        .bind(organization)
        .bind(name)
        .bind(micros(now))
        .bind(micros(now - INTERVAL))
        .execute(self.writer())
        .await?;
        Ok(())
    }

    async fn find_worker_activity(
        &self,
        organization: &OrganizationId,
        livekit_agent_name: &str,
        now: OffsetDateTime,
    ) -> Result<WorkerActivity, StoreError> {
        let seen = sqlx::query(
            "SELECT seen_at AS at FROM agent_workers
             WHERE organization_id = $1 AND livekit_agent_name = $2",
        )
        .bind(organization.as_str())
        .bind(livekit_agent_name)
        .fetch_optional(self.reader())
        .await?;
        let wanted = sqlx::query(
            "SELECT joined_at AS at FROM conversations
             WHERE organization_id = $1 AND created_at >= $3 AND livekit_agent_name = $2
                 AND joined_at IS NOT NULL
             ORDER BY created_at DESC, id DESC LIMIT 1",
        )
        .bind(organization.as_str())
        .bind(livekit_agent_name)
        .bind(micros(now - LOOK_BACK))
        .fetch_optional(self.reader())
        .await?;
        // What cannot be read says nothing.
        let [seen_at, wanted_at] = [seen, wanted].map(|row| {
            let at: Option<i64> = row.and_then(|row| row.try_get("at").ok());
            at.map(nearest_time_of)
        });
        Ok(WorkerActivity { seen_at, wanted_at })
    }
}
