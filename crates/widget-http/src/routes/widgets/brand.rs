//! A widget in the look of a website.

use axum::{Json, Router, extract::State, routing::post};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use widget_core::{brand::Brand, id::WidgetId, origin::Origin};

use super::find;
use crate::{
    auth::{Caller, Scope},
    extract::{PathId, StrictJson},
    problem::{FieldError, Problem},
    state::AppState,
    wire,
};

/// `/core/web-widgets/{id}/auto-brand`.
pub(super) fn router() -> Router<AppState> {
    Router::new().route("/core/web-widgets/{id}/auto-brand", post(read))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BrandRequest {
    domain: String,
}

#[derive(Serialize)]
struct BrandBody {
    name: Option<String>,
    colors: Vec<String>,
    logo_url: Option<String>,
    icon_url: Option<String>,
    /// The widget's own config with the brand put in place, ready to be written back; nothing has been written yet.
    config: Box<RawValue>,
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    StrictJson(body): StrictJson<BrandRequest>,
) -> Result<Json<BrandBody>, Problem> {
    caller.require(Scope::WebWidgetsManage)?;
    let stored = find(&state, &caller, id).await?;
    let site = site(&body.domain)?;
    let page = state
        .pages
        .read(&site)
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
        StatusCode::NOT_FOUND,
        "brand_not_found",
        "no brand was found there; check that the site is public and shows its name, icon or colours",
    )
}

/// The host that is meant, with its port: protocol, `www.` and what follows the host don't matter.
fn site(domain: &str) -> Result<String, Problem> {
    let origin = Origin::parse_page(domain).map_err(|error| {
        Problem::unprocessable("domain_invalid", "this is not a domain; see `errors`")
            .with_error(FieldError::new("/domain", error.code(), error.to_string()))
    })?;
    let (_, site) = origin.as_str().split_once("://").unwrap_or_default();
    Ok(site.strip_prefix("www.").unwrap_or(site).to_owned())
}
