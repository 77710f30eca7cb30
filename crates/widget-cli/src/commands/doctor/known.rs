//! What is known of the widget that a page should show, beside what everybody may know.

use time::OffsetDateTime;
use url::Url;
use widget_api::{
    decisions::ExplainQuery, refusals::RefusalsQuery, revisions::RevisionsQuery,
    unreadable::WidgetRecord, widgets::WidgetsQuery,
};
use widget_core::{
    config::Config,
    doctor::{self, OtherWidget, PastRevision, Visit},
    explain::{self, Explanation, Verdict},
    finding::Code,
    go_live::PinnedVersion,
    id::WidgetId,
    origin::{AllowedOrigins, Origin, SuffixList},
};

use super::Asked;
use crate::{
    commands::history,
    failure::Failure,
    online::{
        Session,
        reference::{Reference, Target, id_of, title},
    },
    printer::Printer,
    record::Record,
    suffixes::Suffixes,
    widget_file,
};

/// What is known of the widget and its service beside what everybody may know.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) id: Option<WidgetId>,
    pub(super) title: Option<String>,
    pub(super) organization: Option<String>,
    pub(super) config: Option<Config>,
    pub(super) explanation: Option<Explanation>,
    /// When the page had the widget before, and who changed that.
    pub(super) past: Option<String>,
    /// Another widget of the organization that is for the page.
    pub(super) listed_by: Option<OtherWidget>,
    /// The key's organization has no such widget.
    pub(super) is_missing: bool,
    /// The widget that is missing was deleted at this time.
    pub(super) deleted: Option<(WidgetId, OffsetDateTime)>,
    /// The addresses of the service; none, when that of the page's snippet is meant.
    pub(super) services: Vec<Url>,
    /// Values of `integrity` that the service gives out.
    pub(super) hashes: Vec<String>,
    /// The service of the profile, when the page has the snippet of another one.
    pub(super) own_service: Option<Url>,
}

impl Known {
    /// Whether the service shows the widget on the page.
    pub(super) fn is_shown(&self) -> bool {
        let explanation = self.explanation.as_ref();
        explanation.is_some_and(|explanation| explanation.verdict == Verdict::Shown)
    }

    /// Adds what a file says of the widget.
    fn add_record(&mut self, record: &Record, origin: Option<&Origin>, suffixes: &Suffixes) {
        let widget = &record.widget;
        self.config = Some(widget.config.clone());
        self.title = title(&WidgetRecord::Readable(widget_api::Widget::from(
            widget.clone(),
        )))
        .map(str::to_owned);
        // The file does not say which service it is for.
        let service = Origin::parse_page("https://widgets.example").ok();
        self.explanation = origin.zip(service).map(|(origin, service)| {
            explain::explain(
                Some(widget),
                record.version.unwrap_or(PinnedVersion::Published),
                origin.as_str(),
                &service,
                suffixes.list(),
            )
        });
    }
}

/// Finds out which widget the page should show, and what its owner may know of it.
pub(super) async fn find_known(
    asked: &Asked<'_>,
    visit: &Visit,
    origin: Option<&Origin>,
    session: &Session,
    printer: &mut Printer,
) -> Result<Known, Failure> {
    match (&asked.reference, &asked.expected) {
        (Some(reference), _) => find_named(reference, asked, origin, session, printer).await,
        (None, Some(expected)) => find_shown(expected, asked, visit, origin, session).await,
        (None, None) => Ok(Known::default()),
    }
}

/// What is known of the widget that somebody named.
async fn find_named(
    reference: &Reference,
    asked: &Asked<'_>,
    origin: Option<&Origin>,
    session: &Session,
    printer: &mut Printer,
) -> Result<Known, Failure> {
    let mut known = Known {
        services: asked.expected.clone().into_iter().collect(),
        ..Known::default()
    };
    if let Some(file) = reference.local() {
        let suffixes = Suffixes::default();
        let record = widget_file::find_record(file, None, None, &suffixes, printer)?
            .ok_or_else(|| Failure::bad_input("the widget in the file is not valid"))?;
        known.id = record.id;
        if !asked.has_key {
            known.add_record(&record, origin, &suffixes);
            return Ok(known);
        }
    } else if asked.has_key {
        known.id = Some(reference.find_id(session, printer).await?);
    } else if let Target::Id(id) = reference.target {
        known.id = Some(id);
    }
    if let (true, Some(id)) = (asked.has_key, known.id) {
        read_widget(id, true, origin, session, &mut known).await?;
    }
    Ok(known)
}

