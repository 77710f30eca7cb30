//! May this widget serve this page now? The one decision that HTTP, CLI and embed all ask for.

use std::fmt;

use crate::{
    finding::{Code, Finding, Findings},
    go_live::{self, LiveWidget, PinnedVersion},
    origin::{AdmittedOrigin, Origin},
    widget::Widget,
};

/// Proof that a widget may serve a page: its gates were open and its list held the page's origin.
///
/// What mints a ticket or a token takes this, so that the decision cannot be forgotten.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Admission<'a> {
    live: LiveWidget<'a>,
    origin: AdmittedOrigin<'a>,
}

impl<'a> Admission<'a> {
    /// The widget.
    #[must_use]
    pub const fn widget(&self) -> &'a Widget {
        self.live.widget()
    }

    /// The proof of the open gates.
    #[must_use]
    pub const fn live(&self) -> LiveWidget<'a> {
        self.live
    }

    /// The proof of the listed origin.
    #[must_use]
    pub const fn origin(&self) -> AdmittedOrigin<'a> {
        self.origin
    }
}

/// Every reason why a widget does not serve a page.
///
/// For the owner's log only: a stranger is told the same, whatever the reason, see
/// [`PUBLIC_CODE`](Self::PUBLIC_CODE).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The blockers of the gates, then `origin_not_listed`.
    pub reasons: Findings,
}

impl Refusal {
    /// The one code that is told outside, also for a widget that does not exist.
    pub const PUBLIC_CODE: &'static str = "widget_unavailable";
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
        (Ok(live), Some(origin)) => Ok(Admission { live, origin }),
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
