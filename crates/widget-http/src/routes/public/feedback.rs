//! Feedback after a conversation: once, within a day.

use axum::{Json, Router, extract::State, routing::post};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    PublicPath,
    forms::{BODY_LIMIT, DataRequest, validate},
    pass, widget,
};
#[cfg(feature = "schemars")]
use crate::api::{self, Credential, Operation};
use crate::{
    state::AppState,
    web::{
        cors::{JsonOnly, OwnWindow},
        extract::StrictJson,
        problem::Problem,
    },
};

pub(super) fn router() -> Router<AppState> {
    Router::new().route(
        "/core/public/web-widgets/{id}/conversations/{cid}/feedback",
        post(submit),
    )
}

#[cfg(feature = "schemars")]
pub(super) fn operation() -> Operation {
    api::post(
        "/core/public/web-widgets/{id}/conversations/{cid}/feedback",
        "submitFeedback",
        "Submits the feedback, once within 24 h of the end",
    )
    .credential(Credential::ConversationToken)
    .takes::<DataRequest>()
    .gives::<FeedbackBody>(201, "What was kept.")
}

/// What was kept of the feedback.
#[derive(Serialize)]
#[cfg_attr(
    feature = "schemars",
    derive(schemars::JsonSchema),
    schemars(rename = "SubmittedFeedback")
)]
struct FeedbackBody {
    /// Values by field id, as they were kept.
    data: Map<String, Value>,
}

async fn submit(
    State(state): State<AppState>,
    path: PublicPath,
    _: OwnWindow,
    _: JsonOnly,
    headers: HeaderMap,
    StrictJson(body): StrictJson<DataRequest, BODY_LIMIT>,
) -> Result<(StatusCode, Json<FeedbackBody>), Problem> {
    let conversation = pass::require(&state, &path, &headers).await?;
    state.visitor.limits.reports.check(&conversation.id)?;
    let widget = widget(&state, &path).await?;
    let feedback = &widget
        .stored
        .widget
        .config
        .current()
        .post_conversation_feedback;
    let (now, limits) = (state.now(), &state.visitor.conversation_limits);
    // Whether feedback is taken at all is told before what is wrong with it.
    conversation
        .lifecycle
        .submit_feedback(feedback.enabled, now, limits)?;
    let values = validate(&feedback.effective_form(), Some(&body.data), "/data")?.into_values();
    let data = Value::Object(values.clone());
    state
        .storage
        .save_feedback(conversation.id, &data, feedback.enabled, now, limits)
        .await?;
    Ok((StatusCode::CREATED, Json(FeedbackBody { data: values })))
}
