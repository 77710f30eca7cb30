//! The snippets of a page, sorted by what is wrong with them.

use url::{ParseError, Url};

use super::integrity::is_gone;
use super::question::Answer;
use super::read_page::Page;
use super::script::{Inert, ScriptTag};
use super::snippet::{Address, SnippetTag, State};
use super::target::is_known;
use super::tools::Tool;

/// A tag that runs the loader, for what the page's policies say about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    /// Nothing, when the page's scripts make the tag.
    pub(super) script: Option<&'a ScriptTag>,
    /// The address of the script.
    pub(super) url: Option<&'a Url>,
    pub(super) by_parser: bool,
}

/// The snippets of a page by what is wrong with them.
#[derive(Default)]
pub(super) struct Sorted<'a> {
    pub(super) live: Vec<&'a SnippetTag>,
    pub(super) delayed: Vec<(&'a SnippetTag, &'static Tool)>,
    pub(super) inert: Vec<(&'a SnippetTag, Option<&'static Tool>, &'a Inert)>,
    pub(super) copies: Vec<&'a SnippetTag>,
    /// Those whose `src` is only a path, of the page's own site.
    pub(super) relative: Vec<&'a SnippetTag>,
    pub(super) other_services: Vec<&'a SnippetTag>,
    pub(super) other_widgets: Vec<&'a SnippetTag>,
}

impl Sorted<'_> {
    pub(super) fn runs(&self) -> bool {
        !self.live.is_empty() || !self.delayed.is_empty()
    }

    /// Whether what runs is a file of one release.
    pub(super) fn runs_pinned(&self) -> bool {
        let delayed = self.delayed.iter().map(|(tag, _)| tag);
        let mut tags = self.live.iter().chain(delayed);
        tags.any(|tag| tag.address.is_pinned())
    }
}

pub(super) fn sort<'a>(page: &'a Page<'a>) -> Sorted<'a> {
    let services = page.question.services;
    let expected = page.question.widget_id;
    let mut sorted = Sorted::default();
    for tag in &page.snippets.tags {
        let address = &tag.address;
        if lacks_service(page, tag) {
            sorted.relative.push(tag);
            continue;
        }
        if !is_known(services, &address.service) {
            if is_copy(page, address) {
                sorted.copies.push(tag);
                continue;
            }
            if !services.is_empty() {
                sorted.other_services.push(tag);
                continue;
            }
        }
        let id = address.widget_id();
        if id.is_none() || expected.is_some_and(|expected| id != Some(expected)) {
            sorted.other_widgets.push(tag);
            continue;
        }
        match &tag.state {
            State::Live { .. } => sorted.live.push(tag),
            State::Delayed { tool } => sorted.delayed.push((tag, tool)),
            State::Inert { tool, reason } => sorted.inert.push((tag, *tool, reason)),
        }
    }
    sorted
}

/// Whether a tag has only the path of a snippet, on a site that is not a service.
fn lacks_service(page: &Page<'_>, tag: &SnippetTag) -> bool {
    let src = tag.script.attribute("src").unwrap_or_default().trim();
    let is_path = Url::parse(src) == Err(ParseError::RelativeUrlWithoutBase)
        && !src.starts_with("//")
        && matches!(tag.state, State::Live { .. });
    let address = &tag.address;
    if !is_path || address.is_cached() || address.url.origin() != page.hop.url.origin() {
        return false;
    }
    let services = page.question.services;
    if !services.is_empty() {
        return !is_known(services, &address.service);
    }
    let Answer::Given(script) = &page.question.answers.script else {
        return false;
    };
    let kind = script.headers.iter();
    let mut kind = kind.filter(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let is_page = kind.next().is_some_and(|(_, kind)| {
        kind.trim_start()
            .to_ascii_lowercase()
            .starts_with("text/html")
    });
    is_gone(script) || is_page
}

/// Whether an address that is not of a known service is a copy on the page's own site.
fn is_copy(page: &Page<'_>, address: &Address) -> bool {
    let here = &page.hop.url;
    let registrable = |url: &Url| {
        // Numbers have no owner.
        let name = url.domain()?;
        page.question.suffixes.registrable(name).map(str::to_owned)
    };
    let is_own_site = here.origin() == address.url.origin()
        || (registrable(here).is_some() && registrable(here) == registrable(&address.url));
    address.is_cached() || (is_own_site && !page.question.services.is_empty())
}
