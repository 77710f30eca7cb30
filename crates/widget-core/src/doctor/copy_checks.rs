//! Copies of the script that optimizers serve from other addresses.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::evidence;
use super::inert_checks::held_back;
use super::read_page::Page;
use super::report::{Audience, CheckStatus, PageFinding};
use super::script::blocked_type;
use super::snippet::{State, is_loader};
use super::sorted::{Run, Sorted};
use super::target::{is_known, read_service};
use super::tools;
use crate::finding::Code;

/// Copies of the script on other addresses; gives those that run all the same.
pub(super) fn check_copies<'a>(
    page: &'a Page<'a>,
    sorted: &Sorted<'a>,
    findings: &mut Vec<PageFinding>,
) -> Vec<Run<'a>> {
    let services = page.question.services;
    let mut runs = Vec::new();
    if let Some(tag) = sorted.copies.first() {
        let by = tools::find_joiner(tag.address.url.as_str());
        let detail = format!(
            "{} serves a copy of the script from `{}`, and the copy asks that address instead of \
             the service",
            by.unwrap_or("the site"),
            tag.address.url.origin().ascii_serialization(),
        );
        let finding = if sorted.runs() {
            PageFinding::warn(Code::SnippetCopied, Audience::Site, detail)
        } else {
            PageFinding::fail(Code::SnippetCopied, Audience::Site, detail)
        };
        findings.push(
            finding
                .with_evidence(tag.script.evidence.clone())
                .with_hint(format!(
                    "add `/public/embed/` to the exceptions of {}",
                    by.unwrap_or("the optimizer")
                )),
        );
    }
    if sorted.runs() {
        return runs;
    }
    let mut by_url = BTreeMap::new();
    // Of each kind the first: a page may have any number of them.
    let (mut failing, mut held, mut running) = (None, None, None);
    for tag in &page.snippets.copied {
        if let State::Inert { tool, reason } = &tag.state {
            held.get_or_insert_with(|| held_back(*tool, reason, &tag.script.evidence));
            continue;
        }
        let is_right = page
            .question
            .widget_id
            .is_none_or(|id| tag.id.parse() == Ok(id));
        let service = tag.service.as_deref().and_then(read_service);
        let finding = match service {
            Some(service) if is_right && (services.is_empty() || is_known(services, &service)) => {
                let url = tag.url.as_ref();
                let judged = by_url.entry(url).or_insert_with(|| check_copy(page, url));
                if judged.status != CheckStatus::Fail {
                    runs.push(Run {
                        script: Some(&tag.script),
                        url: None,
                        by_parser: true,
                    });
                }
                judged.clone()
            }
            Some(_) if !is_right => PageFinding::fail(
                Code::SnippetOtherWidget,
                Audience::Site,
                format!(
                    "the page has the widget `{}`, not the one in question",
                    tag.id
                ),
            )
            .with_hint("correct `data-web-widget`"),
            Some(service) => PageFinding::fail(
                Code::SnippetOtherService,
                Audience::Site,
                format!("`data-service` names `{service}`, which is not the service of the widget"),
            )
            .with_hint("correct `data-service`"),
            None => {
                let url = tag.url.as_ref();
                without_service(by_url.entry(url).or_insert_with(|| check_copy(page, url)))
            }
        };
        let kind = match finding.status {
            CheckStatus::Fail => &mut failing,
            _ => &mut running,
        };
        kind.get_or_insert_with(|| finding.with_evidence(tag.script.evidence.clone()));
    }
    let copied = page.snippets.copied.iter();
    let tagged: BTreeSet<&Url> = copied.filter_map(|tag| tag.url.as_ref()).collect();
    let mut joined = page.snippets.joined.iter();
    // What is wrong with a tag of its own was said above.
    let untagged = if let Some(url) = joined.find(|url| !tagged.contains(url)) {
        Some(check_joined(page, url, &mut runs))
    } else if runs.is_empty() {
        check_named(page)
    } else {
        None
    };
    let mut faults: Vec<PageFinding> = failing.into_iter().chain(held).collect();
    if !runs.is_empty() {
        for fault in &mut faults {
            if fault.status == CheckStatus::Fail {
                fault.status = CheckStatus::Warn;
            }
        }
    }
    findings.extend(faults.into_iter().chain(running).chain(untagged));
    runs
}

