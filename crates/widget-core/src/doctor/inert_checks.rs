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

/// What a consent manager is called that is not known by its name.
const UNKNOWN: &str = "a consent manager";

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
        let mut finding = kept_in_place(&found.tag.place, &found.tag.script.evidence);
        if let (Some(finding), true) = (&mut finding, found.tag.is_open) {
            finding.hint = close_hint(&found.tag.place).or(finding.hint.take());
        }
        findings.extend(finding);
    }
    if let Some((tag, tool, reason)) = sorted.inert.first() {
        findings.push(held_back(*tool, reason, &tag.script.evidence));
    }
    findings
}

/// What helps where the end of what hides a snippet is missing.
fn close_hint(place: &Place) -> Option<String> {
    let (what, end) = match place {
        Place::Comment => ("the comment", "-->"),
        Place::Noscript => ("`<noscript>`", "</noscript>"),
        _ => return None,
    };
    Some(format!(
        "close {what} before the snippet: `{end}` is missing"
    ))
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
                None if tool.name == UNKNOWN => {
                    "agree on the page and look again; to show the widget \
                         to everybody, replace the tag by the plain one, without `type`"
                        .to_owned()
                }
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
        Place::Frameset => (
            Code::SnippetInert,
            "the snippet is inside of `<frameset>`, where browsers read nothing but frames"
                .to_owned(),
            "paste the snippet into the page that the frame shows".to_owned(),
            format!("<frameset>{tag}"),
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
            let tool = tool.unwrap_or(UNKNOWN);
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
    let first = sorted.live.first().filter(|_| page.hop.is_xml())?;
    let fail = |detail: &str, tag: &str, hint: &str| {
        PageFinding::fail(Code::SnippetInert, Audience::Site, detail)
            .with_evidence(tag)
            .with_hint(hint)
    };
    if page.tags.lacks_namespace {
        return Some(fail(
            "the page is XML, and its root element does not say that it is XHTML, so that browsers \
             run no script of it",
            &first.script.evidence,
            "write `xmlns=\"http://www.w3.org/1999/xhtml\"` into `<html>`; or serve the page as \
             `text/html`",
        ));
    }
    let is_named = |tag: &str| tag.starts_with("<script");
    if !sorted.live.iter().any(|tag| is_named(&tag.script.evidence)) {
        return Some(fail(
            "the page is XML, where the names of elements are in lower case, and the name of the \
             snippet's is not",
            &first.script.evidence,
            "write `<script` and `</script>` in lower case",
        ));
    }
    let tag = sorted.live.iter().find(|tag| !tag.script.is_xml)?;
    Some(
        PageFinding::fail(
            Code::SnippetInert,
            Audience::Site,
            "the page is XML, as its `Content-Type` says, and the snippet is not: browsers show an \
             error instead of the page",
        )
        .with_evidence(tag.script.evidence.clone())
        .with_hint(
            "give each attribute of the tag a value in quotes, such as `async=\"async\"`; or serve \
             the page as `text/html`",
        ),
    )
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
