//! What is wrong with a widget on a page.

use std::sync::Arc;

use axum::{Json, extract::State};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha384};
use widget_api::{
    FieldError, MAX_PAGE_LIMIT, ProblemCode, Scope,
    doctor::{Diagnosis, DoctorRequest},
    health::LiveKitPart,
    refusals::Refusals,
};
use widget_core::{
    api_key::describe_author,
    config::Config,
    doctor::{
        self, Answer, LauncherAnswer, LiveKitAnswer, OtherWidget, PastRevision, Question,
        ScriptAnswer, ServiceAnswers, Target,
    },
    explain::{self, Explanation, Verdict},
    finding::Code,
    id::WidgetId,
    listing::Site,
    origin::{EntryError, Origin},
    statistics::refusals_since,
    unreadable::WidgetRecord,
    url::Url,
};

use super::{aside::aside, record::require_record};
use crate::{
    causes::with_causes,
    embed_files::{Accepted, OldBuild},
    routes::{directory, embed::window},
    state::AppState,
    storage::{BuildKind, BuildName, ListPage, StoredWidget, WidgetFilter},
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::{PathId, StrictJson},
        problem::Problem,
    },
};

/// `/core/web-widgets/{id}/doctor`.
pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new().route(
        api::post(
            "/core/web-widgets/{id}/doctor",
            "diagnosePage",
            "Fetches a public page, and says what keeps it from showing the widget",
        )
        .scope(Scope::WebWidgetsRead)
        .body::<DoctorRequest>()
        .answer::<Diagnosis>(200, "What was found.")
        .problems([
            ProblemCode::NotFound,
            ProblemCode::DomainInvalid,
            ProblemCode::RateLimited,
        ]),
        diagnose,
    )
}

async fn diagnose(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<WidgetId>,
    StrictJson(body): StrictJson<DoctorRequest>,
) -> Result<Json<Diagnosis>, Problem> {
    let stored = require_record(&state, &caller, id).await?;
    let page = doctor::parse_page(&body.page).map_err(|error| page_invalid(&error))?;
    state.rate_limits.diagnoses.check(&caller.organization_id)?;
    let (visit, error) = state.page_fetcher.visit(page.clone()).await;
    if let Some(error) = error {
        tracing::info!(error = with_causes(&error), "a page could not be looked at");
    }
    // A page that was not reached has the origin of its address.
    let address = visit.page().map_or(&page, |hop| &hop.url);
    let (explanation, config) = explain(&state, stored, address.as_str()).await?;
    let past = match explanation.verdict {
        Verdict::Shown => None,
        Verdict::NotShown => describe_past(&state, &caller, id, address.as_str()).await?,
    };
    let listed_by = match explanation.code {
        Code::OriginNotListed => find_listing(&state, &caller, id, address.as_str()).await?,
        _ => None,
    };
    let services = [Url::clone(&state.settings.public_url)];
    let visit = Arc::new(visit);
    let target = {
        let (visit, services) = (Arc::clone(&visit), services.clone());
        aside(move || doctor::find_target(&visit, &services, Some(id))).await?
    };
    let answers = ServiceAnswers {
        script: find_script(&state, target.as_ref()).await?,
        launcher: match explanation.verdict {
            Verdict::Shown => Answer::Given(LauncherAnswer::Shown {
                icon_url: icon(&config),
            }),
            Verdict::NotShown => Answer::NotAsked,
        },
        window: Answer::Given(window_headers()),
        livekit: find_livekit(&state),
        ..ServiceAnswers::default()
    };
    let diagnosis = aside(move || {
        doctor::diagnose(&Question {
            services: &services,
            widget_id: Some(id),
            answers: &answers,
            explanation: Some(&explanation),
            past: past.as_deref(),
            listed_by: listed_by.as_ref(),
            config: Some(&config),
            suffixes: &state.suffixes,
            ..Question::new(&body.page, &visit)
        })
    })
    .await?;
    Ok(Json(diagnosis.into()))
}

/// Core's decision, and the config that it is about.
async fn explain(
    state: &AppState,
    stored: StoredWidget<WidgetRecord>,
    page: &str,
) -> Result<(Explanation, Config), Problem> {
    let service = state.settings.public_url.origin();
    let suffixes = &state.suffixes;
    Ok(match stored.readable() {
        Ok(stored) => {
            let stored = directory::with_version(state, stored).await?;
            let StoredWidget { widget, pinned, .. } = &stored;
            let mut explained = explain::explain(Some(widget), *pinned, page, service, suffixes);
            let worker = directory::find_worker_warning(state, &stored).await?;
            explained.notes.extend(worker);
            (explained, stored.widget.config)
        }
        Err(stored) => (
            explain::explain_unreadable(&stored.widget, page, service, suffixes),
            stored.widget.config.unwrap_or_default(),
        ),
    })
}

