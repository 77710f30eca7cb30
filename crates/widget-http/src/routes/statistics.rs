//! Numbers about a widget, and the pages on which it was refused.

use axum::{Json, extract::State};
use widget_api::{
    FieldError, ProblemCode, Scope,
    refusals::{Refusals, RefusalsQuery},
    statistics::{Statistics, StatisticsPoint, StatisticsQuery},
};
use widget_core::{
    id::WidgetId,
    statistics::{Interval, Numbers, RangeError, StatisticsRange, refusals_since},
};

use crate::{
    state::AppState,
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::{PathId, StrictQuery},
        problem::Problem,
    },
};

pub(crate) fn router() -> ApiRouter<AppState> {
    ApiRouter::new()
        .route(
            api::get(
                "/core/web-widgets/{id}/statistics",
                "getWebWidgetStatistics",
                "Counts visits, conversations and refusals of a widget by day or hour",
            )
            .scope(Scope::WebWidgetsRead)
            .query::<StatisticsQuery>()
            .answer::<Statistics>(200, "The numbers.")
            .problems([ProblemCode::NotFound]),
            read_statistics,
        )
        .route(
            api::get(
                "/core/web-widgets/{id}/refusals",
                "getWebWidgetRefusals",
                "Lists the pages on which a widget was refused, the commonest first",
            )
            .scope(Scope::WebWidgetsRead)
            .query::<RefusalsQuery>()
            .answer::<Refusals>(200, "The refusals.")
            .problems([ProblemCode::NotFound]),
            read_refusals,
        )
}

async fn read_statistics(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    StrictQuery(query): StrictQuery<StatisticsQuery>,
) -> Result<Json<Statistics>, Problem> {
    let now = state.now();
    let (from, to) = (query.from.map(Into::into), query.to.map(Into::into));
    let interval = query.interval.unwrap_or(Interval::Day);
    let range = StatisticsRange::new(from, to, interval, now).map_err(rejected)?;
    require_widget(&state, &caller, id).await?;
    let found = state.storage.find_statistics(id, &range, now).await?;
    let mut total = Numbers::default();
    let mut points = vec![Numbers::default(); range.points().count()];
    for counted in found {
        let place = usize::try_from(counted.point - range.points().start);
        if let Some(numbers) = place.ok().and_then(|place| points.get_mut(place)) {
            numbers.add(counted.counter, counted.amount);
            total.add(counted.counter, counted.amount);
        }
    }
    let points = range.points().zip(&points);
    let points = points.map(|(point, numbers)| StatisticsPoint {
        starts_at: interval.start_of(point).into(),
        numbers: numbers.into(),
    });
    Ok(Json(Statistics {
        from: range.from().into(),
        to: range.to().into(),
        interval,
        total: (&total).into(),
        points: points.collect(),
    }))
}

async fn read_refusals(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    StrictQuery(query): StrictQuery<RefusalsQuery>,
) -> Result<Json<Refusals>, Problem> {
    let since = query.since.map(Into::into);
    let since = refusals_since(since, state.now()).map_err(rejected)?;
    require_widget(&state, &caller, id).await?;
    let found = state.storage.find_refusals(id, since).await?;
    Ok(Json(Refusals::new(since, &found)))
}

/// A widget that cannot be read has numbers all the same.
async fn require_widget(state: &AppState, caller: &Caller, id: WidgetId) -> Result<(), Problem> {
    let found = state
        .storage
        .find_widget(&caller.organization_id, id)
        .await?;
    found.map(drop).ok_or_else(|| Problem::not_found("widget"))
}

fn rejected(error: RangeError) -> Problem {
    let pointer = format!("/{}", error.name);
    Problem::query_invalid(FieldError::new(pointer, error.code(), error.to_string()))
}
