//! A widget with the brand of a website.

use axum::{Json, extract::State};
use widget_api::{
    FieldError, ProblemCode, Scope,
    widgets::{Brand, BrandRequest},
};
use widget_core::{brand, id::WidgetId, origin::EntryError};

use super::{
    aside::aside,
    record::{RECORD_PROBLEMS, require_record},
};
use crate::{
    state::AppState,
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::{PathId, StrictJson},
        problem::{Problem, record_unreadable},
    },
};

/// `/core/web-widgets/{id}/auto-brand`.
pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new().route(
        api::post(
            "/core/web-widgets/{id}/auto-brand",
            "autoBrandWebWidget",
            "Reads the brand of a website into the widget's config; nothing is written",
        )
        .scope(Scope::WebWidgetsManage)
        .body::<BrandRequest>()
        .answer::<Brand>(200, "The brand.")
        .problems(RECORD_PROBLEMS)
        .problems([
            ProblemCode::NotFound,
            ProblemCode::BrandNotFound,
            ProblemCode::DomainInvalid,
            ProblemCode::RateLimited,
        ]),
        read,
    )
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    StrictJson(body): StrictJson<BrandRequest>,
) -> Result<Json<Brand>, Problem> {
    let stored = require_record(&state, &caller, id).await?;
    let stored = stored
        .readable()
        .map_err(|stored| record_unreadable().with_findings(stored.widget.blockers()))?;
    let site = brand::parse_site(&body.domain).map_err(|error| domain_invalid(&error))?;
    state.rate_limits.diagnoses.check(&caller.organization_id)?;
    let page = state
        .page_fetcher
        .fetch(&site)
        .await
        .map_err(|error| not_found().with_cause(error))?;
    let brand = aside(move || brand::Brand::from_html(&page.html, &page.url)).await?;
    if brand.is_empty() {
        return Err(not_found());
    }
    let config = brand.apply_to(&stored.widget.config)?;
    Ok(Json(Brand {
        name: brand.name,
        colors: brand.colors.iter().map(ToString::to_string).collect(),
        logo_url: brand.logo_url.map(|url| url.as_str().to_owned()),
        icon_url: brand.icon_url.map(|url| url.as_str().to_owned()),
        config: config.to_value(),
    }))
}

fn not_found() -> Problem {
    Problem::new(
        ProblemCode::BrandNotFound,
        "no brand was found there; check that the site is public and shows its name, icon or colors",
    )
}

fn domain_invalid(error: &EntryError) -> Problem {
    Problem::new(
        ProblemCode::DomainInvalid,
        "this is not a domain; see `errors`",
    )
    .with_error(FieldError::new("/domain", error.code(), error.to_string()))
}
