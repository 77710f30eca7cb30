//! SQL of what limits a start: where conversations were started, as long as nobody has joined them,
//! and how many are open.

use time::OffsetDateTime;
use widget_core::{
    conversation::{
        Status,
        budget::{BudgetError, Budgets, Owner, StartRange, Unjoined},
    },
    id::ConversationId,
};

use super::{LOCK_NAME, Transaction};
use crate::storage::{
    conversations::{CreateConversationError, NewConversation, StartPlace},
    driver::{micros, nearest_time_of},
    error::StoreError,
};

/// One way to the database for both.
const COUNT_ON_WIDGET_AND_OF_ADDRESS: &str = "SELECT
        (SELECT COUNT(*) FROM conversations
            WHERE web_widget_id = $5 AND status = $6 AND preview_id IS NULL),
        COUNT(*), MIN(due_at)
    FROM conversations WHERE start_address = $1 AND status = $2 AND due_at > $3 AND id <> $4";

const COUNT_ON_WIDGET: &str = "SELECT COUNT(*) FROM conversations
    WHERE web_widget_id = $1 AND status = $2 AND preview_id IS NULL";

const COUNT_IN_ORGANIZATION: &str = "SELECT COUNT(*) FROM conversations
    WHERE organization_id = $1 AND status = $2 AND ended_at IS NULL AND preview_id IS NULL";

const COUNT_OF_ADDRESS: &str = "SELECT COUNT(*), MIN(due_at) FROM conversations
    WHERE start_address = $1 AND status = $2 AND due_at > $3 AND id <> $4";

const COUNT_OF_NETWORK: &str = "SELECT COUNT(*), MIN(due_at) FROM conversations
    WHERE start_network = $1 AND status = $2 AND due_at > $3 AND id <> $4";

/// What is locked of a place, see [`lock`]: one name for both ranges, since a network contains its
/// addresses.
pub(super) fn name_of(place: &StartPlace) -> &str {
    place.network.as_ref().unwrap_or(&place.address)
}

/// Whether a conversation of no preview may start beside those that were joined and have not ended,
/// and beside those that wait at its place, which is locked. A burst may exceed the bounds of
/// widget and organization by as many as race.
pub(super) async fn require_start(
    transaction: &mut Transaction,
    new: &NewConversation,
) -> Result<(), CreateConversationError> {
    let (conversation, budgets, now) =
        (&new.conversation, &new.budgets, new.conversation.created_at);
    let (widget, joined) = (conversation.web_widget_id.as_uuid(), Status::InProgress);
    let (open, at_address) = match &new.place {
        None => {
            let query = sqlx::query_scalar(COUNT_ON_WIDGET).bind(widget);
            let open: i64 = query
                .bind(joined.as_str())
                .fetch_one(&mut *transaction)
                .await
                .map_err(StoreError::from)?;
            (open, None)
        }
        Some(place) => {
            let counted: (i64, i64, Option<i64>) = sqlx::query_as(COUNT_ON_WIDGET_AND_OF_ADDRESS)
                .bind(&place.address)
                .bind(Status::TokenCreated.as_str())
                .bind(micros(now))
                .bind(conversation.id.as_uuid())
                .bind(widget)
                .bind(joined.as_str())
                .fetch_one(&mut *transaction)
                .await
                .map_err(StoreError::from)?;
            (counted.0, Some(unjoined(counted.1, counted.2)))
        }
    };
    budgets.require_open(Owner::Widget, open)?;
    if budgets.open_in_organization.is_some() {
        let open: i64 = sqlx::query_scalar(COUNT_IN_ORGANIZATION)
            .bind(conversation.organization_id.as_str())
            .bind(joined.as_str())
            .fetch_one(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
        budgets.require_open(Owner::Organization, open)?;
    }
    if let Some(at_address) = at_address {
        budgets.require_unjoined(StartRange::Address, at_address, now)?;
    }
    if let Some(network) = new.place.as_ref().and_then(|place| place.network.as_ref()) {
        let id = conversation.id;
        let in_network = count(transaction, COUNT_OF_NETWORK, network, id, now).await?;
        budgets.require_unjoined(StartRange::Network, in_network, now)?;
    }
    Ok(())
}

/// Whether `waiting` may wait at a place beside the others there; the place is locked.
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
    Ok(unjoined(count, first))
}

fn unjoined(count: i64, first_due_at: Option<i64>) -> Unjoined {
    Unjoined {
        count,
        first_fails_at: first_due_at.map(nearest_time_of),
    }
}

/// Keeps others from being written at a place until the transaction ends.
pub(super) async fn lock(
    transaction: &mut Transaction,
    place: &StartPlace,
) -> Result<(), StoreError> {
    if let Some(statement) = LOCK_NAME {
        sqlx::query(statement)
            .bind(name_of(place))
            .execute(&mut *transaction)
            .await?;
    }
    Ok(())
}
