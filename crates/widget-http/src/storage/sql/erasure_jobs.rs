//! SQL of jobs that erase conversations.

use time::OffsetDateTime;
use uuid::Uuid;
use widget_core::{
    conversation::{Erasure, LifecycleLimits, selection::Selection},
    id::{ConversationId, ErasureJobId, OrganizationId},
};

use super::{
    Backend, Row, Transaction,
    erasures::{erase, is_erased, lock_for_erasure},
    idempotency,
    row::Columns,
};
use crate::storage::{
    driver::micros,
    erasures::{CreateJobError, ErasureJob, ErasureJobStore, NewErasureJob, RunningJob, fits},
    error::StoreError,
    idempotency::RepeatableRequest,
    meters::{Change, ErasureCause},
    table::table,
    unreadable::ListPosition,
};

table! {
    job_columns, read_job from "erasure_jobs" by "id";
    id: id(ErasureJobId::from_uuid),
    dry_run: get(),
    matched: get(),
    erased: get(),
    created_at: time(),
    finished_at: optional_time(),
    => |row| -> ErasureJob {
        Ok(ErasureJob { id, dry_run, matched, erased, created_at, finished_at })
    }
}

table! {
    running_columns, read_running from "erasure_jobs" by "id";
    id: id(ErasureJobId::from_uuid),
    organization_id: parsed(str::parse),
    api_key_id: get(),
    selection: get(),
    dry_run: get(),
    created_at: nearest_time(),
    position_at: get(),
    position_id: get(),
    => |row| -> RunningJob {
        Ok(RunningJob {
            id,
            organization_id,
            api_key_id,
            selection,
            dry_run,
            created_at,
            position: (position_at, position_id),
        })
    }
}

