//! SQL of previews, and of what may be started by their links.

use time::OffsetDateTime;
use widget_core::{
    config::Config,
    conversation::budget::{self, BudgetError, Day, PreviewUse},
    id::{AgentId, AgentVersionId, ConversationId, OrganizationId, PreviewId, WidgetId},
    origin::AllowedOrigins,
    serve::{Preview, require_preview_capacity},
    widget::Widget,
};

use super::{Backend, Row, Transaction, rooms, row::Columns};
use crate::storage::{
    conversations::CreateConversationError,
    driver::micros,
    error::StoreError,
    previews::{
        InsertPreviewError, ListedPreview, NewPreview, PreviewStore, ReplacePreviewError,
        ReplacedDraft, StoredPreview,
    },
    table::table,
};

table! {
    preview_columns, read_preview from "previews" by "id";
    id = "p.id": id(PreviewId::from_uuid),
    organization_id = "p.organization_id": parsed(str::parse),
    web_widget_id = "p.web_widget_id": id(WidgetId::from_uuid),
    token_hash = "p.token_hash": get(),
    agent_id = "p.agent_id": id(AgentId::from_uuid),
    agent_version_id = "p.agent_version_id": id(AgentVersionId::from_uuid),
    config = "p.config": parsed(Config::parse),
    revision = "p.revision": get(),
    created_at = "p.created_at": time(),
    updated_at = "p.updated_at": time(),
    expires_at = "p.expires_at": time(),
    livekit_agent_name = "v.livekit_agent_name": get(),
    => |row| -> StoredPreview {
        let token_hash: Vec<u8> = token_hash;
        let token_hash = token_hash
            .try_into()
            .map_err(|_| row.corrupt("token_hash", &"a SHA-256 has 32 bytes"))?;
        let draft = Widget {
            id: web_widget_id,
            organization_id,
            agent_id,
            agent_version_id,
            domains: AllowedOrigins::default(),
            published: false,
            config,
            created_at,
            updated_at,
        };
        Ok(StoredPreview {
            preview: Preview::new(id, draft, token_hash, expires_at),
            revision,
            livekit_agent_name,
        })
    }
}

table! {
    listed_columns, read_listed from "previews" by "id";
    id: id(PreviewId::from_uuid),
    agent_version_id: id(AgentVersionId::from_uuid),
    created_at: time(),
    created_by: get(),
    updated_at: time(),
    expires_at: time(),
    => |row| -> ListedPreview {
        let _ = row.table();
        Ok(ListedPreview { id, agent_version_id, created_at, created_by, updated_at, expires_at })
    }
}

/// A preview with the name of its version's worker.
macro_rules! select_preview {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            preview_columns!(),
            " FROM previews p
             LEFT JOIN agent_versions v ON v.organization_id = p.organization_id
                 AND v.agent_id = p.agent_id AND v.id = p.agent_version_id
             WHERE ",
            $condition,
            " AND p.expires_at > $2"
        )
    };
}

