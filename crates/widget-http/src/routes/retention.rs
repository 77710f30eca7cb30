//! How long an organization keeps the content of its conversations.

use axum::{Json, extract::State};
use time::Duration;
use widget_api::{
    FieldError, ProblemCode, Scope,
    erasures::{Retention as RetentionBody, RetentionChange},
};
use widget_core::{
    conversation::retention::{Retention, RetentionError, accept_days},
    finding::Code,
    id::WidgetId,
};

use crate::{
    state::AppState,
    web::{
        api::{self, ApiRouter, Operation},
        auth::Caller,
        extract::{PathId, StrictJson},
        problem::Problem,
    },
};

const OF_ORGANIZATION: &str = "/core/organization/retention";
const OF_WIDGET: &str = "/core/web-widgets/{id}/retention";

/// `/core/organization/retention` and `/core/web-widgets/{id}/retention`.
pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            describe_read(api::get(
                OF_ORGANIZATION,
                "getOrganizationRetention",
                "Reads how long the content of conversations is kept",
            )),
            read_organization,
        )
        .route(
            describe_change(api::put(
                OF_ORGANIZATION,
                "setOrganizationRetention",
                "Sets how long the content of conversations is kept",
            )),
            set_organization,
        )
        .route(
            describe_read(api::get(
                OF_WIDGET,
                "getWebWidgetRetention",
                "Reads how long the content of a widget's conversations is kept",
            ))
            .problems([ProblemCode::NotFound]),
            read_widget,
        )
        .route(
            describe_change(api::put(
                OF_WIDGET,
                "setWebWidgetRetention",
                "Sets how long the content of a widget's conversations is kept",
            ))
            .problems([ProblemCode::NotFound]),
            set_widget,
        )
}

fn describe_read(operation: Operation) -> Operation {
    operation
        .scope(Scope::ConversationsRead)
        .answer::<RetentionBody>(200, "How long it is kept.")
}

fn describe_change(operation: Operation) -> Operation {
    operation
        .scope(Scope::ConversationsManage)
        .body::<RetentionChange>()
        .answer::<RetentionBody>(200, "How long it is kept from now on.")
        .problems([ProblemCode::RetentionTooLong])
}

async fn read_organization(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<RetentionBody>, Problem> {
    build_retention(&state, &caller, None).await
}

async fn read_widget(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
) -> Result<Json<RetentionBody>, Problem> {
    require_widget(&state, &caller, id).await?;
    build_retention(&state, &caller, Some(id)).await
}

async fn set_organization(
    State(state): State<AppState>,
    caller: Caller,
    StrictJson(change): StrictJson<RetentionChange, 1024>,
) -> Result<Json<RetentionBody>, Problem> {
    set(&state, &caller, None, change).await
}

async fn set_widget(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    StrictJson(change): StrictJson<RetentionChange, 1024>,
) -> Result<Json<RetentionBody>, Problem> {
    require_widget(&state, &caller, id).await?;
    set(&state, &caller, Some(id), change).await
}

async fn require_widget(state: &AppState, caller: &Caller, id: WidgetId) -> Result<(), Problem> {
    let found = state
        .storage
        .find_widget(&caller.organization_id, id)
        .await?;
    found.map(drop).ok_or_else(|| Problem::not_found("widget"))
}

async fn set(
    state: &AppState,
    caller: &Caller,
    widget: Option<WidgetId>,
    change: RetentionChange,
) -> Result<Json<RetentionBody>, Problem> {
    let service = state.settings.transcript_retention;
    let days = change.days;
    if let Some(days) = days {
        accept_days(days, service)?;
    }
    let (organization, key) = (&caller.organization_id, &caller.key_id);
    state
        .storage
        .set_retention(organization, widget, days, key, state.now())
        .await?;
    build_retention(state, caller, widget).await
}

async fn build_retention(
    state: &AppState,
    caller: &Caller,
    widget: Option<WidgetId>,
) -> Result<Json<RetentionBody>, Problem> {
    let organization = &caller.organization_id;
    let of_organization = state.storage.find_retention(organization, None).await?;
    let of_widget = match widget {
        Some(_) => state.storage.find_retention(organization, widget).await?,
        None => None,
    };
    let service = state.settings.transcript_retention;
    let time = |days: Option<u32>| days.map(|days| Duration::days(i64::from(days)));
    let retention = Retention {
        service,
        organization: time(of_organization),
        web_widget: time(of_widget),
    };
    Ok(Json(RetentionBody {
        days: match widget {
            Some(_) => of_widget,
            None => of_organization,
        },
        max_seconds: service.map(Duration::whole_seconds),
        effective_seconds: retention.effective().map(Duration::whole_seconds),
    }))
}

impl From<RetentionError> for Problem {
    fn from(error: RetentionError) -> Self {
        let detail = "the time was not accepted; see `errors`";
        let fault = FieldError::new("/days", Code::ValueOutOfRange, error.to_string());
        let code = match error {
            RetentionError::OutOfRange(_) => ProblemCode::BodyInvalid,
            RetentionError::TooLong { .. } => ProblemCode::RetentionTooLong,
        };
        Self::new(code, detail).with_error(fault)
    }
}
