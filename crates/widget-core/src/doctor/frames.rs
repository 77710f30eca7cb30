//! Snippets in frames of a page, and whether browsers show those frames.

use std::collections::BTreeSet;

use content_security_policy::Destination;
use url::Url;

use super::evidence;
use super::framed::{FrameBlock, FramedSnippet, Source};
use super::page::{FrameTag, PageTags};
use super::page_checks::check_type;
use super::policy::{PagePolicies, WidgetRequest};
use super::policy_checks::{add_hint, check_framed};
use super::read_page::Page;
use super::report::PageFinding;
use super::snippet::{SnippetTag, Snippets, State};
use super::sorted::Run;
use super::tools;
use super::visit::{Hop, PageFrame, Visit};
use crate::finding::Code;

/// Finds the snippets in the frames of a page; those that browsers run are first.
pub(super) fn find_framed(tags: &PageTags, visit: &Visit) -> Vec<FramedSnippet> {
    let Some(hop) = visit.page() else {
        return Vec::new();
    };
    let base = tags.base(&hop.url);
    let mut found = Vec::new();
    for (at, document) in tags.documents.iter().enumerate() {
        let block = check_sandbox_of_tag(document);
        let name = "<iframe srcdoc>";
        let source = Source::Document(at);
        add_live(
            &document.content,
            &base,
            name,
            source,
            block.as_ref(),
            &mut found,
        );
    }
    let policies = PagePolicies::of(&hop.headers, tags);
    for (at, frame) in visit.frames.iter().enumerate() {
        // A redirect may lead to another site, whose frames are not read.
        if frame.hop.url.origin() != hop.url.origin() {
            continue;
        }
        let is_tag = |tag: &&FrameTag| base.join(&tag.content).as_ref() == Ok(&frame.url);
        let tag = tags.frames.iter().find(is_tag);
        let block = check_outer_policy(&hop.url, &policies, frame)
            .or_else(|| check_answer(&hop.url, frame))
            .or_else(|| tag.and_then(check_sandbox_of_tag));
        let name = evidence::of_url(&frame.url);
        let source = Source::Address(at);
        let base = &frame.hop.url;
        add_live(&frame.html, base, &name, source, block.as_ref(), &mut found);
    }
    found.sort_by_key(|framed| !framed.is_shown());
    found
}

fn add_live(
    html: &str,
    base: &Url,
    name: &str,
    source: Source,
    block: Option<&FrameBlock>,
    found: &mut Vec<FramedSnippet>,
) {
    let tags = PageTags::read_html(html);
    let snippets = Snippets::find(&tags, &tags.base(base));
    let live = snippets.tags.into_iter().filter(is_live);
    found.extend(live.map(|tag| FramedSnippet {
        address: tag.address,
        name: name.to_owned(),
        source,
        block: block.cloned(),
    }));
}

fn is_live(tag: &SnippetTag) -> bool {
    matches!(tag.state, State::Live { .. }) && tag.address.widget_id().is_some()
}

/// Whether the policy of the outer page allows the frame.
fn check_outer_policy(
    page: &Url,
    policies: &PagePolicies,
    frame: &PageFrame,
) -> Option<FrameBlock> {
    let request = WidgetRequest {
        url: &frame.url,
        destination: Destination::IFrame,
        script: None,
        by_parser: false,
    };
    let blocked = policies.find_block(page, &request, None)?;
    Some(FrameBlock {
        code: Code::SnippetMissing,
        reason: format!(
            "`{}` of the page's Content-Security-Policy blocks that frame",
            blocked.directive
        ),
        hint: add_hint(&blocked, "frame-src", "'self'"),
        evidence: blocked.evidence,
    })
}

