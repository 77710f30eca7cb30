//! SQL of widgets. One query reads a widget together with what the gates need to know.

use sqlx::{Executor, QueryBuilder};
use time::OffsetDateTime;
use uuid::Uuid;
use widget_core::{
    agent::VersionStatus,
    config::Config,
    go_live::PinnedVersion,
    id::{AgentId, AgentVersionId, OrganizationId, WidgetId},
    origin::{AllowedOrigins, SuffixList},
    widget::Widget,
};

use super::{Backend, Database, Row, Transaction, rooms, row::Columns};
use crate::storage::{
    driver::micros,
    error::StoreError,
    list_page::ListPage,
    table::table,
    widgets::{
        Author, IdempotentRequest, InsertedWidget, StoredWidget, UpdatedWidget, WidgetFilter,
        WidgetRevision, WidgetStore, WriteWidgetError,
    },
};

table! {
    widget_columns, read_widget(suffixes: &SuffixList) from "web_widgets" by "id";
    id = "w.id": id(WidgetId::from_uuid),
    organization_id = "w.organization_id": parsed(str::parse),
    agent_id = "w.agent_id": id(AgentId::from_uuid),
    agent_version_id = "w.agent_version_id": id(AgentVersionId::from_uuid),
    domains = "w.domains": parsed(|text| read_domains(text, suffixes)),
    published = "w.published": get(),
    config = "w.config": parsed(Config::parse),
    created_at = "w.created_at": time(),
    updated_at = "w.updated_at": time(),
    revision = "w.revision": get(),
    known_agent_id = "a.id": get(),
    version_agent_id = "v.agent_id": get(),
    version_published_at = "v.published_at": optional_time(),
    livekit_agent_name = "v.livekit_agent_name": get(),
    => |row| -> StoredWidget {
        let (known, version): (Option<Uuid>, Option<Uuid>) = (known_agent_id, version_agent_id);
        let status = VersionStatus::of(version_published_at);
        let version = version.map(|agent| (AgentId::from_uuid(agent), status));
        let pinned = PinnedVersion::found(agent_id, known.is_some(), version);
        Ok(StoredWidget {
            widget: Widget {
                id,
                organization_id,
                agent_id,
                agent_version_id,
                domains,
                published,
                config,
                created_at,
                updated_at,
            },
            revision,
            pinned,
            livekit_agent_name,
        })
    }
}

table! {
    revision_columns, read_revision(suffixes: &SuffixList) from "web_widget_revisions" by "id";
    id = "w.id": id(WidgetId::from_uuid),
    organization_id = "w.organization_id": parsed(str::parse),
    created_at = "w.created_at": time(),
    number = "r.number": get(),
    api_key_id = "r.api_key_id": get(),
    restored_from = "r.restored_from": get(),
    agent_id = "r.agent_id": id(AgentId::from_uuid),
    agent_version_id = "r.agent_version_id": id(AgentVersionId::from_uuid),
    domains = "r.domains": parsed(|text| read_domains(text, suffixes)),
    published = "r.published": get(),
    config = "r.config": parsed(Config::parse),
    updated_at = "r.created_at": time(),
    => |row| -> WidgetRevision {
        Ok(WidgetRevision {
            number,
            api_key_id,
            restored_from,
            widget: Widget {
                id,
                organization_id,
                agent_id,
                agent_version_id,
                domains,
                published,
                config,
                created_at,
                updated_at,
            },
        })
    }
}

/// A widget with the version that it pins.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            widget_columns!(),
            " FROM web_widgets w
             LEFT JOIN agents a ON a.organization_id = w.organization_id AND a.id = w.agent_id
             LEFT JOIN agent_versions v ON v.organization_id = w.organization_id AND v.id = w.agent_version_id ",
            $rest
        )
    };
}

