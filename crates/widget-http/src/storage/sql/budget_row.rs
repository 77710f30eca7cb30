//! What a conversation needs of the budgets of a day: checked at its start, counted in the
//! transaction that writes its join, and settled in the one that changes its state.

use std::collections::BTreeMap;

use time::{Duration, OffsetDateTime};
use widget_core::{
    conversation::{
        Lifecycle,
        budget::{
            Amounts, BudgetError, Budgets, Call, CallState, CallStep, Day, DayUse, Owner,
            RESERVED_SECONDS, Reservation, used_seconds,
        },
    },
    id::{ConversationId, OrganizationId, WidgetId},
};

use super::{Row, Transaction, rooms, row::Columns};
use crate::storage::{
    budgets::BudgetOwner,
    conversations::ConversationRecord,
    driver::{micros, nearest_time_of},
    error::StoreError,
    table::table,
};

/// What a conversation counts for.
#[derive(Debug, Clone, Copy)]
pub(super) struct BudgetRow {
    reservation: Option<Reservation>,
    day: Day,
    owners: Owners,
    pub(super) call: Option<Call>,
}

/// Whose budgets something is counted on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Owners {
    pub(super) organization: bool,
    pub(super) widget: bool,
}

impl Owners {
    /// Those who limit conversations.
    pub(super) fn of_conversations(budgets: &Budgets) -> Self {
        Self {
            organization: budgets.organization_day.conversations.is_some(),
            widget: budgets.widget_day.conversations.is_some(),
        }
    }

    /// Those who limit voice.
    fn of_voice(budgets: &Budgets) -> Self {
        Self {
            organization: budgets.organization_day.voice_minutes.is_some(),
            widget: budgets.widget_day.voice_minutes.is_some(),
        }
    }

    /// Whether it is counted at all.
    pub(super) const fn is_any(self) -> bool {
        self.organization || self.widget
    }

    /// In the order in which their rows are locked.
    fn list(self) -> impl Iterator<Item = Owner> {
        let counts = move |owner: &Owner| match owner {
            Owner::Organization => self.organization,
            Owner::Widget => self.widget,
        };
        Owner::ALL.iter().copied().filter(counts)
    }
}

table! {
    budget_columns, read_budget from "conversations" by "id";
    budget_state: optional_parsed(str::parse),
    budget_day: get(),
    budget_organization: get(),
    budget_widget: get(),
    call_state: optional_parsed(str::parse),
    call_until: optional_nearest_time(),
    call_quiet_since: optional_nearest_time(),
    => |row| -> BudgetRow {
        let day: Option<i64> = budget_day;
        let running = || {
            let until = call_until.ok_or_else(|| row.corrupt("call_until", &"it is missing"))?;
            Ok::<_, StoreError>(Call::Running { until, quiet_since: call_quiet_since })
        };
        Ok(BudgetRow {
            reservation: budget_state,
            day: Day::from_number(day.unwrap_or_default()),
            owners: Owners { organization: budget_organization, widget: budget_widget },
            call: match call_state {
                None => None,
                Some(CallState::Waiting) => Some(Call::Waiting),
                Some(CallState::Running) => Some(running()?),
            },
        })
    }
}

pub(super) use budget_columns;

/// A conversation with those on whose days it is counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct BudgetedConversation<'a> {
    pub(super) id: ConversationId,
    pub(super) organization_id: &'a OrganizationId,
    pub(super) web_widget_id: WidgetId,
}

impl<'a> From<&'a ConversationRecord> for BudgetedConversation<'a> {
    fn from(conversation: &'a ConversationRecord) -> Self {
        Self {
            id: conversation.id,
            organization_id: &conversation.organization_id,
            web_widget_id: conversation.web_widget_id,
        }
    }
}

impl<'a> BudgetedConversation<'a> {
    const fn owner(self, owner: Owner) -> BudgetOwner<'a> {
        match owner {
            Owner::Organization => BudgetOwner::Organization(self.organization_id),
            Owner::Widget => BudgetOwner::Widget(self.organization_id, self.web_widget_id),
        }
    }
}

