//! The launcher's config: what the loader draws on the host page, and nothing else of the widget.

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{PublicPath, admit, widget};
#[cfg(feature = "schemars")]
use crate::api::{self, ConfigDocument, Operation};
use crate::{
    state::AppState,
    storage::StoredWidget,
    visitors::{assets::hexadecimal, limits::AddressPrefix, public_widgets::Launcher},
    web::{
        cors::{PageOrOwnOrigin, preflight},
        etag,
        problem::Problem,
    },
};

/// Keys of the config that the launcher draws from.
const KEYS: [&str; 5] = [
    "theme",
    "locale",
    "trigger",
    "suggested_questions",
    "start_conversation_on_toggle",
];

/// Keys of `chat` that it draws from: the name it goes by, the size and colors of its frame.
const CHAT_KEYS: [&str; 5] = ["title", "width", "height", "light_mode", "dark_mode"];

/// Asked again each time, so that closing a widget takes effect at once; an unchanged answer costs
/// no body.
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

pub(super) fn router() -> Router<AppState> {
    Router::new().route(
        "/core/public/web-widgets/{id}",
        get(show).options(preflight),
    )
}

#[cfg(feature = "schemars")]
pub(super) fn operation() -> Operation {
    api::get(
        "/core/public/web-widgets/{id}",
        "getLauncherConfig",
        "What the loader draws on a page whose `Origin` is listed",
    )
    .header("If-None-Match", "The `ETag` of what the caller has.")
    .gives::<LauncherBody>(200, "The config with every default filled in.")
    .gives_nothing(304, "The caller has it.")
}

/// What the loader draws on the host page.
#[cfg(feature = "schemars")]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "LauncherConfig")]
#[expect(
    dead_code,
    reason = "only its schema is used: the answer is picked out of the config"
)]
struct LauncherBody {
    /// The widget.
    id: crate::web::wire::Text<widget_core::id::WidgetId>,
    /// The part of the config that the launcher draws.
    #[schemars(schema_with = "launcher_schema")]
    config: Value,
}

/// The keys that are picked out of the config, each as core describes it.
#[cfg(feature = "schemars")]
fn launcher_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    // Puts the definitions of the config beside the others.
    let _ = generator.subschema_for::<ConfigDocument>();
    let pick = |definition: &str, keys: &[&str]| -> Map<String, Value> {
        pick(&generator.definitions()[definition]["properties"], keys)
    };
    let mut properties = pick("ConfigV1", &KEYS);
    let chat = json!({
        "type": "object",
        "required": CHAT_KEYS,
        "properties": pick("Chat", &CHAT_KEYS),
    });
    properties.insert("chat".to_owned(), chat);
    let required: Vec<&String> = properties.keys().collect();
    schemars::json_schema!({"type": "object", "required": required, "properties": properties})
}

async fn show(
    State(state): State<AppState>,
    path: PublicPath,
    PageOrOwnOrigin(origin): PageOrOwnOrigin,
    address: AddressPrefix,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    state.visitor.limits.configs.check(&address)?;
    let widget = widget(&state, &path).await?;
    admit(&widget, &origin)?;
    let launcher = widget.launcher(render);
    let fields = [
        (header::ETAG, launcher.etag.clone()),
        (header::CACHE_CONTROL, REVALIDATE),
    ];
    if etag::is_known(&headers, &launcher.etag) {
        return Ok((StatusCode::NOT_MODIFIED, fields).into_response());
    }
    let media_type = (
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    Ok((fields, [media_type], launcher.body.clone()).into_response())
}

fn render(stored: &StoredWidget) -> Launcher {
    let config = effective_config(stored);
    let mut shown = pick(&config, &KEYS);
    shown.insert("chat".to_owned(), pick(&config["chat"], &CHAT_KEYS).into());
    let body = json!({"id": stored.widget.id.to_string(), "config": shown}).to_string();
    let etag = format!("\"{}\"", hexadecimal(&Sha256::digest(&body)[..16]));
    Launcher {
        body: body.into(),
        etag: HeaderValue::try_from(etag).unwrap_or(HeaderValue::from_static("\"\"")),
    }
}

/// The config with every default filled in, as JSON.
pub(crate) fn effective_config(stored: &StoredWidget) -> Value {
    serde_json::to_value(stored.widget.config.current()).unwrap_or_default()
}

fn pick(object: &Value, keys: &[&str]) -> Map<String, Value> {
    keys.iter()
        .filter_map(|key| Some(((*key).to_owned(), object.get(key)?.clone())))
        .collect()
}
