//! What core decides about the widget and the page, as findings.

use super::fix::Fix;
use super::question::{Answer, LauncherAnswer, Question, Target};
use super::report::{Audience, CheckStatus, PageFinding};
use super::target::is_known;
use crate::{
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
    let Some(explanation) = question.explanation else {
        let Some((origin, target)) = origin.zip(target) else {
            return Vec::new();
        };
        let insecure = explain::insecure_page(origin).map(|note| PageFinding {
            hint: note.hint,
            ..PageFinding::warn(note.code, Audience::Site, note.detail)
        });
        let refusal = refusal(question, origin, target);
        return refusal.into_iter().chain(insecure).collect();
    };
    let id = target.and_then(|target| target.widget_id);
    let steps = explanation.steps.iter().map(|step| {
        let is_listing = step.code == Code::OriginNotListed;
        let nearest = explanation.nearest.as_ref().filter(|_| is_listing);
        let nearest = nearest.map(|nearest| nearest.detail.as_str());
        let is_past = !step.ok && step.code == explanation.code;
        let evidence: Vec<&str> = nearest
            .into_iter()
            .chain(question.past.filter(|_| is_past))
            .collect();
        let other = other_service(question, explanation).filter(|_| is_listing && !step.ok);
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

/// The other reading of a page that is not listed: the page is of another environment than the
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
    let Some(modes) = question.modes else {
        return Vec::new();
    };
    let id = target.and_then(|target| target.widget_id);
    let id = id.map_or_else(|| "WIDGET".to_owned(), |id| id.to_string());
    let missing = [
        (Mode::Voice, "visitors can write, and not talk"),
        (Mode::Text, "visitors can talk, and not write"),
    ]
    .into_iter()
    .filter(|(mode, _)| !modes.contains(mode));
    missing
        .map(|(mode, effect)| {
            PageFinding::ok(
                Code::ModeDisabled,
                Audience::Widget,
                format!("{effect}: `modes.{mode}` is off in the widget's config"),
            )
            .with_hint(format!(
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
                .with_fix(ask),
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
