//! What an input contains: a widget record, a config, or a list of them; its keys say which.

use std::ops::{Deref, Range};

use clap::ValueEnum;
use serde_json::value::RawValue;
use widget_core::finding::{Code, Finding, FindingList};

use crate::{
    record::RECORD_KEYS,
    source::{
        document::{Document, Part},
        fault::{SourceCode, SourceFault},
        members::{Members, Shape, read_shape},
    },
};

/// What a JSON object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A widget record as the API returns it
    Widget,
    /// A config document: `{}` or `{"v1": …}`
    Config,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Widget => "widget",
            Self::Config => "config",
        }
    }
}

/// One widget or config in a document.
#[derive(Debug)]
pub(crate) struct Subject<'d> {
    document: &'d Document<'d>,
    /// Its position in a list.
    pub(crate) entry: Option<usize>,
    pub(crate) kind: Kind,
    pub(crate) json: &'d str,
    pub(crate) members: Members<'d>,
}

/// A finding with its place in the input.
#[derive(Debug)]
pub(crate) struct Located {
    /// A code of the rules, or of a [`SourceCode`].
    pub(crate) code: &'static str,
    pub(crate) detail: String,
    pub(crate) hint: Option<String>,
    /// From the root of the record, also for a config on its own and in a list.
    pub(crate) pointer: Option<String>,
    pub(crate) span: Option<Range<usize>>,
}

/// Findings with their places, in the order of the text, and how many more there are.
#[derive(Debug, Default)]
pub(crate) struct LocatedList {
    kept: Vec<Located>,
    /// How many are only counted.
    pub(crate) omitted: usize,
}

impl LocatedList {
    /// How many were found.
    pub(crate) fn total(&self) -> usize {
        self.kept.len() + self.omitted
    }

    /// How many were found, if not all of them are shown.
    pub(crate) fn total_if_omitted(&self) -> Option<usize> {
        (self.omitted > 0).then(|| self.total())
    }

    /// Adds those of another subject.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.kept.append(&mut other.kept);
        self.omitted += other.omitted;
    }
}

impl Deref for LocatedList {
    type Target = [Located];

    fn deref(&self) -> &[Located] {
        &self.kept
    }
}

impl From<Located> for LocatedList {
    fn from(located: Located) -> Self {
        Self {
            kept: vec![located],
            omitted: 0,
        }
    }
}

impl From<SourceFault> for LocatedList {
    fn from(fault: SourceFault) -> Self {
        Located::from(fault).into()
    }
}

impl From<Box<Located>> for LocatedList {
    fn from(located: Box<Located>) -> Self {
        (*located).into()
    }
}

impl Located {
    /// A finding about an input as a whole.
    pub(crate) fn whole(
        code: SourceCode,
        detail: impl Into<String>,
        hint: impl Into<Option<&'static str>>,
    ) -> Self {
        SourceFault {
            code,
            span: None,
            detail: detail.into(),
            hint: hint.into().map(str::to_owned),
        }
        .into()
    }
}

impl From<SourceFault> for Box<Located> {
    fn from(fault: SourceFault) -> Self {
        Self::new(fault.into())
    }
}

impl From<SourceFault> for Located {
    fn from(fault: SourceFault) -> Self {
        Self {
            code: fault.code.as_str(),
            detail: fault.detail,
            hint: fault.hint,
            pointer: None,
            span: fault.span,
        }
    }
}

/// Finds every widget and config in a document, in order.
pub(crate) fn find_subjects<'d>(
    document: &'d Document<'d>,
    kind: Option<Kind>,
) -> Result<Vec<Subject<'d>>, SourceFault> {
    match document.read_shape()? {
        Shape::Object(members) => Ok(vec![Subject {
            document,
            entry: None,
            kind: kind.map_or_else(|| detect_kind(&members), Ok)?,
            json: document.json().trim(),
            members,
        }]),
        Shape::Array(elements) => elements
            .into_iter()
            .enumerate()
            .map(|(position, element)| build_element_subject(document, position, element, kind))
            .collect(),
        Shape::Other => Err(build_not_a_widget(document, document.json().trim())),
    }
}

fn build_element_subject<'d>(
    document: &'d Document<'d>,
    position: usize,
    element: &'d RawValue,
    kind: Option<Kind>,
) -> Result<Subject<'d>, SourceFault> {
    let json = element.get();
    match read_shape(json) {
        Ok(Shape::Object(members)) => Ok(Subject {
            document,
            entry: Some(position),
            kind: kind.map_or_else(|| detect_kind(&members), Ok)?,
            json,
            members,
        }),
        _ => Err(build_not_a_widget(document, json)),
    }
}

