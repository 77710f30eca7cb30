//! The decision: both gates and the list of sites give an [`Admission`], or a [`Refusal`] with
//! every reason.

use std::fmt;

use crate::{
    finding::{Code, Finding, Findings},
    go_live::{self, LiveWidget, PinnedVersion},
    id::PreviewId,
    origin::{AdmittedOrigin, Origin},
    widget::Widget,
};

/// Proof that a widget may serve a page now: its gates were open and its list admitted the page, or
/// the page shows a preview to somebody who has its link.
///
/// What is handed to a browser is made from one of these, so that the decision cannot be
/// forgotten: an [`EmbedTicket`](crate::serve::EmbedTicket), a
/// [`Dispatch`](crate::serve::Dispatch), the window's [`WindowPolicy`](crate::embed::WindowPolicy).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Admission<'a> {
    // Only `admit` makes one for the widget itself, and `admit_preview` one for its draft.
    pub(super) widget: &'a Widget,
    pub(super) origin: &'a Origin,
    pub(super) preview_id: Option<PreviewId>,
}

impl<'a> Admission<'a> {
    /// Both proofs together are an admission.
    const fn new(live: LiveWidget<'a>, listed: AdmittedOrigin<'a>) -> Self {
        Self {
            widget: live.widget(),
            origin: listed.origin(),
            preview_id: None,
        }
    }

    /// The widget.
    #[must_use]
    pub const fn widget(&self) -> &'a Widget {
        self.widget
    }

    /// The origin of the page.
    #[must_use]
    pub const fn origin(&self) -> &'a Origin {
        self.origin
    }

    /// The preview whose draft this is; none for the widget itself.
    #[must_use]
    pub const fn preview_id(&self) -> Option<PreviewId> {
        self.preview_id
    }
}

/// Every reason why a widget does not serve a page.
///
/// For the owner's log only: visitors get the same answer whatever the reason is, also for a widget
/// that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The blockers of the gates, then `origin_not_listed`.
    pub reasons: Findings,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reasons.fmt(formatter)
    }
}

impl std::error::Error for Refusal {}

/// Decides whether the widget serves the page.
///
/// # Errors
///
/// [`Refusal`] with every reason.
pub fn admit<'a>(
    widget: &'a Widget,
    version: PinnedVersion,
    origin: &'a Origin,
) -> Result<Admission<'a>, Refusal> {
    match (
        go_live::check(widget, version),
        widget.domains.admit(origin),
    ) {
        (Ok(live), Some(listed)) => Ok(Admission::new(live, listed)),
        (Err(blockers), Some(_)) => Err(Refusal { reasons: blockers }),
        (Ok(_), None) => Err(Refusal {
            reasons: not_listed(origin).into(),
        }),
        (Err(blockers), None) => Err(Refusal {
            reasons: blockers.and([not_listed(origin)]),
        }),
    }
}

pub(crate) fn not_listed(origin: &Origin) -> Finding {
    Finding::new(
        Code::OriginNotListed,
        format!("`{origin}` is not on the list of domains"),
    )
    .at("/domains")
    .with_hint(format!("add `{origin}`"))
}
