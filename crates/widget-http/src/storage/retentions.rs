//! How long organizations keep the content of their conversations, and which are due.

use time::OffsetDateTime;
use widget_core::id::{ConversationId, OrganizationId, WidgetId};

use super::{
    error::StoreError,
    sweep::{SweepBatch, SweepPosition},
};

/// What an organization has set, for itself or for one widget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRetention {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The widget; nothing: all of the organization.
    pub web_widget_id: Option<WidgetId>,
    /// After how many days content is erased.
    pub days: u32,
}

/// For whom something is set: an organization, or one of its widgets.
pub type RetentionKey = (OrganizationId, Option<WidgetId>);

/// How long content is kept.
#[async_trait::async_trait]
pub trait RetentionStore {
    /// Sets the days for an organization or for one of its widgets, or nothing.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn set_retention(
        &self,
        organization: &OrganizationId,
        widget: Option<WidgetId>,
        days: Option<u32>,
        api_key_id: &str,
        now: OffsetDateTime,
    ) -> Result<(), StoreError>;

    /// The days that are set for an organization or for one of its widgets.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_retention(
        &self,
        organization: &OrganizationId,
        widget: Option<WidgetId>,
    ) -> Result<Option<u32>, StoreError>;

    /// Everything that organizations have set, in a fixed order, from a position on.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list_retentions(
        &self,
        position: &SweepPosition<RetentionKey>,
        limit: u32,
    ) -> Result<SweepBatch<StoredRetention, RetentionKey>, StoreError>;

    /// Conversations with content that ended before a time, the earliest first: all, or those for
    /// which something is set.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_expired_conversations(
        &self,
        of: Option<&StoredRetention>,
        ended_before: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<ConversationId>, StoreError>;
}
