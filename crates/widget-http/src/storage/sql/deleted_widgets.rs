//! SQL of deleted widgets. They are moved with their history into tables of their own, and back.

use sqlx::{QueryBuilder, Row as _};
use time::OffsetDateTime;
use widget_core::{
    id::{AgentId, AgentVersionId, OrganizationId, WidgetId},
    unreadable::WidgetRecord,
};

use super::{
    Backend, Database, rooms,
    widget_row::{
        Pin, deleted_columns, finish_write, read_deleted, record_columns, select_deleted,
        select_size,
    },
    widgets::{push_filter, push_page, require_capacity},
};
use crate::storage::{
    deleted_widgets::{DeletedWidget, DeletedWidgetStore},
    driver::micros,
    error::StoreError,
    list_page::{ListPage, Page, count_fitting},
    unreadable::Listed,
    widgets::{Author, StoredWidget, WidgetFilter, WriteWidgetError},
};

/// Copies what a widget is into another table, where further columns get the values beside them.
macro_rules! copy_widget {
    ($source:literal => $target:literal, $more:literal = $values:literal) => {
        concat!(
            "INSERT INTO ",
            $target,
            " (id, organization_id, created_at, revision, ",
            record_columns!(),
            ", ",
            $more,
            ") SELECT id, organization_id, created_at, revision, ",
            record_columns!(),
            ", ",
            $values,
            " FROM ",
            $source,
            " WHERE id = $1"
        )
    };
}

/// Copies the revisions of a widget into another table.
macro_rules! copy_revisions {
    ($source:literal => $target:literal) => {
        concat!(
            "INSERT INTO ",
            $target,
            " (web_widget_id, number, api_key_id, restored_from, created_at, live_before, live_after,
                 conversations_open, conversations_ended, ",
            record_columns!(),
            ") SELECT web_widget_id, number, api_key_id, restored_from, created_at, live_before,
                 live_after, conversations_open, conversations_ended, ",
            record_columns!(),
            " FROM ",
            $source,
            " WHERE web_widget_id = $1"
        )
    };
}

#[async_trait::async_trait]
impl DeletedWidgetStore for Backend {
    async fn delete_widget(
        &self,
        organization: &OrganizationId,
        id: WidgetId,
        revision: Option<i64>,
        api_key_id: &str,
        now: OffsetDateTime,
    ) -> Result<Option<u64>, WriteWidgetError> {
        let mut transaction = self.begin().await?;
        // Locks the row, so that nobody changes it while it is moved.
        let found = sqlx::query(
            "UPDATE web_widgets SET revision = revision WHERE organization_id = $1 AND id = $2
             RETURNING revision",
        )
        .bind(organization.as_str())
        .bind(id.as_uuid())
        .fetch_optional(&mut transaction)
        .await
        .map_err(StoreError::from)?;
        let Some(found) = found else { return Ok(None) };
        // Whoever names a revision has read it; without one, any row can be deleted.
        let found: i64 = found.try_get("revision").unwrap_or_default();
        if revision.is_some_and(|revision| revision != found) {
            return Err(WriteWidgetError::Stale);
        }
        sqlx::query(copy_widget!(
            "web_widgets" => "deleted_web_widgets",
            "updated_at, deleted_at, deleted_by" = "updated_at, $2, $3"
        ))
        .bind(id.as_uuid())
        .bind(micros(now))
        .bind(api_key_id)
        .execute(&mut transaction)
        .await
        .map_err(StoreError::from)?;
        for statement in [
            copy_revisions!("web_widget_revisions" => "deleted_web_widget_revisions"),
            "DELETE FROM web_widgets WHERE id = $1",
        ] {
            sqlx::query(statement)
                .bind(id.as_uuid())
                .execute(&mut transaction)
                .await
                .map_err(StoreError::from)?;
        }
        let closed_rooms = rooms::mark_widget_for_removal(&mut transaction, id, None, now).await?;
        transaction.commit().await?;
        Ok(Some(closed_rooms))
    }