#[async_trait::async_trait]
impl ErasureJobStore for Backend {
    async fn create_erasure_job(
        &self,
        job: &NewErasureJob,
        request: Option<&RepeatableRequest>,
    ) -> Result<ErasureJob, CreateJobError> {
        let mut transaction = self.begin().await?;
        let organization = &job.organization_id;
        if let Some(request) = request {
            let before = idempotency::seen_before(&mut transaction, organization, request).await?;
            if let Some(id) = before {
                let id = id.parse().map_err(|error| {
                    StoreError::corrupt("idempotency_keys", &request.key, "answer", &error)
                })?;
                let found = find(&mut transaction, organization, id).await?;
                let found = found.ok_or_else(|| {
                    StoreError::corrupt("idempotency_keys", &request.key, "answer", &"it is gone")
                })?;
                return Ok(found);
            }
            let answer = job.id.to_string();
            idempotency::keep_answer(&mut transaction, organization, &request.key, &answer).await?;
        }
        let row = sqlx::query(concat!(
            "INSERT INTO erasure_jobs (id, organization_id, api_key_id, selection, dry_run, matched,
                 erased, created_at, position_at, position_id, leased_until)
             VALUES ($1, $2, $3, $4, $5, 0, 0, $6, $7, $8, 0)
             RETURNING ",
            job_columns!()
        ))
        .bind(job.id.as_uuid())
        .bind(organization.as_str())
        .bind(&job.api_key_id)
        .bind(&job.selection)
        .bind(job.dry_run)
        .bind(micros(job.created_at))
        .bind(i64::MIN)
        .bind(Uuid::nil())
        .fetch_one(&mut transaction)
        .await
        .map_err(StoreError::from)?;
        let created = read_job(&row)?;
        transaction.commit().await?;
        Ok(created)
    }

    async fn find_erasure_job(
        &self,
        organization: &OrganizationId,
        id: ErasureJobId,
    ) -> Result<Option<ErasureJob>, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT ",
            job_columns!(),
            " FROM erasure_jobs WHERE organization_id = $1 AND id = $2"
        ))
        .bind(organization.as_str())
        .bind(id.as_uuid())
        .fetch_optional(self.reader())
        .await?;
        self.unreadable()
            .noted(row.as_ref().map(read_job).transpose())
    }

    async fn lease_erasure_job(
        &self,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<Option<RunningJob>, StoreError> {
        // Asked every second, mostly for nothing: that must not cost a write.
        let due = sqlx::query(
            "SELECT id FROM erasure_jobs WHERE finished_at IS NULL AND leased_until <= $1 LIMIT 1",
        )
        .bind(micros(now))
        .fetch_optional(self.reader())
        .await?;
        if due.is_none() {
            return Ok(None);
        }
        // Of two nodes the second waits, and finds that the first has it.
        let row = sqlx::query(concat!(
            "UPDATE erasure_jobs SET leased_until = $2
             WHERE finished_at IS NULL AND leased_until <= $1 AND id = (
                 SELECT id FROM erasure_jobs WHERE finished_at IS NULL AND leased_until <= $1
                 ORDER BY created_at LIMIT 1)
             RETURNING ",
            running_columns!()
        ))
        .bind(micros(now))
        .bind(micros(until))
        .fetch_optional(self.writer())
        .await?;
        let read = row.as_ref().map(read_running).transpose();
        Ok(self.unreadable().skip(read)?.flatten())
    }

    async fn postpone_erasure_job(
        &self,
        job: &RunningJob,
        until: OffsetDateTime,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE erasure_jobs SET leased_until = $2 WHERE id = $1 AND finished_at IS NULL",
        )
        .bind(job.id.as_uuid())
        .bind(micros(until))
        .execute(self.writer())
        .await?;
        Ok(())
    }

    async fn erase_for_job(
        &self,
        job: &RunningJob,
        selection: &Selection,
        id: ConversationId,
        erasure: &Erasure,
        limits: &LifecycleLimits,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let organization = Some(&job.organization_id);
        let Some(row) = lock_for_erasure(&mut transaction, organization, id).await? else {
            return Ok(false);
        };
        if is_erased(&row) {
            return Ok(false);
        }
        let metadata: String = Columns::new(&row, "conversations", "id").get("custom_metadata")?;
        if !fits(selection, &metadata) {
            return Ok(false);
        }
        erase(&mut transaction, self, id, &row, erasure, limits).await?;
        sqlx::query(
            "UPDATE erasure_jobs SET matched = matched + 1, erased = erased + 1 WHERE id = $1",
        )
        .bind(job.id.as_uuid())
        .execute(&mut transaction)
        .await?;
        transaction.note(Change::Erased(ErasureCause::Job));
        transaction.commit().await?;
        self.note_erased();
        Ok(true)
    }

    async fn count_erasure_jobs(&self) -> Result<i64, StoreError> {
        let count =
            sqlx::query_scalar("SELECT COUNT(id) FROM erasure_jobs WHERE finished_at IS NULL")
                .fetch_one(self.reader())
                .await?;
        Ok(count)
    }

    async fn advance_erasure_job(
        &self,
        job: &RunningJob,
        to: Option<ListPosition>,
        counted: i64,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let (position_at, position_id) = to.unwrap_or(job.position);
        sqlx::query(
            "UPDATE erasure_jobs
             SET position_at = $4, position_id = $5, matched = matched + $6, leased_until = 0,
                 finished_at = $7,
                 selection = CASE WHEN CAST($7 AS BIGINT) IS NULL THEN selection ELSE '' END
             WHERE id = $1 AND position_at = $2 AND position_id = $3 AND finished_at IS NULL",
        )
        .bind(job.id.as_uuid())
        .bind(job.position.0)
        .bind(job.position.1)
        .bind(position_at)
        .bind(position_id)
        .bind(counted)
        .bind(to.is_none().then(|| micros(now)))
        .execute(self.writer())
        .await?;
        // What it selected is content, too.
        self.note_erased();
        Ok(())
    }
}

async fn find(
    transaction: &mut Transaction,
    organization: &OrganizationId,
    id: ErasureJobId,
) -> Result<Option<ErasureJob>, StoreError> {
    let row: Option<Row> = sqlx::query(concat!(
        "SELECT ",
        job_columns!(),
        " FROM erasure_jobs WHERE organization_id = $1 AND id = $2"
    ))
    .bind(organization.as_str())
    .bind(id.as_uuid())
    .fetch_optional(&mut *transaction)
    .await?;
    row.as_ref().map(read_job).transpose()
}
