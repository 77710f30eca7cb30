//! Previews: drafts of widgets that whoever has a link may see.

use time::OffsetDateTime;
use widget_core::{
    id::{AgentVersionId, OrganizationId, PreviewId, WidgetId},
    serve::{Preview, PreviewsFull},
    widget::Widget,
};

use super::error::StoreError;

/// A preview with its draft.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPreview {
    /// The preview.
    pub preview: Preview,
    /// Counts its drafts from 1.
    pub revision: i64,
    /// Name under which LiveKit dispatches the worker of the draft's version, when the registry has
    /// that version.
    pub livekit_agent_name: Option<String>,
}

/// What the owner may see of a preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPreview {
    /// Names it.
    pub id: PreviewId,
    /// The version that answers.
    pub agent_version_id: AgentVersionId,
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// Public part of the API key that created it.
    pub created_by: String,
    /// When its draft was last replaced.
    pub updated_at: OffsetDateTime,
    /// When it ends.
    pub expires_at: OffsetDateTime,
}

/// A preview to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewPreview<'a> {
    /// The preview.
    pub preview: &'a Preview,
    /// Public part of the API key that creates it.
    pub api_key_id: &'a str,
    /// Whether the registry must have the draft's version; not where an agent directory has it.
    pub requires_registered: bool,
    /// The present time.
    pub now: OffsetDateTime,
}

/// Another draft for a preview of the widget that it is a draft of.
#[derive(Debug, Clone, Copy)]
pub struct ReplacedDraft<'a> {
    /// Names the preview.
    pub id: PreviewId,
    /// The draft.
    pub draft: &'a Widget,
    /// Whether the registry must have the draft's version; not where an agent directory has it.
    pub requires_registered: bool,
    /// The present time.
    pub now: OffsetDateTime,
}

/// Why a preview was not stored; nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum InsertPreviewError {
    /// The widget is gone.
    #[error("the widget was deleted in the meantime")]
    WidgetMissing,
    /// The widget's agent has no such version.
    #[error("the widget's agent has no version `{0}`")]
    VersionMissing(AgentVersionId),
    /// The widget has as many as it may.
    #[error(transparent)]
    Full(#[from] PreviewsFull),
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a draft was not replaced; nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ReplacePreviewError {
    /// The preview has ended, or there never was one.
    #[error("the preview has ended")]
    Missing,
    /// The widget's agent has no such version.
    #[error("the widget's agent has no version `{0}`")]
    VersionMissing(AgentVersionId),
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Previews. One that has ended is not found by any of these, and removed in the background.
#[async_trait::async_trait]
pub trait PreviewStore {
    /// Stores a preview of a widget of its organization under revision 1. Of those that are created
    /// at the same time, no more succeed than a widget may have.
    ///
    /// # Errors
    /// [`InsertPreviewError`]
    async fn insert_preview(&self, new: NewPreview<'_>) -> Result<(), InsertPreviewError>;

    /// Replaces the draft of a preview of the organization; its token and its end stay.
    ///
    /// # Errors
    /// [`ReplacePreviewError`]
    async fn replace_preview(
        &self,
        draft: ReplacedDraft<'_>,
    ) -> Result<ListedPreview, ReplacePreviewError>;

    /// Previews of a widget of the organization, newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn list_previews(
        &self,
        organization: &OrganizationId,
        widget: WidgetId,
        now: OffsetDateTime,
    ) -> Result<Vec<ListedPreview>, StoreError>;

    /// The preview of a link; `token_hash` is that of its token.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_preview_of_token(
        &self,
        token_hash: &[u8; 32],
        now: OffsetDateTime,
    ) -> Result<Option<StoredPreview>, StoreError>;

    /// The same by its id, for the holder of a ticket or of a conversation.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_preview(
        &self,
        id: PreviewId,
        now: OffsetDateTime,
    ) -> Result<Option<StoredPreview>, StoreError>;

    /// How often the draft of a link was replaced; cheap, because open pages ask again and again.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn find_preview_revision(
        &self,
        token_hash: &[u8; 32],
        now: OffsetDateTime,
    ) -> Result<Option<i64>, StoreError>;

    /// Ends a preview of a widget of the organization, and marks the rooms of its open
    /// conversations for removal; returns their number, nothing when there is no such preview.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn end_preview(
        &self,
        organization: &OrganizationId,
        widget: WidgetId,
        id: PreviewId,
        now: OffsetDateTime,
    ) -> Result<Option<u64>, StoreError>;
}