    async fn list_deleted_widgets(
        &self,
        organization: &OrganizationId,
        filter: &WidgetFilter,
        page: ListPage,
    ) -> Result<Page<Listed<DeletedWidget>>, StoreError> {
        let select = |start: &'static str, limit: u32| {
            let mut query = QueryBuilder::<Database>::new(start);
            query.push_bind(organization.as_str());
            push_filter(&mut query, filter);
            push_page(&mut query, page, "w.deleted_at", "w.id", limit);
            query
        };
        let sizes = concat!(
            select_size!("w"),
            " FROM deleted_web_widgets w WHERE w.organization_id = "
        );
        let sizes: Vec<i64> = select(sizes, page.limit)
            .build_query_scalar()
            .fetch_all(self.reader())
            .await?;
        let limit = count_fitting(&sizes, page.limit, 1);
        let rows = select(select_deleted!("WHERE w.organization_id = "), limit)
            .build()
            .fetch_all(self.reader())
            .await?;
        let rows = Page::of_lookahead(rows, limit);
        self.list(&rows, "deleted_web_widgets", "deleted_at", |row| {
            read_deleted(row, self)
        })
    }

    async fn find_deleted_widget(
        &self,
        organization: &OrganizationId,
        id: WidgetId,
    ) -> Result<Option<DeletedWidget>, StoreError> {
        let row = sqlx::query(select_deleted!(
            "WHERE w.organization_id = $1 AND w.id = $2"
        ))
        .bind(organization.as_str())
        .bind(id.as_uuid())
        .fetch_optional(self.reader())
        .await?;
        row.as_ref().map(|row| read_deleted(row, self)).transpose()
    }

    async fn restore_widget(
        &self,
        organization: &OrganizationId,
        id: WidgetId,
        revision: i64,
        api_key_id: &str,
        now: OffsetDateTime,
    ) -> Result<StoredWidget<WidgetRecord>, WriteWidgetError> {
        let mut transaction = self.begin().await?;
        // Locks the row, so that it is restored once; it is restored as it is then: unpublished.
        let found = sqlx::query(
            "UPDATE deleted_web_widgets SET published = FALSE
             WHERE organization_id = $1 AND id = $2 AND revision = $3
             RETURNING agent_id, agent_version_id",
        )
        .bind(organization.as_str())
        .bind(id.as_uuid())
        .bind(revision)
        .fetch_optional(&mut transaction)
        .await
        .map_err(StoreError::from)?;
        let found = found.ok_or(WriteWidgetError::Stale)?;
        let agent = found.try_get("agent_id").map(AgentId::from_uuid);
        let version = found
            .try_get("agent_version_id")
            .map(AgentVersionId::from_uuid);
        require_capacity(&mut transaction, organization).await?;
        // Ids that cannot be read are in no registry.
        let is_registered = match (agent, version) {
            (Ok(agent), Ok(version)) => {
                let pin = Pin::find(&mut transaction, organization, agent, version).await?;
                pin.is_registered()
            }
            _ => false,
        };
        sqlx::query(copy_widget!(
            "deleted_web_widgets" => "web_widgets",
            "updated_at, pin_registered" = "$2, $3"
        ))
        .bind(id.as_uuid())
        .bind(micros(now))
        .bind(is_registered)
        .execute(&mut transaction)
        .await
        .map_err(stale_if_dangling)?;
        for statement in [
            copy_revisions!("deleted_web_widget_revisions" => "web_widget_revisions"),
            "DELETE FROM deleted_web_widgets WHERE id = $1",
            "UPDATE web_widgets SET revision = revision + 1 WHERE id = $1",
        ] {
            sqlx::query(statement)
                .bind(id.as_uuid())
                .execute(&mut transaction)
                .await
                .map_err(StoreError::from)?;
        }
        let author = Author {
            api_key_id,
            restored_from: Some(revision),
            directory: None,
        };
        let stored = finish_write(&mut transaction, id, author, self).await?;
        transaction.commit().await?;
        Ok(stored)
    }
}

/// The agent was deleted after it was looked for.
fn stale_if_dangling(error: sqlx::Error) -> WriteWidgetError {
    let error = StoreError::from(error);
    if error.is_dangling() {
        WriteWidgetError::Stale
    } else {
        error.into()
    }
}
