//! SQL of the limits that keys have set.

use uuid::Uuid;
use widget_core::{
    conversation::budget::{Budgets, Limits},
    id::WidgetId,
};

use super::{Backend, Row, row::Columns};
use crate::storage::{
    budgets::{BudgetOwner, StoredLimits},
    error::StoreError,
    table::table,
};

/// The limits of one owner.
pub(super) struct OwnedLimits {
    owner: String,
    limits: Limits,
}

table! {
    limit_columns, read_limits from "budget_limits" by "owner";
    owner: get(),
    conversations_per_day: get(),
    voice_minutes_per_day: get(),
    open_conversations: get(),
    new_per_minute: get(),
    => |row| -> OwnedLimits {
        Ok(OwnedLimits {
            owner,
            limits: Limits {
                conversations_per_day: to_limit(conversations_per_day),
                voice_minutes_per_day: to_limit(voice_minutes_per_day),
                open_conversations: to_limit(open_conversations),
                new_per_minute: to_limit(new_per_minute),
            },
        })
    }
}

/// The nearest number that can be a limit.
fn to_limit(stored: Option<i64>) -> Option<u32> {
    stored.map(|limit| u32::try_from(limit.max(0)).unwrap_or(u32::MAX))
}

/// Whether anybody limits the voice on a widget.
pub(super) async fn limit_voice(
    backend: &Backend,
    organization: &str,
    widget: Uuid,
    operator: &Budgets,
) -> Result<bool, StoreError> {
    if operator.limit_voice() {
        return Ok(true);
    }
    let keys = [
        format!("organization {organization}"),
        BudgetOwner::widget_key(WidgetId::from_uuid(widget)),
    ];
    let found = find_both(backend, keys).await?;
    Ok(operator
        .with_limits(&found.organization, &found.widget)
        .limit_voice())
}

/// The limits of an organization and of a widget, by the keys of both.
pub(super) async fn find_both(
    backend: &Backend,
    [organization, widget]: [String; 2],
) -> Result<StoredLimits, StoreError> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        limit_columns!(),
        " FROM budget_limits WHERE owner IN ($1, $2)"
    ))
    .bind(organization.as_str())
    .bind(widget.as_str())
    .fetch_all(backend.reader())
    .await?;
    let mut found = StoredLimits::default();
    for row in &rows {
        let OwnedLimits { owner, limits } = read_limits(row)?;
        if owner == widget {
            found.widget = limits;
        } else {
            found.organization = limits;
        }
    }
    Ok(found)
}

/// The limits of one owner.
pub(super) async fn find_one(
    backend: &Backend,
    owner: BudgetOwner<'_>,
) -> Result<Limits, StoreError> {
    let row = sqlx::query(concat!(
        "SELECT ",
        limit_columns!(),
        " FROM budget_limits WHERE owner = $1"
    ))
    .bind(owner.to_string())
    .fetch_optional(backend.reader())
    .await?;
    let found = row.as_ref().map(read_limits).transpose()?;
    Ok(found.map(|found| found.limits).unwrap_or_default())
}
