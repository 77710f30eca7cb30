//! SQL of how long content is kept.

use time::OffsetDateTime;
use uuid::Uuid;
use widget_core::id::{ConversationId, OrganizationId, WidgetId};

use super::{Backend, Row, row::Columns};
use crate::storage::{
    driver::micros,
    error::StoreError,
    retentions::{RetentionKey, RetentionStore, StoredRetention},
    sweep::{SweepBatch, SweepPosition},
    table::table,
};

table! {
    retention_columns, read_retention from "retentions" by "organization_id";
    organization_id: parsed(str::parse),
    web_widget_id: get(),
    days: get(),
    => |row| -> StoredRetention {
        let days: i64 = days;
        let web_widget_id: Uuid = web_widget_id;
        Ok(StoredRetention {
            organization_id,
            web_widget_id: (!web_widget_id.is_nil()).then(|| WidgetId::from_uuid(web_widget_id)),
            days: u32::try_from(days).map_err(|error| row.corrupt("days", &error))?,
        })
    }
}

/// The key of a widget, or of the whole organization.
fn key_of(widget: Option<WidgetId>) -> Uuid {
    widget.map_or(Uuid::nil(), WidgetId::as_uuid)
}

#[async_trait::async_trait]
impl RetentionStore for Backend {
    async fn set_retention(
        &self,
        organization: &OrganizationId,
        widget: Option<WidgetId>,
        days: Option<u32>,
        api_key_id: &str,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let Some(days) = days else {
            sqlx::query("DELETE FROM retentions WHERE organization_id = $1 AND web_widget_id = $2")
                .bind(organization.as_str())
                .bind(key_of(widget))
                .execute(self.writer())
                .await?;
            return Ok(());
        };
        sqlx::query(
            "INSERT INTO retentions (organization_id, web_widget_id, days, api_key_id, updated_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (organization_id, web_widget_id)
             DO UPDATE SET days = $3, api_key_id = $4, updated_at = $5",
        )
        .bind(organization.as_str())
        .bind(key_of(widget))
        .bind(i64::from(days))
        .bind(api_key_id)
        .bind(micros(now))
        .execute(self.writer())
        .await?;
        Ok(())
    }

    async fn find_retention(
        &self,
        organization: &OrganizationId,
        widget: Option<WidgetId>,
    ) -> Result<Option<u32>, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT ",
            retention_columns!(),
            " FROM retentions WHERE organization_id = $1 AND web_widget_id = $2"
        ))
        .bind(organization.as_str())
        .bind(key_of(widget))
        .fetch_optional(self.reader())
        .await?;
        let read = row.as_ref().map(read_retention).transpose();
        Ok(self.unreadable().noted(read)?.map(|set| set.days))
    }

    async fn list_retentions(
        &self,
        position: &SweepPosition<RetentionKey>,
        limit: u32,
    ) -> Result<SweepBatch<StoredRetention, RetentionKey>, StoreError> {
        let after = position.after.as_ref();
        let (organization, widget) = after.map_or(("", Uuid::nil()), |(organization, widget)| {
            (organization.as_str(), key_of(*widget))
        });
        let rows = sqlx::query(concat!(
            "SELECT ",
            retention_columns!(),
            " FROM retentions WHERE (organization_id, web_widget_id) > ($1, $2)
             ORDER BY organization_id, web_widget_id LIMIT $3 OFFSET $4"
        ))
        .bind(organization)
        .bind(widget)
        .bind(i64::from(limit))
        .bind(position.unreadable)
        .fetch_all(self.reader())
        .await?;
        let rows = rows.iter().map(|row| {
            let read = read_retention(row)?;
            let key = (read.organization_id.clone(), read.web_widget_id);
            Ok((read, key))
        });
        self.unreadable().batch(rows, position, limit)
    }

    async fn find_expired_conversations(
        &self,
        of: Option<&StoredRetention>,
        ended_before: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<ConversationId>, StoreError> {
        let query = match of {
            None => sqlx::query(
                "SELECT id FROM conversations WHERE erased_at IS NULL AND ended_at > 0 AND ended_at < $1
                 ORDER BY ended_at LIMIT $2",
            ),
            Some(StoredRetention {
                web_widget_id: None,
                ..
            }) => sqlx::query(
                "SELECT id FROM conversations
                 WHERE erased_at IS NULL AND ended_at > 0 AND ended_at < $1 AND organization_id = $3
                 ORDER BY ended_at LIMIT $2",
            ),
            Some(_) => sqlx::query(
                "SELECT id FROM conversations
                 WHERE erased_at IS NULL AND ended_at > 0 AND ended_at < $1 AND organization_id = $3
                     AND web_widget_id = $4
                 ORDER BY ended_at LIMIT $2",
            ),
        };
        let mut query = query.bind(micros(ended_before)).bind(i64::from(limit));
        if let Some(of) = of {
            query = query.bind(of.organization_id.as_str());
            if let Some(widget) = of.web_widget_id {
                query = query.bind(widget.as_uuid());
            }
        }
        let rows = query.fetch_all(self.reader()).await?;
        let read =
            |row| Columns::new(row, "conversations", "id").id("id", ConversationId::from_uuid);
        self.unreadable().skip_all(rows.iter().map(read))
    }
}
