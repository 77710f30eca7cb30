//! What stands in an input: a widget record, a bare config, or a list of either; told by its keys.

use std::ops::Range;

use clap::ValueEnum;
use serde_json::value::RawValue;
use widget_core::finding::{Code, Finding};

use crate::{
    record::RECORD_KEYS,
    source::{
        document::{Document, Part},
        fault::SourceFault,
        members::{Members, Shape, read_shape},
    },
};

/// What a JSON object is taken for.
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

/// A finding as it is told: where it stands in the input.
#[derive(Debug)]
pub(crate) struct Located {
    /// A code of the rules, or one of the input's syntax.
    pub(crate) code: &'static str,
    pub(crate) detail: String,
    pub(crate) hint: Option<String>,
    /// From the root of the input, not of the record.
    pub(crate) pointer: Option<String>,
    pub(crate) span: Option<Range<usize>>,
}

impl Located {
    /// A finding about an input as a whole.
    pub(crate) fn whole(
        code: &'static str,
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
            code: fault.code,
            detail: fault.detail,
            hint: fault.hint,
            pointer: None,
            span: fault.span,
        }
    }
}

/// Everything in a document, in order.
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
        code: "not_a_widget",
        span: document.find(document.offset_of(json), "", Part::Value),
        detail: "a widget or a config is an object; this is something else".to_owned(),
        hint: None,
    }
}

/// A record has keys that a config never has, and a config has a version. What has neither is left
/// to the rules of configs, which know what an unversioned one looks like.
fn detect_kind(members: &Members<'_>) -> Result<Kind, SourceFault> {
    if RECORD_KEYS.iter().any(|key| members.has(key)) {
        return Ok(Kind::Widget);
    }
    if members.has("status") && members.has("title") && members.has("code") {
        let text = |key| members.get(key).map_or("", |value| value.get());
        return Err(SourceFault {
            code: "api_problem",
            span: None,
            detail: format!(
                "this is an error that the API answered ({} {}), not a widget",
                text("status"),
                text("code").trim_matches('"')
            ),
            hint: Some("ask the API again and save its answer when that is a widget".to_owned()),
        });
    }
    Ok(Kind::Config)
}

impl<'d> Subject<'d> {
    /// The pointer of this subject from the root of the input.
    pub(crate) fn root(&self) -> String {
        self.entry
            .map_or_else(String::new, |entry| format!("/{entry}"))
    }

    /// The text of the `config` of a record, or of the whole bare config.
    pub(crate) fn config_json(&self) -> Option<&'d str> {
        match self.kind {
            Kind::Config => Some(self.json),
            Kind::Widget => self.members.get("config").map(RawValue::get),
        }
    }

    /// Where the config of a record, or the whole bare config, stands in the input.
    pub(crate) fn config_span(&self) -> Option<Range<usize>> {
        let base = self.document.offset_of(self.config_json()?);
        self.document.find(base, "", Part::Value)
    }

    /// Where a finding stands, whose pointer is from the root of a record.
    pub(crate) fn locate(&self, finding: Finding) -> Located {
        let code = finding.code.as_str();
        let Some(pointer) = finding.pointer.as_deref() else {
            return Located {
                code,
                detail: finding.detail,
                hint: finding.hint,
                pointer: self.entry.map(|_| self.root()),
                span: None,
            };
        };
        let inside = self.inside(pointer);
        let part = if is_about_key(finding.code) {
            Part::Key
        } else {
            Part::Value
        };
        let base = self.document.offset_of(self.json);
        let span = self.document.find(base, &inside, part);
        let mut hint = finding.hint;
        if let (None, Code::TypeInvalid, Some(span)) = (&hint, finding.code, &span) {
            hint = self.document.find_notation_hint(span).map(str::to_owned);
        }
        Located {
            code,
            detail: finding.detail,
            hint,
            pointer: Some(self.root() + &inside),
            span,
        }
    }

    /// A pointer from the record's root as one from the root of this subject.
    fn inside(&self, pointer: &str) -> String {
        let pointer = match self.kind {
            Kind::Widget => pointer,
            Kind::Config => pointer.strip_prefix("/config").unwrap_or(pointer),
        };
        let (before, rest) = match self.kind {
            Kind::Widget => ("/config", pointer.strip_prefix("/config")),
            Kind::Config => ("", Some(pointer)),
        };
        // The rules speak of an unversioned document as of the `v1` that it becomes.
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

/// Whether the key is at fault, and not its value.
fn is_about_key(code: Code) -> bool {
    matches!(
        code,
        Code::KeyUnknown | Code::KeyDuplicate | Code::VersionUnknown
    )
}