#[async_trait::async_trait]
impl WidgetStore for Backend {
    async fn insert_widget(
        &self,
        widget: &Widget,
        author: Author<'_>,
        request: Option<&IdempotentRequest<'_>>,
    ) -> Result<InsertedWidget, WriteWidgetError> {
        let mut transaction = self.begin().await?;
        if let Some(request) = request
            && let Some(answer) = seen_before(&mut transaction, widget, request).await?
        {
            return Ok(InsertedWidget::Again(answer));
        }
        require_pinned(&mut transaction, widget).await?;
        sqlx::query(
            "INSERT INTO web_widgets (id, organization_id, agent_id, agent_version_id, domains, published, config,
                                      created_at, updated_at, revision)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)",
        )
        .bind(widget.id.as_uuid())
        .bind(widget.organization_id.as_str())
        .bind(widget.agent_id.as_uuid())
        .bind(widget.agent_version_id.as_uuid())
        .bind(domains_text(widget)?)
        .bind(widget.published)
        .bind(widget.config.to_json())
        .bind(micros(widget.created_at))
        .bind(micros(widget.updated_at))
        .execute(&mut transaction)
        .await
        .map_err(dangling)?;
        let stored = finish(&mut transaction, widget, author, self.suffixes()).await?;
        if let Some(request) = request {
            keep_answer(&mut transaction, &stored, request).await?;
        }
        transaction.commit().await?;
        Ok(InsertedWidget::New(Box::new(stored)))
    }

    async fn find_widget(
        &self,
        organization: &OrganizationId,
        id: WidgetId,
    ) -> Result<Option<StoredWidget>, StoreError> {
        let row = sqlx::query(select!("WHERE w.organization_id = $1 AND w.id = $2"))
            .bind(organization.as_str())
            .bind(id.as_uuid())
            .fetch_optional(self.reader())
            .await?;
        row.as_ref()
            .map(|row| read_widget(row, self.suffixes()))
            .transpose()
    }

    async fn find_public_widget(&self, id: WidgetId) -> Result<Option<StoredWidget>, StoreError> {
        find_any_widget(self.reader(), id, self.suffixes()).await
    }

    async fn list_widgets(
        &self,
        organization: &OrganizationId,
        filter: &WidgetFilter,
        page: ListPage,
    ) -> Result<Vec<StoredWidget>, StoreError> {
        let mut query = QueryBuilder::<Database>::new(select!("WHERE w.organization_id = "));
        query.push_bind(organization.as_str());
        if let Some(agent) = filter.agent_id {
            query.push(" AND w.agent_id = ").push_bind(agent.as_uuid());
        }
        if let Some(published) = filter.published {
            query.push(" AND w.published = ").push_bind(published);
        }
        if let Some(domain) = &filter.domain {
            // Entries hold neither quotes nor the wildcards of LIKE.
            query
                .push(" AND w.domains LIKE ")
                .push_bind(format!("%\"{domain}\"%"));
        }
        if let Some((created_at, id)) = page.before {
            query
                .push(" AND (w.created_at, w.id) < (")
                .push_bind(micros(created_at));
            query.push(", ").push_bind(id).push(")");
        }
        query
            .push(" ORDER BY w.created_at DESC, w.id DESC LIMIT ")
            .push_bind(i64::from(page.limit));
        let rows = query.build().fetch_all(self.reader()).await?;
        rows.iter()
            .map(|row| read_widget(row, self.suffixes()))
            .collect()
    }

    async fn update_widget(
        &self,
        widget: &Widget,
        revision: i64,
        author: Author<'_>,
    ) -> Result<UpdatedWidget, WriteWidgetError> {
        let mut transaction = self.begin().await?;
        require_pinned(&mut transaction, widget).await?;
        let done = sqlx::query(
            "UPDATE web_widgets
             SET agent_id = $4, agent_version_id = $5, domains = $6, published = $7, config = $8, updated_at = $9,
                 revision = revision + 1
             WHERE organization_id = $1 AND id = $2 AND revision = $3",
        )
        .bind(widget.organization_id.as_str())
        .bind(widget.id.as_uuid())
        .bind(revision)
        .bind(widget.agent_id.as_uuid())
        .bind(widget.agent_version_id.as_uuid())
        .bind(domains_text(widget)?)
        .bind(widget.published)
        .bind(widget.config.to_json())
        .bind(micros(widget.updated_at))
        .execute(&mut transaction)
        .await
        .map_err(dangling)?;
        if done.rows_affected() == 0 {
            return Err(WriteWidgetError::Stale);
        }
        let stored = finish(&mut transaction, widget, author, self.suffixes()).await?;
        let closed_rooms =
            rooms::mark_unserved_for_removal(&mut transaction, &stored, widget.updated_at).await?;
        transaction.commit().await?;
        Ok(UpdatedWidget {
            stored,
            closed_rooms,
        })
    }

    async fn list_widget_revisions(
        &self,
        organization: &OrganizationId,
        id: WidgetId,
        below: i64,
        limit: u32,
    ) -> Result<Vec<WidgetRevision>, StoreError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            revision_columns!(),
            "
             FROM web_widgets w JOIN web_widget_revisions r ON r.web_widget_id = w.id
             WHERE w.organization_id = $1 AND w.id = $2 AND r.number < $3
             ORDER BY r.number DESC LIMIT $4"
        ))
        .bind(organization.as_str())
        .bind(id.as_uuid())
        .bind(below)
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| read_revision(row, self.suffixes()))
            .collect()
    }

    async fn delete_widget(
        &self,
        organization: &OrganizationId,
        id: WidgetId,
        revision: Option<i64>,
        now: OffsetDateTime,
    ) -> Result<Option<u64>, WriteWidgetError> {
        let mut transaction = self.begin().await?;
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT revision FROM web_widgets WHERE organization_id = $1 AND id = $2",
        )
        .bind(organization.as_str())
        .bind(id.as_uuid())
        .fetch_optional(&mut transaction)
        .await
        .map_err(StoreError::from)?;
        let Some(found) = found else { return Ok(None) };
        if revision.is_some_and(|revision| revision != found) {
            return Err(WriteWidgetError::Stale);
        }
        let done = sqlx::query(
            "DELETE FROM web_widgets WHERE organization_id = $1 AND id = $2 AND revision = $3",
        )
        .bind(organization.as_str())
        .bind(id.as_uuid())
        .bind(found)
        .execute(&mut transaction)
        .await
        .map_err(StoreError::from)?;
        if done.rows_affected() == 0 {
            return Err(WriteWidgetError::Stale);
        }
        let closed_rooms = rooms::mark_widget_for_removal(&mut transaction, id, None, now).await?;
        transaction.commit().await?;
        Ok(Some(closed_rooms))
    }
}

