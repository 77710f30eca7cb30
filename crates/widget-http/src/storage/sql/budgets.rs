//! SQL of budgets: what keys set, what was used of it, and calls that are due. What conversations
//! reserve is in `budget_row.rs`, and what becomes of their calls in `calls.rs`.

use time::OffsetDateTime;
use uuid::Uuid;
use widget_core::{
    conversation::{
        LifecycleLimits,
        budget::{Audio, Budgets, Day, DayBudget, DayUse, Limits},
    },
    id::{ConversationId, OrganizationId, WidgetId},
};

use super::{
    Backend, Row, budget_row, calls,
    limits::{find_both, find_one},
    row::Columns,
};
use crate::storage::{
    budgets::{
        AudioEvent, BudgetOwner, BudgetStore, CallOutcome, DueCall, ReserveVoiceError,
        StoredLimits, StoredUse,
    },
    driver::micros,
    error::StoreError,
    sweep::{SweepBatch, SweepPosition},
    table::table,
    unreadable::ListPosition,
};

table! {
    unsettled_columns, read_unsettled from "conversations" by "id";
    budget_day: get(),
    id: id(ConversationId::from_uuid),
    => |row| -> (ConversationId, ListPosition<ConversationId>) {
        Ok((id, (budget_day, id)))
    }
}

/// With values in its text: so an index that has only reservations finds them.
const SELECT_UNSETTLED: &str = concat!(
    "SELECT ",
    unsettled_columns!(),
    " FROM conversations
     WHERE budget_state = 'reserved' AND status <> 'token_created' AND (budget_day, id) > ($1, $2)
     ORDER BY budget_day, id LIMIT $3 OFFSET $4"
);

table! {
    due_call_columns, read_due_call from "conversations" by "id";
    check_at = "call_check_at": get(),
    id: id(ConversationId::from_uuid),
    organization_id: parsed(str::parse),
    web_widget_id: id(WidgetId::from_uuid),
    => |row| -> (DueCall, ListPosition<ConversationId>) {
        Ok((DueCall { id, organization_id, web_widget_id }, (check_at, id)))
    }
}

#[async_trait::async_trait]
impl BudgetStore for Backend {
    async fn find_limits(
        &self,
        organization: &OrganizationId,
        widget: WidgetId,
    ) -> Result<StoredLimits, StoreError> {
        let keys = [
            BudgetOwner::Organization(organization).to_string(),
            BudgetOwner::widget_key(widget),
        ];
        find_both(self, keys).await
    }

    async fn find_owner_limits(&self, owner: BudgetOwner<'_>) -> Result<Limits, StoreError> {
        find_one(self, owner).await
    }

    async fn write_limits(
        &self,
        owner: BudgetOwner<'_>,
        limits: &Limits,
        budget: DayBudget,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO budget_limits (owner, conversations_per_day, voice_minutes_per_day,
                 open_conversations, new_per_minute, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (owner) DO UPDATE SET conversations_per_day = $2,
                 voice_minutes_per_day = $3, open_conversations = $4, new_per_minute = $5,
                 updated_at = $6",
        )
        .bind(owner.to_string())
        .bind(limits.conversations_per_day.map(i64::from))
        .bind(limits.voice_minutes_per_day.map(i64::from))
        .bind(limits.open_conversations.map(i64::from))
        .bind(limits.new_per_minute.map(i64::from))
        .bind(micros(now))
        .execute(&mut transaction)
        .await?;
        let day = Day::of(now);
        if budget.conversations.is_some() {
            budget_row::insert_day(&mut transaction, owner, day).await?;
        }
        // Locked before it is counted, so that a start is seen or waits.
        sqlx::query(
            "UPDATE budget_days SET conversations_max = $3, voice_max = $4
             WHERE owner = $1 AND day = $2",
        )
        .bind(owner.to_string())
        .bind(day.number())
        .bind(budget.max().conversations)
        .bind(budget.max().voice_seconds)
        .execute(&mut transaction)
        .await?;
        if budget.conversations.is_some() {
            budget_row::recount_day(&mut transaction, owner, day).await?;
        }
        transaction.commit().await
    }

