//! The snippets of a page, sorted by what is wrong with them.

use url::Url;

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
    pub(super) other_services: Vec<&'a SnippetTag>,
    pub(super) other_widgets: Vec<&'a SnippetTag>,
}

impl Sorted<'_> {
    pub(super) fn runs(&self) -> bool {
        !self.live.is_empty() || !self.delayed.is_empty()
    }
}

pub(super) fn sort<'a>(page: &'a Page<'a>) -> Sorted<'a> {
    let services = page.question.services;
    let expected = page.question.widget_id;
    let mut sorted = Sorted::default();
    for tag in &page.snippets.tags {
        let address = &tag.address;
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