#[async_trait::async_trait]
impl PreviewStore for Backend {
    async fn insert_preview(&self, new: NewPreview<'_>) -> Result<(), InsertPreviewError> {
        let (preview, draft) = (new.preview, new.preview.draft());
        let mut transaction = self.begin().await?;
        // Locks the widget, so that its previews are counted one after another.
        let locked = sqlx::query(
            "UPDATE web_widgets SET revision = revision WHERE organization_id = $1 AND id = $2",
        )
        .bind(draft.organization_id.as_str())
        .bind(draft.id.as_uuid())
        .execute(&mut transaction)
        .await
        .map_err(StoreError::from)?;
        if locked.rows_affected() == 0 {
            return Err(InsertPreviewError::WidgetMissing);
        }
        if new.requires_registered && !is_registered(&mut transaction, draft).await? {
            return Err(InsertPreviewError::VersionMissing(draft.agent_version_id));
        }
        let count: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM previews WHERE web_widget_id = $1 AND expires_at > $2",
        )
        .bind(draft.id.as_uuid())
        .bind(micros(new.now))
        .fetch_one(&mut transaction)
        .await
        .map_err(StoreError::from)?;
        require_preview_capacity(count)?;
        sqlx::query(
            "INSERT INTO previews (id, organization_id, web_widget_id, token_hash, agent_id,
                 agent_version_id, config, revision, created_at, created_by, updated_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $8, $10)",
        )
        .bind(preview.id().as_uuid())
        .bind(draft.organization_id.as_str())
        .bind(draft.id.as_uuid())
        .bind(preview.token_hash().as_slice())
        .bind(draft.agent_id.as_uuid())
        .bind(draft.agent_version_id.as_uuid())
        .bind(draft.config.as_json())
        .bind(micros(new.now))
        .bind(new.api_key_id)
        .bind(micros(preview.expires_at()))
        .execute(&mut transaction)
        .await
        .map_err(StoreError::from)?;
        transaction.commit().await?;
        Ok(())
    }

    async fn replace_preview(
        &self,
        new: ReplacedDraft<'_>,
    ) -> Result<ListedPreview, ReplacePreviewError> {
        let draft = new.draft;
        let mut transaction = self.begin().await?;
        let row = sqlx::query(concat!(
            "UPDATE previews
             SET agent_id = $5, agent_version_id = $6, config = $7, updated_at = $4,
                 revision = revision + 1
             WHERE id = $1 AND organization_id = $2 AND web_widget_id = $3 AND expires_at > $4
             RETURNING ",
            listed_columns!()
        ))
        .bind(new.id.as_uuid())
        .bind(draft.organization_id.as_str())
        .bind(draft.id.as_uuid())
        .bind(micros(new.now))
        .bind(draft.agent_id.as_uuid())
        .bind(draft.agent_version_id.as_uuid())
        .bind(draft.config.as_json())
        .fetch_optional(&mut transaction)
        .await
        .map_err(StoreError::from)?;
        let Some(row) = row else {
            return Err(ReplacePreviewError::Missing);
        };
        if new.requires_registered && !is_registered(&mut transaction, draft).await? {
            return Err(ReplacePreviewError::VersionMissing(draft.agent_version_id));
        }
        let replaced = read_listed(&row)?;
        transaction.commit().await?;
        Ok(replaced)
    }

    async fn list_previews(
        &self,
        organization: &OrganizationId,
        widget: WidgetId,
        now: OffsetDateTime,
    ) -> Result<Vec<ListedPreview>, StoreError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            listed_columns!(),
            " FROM previews
             WHERE organization_id = $1 AND web_widget_id = $2 AND expires_at > $3
             ORDER BY created_at DESC, id DESC"
        ))
        .bind(organization.as_str())
        .bind(widget.as_uuid())
        .bind(micros(now))
        .fetch_all(self.reader())
        .await?;
        self.unreadable().skip_all(rows.iter().map(read_listed))
    }

    async fn find_preview_of_token(
        &self,
        token_hash: &[u8; 32],
        now: OffsetDateTime,
    ) -> Result<Option<StoredPreview>, StoreError> {
        let row = sqlx::query(select_preview!("p.token_hash = $1"))
            .bind(token_hash.as_slice())
            .bind(micros(now))
            .fetch_optional(self.reader())
            .await?;
        read_readable(self, row.as_ref())
    }

    async fn find_preview(
        &self,
        id: PreviewId,
        now: OffsetDateTime,
    ) -> Result<Option<StoredPreview>, StoreError> {
        let row = sqlx::query(select_preview!("p.id = $1"))
            .bind(id.as_uuid())
            .bind(micros(now))
            .fetch_optional(self.reader())
            .await?;
        read_readable(self, row.as_ref())
    }

    async fn find_preview_revision(
        &self,
        token_hash: &[u8; 32],
        now: OffsetDateTime,
    ) -> Result<Option<i64>, StoreError> {
        let revision = sqlx::query_scalar(
            "SELECT revision FROM previews WHERE token_hash = $1 AND expires_at > $2",
        )
        .bind(token_hash.as_slice())
        .bind(micros(now))
        .fetch_optional(self.reader())
        .await?;
        Ok(revision)
    }

    async fn end_preview(
        &self,
        organization: &OrganizationId,
        widget: WidgetId,
        id: PreviewId,
        now: OffsetDateTime,
    ) -> Result<Option<u64>, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query(
            "DELETE FROM previews
             WHERE id = $1 AND organization_id = $2 AND web_widget_id = $3 AND expires_at > $4",
        )
        .bind(id.as_uuid())
        .bind(organization.as_str())
        .bind(widget.as_uuid())
        .bind(micros(now))
        .execute(&mut transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        let closed = rooms::mark_preview_for_removal(&mut transaction, id, now).await?;
        transaction.commit().await?;
        Ok(Some(closed))
    }
}