    async fn find_day_use(
        &self,
        owner: BudgetOwner<'_>,
        day: Day,
    ) -> Result<StoredUse, StoreError> {
        let found: Option<(i64, i64, i64, i64)> = sqlx::query_as(
            "SELECT conversations_used, conversations_reserved, voice_used, voice_reserved
             FROM budget_days WHERE owner = $1 AND day = $2",
        )
        .bind(owner.to_string())
        .bind(day.number())
        .fetch_optional(self.reader())
        .await?;
        let (used, reserved, voice_used, voice_reserved) = found.unwrap_or_default();
        Ok(StoredUse {
            conversations: DayUse { used, reserved },
            voice_seconds: DayUse {
                used: voice_used,
                reserved: voice_reserved,
            },
        })
    }

    async fn reserve_voice(
        &self,
        id: ConversationId,
        budgets: &Budgets,
        now: OffsetDateTime,
        limits: &LifecycleLimits,
    ) -> Result<Option<OffsetDateTime>, ReserveVoiceError> {
        calls::reserve_voice(self, id, budgets, now, limits).await
    }

    async fn apply_audio_event(
        &self,
        event: &AudioEvent<'_>,
        operator: &Budgets,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        match calls::apply_audio_event(self, event, operator, now).await {
            // Nothing of it changes anymore.
            Err(StoreError::Erased(_)) => Ok(false),
            applied => Ok(self.unreadable().skip(applied)?.unwrap_or(false)),
        }
    }

    async fn find_due_calls(
        &self,
        now: OffsetDateTime,
        position: &SweepPosition<ListPosition<ConversationId>>,
        limit: u32,
    ) -> Result<SweepBatch<DueCall, ListPosition<ConversationId>>, StoreError> {
        let (after_time, after_id) = position
            .after
            .map_or((i64::MIN, Uuid::nil()), |(check_at, id)| {
                (check_at, id.as_uuid())
            });
        let rows = sqlx::query(concat!(
            "SELECT ",
            due_call_columns!(),
            " FROM conversations
             WHERE call_check_at <= $1 AND (call_check_at, id) > ($2, $3)
             ORDER BY call_check_at, id LIMIT $4 OFFSET $5"
        ))
        .bind(micros(now))
        .bind(after_time)
        .bind(after_id)
        .bind(i64::from(limit))
        .bind(position.unreadable)
        .fetch_all(self.reader())
        .await?;
        let rows = rows.iter().map(read_due_call);
        self.unreadable().batch(rows, position, limit)
    }

    async fn check_call(
        &self,
        id: ConversationId,
        audio: Audio,
        budgets: &Budgets,
        now: OffsetDateTime,
    ) -> Result<CallOutcome, StoreError> {
        calls::check_call(self, id, audio, budgets, now).await
    }

    async fn find_unsettled(
        &self,
        position: &SweepPosition<ListPosition<ConversationId>>,
        limit: u32,
    ) -> Result<SweepBatch<ConversationId, ListPosition<ConversationId>>, StoreError> {
        let (after_day, after_id) = position
            .after
            .map_or((i64::MIN, Uuid::nil()), |(day, id)| (day, id.as_uuid()));
        let rows = sqlx::query(SELECT_UNSETTLED)
            .bind(after_day)
            .bind(after_id)
            .bind(i64::from(limit))
            .bind(position.unreadable)
            .fetch_all(self.reader())
            .await?;
        let rows = rows.iter().map(read_unsettled);
        self.unreadable().batch(rows, position, limit)
    }

    async fn settle_ended(&self, id: ConversationId) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let locked = calls::lock(&mut transaction, id).await;
        // One that cannot be read keeps its reservation.
        if let Some(Some((conversation, budget))) = self.unreadable().skip(locked)? {
            let (counted, lifecycle) = ((&conversation).into(), &conversation.lifecycle);
            budget_row::follow(&mut transaction, counted, lifecycle, budget).await?;
            transaction.commit().await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use widget_core::conversation::{Status, budget::Reservation};

    use super::SELECT_UNSETTLED;

    #[test]
    fn values_in_statements_are_those_of_core() {
        let reserved = format!("budget_state = '{}'", Reservation::Reserved.as_str());
        let waiting = format!("status <> '{}'", Status::TokenCreated.as_str());
        assert!(SELECT_UNSETTLED.contains(&reserved) && SELECT_UNSETTLED.contains(&waiting));
        let migrations = [
            include_str!("../../../migrations/sqlite/20261128090000_budgets.sql"),
            include_str!("../../../migrations/postgres/20261128090000_budgets.sql"),
        ];
        for migration in migrations {
            let index = format!("ON conversations (budget_day) WHERE {reserved}");
            assert!(migration.contains(&index), "{index}");
        }
    }
}
