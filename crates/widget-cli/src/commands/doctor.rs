//! `widget doctor`: what keeps a page from showing its widget.

mod ask;
mod render;

use clap::{Args, builder::NonEmptyStringValueParser};
use reqwest::{Client, redirect};
use time::OffsetDateTime;
use tokio::time::{Instant, timeout_at};
use url::Url;
use widget_api::{
    decisions::ExplainQuery,
    doctor::Diagnosis,
    revisions::{Revision, RevisionsQuery},
    unreadable::WidgetRecord,
    widgets::WidgetsQuery,
};
use widget_core::{
    config::Config,
    doctor::{self, Answer, LauncherAnswer, PageVerdict, Question, ServiceAnswers, Visit},
    embed::PublicUrl,
    explain::{self, Explanation, Step, Verdict},
    finding::Code,
    go_live::PinnedVersion,
    id::WidgetId,
    mode::Mode,
    origin::{AllowedOrigins, Origin, SuffixList},
};

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self, Session,
        profile::{self, Access, Profiles},
        reference::{Reference, Target, id_of, title},
        visit::visit,
    },
    printer::Printer,
    service,
    suffixes::Suffixes,
    widget_file,
};

pub(crate) const HELP: &str = "\
Examples:
  widget doctor https://shop.example/cart
  widget doctor 0197a8b2 --page https://shop.example/cart

Without a profile, it says what can be seen without the widget's settings.";

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The address of a page; with --page, the widget that the page should show
    #[arg(value_name = "URL_OR_WIDGET", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) target: String,
    /// The address of the page, as in the visitor's address bar
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) page: Option<String>,
}

/// What is known of the widget and its service beside what everybody may know.
#[derive(Debug, Default)]
struct Known {
    id: Option<WidgetId>,
    title: Option<String>,
    organization: Option<String>,
    modes: Option<Vec<Mode>>,
    explanation: Option<Explanation>,
    /// When the page had the widget before, and who changed that.
    past: Option<String>,
    /// The key's organization has no such widget.
    is_missing: bool,
    /// The widget that is missing was deleted at this time.
    deleted: Option<(WidgetId, OffsetDateTime)>,
    /// The addresses of the service; none, when that of the page's snippet is meant.
    services: Vec<Url>,
    /// Values of `integrity` that the service gives out.
    hashes: Vec<String>,
    /// The service of the profile, when the page has the snippet of another one.
    own_service: Option<Url>,
}

impl Known {
    /// Whether the service shows the widget on the page.
    fn is_shown(&self) -> bool {
        let explanation = self.explanation.as_ref();
        explanation.is_some_and(|explanation| explanation.verdict == Verdict::Shown)
    }
}

/// Looks at a page.
pub(super) fn run(
    arguments: &Doctor,
    global: &Global,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let (page, reference) = if let Some(page) = &arguments.page {
        (page, Some(Reference::parse(&arguments.target)?))
    } else {
        let named = Reference::parse(&arguments.target);
        if named.is_ok_and(|named| !matches!(named.target, Target::Page(_))) {
            return Err(
                Failure::unexpected("name the page on which the widget should be shown").hint(
                    format_args!("widget doctor {} --page URL", arguments.target),
                ),
            );
        }
        (&arguments.target, None)
    };
    if let Some(reference) = &reference {
        reference.require_current()?;
    }
    let url = doctor::parse_page(page).map_err(|error| {
        let failure = Failure::unexpected(format_args!(
            "`{}` is not the address of a page: {error}",
            doctor::shown_page(page)
        ));
        failure.hint(if error.code() == Code::Userinfo {
            "leave out the user name and the password"
        } else {
            "use the address in the visitor's address bar"
        })
    })?;
    let access = find_access(global, reference.as_ref())?;
    let named = profile::variable("WIDGET_SERVICE").filter(|_| access.is_none());
    let named = named.map(|service| service::parse_address("WIDGET_SERVICE", &service));
    let expected = match (&access, named.transpose()?) {
        (Some(access), _) => Some(access.service.clone()),
        (None, named) => named,
    };
    let has_key = access.is_some();
    // Pages are fetched without a service, too; then nothing is asked with the session itself.
    let unused = || {
        Origin::try_from(&url)
            .ok()?
            .as_str()
            .parse::<PublicUrl>()
            .ok()
    };
    let Some(service) = expected.clone().or_else(unused) else {
        return Err(Failure::unexpected(format_args!(
            "`{}` is not the address of a page",
            doctor::shown_page(page)
        )));
    };
    let (key, profile) = match access {
        Some(access) => (access.key, access.profile),
        None => (None, None),
    };
    let session = Session::new(&global.service, service, key, profile)?;
    let question = Asked {
        page,
        url,
        reference,
        expected: expected.map(|service| Url::clone(&service)),
        has_key,
    };
    online::run_with(&session, printer, async |session, printer| {
        examine(question, session, printer).await
    })
}

