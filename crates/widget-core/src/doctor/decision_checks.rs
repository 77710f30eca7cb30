//! What core decides about the widget and the page, as findings.

use url::Url;

use super::evidence;
use super::fix::Fix;
use super::page_checks::find_foreign_gate;
use super::question::{Answer, LauncherAnswer, Question, Target};
use super::report::{Audience, CheckStatus, PageFinding};
use super::target::is_known;
use crate::{
    config::Config,
    explain::{self, Difference, Explanation},
    finding::Code,
    mode::Mode,
    origin::Origin,
};

pub(super) fn check(
    question: &Question<'_>,
    origin: Option<&Origin>,
    target: Option<&Target>,
) -> Vec<PageFinding> {
    let gate = find_foreign_gate(question);
    let Some(explanation) = question.explanation else {
        let Some((origin, target)) = origin.zip(target) else {
            return Vec::new();
        };
        let notes = explain::notes_on_page(origin).map(|note| PageFinding {
            hint: note.hint,
            ..PageFinding::warn(note.code, Audience::Site, note.detail)
        });
        let refusal = refusal(question, origin, target).map(|finding| match gate {
            Some(gate) if finding.status == CheckStatus::Fail => not_decided(finding.code, gate),
            _ => finding,
        });
        return refusal.into_iter().chain(notes).collect();
    };
    let id = target.and_then(|target| target.widget_id);
    let steps = explanation.steps.iter().map(|step| {
        if let Some(gate) = gate.filter(|_| step.code == Code::OriginNotListed && !step.ok) {
            return not_decided(step.code, gate);
        }
        let is_listing = step.code == Code::OriginNotListed;
        let nearest = explanation.nearest.as_ref().filter(|_| is_listing);
        let nearest = nearest.map(|nearest| nearest.detail.as_str());
        let is_past = !step.ok && step.code == explanation.code;
        let evidence: Vec<&str> = nearest
            .into_iter()
            .chain(question.past.filter(|_| is_past))
            .collect();
        let other = other_widget(question).or_else(|| other_service(question, explanation));
        let other = other.filter(|_| is_listing && !step.ok);
        PageFinding {
            code: step.code,
            status: if step.ok {
                CheckStatus::Ok
            } else {
                CheckStatus::Fail
            },
            detail: step.detail.clone(),
            evidence: (!evidence.is_empty()).then(|| evidence.join("; ")),
            hint: match (&step.hint, &other) {
                (Some(hint), Some(other)) => Some(format!("{hint}; {other}")),
                (hint, _) => hint.clone(),
            },
            fix: id
                .filter(|_| !step.ok && other.is_none())
                .and_then(|id| fix_of(step.code, &id.to_string(), question, explanation)),
            audience: match step.code {
                Code::AgentDirectoryUnavailable
                | Code::ConfigUnreadable
                | Code::FieldUnreadable => Audience::Operator,
                _ => Audience::Widget,
            },
        }
    });
    let notes = explanation.notes.iter().filter(|note| {
        // Both have checks of their own.
        !matches!(note.code, Code::FramedPage | Code::MixedContent)
    });
    let notes = notes.map(|note| PageFinding {
        code: note.code,
        status: CheckStatus::Warn,
        detail: note.detail.clone(),
        evidence: None,
        hint: note.hint.clone(),
        fix: None,
        audience: match note.code {
            Code::AgentWorkerMissing => Audience::Operator,
            _ => Audience::Site,
        },
    });
    steps.chain(notes).collect()
}

/// What the decision about a page on which to log in says about the page that was asked for.
fn not_decided(code: Code, gate: &Url) -> PageFinding {
    PageFinding::unknown(
        code,
        Audience::Widget,
        format!(
            "whether the widget is shown on the page is not known: the site first sends its \
             visitors to `{}`, to log in or to agree",
            evidence::of_url(gate)
        ),
    )
    .with_hint("log in with a browser, and look there at the page")
}

/// The command that makes a step of the decision pass.
fn fix_of(code: Code, id: &str, question: &Question<'_>, explanation: &Explanation) -> Option<Fix> {
    match code {
        Code::NotPublished => Some(Fix::command(["publish", id])),
        Code::WidgetDeleted => Some(Fix::command(["undelete", id])),
        Code::OriginNotListed => {
            let origin = explanation.origin.as_ref()?;
            let nearest = explanation.nearest.as_ref();
            explain::advises_to_list(origin, nearest, question.suffixes)
                .then(|| Fix::command(["domains", id, "add", origin.as_str()]))
        }
        _ => None,
    }
}