/// A draft that cannot be read is shown to nobody.
fn read_readable(
    backend: &Backend,
    row: Option<&Row>,
) -> Result<Option<StoredPreview>, StoreError> {
    row.map(|row| backend.unreadable().skip(read_preview(row)))
        .transpose()
        .map(Option::flatten)
}

/// Whether the registry has the version of the draft as one of its agent.
async fn is_registered(transaction: &mut Transaction, draft: &Widget) -> Result<bool, StoreError> {
    let found: Option<i32> = sqlx::query_scalar(
        "SELECT 1 FROM agent_versions WHERE organization_id = $1 AND agent_id = $2 AND id = $3",
    )
    .bind(draft.organization_id.as_str())
    .bind(draft.agent_id.as_uuid())
    .bind(draft.agent_version_id.as_uuid())
    .fetch_optional(&mut *transaction)
    .await?;
    Ok(found.is_some())
}

/// Whether the preview has not ended.
pub(super) async fn is_open(
    transaction: &mut Transaction,
    id: PreviewId,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let found: Option<i32> =
        sqlx::query_scalar("SELECT 1 FROM previews WHERE id = $1 AND expires_at > $2")
            .bind(id.as_uuid())
            .bind(micros(now))
            .fetch_optional(&mut *transaction)
            .await?;
    Ok(found.is_some())
}

/// Whether a conversation that is written already may start by the link of the preview, and keeps
/// others from starting one until the transaction ends.
///
/// What is due counts as over, even before the sweep has ended it.
pub(super) async fn require_start(
    transaction: &mut Transaction,
    id: PreviewId,
    starts: ConversationId,
    now: OffsetDateTime,
) -> Result<(), CreateConversationError> {
    let locked =
        sqlx::query("UPDATE previews SET revision = revision WHERE id = $1 AND expires_at > $2")
            .bind(id.as_uuid())
            .bind(micros(now))
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
    if locked.rows_affected() == 0 {
        return Err(CreateConversationError::PreviewEnded);
    }
    let started: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM conversations
         WHERE preview_id = $1 AND created_at >= $2 AND id <> $3",
    )
    .bind(id.as_uuid())
    .bind(micros(Day::of(now).starts_at()))
    .bind(starts.as_uuid())
    .fetch_one(&mut *transaction)
    .await
    .map_err(StoreError::from)?;
    let open: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM conversations
         WHERE preview_id = $1 AND ended_at IS NULL AND due_at > $2 AND id <> $3",
    )
    .bind(id.as_uuid())
    .bind(micros(now))
    .bind(starts.as_uuid())
    .fetch_one(&mut *transaction)
    .await
    .map_err(StoreError::from)?;
    budget::require_preview_start(PreviewUse { started, open }, now)
        .map_err(|error: BudgetError| error.into())
}

/// How many previews are removed at once, so that no transaction runs long.
const BATCH: i64 = 100;

/// Removes previews that have ended, and marks the rooms of their open conversations for removal.
pub(super) async fn forget_ended(backend: &Backend, now: OffsetDateTime) -> Result<(), StoreError> {
    let rows = sqlx::query("SELECT id FROM previews WHERE expires_at <= $1 LIMIT $2")
        .bind(micros(now))
        .bind(BATCH)
        .fetch_all(backend.reader())
        .await?;
    let read = |row| Columns::new(row, "previews", "id").id("id", PreviewId::from_uuid);
    for id in backend.unreadable().skip_all(rows.iter().map(read))? {
        let mut transaction = backend.begin().await?;
        sqlx::query("DELETE FROM previews WHERE id = $1")
            .bind(id.as_uuid())
            .execute(&mut transaction)
            .await?;
        rooms::mark_preview_for_removal(&mut transaction, id, now).await?;
        transaction.commit().await?;
    }
    Ok(())
}
