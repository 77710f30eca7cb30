//! `widget doctor`: what keeps a page from showing its widget.

mod ask;
mod known;
mod render;

use clap::{Args, builder::NonEmptyStringValueParser};
use reqwest::{Client, redirect};
use tokio::time::{Instant, timeout_at};
use url::Url;
use widget_api::doctor::Diagnosis;
use widget_core::{
    doctor::{
        self, Answer, LauncherAnswer, PageVerdict, Question, ServiceAnswers, Visit, quote_for_shell,
    },
    embed::PublicUrl,
    explain::{self, Step},
    finding::Code,
    go_live::PinnedVersion,
    origin::{Origin, SuffixList},
};

use crate::{
    cli::Global,
    exit::ExitCode,
    failure::Failure,
    online::{
        self, Session,
        profile::{self, Access, Profiles},
        reference::{Reference, Target},
        visit::visit,
    },
    printer::Printer,
    service,
};
use known::{Known, find_known, other_services, other_widgets};

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
                    format_args!(
                        "widget doctor {} --page URL",
                        quote_for_shell(&arguments.target)
                    ),
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
        match error.code() {
            // It says what to do.
            Code::Userinfo => failure,
            _ => failure.hint("use the address in the visitor's address bar"),
        }
    })?;
    let access = find_access(global, reference.as_ref(), printer)?;
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
fn find_access(
    global: &Global,
    reference: Option<&Reference>,
    printer: &mut Printer,
) -> Result<Option<Access>, Failure> {
    let needs_key = global.service.profile.is_some()
        || reference.is_some_and(|reference| matches!(reference.target, Target::Prefix(_)));
    match profile::find_access(global.service.profile.as_deref()) {
        Ok(access) => Ok(Some(access)),
        Err(failure) if needs_key => Err(failure),
        Err(failure) => {
            // Who never logged in does not expect more.
            if profile::has_any() {
                warn_without_key(&failure, printer)?;
            }
            Ok(None)
        }
    }
}

/// Says why less can be said than with a key.
fn warn_without_key(failure: &Failure, printer: &mut Printer) -> Result<(), Failure> {
    let detail = format!("the widget's settings are not known: {}", failure.message);
    printer.warning(&detail, failure.hint.as_deref())
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
    mut asked: Asked<'_>,
    session: &Session,
    printer: &mut Printer,
) -> Result<ExitCode, Failure> {
    let http = session.page_client(redirect::Policy::none())?;
    // One for the page, the service and what is behind it.
    let deadline = session.deadline();
    let visit = visit(&http, asked.url.clone(), deadline).await;
    let origin = visit.origin().or_else(|| Origin::try_from(&asked.url).ok());
    let mut known = find_in_time(
        &mut asked,
        &visit,
        origin.as_ref(),
        session,
        deadline,
        printer,
    )
    .await?;
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
    if let (true, None, false, Some(target)) =
        (known.is_missing, known.deleted, is_refused, &target)
        && let Some(id) = target.widget_id
    {
        let detail = format!("widget {id} does not belong to the organization of your key");
        let hint = "only what its visitors can see is reported";
        printer.warning(&detail, Some(hint))?;
    }
    let diagnosis = doctor::diagnose(&Question {
        services: &known.services,
        widget_id: known.id,
        answers: &answers,
        explanation: known.explanation.as_ref(),
        past: known.past.as_deref(),
        listed_by: known.listed_by.as_ref(),
        config: known.config.as_ref(),
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

/// Finds out what is known of the widget. For a page alone, what everybody may know is enough, and
/// the time is shared with what is asked as a visitor.
async fn find_in_time(
    asked: &mut Asked<'_>,
    visit: &Visit,
    origin: Option<&Origin>,
    session: &Session,
    deadline: Instant,
    printer: &mut Printer,
) -> Result<Known, Failure> {
    let left = deadline.saturating_duration_since(Instant::now());
    let limit = if asked.reference.is_some() {
        deadline
    } else {
        deadline - left / 2
    };
    let finding = find_known(asked, visit, origin, session, printer);
    let failure = match timeout_at(limit, finding).await {
        Ok(Ok(known)) => return Ok(known),
        Ok(Err(failure)) => failure,
        Err(_) => {
            let service = session.client.service().origin();
            let failure = Failure::unexpected(format_args!("`{service}` does not answer in time"));
            failure.hint(if asked.reference.is_some() {
                "use a longer `--timeout`"
            } else {
                "`widget whoami` says why"
            })
        }
    };
    if asked.reference.is_some() {
        return Err(failure);
    }
    // A page that used up the time says nothing about the service.
    if left >= ask::MIN_TIME {
        warn_without_key(&failure, printer)?;
    }
    asked.has_key = false;
    // Without a key, it asks nobody.
    find_known(asked, visit, origin, session, printer).await
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
    if asked.reference.is_some() || asked.has_key {
        return answers;
    }
    let refused = match &answers.launcher {
        Answer::Given(LauncherAnswer::Refused(code)) => Some(code.clone()),
        Answer::Failed(_) => None,
        _ => return answers,
    };
    let is_shown = |answer: &LauncherAnswer| matches!(answer, LauncherAnswer::Shown { .. });
    let mut shown = answers.others.iter();
    let shown = shown.find(|(_, answer)| is_shown(answer));
    if let Some((id, _)) = shown {
        let id = *id;
        let refused = target.widget_id.zip(refused.map(LauncherAnswer::Refused));
        let others = answers.others.iter().filter(|(other, _)| *other != id);
        let others = others.cloned().chain(refused).collect();
        known.id = Some(id);
        if let Some(target) = doctor::find_target(visit, &known.services, known.id) {
            answers = ask::ask_service(http, &target, origin, hashes, deadline).await;
            answers.others = others;
        }
        return answers;
    }
    if !known.services.is_empty() {
        return answers;
    }
    for other in other_services(visit, target) {
        let ids = other.widget_id.as_slice();
        let found = ask::ask_about_others(http, &other.service, ids, origin, deadline).await;
        if found.iter().any(|(_, answer)| is_shown(answer)) {
            known.id = other.widget_id;
            known.services = vec![other.service.clone()];
            return ask::ask_service(http, &other, origin, hashes, deadline).await;
        }
    }
    answers
}

/// The profiles of this user, for advice: without any, there is less of it.
fn find_profiles() -> Vec<(String, Url)> {
    let profiles = Profiles::read().unwrap_or_default();
    let profiles = profiles.0.into_iter();
    profiles
        .filter_map(|(name, profile)| Some((name, profile.service.parse().ok()?)))
        .collect()
}