/// The other reading of a page that is not listed: the page has the snippet of the wrong widget.
fn other_widget(question: &Question<'_>) -> Option<String> {
    let other = question.listed_by?;
    Some(format!(
        "or, if the page should show the widget \"{}\", which lists it, replace the snippet \
         with the one that `widget snippet {}` prints",
        other.title, other.id
    ))
}

/// Another reading of a page that is not listed: the page is of another environment than the
/// widget, and has its snippet by mistake.
fn other_service(question: &Question<'_>, explanation: &Explanation) -> Option<String> {
    let is_other_site = match &explanation.nearest {
        None => true,
        Some(nearest) => matches!(
            nearest.difference,
            Difference::Subdomain | Difference::ParentDomain | Difference::Sibling
        ),
    };
    let own = question.services;
    if !is_other_site || own.is_empty() {
        return None;
    }
    let mut others = question.profiles.iter();
    let (profile, service) = others.find(|(_, service)| !is_known(own, service))?;
    Some(format!(
        "or, if the page should show a widget of another service, such as `{}` (profile \
         `{profile}`), paste that widget's snippet",
        service.as_str().trim_end_matches('/')
    ))
}

/// Which modes the widget does not have.
pub(super) fn check_modes(question: &Question<'_>, target: Option<&Target>) -> Vec<PageFinding> {
    let warnings = question.config.map(Config::warnings).unwrap_or_default();
    let id = target.and_then(|target| target.widget_id);
    let id = id.map_or_else(|| "WIDGET".to_owned(), |id| id.to_string());
    let missing = [
        (
            Mode::Voice,
            Code::VoiceDisabled,
            "visitors can write, and not talk",
        ),
        (
            Mode::Text,
            Code::TextDisabled,
            "visitors can talk, and not write",
        ),
    ]
    .into_iter()
    .filter(|(mode, ..)| !question.may_have(*mode));
    missing
        .map(|(mode, code, effect)| {
            let detail = format!("{effect}: `modes.{mode}` is off in the widget's config");
            // A button for it that does nothing is hardly wanted.
            let dead = warnings.iter().find(|warning| warning.code == code);
            let finding = match dead {
                Some(dead) => PageFinding::warn(Code::ModeDisabled, Audience::Widget, detail)
                    .with_evidence(match &dead.pointer {
                        Some(pointer) => format!("{pointer}: {}", dead.detail),
                        None => dead.detail.clone(),
                    }),
                None => PageFinding::ok(Code::ModeDisabled, Audience::Widget, detail),
            };
            finding.with_hint(format!(
                "to turn it on: widget set {id} /config/v1/modes/{mode}=true"
            ))
        })
        .collect()
}

/// What the service says to everybody, when the widget itself is not known.
fn refusal(question: &Question<'_>, origin: &Origin, target: &Target) -> Option<PageFinding> {
    match &question.answers.launcher {
        Answer::Given(LauncherAnswer::Shown { .. }) => Some(PageFinding::ok(
            Code::Shown,
            Audience::Widget,
            format!("the service shows the widget on `{origin}`"),
        )),
        Answer::Given(LauncherAnswer::Refused(code))
            if code == Code::WidgetUnavailable.as_str() =>
        {
            let ask = question.with_profile_of(&target.service);
            let how = match &ask {
                Some(ask) => format!("the profile of this service says which: {ask}"),
                None => "an API key with the scope `web_widgets:read` says which: widget login"
                    .to_owned(),
            };
            Some(
                PageFinding::fail(
                    Code::WidgetUnavailable,
                    Audience::Widget,
                    format!("the service does not show this widget on `{origin}`"),
                )
                .with_evidence(format!("403 {code}"))
                .with_hint(format!(
                    "the widget does not exist, is not published, or does not list this site; {how}"
                ))
                .with_fix(ask.unwrap_or_else(|| Fix::command(["login"]))),
            )
        }
        Answer::Given(LauncherAnswer::Refused(code)) => Some(
            PageFinding::unknown(
                Code::WidgetUnavailable,
                Audience::Operator,
                format!("the service refuses to say whether it shows the widget: `{code}`"),
            )
            .with_hint("try again in a minute"),
        ),
        Answer::NotAsked | Answer::OutOfTime | Answer::Failed(_) => None,
    }
}
