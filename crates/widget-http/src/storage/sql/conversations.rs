//! SQL of how conversations start and are resumed, and of how they are found.

use sqlx::QueryBuilder;
use widget_core::{
    conversation::{
        Mode, Status,
        budget::{Amounts, Budgets, Call, Day, Reservation},
    },
    id::{ConversationId, OrganizationId, PreviewId},
};

use super::{
    Backend, Database, Transaction,
    budget_row::{Owners, budget_columns, insert_voice, read_budget, reserve, write_call},
    calls,
    conversation_row::{
        conversation_columns, lock_conversation, read_conversation, read_kept, write_state,
    },
    counted::running_voice,
    insert_once, previews, rooms,
    start_places::{self, Counted},
    widgets::{push_page, push_prefix},
};
use crate::storage::{
    conversations::{
        ConversationFilter, ConversationRecord, ConversationStore, CreateConversationError,
        NewConversation, PlaceHash, ResumeConversation, ResumeError, StartPlace,
        StoredConversation, UsedTicket,
    },
    driver::micros,
    error::StoreError,
    list_page::{ListPage, Page, count_fitting},
    meters::Change,
    unreadable::{Listed, StoredRow},
};

/// Uses up a ticket whose values are the arguments with these numbers.
macro_rules! use_ticket {
    ($id:literal, $expires_at:literal) => {
        concat!(
            "INSERT INTO used_tickets (id, expires_at) VALUES (",
            $id,
            ", ",
            $expires_at,
            ") ON CONFLICT DO NOTHING"
        )
    };
}

