//! The answer: what was looked at, and what came of it.

use super::fix::Fix;
use crate::{choice::choices, finding::Code, id::WidgetId};

/// What can be wrong with a page and with the service behind its widget, in the order in which it
/// is looked at. The codes of an [`Explanation`](crate::explain::Explanation) follow.
pub const CODES: &[Code] = &[
    Code::PageUnreachable,
    Code::PageStatus,
    Code::PageNotHtml,
    Code::PageRedirected,
    Code::SnippetMissing,
    Code::SnippetCommentedOut,
    Code::SnippetInert,
    Code::SnippetDelayed,
    Code::SnippetCopied,
    Code::SnippetOtherWidget,
    Code::SnippetOtherService,
    Code::SnippetDuplicate,
    Code::SnippetModule,
    Code::SnippetByScript,
    Code::IntegrityUnknown,
    Code::CspScriptBlocked,
    Code::CspConnectBlocked,
    Code::CspFrameBlocked,
    Code::CspImageBlocked,
    Code::CspSandboxed,
    Code::PermissionsPolicyMicrophone,
    Code::PermissionsPolicyAutoplay,
    Code::CoepBlocksWindow,
    Code::MixedContent,
    Code::PageFrameOnly,
    Code::ServiceUnreachable,
    Code::LivekitUnreachable,
    Code::ClockSkewed,
];

choices! {
    /// What a check found.
    pub enum CheckStatus {
        /// Nothing is wrong there.
        Ok = "ok",
        /// It keeps the widget from being shown or from working.
        Fail = "fail",
        /// The widget is shown, and somebody should look at it.
        Warn = "warn",
        /// It cannot be seen from outside.
        Unknown = "unknown",
    }
}

choices! {
    /// Who can change what was found.
    pub enum Audience {
        /// The owner of the page.
        Site = "site",
        /// The owner of the widget.
        Widget = "widget",
        /// Who runs the service.
        Operator = "operator",
    }
}

choices! {
    /// Whether the page shows the widget.
    pub enum PageVerdict {
        /// It does.
        Shown = "shown",
        /// It does not.
        NotShown = "not_shown",
        /// What was fetched does not say.
        Unknown = "unknown",
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PageFinding {
    /// What was looked at.
    pub code: Code,
    /// What came of it.
    pub status: CheckStatus,
    /// One sentence without a full stop.
    pub detail: String,
    /// The very header or tag, cut, without query strings and nonces.
    pub evidence: Option<String>,
    /// The one change that helps. Of something that is `ok`: what is worth knowing about it.
    pub hint: Option<String>,
    /// The same as a command or a line, when it is one.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub fix: Option<Fix>,
    /// Who can change it.
    #[cfg_attr(feature = "serde", serde(rename = "for"))]
    pub audience: Audience,
}

impl PageFinding {
    pub(super) fn new(
        code: Code,
        status: CheckStatus,
        audience: Audience,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            code,
            status,
            detail: detail.into(),
            evidence: None,
            hint: None,
            fix: None,
            audience,
        }
    }

    pub(super) fn ok(code: Code, audience: Audience, detail: impl Into<String>) -> Self {
        Self::new(code, CheckStatus::Ok, audience, detail)
    }

    pub(super) fn fail(code: Code, audience: Audience, detail: impl Into<String>) -> Self {
        Self::new(code, CheckStatus::Fail, audience, detail)
    }

    pub(super) fn warn(code: Code, audience: Audience, detail: impl Into<String>) -> Self {
        Self::new(code, CheckStatus::Warn, audience, detail)
    }

    pub(super) fn unknown(code: Code, audience: Audience, detail: impl Into<String>) -> Self {
        Self::new(code, CheckStatus::Unknown, audience, detail)
    }

    pub(super) fn with_evidence(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = Some(evidence.into());
        self
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn with_fix(mut self, fix: impl Into<Option<Fix>>) -> Self {
        self.fix = fix.into();
        self
    }
}

/// What has to be changed, in the order in which browsers come to it: there is no use in a policy
/// for a script that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct NeededFix {
    /// The finding that it corrects.
    pub code: Code,
    /// Who can do it.
    #[cfg_attr(feature = "serde", serde(rename = "for"))]
    pub audience: Audience,
    /// What to do.
    pub fix: Fix,
}

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Diagnosis {
    /// The page as it was asked for, without the values of its query.
    pub page: String,
    /// The service that the page uses, or should use.
    pub service: Option<String>,
    /// The widget that the page shows, or should show.
    pub widget_id: Option<WidgetId>,
    /// Whether the page shows it.
    pub verdict: PageVerdict,
    /// Everything that was looked at, in the order of [`CODES`].
    pub findings: Vec<PageFinding>,
    /// What has to be changed for the widget to be shown, the first first.
    #[cfg_attr(feature = "serde", serde(default))]
    pub fixes: Vec<NeededFix>,
}

/// What the findings mean together: a page that was not seen as visitors see it says nothing.
pub(super) fn judge(findings: &[PageFinding]) -> PageVerdict {
    let has = |status, codes: &[Code]| {
        findings
            .iter()
            .any(|finding| finding.status == status && codes.contains(&finding.code))
    };
    if has(
        CheckStatus::Fail,
        &[Code::PageUnreachable, Code::PageStatus],
    ) {
        return PageVerdict::Unknown;
    }
    let is = |status| findings.iter().any(|finding| finding.status == status);
    if is(CheckStatus::Fail) {
        PageVerdict::NotShown
    } else if is(CheckStatus::Unknown) {
        PageVerdict::Unknown
    } else {
        PageVerdict::Shown
    }
}

/// When a browser comes to what a code is about, where that is not the order of the codes.
const fn rank(code: Code) -> u8 {
    match code {
        Code::PageUnreachable
        | Code::PageStatus
        | Code::PageNotHtml
        | Code::PageRedirected
        | Code::SnippetMissing
        | Code::SnippetCommentedOut
        | Code::SnippetInert
        | Code::SnippetDelayed
        | Code::SnippetCopied
        | Code::SnippetOtherWidget
        | Code::SnippetOtherService
        | Code::SnippetDuplicate
        | Code::SnippetModule
        | Code::SnippetByScript
        | Code::CspSandboxed
        | Code::MixedContent => 0,
        Code::IntegrityUnknown | Code::CspScriptBlocked => 1,
        Code::ServiceUnreachable => 2,
        Code::CspConnectBlocked => 3,
        Code::CspFrameBlocked | Code::CoepBlocksWindow | Code::PageFrameOnly => 5,
        Code::PermissionsPolicyMicrophone | Code::LivekitUnreachable => 6,
        // The decision about the widget and the page.
        _ => 4,
    }
}

/// The fixes of everything that keeps the widget away, each once.
pub(super) fn list_fixes(findings: &[PageFinding]) -> Vec<NeededFix> {
    let failed = findings
        .iter()
        .filter(|finding| finding.status == CheckStatus::Fail);
    let mut fixes: Vec<NeededFix> = Vec::new();
    for finding in failed {
        let words = || finding.hint.clone().map(Fix::Words);
        let Some(fix) = finding.fix.clone().or_else(words) else {
            continue;
        };
        if !fixes.iter().any(|known| known.fix == fix) {
            fixes.push(NeededFix {
                code: finding.code,
                audience: finding.audience,
                fix,
            });
        }
    }
    fixes.sort_by_key(|needed| rank(needed.code));
    fixes
}
