//! Whether the service, and what is behind it, answers.

use time::Duration;

use super::integrity::is_gone;
use super::question::{Answer, LiveKitAnswer, ScriptAnswer};
use super::read_page::Page;
use super::report::{Audience, PageFinding};
use super::snippet::is_loader;
use super::sorted::sort;
use crate::finding::Code;

/// Clocks that differ by more make it hard to compare logs, and tokens end early or late, in
/// seconds.
const MAX_CLOCK_DIFFERENCE: i64 = 60;

/// What helps where the time was over.
const MORE_TIME: &str = "ask again with more time: `--timeout 30`";

pub(super) fn check(page: &Page<'_>) -> Vec<PageFinding> {
    let answers = page.question.answers;
    let Some(target) = &page.target else {
        return Vec::new();
    };
    let service = target.service.as_str().trim_end_matches('/');
    let mut findings = Vec::new();
    let sorted = sort(page);
    if page.question.services.is_empty() && !sorted.relative.is_empty() {
        // The page's own site was asked, which is not a service.
        return findings;
    }
    let script = match &answers.script {
        // Then the page names a file of an older release.
        Answer::Given(script) if is_gone(script) && sorted.runs_pinned() => None,
        // The address in the tag is the fault.
        Answer::Given(script) if is_gone(script) && target.widget_id.is_none() => Some(Ok(())),
        Answer::Failed(reason) => Some(Err(format!("its script cannot be loaded: {reason}"))),
        Answer::Given(script) if script.status >= 400 => Some(Err(format!(
            "it answers with the error {} instead of its script",
            script.status
        ))),
        Answer::Given(script) if (300..400).contains(&script.status) => Some(Err(format!(
            "it redirects the address of its script ({}), so the snippet should have the address \
             where that ends",
            script.status
        ))),
        Answer::Given(script) => Some(match find_wrong_text(script) {
            Some(what) => Err(format!("it answers with {what} instead of its script")),
            None => Ok(()),
        }),
        Answer::NotAsked | Answer::OutOfTime => None,
    };
    let launcher = match &answers.launcher {
        Answer::Failed(reason) => Some(Err(reason.clone())),
        Answer::Given(_) => Some(Ok(())),
        Answer::NotAsked | Answer::OutOfTime => None,
    };
    let is_late = answers.script == Answer::OutOfTime || answers.launcher == Answer::OutOfTime;
    match [script, launcher]
        .into_iter()
        .flatten()
        .collect::<Result<Vec<()>, _>>()
    {
        Err(reason) => findings.push(
            PageFinding::fail(
                Code::ServiceUnreachable,
                Audience::Operator,
                format!("the service `{service}` does not work from here: {reason}"),
            )
            .with_hint(format!(
                "check that the service runs, and that {service}/healthz answers"
            )),
        ),
        Ok(_) if is_late => findings.push(
            PageFinding::unknown(
                Code::ServiceUnreachable,
                Audience::Operator,
                format!(
                    "whether the service `{service}` answers is not known: the time was over \
                     before it could"
                ),
            )
            .with_hint(MORE_TIME),
        ),
        Ok(given) if !given.is_empty() => findings.push(PageFinding::ok(
            Code::ServiceUnreachable,
            Audience::Operator,
            format!("the service `{service}` answers"),
        )),
        Ok(_) => {}
    }
    findings.extend(check_livekit(&answers.livekit, is_late));
    findings.extend(answers.clock_difference.map(check_clock));
    findings
}

/// What is at the address of the script, when it is something else.
fn find_wrong_text(script: &ScriptAnswer) -> Option<&'static str> {
    let text = script.text.as_deref()?;
    let text = text.trim_start_matches('\u{feff}').trim();
    match is_loader(text) {
        _ if text.is_empty() => Some("nothing"),
        _ if text.starts_with('<') => Some("HTML"),
        Some(false) => Some("another text"),
        Some(true) | None => None,
    }
}

fn check_livekit(answer: &Answer<LiveKitAnswer>, is_late: bool) -> Option<PageFinding> {
    match answer {
        Answer::Failed(reason) => Some(
            PageFinding::fail(
                Code::LivekitUnreachable,
                Audience::Operator,
                format!("LiveKit, where conversations take place, does not answer: {reason}"),
            )
            .with_hint("check that LiveKit runs, and that its address is reachable"),
        ),
        Answer::Given(LiveKitAnswer::Reachable) => Some(PageFinding::ok(
            Code::LivekitUnreachable,
            Audience::Operator,
            "LiveKit answers",
        )),
        // The page shows the widget all the same.
        Answer::Given(LiveKitAnswer::NotSetUp) => Some(
            PageFinding::warn(
                Code::LivekitUnreachable,
                Audience::Operator,
                "the service has no LiveKit, so that no conversation can begin",
            )
            .with_hint("set `LIVEKIT_URL` and its key where the service runs"),
        ),
        Answer::OutOfTime if !is_late => Some(
            PageFinding::unknown(
                Code::LivekitUnreachable,
                Audience::Operator,
                "whether LiveKit answers is not known: the time was over before it could",
            )
            .with_hint(MORE_TIME),
        ),
        Answer::NotAsked | Answer::OutOfTime => None,
    }
}

fn check_clock(difference: Duration) -> PageFinding {
    let seconds = difference.whole_seconds();
    if seconds.abs() <= MAX_CLOCK_DIFFERENCE {
        return PageFinding::ok(
            Code::ClockSkewed,
            Audience::Operator,
            "the clocks of the service and of this machine agree",
        );
    }
    let direction = if seconds > 0 { "ahead of" } else { "behind" };
    PageFinding::warn(
        Code::ClockSkewed,
        Audience::Operator,
        format!(
            "the clock of the service is {} s {direction} the clock here",
            seconds.abs()
        ),
    )
    .with_hint("set both clocks by NTP; tickets and tokens end by the clock")
}
