//! Resuming a conversation: always in a new room, because only a new room gets an agent.

use axum::{Json, extract::State};
use widget_api::{
    ProblemCode,
    visitors::{ConversationResume, Joining},
};
use widget_core::{
    conversation::{
        self, ConversationEnded, EndReason,
        budget::{Day, Owner},
    },
    serve::{Dispatch, DispatchTarget},
};

use super::token::ResumableConversation;
use super::{
    bodies::{PreparedRoom, build_target, build_visitor_conversation, require_livekit},
    conversations::{build_used_ticket, hash_place},
    page::{PublicPath, require_admission_of_ticket, require_widget_of_ticket},
    tickets::require_ticket,
};
use crate::{
    state::AppState,
    storage::{BudgetOwner, ConversationRecord, NewRoom, ResumeConversation},
    web::{
        api::{self, ApiRouter, Credential},
        caller::CountedAddress,
        extract::StrictJson,
        problem::Problem,
    },
};

pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new().route(
        api::post(
            "/core/public/web-widgets/{id}/conversations/{cid}/resume",
            "resumeConversation",
            "Resumes the conversation in a new room",
        )
        .credential(Credential::ConversationToken)
        .body::<ConversationResume>()
        .answer::<Joining>(200, "Everything that is needed to join.")
        .problems([
            ProblemCode::ConversationEnded,
            ProblemCode::TicketRequired,
            ProblemCode::TicketInvalid,
            ProblemCode::TicketExpired,
            ProblemCode::TicketReplayed,
            ProblemCode::TicketWrongWidget,
            ProblemCode::WidgetUnavailable,
            ProblemCode::OriginChanged,
            ProblemCode::LivekitNotConfigured,
            ProblemCode::ModeDisabled,
            ProblemCode::ConversationResumedElsewhere,
            ProblemCode::BudgetUsedUp,
            ProblemCode::VoiceBudgetUsedUp,
        ]),
        resume,
    )
}

/// Why a visitor could not stay who joined when the budget of the day was used up.
async fn explain_late_join(
    state: &AppState,
    conversation: &ConversationRecord,
) -> Result<Problem, Problem> {
    let limits = state
        .find_visitor_limits(&conversation.organization_id, conversation.web_widget_id)
        .await?;
    let Some(ended_at) = conversation.lifecycle.ended_at() else {
        return Ok(ConversationEnded.into());
    };
    let now = state.now();
    let today = Day::of(now);
    let organization = &conversation.organization_id;
    let find_use = async |owner| state.storage.find_day_use(owner, today).await;
    let of_widget = find_use(BudgetOwner::Widget(
        organization,
        conversation.web_widget_id,
    ))
    .await?;
    let of_organization = find_use(BudgetOwner::Organization(organization)).await?;
    let error = limits
        .budgets
        .joined_too_late(ended_at, now, |owner| match owner {
            Owner::Widget => of_widget.conversations,
            Owner::Organization => of_organization.conversations,
        });
    Ok(error.map_or_else(|| ConversationEnded.into(), Into::into))
}

async fn resume(
    State(state): State<AppState>,
    path: PublicPath,
    CountedAddress(counted): CountedAddress,
    ResumableConversation {
        conversation,
        repeat,
    }: ResumableConversation,
    StrictJson(body): StrictJson<ConversationResume, 8192>,
) -> Result<Json<Joining>, Problem> {
    state.rate_limits.resumes.check(&conversation.id)?;
    let now = state.now();
    // Checked before the ticket is read, so that the window can offer a new conversation with it.
    let lifecycle = &conversation.lifecycle;
    if let Err(ended) = lifecycle.resume(now, &state.lifecycle_limits) {
        // A new one would be refused, too, and the window says when it is not.
        return Err(match lifecycle.end_reason() {
            Some(EndReason::BudgetUsedUp) => explain_late_join(&state, &conversation).await?,
            _ => ended.into(),
        });
    }
    let ticket = require_ticket(&state, &path, body.ticket.as_deref()).await?;
    let widget = require_widget_of_ticket(&state, &path, &ticket).await?;
    let admission = require_admission_of_ticket(&state, &widget, &ticket).await?;
    let config = admission.widget().config.current();
    let mode = conversation::choose_mode_for_resume(config, body.mode, conversation.mode)?;
    let target = DispatchTarget {
        mode,
        ..build_target(&conversation)
    };
    let dispatch = Dispatch::resume(&admission, target)?;
    let livekit = require_livekit(&state)?;
    let generation = conversation.generation;
    let prepared = PreparedRoom::new(&state, livekit, &dispatch, generation + 1).await?;
    let widget_limits = state
        .find_visitor_limits(&conversation.organization_id, conversation.web_widget_id)
        .await?;
    let request = ResumeConversation {
        id: conversation.id,
        generation,
        repeat,
        mode,
        room: NewRoom {
            name: prepared.room.as_str().to_owned(),
            page_changed: body.page_changed,
            message_waiting: body.message_waiting,
        },
        ticket: build_used_ticket(&ticket),
        place: hash_place(&state, counted).await?,
        budgets: widget_limits.budgets,
        now,
        limits: state.lifecycle_limits,
    };
    let resumed = state.storage.resume_conversation(&request).await?;
    state.room_cleaner.wake();
    let messages = state.storage.list_messages(resumed.id).await?;
    let body = build_visitor_conversation(&state, &resumed, messages);
    Ok(Json(prepared.into_body(livekit, body)))
}