/// Without a profile, everything can be said but what the widget's settings decide.
fn find_access(global: &Global, reference: Option<&Reference>) -> Result<Option<Access>, Failure> {
    let needs_key = global.service.profile.is_some()
        || reference.is_some_and(|reference| matches!(reference.target, Target::Prefix(_)));
    match profile::find_access(global.service.profile.as_deref()) {
        Ok(access) => Ok(Some(access)),
        Err(failure) if needs_key => Err(failure),
        Err(_) => Ok(None),
    }
}

/// What somebody wants to know.
struct Asked<'a> {
    page: &'a str,
    url: Url,
    reference: Option<Reference>,
    /// The service of the profile, or of the environment.
    expected: Option<Url>,
    has_key: bool,
}

async fn examine(
    asked: Asked<'_>,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let http = session.page_client(redirect::Policy::none())?;
    // One for the page, the service and what is behind it.
    let deadline = session.deadline();
    let visit = visit(&http, asked.url.clone(), deadline).await;
    let origin = visit.origin().or_else(|| Origin::try_from(&asked.url).ok());
    let finding = find_known(&asked, &visit, origin.as_ref(), session, printer);
    let left = deadline.saturating_duration_since(Instant::now());
    let mut known = match timeout_at(deadline, finding).await {
        Ok(known) => known?,
        // A page that used up the time says nothing about the service.
        Err(_) if left < ask::MIN_TIME && asked.reference.is_none() => Known {
            services: asked.expected.clone().into_iter().collect(),
            ..Known::default()
        },
        Err(_) => {
            let service = session.client.service().origin();
            return Err(
                Failure::unexpected(format_args!("`{service}` does not answer in time"))
                    .hint("use a longer `--timeout`"),
            );
        }
    };
    let profiles = find_profiles();
    let target = doctor::find_target(&visit, &known.services, known.id);
    let answers = match (&target, &origin, visit.page()) {
        (Some(target), Some(origin), Some(_)) => {
            ask_all(&asked, &visit, &mut known, target, origin, &http, deadline).await
        }
        _ => doctor::ServiceAnswers::default(),
    };
    let is_refused = matches!(answers.launcher, Answer::Given(LauncherAnswer::Refused(_)));
    if let (true, true, Some(origin)) = (known.is_missing, is_refused, &origin) {
        let service = session.client.service().origin();
        let suffixes = SuffixList::builtin();
        let mut explanation = explain::explain(
            None,
            PinnedVersion::Published,
            origin.as_str(),
            service,
            suffixes,
        );
        if let Some((id, time)) = known.deleted {
            let is_found = |step: &Step| step.code != Code::WidgetNotFound;
            explanation.steps.retain(is_found);
            explanation = explanation.of_deleted(id, time);
            for step in &mut explanation.steps {
                if step.code == Code::WidgetDeleted {
                    step.hint = Some(format!("`widget undelete {id}` brings it back"));
                }
            }
        }
        known.explanation = Some(explanation);
    }
    let diagnosis = doctor::diagnose(&Question {
        services: &known.services,
        widget_id: known.id,
        answers: &answers,
        explanation: known.explanation.as_ref(),
        past: known.past.as_deref(),
        modes: known.modes.as_deref(),
        own_service: known.own_service.as_ref(),
        profiles: &profiles,
        ..Question::new(asked.page, &visit)
    });
    let is_shown = diagnosis.verdict == PageVerdict::Shown;
    if printer.is_data() {
        printer.data(&Diagnosis::from(diagnosis))?;
    } else {
        render::render(&diagnosis, &known, origin.as_ref(), printer)?;
    }
    Ok(ExitCode::from_answer(is_shown))
}

