//! The window's own report of what was said, for workers that report nothing.
//!
//! A visitor can write anything here, so it is kept apart from the worker's report and shown to
//! nobody else as its.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use widget_api::{FieldError, ProblemCode};
use widget_core::{
    conversation::{Reporter, Role, transcript::Message},
    finding::Code,
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

/// Turns in one request.
const BATCH_LIMIT: usize = 50;

/// Bytes of one request: a batch of long turns.
const BODY_LIMIT: usize = 128 * 1024;

/// Bytes of one turn.
const TEXT_LIMIT: usize = 16 * 1024;

/// Characters of one id.
const ID_LIMIT: usize = 128;

/// Turns of one conversation; an hour of quick exchanges has a few hundred.
const COUNT_LIMIT: i64 = 1000;

/// Characters of one conversation.
const TOTAL_LIMIT: i64 = 512 * 1024;

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
    #[schemars(length(max = BATCH_LIMIT))]
    messages: Vec<MessageRequest>,
}

/// A turn that a window saw.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "ReportedTurn")]
struct MessageRequest {
    /// Names the turn within the conversation.
    #[schemars(length(min = 1, max = ID_LIMIT))]
    id: String,
    /// Who said it.
    role: Parsed<Role>,
    /// What was said.
    text: String,
    /// When it was said; now, when not told.
    #[serde(default)]
    created_at: Option<Timestamp>,
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
    require_bounds(&body.messages)?;
    state.visitor.limits.reports.check(&conversation.id)?;
    let now = state.now();
    conversation
        .lifecycle
        .require_open(now, &state.visitor.conversation_limits)?;
    let (count, total) = state
        .storage
        .measure_messages(conversation.id, Reporter::Visitor)
        .await?;
    if count >= COUNT_LIMIT || total >= TOTAL_LIMIT {
        return Err(refusals::transcript_full());
    }
    let messages: Vec<Message> = body
        .messages
        .into_iter()
        .map(|message| Message {
            id: message.id,
            role: message.role.0,
            text: message.text,
            // The visitor's clock may be anywhere; a turn was said during the conversation.
            created_at: message.created_at.map_or(now, |time| {
                time.0.clamp(conversation.created_at.min(now), now)
            }),
            reported_by: Reporter::Visitor,
        })
        .collect();
    let added = state
        .storage
        .append_messages(
            conversation.id,
            &messages,
            now,
            &state.visitor.conversation_limits,
        )
        .await?;
    Ok(Json(ReportedBody { added }))
}

/// Every message within its bounds, or all faults.
fn require_bounds(messages: &[MessageRequest]) -> Result<(), Problem> {
    let mut faults = Vec::new();
    if messages.len() > BATCH_LIMIT {
        let detail = format!(
            "there are {} messages; send at most {BATCH_LIMIT} at once",
            messages.len()
        );
        faults.push(FieldError::new("/messages", Code::TooMany, detail));
    }
    for (index, message) in messages.iter().enumerate() {
        if !(1..=ID_LIMIT).contains(&message.id.chars().count()) {
            let detail = format!("an id has 1 to {ID_LIMIT} characters");
            faults.push(FieldError::new(
                format!("/messages/{index}/id"),
                Code::ValueInvalid,
                detail,
            ));
        }
        if message.text.len() > TEXT_LIMIT {
            let detail = format!(
                "a text has at most {TEXT_LIMIT} bytes; this one has {}",
                message.text.len()
            );
            faults.push(FieldError::new(
                format!("/messages/{index}/text"),
                Code::TooLong,
                detail,
            ));
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    let refused = Problem::new(
        ProblemCode::BodyInvalid,
        "the messages were not taken; see `errors`",
    );
    Err(faults.into_iter().fold(refused, Problem::with_error))
}