/// A tag that does not say which service a copy is of, if what it loads may be one.
fn without_service(judged: &PageFinding) -> PageFinding {
    if judged.status == CheckStatus::Fail {
        return judged.clone();
    }
    PageFinding::fail(
        Code::SnippetCopied,
        Audience::Site,
        "the page loads a copy of the script, which does not know its service",
    )
    .with_hint("add `data-service` with the address of the service to the tag")
}

/// Whether what a tag for a copy loads is the service's script.
fn check_copy(page: &Page<'_>, url: Option<&Url>) -> PageFinding {
    let mut scripts = page.question.visit.scripts.iter();
    let script = scripts.find(|script| Some(&script.url) == url);
    let fail = |reason: String| {
        PageFinding::fail(
            Code::SnippetCopied,
            Audience::Site,
            format!("the page names the widget for a copy of the script, and {reason}"),
        )
        .with_hint(
            "paste the snippet as the service has it (`widget snippet WIDGET`), or copy its script \
             again",
        )
    };
    let unknown = |reason: &str| {
        let detail =
            format!("the page names the widget for a copy of the script; {reason} cannot be seen");
        PageFinding::unknown(Code::SnippetCopied, Audience::Site, detail).with_hint(
            "open the page in a browser, and enter in the console of its developer tools (F12): \
             `WebWidget.get()`; an error means that the script is another one",
        )
    };
    let Some(script) = script else {
        return unknown("whether its address has that copy");
    };
    if !(200..300).contains(&script.status) {
        return fail(format!(
            "its address answers with the error {}",
            script.status
        ));
    }
    if let Some(kind) = blocked_type(&script.headers) {
        return fail(format!(
            "its address answers with the type `{kind}`, which browsers do not run"
        ));
    }
    let text = script.text.trim_start_matches('\u{feff}').trim_start();
    match is_loader(text) {
        _ if text.starts_with('<') => fail("its address answers with HTML".to_owned()),
        Some(true) => PageFinding::ok(
            Code::SnippetCopied,
            Audience::Site,
            "the page loads a copy of the script, whose tag names the widget and its service",
        ),
        Some(false) if text.is_empty() => fail("what is at its address is empty".to_owned()),
        Some(false) if !script.is_cut => {
            fail("what is at its address is not the service's script".to_owned())
        }
        _ => unknown("whether its address has the whole of that copy"),
    }
}

/// A script of the page contains that of the service, which then knows its widget by an element.
fn check_joined<'a>(page: &'a Page<'a>, url: &Url, runs: &mut Vec<Run<'a>>) -> PageFinding {
    let by = tools::find_joiner(url.as_str()).unwrap_or("an optimizer");
    let mut elements = page.tags.named.iter();
    let named = elements.find(|element| element.service.is_some());
    let finding = if named.is_some() || !runs.is_empty() {
        if runs.is_empty() {
            runs.push(Run {
                script: None,
                url: None,
                by_parser: false,
            });
        }
        PageFinding::ok(
            Code::SnippetCopied,
            Audience::Site,
            "a script of the page contains that of the service, and the page names the widget",
        )
    } else {
        PageFinding::fail(
            Code::SnippetCopied,
            Audience::Site,
            format!(
                "a script of the page contains that of the service, as {by} writes it, and knows \
                 neither the widget nor the service"
            ),
        )
        .with_hint(format!(
            "add `/public/embed/` to the exceptions of {by}, or name the widget with \
             `data-web-widget` and `data-service` on any element of the page"
        ))
    };
    finding.with_evidence(evidence::of_url(url))
}

/// An element that names a widget for a copied script that has no such tag.
fn check_named(page: &Page<'_>) -> Option<PageFinding> {
    let copied = page.snippets.copied.iter();
    let said: BTreeSet<&String> = copied.map(|tag| &tag.script.evidence).collect();
    let mut elements = page.tags.named.iter();
    let element = elements.find(|element| !said.contains(&element.evidence))?;
    let finding = if element.service.is_some() {
        PageFinding::unknown(
            Code::SnippetCopied,
            Audience::Site,
            "the page names the widget for a copy of the script; whether one of its scripts \
                 contains that copy cannot be seen",
        )
        .with_hint(
            "open the page in a browser, and enter in the console of its developer tools \
                 (F12): `WebWidget.get()`; an error means that no script contains it",
        )
    } else {
        PageFinding::fail(
            Code::SnippetCopied,
            Audience::Site,
            "the page names the widget for a copy of the script, and not its service",
        )
        .with_hint("add `data-service` with the address of the service to the element")
    };
    Some(finding.with_evidence(element.evidence.clone()))
}