fn build_not_a_widget(document: &Document<'_>, json: &str) -> SourceFault {
    SourceFault {
        code: SourceCode::ObjectMissing,
        span: document.find(document.offset_of(json), "", Part::Value),
        detail: "a widget or a config must be an object".to_owned(),
        hint: None,
    }
}

/// A record has keys that a config never has. Everything else is read as a config, whose rules know
/// what an unversioned one looks like.
fn detect_kind(members: &Members<'_>) -> Result<Kind, SourceFault> {
    if members.has("web_widget") && !members.has("id") {
        return Err(SourceFault {
            code: SourceCode::HistoryDocument,
            span: None,
            detail: "this is the history of a widget; save the `web_widget` of one entry"
                .to_owned(),
            hint: Some(
                "for the newest entry: `jq '.[0].web_widget' FILE > widget.json`".to_owned(),
            ),
        });
    }
    if RECORD_KEYS.iter().any(|key| members.has(key)) {
        return Ok(Kind::Widget);
    }
    if members.has("status") && members.has("title") && members.has("code") {
        let text = |key| members.get(key).map_or("", |value| value.get());
        let status = text("status");
        let hint = match status {
            "401" => "repeat the request with a valid key, and save the answer",
            "403" => "repeat the request with a key that has the scope, and save the answer",
            _ => "repeat the request, and save the answer when it is a widget",
        };
        return Err(SourceFault {
            code: SourceCode::ProblemDocument,
            span: None,
            detail: format!(
                "this is an error that the API returned ({status} {}), not a widget",
                text("code").trim_matches('"')
            ),
            hint: Some(hint.to_owned()),
        });
    }
    Ok(Kind::Config)
}

impl<'d> Subject<'d> {
    /// The text of a config: of the key `config` of a record, or the whole text.
    pub(crate) fn config_json(&self) -> Option<&'d str> {
        match self.kind {
            Kind::Config => Some(self.json),
            Kind::Widget => self.members.get("config").map(RawValue::get),
        }
    }

    /// The place of that config in the input.
    pub(crate) fn config_span(&self) -> Option<Range<usize>> {
        let base = self.document.offset_of(self.config_json()?);
        self.document.find(base, "", Part::Value)
    }

    /// Finds the places of findings, and sorts them by their place in the text.
    pub(crate) fn locate_all(&self, findings: impl Into<FindingList>) -> LocatedList {
        let findings = findings.into();
        let omitted = findings.omitted();
        let mut kept: Vec<_> = findings
            .into_iter()
            .map(|finding| self.locate(finding))
            .collect();
        kept.sort_by_key(|located| located.span.as_ref().map(|span| span.start));
        LocatedList { kept, omitted }
    }

    /// Finds the place of a finding, whose pointer starts at the root of the record.
    pub(crate) fn locate(&self, finding: Finding) -> Located {
        let part = if is_about_key(finding.code) {
            Part::Key
        } else {
            Part::Value
        };
        let span = finding.pointer.as_deref().and_then(|pointer| {
            let base = self.document.offset_of(self.json);
            self.document
                .find(base, &self.written_pointer(pointer), part)
        });
        let mut hint = finding.hint;
        if let (None, Code::TypeInvalid, Some(span)) = (&hint, finding.code, &span) {
            hint = self.document.find_notation_hint(span).map(str::to_owned);
        }
        Located {
            code: finding.code.as_str(),
            detail: finding.detail,
            hint,
            pointer: finding.pointer,
            span,
        }
    }

    /// A pointer from the root of the record as one into the text of this subject.
    fn written_pointer(&self, pointer: &str) -> String {
        let pointer = match self.kind {
            Kind::Widget => pointer,
            Kind::Config => pointer.strip_prefix("/config").unwrap_or(pointer),
        };
        let (before, rest) = match self.kind {
            Kind::Widget => ("/config", pointer.strip_prefix("/config")),
            Kind::Config => ("", Some(pointer)),
        };
        // Findings about an unversioned document have the pointers of the `v1` that it becomes.
        match rest.and_then(|rest| rest.strip_prefix("/v1")) {
            Some(rest) if !self.config_has_v1() => format!("{before}{rest}"),
            _ => pointer.to_owned(),
        }
    }

    fn config_has_v1(&self) -> bool {
        match self.kind {
            Kind::Config => self.members.has("v1"),
            Kind::Widget => match self.config_json().map(read_shape) {
                Some(Ok(Shape::Object(members))) => members.has("v1"),
                _ => true,
            },
        }
    }
}

/// Whether a finding is about a key, and not about its value.
fn is_about_key(code: Code) -> bool {
    matches!(
        code,
        Code::KeyUnknown | Code::KeyDuplicate | Code::VersionUnknown
    )
}
