//! SQL of calls whose minutes are limited: reserved before they are used, extended, and settled.

use time::OffsetDateTime;
use uuid::Uuid;
use widget_core::{
    conversation::{
        LifecycleLimits, Mode,
        budget::{Amounts, Audio, BudgetError, Budgets, Call, CallStep, RESERVED_SECONDS},
        room,
    },
    id::ConversationId,
};

use super::{
    Backend, Transaction,
    budget_row::{
        BudgetRow, apply, budget_columns, insert_voice, read_budget, reserve, write_call,
    },
    conversation_row::{conversation_columns, read_kept},
    counted, limits, rooms,
    webhooks::{end_of, has_ended, note},
};
use crate::storage::{
    budgets::{AudioEvent, CallOutcome, ReserveVoiceError},
    conversations::ConversationRecord,
    error::StoreError,
};

/// What is needed for the next minutes of a call.
pub(super) const MINUTES: Amounts = Amounts {
    conversations: 0,
    voice_seconds: RESERVED_SECONDS,
};

/// Reads a conversation with what it has reserved, and locks it. One that was erased is
/// [`StoreError::Erased`].
pub(super) async fn lock(
    transaction: &mut Transaction,
    id: ConversationId,
) -> Result<Option<(ConversationRecord, BudgetRow)>, StoreError> {
    let row = sqlx::query(concat!(
        "UPDATE conversations SET generation = generation WHERE id = $1 RETURNING ",
        conversation_columns!(),
        ", ",
        budget_columns!()
    ))
    .bind(id.as_uuid())
    .fetch_optional(&mut *transaction)
    .await?;
    row.as_ref()
        .map(|row| Ok((read_kept(row)?, read_budget(row)?)))
        .transpose()
}

/// Reserves minutes for a conversation in which the visitor is about to speak.
pub(super) async fn begin<E>(
    transaction: &mut Transaction,
    conversation: &ConversationRecord,
    budgets: &Budgets,
    now: OffsetDateTime,
) -> Result<Call, E>
where
    E: From<BudgetError> + From<StoreError>,
{
    let call = Call::reserved(&conversation.lifecycle, now);
    let starts_at = (call != Call::Waiting).then_some(now);
    insert_voice(transaction, conversation.id, budgets, starts_at, now).await?;
    write_call(transaction, conversation.id, Some(call), now).await?;
    reserve::<E>(transaction, conversation, MINUTES, budgets, now).await?;
    Ok(call)
}

/// What a resume in another mode means for the call.
pub(super) async fn resume<E>(
    transaction: &mut Transaction,
    conversation: &ConversationRecord,
    call: Option<Call>,
    budgets: &Budgets,
    now: OffsetDateTime,
) -> Result<(), E>
where
    E: From<BudgetError> + From<StoreError>,
{
    match (conversation.mode, call) {
        (Mode::Voice, None) if budgets.limit_voice() => {
            begin::<E>(transaction, conversation, budgets, now).await?;
        }
        (Mode::Text, Some(call)) => {
            apply(transaction, conversation.into(), call.stop(now), now).await?;
        }
        _ => {}
    }
    Ok(())
}

pub(super) async fn reserve_voice(
    backend: &Backend,
    id: ConversationId,
    budgets: &Budgets,
    now: OffsetDateTime,
    lifecycle: &LifecycleLimits,
) -> Result<Option<OffsetDateTime>, ReserveVoiceError> {
    let mut transaction = backend.begin().await?;
    let Some((conversation, row)) = lock(&mut transaction, id).await? else {
        return Err(ReserveVoiceError::Missing);
    };
    conversation.lifecycle.require_open(now, lifecycle)?;
    // A preview's minutes count to no budget, so that none are reserved.
    if conversation.preview_id.is_some() {
        return Ok(None);
    }
    let call = match row.call {
        Some(call) => {
            // The voice is about to come, so the call is not over for being quiet.
            let call = call.heard(true, now);
            write_call(&mut transaction, id, Some(call), now).await?;
            call
        }
        None => begin::<ReserveVoiceError>(&mut transaction, &conversation, budgets, now).await?,
    };
    transaction.commit().await?;
    Ok(match call {
        Call::Waiting => None,
        Call::Running { until, .. } => Some(until),
    })
}

