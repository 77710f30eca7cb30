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
    /// The page as it was asked for.
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