/// Asks the service of the page about its widget, and about other widgets that the page has.
async fn ask_all(
    asked: &Asked<'_>,
    visit: &Visit,
    known: &mut Known,
    target: &doctor::Target,
    origin: &Origin,
    http: &Client,
    deadline: Instant,
) -> ServiceAnswers {
    let hashes = std::mem::take(&mut known.hashes);
    let mut answers = ask::ask_service(http, target, origin, hashes.clone(), deadline).await;
    let others = other_widgets(visit, target);
    answers.others = ask::ask_about_others(http, &target.service, &others, origin, deadline).await;
    // A page shows a widget when it shows any, unless somebody asks for one.
    let LauncherAnswer::Refused(code) = (match &answers.launcher {
        Answer::Given(answer) => answer,
        _ => return answers,
    }) else {
        return answers;
    };
    let is_shown = |answer: &LauncherAnswer| matches!(answer, LauncherAnswer::Shown { .. });
    let mut shown = answers.others.iter();
    let shown = shown
        .find(|(_, answer)| is_shown(answer))
        .map(|(id, _)| *id);
    let (Some(id), None, false) = (shown, &asked.reference, asked.has_key) else {
        return answers;
    };
    let refused = target
        .widget_id
        .map(|id| (id, LauncherAnswer::Refused(code.clone())));
    let others = answers.others.iter().filter(|(other, _)| *other != id);
    let others = others.cloned().chain(refused).collect();
    known.id = Some(id);
    if let Some(target) = doctor::find_target(visit, &known.services, known.id) {
        answers = ask::ask_service(http, &target, origin, hashes, deadline).await;
        answers.others = others;
    }
    answers
}

/// The other widgets of the same service that a page names.
fn other_widgets(visit: &Visit, target: &doctor::Target) -> Vec<WidgetId> {
    /// More are rarely on purpose.
    const MAX_OTHERS: usize = 3;
    let mut found = doctor::find_snippets(visit);
    found.retain(|found| {
        found.service.origin() == target.service.origin() && found.widget_id != target.widget_id
    });
    let ids = found.into_iter().filter_map(|found| found.widget_id);
    ids.take(MAX_OTHERS).collect()
}

/// The profiles of this user, for advice: without any, there is less of it.
fn find_profiles() -> Vec<(String, Url)> {
    let profiles = Profiles::read().unwrap_or_default();
    let profiles = profiles.0.into_iter();
    profiles
        .filter_map(|(name, profile)| Some((name, profile.service.parse().ok()?)))
        .collect()
}

