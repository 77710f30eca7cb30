//! A snippet in a frame of a page.

use super::report::{Audience, PageFinding};
use super::snippet::Address;
use crate::finding::Code;

/// A snippet in a frame of the page.
#[derive(Debug, Clone)]
pub(super) struct FramedSnippet {
    pub(super) address: Address,
    /// What the frame is, for people.
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) block: Option<FrameBlock>,
}

/// Where the page of a frame is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// In the page itself, by its number in `documents` of the page's tags.
    Document(usize),
    /// At an address of its own, by its number in `frames` of the visit.
    Address(usize),
}

/// What keeps browsers from showing a frame, or the widget in it.
#[derive(Debug, Clone)]
pub(super) struct FrameBlock {
    pub(super) code: Code,
    /// What follows "only the frame … has the snippet, and ".
    pub(super) reason: String,
    pub(super) evidence: String,
    /// What helps beside pasting the snippet into the outer page.
    pub(super) hint: String,
}

impl FramedSnippet {
    /// Whether browsers show the frame, and run scripts in it.
    pub(super) const fn is_shown(&self) -> bool {
        self.block.is_none()
    }

    /// What a page is that has the snippet in a frame only.
    pub(super) fn to_finding(&self) -> PageFinding {
        let name = &self.name;
        let Some(block) = &self.block else {
            return PageFinding::warn(
                Code::SnippetMissing,
                Audience::Site,
                format!(
                    "the page itself does not have the snippet; its frame `{name}` has it, and \
                     shows the widget within itself"
                ),
            )
            .with_hint("paste the snippet into the outer page, unless this is what you want");
        };
        PageFinding::fail(
            block.code,
            Audience::Site,
            format!(
                "only the frame `{name}` has the snippet, and {}",
                block.reason
            ),
        )
        .with_evidence(block.evidence.clone())
        .with_hint(format!(
            "paste the snippet into the outer page; or {}",
            block.hint
        ))
    }
}
