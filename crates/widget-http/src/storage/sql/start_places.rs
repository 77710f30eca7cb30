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

use super::Transaction;
use crate::storage::{
    conversations::{CreateConversationError, NewConversation, PlaceHash, StartPlace},
    driver::{micros, nearest_time_of},
    error::StoreError,
};

/// How many conversations are open on a widget, how many wait at an address, and when the first of
/// those fails; the values are the arguments with these numbers.
macro_rules! count_on_widget_and_of_address {
    ($widget:literal, $joined:literal, $address:literal, $waits:literal, $now:literal) => {
        concat!(
            "SELECT
                (SELECT COUNT(*) FROM conversations
                    WHERE web_widget_id = ",
            $widget,
            " AND status = ",
            $joined,
            " AND preview_id IS NULL),
                waiting.number, waiting.first_due_at
            FROM (SELECT COUNT(*) AS number, MIN(due_at) AS first_due_at FROM conversations
                WHERE start_address = ",
            $address,
            " AND status = ",
            $waits,
            " AND due_at > ",
            $now,
            ") AS waiting"
        )
    };
}

pub(super) use count_on_widget_and_of_address;

/// What [`count_on_widget_and_of_address`] selects.
pub(super) type Counted = (i64, i64, Option<i64>);

const COUNT_IN_ORGANIZATION: &str = "SELECT COUNT(*) FROM conversations
    WHERE organization_id = $1 AND status = $2 AND ended_at IS NULL AND preview_id IS NULL";

const COUNT_OF_ADDRESS: &str = "SELECT COUNT(*), MIN(due_at) FROM conversations
    WHERE start_address = $1 AND status = $2 AND due_at > $3 AND id <> $4";

const COUNT_OF_NETWORK: &str = "SELECT COUNT(*), MIN(due_at) FROM conversations
    WHERE start_network = $1 AND status = $2 AND due_at > $3 AND id <> $4";

/// Whether a conversation of no preview may start beside those that were joined and have not ended,
/// and beside those that wait at its place, which is locked; `counted` is without it. A burst may
/// exceed the bounds of widget and organization by as many as race.
pub(super) async fn require_start(
    transaction: &mut Transaction,
    new: &NewConversation,
    (open, waiting, first_due_at): Counted,
) -> Result<(), CreateConversationError> {
    let (conversation, budgets, now) =
        (&new.conversation, &new.budgets, new.conversation.created_at);
    budgets.require_open(Owner::Widget, open)?;
    if budgets.open_in_organization.is_some() {
        let open: i64 = sqlx::query_scalar(COUNT_IN_ORGANIZATION)
            .bind(conversation.organization_id.as_str())
            .bind(Status::InProgress.as_str())
            .fetch_one(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
        budgets.require_open(Owner::Organization, open)?;
    }
    let Some(place) = &new.place else {
        return Ok(());
    };
    let at_address = unjoined(waiting, first_due_at);
    budgets.require_unjoined(StartRange::Address, at_address, now)?;
    if let Some(network) = &place.network {
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
    hash: &PlaceHash,
    waiting: ConversationId,
    now: OffsetDateTime,
) -> Result<Unjoined, StoreError> {
    let (count, first): (i64, Option<i64>) = sqlx::query_as(statement)
        .bind(hash.as_str())
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
