//! SQL of widgets.

use sqlx::{QueryBuilder, Row as _};
use time::OffsetDateTime;
use uuid::Uuid;
use widget_core::{
    agent::{MAX_WIDGETS, VersionStatus, require_widget_capacity},
    go_live::PinnedVersion,
    id::{AgentId, AgentVersionId, IdPrefix, OrganizationId, WidgetId},
    unreadable::WidgetRecord,
    widget::Widget,
};

use super::{
    Backend, Database, Transaction,
    idempotency::{self, seen_before},
    rooms,
    widget_row::{
        Pin, domains_text, find_any_widget, finish_write, note_effects, read_revision, read_widget,
        record_columns, revision_columns, select_size, select_widget, widget_columns,
    },
};
use crate::storage::{
    driver::{micros, nearest_time_of},
    error::StoreError,
    list_page::{ListPage, Page, count_fitting},
    unreadable::Listed,
    widgets::{
        Author, IdempotentRequest, InsertedWidget, NotedEffects, StoredWidget, UpdatedWidget,
        WidgetFilter, WidgetRevision, WidgetStore, WriteWidgetError,
    },
};

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
            && let Some(answer) =
                seen_before(&mut transaction, &widget.organization_id, &request.request).await?
        {
            return Ok(InsertedWidget::Again(answer));
        }
        let pin = find_pin(&mut transaction, widget).await?;
        if author.directory.is_none() {
            pin.require()?;
        }
        require_capacity(&mut transaction, &widget.organization_id).await?;
        sqlx::query(concat!(
            "INSERT INTO web_widgets (id, organization_id, ",
            record_columns!(),
            ", created_at, updated_at, revision, pin_registered)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10)"
        ))
        .bind(widget.id.as_uuid())
        .bind(widget.organization_id.as_str())
        .bind(widget.agent_id.as_uuid())
        .bind(widget.agent_version_id.as_uuid())
        .bind(domains_text(widget)?)
        .bind(widget.published)
        .bind(widget.config.as_json())
        .bind(micros(widget.created_at))
        .bind(micros(widget.updated_at))
        .bind(author.directory.is_none() && pin.is_registered())
        .execute(&mut transaction)
        .await
        .map_err(|error| dangling(error, widget))?;
        let stored = finish_write(&mut transaction, widget.id, author, self).await?;
        let stored = stored.require_readable()?;
        let stored = stored.with_directory(author.directory.cloned());
        let noted = NotedEffects {
            live_before: Some(false),
            live_after: Some(stored.is_live()),
            conversations_open: Some(0),
            conversations_ended: Some(0),
        };
        note_effects(&mut transaction, &stored, noted).await?;
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
    ) -> Result<Option<StoredWidget<WidgetRecord>>, StoreError> {
        let row = sqlx::query(select_widget!("WHERE w.organization_id = $1 AND w.id = $2"))
            .bind(organization.as_str())
            .bind(id.as_uuid())
            .fetch_optional(self.reader())
            .await?;
        row.as_ref().map(|row| read_widget(row, self)).transpose()
    }

    async fn find_public_widget(
        &self,
        id: WidgetId,
    ) -> Result<Option<StoredWidget<WidgetRecord>>, StoreError> {
        find_any_widget(self.reader(), id, self).await
    }

    async fn list_widgets(
        &self,
        organization: &OrganizationId,
        filter: &WidgetFilter,
        page: ListPage,
    ) -> Result<Page<Listed<StoredWidget<WidgetRecord>>>, StoreError> {
        let select = |start: &'static str, limit: u32| {
            let mut query = QueryBuilder::<Database>::new(start);
            query.push_bind(organization.as_str());
            push_filter(&mut query, filter);
            push_page(&mut query, page, "w.created_at", "w.id", limit);
            query
        };
        let sizes = concat!(
            select_size!("w"),
            " FROM web_widgets w WHERE w.organization_id = "
        );
        let sizes: Vec<i64> = select(sizes, page.limit)
            .build_query_scalar()
            .fetch_all(self.reader())
            .await?;
        let limit = count_fitting(&sizes, page.limit, 1);
        let rows = select(select_widget!("WHERE w.organization_id = "), limit)
            .build()
            .fetch_all(self.reader())
            .await?;
        let rows = Page::of_lookahead(rows, limit);
        self.list(&rows, "web_widgets", "created_at", |row| {
            read_widget(row, self)
        })
    }

    async fn update_widget(
        &self,
        widget: &Widget,
        revision: i64,
        author: Author<'_>,
    ) -> Result<UpdatedWidget, WriteWidgetError> {
        let mut transaction = self.begin().await?;
        let before = find_any_widget(&mut transaction, widget.id, self).await?;
        let pin = find_pin(&mut transaction, widget).await?;
        let is_registered = author.directory.is_none() && pin.is_registered();
        if author.directory.is_none()
            && !is_registered
            && !keeps_pin(&mut transaction, widget, revision).await?
        {
            pin.require()?;
        }
        let done = sqlx::query(concat!(
            "UPDATE web_widgets SET (",
            record_columns!(),
            ") = ($4, $5, $6, $7, $8), updated_at = $9, pin_registered = $10, created_at = $11,
                 revision = revision + 1
             WHERE organization_id = $1 AND id = $2 AND revision = $3"
        ))
        .bind(widget.organization_id.as_str())
        .bind(widget.id.as_uuid())
        .bind(revision)
        .bind(widget.agent_id.as_uuid())
        .bind(widget.agent_version_id.as_uuid())
        .bind(domains_text(widget)?)
        .bind(widget.published)
        .bind(widget.config.as_json())
        .bind(micros(widget.updated_at))
        .bind(is_registered)
        .bind(micros(widget.created_at))
        .execute(&mut transaction)
        .await
        .map_err(|error| dangling(error, widget))?;
        if done.rows_affected() == 0 {
            return Err(WriteWidgetError::Stale);
        }
        let stored = finish_write(&mut transaction, widget.id, author, self).await?;
        let stored = stored.require_readable()?;
        let stored = stored.with_directory(author.directory.cloned());
        let unserved =
            rooms::mark_unserved_for_removal(&mut transaction, &stored, widget.updated_at).await?;
        let noted = NotedEffects {
            live_before: before.and_then(|before| was_live(before, &stored, author)),
            live_after: Some(stored.is_live()),
            conversations_open: Some(unserved.open),
            conversations_ended: i64::try_from(unserved.rooms).ok(),
        };
        note_effects(&mut transaction, &stored, noted).await?;
        transaction.commit().await?;
        Ok(UpdatedWidget {
            stored,
            closed_rooms: unserved.rooms,
        })
    }

    async fn find_pinned(
        &self,
        organization: &OrganizationId,
        agent: AgentId,
        version: AgentVersionId,
    ) -> Result<PinnedVersion, StoreError> {
        let agents: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM agents WHERE organization_id = $1 AND id = $2",
        )
        .bind(organization.as_str())
        .bind(agent.as_uuid())
        .fetch_one(self.reader())
        .await?;
        let found: Option<(Uuid, Option<i64>)> = sqlx::query_as(
            "SELECT agent_id, published_at FROM agent_versions
             WHERE organization_id = $1 AND id = $2",
        )
        .bind(organization.as_str())
        .bind(version.as_uuid())
        .fetch_optional(self.reader())
        .await?;
        let version = found.map(|(agent, at)| (AgentId::from_uuid(agent), VersionStatus::of(at)));
        Ok(PinnedVersion::found(agent, agents > 0, version))
    }

    async fn count_open_by_page(&self, id: WidgetId) -> Result<Vec<(String, i64)>, StoreError> {
        rooms::count_open_by_page(self.reader(), id).await
    }

    async fn find_pinned_since(&self, id: WidgetId) -> Result<Option<OffsetDateTime>, StoreError> {
        let row = sqlx::query(
            "SELECT MIN(r.created_at) AS since
             FROM web_widgets w JOIN web_widget_revisions r ON r.web_widget_id = w.id
             WHERE w.id = $1 AND w.published AND r.number > COALESCE((
                 SELECT MAX(o.number) FROM web_widget_revisions o
                 WHERE o.web_widget_id = w.id AND NOT (o.published AND o.agent_id = w.agent_id
                     AND o.agent_version_id = w.agent_version_id)), 0)",
        )
        .bind(id.as_uuid())
        .fetch_one(self.reader())
        .await?;
        // What cannot be read says nothing.
        let since: Option<i64> = row.try_get("since").unwrap_or_default();
        Ok(since.map(nearest_time_of))
    }

    async fn list_widget_revisions(
        &self,
        organization: &OrganizationId,
        id: WidgetId,
        below: i64,
        limit: u32,
    ) -> Result<Page<WidgetRevision>, StoreError> {
        let sizes: Vec<i64> = sqlx::query_scalar(concat!(
            select_size!("r"),
            " FROM web_widgets w JOIN web_widget_revisions r ON r.web_widget_id = w.id
             WHERE w.organization_id = $1 AND w.id = $2 AND r.number < $3
             ORDER BY r.number DESC LIMIT $4"
        ))
        .bind(organization.as_str())
        .bind(id.as_uuid())
        .bind(below)
        .bind(i64::from(limit) + 1)
        .fetch_all(self.reader())
        .await?;
        let limit = count_fitting(&sizes, limit, 2);
        let rows = sqlx::query(concat!(
            "SELECT ",
            record_columns!("r"),
            ", ",
            revision_columns!(),
            " FROM web_widgets w JOIN web_widget_revisions r ON r.web_widget_id = w.id
             LEFT JOIN api_keys k ON k.id = r.api_key_id
             WHERE w.organization_id = $1 AND w.id = $2 AND r.number < $3
             ORDER BY r.number DESC LIMIT $4"
        ))
        .bind(organization.as_str())
        .bind(id.as_uuid())
        .bind(below)
        .bind(i64::from(limit) + 1)
        .fetch_all(self.reader())
        .await?;
        let rows = Page::of_lookahead(rows, limit);
        let items: Result<_, _> = rows.iter().map(|row| read_revision(row, self)).collect();
        Ok(Page {
            items: items?,
            has_more: rows.has_more,
        })
    }
}

