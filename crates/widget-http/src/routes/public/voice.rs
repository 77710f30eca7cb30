//! The window asks before the visitor speaks: where voice is limited, minutes are reserved first.

use axum::{Json, extract::State};
use widget_api::{
    ProblemCode,
    visitors::{Empty, ReservedVoice},
};
use widget_core::conversation::{self, Mode};

use super::{
    page::{PublicPath, require_widget_of},
    token::OwnConversation,
};
use crate::{
    state::AppState,
    web::{
        api::{self, ApiRouter, Credential},
        extract::StrictJson,
        problem::Problem,
    },
};

pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new().route(
        api::post(
            "/core/public/web-widgets/{id}/conversations/{cid}/voice",
            "reserveVoice",
            "Asks whether the visitor may speak now, before the window changes from text to voice",
        )
        .credential(Credential::ConversationToken)
        .body::<Empty>()
        .answer::<ReservedVoice>(200, "The visitor may speak.")
        .problems([
            ProblemCode::WidgetUnavailable,
            ProblemCode::ModeDisabled,
            ProblemCode::ConversationEnded,
            ProblemCode::VoiceBudgetUsedUp,
        ]),
        reserve,
    )
}

async fn reserve(
    State(state): State<AppState>,
    path: PublicPath,
    OwnConversation(conversation): OwnConversation,
    StrictJson(Empty {}): StrictJson<Empty, 1024>,
) -> Result<Json<ReservedVoice>, Problem> {
    state.rate_limits.reports.check(&conversation.id)?;
    let (now, limits) = (state.now(), &state.lifecycle_limits);
    conversation.lifecycle.require_open(now, limits)?;
    let widget = require_widget_of(&state, &path, &conversation).await?;
    conversation::choose_mode(widget.config(), Some(Mode::Voice))?;
    let budgets = state
        .find_visitor_limits(&conversation.organization_id, conversation.web_widget_id)
        .await?
        .budgets;
    let reserved_until = if budgets.limit_voice() {
        let storage = &state.storage;
        storage
            .reserve_voice(conversation.id, &budgets, now, limits)
            .await?
    } else {
        None
    };
    Ok(Json(ReservedVoice {
        reserved_until: reserved_until.map(Into::into),
    }))
}