pub(super) async fn apply_audio_event(
    backend: &Backend,
    event: &AudioEvent<'_>,
    operator: &Budgets,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    counted::note_voice(backend, event.room, event.is_published, now).await?;
    // Most calls are not limited, and cost reads only.
    let found: Option<(Option<String>, String, Uuid, Option<Uuid>)> = sqlx::query_as(
        "SELECT c.call_state, c.organization_id, c.web_widget_id, c.preview_id
         FROM rooms r JOIN conversations c ON c.id = r.conversation_id WHERE r.name = $1",
    )
    .bind(event.room)
    .fetch_optional(backend.reader())
    .await?;
    let Some((call, organization, widget, preview)) = found else {
        return Ok(false);
    };
    // Its minutes count to no budget.
    if preview.is_some() {
        return Ok(false);
    }
    if call.is_none() && !limits::limit_voice(backend, &organization, widget, operator).await? {
        return Ok(false);
    }
    let mut transaction = backend.begin().await?;
    if !note(&mut transaction, event.id, now).await? {
        return Ok(false);
    }
    let Some(room) = rooms::by_name(&mut transaction, event.room).await? else {
        return Ok(false);
    };
    let Some((conversation, row)) = lock(&mut transaction, room.conversation_id).await? else {
        return Ok(false);
    };
    let ended = event.track.map(end_of);
    if let Some(ended) = ended.as_deref().filter(|_| !event.is_published) {
        note(&mut transaction, ended, now).await?;
    }
    let is_newest = room::is_newest(
        &conversation.lifecycle,
        conversation.newest(),
        room.generation,
    );
    let is_past = event.is_published && has_ended(&mut transaction, [ended, None]).await?;
    let mut is_removed = false;
    if is_newest && !room.is_removed() && !is_past {
        match row.call {
            Some(call) => {
                let call = call.heard(event.is_published, now);
                write_call(&mut transaction, conversation.id, Some(call), now).await?;
            }
            None if event.is_published => {
                rooms::mark_for_removal(&mut transaction, &room.name, now).await?;
                is_removed = true;
            }
            None => {}
        }
    }
    transaction.commit().await?;
    Ok(is_removed)
}

pub(super) async fn check_call(
    backend: &Backend,
    id: ConversationId,
    audio: Audio,
    budgets: &Budgets,
    now: OffsetDateTime,
) -> Result<CallOutcome, StoreError> {
    let mut transaction = backend.begin().await?;
    let locked = match lock(&mut transaction, id).await {
        // Its call ended with it.
        Err(StoreError::Erased(_)) => return Ok(CallOutcome::Over),
        locked => locked?,
    };
    let Some((conversation, row)) = locked else {
        return Ok(CallOutcome::Over);
    };
    let Some(call) = row.call else {
        return Ok(CallOutcome::Over);
    };
    let mut step = match call.follow(&conversation.lifecycle) {
        CallStep::Keep(call) => call.check(audio, budgets.limit_voice(), now),
        step => step,
    };
    if step == CallStep::Extend {
        if extend(transaction, &conversation, call, budgets, now).await? {
            return Ok(CallOutcome::Continues);
        }
        // What was begun is undone: a statement that failed leaves nothing behind.
        transaction = backend.begin().await?;
        let Some((_, row)) = lock(&mut transaction, id).await? else {
            return Ok(CallOutcome::Over);
        };
        let Some(call) = row.call else {
            return Ok(CallOutcome::Over);
        };
        step = call.refused(now);
    }
    apply(&mut transaction, (&conversation).into(), step, now).await?;
    let outcome = match step {
        CallStep::Keep(_) | CallStep::Begin(_) | CallStep::Extend => CallOutcome::Continues,
        CallStep::Settle(_) => CallOutcome::Over,
        CallStep::Remove(_) => {
            rooms::mark_all_for_removal(&mut transaction, id, now).await?;
            CallOutcome::Removed
        }
    };
    transaction.commit().await?;
    Ok(outcome)
}

/// Writes that a call got more minutes; `false`, and nothing is written, when none are left.
async fn extend(
    mut transaction: Transaction,
    conversation: &ConversationRecord,
    call: Call,
    budgets: &Budgets,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let Call::Running { until, .. } = call else {
        return Ok(false);
    };
    insert_voice(&mut transaction, conversation.id, budgets, Some(until), now).await?;
    write_call(
        &mut transaction,
        conversation.id,
        Some(call.extended()),
        now,
    )
    .await?;
    match reserve::<ReserveVoiceError>(&mut transaction, conversation, MINUTES, budgets, now).await
    {
        Ok(()) => {
            transaction.commit().await?;
            Ok(true)
        }
        Err(ReserveVoiceError::Store(error)) => Err(error),
        Err(_) => Ok(false),
    }
}