#[async_trait::async_trait]
impl ConversationStore for Backend {
    async fn create_conversation(
        &self,
        new: &NewConversation,
    ) -> Result<(), CreateConversationError> {
        let conversation = &new.conversation;
        // One of a preview counts to no place, and to no bound but those of its link.
        let preview = conversation.preview_id;
        let place = new.place.as_ref().filter(|_| preview.is_none());
        let budgets = counted_budgets(preview, &new.budgets);
        let owners = Owners::of_conversations(&budgets);
        let mut transaction = self.begin_at(place).await?;
        // Written before the rules decide, which saves a message; a refusal rolls it back.
        let counted: Option<Counted> = sqlx::query_as(insert_once!(
            use_ticket!("$26", "$27"),
            "INSERT INTO conversations (id, organization_id, web_widget_id, agent_id, agent_version_id,
                 livekit_agent_name, origin, status, mode, custom_metadata, generation, repeat_used, created_at,
                 token_at, due_at, start_address, start_network, budget_state, budget_day,
                 budget_organization, budget_widget, preview_id, start_mode)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                 $22, $9",
            rooms::insert_room!("$23", "$1", "$11", "$13", "$24", "$25"),
            start_places::count_on_widget_and_of_address!("$3", "$28", "$16", "$29", "$13")
        ))
        .bind(conversation.id.as_uuid())
        .bind(conversation.organization_id.as_str())
        .bind(conversation.web_widget_id.as_uuid())
        .bind(conversation.agent_id.as_uuid())
        .bind(conversation.agent_version_id.as_uuid())
        .bind(&conversation.livekit_agent_name)
        .bind(conversation.origin.as_str())
        .bind(conversation.lifecycle.status().as_str())
        .bind(conversation.mode.as_str())
        .bind(&conversation.custom_metadata)
        .bind(conversation.generation)
        .bind(conversation.repeat_used)
        .bind(micros(conversation.created_at))
        .bind(micros(conversation.lifecycle.token_at()))
        .bind(conversation.lifecycle.due_at(&new.limits).map(micros))
        .bind(place.map(|place| place.address.as_str()))
        .bind(place.and_then(network_of))
        .bind(owners.is_any().then_some(Reservation::Reserved.as_str()))
        .bind(owners.is_any().then(|| Day::of(conversation.created_at).number()))
        .bind(owners.organization)
        .bind(owners.widget)
        .bind(preview.map(PreviewId::as_uuid))
        .bind(&new.room.name)
        .bind(new.room.page_changed)
        .bind(new.room.message_waiting)
        .bind(&new.ticket.id)
        .bind(micros(new.ticket.expires_at))
        .bind(Status::InProgress.as_str())
        .bind(Status::TokenCreated.as_str())
        .fetch_optional(&mut transaction)
        .await
        .map_err(StoreError::from)?;
        let Some(counted) = counted else {
            return Err(CreateConversationError::TicketReplayed);
        };
        if let Some(preview) = preview {
            let (id, now) = (conversation.id, conversation.created_at);
            previews::require_start(&mut transaction, preview, id, now).await?;
        } else {
            start_places::require_start(&mut transaction, new, counted).await?;
            transaction.note(Change::Started);
        }
        reserve_start(&mut transaction, conversation, &budgets).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn resume_conversation(
        &self,
        resume: &ResumeConversation,
    ) -> Result<ConversationRecord, ResumeError> {
        // Before the ticket, as a start does: two with one ticket would wait for each other.
        let mut transaction = self.begin_at(resume.place.as_ref()).await?;
        if !use_ticket(&mut transaction, &resume.ticket).await? {
            return Err(ResumeError::TicketReplayed);
        }
        let Some(current) = lock_conversation(&mut transaction, resume.id).await? else {
            return Err(ResumeError::Stale);
        };
        if current.generation != resume.generation {
            return Err(ResumeError::Stale);
        }
        let next = current.lifecycle.resume(resume.now, &resume.limits)?;
        let is_preview = current.preview_id.is_some();
        let place = resume.place.as_ref();
        let place = place.filter(|_| next.is_unjoined() && !is_preview);
        if let Some(place) = place {
            start_places::require_space::<ResumeError>(
                &mut transaction,
                place,
                resume.id,
                &resume.budgets,
                resume.now,
            )
            .await?;
        }
        write_state(&mut transaction, resume.id, next, &resume.limits).await?;
        let row = sqlx::query(concat!(
            "UPDATE conversations SET generation = generation + 1, mode = $2, repeat_used = $3,
                 start_address = $4, start_network = $5, voice_since = NULL,
                 voice_micros = voice_micros + ",
            running_voice!("$6"),
            "
             WHERE id = $1
             RETURNING ",
            conversation_columns!(),
            ", ",
            budget_columns!()
        ))
        .bind(resume.id.as_uuid())
        .bind(resume.mode.as_str())
        .bind(resume.repeat)
        .bind(place.map(|place| place.address.as_str()))
        .bind(place.and_then(network_of))
        .bind(micros(resume.now))
        .fetch_one(&mut transaction)
        .await
        .map_err(StoreError::from)?;
        let resumed = read_kept(&row)?;
        rooms::mark_all_for_removal(&mut transaction, resume.id, resume.now).await?;
        rooms::insert(
            &mut transaction,
            &resume.room,
            resume.id,
            resumed.generation,
            resume.now,
        )
        .await?;
        let call = read_budget(&row)?.call;
        let budgets = counted_budgets(resumed.preview_id, &resume.budgets);
        calls::resume::<ResumeError>(&mut transaction, &resumed, call, &budgets, resume.now)
            .await?;
        if !is_preview {
            transaction.note(Change::Resumed);
        }
        transaction.commit().await?;
        Ok(resumed)
    }

