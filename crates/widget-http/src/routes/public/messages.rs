//! The window's own report of what was said, for workers that report nothing.
//!
//! A visitor can write anything here, so it is stored apart from the worker's report and never
//! shown as the worker's.

use axum::{Json, extract::State};
use widget_api::{
    ProblemCode,
    visitors::{ReportedTurn, TurnReport, TurnsReported},
};
use widget_core::conversation::{
    Reporter,
    transcript::Message,
    turns::{self, ReportLimits, Turn},
};

use super::token::OwnConversation;
use crate::{
    state::AppState,
    visitors::refusals,
    web::{
        api::{self, ApiRouter, Credential},
        extract::StrictJson,
        problem::Problem,
    },
};

/// Bytes of one request: a batch of long turns.
const BODY_LIMIT: usize = 128 * 1024;

/// What a window may report at once.
const LIMITS: ReportLimits = ReportLimits::WINDOW;

pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new().route(
        api::post(
            "/core/public/web-widgets/{id}/conversations/{cid}/messages",
            "reportMessages",
            "Reports the turns that the window saw, for workers that do not",
        )
        .credential(Credential::ConversationToken)
        .body::<TurnReport>()
        .answer::<TurnsReported>(200, "How many were new.")
        .problems([ProblemCode::ConversationEnded, ProblemCode::TranscriptFull]),
        report,
    )
}

fn build_turn(turn: &ReportedTurn) -> Turn<'_> {
    Turn {
        id: &turn.id,
        text: &turn.text,
        // A visitor's clock may be anywhere: `said_at` moves its time into the conversation.
        said_at: None,
    }
}

async fn report(
    State(state): State<AppState>,
    OwnConversation(conversation): OwnConversation,
    StrictJson(body): StrictJson<TurnReport, BODY_LIMIT>,
) -> Result<Json<TurnsReported>, Problem> {
    let turns: Vec<Turn<'_>> = body.messages.iter().map(build_turn).collect();
    LIMITS
        .check(&turns, "/messages")
        .map_err(refusals::turns_invalid)?;
    state.rate_limits.reports.check(&conversation.id)?;
    let now = state.now();
    conversation
        .lifecycle
        .require_open(now, &state.lifecycle_limits)?;
    let messages: Vec<Message> = body
        .messages
        .into_iter()
        .map(|message| Message {
            id: message.id,
            role: message.role,
            text: message.text,
            created_at: turns::said_at(
                Reporter::Visitor,
                message.created_at.map(Into::into),
                conversation.created_at,
                now,
            ),
            reported_by: Reporter::Visitor,
        })
        .collect();
    let added = state
        .storage
        .append_messages(conversation.id, &messages, now, &state.lifecycle_limits)
        .await?;
    Ok(Json(TurnsReported { added }))
}
