//! Erasing conversations, one by one and in jobs that continue after a restart and on any node.

use time::OffsetDateTime;
use widget_core::{
    conversation::{Erasure, LifecycleLimits, selection::Selection},
    id::{ConversationId, ErasureJobId, OrganizationId},
};

use super::{
    error::StoreError,
    idempotency::{RepeatError, RepeatableRequest},
    sweep::{SweepBatch, SweepPosition},
    unreadable::ListPosition,
};

/// Erasing conversations.
#[async_trait::async_trait]
pub trait ErasureStore {
    /// Erases everything that the visitor, the page and the agent said in a conversation; one that
    /// is open ends by it, and its rooms are marked for removal. All or nothing, and one that was
    /// erased before stays as it is. `false` when there is no such conversation, of the
    /// organization if one is named. One that cannot be read is erased, too.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn erase_conversation(
        &self,
        organization: Option<&OrganizationId>,
        id: ConversationId,
        erasure: &Erasure,
        limits: &LifecycleLimits,
    ) -> Result<bool, StoreError>;

    /// Removes what was erased from the files of the database, where a file of it is this
    /// service's; `false` when somebody else is in the way for the moment.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn empty_log(&self) -> Result<bool, StoreError>;

    /// Conversations of the organization that were not erased and fit what a selection says about
    /// the widget and the time, the oldest first, from a position on.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list_erasable(
        &self,
        organization: &OrganizationId,
        selection: &Selection,
        position: &SweepPosition<ListPosition>,
        limit: u32,
    ) -> Result<SweepBatch<Erasable, ListPosition>, StoreError>;
}

/// A conversation that may be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasable {
    /// Its place in the order of time.
    pub position: ListPosition,
    /// JSON object, exactly as stored; it may be damaged.
    pub custom_metadata: String,
}

impl Erasable {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> ConversationId {
        ConversationId::from_uuid(self.position.1)
    }

    /// Whether it fits a selection. What cannot be read has no values.
    #[must_use]
    pub fn fits(&self, selection: &Selection) -> bool {
        fits(selection, &self.custom_metadata)
    }
}

/// Whether stored metadata fits a selection. What cannot be read has no values.
pub(super) fn fits(selection: &Selection, custom_metadata: &str) -> bool {
    selection.matches(&serde_json::from_str(custom_metadata).unwrap_or_default())
}

/// A job to be begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewErasureJob {
    /// Its id.
    pub id: ErasureJobId,
    /// Whose conversations it erases.
    pub organization_id: OrganizationId,
    /// Public part of the API key that asked for it.
    pub api_key_id: String,
    /// Which ones, as the caller said it; forgotten when the job is done.
    pub selection: String,
    /// It counts and erases nothing.
    pub dry_run: bool,
    /// The present time.
    pub created_at: OffsetDateTime,
}

/// A job as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureJob {
    /// Its id.
    pub id: ErasureJobId,
    /// It counts and erases nothing.
    pub dry_run: bool,
    /// How many conversations were found so far.
    pub matched: i64,
    /// How many of them were erased.
    pub erased: i64,
    /// When it was asked for.
    pub created_at: OffsetDateTime,
    /// When it was done.
    pub finished_at: Option<OffsetDateTime>,
}

/// A job that this node continues with for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningJob {
    /// Its id.
    pub id: ErasureJobId,
    /// Whose conversations it erases.
    pub organization_id: OrganizationId,
    /// Public part of the API key that asked for it.
    pub api_key_id: String,
    /// Which ones, as the caller said it.
    pub selection: String,
    /// It counts and erases nothing.
    pub dry_run: bool,
    /// When it was asked for.
    pub created_at: OffsetDateTime,
    /// The last conversation that was looked at.
    pub position: ListPosition,
}

/// Why no job was begun; nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum CreateJobError {
    /// The key of the request was used before, for another one.
    #[error("this key was used before, for another request")]
    KeyReused,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RepeatError> for CreateJobError {
    fn from(error: RepeatError) -> Self {
        match error {
            RepeatError::KeyReused => Self::KeyReused,
            RepeatError::Store(error) => Self::Store(error),
        }
    }
}

/// Jobs that erase conversations.
#[async_trait::async_trait]
pub trait ErasureJobStore {
    /// Begins a job, or finds the one that the same request began before.
    ///
    /// # Errors
    /// [`CreateJobError`]
    async fn create_erasure_job(
        &self,
        job: &NewErasureJob,
        request: Option<&RepeatableRequest>,
    ) -> Result<ErasureJob, CreateJobError>;

    /// A job of the organization.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_erasure_job(
        &self,
        organization: &OrganizationId,
        id: ErasureJobId,
    ) -> Result<Option<ErasureJob>, StoreError>;

    /// The oldest job that is not done and that no node works on; this one may until `until`.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn lease_erasure_job(
        &self,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<Option<RunningJob>, StoreError>;

    /// How many jobs are not done.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn count_erasure_jobs(&self) -> Result<i64, StoreError>;

    /// Leaves a job that this release cannot read to others, which may continue it then.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn postpone_erasure_job(
        &self,
        job: &RunningJob,
        until: OffsetDateTime,
    ) -> Result<(), StoreError>;

    /// Erases one conversation for a job and counts it there, all or nothing; `false` when it no
    /// longer fits the selection, or was erased before.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn erase_for_job(
        &self,
        job: &RunningJob,
        selection: &Selection,
        id: ConversationId,
        erasure: &Erasure,
        limits: &LifecycleLimits,
    ) -> Result<bool, StoreError>;

    /// Moves a job on to a position, unless another node has done so, and adds to what a dry run
    /// counts. Without a position it is done, and what it selected is forgotten.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn advance_erasure_job(
        &self,
        job: &RunningJob,
        to: Option<ListPosition>,
        counted: i64,
        now: OffsetDateTime,
    ) -> Result<(), StoreError>;
}
