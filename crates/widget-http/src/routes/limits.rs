//! What an organization or a widget may use, as keys set it below the ceilings of the operator.

use axum::{Json, extract::State};
use widget_api::{
    FieldError, ProblemCode, Scope,
    limits::{LimitValues, OwnerLimits, TodaysUse},
};
use widget_core::{
    conversation::budget::{Day, LimitError, LimitFault, Limits, Owner},
    finding::Code,
    id::WidgetId,
};

use crate::{
    state::AppState,
    storage::BudgetOwner,
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::{PathId, StrictJson},
        problem::Problem,
    },
};

/// Bytes of a body with four numbers.
const BODY_LIMIT: usize = 1024;

pub(crate) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::get(
                "/core/organization/limits",
                "getOrganizationLimits",
                "Reads the limits of the organization, and what was used today",
            )
            .scope(Scope::WebWidgetsRead)
            .answer::<OwnerLimits>(200, "The limits."),
            read_of_organization,
        )
        .route(
            api::put(
                "/core/organization/limits",
                "updateOrganizationLimits",
                "Replaces the limits of the organization",
            )
            .scope(Scope::LimitsManage)
            .body::<LimitValues>()
            .answer::<OwnerLimits>(200, "The limits."),
            write_of_organization,
        )
        .route(
            api::get(
                "/core/web-widgets/{id}/limits",
                "getWebWidgetLimits",
                "Reads the limits of a widget, and what was used today",
            )
            .scope(Scope::WebWidgetsRead)
            .answer::<OwnerLimits>(200, "The limits.")
            .problems([ProblemCode::NotFound]),
            read_of_widget,
        )
        .route(
            api::put(
                "/core/web-widgets/{id}/limits",
                "updateWebWidgetLimits",
                "Replaces the limits of a widget",
            )
            .scope(Scope::LimitsManage)
            .body::<LimitValues>()
            .answer::<OwnerLimits>(200, "The limits.")
            .problems([ProblemCode::NotFound]),
            write_of_widget,
        )
}

async fn read_of_organization(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<OwnerLimits>, Problem> {
    read(&state, BudgetOwner::Organization(&caller.organization_id)).await
}

async fn write_of_organization(
    State(state): State<AppState>,
    caller: Caller,
    StrictJson(body): StrictJson<LimitValues, BODY_LIMIT>,
) -> Result<Json<OwnerLimits>, Problem> {
    let owner = BudgetOwner::Organization(&caller.organization_id);
    write(&state, owner, body.into()).await?;
    state.visitor_limits.forget_all();
    read(&state, owner).await
}

async fn read_of_widget(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
) -> Result<Json<OwnerLimits>, Problem> {
    require_widget(&state, &caller, id).await?;
    read(&state, BudgetOwner::Widget(&caller.organization_id, id)).await
}

async fn write_of_widget(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    StrictJson(body): StrictJson<LimitValues, BODY_LIMIT>,
) -> Result<Json<OwnerLimits>, Problem> {
    require_widget(&state, &caller, id).await?;
    let owner = BudgetOwner::Widget(&caller.organization_id, id);
    write(&state, owner, body.into()).await?;
    state.visitor_limits.forget(id);
    read(&state, owner).await
}

/// A widget that cannot be read can be limited all the same.
async fn require_widget(state: &AppState, caller: &Caller, id: WidgetId) -> Result<(), Problem> {
    let found = state
        .storage
        .find_widget(&caller.organization_id, id)
        .await?;
    found
        .map(|_| ())
        .ok_or_else(|| Problem::not_found("widget"))
}

fn ceilings(state: &AppState, owner: BudgetOwner<'_>) -> Limits {
    state.settings.limits.ceilings(match owner {
        BudgetOwner::Organization(_) => Owner::Organization,
        BudgetOwner::Widget(..) => Owner::Widget,
    })
}

async fn read(state: &AppState, owner: BudgetOwner<'_>) -> Result<Json<OwnerLimits>, Problem> {
    let day = Day::of(state.now());
    let limits = state.storage.find_owner_limits(owner).await?;
    let found = state.storage.find_day_use(owner, day).await?;
    Ok(Json(OwnerLimits {
        limits: limits.into(),
        ceilings: ceilings(state, owner).into(),
        today: TodaysUse {
            conversations: found.conversations.into(),
            voice_seconds: found.voice_seconds.into(),
            resets_at: day.ends_at().into(),
        },
    }))
}

async fn write(state: &AppState, owner: BudgetOwner<'_>, limits: Limits) -> Result<(), Problem> {
    let ceilings = ceilings(state, owner);
    limits.check(&ceilings).map_err(rejected)?;
    let budget = limits.under(&ceilings).day();
    state
        .storage
        .write_limits(owner, &limits, budget, state.now())
        .await?;
    Ok(())
}

fn rejected(faults: Vec<LimitError>) -> Problem {
    let problem = Problem::new(
        ProblemCode::BodyInvalid,
        "the limits were rejected; see `errors`",
    );
    problem.with_errors(faults.into_iter().map(|error| {
        let code = match error.fault {
            LimitFault::OverCeiling { .. } | LimitFault::TooSmall { .. } => Code::ValueOutOfRange,
        };
        FieldError::new(format!("/{}", error.name), code, error.to_string())
    }))
}
