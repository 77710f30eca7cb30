//! A page with all that the checks look at.

use super::framed::FramedSnippet;
use super::page::PageTags;
use super::policy::PagePolicies;
use super::question::{Question, Target};
use super::redirects::SentOn;
use super::snippet::Snippets;
use super::visit::Hop;

/// The page of a visit, read once.
pub(super) struct Page<'a> {
    pub(super) question: &'a Question<'a>,
    /// The answer that is the page.
    pub(super) hop: &'a Hop,
    pub(super) tags: PageTags,
    pub(super) snippets: Snippets,
    /// The snippets in its frames; those that browsers run are first.
    pub(super) framed: Vec<FramedSnippet>,
    pub(super) policies: PagePolicies,
    pub(super) target: Option<Target>,
    /// Where the page redirects to by itself.
    pub(super) sent_on: Option<SentOn>,
    /// Who shows the page to browsers only, and the evidence for it.
    pub(super) wall: Option<(&'static str, String)>,
}

impl Page<'_> {
    /// Whether the answer is the page that visitors see, and not an error.
    pub(super) fn is_answer(&self) -> bool {
        (200..300).contains(&self.hop.status) && self.wall.is_none()
    }
}
