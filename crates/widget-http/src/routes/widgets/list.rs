//! The list of widgets, with what a table for people shows of each.

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use http::header;
use widget_api::{
    ProblemCode, Scope,
    decisions::Finding,
    unreadable::WidgetRecord,
    widgets::{ListedWidget, WidgetsQuery},
};
use widget_core::{
    finding::FindingList,
    go_live::PinnedVersion,
    id::OrganizationId,
    listing::{self, Site, WidgetSearch},
    unreadable as core,
};

use super::deleted::build_deleted;
use crate::{
    routes::{directory, search::Search},
    state::AppState,
    storage::{DeletedWidget, StoredWidget, WidgetFilter},
    web::{
        api::{self, ApiRouter},
        auth::Caller,
        extract::StrictQuery,
        paging,
        problem::Problem,
    },
};

const PATH: &str = "/core/web-widgets";

pub(super) fn router() -> ApiRouter<AppState> {
    ApiRouter::new().route(
        api::get(
            PATH,
            "listWebWidgets",
            "Lists widgets, the newest first, or those that were deleted",
        )
        .scope(Scope::WebWidgetsRead)
        .query::<WidgetsQuery>()
        .answer::<Vec<WidgetRecord<ListedWidget>>>(
            200,
            "A page of widgets; the header `Link` names the next, also of a page with few items or \
             none.",
        )
        .with(header::LINK)
        .problems([ProblemCode::DomainsInvalid]),
        list,
    )
}

async fn list(
    State(state): State<AppState>,
    caller: Caller,
    RawQuery(raw): RawQuery,
    StrictQuery(query): StrictQuery<WidgetsQuery>,
) -> Result<Response, Problem> {
    let page = paging::parse_page(query.limit, query.cursor.as_deref())?;
    let parse_site = |text: String| {
        Site::parse(&text, &state.suffixes).map_err(|error| {
            let found: FindingList = error.findings("/domain").into_iter().collect();
            let detail = "`domain` is neither a site nor an entry of a list; see `errors`";
            Problem::new(ProblemCode::DomainsInvalid, detail).with_findings(found)
        })
    };
    let wanted = WidgetSearch {
        title: query.title,
        site: query.domain.map(parse_site).transpose()?,
        blocked: query.blocked,
    };
    let filter = WidgetFilter {
        id_prefix: query.id_prefix,
        agent_id: query.agent_id,
        agent_version_id: query.agent_version_id,
        // Only those can be blocked.
        published: match query.blocked {
            Some(true) if query.published.is_none() => Some(true),
            _ => query.published,
        },
        updated_after: query.updated_after.map(Into::into),
        sites: wanted
            .site
            .as_ref()
            .map(Site::fragments)
            .unwrap_or_default(),
    };
    let mut search = Search::new(page, wanted.is_empty());
    let organization = &caller.organization_id;
    if query.deleted == Some(true) {
        find_deleted(&state, organization, &filter, wanted, &mut search).await?;
    } else {
        find(&state, organization, &filter, &wanted, &mut search).await?;
    }
    Ok(search.answer(&state.settings.public_url, PATH, raw.as_deref()))
}

async fn find(
    state: &AppState,
    organization: &OrganizationId,
    filter: &WidgetFilter,
    wanted: &WidgetSearch,
    search: &mut Search,
) -> Result<(), Problem> {
    let in_record = WidgetSearch {
        blocked: None,
        ..wanted.clone()
    };
    while let Some(page) = search.next_page() {
        let found = state.storage.list_widgets(organization, filter, page).await;
        let Some(found) = search.unless_late(found)? else {
            break;
        };
        search.begin(&found);
        for row in found {
            let stored = row.item;
            let mut item = None;
            // An agent directory is only asked about those that fit otherwise.
            if in_record.matches(&stored.widget, stored.pinned) {
                let pinned = directory::find_pinned(state, &stored).await;
                let Some(pinned) = search.unless_late(pinned)? else {
                    break;
                };
                if wanted.matches(&stored.widget, pinned) {
                    item = Some(build_listed(stored, pinned));
                }
            }
            search.look_at(row.position, item.as_ref())?;
            if search.is_full() {
                break;
            }
        }
    }
    Ok(())
}

async fn find_deleted(
    state: &AppState,
    organization: &OrganizationId,
    filter: &WidgetFilter,
    mut wanted: WidgetSearch,
    search: &mut Search,
) -> Result<(), Problem> {
    // Nobody sees a deleted widget, so that nothing keeps it from being seen.
    let blocked = wanted.blocked.take() == Some(true);
    while let Some(page) = search.next_page() {
        let found = state
            .storage
            .list_deleted_widgets(organization, filter, page)
            .await;
        let Some(found) = search.unless_late(found)? else {
            break;
        };
        search.begin(&found);
        for row in found {
            let deleted = row.item;
            let fits = !blocked && wanted.matches(&deleted.widget, PinnedVersion::VersionMissing);
            let item = fits.then(|| build_listed_deleted(deleted));
            search.look_at(row.position, item.as_ref())?;
            if search.is_full() {
                break;
            }
        }
    }
    Ok(())
}

fn build_listed_deleted(deleted: DeletedWidget) -> WidgetRecord<ListedWidget> {
    let title = listing::title(&deleted.widget).to_owned();
    let revision = deleted.revision;
    match build_deleted(deleted) {
        WidgetRecord::Unreadable(widget) => WidgetRecord::Unreadable(widget),
        WidgetRecord::Readable(widget) => WidgetRecord::Readable(ListedWidget {
            widget,
            title,
            state: None,
            blockers: Vec::new(),
            agent_name: None,
            agent_version_number: None,
            agent_version_label: None,
            revision,
        }),
    }
}

fn build_listed(
    stored: StoredWidget<core::WidgetRecord>,
    pinned: PinnedVersion,
) -> WidgetRecord<ListedWidget> {
    let (state, blockers) = listing::state(&stored.widget, pinned);
    let title = listing::title(&stored.widget).to_owned();
    let (revision, names) = (stored.revision, stored.names);
    match stored.widget.into() {
        WidgetRecord::Unreadable(widget) => WidgetRecord::Unreadable(widget),
        WidgetRecord::Readable(widget) => WidgetRecord::Readable(ListedWidget {
            widget,
            title,
            state: Some(state),
            blockers: blockers.into_iter().map(Finding::from).collect(),
            agent_name: names.agent,
            agent_version_number: names.version,
            agent_version_label: names.label,
            revision,
        }),
    }
}