/// Adds the condition, the order and the length of a page, of a table with these columns of the
/// cursor; one row more than `limit` says whether the list continues.
pub(super) fn push_page(
    query: &mut QueryBuilder<Database>,
    page: ListPage,
    time: &str,
    id: &str,
    limit: u32,
) {
    if let Some((at, last)) = page.before {
        query.push(format!(" AND ({time}, {id}) < (")).push_bind(at);
        query.push(", ").push_bind(last).push(")");
    }
    query
        .push(format!(" ORDER BY {time} DESC, {id} DESC LIMIT "))
        .push_bind(i64::from(limit) + 1);
}

/// Adds the conditions of a filter on a table with the alias `w`.
pub(super) fn push_filter(query: &mut QueryBuilder<Database>, filter: &WidgetFilter) {
    if let Some(prefix) = filter.id_prefix {
        push_prefix(query, "w.id", prefix);
    }
    if let Some(agent) = filter.agent_id {
        query.push(" AND w.agent_id = ").push_bind(agent.as_uuid());
    }
    if let Some(version) = filter.agent_version_id {
        query
            .push(" AND w.agent_version_id = ")
            .push_bind(version.as_uuid());
    }
    if let Some(published) = filter.published {
        query.push(" AND w.published = ").push_bind(published);
    }
    if let Some(after) = filter.updated_after {
        query.push(" AND w.updated_at > ").push_bind(micros(after));
    }
    for (position, text) in filter.sites.iter().enumerate() {
        let start = if position == 0 { " AND (" } else { " OR " };
        query
            .push(start)
            .push("w.domains LIKE ")
            .push_bind(format!("%{text}%"));
    }
    if !filter.sites.is_empty() {
        query.push(")");
    }
}

