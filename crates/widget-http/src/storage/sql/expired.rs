//! SQL that deletes what has expired.

use time::OffsetDateTime;

use super::Backend;
use crate::storage::{driver::micros, error::StoreError};

pub(in crate::storage) async fn forget(
    backend: &Backend,
    now: OffsetDateTime,
    events_before: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM used_tickets WHERE expires_at < $1")
        .bind(micros(now))
        .execute(backend.writer())
        .await?;
    sqlx::query("DELETE FROM webhook_events WHERE received_at < $1")
        .bind(micros(events_before))
        .execute(backend.writer())
        .await?;
    Ok(())
}