/// A widget of any organization.
pub(super) async fn find_any_widget<'c>(
    database: impl Executor<'c, Database = Database>,
    id: WidgetId,
    suffixes: &SuffixList,
) -> Result<Option<StoredWidget>, StoreError> {
    let row = sqlx::query(select!("WHERE w.id = $1"))
        .bind(id.as_uuid())
        .fetch_optional(database)
        .await?;
    row.as_ref()
        .map(|row| read_widget(row, suffixes))
        .transpose()
}

/// Remembers an idempotent request, or returns the answer to the same one before.
///
/// Of two at once the second waits here, at the constraint, until the first has written all or
/// nothing.
async fn seen_before(
    transaction: &mut Transaction,
    widget: &Widget,
    request: &IdempotentRequest<'_>,
) -> Result<Option<String>, WriteWidgetError> {
    let organization = widget.organization_id.as_str();
    sqlx::query("DELETE FROM idempotency_keys WHERE organization_id = $1 AND created_at < $2")
        .bind(organization)
        .bind(micros(request.forget_before))
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
    let done = sqlx::query(
        "INSERT INTO idempotency_keys (organization_id, key, request_hash, answer, created_at)
         VALUES ($1, $2, $3, '', $4) ON CONFLICT (organization_id, key) DO NOTHING",
    )
    .bind(organization)
    .bind(&request.key)
    .bind(request.hash.as_slice())
    .bind(micros(request.now))
    .execute(&mut *transaction)
    .await
    .map_err(StoreError::from)?;
    if done.rows_affected() > 0 {
        return Ok(None);
    }
    let (hash, answer): (Vec<u8>, String) = sqlx::query_as(
        "SELECT request_hash, answer FROM idempotency_keys WHERE organization_id = $1 AND key = $2",
    )
    .bind(organization)
    .bind(&request.key)
    .fetch_one(&mut *transaction)
    .await
    .map_err(StoreError::from)?;
    if hash == request.hash {
        Ok(Some(answer))
    } else {
        Err(WriteWidgetError::KeyReused)
    }
}