/// Adds the condition that an id begins so.
pub(super) fn push_prefix(query: &mut QueryBuilder<Database>, id: &str, prefix: IdPrefix) {
    query
        .push(format!(" AND {id} BETWEEN "))
        .push_bind(prefix.first())
        .push(" AND ")
        .push_bind(prefix.last());
}

/// Whether a widget was live before it became `stored`, as far as that is known: what an agent
/// directory says of another version than the one that is pinned now, nobody has asked.
fn was_live(
    before: StoredWidget<WidgetRecord>,
    stored: &StoredWidget,
    author: Author<'_>,
) -> Option<bool> {
    let Ok(before) = before.readable() else {
        return Some(false);
    };
    let pin = |stored: &StoredWidget| (stored.widget.agent_id, stored.widget.agent_version_id);
    match author.directory {
        None => Some(before.is_live()),
        Some(_) if !before.widget.published => Some(false),
        Some(version) if pin(&before) == pin(stored) => {
            Some(before.with_directory(Some(version.clone())).is_live())
        }
        Some(_) => None,
    }
}

/// Stores the answer that a repetition of the request gets.
async fn keep_answer(
    transaction: &mut Transaction,
    stored: &StoredWidget,
    request: &IdempotentRequest<'_>,
) -> Result<(), StoreError> {
    let answer = (request.build_answer)(stored)
        .map_err(|error| StoreError::corrupt("web_widgets", &stored.widget.id, "config", &error))?;
    let organization = &stored.widget.organization_id;
    idempotency::keep_answer(transaction, organization, &request.request.key, &answer).await
}

