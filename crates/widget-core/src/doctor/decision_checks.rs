//! What core decides about the widget and the page, as findings.

use super::question::{Answer, LauncherAnswer, Question, Target};
use super::report::{Audience, CheckStatus, PageFinding};
use crate::{finding::Code, origin::Origin};

pub(super) fn check(
    question: &Question<'_>,
    origin: Option<&Origin>,
    target: Option<&Target>,
) -> Vec<PageFinding> {
    let Some(explanation) = question.explanation else {
        let finding = origin
            .zip(target)
            .and_then(|(origin, _)| refusal(question, origin));
        return finding.into_iter().collect();
    };
    let steps = explanation.steps.iter().map(|step| PageFinding {
        code: step.code,
        status: if step.ok {
            CheckStatus::Ok
        } else {
            CheckStatus::Fail
        },
        detail: step.detail.clone(),
        evidence: explanation
            .nearest
            .as_ref()
            .filter(|_| step.code == Code::OriginNotListed)
            .map(|nearest| nearest.detail.clone()),
        hint: step.hint.clone(),
        audience: match step.code {
            Code::AgentDirectoryUnavailable | Code::ConfigUnreadable | Code::FieldUnreadable => {
                Audience::Operator
            }
            _ => Audience::Widget,
        },
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
        audience: match note.code {
            Code::AgentWorkerMissing => Audience::Operator,
            _ => Audience::Site,
        },
    });
    steps.chain(notes).collect()
}

/// What the service says to everybody, when the widget itself is not known.
fn refusal(question: &Question<'_>, origin: &Origin) -> Option<PageFinding> {
    match &question.answers.launcher {
        Answer::Given(LauncherAnswer::Shown { .. }) => Some(PageFinding::ok(
            Code::Shown,
            Audience::Widget,
            format!("the service shows the widget on `{origin}`"),
        )),
        Answer::Given(LauncherAnswer::Refused(code)) if code == Code::WidgetUnavailable.as_str() => Some(
            PageFinding::fail(
                Code::WidgetUnavailable,
                Audience::Widget,
                format!("the service does not show this widget on `{origin}`"),
            )
            .with_evidence(format!("403 {code}"))
            .with_hint(
                "the widget does not exist, is not published, or does not list this site; an API \
                 key with the scope `web_widgets:read` says which: widget login",
            ),
        ),
        Answer::Given(LauncherAnswer::Refused(code)) => Some(
            PageFinding::unknown(
                Code::WidgetUnavailable,
                Audience::Operator,
                format!("the service refuses to say whether it shows the widget: `{code}`"),
            )
            .with_hint("try again in a minute"),
        ),
        Answer::NotAsked | Answer::Failed(_) => None,
    }
}
