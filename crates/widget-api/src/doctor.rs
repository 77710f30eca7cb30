//! Bodies of `/core/web-widgets/{id}/doctor`: what is wrong with a widget on a page.

use serde::{Deserialize, Serialize};
use widget_core::{
    doctor::{self, Audience, CheckStatus, PageVerdict},
    finding::Code,
    id::WidgetId,
};

use crate::Received;
#[cfg(feature = "schemars")]
use crate::schema;

/// A request with `?1` in this header is answered as one of a visitor, and not counted as a visit:
/// whoever looks for what is wrong with a page does not change its numbers.
///
/// No script can set a header whose name begins with `Sec-`, so that neither a page nor what runs
/// in it can hide the visits of browsers. Another program can, but its requests are not visits.
/// Only the counting depends on it: decisions, limits and logs are the same.
pub const PROBE_HEADER: &str = "sec-widget-probe";

/// The page to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DoctorRequest {
    /// The address of the page, as it is in the visitor's address bar; public, on port 80 or 443.
    pub page: String,
}

/// What was found on a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Diagnosis {
    /// The page as it was asked for, without the values of its query.
    pub page: String,
    /// The address of the service that the page uses, or should use.
    pub service: Option<String>,
    /// The widget that the page shows, or should show.
    #[cfg_attr(
        feature = "schemars",
        schemars(with = "Option<schema::Text<WidgetId>>")
    )]
    pub widget_id: Option<WidgetId>,
    /// Whether the page shows the widget.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<PageVerdict>"))]
    pub verdict: PageVerdict,
    /// Everything that was looked at, in a fixed order.
    pub findings: Vec<PageFinding>,
    /// What has to be changed for the widget to be shown, in the order in which a browser comes to
    /// it; services before this key do not send it.
    #[serde(default)]
    pub fixes: Vec<PageFix>,
}

/// What corrects one of the findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct PageFix {
    /// The code of the finding.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::FieldCode"))]
    pub code: Received<Code>,
    /// What to do: the command, the line to paste, or words.
    pub detail: String,
    /// The command of `widget` that does it, if there is one.
    pub command: Option<String>,
    /// Who can do it.
    #[serde(rename = "for")]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<Audience>"))]
    pub audience: Audience,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct PageFinding {
    /// The stable machine code.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::FieldCode"))]
    pub code: Received<Code>,
    /// What came of it.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<CheckStatus>"))]
    pub status: CheckStatus,
    /// One sentence that says what was found.
    pub detail: String,
    /// The very header or tag, cut, without query strings and nonces.
    pub evidence: Option<String>,
    /// The one change that helps.
    pub hint: Option<String>,
    /// Who can change it: the owner of the site or of the widget, or the operator of the service.
    #[serde(rename = "for")]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<Audience>"))]
    pub audience: Audience,
}

impl From<doctor::Diagnosis> for Diagnosis {
    fn from(diagnosis: doctor::Diagnosis) -> Self {
        Self {
            page: diagnosis.page,
            service: diagnosis.service,
            widget_id: diagnosis.widget_id,
            verdict: diagnosis.verdict,
            findings: diagnosis
                .findings
                .into_iter()
                .map(PageFinding::from)
                .collect(),
            fixes: diagnosis.fixes.into_iter().map(PageFix::from).collect(),
        }
    }
}

impl From<doctor::NeededFix> for PageFix {
    fn from(needed: doctor::NeededFix) -> Self {
        Self {
            code: needed.code.into(),
            detail: needed.fix.to_string(),
            command: needed.fix.to_command(),
            audience: needed.audience,
        }
    }
}

impl From<doctor::PageFinding> for PageFinding {
    fn from(finding: doctor::PageFinding) -> Self {
        Self {
            code: finding.code.into(),
            status: finding.status,
            detail: finding.detail,
            evidence: finding.evidence,
            hint: finding.hint,
            audience: finding.audience,
        }
    }
}
