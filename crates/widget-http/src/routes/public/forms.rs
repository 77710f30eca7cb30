//! Forms during a conversation: the server checks and stores the values, then the window sends them
//! to the agent.

use axum::{Json, extract::State};
use serde_json::{Value, value::RawValue};
use widget_api::{
    ProblemCode,
    visitors::{FormSubmission, SubmittedForm},
};
use widget_core::{
    conversation::ConversationEnded,
    finding::Findings,
    form::{FormDefinition, Submission},
};

use super::page::{PublicPath, require_widget_of};
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

/// A submission of 16 KiB, and the JSON around it.
pub(super) const BODY_LIMIT: usize = 20 * 1024;

pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new().route(
        api::post(
            "/core/public/web-widgets/{id}/conversations/{cid}/forms/{form_id}",
            "submitForm",
            "Submits a form in mid-conversation",
        )
        .credential(Credential::ConversationToken)
        .body::<FormSubmission>()
        .answer::<SubmittedForm>(200, "What was stored.")
        .problems([
            ProblemCode::WidgetUnavailable,
            ProblemCode::FormNotFound,
            ProblemCode::FormInvalid,
            ProblemCode::CustomMetadataTooLarge,
            ProblemCode::ConversationEnded,
        ]),
        submit,
    )
}

async fn submit(
    State(state): State<AppState>,
    path: PublicPath,
    OwnConversation(conversation): OwnConversation,
    StrictJson(body): StrictJson<FormSubmission, BODY_LIMIT>,
) -> Result<Json<SubmittedForm>, Problem> {
    state.rate_limits.reports.check(&conversation.id)?;
    let widget = require_widget_of(&state, &path, &conversation).await?;
    let forms = &widget.config().forms;
    let form = forms
        .iter()
        .find(|form| form.id == path.form)
        .ok_or_else(refusals::no_such_form)?;
    let values = validate(form, &body.data, "/data")?.into_values();
    let (now, limits) = (state.now(), &state.lifecycle_limits);
    let data = Value::Object(values.clone());
    if !state
        .storage
        .save_form(conversation.id, &form.id, &data, now, limits)
        .await?
    {
        return Err(ConversationEnded.into());
    }
    Ok(Json(SubmittedForm {
        form_id: form.id.clone(),
        data: values,
    }))
}

/// What was sent for a form, at `pointer` in the body.
pub(super) fn validate(
    form: &FormDefinition,
    given: &RawValue,
    pointer: &str,
) -> Result<Submission, Problem> {
    form.validate_text(given.get())
        .map_err(|findings| invalid(findings, pointer))
}

/// The answer to values with faults; `pointer` is their place in the body.
pub(super) fn invalid(findings: Findings, pointer: &str) -> Problem {
    let in_body = findings.into_list().map(|finding| {
        let below = finding.pointer.as_deref().unwrap_or_default();
        let place = format!("{pointer}{below}");
        finding.at(place)
    });
    Problem::new(
        ProblemCode::FormInvalid,
        "the form has faults; see `errors`",
    )
    .with_findings(in_body)
}