/// A day of an owner, locked until the transaction ends.
struct LockedDay {
    key: String,
    day: Day,
    conversations: DayUse,
    voice_seconds: DayUse,
    max: Amounts,
}

/// Locks a day; nothing when nobody has counted on it.
async fn lock_day(
    transaction: &mut Transaction,
    owner: BudgetOwner<'_>,
    day: Day,
) -> Result<Option<LockedDay>, StoreError> {
    type Found = (i64, i64, i64, i64, Option<i64>, Option<i64>);
    let key = owner.to_string();
    let found: Option<Found> = sqlx::query_as(
        "UPDATE budget_days SET voice_used = voice_used WHERE owner = $1 AND day = $2
         RETURNING conversations_used, conversations_reserved, voice_used, voice_reserved,
             conversations_max, voice_max",
    )
    .bind(&key)
    .bind(day.number())
    .fetch_optional(&mut *transaction)
    .await?;
    Ok(found.map(
        |(used, reserved, voice_used, voice_reserved, max, voice_max)| LockedDay {
            key,
            day,
            conversations: DayUse { used, reserved },
            voice_seconds: DayUse {
                used: voice_used,
                reserved: voice_reserved,
            },
            max: Amounts {
                conversations: max.unwrap_or(i64::MAX),
                voice_seconds: voice_max.unwrap_or(i64::MAX),
            },
        },
    ))
}

/// Counts a conversation that was just joined; `false`, and nothing is written, when others have
/// used up a budget.
pub(super) async fn join(
    transaction: &mut Transaction,
    conversation: BudgetedConversation<'_>,
    budget: BudgetRow,
) -> Result<bool, StoreError> {
    if budget.reservation != Some(Reservation::Reserved) {
        return Ok(true);
    }
    // Both, because the call that may begin with the join needs the same rows in the same order.
    for owner in Owner::ALL.iter().copied() {
        let owner_of = conversation.owner(owner);
        let locked = lock_day(transaction, owner_of, budget.day).await?;
        let Some(locked) = locked.filter(|_| budget.owners.list().any(|other| other == owner))
        else {
            continue;
        };
        if locked
            .conversations
            .join(locked.max.conversations)
            .is_none()
        {
            return Ok(false);
        }
    }
    settle_conversation(transaction, conversation, budget, Reservation::Used).await?;
    Ok(true)
}

/// Reserves the first minutes of a call whose visitor has joined; `false`, and nothing is written,
/// when they are used up.
async fn begin_call(
    transaction: &mut Transaction,
    conversation: BudgetedConversation<'_>,
    joined_at: OffsetDateTime,
) -> Result<bool, StoreError> {
    let waiting: Vec<(i64, bool, bool)> = sqlx::query_as(
        "UPDATE voice_reservations SET starts_at = $2
         WHERE conversation_id = $1 AND starts_at IS NULL
         RETURNING day, of_organization, of_widget",
    )
    .bind(conversation.id.as_uuid())
    .bind(micros(joined_at))
    .fetch_all(&mut *transaction)
    .await?;
    let mut days = Vec::new();
    for (day, organization, widget) in waiting {
        let owners = Owners {
            organization,
            widget,
        };
        for owner in owners.list() {
            let day = Day::from_number(day);
            days.extend(lock_day(transaction, conversation.owner(owner), day).await?);
        }
    }
    let has_minutes = |day: &LockedDay| {
        let max = day.max.voice_seconds;
        day.voice_seconds.reserve(RESERVED_SECONDS, max).is_some()
    };
    if !days.iter().all(has_minutes) {
        sqlx::query("DELETE FROM voice_reservations WHERE conversation_id = $1")
            .bind(conversation.id.as_uuid())
            .execute(&mut *transaction)
            .await?;
        return Ok(false);
    }
    for LockedDay { key, day, .. } in days {
        sqlx::query(
            "UPDATE budget_days SET voice_reserved = voice_reserved + $3
             WHERE owner = $1 AND day = $2",
        )
        .bind(key)
        .bind(day.number())
        .bind(RESERVED_SECONDS)
        .execute(&mut *transaction)
        .await?;
    }
    Ok(true)
}

