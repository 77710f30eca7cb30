//! Everything that storage does, as one object-safe trait.

use time::OffsetDateTime;

use super::{
    agents::AgentStore,
    budgets::BudgetStore,
    conversations::ConversationStore,
    deleted_widgets::DeletedWidgetStore,
    embed_builds::EmbedBuildStore,
    erasures::{ErasureJobStore, ErasureStore},
    error::StoreError,
    keys::KeyStore,
    lifecycle::LifecycleStore,
    messages::MessageStore,
    meters::{PoolState, StorageMeters},
    migrations::MigrationError,
    previews::PreviewStore,
    retentions::RetentionStore,
    rooms::RoomStore,
    statistics::StatisticsStore,
    submissions::SubmissionStore,
    webhooks::WebhookStore,
    widgets::WidgetStore,
    workers::WorkerStore,
};

/// Until when things were done with that are forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForgetBefore {
    /// Requests that could be repeated, with the answers to them.
    pub requests: OffsetDateTime,
    /// Rooms of conversations that are over, which LiveKit has removed.
    pub rooms: OffsetDateTime,
    /// Jobs that have erased everything.
    pub jobs: OffsetDateTime,
}

/// Everything that is stored; see the traits it is made of.
#[async_trait::async_trait]
pub trait Storage:
    KeyStore
    + AgentStore
    + WidgetStore
    + PreviewStore
    + DeletedWidgetStore
    + ConversationStore
    + LifecycleStore
    + MessageStore
    + SubmissionStore
    + ErasureStore
    + ErasureJobStore
    + RetentionStore
    + RoomStore
    + WebhookStore
    + EmbedBuildStore
    + BudgetStore
    + WorkerStore
    + StatisticsStore
    + Send
    + Sync
    + 'static
{
    /// Whether the database answers and, after a write failed for lack of disk space, has space
    /// again.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not answer, [`StoreError::Full`] when it has no
    /// space.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Forgets tickets and previews that have expired by `now`, webhook events older than
    /// `events_before`, and where conversations were started that older nodes have seen joined or
    /// ended, and what was used on days long past.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn forget_expired(
        &self,
        now: OffsetDateTime,
        events_before: OffsetDateTime,
    ) -> Result<(), StoreError>;

    /// Forgets what is done with: a batch of each, in a moment also after a long time.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn forget_finished(&self, before: ForgetBefore) -> Result<(), StoreError>;

    /// Applies the missing migrations and returns their number.
    ///
    /// # Errors
    /// [`MigrationError`]
    async fn migrate(&self) -> Result<usize, MigrationError>;

    /// Names of the migrations that are missing; as cheap as one read.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn pending_migrations(&self) -> Result<Vec<String>, StoreError>;

    /// Refuses a database whose schema lacks what this program needs, because a newer one removed
    /// it.
    ///
    /// # Errors
    /// [`StoreError::Incompatible`], or another [`StoreError`]
    async fn require_compatible(&self) -> Result<(), StoreError>;

    /// What it has counted since the process started.
    fn meters(&self) -> &StorageMeters;

    /// Its connections as they are now.
    fn pools(&self) -> Vec<PoolState<'_>>;

    /// Waits a moment for running statements to end and closes all connections.
    async fn close(&self);
}