/// Finds out which widget the page should show, and what its owner may know of it.
async fn find_known(
    asked: &Asked<'_>,
    visit: &Visit,
    origin: Option<&Origin>,
    session: &Session,
    printer: &mut Printer,
) -> Result<Known, Failure> {
    let mut known = Known::default();
    if let Some(reference) = &asked.reference {
        known.services.extend(asked.expected.clone());
        if let Some(file) = reference.local() {
            let suffixes = Suffixes::default();
            let record = widget_file::find_record(file, None, None, &suffixes, printer)?
                .ok_or_else(|| Failure::bad_input("the widget in the file is not valid"))?;
            known.id = record.id;
            if !asked.has_key {
                let config = &record.widget.config;
                known.modes = Some(config.current().enabled_modes());
                known.title = title(&WidgetRecord::<widget_api::Widget>::Readable(
                    record.widget.clone().into(),
                ))
                .map(str::to_owned);
                if let Some((origin, service)) =
                    origin.zip(Origin::parse_page("https://widgets.example").ok())
                {
                    known.explanation = Some(explain::explain(
                        Some(&record.widget),
                        record.version.unwrap_or(PinnedVersion::Published),
                        origin.as_str(),
                        &service,
                        suffixes.list(),
                    ));
                }
                return Ok(known);
            }
        } else if asked.has_key {
            known.id = Some(reference.find_id(session, printer).await?);
        } else if let Target::Id(id) = reference.target {
            known.id = Some(id);
        }
    } else if let Some(expected) = &asked.expected {
        let found = doctor::find_target(visit, &[], None);
        known.services.push(expected.clone());
        known.id = found
            .as_ref()
            .and_then(|found| found.widget_id)
            .filter(|_| asked.has_key);
        // Whether the page's snippet names neither this service nor its own site, as copies do.
        let is_other = |services: &[Url]| {
            let here = visit.page().map(|page| page.url.origin());
            found.as_ref().is_some_and(|found| {
                let own = services.iter().map(Url::origin).chain(here);
                !own.into_iter()
                    .any(|origin| origin == found.service.origin())
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
        return Ok(known);
    }
    if let (true, Some(id)) = (asked.has_key, known.id) {
        read_widget(id, true, origin, session, &mut known).await?;
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
    let config = config.and_then(|config| Config::from_value(config.clone()).ok());
    known.modes = config
        .as_ref()
        .map(|config| config.current().enabled_modes());
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
            known.past = find_past(id, origin, session).await;
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

/// Looks in the newest part of the history for the change since which the page no longer has the
/// widget. A failure changes nothing else.
async fn find_past(id: WidgetId, origin: &Origin, session: &Session) -> Option<String> {
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
    // Nothing for one that cannot be read.
    let has_page = |revision: &Revision| match &revision.web_widget {
        WidgetRecord::Readable(widget) => {
            let domains = AllowedOrigins::parse(&widget.domains, SuffixList::builtin()).ok()?;
            Some(widget.published && domains.admit(origin).is_some())
        }
        WidgetRecord::Unreadable(_) => None,
    };
    let known: Vec<_> = revisions.iter().map(has_page).collect();
    let since = revisions.get(find_change(&known)?)?;
    let time = since.created_at.map(super::time);
    Some(format!(
        "it was for `{origin}` until {}, when {} wrote revision {}; see `widget history {id}`",
        time.as_deref().unwrap_or("a time that cannot be read"),
        super::history::author(since),
        since.number
    ))
}

/// The revision that took the page away, of revisions with the newest first, each with whether it
/// has the page. Nothing when one that matters is unknown.
fn find_change(had_page: &[Option<bool>]) -> Option<usize> {
    let mut changes = had_page.windows(2);
    let at = changes.position(|pair| pair[1] != Some(false))?;
    (had_page[at] == Some(false) && had_page[at + 1] == Some(true)).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_between_two_revisions_that_are_known() {
        let (yes, no, unknown) = (Some(true), Some(false), None);
        for (had_page, expected) in [
            (&[no, yes][..], Some(0)),
            (&[no, no, yes, unknown], Some(1)),
            (&[unknown, no, yes], Some(1)),
            (&[yes, yes], None),
            (&[unknown, yes], None),
            (&[no, unknown, yes], None),
            (&[no, unknown, no, yes], None),
            (&[no, no], None),
            (&[no], None),
            (&[], None),
        ] {
            assert_eq!(find_change(had_page), expected, "{had_page:?}");
        }
    }
}