/// Settles what the present state of a conversation decides: the one place that every change of a
/// state leads to.
pub(super) async fn follow(
    transaction: &mut Transaction,
    conversation: BudgetedConversation<'_>,
    lifecycle: &Lifecycle,
    budget: BudgetRow,
) -> Result<(), StoreError> {
    if let Some(before) = budget.reservation {
        let after = before.follow(lifecycle);
        if after != before {
            settle_conversation(transaction, conversation, budget, after).await?;
        }
    }
    if let Some(call) = budget.call {
        let step = call.follow(lifecycle);
        if step != CallStep::Keep(call) {
            apply(transaction, conversation, step, lifecycle.token_at()).await?;
        }
    }
    Ok(())
}

async fn settle_conversation(
    transaction: &mut Transaction,
    conversation: BudgetedConversation<'_>,
    budget: BudgetRow,
    after: Reservation,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE conversations SET budget_state = $2 WHERE id = $1 AND budget_state = $3",
    )
    .bind(conversation.id.as_uuid())
    .bind(after.as_str())
    .bind(Reservation::Reserved.as_str())
    .execute(&mut *transaction)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(());
    }
    for owner in budget.owners.list() {
        sqlx::query(
            "UPDATE budget_days
             SET conversations_reserved = conversations_reserved - 1,
                 conversations_used = conversations_used + $3
             WHERE owner = $1 AND day = $2",
        )
        .bind(conversation.owner(owner).to_string())
        .bind(budget.day.number())
        .bind(after.used())
        .execute(&mut *transaction)
        .await?;
    }
    Ok(())
}

/// Sets aside what is needed, of each owner who limits it, or fails for the first who has no more.
///
/// What waits to be joined sets nothing aside: it is checked, and the conversation is counted as
/// waiting. Call it last: others who need the same rows wait until the transaction ends.
pub(super) async fn reserve<E>(
    transaction: &mut Transaction,
    conversation: &ConversationRecord,
    needed: Amounts,
    budgets: &Budgets,
    now: OffsetDateTime,
) -> Result<(), E>
where
    E: From<BudgetError> + From<StoreError>,
{
    for owner in Owner::ALL.iter().copied() {
        let budget = budgets.day(owner);
        let needed = needed.limited_by(budget);
        if needed.is_nothing() {
            continue;
        }
        let (owner_of, day) = (
            BudgetedConversation::from(conversation).owner(owner),
            Day::of(now),
        );
        let key = owner_of.to_string();
        let waits = conversation.lifecycle.is_unjoined();
        if set_aside(transaction, &key, day, needed, waits, budget.max()).await? {
            continue;
        }
        // Nobody has counted on this day yet, or there is no more.
        insert_day(transaction, owner_of, day).await?;
        if set_aside(transaction, &key, day, needed, waits, budget.max()).await? {
            continue;
        }
        let conversations = find_conversations(transaction, &key, day).await?;
        let conversations = conversations.unwrap_or_default();
        return Err(budgets.used_up(owner, conversations, needed, now).into());
    }
    Ok(())
}

async fn set_aside(
    transaction: &mut Transaction,
    owner: &str,
    day: Day,
    needed: Amounts,
    waits: bool,
    max: Amounts,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE budget_days
         SET conversations_reserved = conversations_reserved + $3,
             voice_reserved = voice_reserved + $7, conversations_max = $5, voice_max = $6
         WHERE owner = $1 AND day = $2
             AND ($3 = 0 OR conversations_used + $3 <= $5)
             AND ($4 = 0 OR voice_used + voice_reserved + $4 <= $6)",
    )
    .bind(owner)
    .bind(day.number())
    .bind(needed.conversations)
    .bind(needed.voice_seconds)
    .bind(max.conversations)
    .bind(max.voice_seconds)
    .bind(if waits { 0 } else { needed.voice_seconds })
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected() > 0)
}