/// Whether the answer is a page, and one that this page may frame.
fn check_answer(page: &Url, frame: &PageFrame) -> Option<FrameBlock> {
    let block = |reason: &str, evidence: String, hint: String| FrameBlock {
        code: Code::SnippetMissing,
        reason: reason.to_owned(),
        evidence,
        hint,
    };
    if let Some(finding) = check_type(&frame.hop, frame.html.as_bytes()) {
        return Some(block(
            "browsers do not show it as a page",
            finding.evidence.unwrap_or_default(),
            format!("correct the frame: {}", finding.hint.unwrap_or_default()),
        ));
    }
    let policies = PagePolicies::of(&frame.hop.headers, &PageTags::default());
    let refused = "its answer keeps browsers from showing it in a frame";
    // A policy makes the older header ineffective.
    let by_policy = policies.find_refused_ancestor(&frame.hop.url, page);
    let has_ancestors = !policies.frame_ancestors().is_empty();
    if let Some(evidence) = by_policy {
        let hint = "add `'self'` to `frame-ancestors` of the frame".to_owned();
        return Some(block(refused, evidence, hint));
    }
    if let Some(evidence) = find_frame_options(&frame.hop).filter(|_| !has_ancestors) {
        let hint = "answer the frame with `X-Frame-Options: SAMEORIGIN`".to_owned();
        return Some(block(refused, evidence, hint));
    }
    let (evidence, missing) = policies.find_sandbox()?;
    let missing = tools::listed(&missing);
    Some(FrameBlock {
        code: Code::SnippetInert,
        reason: format!("its `sandbox` without {missing} keeps the widget away"),
        evidence,
        hint: format!("add {missing} to `sandbox`"),
    })
}

/// The header that keeps pages of the same site from framing the answer.
/// <https://html.spec.whatwg.org/multipage/document-lifecycle.html#the-x-frame-options-header>
fn find_frame_options(hop: &Hop) -> Option<String> {
    const KNOWN: [&str; 3] = ["deny", "allowall", "sameorigin"];
    let headers = hop.headers.iter();
    let headers = headers.filter(|(name, _)| name.eq_ignore_ascii_case("x-frame-options"));
    let joined: Vec<&str> = headers.map(|(_, value)| value.as_str()).collect();
    let joined = joined.join(", ");
    let values = joined
        .split(',')
        .map(|value| value.trim().to_ascii_lowercase());
    let values: BTreeSet<String> = values.collect();
    // Browsers take several that contradict each other for the strictest.
    let is_refused = if values.len() > 1 {
        values.iter().any(|value| KNOWN.contains(&value.as_str()))
    } else {
        values.contains("deny")
    };
    is_refused.then(|| evidence::of_header("X-Frame-Options", &joined))
}

fn check_sandbox_of_tag(tag: &FrameTag) -> Option<FrameBlock> {
    let missing = tools::listed(&tag.missing);
    (!tag.missing.is_empty()).then(|| FrameBlock {
        code: Code::SnippetInert,
        reason: format!("its `sandbox` without {missing} keeps the widget away"),
        evidence: tag.evidence.clone(),
        hint: format!("add {missing} to `sandbox`"),
    })
}

/// What the policies of a frame, and those of the page that count in it, do to its widget.
pub(super) fn check_policies(page: &Page<'_>, framed: &FramedSnippet) -> Vec<PageFinding> {
    let visit = page.question.visit;
    let (hop, html) = match framed.source {
        Source::Document(at) => (page.hop, page.tags.documents[at].content.as_str()),
        Source::Address(at) => (&visit.frames[at].hop, visit.frames[at].html.as_str()),
    };
    let tags = PageTags::read_html(html);
    let policies = match framed.source {
        // It has no answer of its own, and inherits the policies of the page.
        Source::Document(_) => PagePolicies::inherited(&hop.headers, &page.tags, &tags),
        Source::Address(_) => PagePolicies::of(&hop.headers, &tags),
    };
    let inner = Page {
        question: page.question,
        hop,
        snippets: Snippets::find(&tags, &tags.base(&hop.url)),
        framed: Vec::new(),
        tags,
        policies,
        target: page.target.clone(),
        sent_on: None,
        wall: None,
    };
    let live = inner.snippets.tags.iter().filter(|tag| is_live(tag));
    let runs: Vec<Run<'_>> = live
        .map(|tag| Run {
            script: Some(&tag.script),
            url: Some(&tag.address.url),
            by_parser: true,
        })
        .collect();
    check_framed(page, &inner, &runs, &framed.name)
}
