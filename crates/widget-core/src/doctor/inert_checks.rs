//! What keeps browsers from running the snippet where the page has it.

use std::{fmt::Write as _, mem};

use super::blockers::{attribute_of, find_blocker};
use super::read_page::Page;
use super::report::{Audience, PageFinding};
use super::script::{Inert, Place};
use super::snippet::Address;
use super::sorted::Sorted;
use super::tools::{Effect, Tool, capitalized};
use crate::finding::Code;

/// Snippets that are in the page, and that no browser runs.
pub(super) fn check_kept_from_running(page: &Page<'_>, sorted: &Sorted<'_>) -> Vec<PageFinding> {
    let mut findings = Vec::new();
    let expected = page.question.widget_id;
    let is_ours = |address: &Address| expected.is_none() || address.widget_id() == expected;
    let mut hidden: Vec<_> = page.snippets.hidden.iter().collect();
    hidden.retain(|found| is_ours(&found.address));
    let mut seen = Vec::new();
    for found in hidden {
        let kind = mem::discriminant(&found.tag.place);
        if seen.contains(&kind) {
            continue;
        }
        seen.push(kind);
        findings.extend(kept_in_place(&found.tag.place, &found.tag.script.evidence));
    }
    if let Some((tag, tool, reason)) = sorted.inert.first() {
        findings.push(held_back(*tool, reason, &tag.script.evidence));
    }
    findings
}

/// A tag that browsers do not run.
pub(super) fn held_back(tool: Option<&Tool>, reason: &Inert, evidence: &str) -> PageFinding {
    let (detail, hint) = match tool {
        Some(tool) if tool.effect == Effect::Consent => (
            format!(
                "{} holds the snippet back until the visitor agrees",
                capitalized(tool.name)
            ),
            match attribute_of(tool.name) {
                Some(attribute) => format!(
                    "agree on the page and look again; to show the widget to everybody, replace \
                         the tag by the plain one, without `type`, with `{attribute}`"
                ),
                None => format!(
                    "agree on the page and look again; to show the widget to everybody, exempt \
                         the script in {}, or replace the tag by the plain one, without `type`",
                    tool.name
                ),
            },
        ),
        Some(tool) if tool.effect == Effect::Worker => (
            format!(
                "{} runs the snippet in a worker, which has no page",
                tool.name
            ),
            "remove `type` from the tag".to_owned(),
        ),
        _ => (
            format!("the browser does not run the snippet: {}", reason.reason),
            reason.hint.to_owned(),
        ),
    };
    PageFinding::fail(Code::SnippetInert, Audience::Site, detail)
        .with_evidence(evidence)
        .with_hint(hint)
}

/// A snippet in a place where browsers make no element of it.
fn kept_in_place(place: &Place, tag: &str) -> Option<PageFinding> {
    let (code, detail, hint, evidence) = match place {
        Place::Document => return None,
        Place::Comment => (
            Code::SnippetCommentedOut,
            "the snippet is commented out".to_owned(),
            "remove `<!--` and `-->` around the tag".to_owned(),
            format!("<!-- {tag} … -->"),
        ),
        Place::Template => (
            Code::SnippetInert,
            "the snippet is inside of `<template>`, where browsers run nothing".to_owned(),
            "move the tag out of `<template>`".to_owned(),
            format!("<template>{tag}"),
        ),
        Place::Noscript => (
            Code::SnippetInert,
            "the snippet is inside of `<noscript>`, which browsers that run scripts ignore"
                .to_owned(),
            "move the tag out of `<noscript>`".to_owned(),
            format!("<noscript>{tag}"),
        ),
        Place::Cdata => (
            Code::SnippetCommentedOut,
            "the snippet is inside of `<![CDATA[`, which HTML reads as a comment".to_owned(),
            "remove `<![CDATA[` and `]]>` around the tag".to_owned(),
            format!("<![CDATA[ {tag}"),
        ),
        Place::Foreign => (
            Code::SnippetInert,
            "the snippet is inside of `<svg>` or `<math>`, where `src` has no effect".to_owned(),
            "move the tag out of that element, or close the element before it".to_owned(),
            tag.to_owned(),
        ),
        Place::Script => (
            Code::SnippetInert,
            "the snippet is inside of another `<script>`, so that it is read as a part of that \
             script"
                .to_owned(),
            "put `</script>` before the snippet, or take it out of the other script".to_owned(),
            format!("<script>…{tag}"),
        ),
        Place::Encoded { evidence, tool } => {
            let tool = tool.unwrap_or("a consent manager");
            (
                Code::SnippetInert,
                format!(
                    "{} keeps the snippet in encoded form until the visitor agrees",
                    capitalized(tool)
                ),
                format!(
                    "agree on the page and look again; to show the widget to everybody, exempt the \
                     script in {tool}"
                ),
                evidence.clone(),
            )
        }
    };
    let finding = PageFinding::fail(code, Audience::Site, detail);
    Some(finding.with_evidence(evidence).with_hint(hint))
}

/// A page of XML with a tag that is not.
pub(super) fn check_xml(page: &Page<'_>, sorted: &Sorted<'_>) -> Option<PageFinding> {
    let tag = sorted.live.iter().find(|tag| !tag.script.is_xml)?;
    page.hop.is_xml().then(|| {
        PageFinding::fail(
            Code::SnippetInert,
            Audience::Site,
            "the page is XML (`application/xhtml+xml`), and the snippet is not: browsers show an \
             error instead of the page",
        )
        .with_evidence(tag.script.evidence.clone())
        .with_hint(
            "give each attribute of the tag a value in quotes, such as `async=\"async\"`; or serve \
             the page as `text/html`",
        )
    })
}

/// A consent manager that may stop the snippet while the page loads.
pub(super) fn check_blockers(page: &Page<'_>, sorted: &Sorted<'_>) -> Option<PageFinding> {
    let tag = sorted.live.first()?;
    let (blocker, script) = find_blocker(&page.tags, &tag.script)?;
    let mut hint = format!(
        "look at the page without having agreed to anything; to show the widget to everybody, \
         exempt the script in {}",
        blocker.name
    );
    if let Some(attribute) = blocker.attribute() {
        let _ = write!(hint, ", or add `{attribute}` to its tag");
    }
    Some(
        PageFinding::warn(
            Code::SnippetInert,
            Audience::Site,
            format!(
                "{} blocks scripts by itself, and may keep the widget away until the visitor agrees",
                blocker.name
            ),
        )
        .with_evidence(script.evidence.clone())
        .with_hint(hint),
    )
}