/// Stores the answer that a repetition of the request gets.
async fn keep_answer(
    transaction: &mut Transaction,
    stored: &StoredWidget,
    request: &IdempotentRequest<'_>,
) -> Result<(), StoreError> {
    let answer = (request.build_answer)(stored)
        .map_err(|error| StoreError::corrupt("web_widgets", &stored.widget.id, &error))?;
    sqlx::query("UPDATE idempotency_keys SET answer = $3 WHERE organization_id = $1 AND key = $2")
        .bind(stored.widget.organization_id.as_str())
        .bind(&request.key)
        .bind(answer)
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

/// Reports which of agent and version is missing; the foreign keys only say that one is.
async fn require_pinned(
    transaction: &mut Transaction,
    widget: &Widget,
) -> Result<(), WriteWidgetError> {
    let organization = widget.organization_id.as_str();
    let agent: Option<i32> =
        sqlx::query_scalar("SELECT 1 FROM agents WHERE organization_id = $1 AND id = $2")
            .bind(organization)
            .bind(widget.agent_id.as_uuid())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
    let version: Option<i32> =
        sqlx::query_scalar("SELECT 1 FROM agent_versions WHERE organization_id = $1 AND id = $2")
            .bind(organization)
            .bind(widget.agent_version_id.as_uuid())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
    match (agent, version) {
        (Some(_), Some(_)) => Ok(()),
        (agent, version) => Err(WriteWidgetError::Dangling {
            agent: agent.is_none(),
            version: version.is_none(),
        }),
    }
}

/// The registry changed between the read and the write.
fn dangling(error: sqlx::Error) -> WriteWidgetError {
    let error = StoreError::from(error);
    if error.is_dangling() {
        WriteWidgetError::Dangling {
            agent: true,
            version: true,
        }
    } else {
        error.into()
    }
}

/// Writes the revision of a write and reads what it wrote.
async fn finish(
    transaction: &mut Transaction,
    widget: &Widget,
    author: Author<'_>,
    suffixes: &SuffixList,
) -> Result<StoredWidget, WriteWidgetError> {
    sqlx::query(
        "INSERT INTO web_widget_revisions (web_widget_id, number, api_key_id, restored_from, created_at, agent_id,
                                           agent_version_id, domains, published, config)
         SELECT id, revision, $2, $3, updated_at, agent_id, agent_version_id, domains, published, config
         FROM web_widgets WHERE id = $1",
    )
    .bind(widget.id.as_uuid())
    .bind(author.api_key_id)
    .bind(author.restored_from)
    .execute(&mut *transaction)
    .await
    .map_err(StoreError::from)?;
    let row = sqlx::query(select!("WHERE w.id = $1"))
        .bind(widget.id.as_uuid())
        .fetch_one(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
    Ok(read_widget(&row, suffixes)?)
}

fn domains_text(widget: &Widget) -> Result<String, StoreError> {
    serde_json::to_string(widget.domains.entries())
        .map_err(|error| StoreError::corrupt("web_widgets", &widget.id, &error))
}

fn read_domains(text: &str, suffixes: &SuffixList) -> Result<AllowedOrigins, serde_json::Error> {
    let entries: Vec<String> = serde_json::from_str(text)?;
    Ok(AllowedOrigins::load(&entries, suffixes))
}
