//! The window's own report of what was said, for workers that report nothing.
//!
//! A visitor can write anything here, so it is kept apart from the worker's report and shown to
//! nobody else as its.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use widget_api::ProblemCode;
use widget_core::conversation::{
    Reporter, Role,
    transcript::Message,
    turns::{self, MAX_ID_CHARACTERS, ReportLimits, Turn},
};

use super::token::OwnConversation;
use crate::{
    state::AppState,
    visitors::refusals,
    web::{
        api::{self, ApiRouter, Credential},
        extract::{Parsed, StrictJson},
        problem::Problem,
        wire::Timestamp,
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
        .body::<ReportRequest>()
        .answer::<ReportedBody>(200, "How many were new.")
        .problems([
            ProblemCode::RateLimited,
            ProblemCode::ConversationEnded,
            ProblemCode::TranscriptFull,
        ]),
        report,
    )
}

/// Turns that a window saw.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "TurnReport")]
struct ReportRequest {
    /// The turns.
    #[schemars(length(max = LIMITS.max_turns))]
    messages: Vec<MessageRequest>,
}

/// A turn that a window saw.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "ReportedTurn")]
struct MessageRequest {
    /// Names the turn within the conversation.
    #[schemars(length(min = 1, max = MAX_ID_CHARACTERS))]
    id: String,
    /// Who said it.
    role: Parsed<Role>,
    /// What was said.
    text: String,
    /// When it was said; now, when not told.
    #[serde(default)]
    created_at: Option<Timestamp>,
}

impl MessageRequest {
    fn turn(&self) -> Turn<'_> {
        Turn {
            id: &self.id,
            text: &self.text,
        }
    }
}

/// What reporting changed.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "TurnsReported")]
struct ReportedBody {
    /// How many turns were new.
    added: u64,
}

async fn report(
    State(state): State<AppState>,
    OwnConversation(conversation): OwnConversation,
    StrictJson(body): StrictJson<ReportRequest, BODY_LIMIT>,
) -> Result<Json<ReportedBody>, Problem> {
    let turns: Vec<Turn<'_>> = body.messages.iter().map(MessageRequest::turn).collect();
    LIMITS
        .check(&turns, "/messages")
        .map_err(refusals::turns_invalid)?;
    state.rate_limits.reports.check(&conversation.id)?;
    let now = state.now();
    conversation
        .lifecycle
        .require_open(now, &state.lifecycle_limits)?;
    let (count, total) = state
        .storage
        .measure_messages(conversation.id, Reporter::Visitor)
        .await?;
    turns::require_space(count, total)?;
    let messages: Vec<Message> = body
        .messages
        .into_iter()
        .map(|message| Message {
            id: message.id,
            role: message.role.0,
            text: message.text,
            created_at: turns::said_at(
                Reporter::Visitor,
                message.created_at.map(|time| time.0),
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
    Ok(Json(ReportedBody { added }))
}
