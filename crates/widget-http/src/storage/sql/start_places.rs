//! SQL of where conversations were started, as long as nobody has joined them.

use time::OffsetDateTime;
use widget_core::{
    conversation::{
        Status,
        budget::{BudgetError, Budgets, StartRange, Unjoined},
    },
    id::ConversationId,
};

use super::{LOCK_NAME, Transaction};
use crate::storage::{
    conversations::StartPlace,
    driver::{micros, nearest_time_of},
    error::StoreError,
};

const COUNT_OF_ADDRESS: &str = "SELECT COUNT(*), MIN(due_at) FROM conversations
    WHERE start_address = $1 AND status = $2 AND due_at > $3 AND id <> $4";

const COUNT_OF_NETWORK: &str = "SELECT COUNT(*), MIN(due_at) FROM conversations
    WHERE start_network = $1 AND status = $2 AND due_at > $3 AND id <> $4";

/// Whether `waiting` may wait at a place beside the others there, and keeps others from being
/// written there until the transaction ends.
///
/// What is due counts no more, even before the sweep has ended it.
pub(super) async fn require_space<E>(
    transaction: &mut Transaction,
    place: &StartPlace,
    waiting: ConversationId,
    budgets: &Budgets,
    now: OffsetDateTime,
) -> Result<(), E>
where
    E: From<BudgetError> + From<StoreError>,
{
    // One lock for both ranges: a network contains its addresses.
    let range = place.network.as_ref().unwrap_or(&place.address);
    lock_name(transaction, range).await?;
    let counted = [
        (StartRange::Address, COUNT_OF_ADDRESS, Some(&place.address)),
        (
            StartRange::Network,
            COUNT_OF_NETWORK,
            place.network.as_ref(),
        ),
    ];
    for (range, statement, hash) in counted {
        let Some(hash) = hash else { continue };
        let unjoined = count(transaction, statement, hash, waiting, now).await?;
        budgets.require_unjoined(range, unjoined, now)?;
    }
    Ok(())
}

async fn count(
    transaction: &mut Transaction,
    statement: &'static str,
    hash: &str,
    waiting: ConversationId,
    now: OffsetDateTime,
) -> Result<Unjoined, StoreError> {
    let (count, first): (i64, Option<i64>) = sqlx::query_as(statement)
        .bind(hash)
        .bind(Status::TokenCreated.as_str())
        .bind(micros(now))
        .bind(waiting.as_uuid())
        .fetch_one(&mut *transaction)
        .await?;
    Ok(Unjoined {
        count,
        first_fails_at: first.map(nearest_time_of),
    })
}

/// Keeps others from locking this name until the transaction ends.
async fn lock_name(transaction: &mut Transaction, name: &str) -> Result<(), StoreError> {
    if let Some(statement) = LOCK_NAME {
        sqlx::query(statement)
            .bind(name)
            .execute(&mut *transaction)
            .await?;
    }
    Ok(())
}