/// What is known of the widget that the page shows; `expected` is the caller's service.
async fn find_shown(
    expected: &Url,
    asked: &Asked<'_>,
    visit: &Visit,
    origin: Option<&Origin>,
    session: &Session,
) -> Result<Known, Failure> {
    let found = doctor::find_target(visit, &[], None);
    let mut known = Known {
        services: vec![expected.clone()],
        id: found
            .as_ref()
            .and_then(|found| found.widget_id)
            .filter(|_| asked.has_key),
        ..Known::default()
    };
    // Whether the page's snippet names neither this service nor its own site, as copies do.
    let is_other = |services: &[Url]| {
        let here = visit.page().map(|page| page.url.origin());
        found.as_ref().is_some_and(|found| {
            let mut own = services.iter().map(Url::origin).chain(here);
            !own.any(|origin| origin == found.service.origin())
        })
    };
    if let Some(id) = known.id {
        match read_widget(id, false, origin, session, &mut known).await {
            // What is wrong with the caller's own service says nothing about another one.
            Err(_) if is_other(&known.services) => known.is_missing = true,
            asked => asked?,
        }
        let others = found.as_ref().filter(|_| !known.is_shown());
        let others = others.map(|found| other_widgets(visit, found));
        for id in others.unwrap_or_default() {
            let mut other = Known {
                services: vec![expected.clone()],
                ..Known::default()
            };
            let read = read_widget(id, false, origin, session, &mut other).await;
            // A page shows a widget when it shows any.
            if read.is_ok() && other.is_shown() {
                known = other;
                break;
            }
        }
    }
    if is_other(&known.services) && (known.is_missing || known.id.is_none()) {
        return Ok(Known {
            own_service: Some(expected.clone()),
            ..Known::default()
        });
    }
    Ok(known)
}