async fn find_conversations(
    transaction: &mut Transaction,
    owner: &str,
    day: Day,
) -> Result<Option<DayUse>, StoreError> {
    let found: Option<(i64, i64)> = sqlx::query_as(
        "SELECT conversations_used, conversations_reserved FROM budget_days
         WHERE owner = $1 AND day = $2",
    )
    .bind(owner)
    .bind(day.number())
    .fetch_optional(&mut *transaction)
    .await?;
    Ok(found.map(|(used, reserved)| DayUse { used, reserved }))
}

/// Conversations of an owner's day that were joined and are not counted otherwise. One that nobody
/// counted when it began, and that still waits, is never counted. Those of previews count to no
/// day.
///
/// Which of them are a widget's is for the count to decide, and not a condition: so only the index
/// of the organization by time fits, which finds those of today. One of the widget has all that it
/// ever had.
macro_rules! uncounted {
    ($is_of_owner:literal, $counted:literal) => {
        concat!(
            "COUNT(*) FILTER (WHERE ",
            $is_of_owner,
            ")
             FROM conversations
             WHERE organization_id = $3 AND created_at >= $4 AND joined_at IS NOT NULL
                 AND preview_id IS NULL AND NOT (",
            $counted,
            " AND budget_state IN ($5, $6))"
        )
    };
}

macro_rules! insert_day {
    ($is_of_owner:literal, $counted:literal) => {
        concat!(
            "INSERT INTO budget_days (owner, day, conversations_reserved, voice_used,
                 voice_reserved, conversations_used)
             SELECT $1, $2, 0, 0, 0, ",
            uncounted!($is_of_owner, $counted),
            " ON CONFLICT (owner, day) DO NOTHING"
        )
    };
}

macro_rules! recount_day {
    ($is_of_owner:literal, $counted:literal) => {
        concat!(
            "UPDATE budget_days SET conversations_used = (SELECT ",
            uncounted!($is_of_owner, $counted),
            ") WHERE owner = $1 AND day = $2"
        )
    };
}

