//! Copies of the script that optimizers serve from other addresses.

use url::Url;

use super::evidence;
use super::read_page::Page;
use super::report::{Audience, PageFinding};
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
    for tag in &page.snippets.copied {
        let is_right = page
            .question
            .widget_id
            .is_none_or(|id| tag.id.parse() == Ok(id));
        let service = tag.service.as_deref().and_then(read_service);
        let finding = match service {
            Some(service) if is_right && (services.is_empty() || is_known(services, &service)) => {
                runs.push(Run {
                    script: Some(&tag.script),
                    url: None,
                    by_parser: true,
                });
                PageFinding::ok(
                    Code::SnippetCopied,
                    Audience::Site,
                    "the page loads a copy of the script, whose tag names the widget and its service",
                )
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
            None => PageFinding::fail(
                Code::SnippetCopied,
                Audience::Site,
                "the page loads a copy of the script, which does not know its service",
            )
            .with_hint("add `data-service` with the address of the service to the tag"),
        };
        findings.push(finding.with_evidence(tag.script.evidence.clone()));
    }
    if let Some(url) = page.snippets.joined.first() {
        findings.push(check_joined(page, url, &mut runs));
    } else if runs.is_empty() {
        findings.extend(check_named(page));
    }
    runs
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
    let copied = &page.snippets.copied;
    let element = page.tags.named.iter().find(|element| {
        !copied
            .iter()
            .any(|tag| tag.script.evidence == element.evidence)
    })?;
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
