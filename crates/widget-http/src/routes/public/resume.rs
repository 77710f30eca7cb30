//! Going on with a conversation: always in a fresh room, because only a new room gets an agent.

use axum::{Json, extract::State};
use serde::Deserialize;
use widget_api::ProblemCode;
use widget_core::{
    conversation::{self, Mode},
    serve::Dispatch,
};

use super::token::ResumableConversation;
use super::{
    PublicPath, admit,
    bodies::{ConversationBody, Invitation, JoinBody, livekit, target},
    conversations::used,
    tickets::redeem,
    widget,
};
use crate::{
    state::AppState,
    storage::{NewRoom, ResumeConversation},
    web::{
        api::{self, ApiRouter, Credential},
        caller::AddressPrefix,
        extract::{Parsed, StrictJson},
        problem::Problem,
    },
};

pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new().route(
        api::post(
            "/core/public/web-widgets/{id}/conversations/{cid}/resume",
            "resumeConversation",
            "Goes on in a fresh room",
        )
        .credential(Credential::ConversationToken)
        .body::<ResumeRequest>()
        .answer::<JoinBody>(200, "What it takes to join.")
        .problems([
            ProblemCode::RateLimited,
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
        ]),
        resume,
    )
}

/// What it takes to go on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "ConversationResume")]
struct ResumeRequest {
    /// A fresh embed ticket of the same page.
    #[serde(default)]
    ticket: Option<String>,
    /// Whether the visitor types or speaks; as before, when not told.
    #[serde(default)]
    mode: Option<Parsed<Mode>>,
}

async fn resume(
    State(state): State<AppState>,
    path: PublicPath,
    ResumableConversation {
        conversation,
        repeat,
    }: ResumableConversation,
    address: AddressPrefix,
    StrictJson(body): StrictJson<ResumeRequest, 8192>,
) -> Result<Json<JoinBody>, Problem> {
    state.rate_limits.conversations.check(&address)?;
    let now = state.now();
    // Told before the ticket is looked at, so that the window can offer a new conversation with it.
    conversation
        .lifecycle
        .resume(now, &state.lifecycle_limits)?;
    let ticket = redeem(&state, &path, body.ticket.as_deref()).await?;
    let widget = widget(&state, &path).await?;
    let admission = admit(&widget, ticket.origin())?;
    let dispatch = Dispatch::resume(&admission, target(&conversation))?;
    let livekit = livekit(&state)?;
    let config = admission.widget().config.current();
    let requested = body.mode.map(|mode| mode.0);
    let mode = conversation::choose_mode_for_resume(config, requested, conversation.mode)?;
    let dispatch = dispatch.with_mode(mode);
    let generation = conversation.generation;
    let invitation = Invitation::new(&state, livekit, &dispatch, generation + 1).await?;
    let request = ResumeConversation {
        id: conversation.id,
        generation,
        repeat,
        mode,
        room: NewRoom {
            name: invitation.room.as_str().to_owned(),
        },
        ticket: used(&ticket),
        now,
        limits: state.lifecycle_limits,
    };
    let resumed = state.storage.resume_conversation(&request).await?;
    state.room_cleaner.wake();
    let messages = state.storage.list_messages(resumed.id).await?;
    let body = ConversationBody::new(&state, &resumed, messages);
    Ok(Json(invitation.into_body(livekit, body)))
}
