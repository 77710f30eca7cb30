//! Feedback after a conversation: once, within a day.

use axum::{Json, extract::State};
use http::StatusCode;
use serde_json::Value;

use super::token::OwnConversation;
use super::{
    forms::{BODY_LIMIT, validate},
    page::{PublicPath, require_widget_of},
};
use crate::{
    state::AppState,
    web::{
        api::{self, ApiRouter, Credential},
        extract::StrictJson,
        problem::Problem,
    },
};
use widget_api::{
    ProblemCode,
    visitors::{FormSubmission, SubmittedFeedback},
};

pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new().route(
        api::post(
            "/core/public/web-widgets/{id}/conversations/{cid}/feedback",
            "submitFeedback",
            "Submits the feedback, once within 24 h of the end",
        )
        .credential(Credential::ConversationToken)
        .body::<FormSubmission>()
        .answer::<SubmittedFeedback>(201, "What was stored.")
        .problems([
            ProblemCode::WidgetUnavailable,
            ProblemCode::FeedbackDisabled,
            ProblemCode::ConversationActive,
            ProblemCode::FeedbackAlreadySubmitted,
            ProblemCode::FeedbackClosed,
            ProblemCode::FormInvalid,
        ]),
        submit,
    )
}

async fn submit(
    State(state): State<AppState>,
    path: PublicPath,
    OwnConversation(conversation): OwnConversation,
    StrictJson(body): StrictJson<FormSubmission, BODY_LIMIT>,
) -> Result<(StatusCode, Json<SubmittedFeedback>), Problem> {
    state.rate_limits.reports.check(&conversation.id)?;
    let widget = require_widget_of(&state, &path, &conversation).await?;
    let feedback = &widget.config().post_conversation_feedback;
    let (now, limits) = (state.now(), &state.lifecycle_limits);
    // Whether feedback is accepted at all is reported before what is wrong with it.
    conversation
        .lifecycle
        .submit_feedback(feedback.enabled, now, limits)?;
    let form = feedback.effective_form();
    let values = validate(&form, &body.data, "/data")?.into_values();
    let rating = form.find_rating(&values);
    let data = Value::Object(values.clone());
    state
        .storage
        .save_feedback(
            conversation.id,
            &data,
            feedback.enabled,
            rating,
            now,
            limits,
        )
        .await?;
    Ok((
        StatusCode::CREATED,
        Json(SubmittedFeedback { data: values }),
    ))
}
