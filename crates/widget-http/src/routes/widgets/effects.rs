//! What a change would do to visitors, before anybody makes it.

use axum::{Json, extract::State};
use widget_api::{
    ProblemCode, Scope, WidgetPatch,
    revisions::{ChangeEffects, Effect},
};
use widget_core::{
    effects::{self, Moment},
    id::WidgetId,
};

use super::{parse::parse_patch, record::require_record};
use crate::{
    routes::directory,
    state::AppState,
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::{PathId, StrictJson},
        problem::{Problem, record_unreadable},
    },
};

pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new().route(
        api::post(
            "/core/web-widgets/{id}/effects",
            "previewEffects",
            "Says what a change would do to visitors now; nothing is written",
        )
        .scope(Scope::WebWidgetsRead)
        .body::<WidgetPatch>()
        .answer::<ChangeEffects>(200, "What it would do.")
        .problems(super::record::RECORD_PROBLEMS)
        .problems([ProblemCode::NotFound]),
        preview,
    )
}

async fn preview(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    StrictJson(body): StrictJson<WidgetPatch>,
) -> Result<Json<ChangeEffects>, Problem> {
    let patch = parse_patch(&body, &state)?;
    let stored = require_record(&state, &caller, id).await?;
    let before = stored.readable().map_err(|stored| {
        let blockers = stored.widget.blockers();
        record_unreadable().with_findings(blockers)
    })?;
    let before = directory::with_version(&state, before).await?;
    let mut after = before.clone();
    after.widget = patch.apply(after.widget, state.now());
    let pin = (after.widget.agent_id, after.widget.agent_version_id);
    if pin != (before.widget.agent_id, before.widget.agent_version_id) {
        let organization = &caller.organization_id;
        let version = directory::find_version(&state, &after.widget, false).await?;
        after.pinned = if let Some(version) = version {
            version.pinned
        } else {
            let storage = &state.storage;
            storage.find_pinned(organization, pin.0, pin.1).await?
        };
    }
    let (mut open, mut ended) = (0, 0);
    for (page, count) in state.storage.count_open_by_page(id).await? {
        open += count;
        if before.serves_page(&page) && !after.serves_page(&page) {
            ended += count;
        }
    }
    let found = effects::compare(
        Some(Moment::now(&before.widget, before.pinned)),
        Moment::now(&after.widget, after.pinned),
        u64::try_from(ended).ok(),
    );
    Ok(Json(ChangeEffects {
        effects: found.into_iter().map(Effect::from).collect(),
        conversations_open: open,
    }))
}
