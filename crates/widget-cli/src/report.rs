//! Shows findings: to people with their line and a caret under the value, to programs as JSON.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use crate::{
    printer::{count, hint_line, printable, terminal_width},
    source::input::Input,
    subject::{Located, LocatedList},
};

/// Whether a finding is an error or a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Error,
    Warning,
}

/// A finding as JSON. Its shape is part of the contract of the command: keys are only added.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "LocatedFinding"))]
pub(crate) struct FindingJson {
    pub(crate) code: String,
    pub(crate) detail: String,
    pub(crate) hint: Option<String>,
    /// JSON Pointer from the root of the record.
    pub(crate) pointer: Option<String>,
    pub(crate) line: Option<usize>,
    pub(crate) column: Option<usize>,
    pub(crate) end_line: Option<usize>,
    pub(crate) end_column: Option<usize>,
}

/// Renders a finding for people: what, where, the line with its value marked, and the hint after a
/// blank line.
pub(crate) fn render(severity: Severity, name: &str, input: &Input, located: &Located) -> String {
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let detail = printable(shown_detail(input, located));
    let title = level.primary_title(&*detail).id(located.code);
    let renderer = Renderer::styled().term_width(width());
    let name = printable(name);
    let mut shown = match &located.span {
        Some(span) if input.is_link => {
            let (line, column) = input.line_and_column(span.start);
            let place = Origin::path(&*name).line(line).char_column(column);
            renderer.render(&[title.element(place)])
        }
        Some(span) => {
            let (line, column) = input.line_and_column(span.start);
            let (window, span) = find_window(input, span);
            let shown_column = window[..span.start].chars().count() + 1;
            let mut annotation = AnnotationKind::Primary.span(span);
            let label = located.pointer.as_deref().map(printable);
            if let Some(label) = label.as_deref().filter(|label| !label.is_empty()) {
                annotation = annotation.label(label.to_owned());
            }
            let snippet = Snippet::source(window)
                .path(&*name)
                .line_start(line)
                .annotation(annotation);
            let shown = renderer.render(&[title.element(snippet)]);
            if shown_column == column {
                shown
            } else {
                // The renderer counts from the start of the shown part.
                let counted = format!("{name}:{line}:{shown_column}");
                shown.replacen(&counted, &format!("{name}:{line}:{column}"), 1)
            }
        }
        None => renderer.render(&[title.element(Origin::path(&*name))]),
    };
    shown.push('\n');
    if let Some(hint) = shown_hint(input, located) {
        shown.push('\n');
        shown.push_str(&hint_line(hint));
        shown.push('\n');
    }
    shown
}

/// Renders each finding, and after them how many are not shown.
pub(crate) fn render_all<'a>(
    severity: Severity,
    name: &'a str,
    input: &'a Input,
    findings: &'a LocatedList,
) -> impl Iterator<Item = String> + 'a {
    let (one, many) = match severity {
        Severity::Error => ("more error", "more errors"),
        Severity::Warning => ("more warning", "more warnings"),
    };
    let more = (findings.omitted > 0).then(|| {
        let more = count(findings.omitted, one, many);
        format!("and {more} in {}\n", printable(name))
    });
    findings
        .iter()
        .map(move |located| render(severity, name, input, located))
        .chain(more)
}

/// Builds the JSON of a finding.
pub(crate) fn build_json(input: &Input, located: &Located) -> FindingJson {
    let place = |at| input.line_and_column(at);
    let start = located.span.as_ref().map(|span| place(span.start));
    let end = located.span.as_ref().map(|span| place(span.end));
    FindingJson {
        code: located.code.to_owned(),
        detail: shown_detail(input, located).to_owned(),
        hint: shown_hint(input, located).map(str::to_owned),
        pointer: located.pointer.clone().filter(|_| !input.is_link),
        line: start.map(|(line, _)| line),
        column: start.map(|(_, column)| column),
        end_line: end.map(|(line, _)| line),
        end_column: end.map(|(_, column)| column),
    }
}

/// What is wrong; without what is in a file that is a link.
fn shown_detail<'l>(input: &Input, located: &'l Located) -> &'l str {
    if input.is_link {
        "this is not right; the file is a link, so what is in it is not shown"
    } else {
        &located.detail
    }
}

/// What to do about it; without what is in a file that is a link.
fn shown_hint<'l>(input: &Input, located: &'l Located) -> Option<&'l str> {
    if input.is_link {
        Some("name the file that the link leads to, to see more")
    } else {
        located.hint.as_deref()
    }
}

/// The line of a span, and the span within it. A value of several lines is marked in its first one.
/// Only a part of a very long line is shown, because a file may be one line of a megabyte.
fn find_window<'t>(input: &'t Input, span: &Range<usize>) -> (&'t str, Range<usize>) {
    const MAX_BYTES_BEFORE: usize = 400;
    let text = &input.text;
    let start = text.floor_char_boundary(span.start);
    let before = start.saturating_sub(MAX_BYTES_BEFORE);
    let from = text.as_bytes()[before..start]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(text.floor_char_boundary(before), |newline| {
            before + newline + 1
        });
    let after = (start + 2 * MAX_BYTES_BEFORE).min(text.len());
    let to = text.as_bytes()[start..after]
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(text.floor_char_boundary(after), |newline| start + newline);
    let line = text[from..to].trim_end_matches('\r');
    let end = text.floor_char_boundary(span.end).clamp(start, to);
    (line, start - from..end - from)
}

fn width() -> usize {
    terminal_width().map_or(120, |width| width.max(40))
}