async fn find_pin(transaction: &mut Transaction, widget: &Widget) -> Result<Pin, StoreError> {
    let (agent, version) = (widget.agent_id, widget.agent_version_id);
    Pin::find(transaction, &widget.organization_id, agent, version).await
}

/// Whether a widget was restored with an agent that is gone, and the change leaves it at that.
async fn keeps_pin(
    transaction: &mut Transaction,
    widget: &Widget,
    revision: i64,
) -> Result<bool, StoreError> {
    let kept: Option<i32> = sqlx::query_scalar(
        "SELECT 1 FROM web_widgets
         WHERE organization_id = $1 AND id = $2 AND revision = $3 AND agent_id = $4
             AND agent_version_id = $5 AND NOT pin_registered",
    )
    .bind(widget.organization_id.as_str())
    .bind(widget.id.as_uuid())
    .bind(revision)
    .bind(widget.agent_id.as_uuid())
    .bind(widget.agent_version_id.as_uuid())
    .fetch_optional(&mut *transaction)
    .await?;
    Ok(kept.is_some())
}

/// The registry changed between the read and the write.
fn dangling(error: sqlx::Error, widget: &Widget) -> WriteWidgetError {
    let error = StoreError::from(error);
    if error.is_dangling() {
        WriteWidgetError::Dangling {
            agent: Some(widget.agent_id),
            version: Some(widget.agent_version_id),
        }
    } else {
        error.into()
    }
}

/// Fails when the organization has as many widgets as it may.
pub(super) async fn require_capacity(
    transaction: &mut Transaction,
    organization: &OrganizationId,
) -> Result<(), WriteWidgetError> {
    // Reads of an index alone, and never more than matter.
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM
             (SELECT 1 FROM web_widgets WHERE organization_id = $1 LIMIT $2) AS counted",
    )
    .bind(organization.as_str())
    .bind(MAX_WIDGETS)
    .fetch_one(&mut *transaction)
    .await
    .map_err(StoreError::from)?;
    Ok(require_widget_capacity(count)?)
}