    async fn find_conversation(
        &self,
        id: ConversationId,
    ) -> Result<Option<ConversationRecord>, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT ",
            conversation_columns!(),
            " FROM conversations WHERE id = $1"
        ))
        .bind(id.as_uuid())
        .fetch_optional(self.reader())
        .await?;
        self.unreadable()
            .noted(row.as_ref().map(read_kept).transpose())
    }

    async fn find_organization_conversation(
        &self,
        organization: &OrganizationId,
        id: ConversationId,
    ) -> Result<Option<StoredConversation>, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT ",
            conversation_columns!(),
            " FROM conversations WHERE organization_id = $1 AND id = $2"
        ))
        .bind(organization.as_str())
        .bind(id.as_uuid())
        .fetch_optional(self.reader())
        .await?;
        self.unreadable()
            .noted(row.as_ref().map(read_conversation).transpose())
    }

    async fn list_conversations(
        &self,
        organization: &OrganizationId,
        filter: &ConversationFilter,
        page: ListPage,
    ) -> Result<Page<Listed<StoredRow<StoredConversation>>>, StoreError> {
        // So many digits name what was made within a minute, and only the index of ids finds that:
        // the condition on the organization must not suggest another one.
        let of_organization = match filter.id_prefix {
            Some(prefix) if prefix.digits() >= 8 => "COALESCE(organization_id, '') = ",
            _ => "organization_id = ",
        };
        let select = |start: &'static str, limit: u32| {
            let mut query = QueryBuilder::<Database>::new(start);
            query.push(of_organization);
            query.push_bind(organization.as_str());
            push_filter(&mut query, filter);
            push_page(&mut query, page, "created_at", "id", limit);
            query
        };
        let sizes: Vec<i64> = select(
            "SELECT CAST(OCTET_LENGTH(custom_metadata) AS BIGINT) FROM conversations WHERE ",
            page.limit,
        )
        .build_query_scalar()
        .fetch_all(self.reader())
        .await?;
        let limit = count_fitting(&sizes, page.limit, 1);
        let rows = select(
            concat!(
                "SELECT ",
                conversation_columns!(),
                " FROM conversations WHERE "
            ),
            limit,
        )
        .build()
        .fetch_all(self.reader())
        .await?;
        let rows = Page::of_lookahead(rows, limit);
        self.list(&rows, "conversations", "created_at", |row| {
            self.unreadable().keep(read_conversation(row))
        })
    }
}

/// The budgets to which a conversation counts: one of a preview counts to that of its link alone.
pub(super) fn counted_budgets(preview: Option<PreviewId>, budgets: &Budgets) -> Budgets {
    match preview {
        None => *budgets,
        Some(_) => budgets.of_preview(),
    }
}

/// Reserves a conversation, and the first minutes of one that begins with a call, where they are
/// limited.
async fn reserve_start(
    transaction: &mut Transaction,
    conversation: &ConversationRecord,
    budgets: &Budgets,
) -> Result<(), CreateConversationError> {
    let now = conversation.created_at;
    let has_call = conversation.mode == Mode::Voice && budgets.limit_voice();
    if has_call {
        insert_voice(transaction, conversation.id, budgets, None, now).await?;
        write_call(transaction, conversation.id, Some(Call::Waiting), now).await?;
    }
    let needed = Amounts {
        conversations: 1,
        voice_seconds: if has_call {
            calls::MINUTES.voice_seconds
        } else {
            0
        },
    };
    reserve(transaction, conversation, needed, budgets, now).await
}

/// Adds the conditions of a filter.
fn push_filter(query: &mut QueryBuilder<Database>, filter: &ConversationFilter) {
    if let Some(widget) = filter.web_widget_id {
        query
            .push(" AND web_widget_id = ")
            .push_bind(widget.as_uuid());
    }
    if let Some(after) = filter.created_after {
        query.push(" AND created_at > ").push_bind(micros(after));
    }
    if let Some(before) = filter.created_before {
        query.push(" AND created_at < ").push_bind(micros(before));
    }
    if let Some(prefix) = filter.id_prefix {
        push_prefix(query, "id", prefix);
    }
    if filter.not_ended {
        query.push(" AND ended_at IS NULL");
    }
    if filter.not_erased {
        query.push(" AND erased_at IS NULL");
    }
}

/// Uses up a ticket; `false` when it was used before.
async fn use_ticket(
    transaction: &mut Transaction,
    ticket: &UsedTicket,
) -> Result<bool, StoreError> {
    let done = sqlx::query(use_ticket!("$1", "$2"))
        .bind(&ticket.id)
        .bind(micros(ticket.expires_at))
        .execute(&mut *transaction)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// The network of a place as it is stored.
fn network_of(place: &StartPlace) -> Option<&str> {
    place.network.as_ref().map(PlaceHash::as_str)
}
