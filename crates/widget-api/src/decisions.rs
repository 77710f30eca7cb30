//! What core decides about a widget, as a client reads it.
//!
//! The service answers with core's own `GoLiveReport` and `Explanation`. The types here read the
//! same JSON, and accept codes that a newer service has; a test compares the two.

use serde::{Deserialize, Serialize};
use widget_core::{
    explain::{Difference, Verdict},
    finding::Code,
    go_live::VersionSource,
    origin::Origin,
};

use crate::Received;
#[cfg(feature = "schemars")]
use crate::schema;

/// Whether a widget is live, and what its owner should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct GoLiveReport {
    /// Whether both gates are open.
    pub live: bool,
    /// Everything that keeps the gates closed.
    pub blockers: Vec<Finding>,
    /// Who said whether the version is published; absent when that was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<VersionSource>"))]
    pub version_source: Option<Received<VersionSource>>,
    /// What the owner should look at.
    pub warnings: Vec<Finding>,
    /// How many warnings there are, when `warnings` holds only the first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "u64"))]
    pub warnings_total: Option<u64>,
}

/// Something to know about a widget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Finding {
    /// The stable machine code.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::FieldCode"))]
    pub code: Received<Code>,
    /// JSON Pointer into the record, when it is about a field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub pointer: Option<String>,
    /// One sentence that says what was found.
    pub detail: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub hint: Option<String>,
}

impl From<widget_core::finding::Finding> for Finding {
    fn from(finding: widget_core::finding::Finding) -> Self {
        Self {
            code: finding.code.into(),
            pointer: finding.pointer,
            detail: finding.detail,
            hint: finding.hint,
        }
    }
}

/// The page to explain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ExplainQuery {
    /// The address of the page or its origin.
    pub origin: String,
}

/// The service's decision about a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Explanation {
    /// Whether the page shows the widget.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<Verdict>"))]
    pub verdict: Verdict,
    /// The stable code of the decision.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::FieldCode"))]
    pub code: Received<Code>,
    /// The origin of the page, as browsers write it.
    #[cfg_attr(feature = "schemars", schemars(with = "Option<String>"))]
    pub origin: Option<Origin>,
    /// The steps of the decision, in their order.
    pub steps: Vec<ExplanationStep>,
    /// The listed entry that is most similar to a page that is not listed.
    pub nearest: Option<NearestEntry>,
    /// The one change that lets the page show the widget.
    pub hint: Option<String>,
    /// Headers that the page needs if it has a policy of its own.
    pub host_page_policy: Vec<String>,
    /// What else to know about the page.
    pub notes: Vec<Finding>,
}

/// One step of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct ExplanationStep {
    /// The stable code of its outcome.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::FieldCode"))]
    pub code: Received<Code>,
    /// Whether it was passed.
    pub ok: bool,
    /// One sentence.
    pub detail: String,
    /// The one change that makes the step pass, when it failed and there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub hint: Option<String>,
}

/// A listed entry that is almost the page's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct NearestEntry {
    /// The entry.
    pub entry: String,
    /// Its place in the record.
    pub pointer: String,
    /// How it differs.
    #[cfg_attr(feature = "schemars", schemars(with = "schema::Text<Difference>"))]
    pub difference: Received<Difference>,
    /// One sentence.
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use widget_core::{
        config::Config,
        explain,
        go_live::{self, PinnedVersion},
        origin::{AllowedOrigins, SuffixList},
        widget::NewWidget,
    };

    use super::*;

    /// What core writes and what is read and written again here.
    fn both<T: serde::de::DeserializeOwned + Serialize>(value: &impl Serialize) -> (Value, Value) {
        let written = serde_json::to_value(value).expect("core's values are written");
        let read: T = serde_json::from_value(written.clone()).expect("a client reads it");
        (written, serde_json::to_value(read).expect("it is written"))
    }

    #[test]
    fn clients_read_what_core_writes() {
        let suffixes = SuffixList::builtin();
        let id = |text: &str| format!("0197a8b2-6c1e-7d3f-8a4b-0000000000{text}");
        let new = NewWidget {
            domains: AllowedOrigins::parse(&["https://www.shop.example"], suffixes).expect("good"),
            ..NewWidget::new(
                "acme".parse().expect("an organization"),
                id("01").parse().expect("an id"),
                id("02").parse().expect("an id"),
            )
        };
        let now = time::OffsetDateTime::UNIX_EPOCH;
        let widget = new.into_widget(id("03").parse().expect("an id"), now);

        let report = go_live::report(&widget, PinnedVersion::Draft);
        let (written, read) = both::<GoLiveReport>(&report);
        assert_eq!(written, read);
        assert_eq!(written["blockers"][0]["code"], "not_published");

        let unknown: serde_json::Map<String, Value> = (0..150)
            .map(|number| (format!("unknown_{number}"), json!(1)))
            .collect();
        let doubtful = widget_core::widget::Widget {
            config: Config::from_value(json!({ "v1": unknown })).expect("valid"),
            ..widget.clone()
        };
        let report = go_live::report(&doubtful, PinnedVersion::Published);
        let (written, read) = both::<GoLiveReport>(&report);
        assert_eq!(written, read);
        assert_eq!(written["warnings"].as_array().map(Vec::len), Some(100));
        assert_eq!(
            written["warnings_total"],
            150 + widget.domains.warnings().len()
        );

        let service: Origin = "https://widgets.example".parse().expect("an origin");
        for page in ["https://shop.example", "null", "https://www.shop.example"] {
            let explanation = explain::explain(
                Some(&widget),
                PinnedVersion::Published,
                page,
                &service,
                suffixes,
            );
            let (written, read) = both::<Explanation>(&explanation);
            assert_eq!(written, read, "{page}");
        }

        let (written, read) = both::<crate::Widget>(&widget);
        assert_eq!(written, read);
        let body = serde_json::to_value(crate::Widget::from(widget)).expect("a body");
        assert_eq!(written, body);
    }

    #[test]
    fn a_code_of_a_newer_service_is_read() {
        let finding = json!({"code": "moon_is_full", "detail": "wait"});
        let read: Finding = serde_json::from_value(finding.clone()).expect("it is read");
        assert_eq!(read.code, Received::Other("moon_is_full".to_owned()));
        assert_eq!(
            (read.code.known(), read.code.to_string()),
            (None, "moon_is_full".to_owned())
        );
        assert_eq!(serde_json::to_value(read).expect("it is written"), finding);

        let problem = json!({
            "type": "about:blank", "title": "Teapot", "status": 418, "detail": "no coffee",
            "code": "teapot", "request_id": "r1",
            "errors": [{"pointer": "/x", "code": "value_cold", "detail": "d"}],
        });
        let read: crate::Problem = serde_json::from_value(problem).expect("it is read");
        assert_eq!(read.code.to_string(), "teapot");
        assert_eq!(read.errors[0].code.known(), None);
    }
}
