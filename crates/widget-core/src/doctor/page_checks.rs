//! Whether there is a page, and whether it is the one that was asked for.

use super::evidence;
use super::question::Question;
use super::read_page::Page;
use super::report::{Audience, PageFinding};
use super::visit::Hop;
use crate::finding::Code;

pub(super) fn check_visit(question: &Question<'_>) -> Vec<PageFinding> {
    let visit = question.visit;
    let mut findings = Vec::new();
    if let Some(failure) = &visit.failure {
        let mut finding = PageFinding::fail(
            Code::PageUnreachable,
            Audience::Site,
            format!("the page cannot be loaded: {failure}"),
        )
        .with_hint("open the address in a browser, and compare its spelling");
        if let Some(hop) = visit.hops.last() {
            finding = finding.with_evidence(describe(hop));
        }
        findings.push(finding);
    }
    let Some(hop) = visit.page() else {
        findings.extend(check_redirects(question));
        return findings;
    };
    findings.push(PageFinding::ok(
        Code::PageUnreachable,
        Audience::Site,
        "the page loads",
    ));
    if !(200..300).contains(&hop.status) {
        let hint = match hop.status {
            401 | 403 | 407 | 429 | 503 => {
                "the site may answer programs differently than browsers: open the page in a \
                 browser, and look there with the developer tools (F12)"
            }
            404 | 410 => "compare the address with that in the browser's address bar",
            _ => "correct the error of the site first",
        };
        findings.push(
            PageFinding::fail(
                Code::PageStatus,
                Audience::Site,
                format!("the page answers with the error {}", hop.status),
            )
            .with_evidence(describe(hop))
            .with_hint(hint),
        );
    }
    if let Some(kind) = hop.header("content-type") {
        let essence = kind.split(';').next().unwrap_or_default().trim();
        let is_html = ["text/html", "application/xhtml+xml"]
            .iter()
            .any(|html| essence.eq_ignore_ascii_case(html));
        if !is_html {
            findings.push(
                PageFinding::fail(
                    Code::PageNotHtml,
                    Audience::Site,
                    "the address answers with something else than a page",
                )
                .with_evidence(evidence::of_header("Content-Type", kind))
                .with_hint("use the address of a page, as it is in the browser's address bar"),
            );
        }
    }
    findings.extend(check_redirects(question));
    findings
}

fn check_redirects(question: &Question<'_>) -> Option<PageFinding> {
    let hops = &question.visit.hops;
    let (first, last) = (hops.first()?, hops.last()?);
    if first.url.origin() == last.url.origin() {
        return None;
    }
    let at = hops
        .iter()
        .rposition(|hop| hop.url.origin() != last.url.origin())?;
    let from = &hops[at];
    let origin = last.url.origin().ascii_serialization();
    Some(
        PageFinding::warn(
            Code::PageRedirected,
            Audience::Site,
            format!("the page redirects to `{origin}`, which is the site that has to be listed"),
        )
        .with_evidence(format!(
            "{} → {}",
            describe(from),
            evidence::of_url(&last.url)
        ))
        .with_hint(format!("use `{origin}` in the list of domains")),
    )
}

/// A page that sends visitors to another one by itself.
pub(super) fn check_refresh(page: &Page<'_>) -> Option<PageFinding> {
    let refresh = page.tags.refresh.as_ref()?;
    let url = page.tags.base(&page.hop.url).join(&refresh.url).ok()?;
    let (mut here, mut there) = (page.hop.url.clone(), url.clone());
    here.set_fragment(None);
    there.set_fragment(None);
    if here == there {
        return None;
    }
    let shown = evidence::of_url(&url);
    Some(
        PageFinding::warn(
            Code::PageRedirected,
            Audience::Site,
            format!("the page sends its visitors on to `{shown}`"),
        )
        .with_evidence(refresh.evidence.clone())
        .with_hint(format!("look at that page: widget doctor {shown}")),
    )
}

fn describe(hop: &Hop) -> String {
    format!("{} {}", hop.status, evidence::of_url(&hop.url))
}