async fn execute_on_day(
    transaction: &mut Transaction,
    owner: BudgetOwner<'_>,
    day: Day,
    [of_organization, of_widget]: [&'static str; 2],
) -> Result<(), StoreError> {
    let (statement, organization, widget) = match owner {
        BudgetOwner::Organization(id) => (of_organization, id, None),
        BudgetOwner::Widget(organization, id) => (of_widget, organization, Some(id)),
    };
    let mut query = sqlx::query(statement)
        .bind(owner.to_string())
        .bind(day.number())
        .bind(organization.as_str())
        .bind(micros(day.starts_at()))
        .bind(Reservation::Reserved.as_str())
        .bind(Reservation::Returned.as_str());
    if let Some(widget) = widget {
        query = query.bind(widget.as_uuid());
    }
    query.execute(&mut *transaction).await?;
    Ok(())
}

/// Makes the row of a day if it is missing; only then it counts conversations, which takes as long
/// as there are many.
pub(super) async fn insert_day(
    transaction: &mut Transaction,
    owner: BudgetOwner<'_>,
    day: Day,
) -> Result<(), StoreError> {
    if find_conversations(transaction, &owner.to_string(), day)
        .await?
        .is_some()
    {
        return Ok(());
    }
    let statements = [
        insert_day!("TRUE", "budget_organization"),
        insert_day!("web_widget_id = $7", "budget_widget"),
    ];
    execute_on_day(transaction, owner, day, statements).await
}

/// Counts again what was used on a day; its row is locked already.
pub(super) async fn recount_day(
    transaction: &mut Transaction,
    owner: BudgetOwner<'_>,
    day: Day,
) -> Result<(), StoreError> {
    let statements = [
        recount_day!("TRUE", "budget_organization"),
        recount_day!("web_widget_id = $7", "budget_widget"),
    ];
    execute_on_day(transaction, owner, day, statements).await
}

/// Notes minutes of a call: set aside from `starts_at` on, or needed once the visitor joins.
pub(super) async fn insert_voice(
    transaction: &mut Transaction,
    id: ConversationId,
    budgets: &Budgets,
    starts_at: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let owners = Owners::of_voice(budgets);
    sqlx::query(
        "INSERT INTO voice_reservations
             (conversation_id, number, day, of_organization, of_widget, starts_at)
         SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5
         FROM voice_reservations WHERE conversation_id = $1",
    )
    .bind(id.as_uuid())
    .bind(Day::of(now).number())
    .bind(owners.organization)
    .bind(owners.widget)
    .bind(starts_at.map(micros))
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// Writes a call; `None` when it is over.
pub(super) async fn write_call(
    transaction: &mut Transaction,
    id: ConversationId,
    call: Option<Call>,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let (until, quiet_since) = match call {
        None | Some(Call::Waiting) => (None, None),
        Some(Call::Running { until, quiet_since }) => (Some(until), quiet_since),
    };
    // One that waits is looked at, too, in case a node of the release before saw what it waits for.
    let later = now + Duration::seconds(RESERVED_SECONDS);
    let check_at = call.map(|call| call.check_at(now).unwrap_or(later));
    sqlx::query(
        "UPDATE conversations
         SET call_state = $2, call_until = $3, call_quiet_since = $4, call_check_at = $5
         WHERE id = $1",
    )
    .bind(id.as_uuid())
    .bind(call.map(|call| call.state().as_str()))
    .bind(until.map(micros))
    .bind(quiet_since.map(micros))
    .bind(check_at.map(micros))
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// Writes what becomes of a call. A step that needs more than the call's own rows is not for here:
/// see `calls.rs`.
pub(super) async fn apply(
    transaction: &mut Transaction,
    conversation: BudgetedConversation<'_>,
    step: CallStep,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let id = conversation.id;
    match step {
        CallStep::Keep(call) => write_call(transaction, id, Some(call), now).await,
        CallStep::Begin(joined_at) => {
            if begin_call(transaction, conversation, joined_at).await? {
                let call = Call::running_from(joined_at);
                write_call(transaction, id, Some(call), joined_at).await
            } else {
                // The visitor continues in writing, in another room.
                rooms::mark_all_for_removal(transaction, id, joined_at).await?;
                write_call(transaction, id, None, joined_at).await
            }
        }
        CallStep::Settle(stopped_at) => {
            settle_voice(transaction, conversation, stopped_at).await?;
            write_call(transaction, id, None, now).await
        }
        CallStep::Remove(until) => {
            settle_voice(transaction, conversation, Some(until)).await?;
            write_call(transaction, id, None, now).await
        }
        CallStep::Extend => Ok(()),
    }
}

/// Settles every reservation of a call, each once: the row is deleted with it.
async fn settle_voice(
    transaction: &mut Transaction,
    conversation: BudgetedConversation<'_>,
    stopped_at: Option<OffsetDateTime>,
) -> Result<(), StoreError> {
    let settled: Vec<(i64, bool, bool, Option<i64>)> = sqlx::query_as(
        "DELETE FROM voice_reservations WHERE conversation_id = $1
         RETURNING day, of_organization, of_widget, starts_at",
    )
    .bind(conversation.id.as_uuid())
    .fetch_all(&mut *transaction)
    .await?;
    let mut days: BTreeMap<(i64, usize), (Owner, i64, i64)> = BTreeMap::new();
    for (day, organization, widget, starts_at) in settled {
        if starts_at.is_none() {
            // It waited to be joined, with nothing set aside.
            continue;
        }
        let used = used_seconds(starts_at.map(nearest_time_of), stopped_at);
        let owners = Owners {
            organization,
            widget,
        };
        for owner in owners.list() {
            let order = match owner {
                Owner::Organization => 0,
                Owner::Widget => 1,
            };
            let (_, reserved, all_used) = days.entry((day, order)).or_insert((owner, 0, 0));
            *reserved += RESERVED_SECONDS;
            *all_used += used;
        }
    }
    for ((day, _), (owner, reserved, used)) in days {
        sqlx::query(
            "UPDATE budget_days
             SET voice_reserved = voice_reserved - $3, voice_used = voice_used + $4
             WHERE owner = $1 AND day = $2",
        )
        .bind(conversation.owner(owner).to_string())
        .bind(day)
        .bind(reserved)
        .bind(used)
        .execute(&mut *transaction)
        .await?;
    }
    Ok(())
}