/// Asks the service what the owner of the widget may know.
async fn read_widget(
    id: WidgetId,
    is_asked_for: bool,
    origin: Option<&Origin>,
    session: &Session,
    known: &mut Known,
) -> Result<(), Failure> {
    let record = match session.client.get_web_widget(id).await {
        Ok(record) => record.value,
        // It may be one of another organization, which the service shows all the same.
        Err(error) if error.is_not_found() && !is_asked_for => {
            known.is_missing = true;
            known.deleted = find_deleted(id, session).await;
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    known.id = Some(id_of(&record));
    known.title = title(&record).map(str::to_owned);
    let config = match &record {
        WidgetRecord::Readable(widget) => {
            known.organization = Some(widget.organization_id.to_string());
            Some(&widget.config)
        }
        WidgetRecord::Unreadable(widget) => widget.config.as_ref(),
    };
    known.config = config.and_then(|config| Config::from_value(config.clone()).ok());
    if let Some(origin) = origin {
        let query = ExplainQuery {
            origin: origin.to_string(),
        };
        let explanation = session.client.explain_web_widget(id, &query).await?;
        // A newer service may have codes that this program does not know.
        known.explanation = serde_json::to_value(explanation)
            .and_then(serde_json::from_value)
            .ok();
        let is_refused = |explanation: &Explanation| explanation.verdict == Verdict::NotShown;
        if known.explanation.as_ref().is_some_and(is_refused) {
            known.past = describe_past(id, origin, session).await;
        }
        let code = known
            .explanation
            .as_ref()
            .map(|explanation| explanation.code);
        if code == Some(Code::OriginNotListed) {
            known.listed_by = find_listing(id, origin, session).await;
        }
    }
    let snippet = session.client.get_snippet(id).await?;
    let attribute = |html: &str, name: &str| {
        let (_, rest) = html.split_once(&format!("{name}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let address = attribute(&snippet.html, "src");
    let public = address.and_then(|address| {
        let (service, _) = address.split_once("/public/embed/")?;
        Url::parse(service).ok()
    });
    if let Some(public) = public {
        // The address of browsers first: it is in hints.
        known.services.retain(|known| *known != public);
        known.services.insert(0, public);
    }
    let pinned = snippet.html_with_integrity.as_deref();
    known
        .hashes
        .extend(pinned.and_then(|html| attribute(html, "integrity")));
    Ok(())
}

/// When a widget was deleted. Without an answer, it counts as unknown.
async fn find_deleted(id: WidgetId, session: &Session) -> Option<(WidgetId, OffsetDateTime)> {
    let query = WidgetsQuery {
        deleted: Some(true),
        id_prefix: id.to_string().parse().ok(),
        ..WidgetsQuery::default()
    };
    let mut pages = session.client.list_web_widgets(&query);
    let deleted = pages.next().await.ok()??;
    let record = deleted.iter().find(|record| id_of(record) == id)?;
    let time = match record {
        WidgetRecord::Readable(widget) => widget.widget.deleted_at,
        WidgetRecord::Unreadable(widget) => widget.deleted_at,
    };
    Some((id, time?.into()))
}

/// What the refusals of the last days, and the newest part of the history, say about the page. A
/// failure changes nothing else.
async fn describe_past(id: WidgetId, origin: &Origin, session: &Session) -> Option<String> {
    let query = RefusalsQuery::default();
    let refusals = session.client.get_web_widget_refusals(id, &query).await;
    let refusals = refusals.ok();
    let refused = refusals
        .iter()
        .flat_map(|refusals| refusals.of_page(origin));
    let revisions = find_revisions(id, origin, session)
        .await
        .unwrap_or_default();
    doctor::describe_past(refused, &revisions, id, origin)
}

async fn find_revisions(
    id: WidgetId,
    origin: &Origin,
    session: &Session,
) -> Option<Vec<PastRevision>> {
    let query = RevisionsQuery {
        limit: Some(widget_api::MAX_PAGE_LIMIT),
        before: None,
    };
    let revisions = session
        .client
        .list_revisions(id, &query)
        .next()
        .await
        .ok()??;
    let revisions = revisions.iter();
    let revisions = revisions.map(|revision| PastRevision {
        number: revision.number,
        written_at: revision.created_at.map(Into::into),
        author: history::author(revision),
        was_for_page: match &revision.web_widget {
            WidgetRecord::Readable(widget) => {
                AllowedOrigins::parse(&widget.domains, SuffixList::builtin())
                    .ok()
                    .map(|domains| doctor::was_for_page(widget.published, &domains, origin))
            }
            WidgetRecord::Unreadable(_) => None,
        },
    });
    Some(revisions.collect())
}

/// Another widget of the organization that is for the page. A failure changes nothing else.
async fn find_listing(id: WidgetId, origin: &Origin, session: &Session) -> Option<OtherWidget> {
    let query = WidgetsQuery {
        domain: Some(origin.to_string()),
        published: Some(true),
        ..WidgetsQuery::default()
    };
    let found = session
        .client
        .list_web_widgets(&query)
        .next()
        .await
        .ok()??;
    let mut others = found.iter().filter(|record| id_of(record) != id);
    others.find_map(|record| {
        Some(OtherWidget {
            id: id_of(record),
            title: title(record)?.to_owned(),
        })
    })
}

/// More are rarely on purpose.
const MAX_OTHERS: usize = 3;

/// The widgets of other services that a page names.
pub(super) fn other_services(visit: &Visit, target: &doctor::Target) -> Vec<doctor::Target> {
    let mut found = doctor::find_snippets(visit);
    found.retain(|found| {
        found.service.origin() != target.service.origin() && found.widget_id.is_some()
    });
    found.truncate(MAX_OTHERS);
    found
}

/// The other widgets of the same service that a page names.
pub(super) fn other_widgets(visit: &Visit, target: &doctor::Target) -> Vec<WidgetId> {
    let mut found = doctor::find_snippets(visit);
    found.retain(|found| {
        found.service.origin() == target.service.origin() && found.widget_id != target.widget_id
    });
    let ids = found.into_iter().filter_map(|found| found.widget_id);
    ids.take(MAX_OTHERS).collect()
}
