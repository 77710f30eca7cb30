//! Deleted widgets: nobody serves them, they keep no agent, and they can be restored.

use time::OffsetDateTime;
use widget_core::{
    id::{OrganizationId, WidgetId},
    unreadable::WidgetRecord,
};

use super::{
    error::StoreError,
    list_page::{ListPage, Page},
    unreadable::Listed,
    widgets::{StoredWidget, WidgetFilter, WriteWidgetError},
};

/// A widget that was deleted, as it was then.
#[derive(Debug, Clone, PartialEq)]
pub struct DeletedWidget {
    /// The record.
    pub widget: WidgetRecord,
    /// Counts its writes from 1.
    pub revision: i64,
    /// When it was deleted, if that can be read.
    pub deleted_at: Option<OffsetDateTime>,
    /// Public part of the API key that deleted it.
    pub deleted_by: String,
    /// The name of that key, if it has one and is still kept.
    pub deleted_by_name: Option<String>,
}

/// Deleting widgets, and restoring them.
#[async_trait::async_trait]
pub trait DeletedWidgetStore {
    /// Deletes a widget that still has `revision`, where one is given, and marks the rooms of its
    /// open conversations for removal, all or nothing; returns how many rooms were marked, nothing
    /// when there is no such widget. The record and its history are kept for
    /// [`Self::restore_widget`].
    ///
    /// # Errors
    /// [`WriteWidgetError`]
    async fn delete_widget(
        &self,
        organization: &OrganizationId,
        id: WidgetId,
        revision: Option<i64>,
        api_key_id: &str,
        now: OffsetDateTime,
    ) -> Result<Option<u64>, WriteWidgetError>;

    /// Deleted widgets of the organization, the last deleted first; `page.before` has the time at
    /// which a widget was deleted.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list_deleted_widgets(
        &self,
        organization: &OrganizationId,
        filter: &WidgetFilter,
        page: ListPage,
    ) -> Result<Page<Listed<DeletedWidget>>, StoreError>;

    /// A deleted widget of the organization.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_deleted_widget(
        &self,
        organization: &OrganizationId,
        id: WidgetId,
    ) -> Result<Option<DeletedWidget>, StoreError>;

    /// Restores a deleted widget that has `revision`: unpublished, with its history and as its next
    /// revision. It may point at an agent that is gone. Of two at once one restores it, and the
    /// other is stale.
    ///
    /// # Errors
    /// [`WriteWidgetError`]
    async fn restore_widget(
        &self,
        organization: &OrganizationId,
        id: WidgetId,
        revision: i64,
        api_key_id: &str,
        now: OffsetDateTime,
    ) -> Result<StoredWidget<WidgetRecord>, WriteWidgetError>;
}