/// Since when the widget is no longer for the page, as far as the newest part of its history says,
/// and how often the page was refused in the last days.
async fn describe_past(
    state: &AppState,
    caller: &Caller,
    id: WidgetId,
    page: &str,
) -> Result<Option<String>, Problem> {
    let Ok(origin) = Origin::parse_page(page) else {
        return Ok(None);
    };
    let revisions = state
        .storage
        .list_widget_revisions(&caller.organization_id, id, i64::MAX, MAX_PAGE_LIMIT)
        .await?;
    let revisions: Vec<_> = revisions
        .iter()
        .map(|revision| PastRevision {
            number: revision.number,
            written_at: revision.created_at,
            author: describe_author(
                revision.api_key_name.as_deref(),
                Some(revision.api_key_id.as_str()).filter(|id| !id.is_empty()),
            ),
            was_for_page: revision
                .widget
                .readable()
                .map(|widget| doctor::was_for_page(widget.published, &widget.domains, &origin)),
        })
        .collect();
    let since = refusals_since(None, state.now()).map_err(Problem::internal)?;
    let refused = state.storage.find_refusals(id, since).await?;
    let refused = Refusals::new(since, &refused);
    let refused = refused.of_page(&origin);
    Ok(doctor::describe_past(refused, &revisions, id, &origin))
}

/// Another widget of the organization that is for the page, of the newest whose lists look so.
async fn find_listing(
    state: &AppState,
    caller: &Caller,
    id: WidgetId,
    page: &str,
) -> Result<Option<OtherWidget>, Problem> {
    const LIMIT: u32 = 50;
    let origin = Origin::parse_page(page).ok();
    let site = origin.and_then(|origin| {
        let site = Site::parse(origin.as_str(), &state.suffixes).ok()?;
        Some((origin, site))
    });
    let Some((origin, site)) = site else {
        return Ok(None);
    };
    let filter = WidgetFilter {
        published: Some(true),
        sites: site.fragments(),
        ..WidgetFilter::default()
    };
    let page = ListPage {
        before: None,
        limit: LIMIT,
    };
    let found = state
        .storage
        .list_widgets(&caller.organization_id, &filter, page)
        .await?;
    let other = found.into_iter().find_map(|row| {
        let widget = row.item.widget.readable()?;
        (widget.id != id && widget.domains.admit(&origin).is_some()).then(|| OtherWidget {
            id: widget.id,
            title: widget.config.current().chat.title.clone(),
        })
    });
    Ok(other)
}

fn icon(config: &Config) -> Option<Url> {
    let icon = config.current().trigger.icon_url.as_ref()?;
    icon.as_str().parse().ok()
}

/// The pinned script in the page's tag. The other one is always there, and changes.
async fn find_script(
    state: &AppState,
    target: Option<&Target>,
) -> Result<Answer<ScriptAnswer>, Problem> {
    let embed = &state.settings.embed;
    if embed.loader(Accepted::default()).is_none() {
        return Ok(Answer::Failed("it was built without the embed".to_owned()));
    }
    let pinned = target.and_then(|target| {
        let name = target.script.as_ref()?.path_segments()?.next_back()?;
        name.strip_suffix(".js").map(str::to_owned)
    });
    let Some(digits) = pinned else {
        return Ok(Answer::NotAsked);
    };
    let asset = match BuildName::parse(BuildKind::Loader, &digits) {
        None => None,
        Some(name) => match embed.script(&name, Accepted::default()) {
            Some(asset) => Some(asset),
            None => state
                .embed_builds
                .find(state.storage.as_ref(), &name, state.now())
                .await?
                .map(|found| found.build)
                .and_then(OldBuild::script),
        },
    };
    Ok(Answer::Given(match asset {
        Some(asset) => ScriptAnswer {
            status: 200,
            hashes: vec![format!(
                "sha384-{}",
                STANDARD.encode(Sha384::digest(&asset.bytes))
            )],
            headers: Vec::new(),
            text: None,
        },
        None => ScriptAnswer {
            status: 404,
            hashes: Vec::new(),
            headers: Vec::new(),
            text: None,
        },
    }))
}

fn window_headers() -> Vec<(String, String)> {
    let headers = window::isolation_headers().into_iter();
    headers
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect()
}

/// What the last check of LiveKit found.
fn find_livekit(state: &AppState) -> Answer<LiveKitAnswer> {
    let Some(livekit) = &state.livekit else {
        return Answer::Given(LiveKitAnswer::NotSetUp);
    };
    match livekit.condition() {
        LiveKitPart::Ok => Answer::Given(LiveKitAnswer::Reachable),
        LiveKitPart::Unknown => Answer::NotAsked,
        other => Answer::Failed(format!("the service's check of it found `{other}`")),
    }
}

fn page_invalid(error: &EntryError) -> Problem {
    Problem::new(
        ProblemCode::DomainInvalid,
        "this is not the address of a page; see `errors`",
    )
    .with_error(FieldError::new("/page", error.code(), error.to_string()))
}
