//! A widget in the look of a website.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use widget_api::{FieldError, ProblemCode, Scope};
use widget_core::{
    brand::{self, Brand},
    id::WidgetId,
    origin::EntryError,
};

use super::find;
use crate::{
    openapi::ConfigDocument,
    state::AppState,
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::{PathId, StrictJson},
        problem::Problem,
        wire,
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
        .answer::<BrandBody>(200, "The brand.")
        .problems(super::RECORD_PROBLEMS)
        .problems([
            ProblemCode::NotFound,
            ProblemCode::BrandNotFound,
            ProblemCode::DomainInvalid,
        ]),
        read,
    )
}

/// Where to look for a brand.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "BrandRequest")]
struct BrandRequest {
    /// A domain or the address of a page.
    domain: String,
}

/// What a website shows of its brand.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Brand")]
struct BrandBody {
    /// The name of the site.
    name: Option<String>,
    /// Its colors, the most telling first.
    colors: Vec<String>,
    /// The address of a logo.
    logo_url: Option<String>,
    /// The address of an icon.
    icon_url: Option<String>,
    /// The widget's own config with the brand put in place, ready to be written back; nothing has
    /// been written yet.
    #[schemars(with = "ConfigDocument")]
    config: Box<RawValue>,
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    StrictJson(body): StrictJson<BrandRequest>,
) -> Result<Json<BrandBody>, Problem> {
    let stored = find(&state, &caller, id).await?;
    let site = brand::parse_site(&body.domain).map_err(|error| domain_invalid(&error))?;
    let page = state
        .page_fetcher
        .fetch(&site)
        .await
        .map_err(|error| not_found().with_cause(error))?;
    let brand = Brand::from_html(&page.html, &page.url);
    if brand.is_empty() {
        return Err(not_found());
    }
    let config = brand.apply_to(&stored.widget.config)?;
    Ok(Json(BrandBody {
        name: brand.name,
        colors: brand.colors.iter().map(ToString::to_string).collect(),
        logo_url: brand.logo_url.map(|url| url.as_str().to_owned()),
        icon_url: brand.icon_url.map(|url| url.as_str().to_owned()),
        config: wire::raw("web_widgets", &id, config.to_json())?,
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
